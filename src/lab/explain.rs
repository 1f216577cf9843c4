//! What was seen in a run of a toy, and why, in one or two plain sentences with its figures.

use std::time::Duration;

use crate::trace::{Doing, Means};

use super::predict::Question;
use super::{Lap, Workload, fine};

/// A machine that is busy with others makes every measurement longer; from here on that is
/// said.
const FAR: f64 = 0.15;

/// What was measured, as shares of the time that threads had.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Seen {
    /// Cores that ran jobs, on the average.
    cores: f64,
    /// Of the time of the threads that had jobs, the part spent on waiting for the lock.
    locked: f64,
    /// Time in which threads ran jobs.
    run: Duration,
}

impl Seen {
    fn of(lap: &Lap) -> Self {
        let busy =
            |doing| -> Duration { lap.records.iter().map(|record| record.busy(doing)).sum() };
        let (run, locked) = (busy(Doing::Running), busy(Doing::Locked));
        let share =
            |part: Duration, whole: Duration| part.as_secs_f64() / whole.as_secs_f64().max(1e-9);
        Self {
            cores: share(run, lap.sweep),
            locked: share(locked, run + locked),
            run,
        }
    }
}

/// Explains a traced run of a toy, next to what was predicted.
#[must_use]
pub fn explain(question: Question, lap: &Lap) -> String {
    let seen = Seen::of(lap);
    let mut text = match question.workload {
        Workload::Crunch => crunch(question, lap, seen),
        Workload::Sleep | Workload::Http => wait(question, lap, seen),
    };
    let predicted = super::predict(question).time;
    let off = lap.sweep.as_secs_f64() / predicted.as_secs_f64().max(1e-9) - 1.0;
    if off > FAR {
        text.push_str(&format!(
            " It took {:.0}% longer than predicted: something else used the machine.",
            off * 100.0
        ));
    }
    text
}

fn wait(question: Question, lap: &Lap, seen: Seen) -> String {
    let (jobs, sweep) = (question.jobs, fine(lap.sweep));
    let shape = question.shape;
    if shape.in_flight == 1 {
        return format!(
            "One at a time: the thread holds each wait to its end, so that {jobs} waits add up to \
             {sweep}, and it ran for {} of that.",
            fine(seen.run)
        );
    }
    let lock = if question.gil {
        " Whoever waits lets go of the lock, so that it changes nothing."
    } else {
        ""
    };
    if shape.threads < shape.in_flight.min(jobs) {
        let threads = shape.threads;
        return format!(
            "{jobs} tasks on {threads} {}: a task that waits lets go of its thread, so that all \
             wait at once, {sweep}.{lock}",
            if threads == 1 { "thread" } else { "threads" }
        );
    }
    if shape.processes > 1 {
        return format!(
            "Each process waits for itself, so that the waits overlap, {sweep}. Threads do the \
             same; the processes took {} to be ready.",
            fine(lap.ready)
        );
    }
    format!(
        "A thread that waits needs no core, so that the waits overlap: {sweep}, with {} of \
         running in all.{lock}",
        fine(seen.run)
    )
}

fn crunch(question: Question, lap: &Lap, seen: Seen) -> String {
    let shape = question.shape;
    let used = format!("{:.1} of {} cores used", seen.cores, question.cores);
    let lanes = shape.threads.min(shape.in_flight).min(question.jobs);
    if shape.in_flight == 1 {
        return format!("One after another: {used}, whatever the others could do.");
    }
    if lanes == 1 {
        return format!(
            "All tasks share ONE thread, and a task that computes never lets go of it: they ran \
             one after another, {used}. Many tasks help waiting, not computing."
        );
    }
    if question.gil && shape.processes == 1 {
        return format!(
            "{lanes} threads want to run and one may, the holder of the lock: {used}, {:.0}% of \
             their time spent on waiting for it, {} hand-overs. Threads are concurrent here, not \
             parallel.",
            seen.locked * 100.0,
            lap.handovers
        );
    }
    if question.gil {
        return format!(
            "Each process has a lock of its own and never waits for another's: {used}. The price \
             was {} until they were ready.",
            fine(lap.ready)
        );
    }
    format!(
        "No lock: whoever has a core computes, {used}. With more than {} at it they take turns, \
         and no more gets done.",
        question.cores
    )
}

/// What the lock would mean for checks like those that the monitor makes.
#[must_use]
pub fn proportion(checks: Option<Means>) -> String {
    let Some(means) = checks else {
        return "Real checks mostly wait, so that the lock hardly matters there.".to_owned();
    };
    let share = means.run.as_secs_f64() / means.hold.as_secs_f64().max(1e-9) * 100.0;
    let share_text = if share < 10.0 {
        format!("{share:.1}%")
    } else {
        format!("{share:.0}%")
    };
    if share < 20.0 {
        format!(
            "In proportion: real checks run for {share_text} of their time and wait for the rest, so that the lock hardly matters there."
        )
    } else {
        format!(
            "In proportion: real checks run for {share_text} of their time now, so that the lock would matter there."
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_put_in_proportion_to_what_checks_do() {
        let means = |run| Means {
            hold: Duration::from_millis(100),
            run: Duration::from_millis(run),
        };
        assert!(proportion(Some(means(3))).contains("3.0% of their time"));
        assert!(proportion(Some(means(3))).contains("hardly matters"));
        assert!(proportion(Some(means(60))).contains("would matter"));
        assert!(proportion(None).contains("mostly wait"));
    }
}
