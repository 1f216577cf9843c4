//! Editing sites by key: the form of one site, its deletion, tags, and marks by which keys act on
//! many.

use std::sync::Arc;

use ratatui::text::Span;

use crate::domain::{Site, SiteEdit, SiteId, clean, plural};

use super::keymap::KeyAction;
use super::layout;
use super::site_form::{SiteForm, TrialState};
use super::state::{Layer, UiState};
use super::theme::{self, BOLD};
use super::view_model::{Intent, Tone, ViewModel};
use super::widgets::{Piece, typed};

/// The sites that a key acts on: those that are marked, or else the selected one.
pub(super) fn meant(state: &UiState, model: &ViewModel<'_>) -> Vec<SiteId> {
    let is_there = |id: &SiteId| model.monitor.site(*id).is_some();
    let marked: Vec<SiteId> = state.marks.iter().copied().filter(is_there).collect();
    if state.layers.is_empty() && !marked.is_empty() {
        return marked;
    }
    state.meant().filter(is_there).into_iter().collect()
}

/// Performs an action of the editor; gives the request to the app, if it needs one.
pub(super) fn act(state: &mut UiState, action: KeyAction, model: &ViewModel<'_>) -> Option<Intent> {
    match action {
        KeyAction::Mark => mark(state, model),
        KeyAction::MarkAll => mark_all(state),
        KeyAction::NextField | KeyAction::PreviousField => {
            if let Some(Layer::SiteForm(form)) = state.layers.last_mut() {
                form.go(action == KeyAction::NextField);
            }
        }
        KeyAction::KeepSite => return keep(state, model),
        KeyAction::SetTags => return set_tags(state, model),
        KeyAction::Confirm => {
            if let Some(Layer::Delete { sites, .. }) = state.layers.pop() {
                // The page of a site that is deleted says nothing any more.
                state.layers.clear();
                state.marks.clear();
                return Some(Intent::Edit(SiteEdit::Delete(configured(&sites, model))));
            }
        }
        _ => begin(state, action, model),
    }
    None
}

/// Opens the form, the question or the line of a key.
fn begin(state: &mut UiState, action: KeyAction, model: &ViewModel<'_>) {
    if let Some(why) = model.form.refusal {
        state.say(Tone::Info, format!("Not possible: {why}."), model.now.mono);
        return;
    }
    if action == KeyAction::AddSite {
        state.layers.push(Layer::SiteForm(SiteForm::new_site()));
        return;
    }
    let sites = meant(state, model);
    let Some(first) = state.meant().or_else(|| sites.first().copied()) else {
        return;
    };
    if state.layers.is_empty() && sites.len() == 1 {
        state.follow(first, layout::page(state, model));
    }
    match action {
        KeyAction::EditSite => {
            if let Some(site) = model.monitor.site(first) {
                let form = SiteForm::of(first, site.site());
                state.layers.push(Layer::SiteForm(form));
            }
        }
        KeyAction::DeleteSites => {
            let about = named(&sites, model);
            state.layers.push(Layer::Delete { sites, about });
        }
        _ => {
            let about = named(&sites, model);
            let text = String::new();
            state.layers.push(Layer::Tags { sites, about, text });
        }
    }
}

/// The name of the one site, or the number of several.
fn named(sites: &[SiteId], model: &ViewModel<'_>) -> String {
    match sites {
        [site] => model
            .monitor
            .site(*site)
            .map_or_else(String::new, |site| clean(&site.site().name, 40)),
        sites => format!("{} (marked)", plural(sites.len(), "site")),
    }
}

fn configured(sites: &[SiteId], model: &ViewModel<'_>) -> Vec<Arc<Site>> {
    let sites = sites.iter().filter_map(|id| model.monitor.site(*id));
    sites.map(|state| Arc::clone(state.site())).collect()
}

fn mark(state: &mut UiState, model: &ViewModel<'_>) {
    let Some(site) = state.meant() else { return };
    let page = layout::page(state, model);
    state.follow(site, page);
    if !state.marks.remove(&site) {
        state.marks.insert(site);
    }
    state.walk(1, page);
}

/// Marks all sites that are listed; where they are marked already, takes the marks away.
fn mark_all(state: &mut UiState) {
    let listed = state.order.rows();
    if listed.iter().all(|site| state.marks.contains(site)) {
        state.marks.clear();
    } else {
        state.marks.extend(listed.iter().copied());
    }
}

/// Tries what was typed, or keeps it where it was tried.
fn keep(state: &mut UiState, model: &ViewModel<'_>) -> Option<Intent> {
    let number = state.trials + 1;
    let Some(Layer::SiteForm(form)) = state.layers.last_mut() else {
        return None;
    };
    let fields = form.changed();
    if fields.is_empty() && form.site.is_some() {
        state.layers.pop();
        state.say(Tone::Info, "Nothing was changed.", model.now.mono);
        return None;
    }
    form.asked = true;
    if let Some(mistake) = form.mistakes(model).first() {
        if let Some(key) = mistake.key {
            form.go_to(key);
        }
        return None;
    }
    let site = form.site;
    match form.trial(model) {
        TrialState::None if form.needs_trial() => {
            form.tries(number);
            state.trials = number;
            return Some(Intent::TrySite {
                number,
                site,
                fields,
            });
        }
        TrialState::Trying => return None,
        TrialState::None | TrialState::Tried(_) => {}
    }
    state.layers.pop();
    let edit = match site {
        None => SiteEdit::Add(fields),
        Some(id) => {
            let Some(site) = model.monitor.site(id) else {
                let text = "The site is no longer in the configuration.";
                state.say(Tone::Warn, text, model.now.mono);
                return None;
            };
            SiteEdit::Change(Arc::clone(site.site()), fields)
        }
    };
    Some(Intent::Edit(edit))
}

/// Asks for the tags that were typed: "+shop -old", a word without a sign is added.
fn set_tags(state: &mut UiState, model: &ViewModel<'_>) -> Option<Intent> {
    let Some(Layer::Tags { sites, text, .. }) = state.layers.pop() else {
        return None;
    };
    let (mut add, mut remove): (Vec<Box<str>>, Vec<Box<str>>) = (Vec::new(), Vec::new());
    for word in text.split([' ', ',']).filter(|word| !word.is_empty()) {
        match word.strip_prefix('-') {
            Some(tag) => remove.push(tag.into()),
            None => add.push(word.strip_prefix('+').unwrap_or(word).into()),
        }
    }
    add.retain(|tag| !tag.is_empty());
    remove.retain(|tag| !tag.is_empty() && !add.contains(tag));
    if add.is_empty() && remove.is_empty() {
        return None;
    }
    Some(Intent::Edit(SiteEdit::Tag {
        sites: configured(&sites, model),
        add,
        remove,
    }))
}

/// The line of what is asked or typed in front of a screen.
pub(super) fn asked(layer: &Layer) -> Option<Piece<'static>> {
    match layer {
        Layer::Tags { about, text, .. } => {
            Some(typed(format!("tags of {about}: +new -old "), text))
        }
        Layer::Delete { about, .. } => Some(Piece::new(
            0,
            vec![
                Span::styled(
                    format!("Delete {about} from sites.toml? "),
                    theme::tone(Tone::Warn),
                ),
                Span::styled("y", BOLD),
                Span::raw(" deletes, "),
                Span::styled("Esc", BOLD),
                Span::raw(" keeps"),
            ],
        )),
        _ => None,
    }
}
