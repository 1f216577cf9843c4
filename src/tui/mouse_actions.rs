//! What the mouse does: a click selects, sorts or goes to a screen, the wheel scrolls.

use super::click_targets::ClickTarget;
use super::input::{MouseInput, MouseKind};
use super::keymap::{KeyAction, Scope};
use super::layout;
use super::outages_actions;
use super::outages_state::Pane;
use super::sched_actions;
use super::sched_state::SchedAction;
use super::state::{Layer, UiState};
use super::update;
use super::view_model::ViewModel;
use super::views::VIEWS;

/// The rows that one step of the wheel scrolls.
const WHEEL_ROWS: usize = 3;

/// Performs a click or a step of the wheel.
pub(super) fn act(state: &mut UiState, mouse: MouseInput, model: &ViewModel<'_>) {
    // What is being typed is about what is selected: neither goes away by a click beside it.
    if matches!(
        state.layers.last(),
        Some(Layer::Note { .. } | Layer::SiteForm(_) | Layer::Tags { .. } | Layer::Delete { .. })
    ) {
        return;
    }
    let target = state.targets.at(mouse.cell).cloned();
    match mouse.kind {
        MouseKind::Click => {
            let moment = state.targets.moment_at(mouse.cell);
            match target {
                Some(ClickTarget::Lane(lane, _)) => {
                    sched_actions::point(state, (lane, moment), model);
                }
                Some(target) => click(state, target, model),
                None => {}
            }
        }
        MouseKind::WheelUp => wheel(state, target.as_ref(), KeyAction::Up, model),
        MouseKind::WheelDown => wheel(state, target.as_ref(), KeyAction::Down, model),
    }
}

fn click(state: &mut UiState, target: ClickTarget, model: &ViewModel<'_>) {
    match target {
        ClickTarget::Tab(view) => {
            // What lies over a screen is closed; a filter that is typed is kept.
            state.layers.clear();
            state.view = view;
        }
        ClickTarget::Site(site) => state.follow(site, layout::page(state, model)),
        ClickTarget::SiteOrder(..) | ClickTarget::OutageOrder(..) if state.frozen.is_some() => {
            update::say_frozen(state, model);
        }
        ClickTarget::SiteOrder(sort, reverse) => state.order.set_sort(sort, reverse),
        ClickTarget::OutageOrder(sort, reverse) => {
            state.outages.pane = Pane::Outages;
            state.outages.sort = (sort, reverse);
        }
        ClickTarget::Outage(outage) => state.outages.select_outage(outage),
        ClickTarget::Message(id) => state.outages.select_message(id),
        ClickTarget::Outages => state.outages.pane = Pane::Outages,
        ClickTarget::Outbox => state.outages.pane = Pane::Outbox,
        ClickTarget::Lane(..) => {}
    }
}

/// Scrolls what lies in front, else the list under the pointer. On Race and Lab nothing scrolls.
fn wheel(
    state: &mut UiState,
    target: Option<&ClickTarget>,
    action: KeyAction,
    model: &ViewModel<'_>,
) {
    let scopes = VIEWS[state.view].scopes;
    let is_over = !matches!(state.layers.last(), None | Some(Layer::Filter));
    if !is_over && scopes.contains(&Scope::Sched) {
        let down = action == KeyAction::Down;
        let steer = if down {
            SchedAction::LaneDown
        } else {
            SchedAction::LaneUp
        };
        let _ = sched_actions::act(state, steer, model);
        return;
    }
    if !is_over && outages_actions::is_here(state) {
        match target {
            Some(ClickTarget::Message(_) | ClickTarget::Outbox) => {
                state.outages.pane = Pane::Outbox;
            }
            Some(ClickTarget::Outage(_) | ClickTarget::Outages) => {
                state.outages.pane = Pane::Outages;
            }
            _ => {}
        }
    }
    if is_over || outages_actions::is_here(state) || scopes.contains(&Scope::Sites) {
        for _ in 0..WHEEL_ROWS {
            update::travel(state, action, model);
        }
    }
}
