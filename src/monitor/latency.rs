//! Quantiles over the last few thousand latencies of all sites, at a fixed cost.

use std::collections::VecDeque;
use std::time::Duration;

use crate::domain::Moment;

/// Buckets an octave: a quantile is within 2.2% of the true value.
const PER_OCTAVE: f64 = 16.0;
const BUCKETS: usize = 512;

/// The most recent latencies, counted in logarithmic buckets from one microsecond.
#[derive(Clone, Debug)]
pub struct LatencyWindow {
    recent: VecDeque<u16>,
    counts: Box<[u32; BUCKETS]>,
    capacity: usize,
}

impl LatencyWindow {
    /// A window over the last `capacity` latencies.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            recent: VecDeque::new(),
            counts: Box::new([0; BUCKETS]),
            capacity: capacity.max(1),
        }
    }

    fn bucket(latency: Duration) -> u16 {
        let micros = latency.as_micros().max(1) as f64;
        let bucket = (micros.log2() * PER_OCTAVE) as usize;
        bucket.min(BUCKETS - 1) as u16
    }

    /// Adds one and forgets the oldest beyond the capacity.
    pub fn push(&mut self, latency: Duration) {
        if self.recent.len() == self.capacity
            && let Some(oldest) = self.recent.pop_front()
        {
            self.counts[usize::from(oldest)] -= 1;
        }
        let bucket = Self::bucket(latency);
        self.recent.push_back(bucket);
        self.counts[usize::from(bucket)] += 1;
    }

    /// The latency below which `share` (0 to 1) of them lie; `None` while there is none.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let wanted = ((self.recent.len() as f64 * share).ceil() as u32).max(1);
        let mut seen = 0;
        let bucket = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        })?;
        // The middle of the bucket, on the logarithmic scale.
        let micros = ((bucket as f64 + 0.5) / PER_OCTAVE).exp2();
        Some(Duration::from_micros(micros as u64))
    }
}

/// The greatest of the durations of the last half minute to minute.
#[derive(Clone, Copy, Debug, Default)]
pub struct Worst {
    began: Moment,
    before: Duration,
    current: Duration,
}

impl Worst {
    const SPAN: Duration = Duration::from_secs(30);

    /// Adds one that was measured at `now`.
    pub fn push(&mut self, duration: Duration, now: Moment) {
        let age = now.since(self.began);
        if age >= Self::SPAN {
            // After two silent spans the one before is too old as well.
            self.before = if age < Self::SPAN * 2 {
                self.current
            } else {
                Duration::ZERO
            };
            self.current = Duration::ZERO;
            self.began = now;
        }
        self.current = self.current.max(duration);
    }

    /// The greatest duration within the window; zero without any.
    #[must_use]
    pub fn worst(&self) -> Duration {
        self.before.max(self.current)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_window_has_no_quantile() {
        assert_eq!(LatencyWindow::new(8).quantile(0.5), None);
    }

    #[test]
    fn quantiles_are_within_three_percent() {
        let mut window = LatencyWindow::new(10_000);
        for millis in 1..=1_000 {
            window.push(Duration::from_millis(millis));
        }
        for (share, millis) in [(0.5, 500.0), (0.95, 950.0), (1.0, 1_000.0)] {
            let found = window.quantile(share).unwrap().as_secs_f64() * 1e3;
            assert!((found / millis - 1.0).abs() < 0.03, "{share}: {found}");
        }
    }

    #[test]
    fn the_worst_is_forgotten_after_a_minute() {
        let mut worst = Worst::default();
        let at = |seconds| Moment::ZERO + Duration::from_secs(seconds);
        worst.push(Duration::from_secs(7), at(1));
        worst.push(Duration::from_secs(2), at(31));
        assert_eq!(worst.worst(), Duration::from_secs(7));
        worst.push(Duration::from_secs(1), at(62));
        assert_eq!(worst.worst(), Duration::from_secs(2));
    }

    #[test]
    fn old_latencies_are_forgotten() {
        let mut window = LatencyWindow::new(10);
        for _ in 0..10 {
            window.push(Duration::from_secs(9));
        }
        for _ in 0..10 {
            window.push(Duration::from_millis(1));
        }
        assert!(window.quantile(1.0).unwrap() < Duration::from_millis(2));
    }
}
