//! The registry of workers and hosts: heartbeats, numbers of tasks, and the offsets of their
//! clocks. Pure.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{Moment, RanOn, Timestamp};
use crate::paradigm::{HostFigures, WorkerFigures};

use super::event::Heartbeat;
use super::timestamps;

/// The most workers, the most hosts, and the most threads of a host; others are not registered.
const MAX_ENTRIES: usize = 1_000;

/// How long a worker, or a thread that ran a check, is remembered.
const RECENT_WINDOW: Duration = Duration::from_secs(60);

/// Readings of a clock over which the offset is taken.
const MAX_READINGS: usize = 64;

/// The offset of another machine's clock, from messages with the time of sending. Every reading
/// is too large by the time of transport, so the smallest is the best.
#[derive(Debug, Default)]
struct ClockOffset {
    readings: VecDeque<i64>,
}

impl ClockOffset {
    fn read(&mut self, sent: Timestamp, arrived: Timestamp) {
        if self.readings.len() == MAX_READINGS {
            self.readings.pop_front();
        }
        self.readings
            .push_back(arrived.as_micros().saturating_sub(sent.as_micros()));
    }

    /// Microseconds to add to the other clock to get this machine's; `None` without a reading.
    fn micros(&self) -> Option<i64> {
        self.readings.iter().min().copied()
    }
}

#[derive(Debug)]
struct RegisteredWorker {
    beat: Heartbeat,
    offset: ClockOffset,
    seen: Moment,
    gone: bool,
}

impl RegisteredWorker {
    fn is_alive(&self, now: Moment) -> bool {
        // Two heartbeats may be missed.
        let period = self.beat.freq.clamp(0.5, 60.0);
        !self.gone && now.since(self.seen).as_secs_f64() < 2.25 * period
    }
}

#[derive(Debug, Default)]
struct RegisteredHost {
    offset: ClockOffset,
    threads: BTreeMap<(u32, u32), (Arc<str>, Moment)>,
    checks: u64,
}

/// All workers, and the hosts that ran checks.
#[derive(Debug, Default)]
pub(super) struct WorkerRegistry {
    /// By node name and main process: workers may be called alike.
    workers: BTreeMap<(String, u32), RegisteredWorker>,
    hosts: BTreeMap<Arc<str>, RegisteredHost>,
}

/// The host part of a node name.
pub(super) fn host_of(node: &str) -> &str {
    node.split_once('@').map_or(node, |(_, host)| host)
}

impl WorkerRegistry {
    /// Takes a heartbeat, or the event of a worker's start or end.
    pub(super) fn beat(&mut self, beat: Heartbeat, now: Moment, wall: Timestamp) {
        let key = (beat.hostname.clone(), beat.pid);
        if self.workers.len() >= MAX_ENTRIES && !self.workers.contains_key(&key) {
            return;
        }
        let known = self.workers.remove(&key);
        let mut offset = known.map(|known| known.offset).unwrap_or_default();
        if let Some(sent) = timestamps::from_seconds(beat.timestamp) {
            offset.read(sent, wall);
            if let Some(host) = self.host(host_of(&beat.hostname).into()) {
                host.offset.read(sent, wall);
            }
        }
        let gone = &*beat.kind == "worker-offline";
        let worker = RegisteredWorker {
            gone,
            seen: now,
            offset,
            beat,
        };
        self.workers.insert(key, worker);
    }

    /// The living worker whose clock is ahead the most, and by how much.
    pub(super) fn fastest_clock(&self, now: Moment) -> Option<(&str, Duration)> {
        let alive = self.workers.values().filter(|worker| worker.is_alive(now));
        let ahead = alive.filter_map(|worker| {
            let ahead = worker.offset.micros()?.checked_neg()?;
            let ahead = Duration::from_micros(u64::try_from(ahead).ok()?);
            Some((&*worker.beat.hostname, ahead))
        });
        ahead.max_by_key(|(_, ahead)| *ahead)
    }

    /// Whether there is a living worker whose clock is ahead by less than `tolerated`.
    pub(super) fn has_worker_in_time(&self, now: Moment, tolerated: Duration) -> bool {
        let tolerated = i64::try_from(tolerated.as_micros()).unwrap_or(i64::MAX);
        let mut alive = self.workers.values().filter(|worker| worker.is_alive(now));
        alive.any(|worker| worker.offset.micros().is_some_and(|ours| ours > -tolerated))
    }

    fn host(&mut self, name: Arc<str>) -> Option<&mut RegisteredHost> {
        if self.hosts.len() >= MAX_ENTRIES && !self.hosts.contains_key(&name) {
            return None;
        }
        Some(self.hosts.entry(name).or_default())
    }

    /// Counts a check whose result was stored at `done` by the clock of its host. Returns the
    /// microseconds to add to that clock to get this machine's.
    pub(super) fn ran(
        &mut self,
        on: &RanOn,
        done: Option<Timestamp>,
        now: Moment,
        wall: Timestamp,
    ) -> i64 {
        let offset = self.began(on, done, now, wall);
        if let Some(host) = self.hosts.get_mut(&on.host) {
            host.checks += 1;
        }
        offset
    }

    /// Takes the start of a check at `at` by the clock of its host. Returns the microseconds to
    /// add to that clock to get this machine's.
    pub(super) fn began(
        &mut self,
        on: &RanOn,
        at: Option<Timestamp>,
        now: Moment,
        wall: Timestamp,
    ) -> i64 {
        let Some(host) = self.host(Arc::clone(&on.host)) else {
            return 0;
        };
        if host.threads.len() < MAX_ENTRIES || host.threads.contains_key(&(on.pid, on.tid)) {
            let thread = (Arc::clone(&on.thread), now);
            host.threads.insert((on.pid, on.tid), thread);
        }
        if let Some(at) = at {
            host.offset.read(at, wall);
        }
        host.offset.micros().unwrap_or(0)
    }

    /// The workers that are lost, by host and main process.
    pub(super) fn gone(&self, now: Moment) -> Vec<(&str, u32)> {
        let gone = self.workers.values().filter(|worker| !worker.is_alive(now));
        gone.map(|worker| (host_of(&worker.beat.hostname), worker.beat.pid))
            .collect()
    }

    /// Removes workers, threads and hosts that were silent for a minute.
    pub(super) fn tidy(&mut self, now: Moment) {
        self.workers
            .retain(|_, worker| now.since(worker.seen) < RECENT_WINDOW);
        for host in self.hosts.values_mut() {
            host.threads
                .retain(|_, (_, seen)| now.since(*seen) < RECENT_WINDOW);
        }
        self.hosts.retain(|name, host| {
            !host.threads.is_empty()
                || self
                    .workers
                    .keys()
                    .any(|(node, _)| host_of(node) == &**name)
        });
    }

    /// The name of a worker; with its process id if others are called the same.
    fn shown_name(&self, worker: &RegisteredWorker) -> String {
        let name = &worker.beat.hostname;
        let shown = crate::domain::clean(name, 64);
        let alike = self.workers.keys().filter(|(node, _)| node == name).count();
        if alike > 1 {
            format!("{shown} ({})", worker.beat.pid)
        } else {
            shown
        }
    }

    pub(super) fn workers(&self, now: Moment) -> Vec<WorkerFigures> {
        self.workers
            .values()
            .map(|worker| WorkerFigures {
                node: self.shown_name(worker),
                host: crate::domain::clean(host_of(&worker.beat.hostname), 64),
                pid: worker.beat.pid,
                alive: worker.is_alive(now),
                silent_for: now.since(worker.seen),
                active: worker.beat.active,
                processed: worker.beat.processed,
                concurrency: worker.beat.concurrency,
                software: crate::domain::clean(
                    &format!("{} {}", worker.beat.sw_ident, worker.beat.sw_ver),
                    40,
                ),
            })
            .collect()
    }

    pub(super) fn hosts(&self) -> Vec<HostFigures> {
        self.hosts
            .iter()
            .map(|(name, host)| {
                let mut pids: Vec<u32> = host.threads.keys().map(|(pid, _)| *pid).collect();
                pids.dedup();
                HostFigures {
                    host: Arc::clone(name),
                    clock_offset_micros: host.offset.micros(),
                    processes: pids.len(),
                    threads: host.threads.len(),
                    checks: host.checks,
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Moment {
        Moment::from_nanos(millis * 1_000_000)
    }

    fn beat(kind: &str, sent: f64) -> Heartbeat {
        Heartbeat {
            kind: kind.into(),
            hostname: "celery@far".into(),
            freq: 2.0,
            timestamp: sent,
            ..Heartbeat::default()
        }
    }

    fn on(pid: u32, tid: u32) -> RanOn {
        RanOn {
            host: "far".into(),
            pid,
            tid,
            thread: "t".into(),
        }
    }

    #[test]
    fn a_worker_that_falls_silent_is_seen_within_five_seconds() {
        let mut registry = WorkerRegistry::default();
        let wall = Timestamp::from_micros(10_000_000);
        registry.beat(beat("worker-heartbeat", 10.0), at(0), wall);
        assert!(registry.workers(at(4_400))[0].alive);
        assert!(!registry.workers(at(4_600))[0].alive);
        registry.beat(beat("worker-online", 15.0), at(5_000), wall);
        assert!(registry.workers(at(5_000))[0].alive);
        registry.beat(beat("worker-offline", 15.0), at(5_001), wall);
        assert!(!registry.workers(at(5_001))[0].alive);
        registry.tidy(at(70_000));
        assert!(registry.workers(at(70_000)).is_empty());
        assert!(registry.hosts().is_empty());
    }

    #[test]
    fn workers_that_are_called_alike_are_told_apart() {
        let mut registry = WorkerRegistry::default();
        let wall = Timestamp::from_micros(10_000_000);
        let twin = |pid| Heartbeat {
            pid,
            ..beat("worker-heartbeat", 10.0)
        };
        registry.beat(twin(1), at(0), wall);
        assert_eq!(registry.workers(at(0))[0].node, "celery@far");
        registry.beat(twin(2), at(0), wall);
        registry.beat(twin(2), at(4_000), wall);
        let workers = registry.workers(at(5_000));
        let seen: Vec<_> = workers.iter().map(|one| (&*one.node, one.alive)).collect();
        assert_eq!(seen, [("celery@far (1)", false), ("celery@far (2)", true)]);
        assert_eq!(registry.gone(at(5_000)), [("far", 1)]);
    }

    #[test]
    fn the_worker_whose_clock_is_ahead_is_found() {
        let mut registry = WorkerRegistry::default();
        let wall = Timestamp::from_micros(10_000_000);
        registry.beat(beat("worker-heartbeat", 9.0), at(0), wall);
        assert_eq!(registry.fastest_clock(at(0)), None);
        let fast = Heartbeat {
            hostname: "py@fast".into(),
            ..beat("worker-heartbeat", 610.0)
        };
        registry.beat(fast, at(0), wall);
        let found = Some(("py@fast", Duration::from_secs(600)));
        assert_eq!(registry.fastest_clock(at(0)), found);
        let in_time = |seconds| registry.has_worker_in_time(at(0), Duration::from_secs(seconds));
        assert!(in_time(100));
        registry.beat(beat("worker-offline", 9.0), at(0), wall);
        let in_time = |seconds| registry.has_worker_in_time(at(0), Duration::from_secs(seconds));
        assert!(!in_time(100) && in_time(601));
        assert_eq!(registry.fastest_clock(at(10_000)), None);
    }

    #[test]
    fn the_quickest_message_tells_most_of_a_clock() {
        let mut registry = WorkerRegistry::default();
        let micros = Timestamp::from_micros;
        // Its clock is 5 seconds behind ours; messages take 1 to 40 ms.
        for (sent, arrived) in [(1_000_000, 6_040_000), (2_000_000, 7_001_000)] {
            registry.ran(&on(1, 1), Some(micros(sent)), at(0), micros(arrived));
        }
        let offset = registry.ran(&on(1, 2), Some(micros(3_000_000)), at(0), micros(8_020_000));
        assert_eq!(offset, 5_001_000);
        let hosts = registry.hosts();
        assert_eq!(hosts[0].clock_offset_micros, Some(5_001_000));
        assert_eq!(
            (hosts[0].processes, hosts[0].threads, hosts[0].checks),
            (1, 2, 3)
        );
    }
}
