//! Processor time and context switches of each thread, as the operating system counts them:
//! sampled from `/proc` (proc(5)). An independent view beside the trace, which includes the
//! thread's work outside of checks.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::time::Duration;

use crate::domain::{Moment, RanOn};

use super::identity::here;

/// The most threads that are sampled: each costs two small files.
const MOST: usize = 256;

/// The least size of a page of memory in bytes.
const PAGE: usize = 4_096;

/// The usage of a thread between two samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ThreadUsage {
    /// Processor time as a share of one core, 0 to 1.
    pub cpu: f32,
    /// Context switches a second, voluntary and involuntary.
    pub switches: f32,
}

#[derive(Clone, Copy, Debug)]
struct Reading {
    at: Moment,
    cpu: Duration,
    switches: u64,
}

/// The last samples of threads and processes.
#[derive(Clone, Debug, Default)]
pub struct ProcStats {
    readings: BTreeMap<(u32, u32), (Reading, Option<ThreadUsage>)>,
    /// Resident memory in bytes by process.
    memory: BTreeMap<u32, u64>,
}

impl ProcStats {
    /// Samples those of `threads` that run on this machine.
    pub fn sample(&mut self, threads: &[RanOn], now: Moment) {
        let host = here().host;
        let mut readings = BTreeMap::new();
        let mut memory = BTreeMap::new();
        let ours = threads.iter().filter(|who| who.host == host);
        for who in ours.take(MOST) {
            let key = (who.pid, who.tid);
            let Some(reading) = read(key, now) else {
                continue;
            };
            let before = self.readings.get(&key).map(|(before, _)| before);
            readings.insert(
                key,
                (reading, before.map(|before| between(before, &reading))),
            );
            if !memory.contains_key(&who.pid)
                && let Some(bytes) = resident(who.pid)
            {
                memory.insert(who.pid, bytes);
            }
        }
        self.readings = readings;
        self.memory = memory;
    }

    /// The usage of a thread between the last two samples; `None` before the second one.
    #[must_use]
    pub fn usage(&self, pid: u32, tid: u32) -> Option<ThreadUsage> {
        self.readings.get(&(pid, tid))?.1
    }

    /// The summed usage of all sampled threads of a process; `None` before the second sample.
    #[must_use]
    pub fn process_usage(&self, pid: u32) -> Option<ThreadUsage> {
        let all = self.readings.range((pid, 0)..=(pid, u32::MAX));
        let known = all.filter_map(|(_, (_, usage))| *usage);
        known.reduce(|a, b| ThreadUsage {
            cpu: a.cpu + b.cpu,
            switches: a.switches + b.switches,
        })
    }

    /// Resident memory of a process in bytes; `None` if it was not sampled.
    #[must_use]
    pub fn memory(&self, pid: u32) -> Option<u64> {
        self.memory.get(&pid).copied()
    }
}

fn between(before: &Reading, after: &Reading) -> ThreadUsage {
    let passed = after.at.since(before.at).as_secs_f32().max(1e-6);
    ThreadUsage {
        cpu: after.cpu.saturating_sub(before.cpu).as_secs_f32() / passed,
        switches: after.switches.saturating_sub(before.switches) as f32 / passed,
    }
}

fn read((pid, tid): (u32, u32), at: Moment) -> Option<Reading> {
    let folder = format!("/proc/{pid}/task/{tid}");
    // Nanoseconds on a processor; the clock ticks of `stat` are too coarse for a check.
    let mut room = [0; PAGE];
    let schedstat = text(format!("{folder}/schedstat"), &mut room)?;
    let nanos = schedstat.split_whitespace().next()?.parse().ok()?;
    let status = text(format!("{folder}/status"), &mut room)?;
    Some(Reading {
        at,
        cpu: Duration::from_nanos(nanos),
        switches: switches(status),
    })
}

/// The text of a file of `/proc`, by one call of the system where others take five: many threads are read
/// each second. The system gives no more than a page at a time, and these files are shorter.
fn text(path: String, room: &mut [u8; PAGE]) -> Option<&str> {
    let length = fs::File::open(path).ok()?.read(room).ok()?;
    std::str::from_utf8(room.get(..length)?).ok()
}

/// The sum of voluntary and involuntary switches in `/proc/PID/task/TID/status`.
fn switches(status: &str) -> u64 {
    let counts = status.lines().filter_map(|line| {
        let (name, count) = line.split_once(':')?;
        let count: u64 = count.trim().parse().ok()?;
        name.ends_with("voluntary_ctxt_switches").then_some(count)
    });
    counts.sum()
}

/// Resident memory of a process in bytes.
fn resident(pid: u32) -> Option<u64> {
    let mut room = [0; PAGE];
    let statm = text(format!("/proc/{pid}/statm"), &mut room)?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_switches_count() {
        let status = "Name:\tx\nvoluntary_ctxt_switches:\t40\nnonvoluntary_ctxt_switches:\t2\n";
        assert_eq!(switches(status), 42);
    }

    #[test]
    fn a_thread_that_computes_is_seen_to_and_another_host_is_left_alone() {
        let clock = std::time::Instant::now();
        let now = || Moment::ZERO + clock.elapsed();
        let me = here();
        let mut remote = me.clone();
        remote.host = "another".into();
        remote.pid = 1;
        let threads = [me.clone(), remote];
        let mut kernel = ProcStats::default();
        kernel.sample(&threads, now());
        if kernel.readings.is_empty() {
            // Not Linux: the columns stay empty.
            return;
        }
        assert_eq!(
            kernel.usage(me.pid, me.tid),
            None,
            "one reading says nothing"
        );
        let end = clock.elapsed() + Duration::from_millis(40);
        while clock.elapsed() < end {
            std::hint::spin_loop();
        }
        kernel.sample(&threads, now());
        let usage = kernel.usage(me.pid, me.tid).unwrap();
        assert!(usage.cpu > 0.1 && usage.cpu < 1.5, "{usage:?}");
        assert_eq!(kernel.process_usage(me.pid), Some(usage));
        assert!(kernel.memory(me.pid).unwrap() > 100_000);
        assert_eq!(kernel.memory(1), None);
    }
}
