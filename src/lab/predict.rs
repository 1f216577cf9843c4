//! Predicts the duration of a run of sleeps or crunches from the shape of the paradigm alone.

use std::fmt;
use std::time::Duration;

use crate::paradigm::Shape;

use super::{Workload, fine};

/// The parameters that determine a run's duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunParameters {
    /// What each job does.
    pub workload: Workload,
    /// Checks in flight, threads and processes of the paradigm.
    pub shape: Shape,
    /// Whether threads have to hold the interpreter lock of their process while they run.
    pub gil: bool,
    /// The number of jobs.
    pub jobs: usize,
    /// The duration of one job alone.
    pub length: Duration,
    /// The machine's number of cores.
    pub cores: usize,
}

/// The predicted duration of a run, and the formula.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prediction {
    /// The time from when all jobs are due to the end of the last one.
    pub time: Duration,
    /// The formula, with its numbers: "4 x 1.00s ÷ 2 cores".
    pub formula: String,
}

impl fmt::Display for Prediction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.formula, fine(self.time))
    }
}

/// The resource that limits how many jobs progress at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    Jobs,
    Workers(usize),
    Threads(usize),
    Locks(usize),
    Cores(usize),
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, one, many) = match *self {
            Self::Jobs => return f.write_str("as many at once"),
            Self::Workers(number) => (number, "at a time", "at a time"),
            Self::Threads(number) => (number, "thread", "threads"),
            Self::Locks(number) => (number, "lock", "locks"),
            Self::Cores(number) => (number, "core", "cores"),
        };
        write!(f, "{number} {}", if number == 1 { one } else { many })
    }
}

/// Predicts the duration of a run.
///
/// A waiting job needs a worker only: `jobs ÷ workers` rounds. A computing job needs a thread, a
/// core and, with the lock on, the lock of its process; the scarcest of them is the limit. Real
/// checks are predicted as waiting.
#[must_use]
pub fn predict(parameters: RunParameters) -> Prediction {
    let RunParameters {
        shape, jobs, cores, ..
    } = parameters;
    let jobs = jobs.max(1);
    let at_once = shape.in_flight.clamp(1, jobs);
    if parameters.workload != Workload::Crunch {
        let bound = if at_once == jobs && jobs > 1 {
            Bound::Jobs
        } else {
            Bound::Workers(at_once)
        };
        return answer(parameters, jobs.div_ceil(at_once) as f64, bound);
    }
    let lanes = shape.threads.clamp(1, at_once);
    let locks = if parameters.gil {
        shape.processes.max(1)
    } else {
        usize::MAX
    };
    let cores = cores.max(1);
    let parallel = lanes.min(locks).min(cores);
    let bound = match parallel {
        _ if shape.in_flight == 1 => Bound::Workers(1),
        1 if lanes == 1 => Bound::Threads(1),
        _ if parallel == locks => Bound::Locks(locks),
        _ if parallel == cores => Bound::Cores(cores),
        _ => Bound::Threads(lanes),
    };
    // The jobs of a wave, as many as there are lanes, take turns on the shared resource.
    let wave = |jobs: usize| (jobs as f64 / parallel as f64).max(1.0);
    let full = (jobs / lanes) as f64 * wave(lanes);
    let rest = match jobs % lanes {
        0 => 0.0,
        rest => wave(rest),
    };
    answer(parameters, full + rest, bound)
}

fn answer(parameters: RunParameters, lengths: f64, bound: Bound) -> Prediction {
    Prediction {
        time: parameters.length.mul_f64(lengths),
        formula: format!(
            "{} x {} ÷ {bound}",
            parameters.jobs.max(1),
            fine(parameters.length)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paradigm::{ALL, position};

    fn time(workload: Workload, paradigm: &str, gil: bool, workers: usize) -> (u128, String) {
        let shape = (ALL[position(paradigm).unwrap()].shape)(workers);
        // Two cores, independent of the machine that runs the test.
        let threads = if paradigm == "async" {
            2
        } else {
            shape.threads
        };
        let prediction = predict(RunParameters {
            workload,
            shape: Shape { threads, ..shape },
            gil,
            jobs: 4,
            length: Duration::from_secs(1),
            cores: 2,
        });
        (prediction.time.as_millis(), prediction.to_string())
    }

    #[test]
    fn sleeping_overlaps_wherever_several_may_wait_lock_or_no_lock() {
        for gil in [false, true] {
            assert_eq!(time(Workload::Sleep, "serial", gil, 4).0, 4_000);
            for paradigm in ["threads", "futures", "processes", "green", "async"] {
                assert_eq!(
                    time(Workload::Sleep, paradigm, gil, 4).0,
                    1_000,
                    "{paradigm}"
                );
            }
            assert_eq!(time(Workload::Sleep, "threads", gil, 3).0, 2_000);
        }
        assert_eq!(
            time(Workload::Sleep, "serial", false, 1).1,
            "4 x 1.00s ÷ 1 at a time = 4.00s"
        );
        assert_eq!(
            time(Workload::Sleep, "green", false, 4).1,
            "4 x 1.00s ÷ as many at once = 1.00s"
        );
    }

    #[test]
    fn crunching_is_bounded_by_threads_locks_and_cores() {
        for (paradigm, gil, millis, formula) in [
            ("serial", false, 4_000, "4 x 1.00s ÷ 1 at a time = 4.00s"),
            ("threads", true, 4_000, "4 x 1.00s ÷ 1 lock = 4.00s"),
            ("threads", false, 2_000, "4 x 1.00s ÷ 2 cores = 2.00s"),
            ("futures", true, 4_000, "4 x 1.00s ÷ 1 lock = 4.00s"),
            ("processes", true, 2_000, "4 x 1.00s ÷ 2 cores = 2.00s"),
            ("processes", false, 2_000, "4 x 1.00s ÷ 2 cores = 2.00s"),
            ("green", true, 4_000, "4 x 1.00s ÷ 1 thread = 4.00s"),
            ("green", false, 4_000, "4 x 1.00s ÷ 1 thread = 4.00s"),
            ("async", true, 4_000, "4 x 1.00s ÷ 1 lock = 4.00s"),
            ("async", false, 2_000, "4 x 1.00s ÷ 2 cores = 2.00s"),
        ] {
            let predicted = time(Workload::Crunch, paradigm, gil, 4);
            assert_eq!(predicted, (millis, formula.to_owned()), "{paradigm} {gil}");
        }
    }

    #[test]
    fn rounds_that_are_not_full_count_as_they_are() {
        let shape = Shape {
            in_flight: 3,
            threads: 3,
            processes: 1,
        };
        let parameters = RunParameters {
            workload: Workload::Crunch,
            shape,
            gil: false,
            jobs: 4,
            length: Duration::from_secs(2),
            cores: 2,
        };
        // Three share two cores, then one is alone.
        assert_eq!(predict(parameters).time, Duration::from_secs(5));
    }
}
