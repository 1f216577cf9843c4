//! What keys do on the Scheduling screen: zoom, pan, cursor, and what is under it.

use crate::domain::SiteId;
use crate::trace::Check;

use super::layout;
use super::sched_state::Steer;
use super::state::{Layer, State};
use super::view_model::{Intent, Scene, Tone};
use super::views::sched::Board;

/// Performs it.
pub(super) fn act(state: &mut State, steer: Steer, scene: &Scene<'_>) -> Option<Intent> {
    match steer {
        Steer::Group => {
            state.place.regroup();
            state.place.cursor = None;
        }
        Steer::Closer | Steer::Wider => zoom(state, steer, scene),
        Steer::LaneUp | Steer::LaneDown | Steer::Left | Steer::Right => walk(state, steer, scene),
        Steer::Back | Steer::Forth | Steer::Oldest => pan(state, steer, scene),
        Steer::Live => state.place.live(),
        Steer::Follow => follow(state, scene),
        Steer::Explain => {
            if let Some(site) = under_cursor(state, scene) {
                state.layers.push(Layer::Explain { site, scroll: 0 });
            } else {
                let text = "Left and Right put the cursor on a check, Enter explains its site.";
                state.say(Tone::Info, text, scene.now.mono);
            }
        }
        Steer::Record => return Some(Intent::Record(!scene.record.on)),
        Steer::Export => return Some(Intent::Export),
    }
    None
}

fn board<'a>(state: &State, scene: &Scene<'a>) -> Board<'a> {
    Board::gather(state, scene, layout::body(state, scene))
}

/// The picture holds still from now on, as it is.
fn stand(state: &mut State, board: &Board<'_>) {
    if !state.place.is_still() {
        let (.., end) = board.axis.range();
        state.place.stand(end);
    }
}

/// Keeps the check under the cursor in the middle.
fn zoom(state: &mut State, steer: Steer, scene: &Scene<'_>) {
    let at = selected(state, scene).map(|record| record.started);
    let interval = scene.record.interval;
    let by = if steer == Steer::Closer { 1 } else { -1 };
    state.place.zoom_by(by, interval);
    if let Some(at) = at {
        let half = state.place.span(interval) / 2;
        state.place.stand(at + half);
    }
}

/// Moves the cursor from check to check. The first key puts it on the newest one.
fn walk(state: &mut State, steer: Steer, scene: &Scene<'_>) {
    let board = board(state, scene);
    stand(state, &board);
    let Some((lane, record)) = board.selected(&state.place) else {
        let lanes = board.lanes();
        let newest = lanes.filter_map(|(lane, checks)| Some((lane, *checks.last()?)));
        if let Some((lane, record)) = newest.max_by_key(|(_, record)| record.started) {
            (state.place.lane, state.place.cursor) = (lane, Some(record.job()));
        }
        return;
    };
    let checks = board.checks_of(lane);
    let here = checks
        .iter()
        .position(|other| other.job() == record.job())
        .unwrap_or(0);
    let next = match steer {
        Steer::Left => here.checked_sub(1).and_then(|before| checks.get(before)),
        Steer::Right => checks.get(here + 1),
        _ => {
            let Some(other) = neighbour(&board, lane, steer == Steer::LaneDown) else {
                return;
            };
            state.place.lane = other;
            let apart = |other: &&&Check| {
                let (a, b) = (other.started, record.started);
                a.since(b).max(b.since(a))
            };
            board.checks_of(other).iter().min_by_key(apart)
        }
    };
    if let Some(next) = next {
        state.place.cursor = Some(next.job());
    } else if steer == Steer::Left {
        pan(state, Steer::Back, scene);
    }
}

/// The nearest lane above or below that has a check.
fn neighbour(board: &Board<'_>, lane: usize, down: bool) -> Option<usize> {
    let mut lanes = board.lanes().filter(|(_, checks)| !checks.is_empty());
    let found = if down {
        lanes.find(|(index, _)| *index > lane)
    } else {
        lanes.rfind(|(index, _)| *index < lane)
    };
    found.map(|(index, _)| index)
}

/// Moves the page in time, within what is on record.
fn pan(state: &mut State, steer: Steer, scene: &Scene<'_>) {
    let now = scene.record.ledger.now();
    let (.., end) = board(state, scene).axis.range();
    let span = state.place.span(scene.record.interval);
    let half = span / 2;
    let oldest = scene.record.ledger.oldest().unwrap_or(now);
    let first = (oldest + span).min(now);
    let to = match steer {
        Steer::Oldest => first,
        Steer::Forth => end + half,
        _ => (end - half).max(first).min(end.max(first)),
    };
    if to >= now && steer == Steer::Forth {
        state.place.live();
    } else {
        state.place.stand(to);
    }
}

/// The check under the cursor.
fn selected<'a>(state: &State, scene: &Scene<'a>) -> Option<&'a Check> {
    let (_, record) = board(state, scene).selected(&state.place)?;
    Some(record)
}

fn under_cursor(state: &State, scene: &Scene<'_>) -> Option<SiteId> {
    selected(state, scene).map(|check| check.site)
}

fn follow(state: &mut State, scene: &Scene<'_>) {
    let site = under_cursor(state, scene).or_else(|| state.selected());
    let name = site.and_then(|site| scene.monitor.site(site));
    let name = name.map(|state| state.site().name.to_string());
    if state.place.followed.is_some() && state.place.followed == site {
        state.place.followed = None;
        state.say(Tone::Info, "No site is marked.", scene.now.mono);
        return;
    }
    state.place.followed = site;
    if let Some(name) = name {
        let text = format!("{name} is marked in all lanes.");
        state.say(Tone::Info, text, scene.now.mono);
    }
}
