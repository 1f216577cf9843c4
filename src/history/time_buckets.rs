//! Buckets of time, and the rollup of the checks in one.

use std::time::Duration;

use rusqlite::Row;

use crate::domain::Verdict;

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
    }

    /// The share (0 to 1) of the conclusive checks that found the site up or degraded; `None`
    /// without a conclusive check.
    #[must_use]
    pub fn uptime(&self) -> Option<f64> {
        share(self.up, self.count, self.unknown)
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

    /// Adds a row: its columns from `first` on are those of [`COLUMNS`].
    pub(super) fn add_row(&mut self, row: &Row<'_>, first: usize) -> rusqlite::Result<()> {
        self.count += row.get::<_, u64>(first)?;
        self.up += row.get::<_, u64>(first + 1)?;
        self.missed += row.get::<_, u64>(first + 2)?;
        self.unknown += row.get::<_, u64>(first + 3)?;
        let (min, max): (Option<u64>, Option<u64>) = (row.get(first + 4)?, row.get(first + 6)?);
        self.min_us = self.min_us.into_iter().chain(min).min();
        self.max_us = self.max_us.max(max);
        self.sum_us = self.sum_us.saturating_add(row.get(first + 5)?);
        if let Some(bytes) = row.get_ref(first + 7)?.as_blob_or_null()? {
            self.sketch.merge_bytes(bytes);
        }
        Ok(())
    }
}

/// A [`Rollup`] with its sketch still encoded: a year of a thousand sites has 365,000 of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncodedRollup {
    count: u64,
    up: u64,
    unknown: u64,
    sketch: Box<[u8]>,
}

impl EncodedRollup {
    /// Of a row whose columns from `first` on are those of [`COLUMNS`].
    pub(super) fn of_row(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let sketch = row.get_ref(first + 7)?.as_blob_or_null()?;
        Ok(Self {
            count: row.get(first)?,
            up: row.get(first + 1)?,
            unknown: row.get(first + 3)?,
            sketch: sketch.unwrap_or_default().into(),
        })
    }

    /// As [`Rollup::uptime`].
    #[must_use]
    pub fn uptime(&self) -> Option<f64> {
        share(self.up, self.count, self.unknown)
    }

    /// Adds the checks and latencies to `sum`.
    pub fn add_to(&self, sum: &mut Rollup) {
        sum.count += self.count;
        sum.up += self.up;
        sum.unknown += self.unknown;
        sum.sketch.merge_bytes(&self.sketch);
    }
}

impl From<&Rollup> for EncodedRollup {
    fn from(sum: &Rollup) -> Self {
        Self {
            count: sum.count,
            up: sum.up,
            unknown: sum.unknown,
            sketch: sum.sketch.to_bytes().into(),
        }
    }
}

/// The share of the conclusive checks that found a site up.
fn share(up: u64, count: u64, unknown: u64) -> Option<f64> {
    let seen = count.saturating_sub(unknown);
    (seen > 0).then(|| up as f64 / seen as f64)
}

/// The columns of a rollup, in the order of [`Rollup::add_row`].
pub(super) const COLUMNS: &str = "count, up, missed, unknown, min_us, sum_us, max_us, sketch";

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
    fn inconclusive_checks_count_neither_way() {
        let mut sum = Rollup::default();
        assert_eq!(sum.uptime(), None);
        sum.add_check(13, 5);
        assert_eq!(sum.uptime(), None);
        sum.add_check(0, 1_000);
        sum.add_check(1, 9);
        assert_eq!(sum.uptime(), Some(0.5));
        assert_eq!(sum.mean(), Some(Duration::from_millis(1)));
    }
}
