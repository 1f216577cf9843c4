//! "Is it us?": what looks like many sites down may be our own network. Before such failures
//! are believed, somebody else is asked.
//!
//! Canaries are asked first: hosts that nearly always answer. Where they are silent, witnesses
//! are: sites that were good a moment ago. One answer from another machine, begun after the
//! failure, is proof that the network works. While nobody answers the monitor is blind: checks
//! that fail are unknown, no owner is told of them, and further sites are asked, each of them once.
//!
//! A site on this machine needs no network and is always believed, and so is whatever an
//! answer of the site's own says (a status, a text that is missing): somebody was there to
//! give it. A captive portal's answer (511, or a redirect of every site to one foreign host)
//! is not the site's own.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::{CheckResult, Moment, Now, SiteId, Verdict};
use crate::monitor::Monitor;

use super::recent_failures::{Landings, RecentFailures};
use super::witnesses::{CheckFacts, WitnessSearch};

/// Canaries are not asked more often.
const ROUND_PAUSE: Duration = Duration::from_secs(1);

/// The least time between two rounds of canaries that have never answered, while sites do: as soon
/// as they answer once, they are a measure for this network.
const MEASURE_PAUSE: Duration = Duration::from_secs(60);

/// The pause between two rounds while nobody answers.
const BLIND_ROUND_PAUSE: Duration = Duration::from_secs(5);

/// Longer than any round takes.
const ROUND_TIMEOUT: Duration = Duration::from_secs(30);

/// Longer than the check of a witness takes, its wait for a worker included.
const WITNESS_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a canary's word holds against many failures that confirm nothing yet.
const TRUST: Duration = Duration::from_secs(10);

/// The status of captive portals (RFC 6585, section 6): never the site's own.
const NETWORK_AUTHENTICATION_REQUIRED: u16 = 511;

/// What a round of asking the canaries found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// The time at which the canaries were asked.
    pub asked: Moment,
    /// Whether any canary answered.
    pub answered: bool,
    /// What the canaries said otherwise: "3 canaries do not answer either (dns)".
    pub why: Box<str>,
}

/// The monitor became blind, or can see again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectivityChange {
    /// The monitor became blind.
    Lost {
        /// The first failure that is not believed.
        since: Now,
        /// The evidence: what the canaries said.
        why: Box<str>,
    },
    /// The monitor is blind no more.
    Regained {
        /// The first failure that was not believed.
        since: Now,
        /// The time from then to now.
        lasted: Duration,
        /// The reason for which the monitor was blind.
        why: Box<str>,
    },
}

/// What follows from an answer, or from there being none.
#[derive(Debug, Default)]
pub struct Ruling {
    /// Results that were held, and when they came.
    pub freed: Vec<(Arc<CheckResult>, Now)>,
    /// The change, if there is one.
    pub change: Option<ConnectivityChange>,
    /// Sites that were good a moment ago are to be checked now:
    /// [`Connectivity::witnesses`] is to be told how many.
    pub ask_witnesses: bool,
}

/// Witnesses that were asked.
#[derive(Debug)]
struct Asked {
    since: Moment,
    why: Box<str>,
}

/// Decides what failures are worth.
#[derive(Debug, Default)]
pub struct Connectivity {
    on: bool,
    failures: RecentFailures,
    landings: Landings,
    held: Vec<(Arc<CheckResult>, Now)>,
    /// When the round began that is under way.
    asking: Option<Moment>,
    /// A round should begin, once that may be.
    wanted: bool,
    /// When a site answered last.
    answered: Option<Moment>,
    /// When the last round began that shows whether canaries are a measure.
    measured: Option<Moment>,
    /// Such a round found no canary, and none has answered since.
    away: bool,
    not_before: Moment,
    /// When the last round began in which a canary answered.
    trusted: Option<Moment>,
    /// The latest start of a check that another machine answered.
    heard: Option<Moment>,
    witnesses: Option<Asked>,
    search: WitnessSearch,
    /// No failure is believed until the next round: this program itself stood still.
    wary: bool,
    blind: Option<(Now, Box<str>)>,
    /// When it could see again, and what blindness had rested on: a check that was begun before
    /// and failed was begun by a blind one.
    was_blind: Option<(Moment, Box<str>)>,
}

impl Connectivity {
    /// Whether there are canaries. Without, every result is believed, those that are held as
    /// well.
    pub fn switch(&mut self, on: bool, now: Now) -> Ruling {
        self.on = on;
        if on {
            return Ruling::default();
        }
        self.asking = None;
        self.sees(now.mono, now)
    }

    /// Ends rounds and witnesses that are overdue: canaries that say nothing at all hold up no
    /// alarm, and witnesses that say nothing say that nobody can be reached.
    pub fn overdue(&mut self, now: Now) -> Ruling {
        if let Some(asked) = &self.witnesses
            && now.mono.since(asked.since) >= WITNESS_TIMEOUT
        {
            let why = asked.why.clone();
            return self.goes_blind(&why, now);
        }
        let since = self.asking.map(|asked| now.mono.since(asked));
        if since.is_none_or(|since| since < ROUND_TIMEOUT) {
            return Ruling::default();
        }
        self.asking = None;
        self.sees(now.mono, now)
    }

    /// Goes on with the blindness that an earlier run has told of.
    pub fn restore(&mut self, since: Now, why: &str) {
        if self.on {
            self.blind = Some((since, why.into()));
            self.wanted = true;
        }
    }

    /// Since when nothing can be seen, and what that rests on.
    #[must_use]
    pub fn blind(&self) -> Option<(Now, &str)> {
        let (since, why) = self.blind.as_ref()?;
        Some((*since, why))
    }

    /// The program stood still or slept until `now`: the network may not be there yet, and
    /// those who are being asked stood still as well.
    pub fn stood_still(&mut self, now: Moment) {
        if self.on {
            (self.wary, self.wanted) = (true, true);
            self.asking = self.asking.map(|_| now);
            if let Some(asked) = &mut self.witnesses {
                asked.since = now;
            }
        }
    }

    /// Judges a result, and gives it back to be believed: as it is, or as one that saw nothing.
    /// `None`: it is held until somebody was asked. To be called in the order of time.
    pub fn judge(
        &mut self,
        result: Arc<CheckResult>,
        facts: CheckFacts<'_>,
        now: Now,
    ) -> (Option<Arc<CheckResult>>, Ruling) {
        if result.status == Some(NETWORK_AUTHENTICATION_REQUIRED) && !facts.believed {
            if self.on && self.blind.is_none() {
                // Whether anything is seen behind the portal, others have to say.
                self.failures.failed(facts.host, now);
                self.wanted |= self.witnesses.is_none();
            }
            let portal = unseen(
                result,
                "a captive portal answered in the site's place (511)",
            );
            return (Some(portal), Ruling::default());
        }
        if !self.on || facts.believed || result.verdict == Verdict::Unknown {
            return (Some(result), Ruling::default());
        }
        let portal = self.landings.is_portal(facts.host, facts.landed);
        if !result.is_doubtful() && !portal {
            return self.good(result, facts, now);
        }
        if let Some((_, why)) = &self.blind {
            return (Some(unseen(result, why)), Ruling::default());
        }
        if let Some((until, why)) = &self.was_blind
            && result.started < *until
        {
            return (Some(unseen(result, why)), Ruling::default());
        }
        if facts.open && !portal {
            return (Some(result), Ruling::default());
        }
        if !portal {
            self.failures.failed(facts.host, now);
        }
        let trusted = self
            .trusted
            .is_some_and(|asked| now.mono.since(asked) < TRUST);
        // Asked already about the first failure: a cut that is over by the time of the second
        // check would not be seen any more.
        self.wanted |= self.witnesses.is_none();
        let many = self.failures.is_suspicious() && !trusted;
        if portal || facts.opens || self.wary || many || self.witnesses.is_some() {
            self.held.push((result, now));
            return (None, Ruling::default());
        }
        (Some(result), Ruling::default())
    }

    /// Another machine answered.
    fn good(
        &mut self,
        result: Arc<CheckResult>,
        facts: CheckFacts<'_>,
        now: Now,
    ) -> (Option<Arc<CheckResult>>, Ruling) {
        self.failures.answered(facts.host, now);
        self.heard = self.heard.max(Some(result.started));
        self.answered = Some(now.mono);
        let began_blind = self
            .blind
            .as_ref()
            .is_some_and(|(since, _)| result.started < since.mono);
        let asked = self.witnesses.as_ref().map(|asked| asked.since);
        let proof = match asked {
            Some(asked) => result.started >= asked,
            None => self.blind.is_some() && !began_blind,
        };
        let ruling = if proof {
            self.sees(result.started, now)
        } else {
            Ruling::default()
        };
        let measured = self.measured;
        self.wanted |= self.trusted.is_none()
            && now.mono >= self.not_before
            && measured.is_none_or(|then| now.mono.since(then) >= MEASURE_PAUSE);
        (Some(result), ruling)
    }

    /// Whether a round is to begin now; it counts as begun then.
    pub fn begin_round(&mut self, now: Moment) -> bool {
        let begins = self.on && self.wanted && self.asking.is_none() && now >= self.not_before;
        if begins {
            (self.asking, self.wanted) = (Some(now), false);
            // In the moment in which a site answers, canaries show whether they are a measure
            // for this network.
            self.measured = self.answered.filter(|at| *at == now).or(self.measured);
            self.not_before = now + ROUND_PAUSE;
        }
        begins
    }

    /// When something has to be decided next, if nobody says anything before.
    #[must_use]
    pub fn next_wake(&self) -> Option<Moment> {
        let round = (self.on && self.wanted && self.asking.is_none()).then_some(self.not_before);
        let asking = self.asking.map(|asked| asked + ROUND_TIMEOUT);
        let witnesses = self.witnesses.as_ref();
        let witnesses = witnesses.map(|asked| asked.since + WITNESS_TIMEOUT);
        [round, asking, witnesses].into_iter().flatten().min()
    }

    /// Takes what a round found.
    pub fn ruled(&mut self, round: &Round, now: Now) -> Ruling {
        if !self.on {
            return Ruling::default();
        }
        let asking = self.asking.take();
        if round.answered {
            (self.trusted, self.away) = (Some(round.asked), false);
            return self.sees(round.asked, now);
        }
        self.away |= asking.is_some() && asking == self.measured;
        (self.wary, self.wanted) = (false, self.blind.is_some());
        self.not_before = now.mono + BLIND_ROUND_PAUSE;
        if self.blind.is_some() {
            // Those that were asked may be down themselves: others are asked, each of them once.
            return Ruling {
                ask_witnesses: true,
                ..Ruling::default()
            };
        }
        if self.witnesses.is_some() {
            return Ruling::default();
        }
        if let Some(heard) = self.heard.filter(|heard| *heard >= round.asked) {
            // Others answer while the canaries do not: the canaries are away, not we.
            return self.sees(heard, now);
        }
        self.witnesses = Some(Asked {
            since: now.mono,
            why: round.why.clone(),
        });
        Ruling {
            ask_witnesses: true,
            ..Ruling::default()
        }
    }

    /// Sites that are to be checked now, of which one good answer is proof that we see: none of which a
    /// failure is held, and none twice.
    pub(super) fn find_witnesses(&mut self, monitor: &Monitor) -> Vec<SiteId> {
        let held = self.held.iter().map(|(result, _)| result.job.site);
        self.search.find(monitor, held, self.blind.is_some())
    }

    /// So many witnesses are checked now.
    pub fn witnesses(&mut self, count: usize, now: Now) -> Ruling {
        let Some(asked) = self.witnesses.take_if(|_| count == 0) else {
            return Ruling::default();
        };
        if self.trusted.is_none() && self.away {
            // Canaries were never reached from here, even while a site was: a network of its
            // own, for which they are no measure.
            return self.sees(now.mono, now);
        }
        self.goes_blind(&asked.why, now)
    }

    fn goes_blind(&mut self, why: &str, now: Now) -> Ruling {
        self.witnesses = None;
        self.wanted = true;
        let mut ruling = Ruling::default();
        if self.blind.is_none() {
            let since = self.failures.first_failure().unwrap_or(now);
            self.blind = Some((since, why.into()));
            ruling.change = Some(ConnectivityChange::Lost {
                since,
                why: why.into(),
            });
        }
        let held = std::mem::take(&mut self.held).into_iter();
        ruling.freed = held.map(|(result, at)| (unseen(result, why), at)).collect();
        ruling
    }

    /// Failures that came before `asked` are the sites' own.
    fn sees(&mut self, asked: Moment, now: Now) -> Ruling {
        let (freed, held) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|(_, at)| at.mono <= asked);
        self.held = held;
        self.wanted = !self.held.is_empty();
        self.wary = false;
        self.witnesses = None;
        self.search = WitnessSearch::default();
        self.landings.forget();
        let Some((since, why)) = self.blind.take() else {
            return Ruling {
                freed,
                ..Ruling::default()
            };
        };
        self.failures = RecentFailures::default();
        self.was_blind = Some((now.mono, why.clone()));
        let lasted = now.mono.since(since.mono);
        Ruling {
            freed,
            change: Some(ConnectivityChange::Regained { since, lasted, why }),
            ..Ruling::default()
        }
    }
}

/// The same result, which says nothing of the site.
fn unseen(result: Arc<CheckResult>, why: &str) -> Arc<CheckResult> {
    Arc::new(Arc::unwrap_or_clone(result).unseen(why))
}
