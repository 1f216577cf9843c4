//! "Is it us?": what looks like many sites down may be our own network. Before such looks are
//! believed, canaries are asked: hosts that nearly always answer.
//!
//! Canaries are asked about every failure that may be ours, once a second at most. No outage
//! is opened but on the word of a canary that was asked after the look had failed; and when
//! many unrelated hosts fail within half a minute, no failure is believed before. While no canary answers the monitor is blind: looks
//! that fail are unknown, and tell nobody anything. A site on this machine itself needs no
//! network and is always believed; so is whatever an answer of the site's own says (a status,
//! a text that is missing): somebody was there to give it.

use std::time::Duration;

use crate::domain::{CheckResult, Moment, Now, Reason, Verdict};

use super::crowd::Crowd;

/// Canaries are asked no more often than that.
const PAUSE: Duration = Duration::from_secs(1);

/// And while none answers, so often.
const AGAIN: Duration = Duration::from_secs(5);

/// Longer than any round takes.
const OVERDUE: Duration = Duration::from_secs(30);

/// For so long a canary's word holds against many failures that confirm nothing yet.
const TRUST: Duration = Duration::from_secs(10);

/// What is known of a look's site.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The host, or the address that was asked: sites that share it fail together.
    pub host: &'a str,
    /// It is on this machine.
    pub local: bool,
    /// The look would confirm an outage, if it failed.
    pub opens: bool,
    /// An outage of it is open already.
    pub open: bool,
}

/// What a round of asking found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// When it began.
    pub asked: Moment,
    /// Whether any canary answered.
    pub answered: bool,
    /// What the canaries said otherwise: "3 canaries fail too (dns)".
    pub why: Box<str>,
}

/// The monitor lost its sight, or has it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// It cannot see.
    Lost {
        /// Since when, as far as that is known.
        since: Now,
        /// What that rests on.
        why: Box<str>,
    },
    /// It sees again.
    Regained {
        /// From the first failure that was not believed.
        since: Now,
        /// Until now.
        lasted: Duration,
        /// What it rested on.
        why: Box<str>,
    },
}

/// What follows from a round.
#[derive(Debug, Default)]
pub struct Ruling {
    /// Looks that were held, and when they came.
    pub freed: Vec<(CheckResult, Now)>,
    /// Whether sight was lost or regained.
    pub sight: Option<Sight>,
}

/// Decides what failing looks are worth.
#[derive(Debug, Default)]
pub struct Guard {
    on: bool,
    crowd: Crowd,
    held: Vec<(CheckResult, Now)>,
    /// When the round began that is under way.
    asking: Option<Moment>,
    /// A round should begin, once that may be.
    wanted: bool,
    not_before: Moment,
    /// When the last round began in which a canary answered.
    trusted: Option<Moment>,
    /// No failing look is believed until the next round: this program itself stood still.
    wary: bool,
    blind: Option<(Now, Box<str>)>,
    /// When sight came back, and what blindness had rested on: what was begun before and
    /// failed was begun by a blind one.
    was_blind: Option<(Moment, Box<str>)>,
}

impl Guard {
    /// Whether there is somebody to ask. Without, every look is believed, those that are held
    /// as well.
    pub fn switch(&mut self, on: bool, now: Now) -> Ruling {
        self.on = on;
        if on {
            return Ruling::default();
        }
        self.asking = None;
        self.sees(now.mono, now)
    }

    /// Believes what is held if nobody has said anything for half a minute: an alarm that waits
    /// for ever is worse than a false one.
    pub fn overdue(&mut self, now: Now) -> Ruling {
        let since = self.asking.map(|asked| now.mono.since(asked));
        if since.is_none_or(|since| since < OVERDUE) {
            return Ruling::default();
        }
        self.asking = None;
        self.sees(now.mono, now)
    }

    /// Since when nothing can be seen, and what that rests on.
    #[must_use]
    pub fn blind(&self) -> Option<(Now, &str)> {
        let (since, why) = self.blind.as_ref()?;
        Some((*since, why))
    }

    /// The program stood still or slept until `now`: the network may not be there yet, and
    /// whoever is being asked stood still as well.
    pub fn beware(&mut self, now: Moment) {
        if self.on {
            (self.wary, self.wanted) = (true, true);
            self.asking = self.asking.map(|_| now);
        }
    }

    /// Judges a look, and gives it back to be folded in: as it is, or as one that saw nothing.
    /// `None`: it is held until a canary was asked. To be called in the order of time.
    pub fn judge(
        &mut self,
        result: CheckResult,
        facts: Facts<'_>,
        now: Now,
    ) -> Option<CheckResult> {
        if !self.on || facts.local || result.verdict == Verdict::Unknown {
            return Some(result);
        }
        if !is_doubtful(&result) {
            self.crowd.answered(facts.host, now);
            // Somebody answers: it may be over.
            self.wanted |= self.blind.is_some();
            return Some(result);
        }
        if let Some((_, why)) = &self.blind {
            return Some(unseen(result, why));
        }
        if let Some((until, why)) = &self.was_blind
            && result.started <= *until
        {
            return Some(unseen(result, why));
        }
        if facts.open {
            return Some(result);
        }
        self.crowd.failed(facts.host, now);
        let trusted = self
            .trusted
            .is_some_and(|asked| now.mono.since(asked) < TRUST);
        // Asked already about the first failure: a cut that is over by the time of the second
        // look would not be seen any more.
        self.wanted = true;
        if facts.opens || self.wary || (self.crowd.is_suspicious() && !trusted) {
            self.held.push((result, now));
            return None;
        }
        Some(result)
    }

    /// Whether a round is to begin now; it counts as begun then.
    pub fn begin_round(&mut self, now: Moment) -> bool {
        let begins = self.on && self.wanted && self.asking.is_none() && now >= self.not_before;
        if begins {
            (self.asking, self.wanted) = (Some(now), false);
            self.not_before = now + PAUSE;
        }
        begins
    }

    /// When the next round may begin, if one is wanted.
    #[must_use]
    pub fn next_round(&self) -> Option<Moment> {
        (self.on && self.wanted && self.asking.is_none()).then_some(self.not_before)
    }

    /// Takes what a round found.
    pub fn ruled(&mut self, round: &Round, now: Now) -> Ruling {
        if !self.on {
            return Ruling::default();
        }
        self.asking = None;
        if round.answered {
            self.trusted = Some(round.asked);
            return self.sees(round.asked, now);
        }
        if self.trusted.is_none() && self.crowd.heard_since(round.asked) {
            // Canaries were never reached from here, and others are while they are asked: a
            // network of its own, for which they are no measure.
            return self.sees(round.asked, now);
        }
        (self.wary, self.wanted) = (false, true);
        self.not_before = now.mono + AGAIN;
        let mut ruling = Ruling::default();
        if self.blind.is_none() {
            let since = self.crowd.first_failure().unwrap_or(now);
            self.blind = Some((since, round.why.clone()));
            ruling.sight = Some(Sight::Lost {
                since,
                why: round.why.clone(),
            });
        }
        let held = std::mem::take(&mut self.held).into_iter();
        ruling.freed = held
            .map(|(result, at)| (unseen(result, &round.why), at))
            .collect();
        ruling
    }

    /// What failed before `asked` did so on its own account.
    fn sees(&mut self, asked: Moment, now: Now) -> Ruling {
        let (freed, held) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|(_, at)| at.mono <= asked);
        self.held = held;
        self.wanted = !self.held.is_empty();
        self.wary = false;
        let Some((since, why)) = self.blind.take() else {
            return Ruling { freed, sight: None };
        };
        self.crowd = Crowd::default();
        self.was_blind = Some((now.mono, why.clone()));
        let lasted = now.mono.since(since.mono);
        Ruling {
            freed,
            sight: Some(Sight::Regained { since, lasted, why }),
        }
    }
}

/// Whether a failure may be that of the way there. An answer that is wrong came from somebody.
#[must_use]
pub fn is_doubtful(result: &CheckResult) -> bool {
    use Reason::{Closed, Dns, Refused, Timeout, Tls, Unreachable};
    let reason = result.reason;
    result.failed()
        && reason.is_none_or(|reason| {
            matches!(reason, Dns | Refused | Unreachable | Timeout | Tls | Closed)
        })
}

/// The same look, which says nothing of the site.
fn unseen(mut result: CheckResult, why: &str) -> CheckResult {
    result.verdict = Verdict::Unknown;
    result.reason = Some(Reason::Internal);
    let error = result.error.take().unwrap_or_default();
    let error: String = format!("could not check: {why}; the check itself said: {error}");
    result.error = Some(error.chars().take(400).collect::<String>().into());
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{JobId, SiteId, Timestamp};
    use crate::monitor::look;

    fn at(seconds: u64) -> Now {
        Now {
            mono: Moment::ZERO + Duration::from_secs(seconds),
            wall: Timestamp::from_micros(seconds as i64 * 1_000_000),
        }
    }

    /// A guard that holds a look which would open an outage, and has asked.
    fn holding() -> Guard {
        let mut guard = Guard::default();
        guard.switch(true, at(0));
        let job = JobId {
            site: SiteId::from_index(0),
            due: at(1).mono,
        };
        let facts = Facts {
            host: "a.invalid",
            local: false,
            opens: true,
            open: false,
        };
        let judged = guard.judge(look(job, Verdict::Down), facts, at(2));
        assert_eq!(judged, None, "it is held");
        assert!(guard.begin_round(at(2).mono));
        guard
    }

    #[test]
    fn whoever_is_asked_and_never_answers_holds_up_no_alarm() {
        let mut guard = holding();
        assert!(guard.overdue(at(31)).freed.is_empty(), "not yet");
        let ruling = guard.overdue(at(32));
        assert_eq!(ruling.freed.len(), 1);
        assert!(ruling.freed[0].0.failed(), "it is believed");
    }

    #[test]
    fn time_in_which_nothing_ran_is_no_time_to_answer() {
        let mut guard = holding();
        guard.beware(at(900).mono);
        assert!(guard.overdue(at(900)).freed.is_empty());
    }

    #[test]
    fn what_is_held_when_nobody_is_asked_any_more_is_believed() {
        let ruling = holding().switch(false, at(3));
        assert_eq!(ruling.freed.len(), 1);
        assert!(ruling.freed[0].0.failed());
    }

    #[test]
    fn blindness_ends_with_the_canaries() {
        let mut guard = holding();
        let round = Round {
            asked: at(2).mono,
            answered: false,
            why: "3 canaries do not answer either (dns)".into(),
        };
        assert!(matches!(
            guard.ruled(&round, at(7)).sight,
            Some(Sight::Lost { .. })
        ));
        let ruling = guard.switch(false, at(9));
        assert!(matches!(ruling.sight, Some(Sight::Regained { .. })));
        assert_eq!(guard.blind(), None);
    }
}
