//! A quantile sketch: latencies counted in logarithmic buckets, which can be merged.
//!
//! The scheme of DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile
//! sketch with relative-error guarantees", VLDB 2019) with a fixed base of 2^(1/16): a
//! quantile is within 2.2% of the true value, and merging is adding.

use std::time::Duration;

/// Buckets per octave, from one microsecond on.
const BUCKETS_PER_OCTAVE: f64 = 16.0;

/// The last bucket: more than an hour.
const LAST_BUCKET: u16 = 511;

/// Counts of latencies. Buckets are stored from the first used to the last: a site's latencies
/// span a few octaves, and a year's report adds up hundreds of thousands of sketches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LatencySketch {
    /// The number of the bucket that `counts` begins with.
    first: u16,
    /// The first and the last are not zero.
    counts: Vec<u64>,
    total: u64,
}

impl LatencySketch {
    /// Adds one latency, in microseconds.
    pub fn push(&mut self, micros: u64) {
        let bucket = ((micros.max(1) as f64).log2() * BUCKETS_PER_OCTAVE) as u16;
        self.add(bucket.min(LAST_BUCKET), 1);
    }

    fn add(&mut self, bucket: u16, count: u64) {
        if count == 0 {
            return;
        }
        if self.counts.is_empty() {
            self.first = bucket;
        } else if bucket < self.first {
            let more = usize::from(self.first - bucket);
            self.counts.splice(..0, std::iter::repeat_n(0, more));
            self.first = bucket;
        }
        let place = usize::from(bucket - self.first);
        if place >= self.counts.len() {
            self.counts.resize(place + 1, 0);
        }
        self.counts[place] = self.counts[place].saturating_add(count);
        self.total = self.total.saturating_add(count);
    }

    /// The non-empty buckets: number and count.
    fn buckets(&self) -> impl Iterator<Item = (u16, u64)> {
        let counts = (self.first..).zip(self.counts.iter().copied());
        counts.filter(|(_, count)| *count > 0)
    }

    /// Adds all counts of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, count) in other.buckets() {
            self.add(bucket, count);
        }
    }

    /// The number of latencies.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.total
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The latency that `share` (0 to 1) of them are below; `None` without any.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let wanted = ((self.total as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        let (bucket, _) = self.buckets().find(|(_, count)| {
            seen += count;
            seen >= wanted
        })?;
        // The middle of the bucket on the logarithmic scale.
        let micros = ((f64::from(bucket) + 0.5) / BUCKETS_PER_OCTAVE).exp2();
        Some(Duration::from_micros(micros as u64))
    }

    /// The bytes that are stored: for each non-empty bucket the distance from the one before and
    /// its count, as LEB128 numbers.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.counts.len() * 3);
        let mut before = 0;
        for (bucket, count) in self.buckets() {
            write_number(&mut bytes, u64::from(bucket - before));
            write_number(&mut bytes, count);
            before = bucket;
        }
        bytes
    }

    /// Adds the counts in bytes of [`LatencySketch::to_bytes`]; stops at bytes that are none.
    pub fn merge_bytes(&mut self, mut bytes: &[u8]) {
        let mut bucket = 0_u64;
        while let (Some(step), Some(count)) = (read_number(&mut bytes), read_number(&mut bytes)) {
            bucket = bucket.saturating_add(step);
            let Ok(place) = u16::try_from(bucket) else {
                return;
            };
            self.add(place.min(LAST_BUCKET), count);
        }
    }
}

pub(super) fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

pub(super) fn read_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(latencies: &[u64]) -> LatencySketch {
        let mut sketch = LatencySketch::default();
        for micros in latencies {
            sketch.push(*micros);
        }
        sketch
    }

    proptest! {
        #[test]
        fn a_merged_sketch_is_the_sketch_of_all_and_quantiles_are_within_three_percent(
            one in proptest::collection::vec(100_u64..60_000_000, 0..200),
            other in proptest::collection::vec(100_u64..60_000_000, 1..200),
            share in 0.0_f64..=1.0,
        ) {
            let mut merged = of(&one);
            merged.merge_bytes(&of(&other).to_bytes());
            let mut all = [one, other].concat();
            prop_assert_eq!(&merged, &of(&all));
            all.sort_unstable();
            let rank = ((all.len() as f64 * share).ceil() as usize).max(1);
            let truth = all[rank - 1] as f64;
            let found = merged.quantile(share).unwrap().as_micros() as f64;
            prop_assert!((found / truth - 1.0).abs() < 0.03, "{} for {}", found, truth);
        }

        #[test]
        fn no_bytes_break_it(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            LatencySketch::default().merge_bytes(&bytes);
        }
    }

    #[test]
    fn one_latency_takes_three_bytes() {
        assert!(of(&[240_000]).to_bytes().len() <= 3);
        assert_eq!(LatencySketch::default().quantile(0.5), None);
    }
}
