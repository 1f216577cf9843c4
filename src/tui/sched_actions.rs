//! The actions of keys on the Scheduling screen: zoom, pan, and the cursor.

use crate::domain::{Moment, SiteId};
use crate::trace::CheckSummary;

use super::layout;
use super::sched_state::SchedAction;
use super::state::{Layer, UiState};
use super::view_model::{Intent, Tone, ViewModel};
use super::views::sched::LaneLayout;

/// Performs the action; gives the request to the app, if it needs one.
pub(super) fn act(
    state: &mut UiState,
    steer: SchedAction,
    model: &ViewModel<'_>,
) -> Option<Intent> {
    match steer {
        SchedAction::Group => {
            state.sched.regroup();
            state.sched.cursor = None;
        }
        SchedAction::Closer | SchedAction::Wider => zoom(state, steer, model),
        SchedAction::LaneUp | SchedAction::LaneDown | SchedAction::Left | SchedAction::Right => {
            walk(state, steer, model);
        }
        SchedAction::Back | SchedAction::Forth | SchedAction::Oldest => pan(state, steer, model),
        SchedAction::Live => state.sched.live(),
        SchedAction::Follow => follow(state, model),
        SchedAction::Explain => {
            if let Some(site) = under_cursor(state, model) {
                state.layers.push(Layer::Explain { site, scroll: 0 });
            } else {
                let text = "Select a check first: Left and Right move the cursor, then Enter explains its site.";
                state.say(Tone::Info, text, model.now.mono);
            }
        }
        SchedAction::Record => return Some(Intent::Record(!model.trace.on)),
        SchedAction::Export => return Some(Intent::Export),
    }
    None
}

fn layout<'a>(state: &UiState, model: &ViewModel<'a>) -> LaneLayout<'a> {
    LaneLayout::gather(state, model, layout::body(state, model))
}

/// Stops the picture at its current page.
fn stand(state: &mut UiState, layout: &LaneLayout<'_>) {
    if !state.sched.is_still() {
        let (.., end) = layout.axis.range();
        state.sched.stand(end);
    }
}

/// Zooms, with the check under the cursor in the middle of the page.
fn zoom(state: &mut UiState, steer: SchedAction, model: &ViewModel<'_>) {
    let at = selected(state, model).map(|record| record.started);
    let interval = model.trace.interval;
    let by = if steer == SchedAction::Closer { 1 } else { -1 };
    state.sched.zoom_by(by, interval);
    if let Some(at) = at {
        let half = state.sched.span(interval) / 2;
        state.sched.stand(at + half);
    }
}

/// Moves the cursor from check to check. The first key puts it on the newest one.
fn walk(state: &mut UiState, steer: SchedAction, model: &ViewModel<'_>) {
    let layout = layout(state, model);
    stand(state, &layout);
    let Some((lane, record)) = layout.selected(&state.sched) else {
        let lanes = layout.lanes();
        let newest = lanes.filter_map(|(lane, checks)| Some((lane, *checks.last()?)));
        if let Some((lane, record)) = newest.max_by_key(|(_, record)| record.started) {
            (state.sched.lane, state.sched.cursor) = (lane, Some(record.job()));
        }
        return;
    };
    let checks = layout.checks_of(lane);
    let here = checks
        .iter()
        .position(|other| other.job() == record.job())
        .unwrap_or(0);
    let next = match steer {
        SchedAction::Left => here.checked_sub(1).and_then(|before| checks.get(before)),
        SchedAction::Right => checks.get(here + 1),
        _ => {
            let Some(other) = neighbour(&layout, lane, steer == SchedAction::LaneDown) else {
                return;
            };
            state.sched.lane = other;
            let apart = |other: &&&CheckSummary| {
                let (a, b) = (other.started, record.started);
                a.since(b).max(b.since(a))
            };
            layout.checks_of(other).iter().min_by_key(apart)
        }
    };
    if let Some(next) = next {
        state.sched.cursor = Some(next.job());
    } else if steer == SchedAction::Left {
        pan(state, SchedAction::Back, model);
    }
}

/// Puts the cursor on the check of a lane that ran at a moment, or that began or ended next to it.
pub(super) fn point(
    state: &mut UiState,
    (lane, moment): (usize, Option<Moment>),
    model: &ViewModel<'_>,
) {
    let layout = layout(state, model);
    let checks = layout.checks_of(lane);
    let apart = |check: &&&CheckSummary| {
        let moment = moment.unwrap_or(check.started);
        let before = check.started.since(moment);
        // `since` is zero for what comes later.
        before.max(moment.since(check.ended))
    };
    let Some(check) = checks.iter().min_by_key(apart).map(|check| check.job()) else {
        return;
    };
    stand(state, &layout);
    (state.sched.lane, state.sched.cursor) = (lane, Some(check));
}

/// The nearest lane above or below that has a check.
fn neighbour(layout: &LaneLayout<'_>, lane: usize, down: bool) -> Option<usize> {
    let mut lanes = layout.lanes().filter(|(_, checks)| !checks.is_empty());
    let found = if down {
        lanes.find(|(index, _)| *index > lane)
    } else {
        lanes.rfind(|(index, _)| *index < lane)
    };
    found.map(|(index, _)| index)
}

/// Moves the page in time, within the recorded trace.
fn pan(state: &mut UiState, steer: SchedAction, model: &ViewModel<'_>) {
    let now = model.trace.store.now();
    let (.., end) = layout(state, model).axis.range();
    let span = state.sched.span(model.trace.interval);
    let half = span / 2;
    let oldest = model.trace.store.oldest().unwrap_or(now);
    let first = (oldest + span).min(now);
    let to = match steer {
        SchedAction::Oldest => first,
        SchedAction::Forth => end + half,
        _ => (end - half).max(first).min(end.max(first)),
    };
    if to >= now && steer == SchedAction::Forth {
        state.sched.live();
    } else {
        state.sched.stand(to);
    }
}

/// The check under the cursor.
fn selected<'a>(state: &UiState, model: &ViewModel<'a>) -> Option<&'a CheckSummary> {
    let (_, record) = layout(state, model).selected(&state.sched)?;
    Some(record)
}

fn under_cursor(state: &UiState, model: &ViewModel<'_>) -> Option<SiteId> {
    selected(state, model).map(|check| check.site)
}

fn follow(state: &mut UiState, model: &ViewModel<'_>) {
    let site = under_cursor(state, model).or_else(|| state.selected());
    let name = site.and_then(|site| model.monitor.site(site));
    let name = name.map(|state| state.site().name.to_string());
    if state.sched.followed.is_some() && state.sched.followed == site {
        state.sched.followed = None;
        state.say(Tone::Info, "No site is marked.", model.now.mono);
        return;
    }
    state.sched.followed = site;
    if let Some(name) = name {
        let text = format!("{name} is marked in all lanes.");
        state.say(Tone::Info, text, model.now.mono);
    }
}
