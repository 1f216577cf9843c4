//! The state of the queue between this program and its workers, for the screens and metrics.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::brief;

/// A queue and its workers, at the last update, which is at most a second old.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueueFigures {
    /// The broker's URL, without its password.
    pub broker: String,
    /// Whether this program has started the broker and the workers itself.
    pub local: bool,
    /// Why the broker cannot be used, as a sentence, and for how long; `None` if it can.
    pub trouble: Option<(String, Duration)>,
    /// Which worker discards checks as expired that are not, because of its clock, as a sentence; `None`
    /// if none does.
    pub discarding: Option<String>,
    /// Messages in the queue, those of other programs included; `None` until the broker has
    /// answered.
    pub depth: Option<u64>,
    /// Messages that workers hold, those of other programs included; `None` until the broker has
    /// answered.
    pub held: Option<u64>,
    /// Checks of this program that are not sent yet.
    pub waiting: usize,
    /// Checks of this program that were sent and have no result.
    pub outstanding: usize,
    /// Those of `outstanding` that workers hold.
    pub taken: usize,
    /// Those of `taken` that their workers have not started, where workers publish that.
    pub received: usize,
    /// How long the oldest sent check has waited for a worker; `None` if none waits.
    pub unserved: Option<Duration>,
    /// The last round trip to the broker; `None` until it has answered.
    pub round_trip: Option<Duration>,
    /// Microseconds to add to the broker's clock to get this machine's; `None` until it has
    /// answered.
    pub broker_offset_micros: Option<i64>,
    /// The workers, in the order of their node names.
    pub workers: Vec<WorkerFigures>,
    /// The hosts that ran checks within the last minute, in the order of their names.
    pub hosts: Vec<HostFigures>,
    /// Results that were counted, since the start of the paradigm.
    pub answered: u64,
    /// Messages that the broker lost and that were sent again.
    pub resent: u64,
    /// Results that were dropped, because the check had one already or was handed over.
    pub duplicates: u64,
    /// Messages that expired before a worker took them.
    pub expired: u64,
}

/// How long a check may wait for a worker before the screens say that there is none.
const UNSERVED: Duration = Duration::from_secs(5);

impl QueueFigures {
    /// How many checks the living workers can run at once; `None` if one of them does not publish
    /// its concurrency, or none is alive.
    #[must_use]
    pub fn places(&self) -> Option<usize> {
        let alive = self.workers.iter().filter(|worker| worker.alive);
        let places: Option<u64> = alive.map(|worker| worker.concurrency).sum();
        let places = usize::try_from(places?).unwrap_or(usize::MAX);
        (places > 0).then_some(places)
    }

    /// The warning to show, as one sentence: the broker cannot be used, a worker discards checks, or no
    /// worker is alive while checks wait. `None` if all is well.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        if let Some((why, since)) = &self.trouble {
            return Some(format!("{why}; trying again for {}", brief(*since)));
        }
        if let Some(discarding) = &self.discarding {
            return Some(discarding.clone());
        }
        let alive = self.workers.iter().any(|worker| worker.alive);
        let unserved = self.unserved.filter(|unserved| *unserved > UNSERVED)?;
        (!alive).then(|| {
            format!(
                "no worker takes checks off the queue at {}: the oldest has waited for {}",
                self.broker,
                brief(unserved)
            )
        })
    }
}

/// A worker, by its heartbeats.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkerFigures {
    /// Its node name, such as `celery@host`.
    pub node: String,
    /// The host part of the node name.
    pub host: String,
    /// The id of its main process.
    pub pid: u32,
    /// Whether it has not said goodbye, and has missed at most two heartbeats.
    pub alive: bool,
    /// The time since its last heartbeat.
    pub silent_for: Duration,
    /// Tasks that it runs now.
    pub active: u64,
    /// Tasks that it has run since it was started.
    pub processed: u64,
    /// Tasks that it can run at once; `None` for stock workers, which do not publish it.
    pub concurrency: Option<u64>,
    /// Its software and version: `squirrel 0.1.0`, `py-celery 5.7.0`.
    pub software: String,
}

/// A host, by the results that came from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostFigures {
    /// The host's name.
    pub host: Arc<str>,
    /// Microseconds to add to its clock to get this machine's; `None` before its first result.
    /// The results are corrected by it already.
    pub clock_offset_micros: Option<i64>,
    /// Processes that ran checks within the last minute.
    pub processes: usize,
    /// Threads that ran checks within the last minute.
    pub threads: usize,
    /// Checks that it has run since it is known.
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
            Some(
                "no worker takes checks off the queue at redis://h/: the oldest has waited for 9.0s"
            )
        );
        figures.workers.push(WorkerFigures {
            alive: true,
            ..WorkerFigures::default()
        });
        assert_eq!(figures.complaint(), None);
        figures.discarding = Some("py@stock discards checks".to_owned());
        assert_eq!(figures.complaint(), figures.discarding);
        let why = "no broker at redis://h/: connection refused".to_owned();
        figures.trouble = Some((why.clone(), Duration::from_secs(3)));
        assert!(figures.complaint().unwrap().starts_with(&why));
    }
}
