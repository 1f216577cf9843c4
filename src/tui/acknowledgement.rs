//! Acknowledging outages by key: one, or all that a suspected cause explains, with one note.

use crate::domain::{SharedTraits, SiteId, clean, correlate};
use crate::monitor::SiteState;

use super::format::plural;
use super::outages_actions::is_here;
use super::outages_state::{Pane, failure_in_words, group_of};
use super::state::{Layer, UiState};
use super::view_model::{Intent, Tone, ViewModel};

/// The outages that a key means, and what they share.
struct Meant {
    /// The site and its name, and whether its outage is acknowledged.
    outages: Vec<(SiteId, String, bool)>,
    common: String,
}

/// Begins to acknowledge the selected outage: a note is asked for. What is acknowledged already is
/// taken back.
pub(super) fn begin(state: &mut UiState, model: &ViewModel<'_>) -> Option<Intent> {
    let site = state.meant();
    ask(state, model, site, false)
}

/// While the note is typed: from one outage to all of its group, and back.
pub(super) fn turn(state: &mut UiState, model: &ViewModel<'_>) {
    let Some(Layer::Note {
        meant, whole, text, ..
    }) = state.layers.pop()
    else {
        return;
    };
    // Of the group at least that outage has no note yet, so that nothing is taken back.
    if ask(state, model, Some(meant), !whole).is_none()
        && let Some(Layer::Note { text: new, .. }) = state.layers.last_mut()
    {
        *new = text;
    }
}

fn ask(
    state: &mut UiState,
    model: &ViewModel<'_>,
    site: Option<SiteId>,
    whole: bool,
) -> Option<Intent> {
    let meant = if is_here(state) && state.layers.is_empty() {
        state.outages.pane = Pane::Outages;
        listed(state, model, whole)
    } else {
        of_site(state, model, site, whole)
    };
    let Some((first_site, first, _)) = meant.outages.first() else {
        let text = "There is no open outage here: only an open one can be acknowledged.";
        state.say(Tone::Info, text, model.now.mono);
        return None;
    };
    let about = match meant.outages.len() {
        1 => clean(first, 30),
        many => format!("{}, all {}", plural(many, "outage"), meant.common),
    };
    let sites = |known: bool| {
        let outages = meant.outages.iter();
        let some = outages.filter(|(.., acknowledged)| *acknowledged == known);
        some.map(|(site, ..)| *site).collect::<Vec<_>>()
    };
    let sites_without = sites(false);
    if sites_without.is_empty() {
        return Some(Intent::Acknowledge(sites(true), None));
    }
    let meant = site.unwrap_or(*first_site);
    state.layers.push(Layer::Note {
        meant,
        whole,
        sites: sites_without,
        about,
        text: String::new(),
    });
    None
}

/// The selected outage of the Outages screen, or its group.
fn listed(state: &mut UiState, model: &ViewModel<'_>, whole: bool) -> Meant {
    let history = state.history(model);
    let (outages, common) = if whole {
        state.outages.group(history)
    } else {
        (
            state.outages.outage(history).into_iter().collect(),
            String::new(),
        )
    };
    let open = outages.into_iter().filter(|one| one.row.ended.is_none());
    let open = open.filter_map(|one| {
        let known = one.row.acknowledged.is_some();
        Some((one.site?, one.row.site.name.to_string(), known))
    });
    let outages = open.collect();
    // The row under the cursor must not change while the note is typed.
    state.outages.walk(model.history, 0);
    Meant { outages, common }
}

/// The open outage of the site that a key means, or those of its group among the sites listed.
fn of_site(state: &UiState, model: &ViewModel<'_>, site: Option<SiteId>, whole: bool) -> Meant {
    let open = |id: &SiteId| {
        model
            .monitor
            .site(*id)
            .filter(|site| site.outage().is_some())
    };
    let site = site.and_then(|id| open(&id));
    let alone = Meant {
        outages: site.into_iter().map(described).collect(),
        common: String::new(),
    };
    let Some(site) = site.filter(|_| whole) else {
        return alone;
    };
    let all: Vec<&SiteState> = state.order.rows().iter().filter_map(open).collect();
    let traits: Vec<(SharedTraits, String)> = all.iter().map(|site| traits_of(site)).collect();
    let traits: Vec<_> = traits
        .iter()
        .map(|(shares, failure)| shares.with(failure))
        .collect();
    let place = all.iter().position(|one| one.id() == site.id());
    match place.and_then(|place| group_of(&correlate(&traits), place)) {
        Some((members, common)) => Meant {
            outages: members.iter().map(|at| described(all[*at])).collect(),
            common,
        },
        None => alone,
    }
}

fn described(site: &SiteState) -> (SiteId, String, bool) {
    let outage = site.outage();
    let known = outage.is_some_and(|outage| outage.acknowledged.is_some());
    (site.id(), site.site().name.to_string(), known)
}

fn traits_of(site: &SiteState) -> (SharedTraits, String) {
    let causes = site.outage().map_or(&[][..], |outage| outage.causes());
    let last = site.last_failure().map(|last| &**last);
    let shares = SharedTraits::of(site.site(), causes, last);
    (shares, failure_in_words(causes))
}

/// Acknowledges what is open still, with the note that was typed.
pub(super) fn finish(state: &mut UiState, model: &ViewModel<'_>) -> Option<Intent> {
    let Some(Layer::Note {
        sites, about, text, ..
    }) = state.layers.pop()
    else {
        return None;
    };
    // Some may have ended while the note was typed.
    let is_listed = |id: SiteId| {
        let mut outages = model.history.outages.iter();
        outages.any(|one| one.site == Some(id) && one.row.ended.is_none())
    };
    let is_open = |id: &SiteId| {
        let site = model.monitor.site(*id);
        site.is_some_and(|site| site.outage().is_some()) || is_listed(*id)
    };
    let open: Vec<SiteId> = sites.into_iter().filter(is_open).collect();
    if open.is_empty() {
        let text = format!("{about}: up again, there is no open outage to acknowledge.");
        state.say(Tone::Info, text, model.now.mono);
        return None;
    }
    Some(Intent::Acknowledge(open, Some(text.trim().to_owned())))
}
