//! What the sender knows, and how it is with the broker.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::{RedisError, RedisResult};
use tokio::sync::mpsc::UnboundedSender;

use crate::domain::{CheckResult, Clock, Job, JobId, Moment, SystemClock};
use crate::paradigm::{QueueFigures, QueueOptions};
use crate::probe::FactoryConfig;
use crate::trace::{Recorder, ThreadPresence};

use super::super::broker::Broker;
use super::super::broker_client::BrokerClient;
use super::super::in_flight::{InFlight, WaitingJobs};
use super::super::worker_registry::WorkerRegistry;

/// How often it looks after what is on its way.
pub(super) const RECONCILE_PERIOD: Duration = Duration::from_millis(100);

/// How often the broker is asked how it is.
pub(super) const BROKER_POLL_PERIOD: Duration = Duration::from_secs(1);

/// Messages in one command.
pub(super) const BATCH_SIZE: usize = 128;

/// Messages that are looked for at once: each costs the broker a walk along its queue.
pub(super) const AUDIT_BATCH: usize = 100;

/// Pauses before a broker that cannot be used is tried again.
const MIN_RETRY_DELAY: Duration = Duration::from_millis(100);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(5);

/// What the paradigm tells its sender.
#[derive(Debug)]
pub(in crate::paradigm::celery) enum ProducerCommand {
    /// A check is due.
    Job(Job),
    /// So many may be on their way at once.
    Limit(usize),
}

/// What the sender tells the paradigm.
#[derive(Debug, Default)]
pub(in crate::paradigm::celery) struct ProducerStatus {
    figures: Mutex<QueueFigures>,
    /// Words that were not heard yet.
    pub(in crate::paradigm::celery) unprocessed: AtomicUsize,
    pub(in crate::paradigm::celery) running: AtomicUsize,
    pub(in crate::paradigm::celery) queued: AtomicUsize,
}

impl ProducerStatus {
    pub(in crate::paradigm::celery) fn figures(&self) -> MutexGuard<'_, QueueFigures> {
        // Every change is complete before anything could panic.
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A broker that cannot be used.
#[derive(Debug)]
pub(super) struct BrokerFailure {
    why: String,
    since: Moment,
    retry: Moment,
    pause: Duration,
}

/// A thread by its host, process and id.
pub(super) type ThreadKey = (Arc<str>, u32, u32);

/// The sender.
pub(in crate::paradigm::celery) struct Producer {
    pub(super) clock: SystemClock,
    pub(super) results: UnboundedSender<CheckResult>,
    pub(super) broker: Broker,
    pub(super) client: BrokerClient,
    pub(super) recorder: Arc<Recorder>,
    /// Threads that ran checks of late: they stay on the picture for a while.
    pub(super) present: HashMap<ThreadKey, (ThreadPresence, Moment)>,
    pub(super) lifetime: Duration,
    /// How long beyond its timeout a worker may have a check: it may die and another take
    /// it, which may die too.
    pub(super) overdue_after: Duration,
    pub(super) in_flight: InFlight,
    pub(super) waiting: WaitingJobs,
    /// Checks that a worker had and let expire: they are sent anew before all others.
    pub(super) resend_first: Vec<(Job, (JobId, Moment))>,
    pub(super) most: usize,
    pub(super) registry: WorkerRegistry,
    pub(super) status: Arc<ProducerStatus>,
    pub(super) failure: Option<BrokerFailure>,
    /// Answers that were counted, whose results need not be kept.
    pub(super) counted: Vec<String>,
    /// Whether everything that has no answer is to be asked for.
    pub(super) fetch_all: bool,
    pub(super) state_due: Moment,
    pub(super) figures: QueueFigures,
}

/// What a producer begins with.
pub(in crate::paradigm::celery) struct ProducerConfig {
    pub(in crate::paradigm::celery) clock: SystemClock,
    pub(in crate::paradigm::celery) results: UnboundedSender<CheckResult>,
    pub(in crate::paradigm::celery) broker: Broker,
    pub(in crate::paradigm::celery) recorder: Arc<Recorder>,
    pub(in crate::paradigm::celery) recipe: FactoryConfig,
    pub(in crate::paradigm::celery) options: QueueOptions,
    pub(in crate::paradigm::celery) most: usize,
    pub(in crate::paradigm::celery) local: bool,
    pub(in crate::paradigm::celery) status: Arc<ProducerStatus>,
}

impl Producer {
    /// Makes it on the runtime that it is to run on.
    pub(in crate::paradigm::celery) fn new(config: ProducerConfig) -> RedisResult<Self> {
        let figures = QueueFigures {
            broker: config.broker.shown().to_owned(),
            local: config.local,
            ..QueueFigures::default()
        };
        config.status.figures().clone_from(&figures);
        let client = BrokerClient::new(
            &config.broker,
            &config.options,
            config.recipe,
            Arc::clone(&config.recorder),
        )?;
        Ok(Self {
            clock: config.clock,
            results: config.results,
            broker: config.broker,
            client,
            recorder: config.recorder,
            present: HashMap::new(),
            lifetime: config.options.expires,
            overdue_after: 2 * config.options.visibility_timeout() + Duration::from_secs(10),
            in_flight: InFlight::new(),
            waiting: WaitingJobs::default(),
            resend_first: Vec::new(),
            most: config.most,
            registry: WorkerRegistry::default(),
            status: config.status,
            failure: None,
            counted: Vec::new(),
            fetch_all: false,
            state_due: Moment::ZERO,
            figures,
        })
    }

    /// The channels that have to be listened to.
    pub(in crate::paradigm::celery) fn patterns(&self) -> Vec<String> {
        vec![
            self.in_flight.pattern(),
            super::super::event::channel(self.broker.database(), "worker.*"),
        ]
    }

    pub(super) fn is_waiting_to_retry(&self, now: Moment) -> bool {
        self.failure
            .as_ref()
            .is_some_and(|failure| now < failure.retry)
    }

    /// The broker could be used, or not.
    pub(super) fn note(&mut self, outcome: RedisResult<()>) {
        let now = self.clock.moment();
        match outcome {
            Ok(()) => {
                if self.failure.take().is_some() {
                    tracing::info!("the broker can be used again");
                    // What was on its way meanwhile may be lost.
                    self.fetch_all = true;
                    self.in_flight.audit_all(now);
                }
            }
            Err(error) => self.record_failure(&error, now),
        }
    }

    pub(super) fn record_failure(&mut self, error: &RedisError, now: Moment) {
        let (since, pause) = match &self.failure {
            Some(failure) => (failure.since, (failure.pause * 2).min(MAX_RETRY_DELAY)),
            None => (now, MIN_RETRY_DELAY),
        };
        let why = self.broker.unreachable(error.clone()).to_string();
        if self.failure.is_none() {
            tracing::warn!("{why}");
        }
        self.failure = Some(BrokerFailure {
            why,
            since,
            retry: now + pause,
            pause,
        });
    }

    pub(super) fn publish_census(&self) {
        let taken = self.in_flight.taken();
        // As of the last tick: to count them takes a walk.
        let running = taken.saturating_sub(self.figures.received);
        self.status.running.store(running, Ordering::Relaxed);
        let queued = self.waiting.len() + self.resend_first.len() + self.in_flight.len() - running;
        self.status.queued.store(queued, Ordering::Relaxed);
    }

    pub(super) fn publish_figures(&mut self, now: Moment) {
        let figures = &mut self.figures;
        figures.waiting = self.waiting.len();
        figures.outstanding = self.in_flight.len();
        figures.taken = self.in_flight.taken();
        figures.received = self.in_flight.received();
        figures.workers = self.registry.workers(now);
        figures.hosts = self.registry.hosts();
        figures.unserved = self
            .in_flight
            .unserved_since()
            .map(|since| now.since(since));
        figures.trouble = self
            .failure
            .as_ref()
            .map(|failure| (failure.why.clone(), now.since(failure.since)));
        self.status.figures().clone_from(figures);
    }
}
