//! The sending side in this very process, so that every answer can be counted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use uptime_squirrel::domain::{
    CheckResult, CheckSpec, Clock, JobId, MaskedUrl, Moment, SiteId, SystemClock, Verdict,
};
use uptime_squirrel::paradigm::{
    ALL, Dispatcher, Offer, ParadigmContext, ParadigmEntry, QueueFigures, QueueOptions, StartError,
    position,
};
use uptime_squirrel::probe::ProberFactory;
use uptime_squirrel::trace::Recorder;

use crate::support::{Redis, Running, Squirrel};

pub(crate) fn entry(name: &str) -> &'static ParadigmEntry {
    &ALL[position(name).unwrap()]
}

/// The spec of a check of a path on loopback.
pub(crate) fn spec(url: &str, timeout: Duration) -> Arc<CheckSpec> {
    Arc::new(CheckSpec {
        timeout,
        slow: timeout,
        cert_warn: Duration::ZERO,
        ..CheckSpec::new(MaskedUrl::new(url))
    })
}

/// A monitor without screen and schedule.
pub(crate) struct Sender {
    pub(crate) dispatcher: Dispatcher,
    pub(crate) clock: SystemClock,
    pub(crate) recorder: Arc<Recorder>,
    results: UnboundedReceiver<CheckResult>,
    /// Answers that counted, by site.
    pub(crate) answers: BTreeMap<usize, CheckResult>,
    /// Answers that came for a check that had one.
    pub(crate) twins: usize,
}

impl Sender {
    pub(crate) fn to(redis: &Redis, workers: usize) -> Self {
        let queue = QueueOptions {
            broker: Some(redis.url()),
            visibility_timeout: Some(Duration::from_secs(3)),
            ..QueueOptions::default()
        };
        Self::start(queue, workers).unwrap()
    }

    pub(crate) fn start(queue: QueueOptions, workers: usize) -> Result<Self, StartError> {
        let (sender, results) = unbounded_channel();
        let clock = SystemClock::new();
        let recorder = Recorder::new();
        let context = ParadigmContext {
            retry_broker: false,
            workers,
            factory: Arc::new(ProberFactory::http(None).unwrap()),
            clock,
            results: sender,
            recorder: Arc::clone(&recorder),
            queue,
        };
        Ok(Self {
            dispatcher: Dispatcher::start(entry("celery"), context)?,
            clock,
            recorder,
            results,
            answers: BTreeMap::new(),
            twins: 0,
        })
    }

    /// Checks of `count` paths of a server are due.
    pub(crate) fn offer(&mut self, authority: &str, count: usize) {
        let due = self.clock.moment();
        for site in 0..count {
            let url = format!("http://{authority}/{site}");
            let spec = spec(&url, Duration::from_secs(40));
            assert_eq!(self.offer_one(site, due, &spec), Offer::Submitted);
        }
    }

    pub(crate) fn offer_one(&mut self, site: usize, due: Moment, spec: &Arc<CheckSpec>) -> Offer {
        let id = JobId {
            site: SiteId::from_index(site),
            due,
        };
        self.dispatcher.offer(id, spec)
    }

    /// Takes what has come.
    pub(crate) fn receive(&mut self) {
        while let Ok(result) = self.results.try_recv() {
            if self.dispatcher.answered(&result) {
                let before = self.answers.insert(result.job.site.index(), result);
                assert!(before.is_none(), "counted twice: {before:?}");
            } else {
                self.twins += 1;
            }
        }
    }

    /// Offers one more, unless the one before has not come back: a test that expects a trace of
    /// tasks needs them to go on, and no queue of them.
    pub(crate) fn offer_after_the_last(&mut self, authority: &str) {
        self.receive();
        if self.dispatcher.unanswered() == 0 {
            let site = self.answers.len();
            let url = format!("http://{authority}/{site}");
            let now = self.clock.moment();
            self.offer_one(site, now, &spec(&url, Duration::from_secs(5)));
        }
    }

    pub(crate) fn wait_for_answers(&mut self, count: usize) {
        let began = Instant::now();
        while self.answers.len() < count {
            self.receive();
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "never came: {count} answers, only {}: {:?}",
                self.answers.len(),
                self.figures()
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// All that was offered is answered, once, and up; nothing comes after.
    pub(crate) fn assert_all_up_once(&mut self, count: usize) {
        self.wait_for_answers(count);
        assert_eq!(self.answers.len(), count);
        assert_eq!(self.dispatcher.unanswered(), 0);
        let not_up: Vec<_> = self
            .answers
            .values()
            .filter(|result| result.verdict != Verdict::Up)
            .collect();
        assert!(
            not_up.is_empty(),
            "{} are not up: {:?}",
            not_up.len(),
            not_up[0]
        );
        assert_eq!(self.twins, 0);
    }

    pub(crate) fn figures(&self) -> QueueFigures {
        self.dispatcher.queue().unwrap()
    }

    #[track_caller]
    pub(crate) fn until_figures(&self, what: &str, holds: impl Fn(&QueueFigures) -> bool) {
        let began = Instant::now();
        while !holds(&self.figures()) {
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "never came: {what}: {:?}",
                self.figures()
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// A worker of ours as a process of its own.
pub(crate) struct Worker {
    pub(crate) running: Running,
    _home: Squirrel,
}

impl Worker {
    pub(crate) fn start(redis: &Redis, name: &str, more: &[&str]) -> Self {
        Self::at(redis.url().expose(), name, more)
    }

    pub(crate) fn at(broker: &str, name: &str, more: &[&str]) -> Self {
        let home = Squirrel::new();
        let mut words = vec![
            "worker",
            "--broker",
            broker,
            "--hostname",
            name,
            "--visibility-timeout",
            "3s",
            "--format",
            "json",
        ];
        words.extend(more);
        Self {
            running: home.start(words),
            _home: home,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.running.pid()
    }
}
