//! The replay of the history under other rules, as plain data: the rules on trial, the result
//! beside that of the current rules, and the keys that change them.

use std::time::Duration;

use crate::domain::{Site, Timestamp};
use crate::monitor::{ReplayTotals, RuleOverrides};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The upper limit of `confirm` and `recover`: checks in a row.
const MAX_IN_A_ROW: u32 = 20;

/// The steps of `timeout` and `slow`.
const LIMIT_STEPS: [Duration; 12] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    seconds(1),
    seconds(2),
    seconds(3),
    seconds(5),
    seconds(7),
    seconds(10),
    seconds(15),
    seconds(20),
    seconds(30),
    seconds(60),
];

/// The steps of a replay's span; beyond the last one is all that is kept.
const SPAN_STEPS: [Duration; 6] = [
    seconds(3_600),
    seconds(6 * 3_600),
    seconds(86_400),
    seconds(7 * 86_400),
    seconds(30 * 86_400),
    seconds(90 * 86_400),
];

/// The rules on trial and the span of the history that they are replayed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TriedRules {
    /// RuleOverrides that take the place of each site's own; `None` leaves a rule as it is.
    pub rules: RuleOverrides,
    /// How far back from now; `None` is all that is kept.
    pub span: Option<Duration>,
}

/// The settings of a replay that keys change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RuleKnob {
    Confirm,
    Recover,
    Timeout,
    Slow,
    Span,
}

/// The change that a key makes to [`TriedRules`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RuleChange {
    More(RuleKnob),
    Less(RuleKnob),
    /// Back to the current rules; the span stays.
    Reset,
}

impl TriedRules {
    /// Applies a change. A rule that is not on trial yet starts from the value of the site
    /// `current`, or from the usual one without a site.
    pub(crate) fn apply(&mut self, change: RuleChange, current: Option<&Site>) {
        let (knob, more) = match change {
            RuleChange::More(knob) => (knob, true),
            RuleChange::Less(knob) => (knob, false),
            RuleChange::Reset => {
                self.rules = RuleOverrides::default();
                return;
            }
        };
        let number = |number: u32| {
            let next = if more { number + 1 } else { number - 1 };
            Some(next.clamp(1, MAX_IN_A_ROW))
        };
        let limit = |limit| Some(stepped(&LIMIT_STEPS, limit, more));
        let timeout = current.map_or(seconds(10), |site| site.spec.timeout);
        let slow = current.map_or(seconds(2), |site| site.spec.slow);
        match knob {
            RuleKnob::Confirm => {
                let current = current.map_or(2, |site| site.confirm);
                self.rules.confirm = number(self.rules.confirm.unwrap_or(current).max(1));
            }
            RuleKnob::Recover => {
                let current = current.map_or(2, |site| site.recover);
                self.rules.recover = number(self.rules.recover.unwrap_or(current).max(1));
            }
            RuleKnob::Timeout => self.rules.timeout = limit(self.rules.timeout.unwrap_or(timeout)),
            RuleKnob::Slow => self.rules.slow = limit(self.rules.slow.unwrap_or(slow)),
            RuleKnob::Span => {
                self.span = match self.span {
                    None if more => None,
                    None => SPAN_STEPS.last().copied(),
                    Some(span) if more => SPAN_STEPS.into_iter().find(|longer| *longer > span),
                    Some(span) => Some(stepped(&SPAN_STEPS, span, false)),
                };
            }
        }
    }
}

/// The next of `steps` above `from` (`more`) or below it, or the outermost step.
fn stepped(steps: &[Duration], from: Duration, more: bool) -> Duration {
    let next = if more {
        steps.iter().find(|step| **step > from).or(steps.last())
    } else {
        let below = steps.iter().rev().find(|step| **step < from);
        below.or(steps.first())
    };
    next.copied().unwrap_or(from)
}

/// The smallest and the largest value of a rule among the sites.
pub type MinMax<T> = (T, T);

/// The current rules of all sites in the replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrentRules {
    /// `confirm`: failures in a row before a site is down.
    pub confirm: MinMax<u32>,
    /// `recover`: good checks in a row before it is up again.
    pub recover: MinMax<u32>,
    /// `timeout`: the longest that a check may take.
    pub timeout: MinMax<Duration>,
    /// `slow`: a check that takes longer is degraded.
    pub slow: MinMax<Duration>,
}

/// How an outage changes under the rules on trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutageChange {
    /// Confirmed at the same check.
    Unchanged,
    /// Confirmed this much later.
    Later(Duration),
    /// Confirmed this much earlier.
    Earlier(Duration),
    /// Not confirmed under the rules on trial.
    NotNoticed,
    /// Confirmed under the rules on trial alone.
    OnlyTried,
}

/// An outage of the replay under both sets of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayedOutage {
    /// The site's name.
    pub name: Box<str>,
    /// The time of the first failure.
    pub since: Timestamp,
    /// The end under the current rules, or under the tried ones where only they confirm it;
    /// `None` while it is open.
    pub ended: Option<Timestamp>,
    /// From the first failure to the confirmation under the current rules; `None` where they
    /// do not confirm it.
    pub noticed: Option<Duration>,
    /// The change under the rules on trial.
    pub change: OutageChange,
}

/// The number of outages by how they change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangeCounts {
    /// Confirmed at the same check.
    pub unchanged: u64,
    /// The number of outages that are confirmed later.
    pub later: u64,
    /// The median and the largest delay of those; `None` if there are none.
    pub delay: Option<(Duration, Duration)>,
    /// The number of outages that are confirmed earlier.
    pub earlier: u64,
    /// Not confirmed under the rules on trial.
    pub not_noticed: u64,
    /// Confirmed under the rules on trial alone.
    pub only_tried: u64,
}

/// The result of a replay: both sets of rules over the same checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayResult {
    /// The rules on trial and their span.
    pub tried: TriedRules,
    /// The current rules of the replayed sites.
    pub current: CurrentRules,
    /// The number of replayed results.
    pub results: u64,
    /// The times of the first and the last of them; `None` without a result.
    pub span: Option<(Timestamp, Timestamp)>,
    /// The totals under the current rules, and under the rules on trial.
    pub accounts: [ReplayTotals; 2],
    /// The number of outages by how they change.
    pub changes: ChangeCounts,
    /// Results that ended by a timeout shorter than the tried one: their answer is unknown.
    pub cut_off: u64,
    /// The latest outages, newest first: a part of `of`.
    pub outages: Vec<ReplayedOutage>,
    /// The number of outages in all.
    pub of: u64,
    /// The duration of the replay itself.
    pub took: Duration,
}

/// The replay as the screen shows it: its last result and its progress.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayState {
    /// Grows with every change of the other fields.
    pub revision: u64,
    /// The last result; it may be of other rules than those on trial by now.
    pub result: Option<ReplayResult>,
    /// The number of results replayed so far; `None` while no replay runs.
    pub under_way: Option<u64>,
    /// Why there is no result, in words for the screen.
    pub error: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_begins_at_what_it_is_and_ends_at_its_ends() {
        let mut tried = TriedRules::default();
        tried.apply(RuleChange::More(RuleKnob::Confirm), None);
        tried.apply(RuleChange::Less(RuleKnob::Timeout), None);
        assert_eq!(tried.rules.confirm, Some(3));
        assert_eq!(tried.rules.timeout, Some(seconds(7)));
        for _ in 0..99 {
            tried.apply(RuleChange::Less(RuleKnob::Confirm), None);
            tried.apply(RuleChange::More(RuleKnob::Recover), None);
            tried.apply(RuleChange::More(RuleKnob::Slow), None);
        }
        assert_eq!(tried.rules.confirm, Some(1));
        assert_eq!(tried.rules.recover, Some(MAX_IN_A_ROW));
        assert_eq!(tried.rules.slow, Some(seconds(60)));
        tried.apply(RuleChange::Reset, None);
        assert_eq!(tried, TriedRules::default());
    }

    #[test]
    fn the_span_goes_from_all_to_an_hour_and_back() {
        let mut tried = TriedRules::default();
        tried.apply(RuleChange::More(RuleKnob::Span), None);
        assert_eq!(tried.span, None);
        let mut seen = Vec::new();
        for _ in 0..SPAN_STEPS.len() + 1 {
            tried.apply(RuleChange::Less(RuleKnob::Span), None);
            seen.push(tried.span.unwrap());
        }
        assert_eq!(seen[..2], [SPAN_STEPS[5], SPAN_STEPS[4]]);
        assert_eq!(tried.span, Some(SPAN_STEPS[0]));
        tried.apply(RuleChange::Reset, None);
        assert_eq!(tried.span, Some(SPAN_STEPS[0]));
        for _ in 0..SPAN_STEPS.len() {
            tried.apply(RuleChange::More(RuleKnob::Span), None);
        }
        assert_eq!(tried.span, None);
    }
}
