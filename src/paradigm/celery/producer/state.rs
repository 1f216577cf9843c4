//! What the sender knows, and how it is with the broker.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::{RedisError, RedisResult};
use tokio::sync::mpsc::UnboundedSender;

use crate::domain::{CheckResult, Clock, Job, JobId, Moment, SystemClock};
use crate::paradigm::{QueueFigures, QueueOptions};
use crate::probe::Recipe;
use crate::trace::{Recorder, ThreadPresence};

use super::super::broker::Broker;
use super::super::fleet::Fleet;
use super::super::outstanding::{Outstanding, Waiting};
use super::super::sender::Sender;

/// How often it looks after what is on its way.
pub(super) const TICK: Duration = Duration::from_millis(100);

/// How often the broker is asked how it is.
pub(super) const STATE_PERIOD: Duration = Duration::from_secs(1);

/// Messages in one command.
pub(super) const BATCH: usize = 128;

/// Messages that are looked for at once: each costs the broker a walk along its queue.
pub(super) const AUDITS: usize = 100;

/// Pauses before a broker that cannot be used is tried again.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What the paradigm tells its sender.
#[derive(Debug)]
pub(in crate::paradigm::celery) enum Word {
    /// A check is due.
    Job(Job),
    /// So many may be on their way at once.
    Most(usize),
}

/// What the sender tells the paradigm.
#[derive(Debug, Default)]
pub(in crate::paradigm::celery) struct Board {
    figures: Mutex<QueueFigures>,
    /// Words that were not heard yet.
    pub(in crate::paradigm::celery) unheard: AtomicUsize,
    pub(in crate::paradigm::celery) running: AtomicUsize,
    pub(in crate::paradigm::celery) queued: AtomicUsize,
}

impl Board {
    pub(in crate::paradigm::celery) fn figures(&self) -> MutexGuard<'_, QueueFigures> {
        // Every change is complete before anything could panic.
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A broker that cannot be used.
#[derive(Debug)]
pub(super) struct Trouble {
    why: String,
    since: Moment,
    retry: Moment,
    pause: Duration,
}

/// A thread by its host, process and id.
pub(super) type Seat = (Arc<str>, u32, u32);

/// The sender.
pub(in crate::paradigm::celery) struct Producer {
    pub(super) clock: SystemClock,
    pub(super) results: UnboundedSender<CheckResult>,
    pub(super) broker: Broker,
    pub(super) sender: Sender,
    pub(super) recorder: Arc<Recorder>,
    /// Threads that ran checks of late: they stay on the picture for a while.
    pub(super) present: HashMap<Seat, (ThreadPresence, Moment)>,
    pub(super) lifetime: Duration,
    /// How long beyond its timeout a worker may have a check: it may die and another take
    /// it, which may die too.
    pub(super) patience: Duration,
    pub(super) outstanding: Outstanding,
    pub(super) waiting: Waiting,
    /// Checks that a worker had and let expire: they are sent anew before all others.
    pub(super) again: Vec<(Job, (JobId, Moment))>,
    pub(super) most: usize,
    pub(super) fleet: Fleet,
    pub(super) board: Arc<Board>,
    pub(super) trouble: Option<Trouble>,
    /// Answers that were counted, whose results need not be kept.
    pub(super) counted: Vec<String>,
    /// Whether everything that has no answer is to be asked for.
    pub(super) ask_for_all: bool,
    pub(super) state_due: Moment,
    pub(super) figures: QueueFigures,
}

/// What a producer begins with.
pub(in crate::paradigm::celery) struct Setup {
    pub(in crate::paradigm::celery) clock: SystemClock,
    pub(in crate::paradigm::celery) results: UnboundedSender<CheckResult>,
    pub(in crate::paradigm::celery) broker: Broker,
    pub(in crate::paradigm::celery) recorder: Arc<Recorder>,
    pub(in crate::paradigm::celery) recipe: Recipe,
    pub(in crate::paradigm::celery) options: QueueOptions,
    pub(in crate::paradigm::celery) most: usize,
    pub(in crate::paradigm::celery) local: bool,
    pub(in crate::paradigm::celery) board: Arc<Board>,
}

impl Producer {
    /// Makes it on the runtime that it is to run on.
    pub(in crate::paradigm::celery) fn new(setup: Setup) -> RedisResult<Self> {
        let figures = QueueFigures {
            broker: setup.broker.shown().to_owned(),
            local: setup.local,
            ..QueueFigures::default()
        };
        setup.board.figures().clone_from(&figures);
        let sender = Sender::new(
            &setup.broker,
            &setup.options,
            setup.recipe,
            Arc::clone(&setup.recorder),
        )?;
        Ok(Self {
            clock: setup.clock,
            results: setup.results,
            broker: setup.broker,
            sender,
            recorder: setup.recorder,
            present: HashMap::new(),
            lifetime: setup.options.expires,
            patience: 2 * setup.options.visibility_timeout + Duration::from_secs(10),
            outstanding: Outstanding::new(),
            waiting: Waiting::default(),
            again: Vec::new(),
            most: setup.most,
            fleet: Fleet::default(),
            board: setup.board,
            trouble: None,
            counted: Vec::new(),
            ask_for_all: false,
            state_due: Moment::ZERO,
            figures,
        })
    }

    /// The channels that have to be listened to.
    pub(in crate::paradigm::celery) fn patterns(&self) -> Vec<String> {
        vec![
            self.outstanding.pattern(),
            super::super::event::channel(self.broker.database(), "worker.*"),
        ]
    }

    pub(super) fn in_trouble(&self, now: Moment) -> bool {
        self.trouble
            .as_ref()
            .is_some_and(|trouble| now < trouble.retry)
    }

    /// The broker could be used, or not.
    pub(super) fn note(&mut self, outcome: RedisResult<()>) {
        let now = self.clock.moment();
        match outcome {
            Ok(()) => {
                if self.trouble.take().is_some() {
                    tracing::info!("the broker can be used again");
                    // What was on its way meanwhile may be lost.
                    self.ask_for_all = true;
                    self.outstanding.suspect_all(now);
                }
            }
            Err(error) => self.suffer(&error, now),
        }
    }

    pub(super) fn suffer(&mut self, error: &RedisError, now: Moment) {
        let (since, pause) = match &self.trouble {
            Some(trouble) => (trouble.since, (trouble.pause * 2).min(LONGEST_PAUSE)),
            None => (now, SHORTEST_PAUSE),
        };
        let why = self.broker.unreachable(error);
        if self.trouble.is_none() {
            tracing::warn!("{why}");
        }
        self.trouble = Some(Trouble {
            why,
            since,
            retry: now + pause,
            pause,
        });
    }

    pub(super) fn show_census(&self) {
        let taken = self.outstanding.taken();
        // As of the last tick: to count them takes a walk.
        let running = taken.saturating_sub(self.figures.received);
        self.board.running.store(running, Ordering::Relaxed);
        let queued = self.waiting.len() + self.again.len() + self.outstanding.len() - running;
        self.board.queued.store(queued, Ordering::Relaxed);
    }

    pub(super) fn show(&mut self, now: Moment) {
        let figures = &mut self.figures;
        figures.waiting = self.waiting.len();
        figures.outstanding = self.outstanding.len();
        figures.taken = self.outstanding.taken();
        figures.received = self.outstanding.received();
        figures.workers = self.fleet.workers(now);
        figures.hosts = self.fleet.hosts();
        figures.unserved = self
            .outstanding
            .unserved_since()
            .map(|since| now.since(since));
        figures.trouble = self
            .trouble
            .as_ref()
            .map(|trouble| (trouble.why.clone(), now.since(trouble.since)));
        self.board.figures().clone_from(figures);
    }
}
