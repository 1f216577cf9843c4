//! The recent checks of a site, in four bytes each.

use std::collections::VecDeque;
use std::time::Duration;

use super::State;

/// The number of recent checks that are kept of a site.
pub const RECENT_CHECKS: usize = 96;

/// One check: the state of its site afterwards, and its latency in milliseconds.
///
/// Packed as `latency << 3 | state`, because a million sites remember 96 of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecentCheck(u32);

impl RecentCheck {
    const MOST_MILLIS: u32 = u32::MAX >> 3;

    /// A check that took `latency`, of which whole milliseconds are kept.
    #[must_use]
    pub fn new(state: State, latency: Duration) -> Self {
        let millis = u32::try_from(latency.as_millis())
            .map_or(Self::MOST_MILLIS, |millis| millis.min(Self::MOST_MILLIS));
        Self(millis << 3 | state as u32)
    }

    /// The state of the site after the check.
    #[must_use]
    pub fn state(self) -> State {
        State::ALL[(self.0 & 7) as usize]
    }

    /// The latency in whole milliseconds; zero for a missed check.
    #[must_use]
    pub fn latency(self) -> Duration {
        Duration::from_millis(u64::from(self.0 >> 3))
    }
}

/// The last [`RECENT_CHECKS`] checks of a site, oldest first.
#[derive(Clone, Debug, Default)]
pub struct RecentChecks(VecDeque<RecentCheck>);

impl RecentChecks {
    /// Adds a check, and removes the oldest one beyond the limit.
    pub fn push(&mut self, sample: RecentCheck) {
        if self.0.len() == RECENT_CHECKS {
            self.0.pop_front();
        }
        self.0.push_back(sample);
    }

    /// The checks, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = RecentCheck> + ExactSizeIterator + '_ {
        self.0.iter().copied()
    }

    /// The number of checks, at most [`RECENT_CHECKS`].
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no check yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The median and the 95th percentile (nearest rank) of the latencies of good checks;
    /// `None` without any.
    #[must_use]
    pub fn quantiles(&self) -> Option<(Duration, Duration)> {
        let mut answered: Vec<Duration> = self
            .iter()
            .filter(|sample| matches!(sample.state(), State::Up | State::Degraded))
            .map(RecentCheck::latency)
            .collect();
        answered.sort_unstable();
        let rank = |percent: usize| {
            let rank = (answered.len() * percent).div_ceil(100).max(1);
            answered.get(rank - 1).copied()
        };
        Some((rank(50)?, rank(95)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_gives_back_what_was_put_in() {
        for state in State::ALL {
            let sample = RecentCheck::new(state, Duration::from_micros(240_900));
            assert_eq!(sample.state(), state);
            assert_eq!(sample.latency(), Duration::from_millis(240));
        }
        let endless = RecentCheck::new(State::Down, Duration::MAX);
        assert_eq!(endless.state(), State::Down);
    }

    #[test]
    fn the_ring_forgets_the_oldest() {
        let mut samples = RecentChecks::default();
        for millis in 0..(RECENT_CHECKS as u64 + 5) {
            samples.push(RecentCheck::new(State::Up, Duration::from_millis(millis)));
        }
        assert_eq!(samples.len(), RECENT_CHECKS);
        assert_eq!(
            samples.iter().next().map(RecentCheck::latency),
            Some(Duration::from_millis(5))
        );
    }

    #[test]
    fn quantiles_are_of_the_answered_checks() {
        let mut samples = RecentChecks::default();
        assert_eq!(samples.quantiles(), None);
        for millis in 1..=20 {
            samples.push(RecentCheck::new(State::Up, Duration::from_millis(millis)));
        }
        samples.push(RecentCheck::new(State::Down, Duration::from_secs(10)));
        assert_eq!(
            samples.quantiles(),
            Some((Duration::from_millis(10), Duration::from_millis(19)))
        );
    }
}
