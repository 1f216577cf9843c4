//! What there is to say of a queue between this program and its workers, for the screens.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::brief;

/// A queue and its workers, as they were a moment ago.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueueFigures {
    /// The broker's URL, without its password.
    pub broker: String,
    /// Whether this program has started broker and workers itself.
    pub local: bool,
    /// What is wrong, as a sentence, and for how long.
    pub trouble: Option<(String, Duration)>,
    /// Messages in the queue, those of others included; `None` before the first answer.
    pub depth: Option<u64>,
    /// Messages that workers hold, those of others included.
    pub held: Option<u64>,
    /// Checks of this program that wait here to be sent.
    pub waiting: usize,
    /// Checks of this program that were sent and are not answered.
    pub outstanding: usize,
    /// Those of them that workers are known to have.
    pub taken: usize,
    /// Those of these that are not begun with, where workers say when they begin.
    pub received: usize,
    /// For how long the oldest check that was sent has been waiting for a worker.
    pub unserved: Option<Duration>,
    /// The last round trip to the broker.
    pub round_trip: Option<Duration>,
    /// Microseconds to add to the broker's clock to get ours.
    pub broker_offset_micros: Option<i64>,
    /// Workers by node name.
    pub workers: Vec<WorkerFigures>,
    /// Hosts on which checks were run within the last minute, by name.
    pub hosts: Vec<HostFigures>,
    /// Answers that were counted.
    pub answered: u64,
    /// Messages that were lost and sent again.
    pub resent: u64,
    /// Answers dropped because the check had one already, or was handed over.
    pub duplicates: u64,
    /// Messages that no worker took in time.
    pub expired: u64,
}

/// How long a check may wait for a worker before it is said that there is none.
const UNSERVED: Duration = Duration::from_secs(5);

impl QueueFigures {
    /// How many checks the workers that are there can run at once; `None` where one does not
    /// say, or there is none.
    #[must_use]
    pub fn places(&self) -> Option<usize> {
        let alive = self.workers.iter().filter(|worker| worker.alive);
        let places: Option<u64> = alive.map(|worker| worker.concurrency).sum();
        let places = usize::try_from(places?).unwrap_or(usize::MAX);
        (places > 0).then_some(places)
    }

    /// What people have to be told, in one sentence, if anything.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        if let Some((why, since)) = &self.trouble {
            return Some(format!("{why}; trying again since {}", brief(*since)));
        }
        let alive = self.workers.iter().any(|worker| worker.alive);
        let unserved = self.unserved.filter(|unserved| *unserved > UNSERVED)?;
        (!alive).then(|| {
            format!(
                "no worker takes checks off the queue at {}: the oldest waits since {}",
                self.broker,
                brief(unserved)
            )
        })
    }
}

/// One worker, as its heartbeats tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkerFigures {
    /// Its node name, such as `celery@host`.
    pub node: String,
    /// The host in it.
    pub host: String,
    /// Its main process.
    pub pid: u32,
    /// Whether it has been heard of lately.
    pub alive: bool,
    /// Since its last heartbeat.
    pub silent_for: Duration,
    /// Tasks that it runs.
    pub active: u64,
    /// Tasks that it has run.
    pub processed: u64,
    /// Tasks that it may run at once, where it says so.
    pub concurrency: Option<u64>,
    /// What it is: `squirrel 0.1.0`, `py-celery 5.7.0`.
    pub software: String,
}

/// One host, as the results from there tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostFigures {
    /// Its name.
    pub host: Arc<str>,
    /// Microseconds to add to its clock to get ours: already taken out of results.
    pub clock_offset_micros: Option<i64>,
    /// Processes that ran checks within the last minute.
    pub processes: usize,
    /// Threads that ran checks within the last minute.
    pub threads: usize,
    /// Checks that it has run.
    pub checks: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_workers_that_are_there_if_all_say_how_many() {
        let worker = |alive, concurrency| WorkerFigures {
            alive,
            concurrency,
            ..WorkerFigures::default()
        };
        let of = |workers| {
            let figures = QueueFigures {
                workers,
                ..QueueFigures::default()
            };
            figures.places()
        };
        assert_eq!(of(vec![]), None);
        assert_eq!(
            of(vec![worker(true, Some(4)), worker(true, Some(2))]),
            Some(6)
        );
        assert_eq!(
            of(vec![worker(true, Some(4)), worker(false, None)]),
            Some(4)
        );
        assert_eq!(of(vec![worker(true, Some(4)), worker(true, None)]), None);
    }

    #[test]
    fn trouble_and_missing_workers_are_complained_of() {
        let mut figures = QueueFigures {
            broker: "redis://h/".to_owned(),
            unserved: Some(Duration::from_secs(9)),
            ..QueueFigures::default()
        };
        assert_eq!(
            figures.complaint().as_deref(),
            Some("no worker takes checks off the queue at redis://h/: the oldest waits since 9.0s")
        );
        figures.workers.push(WorkerFigures {
            alive: true,
            ..WorkerFigures::default()
        });
        assert_eq!(figures.complaint(), None);
        let why = "no broker at redis://h/: connection refused".to_owned();
        figures.trouble = Some((why.clone(), Duration::from_secs(3)));
        assert!(figures.complaint().unwrap().starts_with(&why));
    }
}
