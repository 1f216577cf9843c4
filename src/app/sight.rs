//! How the core asks itself "is it us?" before it believes what it sees.

use std::io;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;

use crate::domain::{CheckResult, Clock, Moment, Now, Outcome, SiteId};
use crate::monitor::{Facts, Round, Ruling, Sight, SiteState, State};

use super::canaries::Canaries;
use super::core::{Core, Happening};
use super::ledger::Word;

impl Core {
    /// Asks the canaries before failures are believed, and tells `speaker` what they answer.
    /// To be called before the first result comes.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn beware(&mut self, speaker: UnboundedSender<Word>) -> io::Result<()> {
        let tell = move |round| {
            // Nobody listens any more at the end.
            let _unheard = speaker.send(Word::Canaries(round));
        };
        let (kit, clock) = (Arc::clone(&self.kit), self.clock);
        self.canaries = Some(Canaries::start(kit, clock, tell)?);
        // Nothing is held yet.
        self.guard
            .switch(!self.canary_specs.is_empty(), self.clock.now());
        Ok(())
    }

    /// Since when nothing can be seen, and what that rests on.
    #[must_use]
    pub fn blind(&self) -> Option<(Now, &str)> {
        self.guard.blind()
    }

    /// Whether any look was good in this run.
    #[must_use]
    pub fn has_seen(&self) -> bool {
        self.monitor.latency(0.5).is_some()
    }

    /// Folds a look in, or holds it until it is known what it is worth.
    pub(super) fn weigh(&mut self, result: CheckResult) {
        let now = self.clock.now();
        let Some(state) = self.monitor.site(result.job.site) else {
            return;
        };
        let facts = Facts {
            host: state.site().spec.url.host(),
            local: is_local(state, &result),
            opens: state.failures() + 1 >= state.site().confirm,
            open: state.outage().is_some(),
        };
        if let Some(result) = self.guard.judge(result, facts, now) {
            self.observe(&Outcome::Checked(Arc::new(result)), now);
        }
        self.ask_canaries(now.mono);
    }

    /// Looks at the sites that a site depends on: it may be theirs.
    pub(super) fn ask_parents(&mut self, site: SiteId, now: Moment) {
        let parent = |state: &SiteState| {
            let parent = state.site().parent.as_deref()?;
            self.monitor.find(parent)
        };
        // The configuration has no circles.
        let above = std::iter::successors(self.monitor.site(site).and_then(parent), |state| {
            parent(state)
        });
        let above: Vec<SiteId> = above
            .filter(|state| state.outage().is_none() && !state.site().paused)
            .map(SiteState::id)
            .collect();
        for site in above {
            self.schedule.check_again(site, now);
        }
    }

    /// Begins a round, if one is wanted and may begin.
    pub(super) fn ask_canaries(&mut self, now: Moment) {
        let Some(canaries) = &self.canaries else {
            return;
        };
        if self.guard.begin_round(now) {
            canaries.ask(self.canary_specs.clone());
        }
    }

    /// Takes what a round found.
    pub fn hear(&mut self, round: &Round) {
        let now = self.clock.now();
        let ruling = self.guard.ruled(round, now);
        self.rule(ruling, now);
    }

    /// Does what follows from a round, or from there being none.
    pub(super) fn rule(&mut self, ruling: Ruling, now: Now) {
        for (result, at) in ruling.freed {
            self.observe(&Outcome::Checked(Arc::new(result)), at);
        }
        let Some(sight) = ruling.sight else { return };
        match &sight {
            Sight::Lost { since, .. } => {
                let mut notices = Vec::new();
                let doubtful = |state: &SiteState| {
                    let last = state.last_failure();
                    last.is_some_and(|last| !is_local(state, last))
                };
                self.monitor.doubt(*since, doubtful, now, &mut notices);
                if let Some(ledger) = &mut self.ledger {
                    ledger.notices(&notices, &self.monitor, now);
                }
            }
            Sight::Regained { .. } => {
                let unseen = |state: &&SiteState| state.state() == State::Unknown;
                for state in self.monitor.sites().filter(unseen) {
                    self.schedule.check_again(state.id(), now.mono);
                }
                if let Some(ledger) = &self.ledger {
                    ledger.sighted(&sight, &self.monitor, now);
                }
            }
        }
        self.happenings.push(Happening::Sight(sight));
    }
}

/// Whether a site is on this machine: no network lies between.
fn is_local(state: &SiteState, result: &CheckResult) -> bool {
    let url = &state.site().spec.url;
    let host = url.host();
    result.asked(url).map_or(
        host == "localhost" || host.ends_with(".localhost"),
        |address| address.is_loopback(),
    )
}
