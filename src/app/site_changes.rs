//! What keys change of sites (pauses, maintenance, acknowledgements), and taking the last one back.

use std::sync::Arc;

use crate::domain::{Acknowledgement, SiteId, clean, plural};
use crate::tui::Tone;

use super::event::{Action, KeyChange};
use super::name_list::listed;
use super::session_state::SessionState;

impl SessionState {
    /// Pauses a site, or resumes it.
    pub(super) fn pause(&mut self, site: SiteId, paused: bool) -> Option<Action> {
        self.driver.set_paused(site, paused);
        self.last_change = Some(KeyChange::Pause(site, !paused));
        let site = Arc::clone(self.driver.monitor().site(site)?.site());
        Some(Action::Pause(site, paused))
    }

    /// Begins maintenance at a site, or ends it.
    pub(super) fn maintain(&mut self, site: SiteId) {
        let Some(name) = self.name(site) else { return };
        self.last_change = Some(KeyChange::Maintenance(site));
        let text = match self.driver.maintain(site) {
            Some(until) => format!(
                "{name}: maintenance until {}, nobody is told of it",
                self.time(until)
            ),
            None => format!("{name}: maintenance is over, owners are told again"),
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
            Some(KeyChange::Pause(site, before)) => return self.pause(site, before),
            Some(KeyChange::Maintenance(site)) => self.maintain(site),
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
