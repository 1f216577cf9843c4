//! Measures the resources that this process and its children use, as the system counts them.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use nix::sys::resource::{Usage, UsageWho, getrusage};

/// The resources used between start and stop. `None` where the system does not count them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ResourceUsage {
    /// Processor time of all threads, children included.
    pub(super) cpu: Option<Duration>,
    /// Context switches, voluntary and involuntary, children included; getrusage(2).
    pub(super) switches: Option<u64>,
    /// Peak resident memory in bytes: the peak of this process (VmHWM) and the private memory
    /// of each child (RssAnon), see proc(5).
    pub(super) peak_rss: Option<u64>,
    /// The maximum number of threads beyond those at the start.
    pub(super) threads: usize,
    /// The maximum number of processes: this one, and children beyond those at the start.
    pub(super) processes: usize,
}

/// Measures from [`start`](Self::start) to [`stop`](Self::stop). All methods are to be called by
/// the same thread, whose own usage is left out, since it only measures.
#[derive(Debug)]
pub(super) struct ResourceMeter {
    used: Option<Used>,
    threads: BTreeSet<u32>,
    children: BTreeSet<u32>,
    cost: ResourceUsage,
}

#[derive(Clone, Copy, Debug)]
struct Used {
    cpu: Duration,
    switches: u64,
}

impl ResourceMeter {
    pub(super) fn start() -> Self {
        // "5" resets the peak to what is resident now, see proc(5). Where that is refused, the
        // peak is that of the whole process so far.
        let _not_here = fs::write("/proc/self/clear_refs", "5");
        Self {
            threads: threads("self"),
            children: children(),
            used: used(),
            cost: ResourceUsage::default(),
        }
    }

    /// Samples threads, processes and memory; to be called before any of them end.
    pub(super) fn sample(&mut self) {
        // Threads of the run before may still be ending.
        let mut number = threads("self").difference(&self.threads).count();
        let mut memory = memory_of("self", "VmHWM");
        let mut processes = 1;
        for child in children().difference(&self.children) {
            let child = child.to_string();
            // A child that has ended has no threads.
            let its = threads(&child).len();
            if its == 0 {
                continue;
            }
            number += its;
            processes += 1;
            let more = memory_of(&child, "RssAnon").unwrap_or(0);
            memory = memory.map(|memory| memory + more);
        }
        self.cost.threads = self.cost.threads.max(number);
        self.cost.processes = self.cost.processes.max(processes);
        self.cost.peak_rss = self.cost.peak_rss.max(memory);
    }

    /// Ends the measurement; to be called once the children were waited for, because the system
    /// counts their usage only then.
    pub(super) fn stop(self) -> ResourceUsage {
        let both = self.used.zip(used());
        ResourceUsage {
            cpu: both.map(|(before, after)| after.cpu.saturating_sub(before.cpu)),
            switches: both.map(|(before, after)| after.switches.saturating_sub(before.switches)),
            ..self.cost
        }
    }
}

/// The usage of all threads but the calling one, and of children that were waited for.
fn used() -> Option<Used> {
    let own = of(UsageWho::RUSAGE_SELF)?;
    let children = of(UsageWho::RUSAGE_CHILDREN)?;
    let thread = calling_thread().unwrap_or(Used {
        cpu: Duration::ZERO,
        switches: 0,
    });
    Some(Used {
        cpu: (own.cpu + children.cpu).saturating_sub(thread.cpu),
        switches: (own.switches + children.switches).saturating_sub(thread.switches),
    })
}

fn of(who: UsageWho) -> Option<Used> {
    getrusage(who).ok().map(count)
}

#[cfg(target_os = "linux")]
fn calling_thread() -> Option<Used> {
    of(UsageWho::RUSAGE_THREAD)
}

#[cfg(not(target_os = "linux"))]
const fn calling_thread() -> Option<Used> {
    None
}

fn count(usage: Usage) -> Used {
    let [user, system] = [usage.user_time(), usage.system_time()].map(|time| {
        let seconds = u64::try_from(time.tv_sec()).unwrap_or_default();
        let micros = u32::try_from(time.tv_usec()).unwrap_or_default();
        Duration::new(seconds, micros.saturating_mul(1_000))
    });
    let switches = usage.voluntary_context_switches() + usage.involuntary_context_switches();
    Used {
        cpu: user + system,
        switches: u64::try_from(switches).unwrap_or_default(),
    }
}

/// The number of a field in a process's /proc status; `None` if it cannot be read.
fn status_of(process: &str, field: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The ids of a process's threads; empty if it has ended.
fn threads(process: &str) -> BTreeSet<u32> {
    let tasks = fs::read_dir(format!("/proc/{process}/task"));
    let names = tasks.into_iter().flatten().flatten();
    names
        .filter_map(|task| task.file_name().to_str()?.parse().ok())
        .collect()
}

/// A field of memory in a process's status, in bytes.
fn memory_of(process: &str, field: &str) -> Option<u64> {
    Some(status_of(process, field)? * 1_024)
}

/// The ids of this process's children.
fn children() -> BTreeSet<u32> {
    let Ok(tasks) = fs::read_dir("/proc/self/task") else {
        return BTreeSet::new();
    };
    tasks
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|list| {
            let pids = list.split_whitespace().map(str::parse);
            pids.flatten().collect::<Vec<u32>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn other_threads_and_children_are_counted_and_the_measuring_thread_is_not() {
        let mut meter = ResourceMeter::start();
        let spin = |rounds: u64| (0..rounds).fold(1_u64, |a, b| std::hint::black_box(a ^ b));
        std::hint::black_box(spin(3_000_000));
        let own = ResourceMeter::start();
        std::hint::black_box(spin(30_000_000));
        let nothing = own.stop().cpu.unwrap();
        let (ready, wait) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::hint::black_box(spin(30_000_000));
                ready.wait();
                wait.wait();
            });
            let mut child = Command::new("sleep")
                .arg("60")
                .stdin(Stdio::null())
                .spawn()
                .unwrap();
            ready.wait();
            meter.sample();
            child.kill().unwrap();
            child.wait().unwrap();
            wait.wait();
        });
        let cost = meter.stop();
        // Other tests may run in this process at the same time.
        assert!(cost.threads >= 2, "{cost:?}");
        assert!(cost.processes >= 2, "{cost:?}");
        assert!(cost.peak_rss.unwrap() > 1 << 20);
        assert!(cost.switches.unwrap() > 0);
        assert!(cost.cpu.unwrap() > nothing / 4, "{cost:?} {nothing:?}");
        assert!(cost.cpu.unwrap() > Duration::from_millis(1));
    }
}
