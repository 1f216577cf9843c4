//! Explains the measurements of a run of sleeps or crunches in one or two sentences.

use std::time::Duration;

use crate::domain::plural;
use crate::trace::{MeanTimes, SliceKind};

use super::predict::RunParameters;
use super::{TimedRun, Workload, fine};

/// Measurements of a run, summed over its threads.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Seen {
    /// The mean number of cores that ran jobs.
    cores: f64,
    /// The share, from 0 to 1, of the threads' busy time that they waited for the lock.
    locked: f64,
    /// The time that threads ran jobs.
    run: Duration,
}

impl Seen {
    fn of(timed_run: &TimedRun, cores: usize) -> Self {
        let busy = |doing| -> Duration {
            timed_run
                .records
                .iter()
                .map(|record| record.busy(doing))
                .sum()
        };
        let (run, locked) = (busy(SliceKind::Running), busy(SliceKind::Locked));
        let share =
            |part: Duration, whole: Duration| part.as_secs_f64() / whole.as_secs_f64().max(1e-9);
        Self {
            // As the system counts it: the trace cannot tell running from waiting for a core.
            cores: share(timed_run.cpu.unwrap_or(run), timed_run.sweep).min(cores as f64),
            locked: share(locked, run + locked),
            run,
        }
    }
}

/// Explains a traced run of sleeps or crunches in at most 156 characters, which are two lines of
/// a screen of 80 cells.
#[must_use]
pub fn explain(parameters: RunParameters, timed_run: &TimedRun) -> String {
    let seen = Seen::of(timed_run, parameters.cores);
    match parameters.workload {
        Workload::Crunch => crunch(parameters, timed_run, seen),
        Workload::Sleep | Workload::Http => wait(parameters, timed_run, seen),
    }
}

fn wait(parameters: RunParameters, timed_run: &TimedRun, seen: Seen) -> String {
    let (jobs, sweep) = (parameters.jobs, fine(timed_run.sweep));
    let shape = parameters.shape;
    if shape.in_flight == 1 {
        return format!(
            "One at a time: each wait is held to its end, and they add up: {sweep} for {}. It ran \
             for {} of that.",
            plural(jobs, "wait"),
            fine(seen.run)
        );
    }
    let lock = if parameters.gil {
        " Waiting releases the lock."
    } else {
        ""
    };
    if shape.threads < shape.in_flight.min(jobs) {
        let threads = shape.threads;
        return format!(
            "{} on {}: a task that waits frees its thread, and all wait at once: {sweep}.{lock}",
            plural(jobs, "task"),
            plural(threads, "thread")
        );
    }
    if shape.processes > 1 {
        return format!(
            "Each process waits on its own, and the waits overlap: {sweep}. Threads do the same for \
             less: these processes took {} to start.",
            fine(timed_run.ready)
        );
    }
    format!(
        "A thread that waits needs no core, and the waits overlap: {sweep}, of which they ran {}.\
         {lock}",
        fine(seen.run)
    )
}

fn crunch(parameters: RunParameters, timed_run: &TimedRun, seen: Seen) -> String {
    let shape = parameters.shape;
    let used = format!(
        "{:.1} of {} used",
        seen.cores,
        plural(parameters.cores, "core")
    );
    let lanes = shape.threads.min(shape.in_flight).min(parameters.jobs);
    if shape.in_flight == 1 {
        return format!("One after another: {used}, whatever the others could do.");
    }
    if lanes == 1 {
        return format!(
            "All share ONE thread, and a task that computes never frees it: one after another, \
             {used}. Tasks help waiting, not computing."
        );
    }
    if parameters.gil && shape.processes == 1 {
        return format!(
            "{} want to run, one may: the holder of the lock. {used}, {:.0}% of their time lost to \
             it, {}: concurrent, not parallel.",
            plural(lanes, "thread"),
            seen.locked * 100.0,
            plural(timed_run.handovers, "hand-over")
        );
    }
    if shape.processes > 1 {
        let lock = if parameters.gil {
            "Each process has a lock of its own and waits for no other"
        } else {
            "Processes compute in parallel, as threads do without a lock"
        };
        return format!(
            "{lock}: {used}. The price: {} until they were ready.",
            fine(timed_run.ready)
        );
    }
    if lanes > parameters.cores {
        return format!(
            "No lock: each thread on a core computes. {used}: {} take turns, and more would get no \
             more done.",
            plural(lanes, "thread")
        );
    }
    format!("No lock: each thread on a core computes. {used}.")
}

/// A sentence on what the lock would mean for the monitor's own checks, of the measured mean
/// times `checks`; `None` where none were measured.
#[must_use]
pub fn proportion(checks: Option<MeanTimes>) -> String {
    let Some(means) = checks else {
        return "In proportion: real checks mostly wait, and this lock hardly matters.".to_owned();
    };
    let share = means.run.as_secs_f64() / means.hold.as_secs_f64().max(1e-9) * 100.0;
    let matters = if share < 20.0 {
        "hardly matters"
    } else {
        "would matter"
    };
    let share = match share {
        0.0..10.0 => format!("{share:.1}"),
        _ => format!("{share:.0}"),
    };
    format!("In proportion: real checks run {share}% of their time: this lock {matters}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_put_in_proportion_to_what_checks_do() {
        let means = |run| MeanTimes {
            hold: Duration::from_millis(100),
            run: Duration::from_millis(run),
        };
        assert!(proportion(Some(means(3))).contains("run 3.0% of their time"));
        assert!(proportion(Some(means(3))).contains("hardly matters"));
        assert!(proportion(Some(means(60))).contains("would matter"));
        assert!(proportion(None).contains("mostly wait"));
    }
}
