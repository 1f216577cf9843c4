//! What keys do among outages and letters, and on the page of a site's past.

use super::keymap::{Action, Scope};
use super::outages_state::{OutageKey, Pane, Recall};
use super::state::{Layer, State};
use super::view_model::{Intent, Scene, Tone};
use super::views::VIEWS;

/// Whether the screen is the one of outages.
pub(super) fn is_here(state: &State) -> bool {
    let view = VIEWS.get(state.view);
    view.is_some_and(|view| view.scopes.contains(&Scope::Outages))
}

/// Performs it.
pub(super) fn act(state: &mut State, recall: Recall, scene: &Scene<'_>) -> Option<Intent> {
    match recall {
        Recall::Acknowledge => return acknowledge(state, scene),
        Recall::Done => return done(state, scene),
        Recall::SendAgain => return send_again(state, scene),
        Recall::Open => open(state, scene),
        Recall::OtherPane => {
            state.browse.pane = match state.browse.pane {
                Pane::Outages => Pane::Outbox,
                Pane::Outbox => Pane::Outages,
            };
        }
        Recall::Past => {
            let site = if is_here(state) && state.layers.is_empty() {
                let outage = state.browse.outage(state.past(scene));
                outage.and_then(|outage| outage.site)
            } else {
                state.selected()
            };
            match site {
                Some(site) => state.layers.push(Layer::Past { site, scroll: 0 }),
                None => state.say(
                    Tone::Info,
                    "No site is selected that is watched still.",
                    scene.now.mono,
                ),
            }
        }
        Recall::Replay => state.layers.push(Layer::Replay { scroll: 0 }),
        Recall::Longer | Recall::Shorter => state.browse.zoom(recall == Recall::Longer),
    }
    None
}

fn acknowledge(state: &mut State, scene: &Scene<'_>) -> Option<Intent> {
    state.browse.pane = Pane::Outages;
    let past = state.past(scene);
    let outage = state.browse.outage(past)?;
    let (ended, known, site) = (
        outage.ended.is_some(),
        outage.acknowledged.is_some(),
        outage.site,
    );
    let key = OutageKey::of(outage);
    match site {
        Some(site) if !ended && known => return Some(Intent::Acknowledge(site, None)),
        Some(_) if !ended => {
            // The row under the cursor must not change while the note is typed.
            state.browse.walk(scene.past, 0);
            state.layers.push(Layer::Note {
                outage: key,
                text: String::new(),
            });
        }
        _ => state.say(
            Tone::Info,
            "It is over: only an open outage is acknowledged.",
            scene.now.mono,
        ),
    }
    None
}

fn done(state: &mut State, scene: &Scene<'_>) -> Option<Intent> {
    let Some(Layer::Note { outage, text }) = state.layers.pop() else {
        return None;
    };
    // It may have ended while the note was typed.
    let open = outage
        .find(scene.past)
        .filter(|outage| outage.ended.is_none());
    match open.and_then(|outage| outage.site) {
        Some(site) => Some(Intent::Acknowledge(site, Some(text.trim().to_owned()))),
        None => {
            let text = format!("{} is up again meanwhile.", outage.name);
            state.say(Tone::Info, text, scene.now.mono);
            None
        }
    }
}

fn send_again(state: &mut State, scene: &Scene<'_>) -> Option<Intent> {
    let past = scene.past;
    if state.browse.pane == Pane::Outages {
        state.browse.visit_trouble(past);
        let text = "The outbox: r sends the selected letter again.";
        state.say(Tone::Info, text, scene.now.mono);
        return None;
    }
    let letter = state.browse.letter(past)?;
    if letter.delivery == super::history_view::Delivery::Sent {
        let text = "It was delivered: nobody is told twice.";
        state.say(Tone::Info, text, scene.now.mono);
        return None;
    }
    Some(Intent::SendAgain(letter.id.clone()))
}

fn open(state: &mut State, scene: &Scene<'_>) {
    let past = state.past(scene);
    let layer = match state.browse.pane {
        Pane::Outages => state.browse.outage(past).map(|outage| Layer::Outage {
            outage: OutageKey::of(outage),
            scroll: 0,
        }),
        Pane::Outbox => state.browse.letter(past).map(|letter| Layer::Letter {
            id: letter.id.clone(),
            scroll: 0,
        }),
    };
    state.layers.extend(layer);
}

/// Moves the selection of the list in front.
pub(super) fn travel(state: &mut State, action: Action, page: usize, scene: &Scene<'_>) {
    let most = isize::MAX;
    let page = isize::try_from(page / 2).unwrap_or(1).max(1);
    let by = match action {
        Action::Up => -1,
        Action::Down => 1,
        Action::PageUp => -page,
        Action::PageDown => page,
        Action::Bottom => most,
        _ => return state.browse.first(),
    };
    let past = match &state.frozen {
        Some(frozen) => &frozen.past,
        None => scene.past,
    };
    state.browse.walk(past, by);
}

/// The text that is typed: a note, or the filter of this screen.
pub(super) fn text(state: &State) -> &str {
    match state.layers.last() {
        Some(Layer::Note { text, .. }) => text,
        _ if is_here(state) => &state.browse.filter,
        _ => state.order.filter().text(),
    }
}

/// Puts another text in its place.
pub(super) fn set_text(state: &mut State, new: &str) {
    let here = is_here(state);
    match state.layers.last_mut() {
        Some(Layer::Note { text, .. }) => new.clone_into(text),
        _ if here => new.clone_into(&mut state.browse.filter),
        _ => state.order.set_filter(new),
    }
}
