//! The actions of keys on the Outages screen and on the pages of the history.

use crate::domain::clean;
use crate::history::DeliveryState;

use super::format::{clock_minute, count, cut};
use super::history_view::{CheckSpan, OutageView};
use super::keymap::{KeyAction, Scope};
use super::outages_state::{OutageAction, OutageKey, Pane};
use super::state::{Layer, UiState};
use super::view_model::{Intent, Tone, ViewModel};
use super::views::VIEWS;

/// Whether the Outages screen is shown.
pub(super) fn is_here(state: &UiState) -> bool {
    let view = VIEWS.get(state.view);
    view.is_some_and(|view| view.scopes.contains(&Scope::Outages))
}

/// Performs the action; gives the request to the app, if it needs one.
pub(super) fn act(
    state: &mut UiState,
    recall: OutageAction,
    model: &ViewModel<'_>,
) -> Option<Intent> {
    match recall {
        OutageAction::SendAgain => return send_again(state, model),
        OutageAction::Open => open(state, model),
        OutageAction::OtherPane => {
            state.outages.pane = match state.outages.pane {
                Pane::Outages => Pane::Outbox,
                Pane::Outbox => Pane::Outages,
            };
        }
        OutageAction::SiteHistory => {
            let outage = outage_in_front(state, model).map(|outage| outage.site);
            match outage.unwrap_or_else(|| state.selected()) {
                Some(site) => state.layers.push(Layer::SiteHistory { site, scroll: 0 }),
                None => say_gone(state, model),
            }
        }
        OutageAction::Checks => list_checks(state, model),
        OutageAction::Messages => {
            let layer = outage_in_front(state, model).map(|outage| Layer::OutageMessages {
                outage: OutageKey::of(outage),
                scroll: 0,
            });
            state.layers.extend(layer);
        }
        OutageAction::Replay => state.layers.push(Layer::Replay { scroll: 0 }),
        OutageAction::Longer | OutageAction::Shorter => {
            state.outages.zoom(recall == OutageAction::Longer);
        }
    }
    None
}

/// The outage whose page is in front, or the selected one of the list.
fn outage_in_front<'a>(state: &'a UiState, model: &ViewModel<'a>) -> Option<&'a OutageView> {
    let history = state.history(model);
    match state.layers.last() {
        Some(Layer::Outage { outage, .. }) => outage.find(history),
        None if is_here(state) => state.outages.outage(history),
        _ => None,
    }
}

fn say_gone(state: &mut UiState, model: &ViewModel<'_>) {
    let text = "The site of this outage is no longer in the configuration.";
    state.say(Tone::Info, text, model.now.mono);
}

/// Lists the checks of the outage in front, or of the span of the history in front.
fn list_checks(state: &mut UiState, model: &ViewModel<'_>) {
    let of_outage = outage_in_front(state, model).map(|outage| {
        let from = outage.row.last_good.unwrap_or(outage.row.since);
        let span = CheckSpan::Outage(from.min(outage.row.since), outage.row.ended);
        (outage.site, span)
    });
    let (site, span) = match (of_outage, state.layers.last()) {
        (Some(found), _) => found,
        (None, Some(Layer::SiteHistory { site, .. })) => {
            (Some(*site), CheckSpan::Last(state.outages.span))
        }
        _ => return,
    };
    match site {
        Some(site) => state.layers.push(Layer::SiteChecks {
            site,
            span,
            scroll: 0,
        }),
        None => say_gone(state, model),
    }
}

fn send_again(state: &mut UiState, model: &ViewModel<'_>) -> Option<Intent> {
    let history = model.history;
    if state.outages.pane == Pane::Outages {
        state.outages.go_to_undelivered(history);
        let text = "Outbox: press r to send the selected message again.";
        state.say(Tone::Info, text, model.now.mono);
        return None;
    }
    let queued = state.outages.message(history)?;
    let text = match queued.delivery {
        DeliveryState::Sent => "This message was delivered: it is not sent twice.".to_owned(),
        DeliveryState::Waiting if queued.next > model.now.wall => {
            let until = clock_minute(queued.next, &state.options.zone);
            format!("The hours of its owner: this message is not sent before {until}.")
        }
        DeliveryState::Waiting => {
            "This message is sent in a moment, with others of its kind.".to_owned()
        }
        DeliveryState::Pending | DeliveryState::Retrying | DeliveryState::Failed => {
            return Some(Intent::SendAgain(queued.message.id.clone()));
        }
    };
    state.say(Tone::Info, text, model.now.mono);
    None
}

fn open(state: &mut UiState, model: &ViewModel<'_>) {
    let history = state.history(model);
    let layer = match state.outages.pane {
        Pane::Outages => state.outages.outage(history).map(|outage| Layer::Outage {
            outage: OutageKey::of(outage),
            scroll: 0,
        }),
        Pane::Outbox => state.outages.message(history).map(|queued| Layer::Message {
            id: queued.message.id.clone(),
            scroll: 0,
        }),
    };
    state.layers.extend(layer);
}

/// Moves the selection of the list in front.
pub(super) fn travel(state: &mut UiState, action: KeyAction, page: usize, model: &ViewModel<'_>) {
    let most = isize::MAX;
    let page = isize::try_from(page / 2).unwrap_or(1).max(1);
    let by = match action {
        KeyAction::Up => -1,
        KeyAction::Down => 1,
        KeyAction::PageUp => -page,
        KeyAction::PageDown => page,
        KeyAction::Bottom => most,
        _ => return state.outages.first(),
    };
    let history = match &state.frozen {
        Some(frozen) => &frozen.history,
        None => model.history,
    };
    state.outages.walk(history, by);
}

/// The text being typed: a note, what is searched in the help, or the filter of this screen.
pub(super) fn text(state: &UiState) -> &str {
    match state.layers.last() {
        Some(Layer::Note { text, .. } | Layer::Tags { text, .. }) => text,
        Some(Layer::SiteForm(form)) => form.text(),
        Some(Layer::Help { .. } | Layer::HelpFilter) => &state.help_filter,
        _ if is_here(state) => &state.outages.filter,
        _ => state.order.filter().text(),
    }
}

/// The filter of the list on the screen, or of the sites, with the number of rows that it leaves;
/// `None` without one.
pub(super) fn filter_in_words(state: &UiState, model: &ViewModel<'_>) -> Option<String> {
    /// The most cells of the filter that the header has room for.
    const MAX_CELLS: usize = 24;
    let (text, listed, all) = if is_here(state) {
        let history = state.history(model);
        let listed = state.outages.outages(history).len();
        (&*state.outages.filter, listed, history.outages.len())
    } else {
        let filter = state.order.filter().text();
        (filter, state.order.rows().len(), model.monitor.ids().len())
    };
    let shown = cut(&clean(text, 60), MAX_CELLS);
    let (listed, all) = (count(listed), count(all));
    (!text.trim().is_empty()).then(|| format!("filter \"{shown}\": {listed} of {all}"))
}

/// Replaces the text being typed.
pub(super) fn set_text(state: &mut UiState, new: &str) {
    let here = is_here(state);
    match state.layers.last_mut() {
        Some(Layer::Note { text, .. } | Layer::Tags { text, .. }) => new.clone_into(text),
        Some(Layer::SiteForm(form)) => form.set_text(new),
        Some(Layer::HelpFilter | Layer::Help { .. }) => new.clone_into(&mut state.help_filter),
        _ if here => new.clone_into(&mut state.outages.filter),
        _ => state.order.set_filter(new),
    }
}
