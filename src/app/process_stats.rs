//! Processor time and memory of the program and its worker processes, from `/proc`.

use std::fs;

use crate::domain::Moment;

/// The processor time and memory of the program.
#[derive(Debug, Default)]
pub struct ProcessMeter {
    before: Option<(Moment, f64)>,
    /// Processor time since the reading before, as a share of one driver.
    pub cpu: Option<f32>,
    /// Resident memory in bytes; `None` where there is no `/proc`.
    pub rss: Option<u64>,
}

impl ProcessMeter {
    /// Takes a reading, with the worker processes if `with_workers`.
    pub fn read(&mut self, now: Moment, with_workers: bool) {
        let workers = if with_workers { workers() } else { Vec::new() };
        self.rss = resident("self").map(|own| {
            let theirs = workers.iter().filter_map(|pid| private(pid));
            own + theirs.sum::<u64>()
        });
        let used = processor_seconds("self").map(|own| {
            let theirs = workers.iter().filter_map(|pid| processor_seconds(pid));
            own + theirs.sum::<f64>()
        });
        if let (Some((then, before)), Some(used)) = (self.before, used) {
            let passed = now.since(then).as_secs_f64();
            if passed > 0.0 {
                // It may be less than before: the time of a worker is lost while it ends.
                self.cpu = Some(((used - before).max(0.0) / passed) as f32);
            }
        }
        self.before = used.map(|used| (now, used));
    }
}

/// The ids of the worker processes: the children of all threads but the main one, whose child is
/// the process of the demo sites.
fn workers() -> Vec<String> {
    let Ok(threads) = fs::read_dir("/proc/self/task") else {
        return Vec::new();
    };
    let main = std::process::id().to_string();
    threads
        .filter_map(|thread| {
            let thread = thread.ok()?;
            let children = fs::read_to_string(thread.path().join("children")).ok()?;
            (*thread.file_name() != *main).then_some(children)
        })
        .flat_map(|children| {
            let pids: Vec<String> = children.split_whitespace().map(str::to_owned).collect();
            pids
        })
        .collect()
}

/// These fields of `/proc/<process>/statm`, in bytes (proc_pid_statm(5)).
fn pages(process: &str, fields: &[usize]) -> Option<Vec<u64>> {
    let statm = fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    let all: Vec<&str> = statm.split_whitespace().collect();
    let size = rustix::param::page_size() as u64;
    fields
        .iter()
        .map(|field| Some(all.get(*field)?.parse::<u64>().ok()? * size))
        .collect()
}

fn resident(process: &str) -> Option<u64> {
    pages(process, &[1])?.first().copied()
}

/// Resident memory of a process in bytes, without the pages that it shares with others.
fn private(process: &str) -> Option<u64> {
    match pages(process, &[1, 2])?[..] {
        [resident, shared] => Some(resident.saturating_sub(shared)),
        _ => None,
    }
}

/// Processor time in seconds of a process and its children that have ended (proc_pid_stat(5)).
fn processor_seconds(process: &str) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in parentheses may hold blanks; field 3 is the first behind it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields
        .get(11..15)?
        .iter()
        .map(|field| field.parse::<u64>().ok())
        .sum::<Option<u64>>()?;
    Some(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn this_process_has_memory_and_has_used_the_processor() {
        let mut meter = ProcessMeter::default();
        meter.read(Moment::ZERO, false);
        assert_eq!(meter.cpu, None);
        meter.read(Moment::ZERO + Duration::from_secs(1), false);
        if std::path::Path::new("/proc/self/stat").exists() {
            assert!(meter.rss.is_some_and(|bytes| bytes > 100_000));
            assert!(meter.cpu.is_some_and(|share| share >= 0.0));
        }
    }

    #[test]
    fn the_children_of_another_thread_count_while_they_live_and_afterwards() {
        if !std::path::Path::new("/proc/thread-self/children").exists() {
            return;
        }
        let mut meter = ProcessMeter::default();
        meter.read(Moment::ZERO, true);
        let before = meter.before.unwrap().1;
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let busy = "n=0; while [ $n -lt 300000 ]; do n=$((n+1)); done; echo; exec cat";
            let mut child = std::process::Command::new("sh")
                .args(["-c", busy])
                .stdin(std::process::Stdio::piped())
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap();
            // It has worked when it says so, and then waits for its input to end.
            let mut said = [0];
            let output = child.stdout.as_mut().unwrap();
            std::io::Read::read_exact(output, &mut said).unwrap();
            tell.send(child.id()).unwrap();
            wait.recv().unwrap();
            drop(child.stdin.take());
            child.wait().unwrap();
        });
        let pid = told.recv().unwrap().to_string();
        assert!(workers().contains(&pid));
        assert!(private(&pid).is_some_and(|bytes| bytes > 0));
        let theirs = processor_seconds(&pid).unwrap();
        assert!(theirs > 0.0);
        meter.read(Moment::ZERO + Duration::from_secs(1), true);
        let living = meter.before.unwrap().1;
        assert!(
            living >= before + theirs - 0.011,
            "{before} {theirs} {living}"
        );
        go.send(()).unwrap();
        thread.join().unwrap();
        meter.read(Moment::ZERO + Duration::from_secs(2), true);
        assert!(!workers().contains(&pid));
        let afterwards = meter.before.unwrap().1;
        assert!(afterwards >= living - 0.011, "{living} {afterwards}");
    }
}
