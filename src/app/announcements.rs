//! Announces events: on the screen, and by bell and desktop notification.

use crate::domain::{Clock, SiteId, TimeFormat, Timestamp, brief, plural};
use crate::engine::{ConnectivityChange, Notice};
use crate::paradigm::WorkerLoss;
use crate::tui::{StatusMessage, Tone};

use super::event::Action;
use super::name_list::{listed, more};
use super::report::Happening;
use super::session_state::SessionState;

impl SessionState {
    /// Announces what has happened on the screen; gives the bell and notification for it, if any.
    pub(super) fn tell(&mut self) -> Option<Action> {
        let (mut down, mut up, mut slow) = (Vec::new(), Vec::new(), Vec::new());
        for happening in self.driver.take_happenings() {
            match happening {
                Happening::Switched(receipt) => {
                    let message = self.message(Tone::Good, receipt.to_string());
                    self.status_line.give(StatusMessage {
                        // The header names the paradigm as well.
                        short: Some(receipt.account()),
                        ..message
                    });
                }
                Happening::Notice(notice) => match notice {
                    Notice::Down { site } => down.extend(self.down(site)),
                    Notice::Recovered { site, lasted } => {
                        up.extend(self.name(site).map(|name| (name, brief(lasted))));
                    }
                    Notice::Degraded { site } => slow.extend(self.name(site)),
                    Notice::Connectivity(change) => self.connectivity(&change),
                    Notice::Unwatched { sites, .. } => {
                        let text =
                            format!("CHECKS DO NOT RUN: {} not watched", plural(sites, "site"));
                        self.say(Tone::Bad, text);
                    }
                    Notice::Watched { lasted } => {
                        self.say(
                            Tone::Good,
                            format!("checks run again, after {}", brief(lasted)),
                        );
                    }
                    Notice::StoodStill(gap) => {
                        tracing::warn!("the program stood still for {gap:?}");
                    }
                    Notice::Checked(_) => {}
                },
                Happening::Lost(loss) => self.lost(&loss),
                Happening::Acted(acted) => {
                    let text = format!("{}: {}", acted.actor, acted.text);
                    self.say(Tone::Info, text);
                }
                Happening::Delivery(_) | Happening::History(_) => {
                    if let Some((tone, text)) = self.health.hear(happening) {
                        self.say(tone, text);
                    }
                }
            }
        }
        if let [first, rest @ ..] = &slow[..] {
            let more = more(rest.len());
            self.say(Tone::Warn, format!("{first}{more} degraded"));
        }
        if !up.is_empty() {
            let names = up
                .iter()
                .map(|(name, lasted)| format!("{name} (after {lasted})"));
            self.say(Tone::Good, format!("UP again: {}", listed(names)));
        }
        if !down.is_empty() {
            let names = down.iter().map(|(name, why)| format!("{name} ({why})"));
            self.say(Tone::Bad, format!("DOWN: {}", listed(names)));
        }
        if down.is_empty() && up.is_empty() {
            return None;
        }
        Some(Action::Call {
            title: "squirrel".to_owned(),
            body: self
                .status_line
                .newest()
                .map_or_else(String::new, |message| message.text.clone()),
        })
    }

    fn down(&self, site: SiteId) -> Option<(Box<str>, String)> {
        let state = self.driver.monitor().site(site)?;
        let reason = state.outage()?.reason;
        Some((state.site().name.clone(), reason.to_string()))
    }

    fn connectivity(&mut self, change: &ConnectivityChange) {
        match change {
            ConnectivityChange::Lost { why, .. } => self.say(Tone::Bad, format!("BLIND: {why}")),
            ConnectivityChange::Regained { lasted, .. } => {
                let text = format!("the network can be seen again, after {}", brief(*lasted));
                self.say(Tone::Good, text);
            }
        }
    }

    /// Says which worker was lost, how, and what becomes of its check.
    fn lost(&mut self, loss: &WorkerLoss) {
        let who = loss.who.as_ref().map_or_else(
            || "a worker process".to_owned(),
            |who| format!("{} (pid {})", who.thread, who.pid),
        );
        let mut text = format!("{who} was replaced: {}", loss.how);
        if let Some(name) = loss.check.and_then(|site| self.name(site)) {
            text.push_str(&format!("; its check of {name} is run again"));
        }
        self.say(Tone::Warn, text);
    }

    pub(super) fn time(&self, at: Timestamp) -> String {
        TimeFormat::DateTime.unless_today(at, self.clock.timestamp(), &self.zone)
    }

    /// Says that the demo's own sites have ended, for as long as the screen is there: what is seen
    /// from now on is no outage of theirs.
    pub(super) fn demo_ended(&mut self, how: &str) {
        let text = format!(
            "THE DEMO'S SITES ARE GONE: the process that served them was lost ({how}). They count as \
             down from now on; quit and start the demo again"
        );
        tracing::error!("{text}");
        self.demo_end = Some(text);
    }

    /// What stands on top of the screen while checks are not run.
    pub(super) fn unwatched(&self) -> Option<String> {
        let since = self.driver.unwatched()?;
        let lasting = brief(self.clock.moment().since(since.mono));
        // After a restart none has missed a check yet.
        let sites = match self.driver.monitor().stalled() {
            0 => "sites are".to_owned(),
            stalled => plural(stalled, "site"),
        };
        Some(format!(
            "CHECKS DO NOT RUN for {lasting}: {sites} not watched; there is no worker, or too few"
        ))
    }

    /// What stands on top of the screen while nothing can be seen.
    pub(super) fn blindness(&self) -> Option<String> {
        let (since, why) = self.driver.blind()?;
        let lasting = brief(self.clock.moment().since(since.mono));
        Some(if self.driver.has_seen() {
            format!(
                "BLIND for {lasting}: {why}; checks that fail count as unknown, and no owner is told"
            )
        } else {
            format!("no network: {why}. `squirrel demo` shows everything without one")
        })
    }
}
