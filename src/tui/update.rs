//! The effect of each action on the state of the screen, and its request to the app.

use crate::domain::{SiteId, is_unsafe};

use super::key::Key;
use super::keymap::Action;
use super::keymap::{Context, Scope};
use super::lab_actions;
use super::layout;
use super::outages_actions;
use super::overlays::{explain, help, last_scroll, message, outage, replay, site_history};
use super::sched_actions;
use super::state::{Layer, State};
use super::view_model::{Intent, Tone, ViewModel};
use super::views::VIEWS;

/// Performs an action; gives the request to the app, if it needs one.
pub(crate) fn act(
    state: &mut State,
    action: Action,
    key: Key,
    model: &ViewModel<'_>,
) -> Option<Intent> {
    match action {
        Action::Quit => return Some(Intent::Quit),
        Action::Suspend => return Some(Intent::Suspend),
        Action::Redraw => return Some(Intent::Redraw),
        Action::Close if state.layers.is_empty() => return Some(Intent::Quit),
        Action::Close | Action::Keep => {
            state.layers.pop();
        }
        Action::Back => back(state),
        Action::Help => {
            if matches!(state.layers.last(), Some(Layer::Help { .. })) {
                state.layers.pop();
            } else {
                state.layers.push(Layer::Help { scroll: 0 });
            }
        }
        Action::Freeze => {
            let page = layout::page(state, model);
            state.freeze(model, page);
        }
        Action::Paradigm | Action::NextParadigm | Action::PreviousParadigm => {
            return paradigm(state, action, key, model);
        }
        Action::MoreWorkers | Action::FewerWorkers => return workers(state, action, model),
        Action::NextScreen => state.view = (state.view + 1) % VIEWS.len(),
        Action::PreviousScreen => state.view = (state.view + VIEWS.len() - 1) % VIEWS.len(),
        Action::Screen => {
            if let Key::F(number) = key
                && (1..=VIEWS.len()).contains(&usize::from(number))
            {
                state.view = usize::from(number) - 1;
            }
        }
        Action::Up
        | Action::Down
        | Action::PageUp
        | Action::PageDown
        | Action::Top
        | Action::Bottom => travel(state, action, model),
        Action::Sched(steer) => return sched_actions::act(state, steer, model),
        Action::Lab(tweak) => return lab_actions::act(state, tweak, model),
        Action::Replay(turn) => {
            let usual = model.monitor.ids().first();
            let usual = usual.and_then(|id| model.monitor.site(*id));
            let usual = usual.map(|state| &**state.site());
            state.outages.tried.apply(turn, usual);
        }
        Action::Outages(recall) => return outages_actions::act(state, recall, model),
        Action::Explain => {
            state.pin();
            if let Some(site) = state.selected() {
                state.layers.push(Layer::Explain { site, scroll: 0 });
            }
        }
        Action::NextSite | Action::PreviousSite => neighbour(state, action, model),
        Action::Filter | Action::Sort | Action::Reverse if state.frozen.is_some() => {
            state.say(
                Tone::Warn,
                "The display is frozen: press Space to go live first.",
                model.now.mono,
            );
        }
        Action::Filter => state.layers.push(Layer::Filter),
        Action::Sort => {
            let (sort, reverse) = state.order.sort();
            state.order.set_sort(sort.following(), reverse);
        }
        Action::Reverse => {
            let (sort, reverse) = state.order.sort();
            state.order.set_sort(sort, !reverse);
        }
        Action::Clear => {
            state.layers.pop();
            outages_actions::set_text(state, "");
        }
        Action::Erase | Action::EraseWord | Action::EraseAll => erase(state, action),
        Action::RecheckAll => return Some(Intent::RecheckAll),
        Action::Recheck
        | Action::Pause
        | Action::Maintain
        | Action::Copy
        | Action::Break
        | Action::Mend => {
            let site = state.selected()?;
            if state.layers.is_empty() {
                state.pin();
            }
            return on_site(state, action, site, model);
        }
    }
    None
}

/// Appends text to the filter or the note being typed.
pub(crate) fn type_text(state: &mut State, text: &str) {
    /// The limit in characters, against a paste by mistake.
    const MAX_CHARS: usize = 200;
    let mut typed = outages_actions::text(state).to_owned();
    typed.extend(text.chars().map(|c| if is_unsafe(c) { ' ' } else { c }));
    typed = typed.trim_start().chars().take(MAX_CHARS).collect();
    outages_actions::set_text(state, &typed);
}

fn erase(state: &mut State, action: Action) {
    let mut filter = outages_actions::text(state).to_owned();
    match action {
        Action::Erase => {
            filter.pop();
        }
        Action::EraseWord => {
            let kept = filter.trim_end();
            let end = kept.rfind(' ').map_or(0, |blank| blank + 1);
            filter.truncate(end);
        }
        _ => filter.clear(),
    }
    outages_actions::set_text(state, &filter);
}

fn back(state: &mut State) {
    if state.layers.pop().is_some() {
    } else if state.frozen.is_some() {
        state.frozen = None;
    } else if state.sched.is_still() && VIEWS[state.view].scopes.contains(&Scope::Sched) {
        state.sched.live();
    } else if !outages_actions::text(state).is_empty() {
        outages_actions::set_text(state, "");
    }
}

fn paradigm(state: &mut State, action: Action, key: Key, model: &ViewModel<'_>) -> Option<Intent> {
    let all = model.paradigms;
    if all.is_empty() {
        return None;
    }
    let wanted = match (action, key) {
        (Action::NextParadigm, _) => Some((model.active + 1) % all.len()),
        (Action::PreviousParadigm, _) => Some((model.active + all.len() - 1) % all.len()),
        (_, Key::Char(digit)) => all.iter().position(|label| label.key == digit),
        _ => None,
    };
    match wanted {
        Some(index) if index == model.active => {
            let text = format!(
                "{} runs the checks already.",
                all[index].name.to_uppercase()
            );
            state.say(Tone::Info, text, model.now.mono);
            None
        }
        Some(index) => Some(Intent::Paradigm(index)),
        None => {
            let there: Vec<_> = all
                .iter()
                .map(|label| format!("[{}] {}", label.key, label.name.to_uppercase()))
                .collect();
            let text = format!(
                "No paradigm has the key {key}. There are {}.",
                there.join(", ")
            );
            state.say(Tone::Warn, text, model.now.mono);
            None
        }
    }
}

fn workers(state: &mut State, action: Action, model: &ViewModel<'_>) -> Option<Intent> {
    if model.resizable {
        let more = action == Action::MoreWorkers;
        return Some(Intent::Workers(if more { 1 } else { -1 }));
    }
    let name = model
        .paradigms
        .get(model.active)
        .map_or("", |label| label.name);
    let text = format!(
        "The number of workers of {} cannot be changed.",
        name.to_uppercase()
    );
    state.say(Tone::Info, text, model.now.mono);
    None
}

fn on_site(state: &mut State, action: Action, id: SiteId, model: &ViewModel<'_>) -> Option<Intent> {
    let site = model.monitor.site(id)?;
    Some(match action {
        Action::Recheck => Intent::Recheck(id),
        Action::Pause => Intent::Pause(id, !site.site().paused),
        Action::Maintain => Intent::Maintain(id),
        Action::Break => Intent::Break(id),
        Action::Mend => Intent::Mend(id),
        _ => {
            let line = explain::curl_line(site);
            let text = format!("Sent to the terminal's clipboard: {line}");
            state.say(Tone::Good, text, model.now.mono);
            Intent::Copy(line)
        }
    })
}

/// The largest scroll of the overlay in front; `None` without one that scrolls.
fn pages(state: &State, model: &ViewModel<'_>) -> Option<usize> {
    let area = layout::body(state, model);
    let lines = match state.layers.last()? {
        Layer::Help { .. } => help::lines(&context(model), state, area.width).len(),
        Layer::Explain { site, .. } => explain::lines(state, model, *site, area.width).len(),
        Layer::Outage { outage, .. } => outage::lines(state, model, outage, area.width).len(),
        Layer::Message { id, .. } => message::lines(state, model, id, area.width).len(),
        Layer::SiteHistory { site, .. } => site_history::lines(state, model, *site, area).len(),
        Layer::Replay { .. } => return Some(replay::last_scroll(state, model, area)),
        Layer::Filter | Layer::Note { .. } => return None,
    };
    Some(last_scroll(lines, area))
}

/// The facts that decide which keys there are.
pub(crate) fn context<'a>(model: &ViewModel<'a>) -> Context<'a> {
    Context {
        demo: model.demo,
        screens: VIEWS.len(),
        paradigms: model.paradigms,
    }
}

/// Moves the selection, or scrolls the overlay in front.
fn travel(state: &mut State, action: Action, model: &ViewModel<'_>) {
    let page = layout::page(state, model);
    let by = match action {
        Action::Up => -1,
        Action::Down => 1,
        Action::PageUp => -(page as isize),
        Action::PageDown => page as isize,
        _ => 0,
    };
    if let Some(most) = pages(state, model) {
        if let Some(
            Layer::Help { scroll }
            | Layer::Explain { scroll, .. }
            | Layer::Outage { scroll, .. }
            | Layer::Message { scroll, .. }
            | Layer::SiteHistory { scroll, .. }
            | Layer::Replay { scroll },
        ) = state.layers.last_mut()
        {
            *scroll = match action {
                Action::Top => 0,
                Action::Bottom => most,
                _ => (*scroll).min(most).saturating_add_signed(by).min(most),
            };
        }
        return;
    }
    if outages_actions::is_here(state) {
        return outages_actions::travel(state, action, page, model);
    }
    match action {
        Action::Top => state.jump(false, page),
        Action::Bottom => state.jump(true, page),
        _ => state.walk(by, page),
    }
}

fn neighbour(state: &mut State, action: Action, model: &ViewModel<'_>) {
    let page = layout::page(state, model);
    if let Some(Layer::Explain { site, .. }) = state.layers.last() {
        let site = *site;
        state.follow(site, page);
    }
    state.walk(if action == Action::NextSite { 1 } else { -1 }, page);
    if let Some(next) = state.pinned
        && let Some(Layer::Explain { site, scroll }) = state.layers.last_mut()
    {
        (*site, *scroll) = (next, 0);
    }
}
