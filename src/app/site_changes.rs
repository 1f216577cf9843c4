//! What keys change of sites (pauses, maintenance, acknowledgements), and taking the last one back.

use crate::domain::{Acknowledgement, SiteEdit, SiteId, clean, plural};
use crate::tui::Tone;

use super::config_watcher::FileEdit;
use super::event::{Action, KeyChange};
use super::name_list::listed;
use super::session_state::SessionState;
use super::site_edits::sites_of;

impl SessionState {
    /// Pauses those of the sites that are not paused, or resumes those that are.
    pub(super) fn pause(&mut self, mut sites: Vec<SiteId>, paused: bool) -> Option<Action> {
        let monitor = self.driver.monitor();
        sites.retain(|id| {
            let state = monitor.site(*id);
            state.is_some_and(|state| state.site().paused != paused)
        });
        for site in &sites {
            self.driver.set_paused(*site, paused);
        }
        let configured = sites_of(self.driver.monitor(), &sites);
        if configured.is_empty() {
            return None;
        }
        self.last_change = Some(KeyChange::Pause(sites, !paused));
        let edit = SiteEdit::Pause(configured, paused);
        Some(Action::Edit(FileEdit::Sites(edit)))
    }

    /// Begins maintenance at those of the sites that have none, or ends it where all have it.
    pub(super) fn maintain(&mut self, sites: &[SiteId]) {
        let known = sites
            .iter()
            .filter(|site| self.driver.monitor().site(**site).is_some());
        let known: Vec<SiteId> = known.copied().collect();
        let has = |site: &&SiteId| self.driver.maintenance(**site).is_some();
        let without: Vec<SiteId> = known.iter().filter(|site| !has(site)).copied().collect();
        let turned = if without.is_empty() { known } else { without };
        let ends: Vec<_> = turned
            .iter()
            .map(|site| self.driver.maintain(*site))
            .collect();
        let names: Vec<String> = turned
            .iter()
            .filter_map(|site| self.name(*site).map(String::from))
            .collect();
        let name = match &names[..] {
            [] => return,
            [name] => name.clone(),
            names => {
                let sites = plural(names.len(), "site");
                format!("{sites} ({})", listed(names.iter().cloned()))
            }
        };
        let text = match ends.last().copied().flatten() {
            Some(until) => format!(
                "{name}: maintenance until {}, nobody is told of it",
                self.time(until)
            ),
            None => format!("{name}: maintenance is over, owners are told again"),
        };
        self.last_change = Some(KeyChange::Maintenance(turned));
        self.answer(Tone::Info, text);
    }

    /// Checks sites now.
    pub(super) fn recheck(&mut self, sites: &[SiteId]) {
        for site in sites {
            self.driver.recheck(*site);
        }
        let is_paused = |site: &&SiteId| self.driver.due_of(**site).is_none();
        let text = match sites {
            [site] => {
                let Some(name) = self.name(*site) else { return };
                let what = if is_paused(&site) {
                    "is paused"
                } else {
                    "is checked now"
                };
                format!("{name} {what}")
            }
            sites => {
                let paused = sites.iter().filter(is_paused).count();
                let checked = plural(sites.len() - paused, "site");
                match paused {
                    0 => format!("checking {checked} now"),
                    paused => format!("checking {checked} now; {paused} paused"),
                }
            }
        };
        self.answer(Tone::Info, text);
    }

    /// Acknowledges the open outages of sites in the name of the user who runs the program; `None`
    /// takes that back.
    pub(super) fn acknowledge(&mut self, sites: &[SiteId], note: Option<&str>) {
        let by = note.map(|note| Acknowledgement {
            at: self.driver.now(),
            note: signed(note, user().as_deref()).into(),
        });
        self.set_acknowledged(sites.iter().map(|site| (*site, by.clone())).collect());
    }

    fn set_acknowledged(&mut self, sites: Vec<(SiteId, Option<Acknowledgement>)>) {
        self.history.ask_again();
        let known = sites.iter().any(|(_, by)| by.is_some());
        let (mut before, mut names, mut over) = (Vec::new(), Vec::new(), Vec::new());
        for (site, by) in sites {
            let Some(state) = self.driver.monitor().site(site) else {
                continue;
            };
            let name = state.site().name.to_string();
            let was = state.outage().map(|outage| outage.acknowledged.clone());
            match was.filter(|_| self.driver.acknowledge(site, by)) {
                Some(was) => {
                    before.push((site, was));
                    names.push(name);
                }
                None => over.push(name),
            }
        }
        if !before.is_empty() {
            self.last_change = Some(KeyChange::Acknowledgements(before));
        }
        let more = if known { "" } else { " no more" };
        let text = match (&names[..], &over[..]) {
            ([], over) => format!("{}: no open outage", listed(over.iter().cloned())),
            ([name], _) => format!("the outage of {name} is acknowledged{more}"),
            (names, _) => format!(
                "{} are acknowledged{more}: {}",
                plural(names.len(), "outage"),
                listed(names.iter().cloned())
            ),
        };
        self.answer(Tone::Info, text);
    }

    /// Takes the last change back; doing so again repeats it.
    pub(super) fn take_back(&mut self) -> Option<Action> {
        match self.last_change.take() {
            Some(KeyChange::Pause(sites, before)) => return self.pause(sites, before),
            Some(KeyChange::Maintenance(sites)) => self.maintain(&sites),
            Some(KeyChange::File(undo, again)) => {
                return Some(Action::Edit(FileEdit::Restore(undo, again)));
            }
            Some(KeyChange::Acknowledgements(before)) => self.set_acknowledged(before),
            None => self.answer(Tone::Info, "there is nothing to take back"),
        }
        None
    }
}

/// The name of the user who runs the program; `None` if the environment has none.
fn user() -> Option<String> {
    ["USER", "LOGNAME"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|name| !name.is_empty())
}

/// A note with the name of the user who wrote it: "ana: restarting it".
fn signed(note: &str, user: Option<&str>) -> String {
    let text = match (user, note.trim()) {
        (Some(user), "") => user.to_owned(),
        (Some(user), note) => format!("{user}: {note}"),
        (None, note) => note.to_owned(),
    };
    clean(&text, 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_signed_and_cannot_move_the_cursor() {
        assert_eq!(signed(" restarting ", Some("ana")), "ana: restarting");
        assert_eq!(signed("", Some("ana")), "ana");
        assert_eq!(signed("restarting", None), "restarting");
        assert_eq!(signed("a\u{1b}[2Jb", None), "a [2Jb");
    }
}
