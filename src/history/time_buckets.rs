//! Buckets of time, and the rollup of the checks in one.

use std::time::Duration;

use rusqlite::Row;

use crate::domain::{SiteTime, Verdict};

use super::latency_sketch::LatencySketch;
use super::reason_codes;

/// The sizes of the buckets, shortest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BucketSize {
    /// Buckets of five minutes.
    FiveMinutes,
    /// Buckets of one hour.
    Hour,
    /// Buckets of one day in UTC.
    Day,
}

impl BucketSize {
    /// All sizes, shortest first.
    pub const ALL: [Self; 3] = [Self::FiveMinutes, Self::Hour, Self::Day];

    /// The size in seconds.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        match self {
            Self::FiveMinutes => 300,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }

    pub(super) const fn table(self) -> &'static str {
        match self {
            Self::FiveMinutes => "rollup_5m",
            Self::Hour => "rollup_hour",
            Self::Day => "rollup_day",
        }
    }

    /// The beginning of the bucket that `seconds` (since 1970) lies in.
    #[must_use]
    pub const fn floor(self, seconds: i64) -> i64 {
        seconds - seconds.rem_euclid(self.seconds())
    }

    /// The first beginning of a bucket at or after `seconds`.
    pub(super) const fn ceil(self, seconds: i64) -> i64 {
        self.floor(seconds + self.seconds() - 1)
    }

    /// The next longer size.
    pub(super) const fn above(self) -> Option<Self> {
        match self {
            Self::FiveMinutes => Some(Self::Hour),
            Self::Hour => Some(Self::Day),
            Self::Day => None,
        }
    }

    /// The next shorter size.
    pub(super) const fn below(self) -> Option<Self> {
        match self {
            Self::FiveMinutes => None,
            Self::Hour => Some(Self::FiveMinutes),
            Self::Day => Some(Self::Hour),
        }
    }

    pub(super) fn from_number(number: i64) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }
}

/// The rollup of a site's checks in one stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rollup {
    /// Checks that were run.
    pub count: u64,
    /// Of these, the ones that found the site up or degraded.
    pub up: u64,
    /// Of these, the inconclusive ones: the monitor itself failed.
    pub unknown: u64,
    /// Checks that could not be started in time; not part of `count`.
    pub missed: u64,
    /// The lowest latency of a good check in microseconds; `None` without one.
    pub min_us: Option<u64>,
    /// The sum of the latencies of good checks in microseconds.
    pub sum_us: u64,
    /// The highest latency of a good check in microseconds; `None` without one.
    pub max_us: Option<u64>,
    /// The distribution of the latencies of good checks.
    pub sketch: LatencySketch,
    /// The time of the site, as far as it was seen.
    pub time: SiteTime,
    /// The part of the time seen, in microseconds, that is guessed from the number of checks:
    /// earlier versions did not store it.
    pub(super) guessed_us: u64,
    /// Conclusive checks of which it is not known how much time was seen, and of these the good
    /// ones.
    pub(super) untimed: (u64, u64),
}

/// How a site was in the time before a row of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeBefore {
    Up,
    Down,
    /// The row is the end of an outage in which the wall clock was set back: the times of its
    /// rows say nothing, and all of it, in microseconds, is counted with the last one.
    Outage(u64),
}

impl Rollup {
    /// Counts one check by the stored code of its reason.
    pub(super) fn add_check(&mut self, reason: u8, latency_us: u64) {
        self.count += 1;
        match reason_codes::verdict(reason) {
            Verdict::Up | Verdict::Degraded => {
                self.up += 1;
                self.min_us = Some(self.min_us.map_or(latency_us, |min| min.min(latency_us)));
                self.max_us = Some(self.max_us.map_or(latency_us, |max| max.max(latency_us)));
                self.sum_us = self.sum_us.saturating_add(latency_us);
                self.sketch.push(latency_us);
            }
            Verdict::Down => {}
            Verdict::Unknown => self.unknown += 1,
        }
    }

    /// Adds the time before a row; `reason` is that of a check, `None` for one that was missed,
    /// `down` says how much of what was seen was down.
    pub(super) fn add_time(
        &mut self,
        reason: Option<u8>,
        (seen_ms, maintenance_ms): (Option<u64>, Option<u64>),
        down: TimeBefore,
    ) {
        let Some(seen_ms) = seen_ms else {
            let verdict = reason.map(reason_codes::verdict);
            let is_good = matches!(verdict, Some(Verdict::Up | Verdict::Degraded));
            self.untimed.0 += u64::from(is_good || verdict == Some(Verdict::Down));
            self.untimed.1 += u64::from(is_good);
            return;
        };
        let seen_us = seen_ms.saturating_mul(1_000);
        let maintenance_us = maintenance_ms
            .unwrap_or(0)
            .saturating_mul(1_000)
            .min(seen_us);
        let down_us = match down {
            TimeBefore::Up => 0,
            TimeBefore::Down => seen_us.saturating_sub(maintenance_us),
            TimeBefore::Outage(micros) => micros,
        };
        self.time.merge(&SiteTime {
            seen_us,
            maintenance_us,
            down_us,
        });
    }

    /// Guesses the time of a stretch of this length from its checks: each stands for as much.
    pub(super) fn guess_time(&mut self, seconds: i64) {
        let conclusive = self.count.saturating_sub(self.unknown);
        let planned = self.count.saturating_add(self.missed).max(1);
        let length = seconds.unsigned_abs() as f64 * 1e6;
        let seen = length * (conclusive as f64 / planned as f64).min(1.0);
        let bad = conclusive.saturating_sub(self.up) as f64 / conclusive.max(1) as f64;
        self.time = SiteTime {
            seen_us: seen as u64,
            maintenance_us: 0,
            down_us: (seen * bad) as u64,
        };
        self.guessed_us = self.time.seen_us;
        self.untimed = (0, 0);
    }

    /// Whether its time is known, and neither guessed nor missing.
    pub(super) const fn is_timed(&self) -> bool {
        self.guessed_us == 0 && self.untimed.0 == 0
    }

    /// Adds the rollup of another stretch of the same site.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.up += other.up;
        self.unknown += other.unknown;
        self.missed += other.missed;
        self.min_us = self.min_us.into_iter().chain(other.min_us).min();
        self.max_us = self.max_us.max(other.max_us);
        self.sum_us = self.sum_us.saturating_add(other.sum_us);
        self.sketch.merge(&other.sketch);
        self.time.merge(&other.time);
        self.guessed_us = self.guessed_us.saturating_add(other.guessed_us);
        self.untimed.0 += other.untimed.0;
        self.untimed.1 += other.untimed.1;
    }

    /// The share (0 to 1) of the time that was seen, planned maintenance left out, in which the
    /// site was up; `None` where no such time was seen.
    #[must_use]
    pub fn uptime(&self) -> Option<f64> {
        let checked = (self.count, self.unknown, self.up);
        uptime(checked, &self.time, self.untimed)
    }

    /// The mean latency of the good checks; `None` without one.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        (self.up > 0).then(|| Duration::from_micros(self.sum_us / self.up))
    }

    /// The latency that `share` (0 to 1) of the good checks are below, within 2.2%; `None`
    /// without one.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        self.sketch.quantile(share)
    }

    /// Adds a row of a bucket of that size: its columns from `first` on are those of
    /// [`COLUMNS`].
    pub(super) fn add_row(
        &mut self,
        row: &Row<'_>,
        first: usize,
        size: BucketSize,
    ) -> rusqlite::Result<()> {
        let mut other = Self {
            count: row.get(first)?,
            up: row.get(first + 1)?,
            missed: row.get(first + 2)?,
            unknown: row.get(first + 3)?,
            min_us: row.get(first + 4)?,
            sum_us: row.get(first + 5)?,
            max_us: row.get(first + 6)?,
            ..Self::default()
        };
        other.take_time(row, first, size)?;
        self.merge(&other);
        if let Some(bytes) = row.get_ref(first + 7)?.as_blob_or_null()? {
            self.sketch.merge_bytes(bytes);
        }
        Ok(())
    }

    fn take_time(&mut self, row: &Row<'_>, first: usize, size: BucketSize) -> rusqlite::Result<()> {
        let Some(seen) = row.get::<_, Option<u64>>(first + 8)? else {
            self.guess_time(size.seconds());
            return Ok(());
        };
        let micros = |place| -> rusqlite::Result<u64> {
            let millis: Option<u64> = row.get(place)?;
            Ok(millis.unwrap_or(0).saturating_mul(1_000))
        };
        self.time = SiteTime {
            seen_us: seen.saturating_mul(1_000),
            maintenance_us: micros(first + 9)?,
            down_us: micros(first + 10)?,
        };
        Ok(())
    }
}

/// A [`Rollup`] with its sketch still encoded: a year of a thousand sites has 365,000 of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncodedRollup {
    count: u64,
    up: u64,
    unknown: u64,
    time: SiteTime,
    untimed: (u64, u64),
    sketch: Box<[u8]>,
}

impl EncodedRollup {
    /// Of a row of a bucket of that size whose columns from `first` on are those of [`COLUMNS`].
    pub(super) fn of_row(row: &Row<'_>, first: usize, size: BucketSize) -> rusqlite::Result<Self> {
        let mut sum = Rollup {
            count: row.get(first)?,
            up: row.get(first + 1)?,
            missed: row.get(first + 2)?,
            unknown: row.get(first + 3)?,
            ..Rollup::default()
        };
        sum.take_time(row, first, size)?;
        let sketch = row.get_ref(first + 7)?.as_blob_or_null()?;
        Ok(Self {
            sketch: sketch.unwrap_or_default().into(),
            ..Self::from(&sum)
        })
    }

    /// As [`Rollup::uptime`].
    #[must_use]
    pub fn uptime(&self) -> Option<f64> {
        let checked = (self.count, self.unknown, self.up);
        uptime(checked, &self.time, self.untimed)
    }

    /// Adds the checks, their time and latencies to `sum`.
    pub fn add_to(&self, sum: &mut Rollup) {
        sum.count += self.count;
        sum.up += self.up;
        sum.unknown += self.unknown;
        sum.time.merge(&self.time);
        sum.untimed.0 += self.untimed.0;
        sum.untimed.1 += self.untimed.1;
        sum.sketch.merge_bytes(&self.sketch);
    }
}

impl From<&Rollup> for EncodedRollup {
    fn from(sum: &Rollup) -> Self {
        Self {
            count: sum.count,
            up: sum.up,
            unknown: sum.unknown,
            time: sum.time,
            untimed: sum.untimed,
            sketch: sum.sketch.to_bytes().into(),
        }
    }
}

/// The uptime of time that was seen, and of checks of which it is not known how much that was:
/// each of these stands for as much as the others do on average. A first check has no time before it:
/// its verdict decides.
fn uptime(
    (count, unknown, up): (u64, u64, u64),
    time: &SiteTime,
    untimed: (u64, u64),
) -> Option<f64> {
    if untimed.0 == 0 {
        let first = || (count > unknown).then_some(if up > 0 { 1.0 } else { 0.0 });
        return time
            .uptime()
            .or_else(|| first().filter(|_| time.seen_us == 0));
    }
    let judged = time.seen_us.saturating_sub(time.maintenance_us);
    let timed = count.saturating_sub(unknown).saturating_sub(untimed.0);
    let each = if timed > 0 && judged > 0 {
        judged / timed
    } else {
        1
    };
    let up = time.uptime().unwrap_or(0.0) * judged as f64 + (untimed.1 * each) as f64;
    Some(up / (judged + untimed.0 * each) as f64)
}

/// The columns of a rollup, in the order of [`Rollup::add_row`].
pub(super) const COLUMNS: &str = "count, up, missed, unknown, min_us, sum_us, max_us, sketch, \
                                  seen_ms, maintenance_ms, down_ms";

/// The same of a file of a version that stored no time.
pub(super) const COLUMNS_WITHOUT_TIME: &str = "count, up, missed, unknown, min_us, sum_us, \
                                               max_us, sketch, NULL, NULL, NULL";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_begin_where_they_should() {
        assert_eq!(BucketSize::Hour.floor(7_199), 3_600);
        assert_eq!(BucketSize::Hour.ceil(3_601), 7_200);
        assert_eq!(BucketSize::Hour.ceil(3_600), 3_600);
        assert_eq!(BucketSize::Day.floor(-1), -86_400);
    }

    #[test]
    fn uptime_is_a_share_of_the_time_that_was_seen() {
        let mut sum = Rollup::default();
        assert_eq!(sum.uptime(), None);
        // The monitor itself failed: the time before was seen, and up.
        sum.add_check(13, 5);
        sum.add_time(Some(13), (Some(0), None), TimeBefore::Up);
        assert_eq!(sum.uptime(), None);
        sum.add_check(0, 1_000);
        sum.add_time(Some(0), (Some(3_000), Some(1_000)), TimeBefore::Up);
        sum.add_check(1, 9);
        sum.add_time(Some(1), (Some(2_500), Some(500)), TimeBefore::Down);
        sum.add_time(None, (Some(4_000), Some(0)), TimeBefore::Up);
        assert_eq!(sum.uptime(), Some(0.75));
        assert_eq!(sum.time.maintenance_us, 1_500_000);
        assert_eq!(sum.mean(), Some(Duration::from_millis(1)));
        assert!(sum.is_timed());
    }

    #[test]
    fn where_no_time_is_known_the_checks_are_counted() {
        let mut sum = Rollup::default();
        for reason in [0, 11, 1, 13, 0] {
            sum.add_check(reason, 1_000);
            sum.add_time(Some(reason), (None, None), TimeBefore::Up);
        }
        sum.add_time(None, (None, None), TimeBefore::Up);
        assert_eq!(sum.uptime(), Some(0.75));
        sum.missed = 3;
        sum.guess_time(300);
        assert_eq!(sum.uptime(), Some(0.75));
        assert_eq!(sum.time.seen_us, 150_000_000);
        assert!(!sum.is_timed());
        // A check of which the time is known besides: it stands for a minute.
        let mut sum = Rollup::default();
        sum.add_check(0, 1_000);
        sum.add_time(Some(0), (Some(60_000), Some(0)), TimeBefore::Up);
        sum.add_check(1, 1_000);
        sum.add_time(Some(1), (None, None), TimeBefore::Up);
        assert_eq!(sum.uptime(), Some(0.5));
    }
}
