//! What a stretch of time cost this process and its children, as the system counts it.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use nix::sys::resource::{Usage, UsageWho, getrusage};

/// What was used. `None` where the system does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ResourceUsage {
    /// Processor time of all threads, children included.
    pub(super) cpu: Option<Duration>,
    /// How often a thread was taken off a core, or left it to wait; children included.
    pub(super) switches: Option<u64>,
    /// The most memory that was resident: this process's peak, and what each child had
    /// besides the code that it shares with it.
    pub(super) peak_rss: Option<u64>,
    /// The most threads and processes that were there beyond those at the beginning, this
    /// process included.
    pub(super) threads: usize,
    pub(super) processes: usize,
}

/// Counts from when it is made. To be asked by the thread that made it, whose own work is
/// left out: it measures, and would not be there otherwise.
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
        // "5" sets the peak back to what is resident now; where that is not possible, the
        // peak is that of the whole run.
        let _not_here = fs::write("/proc/self/clear_refs", "5");
        Self {
            threads: threads("self"),
            children: children(),
            used: used(),
            cost: ResourceUsage::default(),
        }
    }

    /// Looks at what is there now: to be called before anything goes away.
    pub(super) fn sample(&mut self) {
        // Threads of a run before may take a while to end.
        let mut number = threads("self").difference(&self.threads).count();
        let mut memory = memory_of("self", "VmHWM");
        let mut processes = 1;
        for child in children().difference(&self.children) {
            let child = child.to_string();
            // One that has ended meanwhile has no threads.
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

    /// The account: to be asked when the children are gone, whose time counts only then.
    pub(super) fn stop(self) -> ResourceUsage {
        let both = self.used.zip(used());
        ResourceUsage {
            cpu: both.map(|(before, after)| after.cpu.saturating_sub(before.cpu)),
            switches: both.map(|(before, after)| after.switches.saturating_sub(before.switches)),
            ..self.cost
        }
    }
}

/// What all threads and all children that have ended have used, without the calling thread.
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

/// The number in a line of a process's status.
fn status_of(process: &str, field: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The threads of a process, by their ids.
fn threads(process: &str) -> BTreeSet<u32> {
    let tasks = fs::read_dir(format!("/proc/{process}/task"));
    let names = tasks.into_iter().flatten().flatten();
    names
        .filter_map(|task| task.file_name().to_str()?.parse().ok())
        .collect()
}

/// In bytes.
fn memory_of(process: &str, field: &str) -> Option<u64> {
    Some(status_of(process, field)? * 1_024)
}

/// The child processes of all threads of this one.
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
        // Other tests of this process may run beside this one.
        assert!(cost.threads >= 2, "{cost:?}");
        assert!(cost.processes >= 2, "{cost:?}");
        assert!(cost.peak_rss.unwrap() > 1 << 20);
        assert!(cost.switches.unwrap() > 0);
        assert!(cost.cpu.unwrap() > nothing / 4, "{cost:?} {nothing:?}");
        assert!(cost.cpu.unwrap() > Duration::from_millis(1));
    }
}
