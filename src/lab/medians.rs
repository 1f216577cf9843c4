//! The figures of a paradigm over several runs: medians, which outliers move least.

use std::time::Duration;

use super::TimedRun;

/// The medians of a paradigm's runs; threads and processes are the maximum of all runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Medians {
    /// The time from when all jobs were due to the end of the last one.
    pub sweep: Duration,
    /// The time from the start of the paradigm until its workers were ready.
    pub ready: Duration,
    /// Jobs per second.
    pub per_second: f64,
    /// The 95th percentile of the jobs' lateness, over all runs.
    pub late_p95: Duration,
    /// The maximum number of threads.
    pub threads: usize,
    /// The maximum number of processes, this one included.
    pub processes: usize,
    /// Processor time, children included; `None` where the system does not count it.
    pub cpu: Option<Duration>,
    /// Context switches, children included; `None` where the system does not count them.
    pub switches: Option<u64>,
    /// Peak resident memory in bytes; `None` where the system does not count it.
    pub peak_rss: Option<u64>,
    /// Of the slowest job of each run, the fastest: its index in the list of jobs and its time.
    pub slowest: (usize, Duration),
}

impl Medians {
    /// The medians of `timed_runs`; `None` if there are none.
    #[must_use]
    pub fn of(timed_runs: &[TimedRun]) -> Option<Self> {
        let first = timed_runs.first()?;
        let sweep = median(timed_runs.iter().map(|timed_run| timed_run.sweep))?;
        let late = timed_runs
            .iter()
            .flat_map(|timed_run| timed_run.late.iter().copied());
        Some(Self {
            sweep,
            ready: median(timed_runs.iter().map(|timed_run| timed_run.ready))?,
            per_second: first.late.len() as f64 / sweep.as_secs_f64().max(1e-9),
            late_p95: p95(late.collect()),
            threads: timed_runs
                .iter()
                .map(|timed_run| timed_run.threads)
                .max()
                .unwrap_or(0),
            processes: timed_runs
                .iter()
                .map(|timed_run| timed_run.processes)
                .max()
                .unwrap_or(0),
            cpu: median(timed_runs.iter().filter_map(|timed_run| timed_run.cpu)),
            switches: median(timed_runs.iter().filter_map(|timed_run| timed_run.switches)),
            peak_rss: median(timed_runs.iter().filter_map(|timed_run| timed_run.peak_rss)),
            slowest: timed_runs
                .iter()
                .map(|timed_run| timed_run.slowest)
                .min_by_key(|slowest| slowest.1)?,
        })
    }

    /// The mean number of busy cores; `None` where the system does not count processor time.
    #[must_use]
    pub fn cores(&self) -> Option<f64> {
        let cpu = self.cpu?.as_secs_f64();
        Some(cpu / self.sweep.as_secs_f64().max(1e-9))
    }
}

/// The middle value, of an even number the upper one; `None` for no values.
fn median<T: Ord>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    let middle = values.len() / 2;
    values.into_iter().nth(middle)
}

/// The 95th percentile by nearest rank; zero for no values.
fn p95(mut values: Vec<Duration>) -> Duration {
    values.sort_unstable();
    let rank = (values.len() * 95).div_ceil(100).max(1);
    values.get(rank - 1).copied().unwrap_or_default()
}

/// A duration with three significant digits: "0.31ms", "24.5ms", "403ms", "1.74s", "12.0s", "240s".
#[must_use]
pub fn fine(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    let (value, unit) = if seconds < 0.9995 {
        (seconds * 1e3, "ms")
    } else {
        (seconds, "s")
    };
    let decimals = match value {
        value if value < 9.995 => 2,
        value if value < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_the_nearest_rank() {
        assert_eq!(median([5, 1, 9].into_iter()), Some(5));
        assert_eq!(median([1].into_iter()), Some(1));
        assert_eq!(median(std::iter::empty::<u8>()), None);
        let millis = |range: std::ops::RangeInclusive<u64>| range.map(Duration::from_millis);
        assert_eq!(p95(millis(1..=100).collect()), Duration::from_millis(95));
        assert_eq!(p95(millis(1..=4).collect()), Duration::from_millis(4));
        assert_eq!(p95(Vec::new()), Duration::ZERO);
    }

    #[test]
    fn durations_have_three_figures() {
        for (micros, text) in [
            (312, "0.31ms"),
            (24_510, "24.5ms"),
            (403_000, "403ms"),
            (999_600, "1.00s"),
            (1_744_000, "1.74s"),
            (12_010_000, "12.0s"),
            (240_000_000, "240s"),
        ] {
            assert_eq!(fine(Duration::from_micros(micros)), text);
        }
    }
}
