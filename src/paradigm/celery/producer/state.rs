//! The state of the producer, and its connection to the broker.

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
use super::super::subscriber::Channels;
use super::super::worker_registry::WorkerRegistry;
use super::super::{event, result_backend};

/// The period of the comparison with the broker.
pub(super) const RECONCILE_PERIOD: Duration = Duration::from_millis(100);

/// The same while no check is on its way: what workers and the broker say of themselves is taken in.
pub(super) const REST_PERIOD: Duration = Duration::from_millis(500);

/// How often the broker is asked for its state.
pub(super) const BROKER_POLL_PERIOD: Duration = Duration::from_secs(1);

/// The most messages of one command.
pub(super) const BATCH_SIZE: usize = 128;

/// The most messages of one audit: each costs the broker a search of its queue.
pub(super) const AUDIT_BATCH: usize = 100;

/// How long it is said that a worker discards checks, after the last one: longer than the longest pause
/// between two of them.
const DISCARD_MEMORY: Duration = Duration::from_secs(90);

/// How long results may not be heard before the screens say so.
const DEAF_PATIENCE: Duration = Duration::from_secs(1);

/// The most checks that are sent beyond those that may be run at once.
const MAX_SENT_AHEAD: usize = 1_000;

/// Delays before a broker that cannot be used is tried again.
const MIN_RETRY_DELAY: Duration = Duration::from_millis(100);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(5);

/// A command of the paradigm to its producer.
#[derive(Debug)]
pub(in crate::paradigm::celery) enum ProducerCommand {
    /// Send this check.
    Job(Job),
    /// Set the most checks in flight.
    Limit(usize),
}

/// The status that the producer shares with the paradigm.
#[derive(Debug, Default)]
pub(in crate::paradigm::celery) struct ProducerStatus {
    figures: Mutex<QueueFigures>,
    /// Commands that the producer has not received yet.
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

/// A failure of the broker, and when it is tried again.
#[derive(Debug)]
pub(super) struct BrokerFailure {
    why: String,
    since: Moment,
    retry: Moment,
    pause: Duration,
}

/// The host, process id and thread id of a thread.
pub(super) type RemoteThread = (Arc<str>, u32, u32);

/// The producer of messages.
pub(in crate::paradigm::celery) struct Producer {
    pub(super) clock: SystemClock,
    pub(super) results: UnboundedSender<CheckResult>,
    pub(super) broker: Broker,
    pub(super) client: BrokerClient,
    pub(super) recorder: Arc<Recorder>,
    /// Remote threads that have a lane, and when each was last seen.
    pub(super) present: HashMap<RemoteThread, (ThreadPresence, Moment)>,
    pub(super) lifetime: Duration,
    /// How long beyond its timeout a check may be held: its worker may be lost, and so may the
    /// next.
    pub(super) overdue_after: Duration,
    pub(super) in_flight: InFlight,
    pub(super) waiting: WaitingJobs,
    /// Checks that a worker held until they expired: they are sent anew before all others.
    pub(super) resend_first: Vec<(Job, (JobId, Moment))>,
    /// Which worker discards checks as expired that are not, as a sentence, and when it did last.
    pub(super) discarding: Option<(String, Moment)>,
    pub(super) most: usize,
    pub(super) registry: WorkerRegistry,
    pub(super) status: Arc<ProducerStatus>,
    pub(super) failure: Option<BrokerFailure>,
    /// Ids of tasks whose results are counted, so that Redis need not keep them.
    pub(super) counted: Vec<String>,
    /// Whether the results of all checks in flight are to be fetched.
    pub(super) fetch_all: bool,
    /// Why results and heartbeats are not heard, and since when; results are fetched meanwhile.
    pub(super) deaf: Option<(RedisError, Moment)>,
    pub(super) state_due: Moment,
    /// Whether messages that were handed to workers were not claimed when the broker was asked last.
    pub(super) handed: bool,
    pub(super) figures: QueueFigures,
}

/// The parameters of a producer.
pub(in crate::paradigm::celery) struct ProducerConfig {
    pub(in crate::paradigm::celery) clock: SystemClock,
    pub(in crate::paradigm::celery) results: UnboundedSender<CheckResult>,
    pub(in crate::paradigm::celery) broker: Broker,
    pub(in crate::paradigm::celery) recorder: Arc<Recorder>,
    pub(in crate::paradigm::celery) factory_config: FactoryConfig,
    pub(in crate::paradigm::celery) options: QueueOptions,
    pub(in crate::paradigm::celery) most: usize,
    pub(in crate::paradigm::celery) local: bool,
    pub(in crate::paradigm::celery) status: Arc<ProducerStatus>,
}

impl Producer {
    /// A producer; to be called on the runtime that it runs on.
    pub(in crate::paradigm::celery) fn new(config: ProducerConfig) -> Self {
        let figures = QueueFigures {
            broker: config.broker.shown().to_owned(),
            local: config.local,
            ..QueueFigures::default()
        };
        config.status.figures().clone_from(&figures);
        let client = BrokerClient::new(
            &config.broker,
            &config.options,
            config.factory_config,
            Arc::clone(&config.recorder),
        );
        Self {
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
            discarding: None,
            most: config.most,
            registry: WorkerRegistry::default(),
            status: config.status,
            failure: None,
            counted: Vec::new(),
            fetch_all: false,
            deaf: None,
            state_due: Moment::ZERO,
            handed: false,
            figures,
        }
    }

    /// The channels to subscribe to. All results are heard by a user who may not name its own.
    pub(in crate::paradigm::celery) fn channels(&self) -> Channels {
        let database = self.broker.database();
        let events = ["worker.online", "worker.heartbeat", "worker.offline"];
        Channels {
            named: events.map(|key| event::channel(database, key)).into(),
            patterns: vec![
                self.in_flight.pattern(),
                format!("{}*", result_backend::PREFIX),
            ],
        }
    }

    pub(super) fn is_waiting_to_retry(&self, now: Moment) -> bool {
        self.failure
            .as_ref()
            .is_some_and(|failure| now < failure.retry)
    }

    /// Takes the outcome of a command to the broker.
    pub(super) fn note(&mut self, outcome: RedisResult<()>) {
        let now = self.clock.moment();
        match outcome {
            Ok(()) => {
                if self.failure.take().is_some() {
                    tracing::info!("the broker can be used again");
                    // Messages in flight may have been lost.
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

    /// How many checks may be on their way. Where all workers together have no more places than
    /// checks may be run at once, more are sent, so that no place is empty while its next check
    /// travels.
    pub(super) fn window(&self) -> usize {
        let workers_limit = self.figures.places().is_some_and(|all| all <= self.most);
        let ahead = self.most.saturating_mul(3).min(MAX_SENT_AHEAD);
        self.most + if workers_limit { ahead } else { 0 }
    }

    pub(super) fn publish_census(&self) {
        let taken = self.in_flight.taken();
        // As of the last tick: counting them takes a pass over all.
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
        let deaf = self.deaf.as_ref();
        let deaf = deaf.filter(|(_, since)| now.since(*since) >= DEAF_PATIENCE);
        figures.trouble = match &self.failure {
            Some(failure) => Some((failure.why.clone(), now.since(failure.since))),
            None => deaf.map(|(error, since)| {
                let why = self.broker.unreachable(error.clone()).to_string();
                (why, now.since(*since))
            }),
        };
        let discarding = self.discarding.as_ref();
        let discarding = discarding.filter(|(_, last)| now.since(*last) < DISCARD_MEMORY);
        figures.discarding = discarding.map(|(why, _)| why.clone());
        self.status.figures().clone_from(figures);
    }
}
