//! The past under other rules, as plain data: which rules somebody tries, what they come to,
//! and what keys do to them.

use std::time::Duration;

use crate::domain::{Site, Timestamp};
use crate::monitor::{Account, Rules};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The most failures, or good looks, in a row.
const MOST: u32 = 20;

/// What a timeout can be set to, and from when on an answer is slow.
const LIMITS: [Duration; 12] = [
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

/// How far back a replay can go; beyond is all that is kept.
const SPANS: [Duration; 6] = [
    seconds(3_600),
    seconds(6 * 3_600),
    seconds(86_400),
    seconds(7 * 86_400),
    seconds(30 * 86_400),
    seconds(90 * 86_400),
];

/// What somebody tries on the past.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TriedRules {
    /// Rules in place of those that each site has.
    pub rules: Rules,
    /// How far back; `None` is all that is kept.
    pub span: Option<Duration>,
}

/// What can be changed about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RuleKnob {
    Confirm,
    Recover,
    Timeout,
    Slow,
    Span,
}

/// What a key does to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RuleChange {
    More(RuleKnob),
    Less(RuleKnob),
    /// All rules as they are again; the span stays.
    CurrentRules,
}

impl TriedRules {
    /// Turns a knob. A rule that was not changed yet begins at what `usual` has.
    pub(crate) fn turn(&mut self, turn: RuleChange, current: Option<&Site>) {
        let (knob, more) = match turn {
            RuleChange::More(knob) => (knob, true),
            RuleChange::Less(knob) => (knob, false),
            RuleChange::CurrentRules => {
                self.rules = Rules::default();
                return;
            }
        };
        let number = |number: u32| {
            let next = if more { number + 1 } else { number - 1 };
            Some(next.clamp(1, MOST))
        };
        let limit = |limit| Some(stepped(&LIMITS, limit, more));
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
                    None => SPANS.last().copied(),
                    Some(span) if more => SPANS.into_iter().find(|longer| *longer > span),
                    Some(span) => Some(stepped(&SPANS, span, false)),
                };
            }
        }
    }
}

/// The next of `steps` above `from`, or below it; the last one there is where none is.
fn stepped(steps: &[Duration], from: Duration, more: bool) -> Duration {
    let next = if more {
        steps.iter().find(|step| **step > from).or(steps.last())
    } else {
        let below = steps.iter().rev().find(|step| **step < from);
        below.or(steps.first())
    };
    next.copied().unwrap_or(from)
}

/// The least and the most that sites have of a rule.
pub type MinMax<T> = (T, T);

/// The rules as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrentRules {
    /// Failures in a row before a site is down.
    pub confirm: MinMax<u32>,
    /// Good looks in a row before it is up again.
    pub recover: MinMax<u32>,
    /// The longest that a look may take.
    pub timeout: MinMax<Duration>,
    /// A look that takes longer is degraded.
    pub slow: MinMax<Duration>,
}

/// What becomes of an outage under the rules that are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutageChange {
    /// It is noticed at the same look.
    Unchanged,
    /// It is noticed so much later.
    Later(Duration),
    /// It is noticed so much earlier.
    Earlier(Duration),
    /// It is not noticed at all.
    NotNoticed,
    /// The rules as they are did not notice it.
    OnlyTried,
}

/// An outage of the past under both sets of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayedOutage {
    /// Its site's name.
    pub name: Box<str>,
    /// The first failure.
    pub since: Timestamp,
    /// When it ended; `None` if it did not.
    pub ended: Option<Timestamp>,
    /// How long after the first failure it was noticed, by the rules as they are.
    pub noticed: Option<Duration>,
    /// What becomes of it.
    pub change: OutageChange,
}

/// How many outages have which fate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangeCounts {
    /// Noticed at the same look.
    pub unchanged: u64,
    /// Noticed later.
    pub later: u64,
    /// Of these: how much later the middle one is, and the last.
    pub delay: Option<(Duration, Duration)>,
    /// Noticed earlier.
    pub earlier: u64,
    /// Not noticed at all.
    pub not_noticed: u64,
    /// Noticed besides.
    pub only_tried: u64,
}

/// What the rules that are tried come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayResult {
    /// Which rules.
    pub tried: TriedRules,
    /// The rules as they are, of all sites of the past.
    pub current: CurrentRules,
    /// Results that were replayed.
    pub results: u64,
    /// The first of them and the last.
    pub span: Option<(Timestamp, Timestamp)>,
    /// What the rules as they are come to, and the others.
    pub accounts: [Account; 2],
    /// What becomes of outages.
    pub changes: ChangeCounts,
    /// Results that were cut off sooner than the rules that are tried would.
    pub cut_off: u64,
    /// The latest outages, newest first.
    pub outages: Vec<ReplayedOutage>,
    /// How many outages there are.
    pub of: u64,
    /// How long it took.
    pub took: Duration,
}

/// The past under other rules, as far as that is reckoned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayState {
    /// Changes whenever there is something new to see.
    pub revision: u64,
    /// The last answer, which may be about other rules than those that are tried by now.
    pub result: Option<ReplayResult>,
    /// Results that were replayed so far, while it is being reckoned.
    pub under_way: Option<u64>,
    /// Why there is no answer.
    pub trouble: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_begins_at_what_it_is_and_ends_at_its_ends() {
        let mut tried = TriedRules::default();
        tried.turn(RuleChange::More(RuleKnob::Confirm), None);
        tried.turn(RuleChange::Less(RuleKnob::Timeout), None);
        assert_eq!(tried.rules.confirm, Some(3));
        assert_eq!(tried.rules.timeout, Some(seconds(7)));
        for _ in 0..99 {
            tried.turn(RuleChange::Less(RuleKnob::Confirm), None);
            tried.turn(RuleChange::More(RuleKnob::Recover), None);
            tried.turn(RuleChange::More(RuleKnob::Slow), None);
        }
        assert_eq!(tried.rules.confirm, Some(1));
        assert_eq!(tried.rules.recover, Some(MOST));
        assert_eq!(tried.rules.slow, Some(seconds(60)));
        tried.turn(RuleChange::CurrentRules, None);
        assert_eq!(tried, TriedRules::default());
    }

    #[test]
    fn the_span_goes_from_all_to_an_hour_and_back() {
        let mut tried = TriedRules::default();
        tried.turn(RuleChange::More(RuleKnob::Span), None);
        assert_eq!(tried.span, None);
        let mut seen = Vec::new();
        for _ in 0..SPANS.len() + 1 {
            tried.turn(RuleChange::Less(RuleKnob::Span), None);
            seen.push(tried.span.unwrap());
        }
        assert_eq!(seen[..2], [SPANS[5], SPANS[4]]);
        assert_eq!(tried.span, Some(SPANS[0]));
        tried.turn(RuleChange::CurrentRules, None);
        assert_eq!(tried.span, Some(SPANS[0]));
        for _ in 0..SPANS.len() {
            tried.turn(RuleChange::More(RuleKnob::Span), None);
        }
        assert_eq!(tried.span, None);
    }
}
