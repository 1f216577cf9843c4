//! The effect of each action on the state of the screen, and its request to the app.

use crate::domain::{SiteId, is_unsafe};
use crate::monitor::State as SiteIs;

use super::acknowledgement;
use super::format::plural;
use super::key::Key;
use super::keymap::KeyAction;
use super::keymap::{KeyContext, Scope};
use super::lab_actions;
use super::layout;
use super::outages_actions;
use super::overlays::{
    explain, help, last_scroll, message, outage, outage_messages, recent_messages, replay,
    site_checks, site_history,
};
use super::sched_actions;
use super::site_edit_actions;
use super::state::{Layer, MESSAGE_DURATION, UiState};
use super::view_model::{Intent, Tone, ViewModel};
use super::views::VIEWS;

/// Performs an action; gives the request to the app, if it needs one.
pub(crate) fn act(
    state: &mut UiState,
    action: KeyAction,
    key: Key,
    model: &ViewModel<'_>,
) -> Option<Intent> {
    match action {
        KeyAction::Quit => return Some(Intent::Quit),
        KeyAction::Suspend => return Some(Intent::Suspend),
        KeyAction::Redraw => return Some(Intent::Redraw),
        KeyAction::Close if state.layers.is_empty() => return leave(state, model),
        KeyAction::Close | KeyAction::Keep => {
            state.layers.pop();
        }
        KeyAction::Back => back(state),
        KeyAction::Help => {
            if matches!(state.layers.last(), Some(Layer::Help { .. })) {
                state.layers.pop();
            } else {
                state.help_filter.clear();
                state.layers.push(Layer::Help { scroll: 0 });
            }
        }
        KeyAction::SearchHelp => {
            if let Some(Layer::Help { scroll }) = state.layers.last_mut() {
                *scroll = 0;
            }
            state.layers.push(Layer::HelpFilter);
        }
        KeyAction::RecentMessages => state.layers.push(Layer::RecentMessages { scroll: 0 }),
        KeyAction::Freeze => {
            let page = layout::page(state, model);
            state.freeze(model, page);
        }
        KeyAction::Paradigm | KeyAction::NextParadigm | KeyAction::PreviousParadigm => {
            return paradigm(state, action, key, model);
        }
        KeyAction::MoreWorkers | KeyAction::FewerWorkers => return workers(state, action, model),
        KeyAction::NextScreen => state.view = (state.view + 1) % VIEWS.len(),
        KeyAction::PreviousScreen => state.view = (state.view + VIEWS.len() - 1) % VIEWS.len(),
        KeyAction::Screen => {
            if let Key::F(number) = key
                && (1..=VIEWS.len()).contains(&usize::from(number))
            {
                state.view = usize::from(number) - 1;
            }
        }
        KeyAction::Up
        | KeyAction::Down
        | KeyAction::PageUp
        | KeyAction::PageDown
        | KeyAction::Top
        | KeyAction::Bottom => travel(state, action, model),
        KeyAction::Sched(steer) => return sched_actions::act(state, steer, model),
        KeyAction::Lab(tweak) => return lab_actions::act(state, tweak, model),
        KeyAction::Replay(turn) => {
            let usual = model.monitor.ids().first();
            let usual = usual.and_then(|id| model.monitor.site(*id));
            let usual = usual.map(|state| &**state.site());
            state.outages.tried.apply(turn, usual);
        }
        KeyAction::Outages(recall) => return outages_actions::act(state, recall, model),
        KeyAction::Acknowledge => return acknowledgement::begin(state, model),
        KeyAction::AcknowledgeGroup => acknowledgement::turn(state, model),
        KeyAction::AcknowledgeNow => return acknowledgement::finish(state, model),
        KeyAction::TakeBack => return Some(Intent::TakeBack),
        KeyAction::AddSite
        | KeyAction::EditSite
        | KeyAction::DeleteSites
        | KeyAction::EditTags
        | KeyAction::Mark
        | KeyAction::MarkAll
        | KeyAction::NextField
        | KeyAction::PreviousField
        | KeyAction::KeepSite
        | KeyAction::SetTags
        | KeyAction::Confirm => return site_edit_actions::act(state, action, model),
        KeyAction::Explain => {
            let site = state.meant()?;
            state.follow(site, layout::page(state, model));
            state.layers.push(Layer::Explain { site, scroll: 0 });
        }
        KeyAction::NextSite | KeyAction::PreviousSite => neighbour(state, action, model),
        KeyAction::Filter | KeyAction::Sort | KeyAction::Reverse if state.frozen.is_some() => {
            say_frozen(state, model);
        }
        KeyAction::Filter => state.layers.push(Layer::Filter),
        KeyAction::Sort | KeyAction::Reverse if outages_actions::is_here(state) => {
            state.outages.turn(action == KeyAction::Reverse);
        }
        KeyAction::Sort => {
            let (sort, reverse) = state.order.sort();
            state.order.set_sort(sort.following(), reverse);
        }
        KeyAction::Reverse => {
            let (sort, reverse) = state.order.sort();
            state.order.set_sort(sort, !reverse);
        }
        KeyAction::Clear => {
            state.layers.pop();
            outages_actions::set_text(state, "");
        }
        KeyAction::Erase | KeyAction::EraseWord | KeyAction::EraseAll => erase(state, action),
        KeyAction::RecheckAll => return Some(Intent::RecheckAll),
        KeyAction::Recheck
        | KeyAction::Pause
        | KeyAction::Maintain
        | KeyAction::Copy
        | KeyAction::Break
        | KeyAction::Mend => {
            let sites = site_edit_actions::meant(state, model);
            let site = *sites.first()?;
            if state.layers.is_empty() && sites.len() == 1 {
                state.follow(site, layout::page(state, model));
            }
            return on_sites(action, sites, model);
        }
    }
    None
}

/// Goes to the Sites screen; from there the program ends, after a question while a site is down.
fn leave(state: &mut UiState, model: &ViewModel<'_>) -> Option<Intent> {
    if state.view != 0 {
        state.view = 0;
        return None;
    }
    let now = model.now.mono;
    let asked = state.quit_asked.take();
    let again = asked.is_some_and(|asked| now.since(asked) < MESSAGE_DURATION);
    let down = model.monitor.totals().of(SiteIs::Down);
    // Some of the demo's own sites are always down; a screen that is too small shows no question.
    let is_small = layout::body(state, model).is_empty();
    if down == 0 || again || model.demo || is_small {
        return Some(Intent::Quit);
    }
    let are = if down == 1 { "is" } else { "are" };
    let text = format!("{} {are} down: press q again to quit", plural(down, "site"));
    state.say(Tone::Warn, text, now);
    state.quit_asked = Some(now);
    None
}

/// Appends text to the filter or the note being typed.
pub(crate) fn type_text(state: &mut UiState, text: &str) {
    /// The limit in characters, against a paste by mistake.
    const MAX_CHARS: usize = 2_000;
    let mut typed = outages_actions::text(state).to_owned();
    typed.extend(text.chars().map(|c| if is_unsafe(c) { ' ' } else { c }));
    typed = typed.trim_start().chars().take(MAX_CHARS).collect();
    outages_actions::set_text(state, &typed);
}

fn erase(state: &mut UiState, action: KeyAction) {
    let mut filter = outages_actions::text(state).to_owned();
    match action {
        KeyAction::Erase => {
            filter.pop();
        }
        KeyAction::EraseWord => {
            let kept = filter.trim_end();
            let end = kept.rfind(' ').map_or(0, |blank| blank + 1);
            filter.truncate(end);
        }
        _ => filter.clear(),
    }
    outages_actions::set_text(state, &filter);
}

/// Says that the list of a frozen display stays as it is.
pub(crate) fn say_frozen(state: &mut UiState, model: &ViewModel<'_>) {
    let text = "The display is frozen: press Space to go live first.";
    state.say(Tone::Warn, text, model.now.mono);
}

fn back(state: &mut UiState) {
    if matches!(state.layers.last(), Some(Layer::Help { .. })) && state.is_help_searched() {
        state.help_filter.clear();
    } else if state.layers.pop().is_some() {
    } else if state.frozen.is_some() {
        state.frozen = None;
    } else if state.sched.is_still() && VIEWS[state.view].scopes.contains(&Scope::Sched) {
        state.sched.live();
    } else if !state.marks.is_empty() && state.view == 0 {
        state.marks.clear();
    } else if !outages_actions::text(state).is_empty() {
        outages_actions::set_text(state, "");
    }
}

fn paradigm(
    state: &mut UiState,
    action: KeyAction,
    key: Key,
    model: &ViewModel<'_>,
) -> Option<Intent> {
    let all = model.paradigms;
    if all.is_empty() {
        return None;
    }
    let wanted = match (action, key) {
        (KeyAction::NextParadigm, _) => Some((model.active + 1) % all.len()),
        (KeyAction::PreviousParadigm, _) => Some((model.active + all.len() - 1) % all.len()),
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

fn workers(state: &mut UiState, action: KeyAction, model: &ViewModel<'_>) -> Option<Intent> {
    if model.resizable {
        let more = action == KeyAction::MoreWorkers;
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

fn on_sites(action: KeyAction, sites: Vec<SiteId>, model: &ViewModel<'_>) -> Option<Intent> {
    let id = *sites.first()?;
    let site = model.monitor.site(id)?;
    let is_paused = |id: &SiteId| {
        let site = model.monitor.site(*id);
        site.is_some_and(|site| site.site().paused)
    };
    Some(match action {
        KeyAction::Recheck => Intent::Recheck(sites),
        KeyAction::Pause => {
            let paused = !sites.iter().all(is_paused);
            Intent::Pause(sites, paused)
        }
        KeyAction::Maintain => Intent::Maintain(sites),
        KeyAction::Break => Intent::Break(id),
        KeyAction::Mend => Intent::Mend(id),
        _ => Intent::Copy(explain::curl_line(site)),
    })
}

/// The largest scroll of the overlay in front; `None` without one that scrolls.
fn pages(state: &UiState, model: &ViewModel<'_>) -> Option<usize> {
    let area = layout::body(state, model);
    let lines = match state.layers.last()? {
        Layer::Help { .. } => help::lines(&context(model), state, area.width).len(),
        Layer::Explain { site, .. } => explain::lines(state, model, *site, area.width).len(),
        Layer::Outage { outage, .. } => outage::lines(state, model, outage, area.width).len(),
        Layer::OutageMessages { outage, .. } => {
            outage_messages::lines(state, model, outage, area.width).len()
        }
        Layer::SiteChecks { site, span, .. } => {
            site_checks::lines(state, model, *site, *span, area.width).len()
        }
        Layer::RecentMessages { .. } => recent_messages::lines(state, model, area.width).len(),
        Layer::Message { id, .. } => message::lines(state, model, id, area.width).len(),
        Layer::SiteHistory { site, .. } => site_history::lines(state, model, *site, area).len(),
        Layer::Replay { .. } => return Some(replay::last_scroll(state, model, area)),
        Layer::HelpFilter => 0,
        Layer::Filter
        | Layer::Note { .. }
        | Layer::SiteForm(_)
        | Layer::Tags { .. }
        | Layer::Delete { .. } => return None,
    };
    Some(last_scroll(lines, area))
}

/// The facts that decide which keys there are.
pub(crate) fn context<'a>(model: &ViewModel<'a>) -> KeyContext<'a> {
    KeyContext {
        demo: model.demo,
        screens: VIEWS.len(),
        paradigms: model.paradigms,
    }
}

/// Moves the selection, or scrolls the overlay in front.
pub(crate) fn travel(state: &mut UiState, action: KeyAction, model: &ViewModel<'_>) {
    let page = layout::page(state, model);
    let by = match action {
        KeyAction::Up => -1,
        KeyAction::Down => 1,
        KeyAction::PageUp => -(page as isize),
        KeyAction::PageDown => page as isize,
        _ => 0,
    };
    if let Some(most) = pages(state, model) {
        if let Some(
            Layer::Help { scroll }
            | Layer::Explain { scroll, .. }
            | Layer::Outage { scroll, .. }
            | Layer::OutageMessages { scroll, .. }
            | Layer::SiteChecks { scroll, .. }
            | Layer::Message { scroll, .. }
            | Layer::RecentMessages { scroll }
            | Layer::SiteHistory { scroll, .. }
            | Layer::Replay { scroll },
        ) = state.layers.last_mut()
        {
            *scroll = match action {
                KeyAction::Top => 0,
                KeyAction::Bottom => most,
                _ => (*scroll).min(most).saturating_add_signed(by).min(most),
            };
        }
        return;
    }
    if outages_actions::is_here(state) {
        return outages_actions::travel(state, action, page, model);
    }
    match action {
        KeyAction::Top => state.jump(false, page),
        KeyAction::Bottom => state.jump(true, page),
        _ => state.walk(by, page),
    }
}

fn neighbour(state: &mut UiState, action: KeyAction, model: &ViewModel<'_>) {
    let page = layout::page(state, model);
    if let Some(Layer::Explain { site, .. }) = state.layers.last() {
        let site = *site;
        state.follow(site, page);
    }
    state.walk(if action == KeyAction::NextSite { 1 } else { -1 }, page);
    if let Some(next) = state.pinned
        && let Some(Layer::Explain { site, scroll }) = state.layers.last_mut()
    {
        (*site, *scroll) = (next, 0);
    }
}
