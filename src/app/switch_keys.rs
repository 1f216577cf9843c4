//! The effect of a digit key, by `[monitor] switch`: a stray digit is not to change a monitor in
//! production.

use std::time::Duration;

use crate::config::SwitchPolicy;
use crate::domain::Moment;

/// How long a question waits for the same key again.
const ANSWER_TIME: Duration = Duration::from_secs(5);

/// What is done about a digit key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SwitchDecision {
    /// The paradigm is switched.
    Switch,
    /// The same key again within five seconds will switch.
    Ask,
    /// Digits do nothing.
    Refuse,
}

/// The policy, and the question that waits.
#[derive(Debug, Default)]
pub(super) struct SwitchKeys {
    policy: SwitchPolicy,
    /// The place of the paradigm that was asked about, and when.
    asked: Option<(usize, Moment)>,
}

impl SwitchKeys {
    pub(super) const fn new(policy: SwitchPolicy) -> Self {
        Self {
            policy,
            asked: None,
        }
    }

    /// Takes over a changed configuration.
    pub(super) const fn configure(&mut self, policy: SwitchPolicy) {
        self.policy = policy;
        self.asked = None;
    }

    /// Decides about the key of the paradigm at `place`; `holds` says whether that paradigm can
    /// check all sites at their intervals.
    pub(super) fn decide(&mut self, place: usize, holds: bool, now: Moment) -> SwitchDecision {
        let asked = self.asked.take();
        let again = asked.is_some_and(|(asked, at)| asked == place && now.since(at) <= ANSWER_TIME);
        match self.policy {
            SwitchPolicy::Off => SwitchDecision::Refuse,
            SwitchPolicy::Ask if !holds && !again => {
                self.asked = Some((place, now));
                SwitchDecision::Ask
            }
            SwitchPolicy::Free | SwitchPolicy::Ask => SwitchDecision::Switch,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paradigm_that_cannot_hold_the_list_is_asked_about_once() {
        let at = |seconds| Moment::ZERO + Duration::from_secs(seconds);
        let mut keys = SwitchKeys::new(SwitchPolicy::Ask);
        assert_eq!(keys.decide(1, true, at(0)), SwitchDecision::Switch);
        assert_eq!(keys.decide(0, false, at(1)), SwitchDecision::Ask);
        assert_eq!(keys.decide(3, false, at(2)), SwitchDecision::Ask, "another");
        assert_eq!(keys.decide(0, false, at(3)), SwitchDecision::Ask);
        assert_eq!(keys.decide(0, false, at(8)), SwitchDecision::Switch);
        assert_eq!(keys.decide(0, false, at(9)), SwitchDecision::Ask);
        assert_eq!(keys.decide(0, false, at(15)), SwitchDecision::Ask, "late");
        keys.configure(SwitchPolicy::Free);
        assert_eq!(keys.decide(0, false, at(16)), SwitchDecision::Switch);
        keys.configure(SwitchPolicy::Off);
        assert_eq!(keys.decide(1, true, at(17)), SwitchDecision::Refuse);
    }
}
