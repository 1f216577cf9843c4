//! What becomes of edits of sites: a trial first, the file, and what is said of it.

use std::sync::Arc;

use crate::config::{EditError, WrittenEdit};
use crate::domain::{MaskedUrl, Site, SiteEdit, SiteField, SiteId, SiteValues, plural};
use crate::monitor::Monitor;
use crate::tui::{Tone, TriedSite};

use super::config_watcher::FileEdit;
use super::event::{Action, KeyChange};
use super::name_list::listed;
use super::session_state::SessionState;
use super::site_editor::with_password;
use super::site_trial::{SiteTrial, SiteTrialResult};

impl SessionState {
    /// Tries a site as it was typed.
    pub(super) fn try_site(
        &mut self,
        number: u64,
        site: Option<SiteId>,
        fields: &SiteValues,
    ) -> Option<Action> {
        let draft = self
            .editor
            .draft(site, fields, self.driver.monitor())
            .ok()?;
        Some(Action::Try(SiteTrial {
            number,
            spec: draft.spec,
            ca_file: self.editor.monitor.ca_file.clone(),
        }))
    }

    /// Takes in the result of a trial.
    pub(super) fn tried(&mut self, (number, result): SiteTrialResult) {
        self.editor.tried = Some(TriedSite { number, result });
    }

    /// Asks for an edit of the file.
    pub(super) fn edit(&mut self, edit: SiteEdit) -> Option<Action> {
        if let Some(why) = self.editor.refusal {
            self.answer(Tone::Info, why);
            return None;
        }
        let edit = match edit {
            SiteEdit::Change(site, fields) => {
                let fields = with_password(&fields, Some(&site));
                SiteEdit::Change(site, fields)
            }
            edit => edit,
        };
        Some(Action::Edit(FileEdit::Sites(edit)))
    }

    /// Takes in what came of an edit of the file.
    pub(super) fn edited(&mut self, edit: &FileEdit, written: Result<WrittenEdit, EditError>) {
        let source = &self.source;
        let is_pause = matches!(edit, FileEdit::Sites(SiteEdit::Pause(..)));
        match written {
            Ok(written) => {
                let text = match edit {
                    FileEdit::Sites(SiteEdit::Pause(..)) => {
                        format!("{}, and so in {source}", in_words(edit))
                    }
                    FileEdit::Sites(_) => {
                        format!("{}: written into {source}; u takes it back", in_words(edit))
                    }
                    FileEdit::Restore(_, false) => {
                        format!("taken back: {source} is as it was before; u does it again")
                    }
                    FileEdit::Restore(..) => format!("done again: {source} has the edit"),
                };
                self.answer(Tone::Good, text);
                if !is_pause {
                    let undone = matches!(edit, FileEdit::Restore(_, false));
                    self.last_change = Some(KeyChange::File(written.undo, undone));
                }
            }
            Err(error) if is_pause => {
                let text = format!("{}, until the end only: {error}", in_words(edit));
                self.answer(Tone::Warn, text);
            }
            Err(error) => self.answer(
                Tone::Warn,
                format!("nothing was changed: {}", error.reason()),
            ),
        }
    }
}

/// An edit of sites in words: "2 sites deleted: a, b".
fn in_words(edit: &FileEdit) -> String {
    let FileEdit::Sites(edit) = edit else {
        return String::new();
    };
    let done = match edit {
        SiteEdit::Add(fields) => {
            let value = |wanted| {
                let mut fields = fields.iter();
                let found = fields.find(|(key, text)| *key == wanted && !text.trim().is_empty());
                found.map(|(_, text)| text.trim())
            };
            let name = value(SiteField::Name).or_else(|| value(SiteField::Url));
            let shown = MaskedUrl::new(name.unwrap_or_default());
            return format!("{} added", shown.shown());
        }
        SiteEdit::Change(_, fields) => {
            let keys: Vec<&str> = fields.iter().map(|(key, _)| key.name()).collect();
            format!("changed ({})", keys.join(", "))
        }
        SiteEdit::Delete(_) => "deleted".to_owned(),
        SiteEdit::Pause(_, true) => "paused".to_owned(),
        SiteEdit::Pause(_, false) => "resumed".to_owned(),
        SiteEdit::Tag { add, remove, .. } => {
            let signed = |sign: char, tags: &[Box<str>]| {
                tags.iter()
                    .map(|tag| format!("{sign}{tag}"))
                    .collect::<Vec<_>>()
            };
            let tags = [signed('+', add), signed('-', remove)].concat();
            format!("tagged {}", tags.join(" "))
        }
    };
    let names = edit.sites().iter().map(|site| site.name.to_string());
    match edit.sites() {
        [site] => format!("{} {done}", site.name),
        sites => format!("{} {done}: {}", plural(sites.len(), "site"), listed(names)),
    }
}

/// The sites of these ids, as they are configured.
pub(super) fn sites_of(monitor: &Monitor, ids: &[SiteId]) -> Vec<Arc<Site>> {
    let sites = ids.iter().filter_map(|id| monitor.site(*id));
    sites.map(|state| Arc::clone(state.site())).collect()
}
