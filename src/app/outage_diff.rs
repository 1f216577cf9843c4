//! The outages of one site under two sets of rules, side by side.

use crate::domain::Timestamp;

/// An outage as one set of rules confirms it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenOutage {
    /// The first failure.
    pub since: Timestamp,
    /// When it was confirmed, which is when owners are told.
    pub confirmed: Timestamp,
    /// When it ended; `None` if it was open at the last check.
    pub ended: Option<Timestamp>,
}

/// An outage under the configured rules and its counterpart under the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutageDiff {
    /// Under the configured rules; `None` if only the others confirm it.
    pub now: Option<SeenOutage>,
    /// Under the others; `None` if they do not confirm it.
    pub other: Option<SeenOutage>,
}

impl OutageDiff {
    /// How many microseconds later the others confirm it, negative for earlier; `None` unless both
    /// do.
    #[must_use]
    pub fn delay(&self) -> Option<i64> {
        Some(self.other?.confirmed.as_micros() - self.now?.confirmed.as_micros())
    }
}

/// Pairs the outages of one site that overlap; both lists are in the order of time.
pub(super) fn matched(now: &[SeenOutage], other: &[SeenOutage]) -> Vec<OutageDiff> {
    let end = |seen: &SeenOutage| seen.ended.unwrap_or(Timestamp::from_micros(i64::MAX));
    let overlap =
        |one: &SeenOutage, two: &SeenOutage| one.since <= end(two) && two.since <= end(one);
    let mut pairs = Vec::with_capacity(now.len().max(other.len()));
    let mut from = 0;
    for seen in now {
        while other.get(from).is_some_and(|other| end(other) < seen.since) {
            from += 1;
        }
        let same = other.get(from).filter(|other| overlap(seen, other));
        pairs.push(OutageDiff {
            now: Some(*seen),
            other: same.copied(),
        });
    }
    let mut from = 0;
    for seen in other {
        while now.get(from).is_some_and(|now| end(now) < seen.since) {
            from += 1;
        }
        if now.get(from).is_none_or(|now| !overlap(seen, now)) {
            pairs.push(OutageDiff {
                now: None,
                other: Some(*seen),
            });
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(since: i64, confirmed: i64, ended: Option<i64>) -> SeenOutage {
        SeenOutage {
            since: Timestamp::from_micros(since),
            confirmed: Timestamp::from_micros(confirmed),
            ended: ended.map(Timestamp::from_micros),
        }
    }

    #[test]
    fn outages_that_overlap_are_the_same() {
        let now = [
            seen(10, 12, Some(20)),
            seen(30, 32, Some(33)),
            seen(50, 52, None),
        ];
        let other = [
            seen(10, 16, Some(20)),
            seen(40, 41, Some(42)),
            seen(50, 58, None),
        ];
        let pairs = matched(&now, &other);
        let shown: Vec<_> = pairs
            .iter()
            .map(|pair| {
                let confirmed =
                    |seen: Option<SeenOutage>| seen.map(|seen| seen.confirmed.as_micros());
                (confirmed(pair.now), confirmed(pair.other))
            })
            .collect();
        assert_eq!(
            shown,
            [
                (Some(12), Some(16)),
                (Some(32), None),
                (Some(52), Some(58)),
                (None, Some(41)),
            ]
        );
    }
}
