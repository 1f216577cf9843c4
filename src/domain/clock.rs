//! Time, handed in: a monotonic moment for durations, a wall-clock stamp for people.

use std::fmt;
use std::ops::{Add, Sub};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A point on a process's monotonic clock, in nanoseconds since that clock began.
///
/// Moments of different processes do not compare; they are mapped when they arrive.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Moment(u64);

impl Moment {
    /// The beginning of the clock.
    pub const ZERO: Self = Self(0);

    /// The moment `nanos` nanoseconds after the clock began.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the clock began.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after it.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.nanos_since(earlier))
    }

    /// The same in nanoseconds, for sums over many thousands: a `Duration` is parted into
    /// seconds and the rest, which takes a division.
    #[must_use]
    pub const fn nanos_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        let nanos = u64::try_from(rhs.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

impl Sub<Duration> for Moment {
    type Output = Self;

    fn sub(self, rhs: Duration) -> Self {
        let nanos = u64::try_from(rhs.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(nanos))
    }
}

/// A wall-clock time: microseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The time `micros` microseconds after the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// How long after `earlier` this is; zero if the clock was set back in between.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl Timestamp {
    /// The time `span` later.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let micros = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
            Err(before) => {
                i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |micros| -micros)
            }
        };
        Self(micros)
    }
}

/// One reading of both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// For durations and order.
    pub mono: Moment,
    /// For people and files.
    pub wall: Timestamp,
}

/// Where the time comes from: the system, or a test.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The monotonic clock; never goes back.
    fn moment(&self) -> Moment;

    /// The wall clock; may be set at any time.
    fn timestamp(&self) -> Timestamp;

    /// Reads both clocks.
    fn now(&self) -> Now {
        Now {
            mono: self.moment(),
            wall: self.timestamp(),
        }
    }
}

/// The machine's clocks. Its moments count from when it was made; a copy shows the same.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock that begins now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            origin: Instant::now(),
        }
    }

    /// A clock that began `ago`: one that another process made then, whose moments are to be
    /// the same here.
    #[must_use]
    pub fn begun(ago: Duration) -> Self {
        let now = Instant::now();
        Self {
            origin: now.checked_sub(ago).unwrap_or(now),
        }
    }

    /// The instant of the standard library that `moment` stands for.
    #[must_use]
    pub fn instant(&self, moment: Moment) -> Instant {
        self.origin + Duration::from_nanos(moment.as_nanos())
    }

    /// What this clock showed when the standard library's was read.
    #[must_use]
    pub fn moment_of(&self, instant: Instant) -> Moment {
        let since = instant.saturating_duration_since(self.origin);
        Moment(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn moment(&self) -> Moment {
        self.moment_of(Instant::now())
    }

    fn timestamp(&self) -> Timestamp {
        SystemTime::now().into()
    }
}

/// A clock that a test moves by hand.
#[derive(Debug)]
pub struct ManualClock {
    nanos: AtomicU64,
    epoch: Timestamp,
}

impl ManualClock {
    /// A clock that stands at its beginning, `epoch` on the wall.
    #[must_use]
    pub const fn new(epoch: Timestamp) -> Self {
        Self {
            nanos: AtomicU64::new(0),
            epoch,
        }
    }

    /// Moves both hands forward.
    pub fn advance(&self, by: Duration) {
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(nanos, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn moment(&self) -> Moment {
        Moment(self.nanos.load(Ordering::SeqCst))
    }

    fn timestamp(&self) -> Timestamp {
        let micros = i64::try_from(self.nanos.load(Ordering::SeqCst) / 1_000).unwrap_or(i64::MAX);
        Timestamp(self.epoch.0.saturating_add(micros))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_never_underflow() {
        let early = Moment::from_nanos(5);
        assert_eq!(early.since(Moment::from_nanos(9)), Duration::ZERO);
        assert_eq!(early - Duration::from_secs(1), Moment::ZERO);
        assert_eq!((early + Duration::MAX).as_nanos(), u64::MAX);
    }

    #[test]
    fn a_wall_clock_set_back_gives_no_negative_duration() {
        let later = Timestamp::from_micros(10);
        assert_eq!(Timestamp::from_micros(3).since(later), Duration::ZERO);
    }

    #[test]
    fn the_manual_clock_moves_both_hands() {
        let clock = ManualClock::new(Timestamp::from_micros(1_000));
        clock.advance(Duration::from_millis(2));
        assert_eq!(clock.moment(), Moment::from_nanos(2_000_000));
        assert_eq!(clock.timestamp(), Timestamp::from_micros(3_000));
    }
}
