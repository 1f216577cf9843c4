//! The state of the Outages screen: selection, filter, and the groups of outages that may
//! have a common cause.

use crate::domain::{Cause, CorrelatedGroup, Timestamp, clean, correlate};

use crate::history::{DeliveryState, QueuedMessage};

use super::history_view::{HistorySpan, HistoryView, OutageView};
use super::replay_state::TriedRules;
use super::sort::OutageSort;

/// The actions of the keys of the Outages screen and of the pages opened from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutageAction {
    /// Deliver the selected message again.
    SendAgain,
    /// Open the selected outage or message.
    Open,
    /// Move the keys from the outages to the outbox, or back.
    OtherPane,
    /// Open the history of the selected site.
    SiteHistory,
    /// List the checks of the selected outage, or of the site whose history is shown.
    Checks,
    /// Show the messages about the selected outage.
    Messages,
    /// Open the replay under other rules.
    Replay,
    /// Lengthen the span of a site's history.
    Longer,
    /// Shorten the span of a site's history.
    Shorter,
}

/// The list that takes the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pane {
    #[default]
    Outages,
    Outbox,
}

/// The identity of an outage: its site and the time of its first failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OutageKey {
    pub(crate) name: Box<str>,
    pub(crate) url: Box<str>,
    pub(crate) since: Timestamp,
}

impl OutageKey {
    pub(crate) fn of(outage: &OutageView) -> Self {
        Self {
            name: outage.row.site.name.clone(),
            url: outage.row.site.url.clone(),
            since: outage.row.since,
        }
    }

    /// The outage of this identity, if it is among the latest.
    pub(crate) fn find<'a>(&self, history: &'a HistoryView) -> Option<&'a OutageView> {
        history.outages.iter().find(|outage| self.is(outage))
    }

    fn is(&self, outage: &OutageView) -> bool {
        self.since == outage.row.since
            && self.name == outage.row.site.name
            && self.url == outage.row.site.url
    }
}

/// The state of the Outages screen.
#[derive(Debug, Default)]
pub(crate) struct OutagesState {
    pub(crate) pane: Pane,
    /// The outage that the selection follows; `None` while it stays on the first row.
    outage: Option<OutageKey>,
    /// The identifier of the message that the selection follows; `None` likewise.
    message: Option<Box<str>>,
    /// The filter as it was typed: every word must match.
    pub(crate) filter: String,
    /// The order of the outages, and whether it is reversed.
    pub(crate) sort: (OutageSort, bool),
    /// The time of the frame, which decides how long an open outage lasts.
    pub(crate) now: Timestamp,
    /// The span of a site's history.
    pub(crate) span: HistorySpan,
    /// The rules on trial in the replay.
    pub(crate) tried: TriedRules,
}

impl OutagesState {
    /// The outages that match the filter, in their order: unless another is chosen, open ones
    /// first, the newest of them with those that share a trait with it, then the ended ones.
    pub(crate) fn outages<'a>(&self, history: &'a HistoryView) -> Vec<&'a OutageView> {
        let words: Vec<_> = self
            .filter
            .split_whitespace()
            .map(str::to_lowercase)
            .collect();
        let matches =
            |outage: &&OutageView| words.is_empty() || words.iter().all(|word| says(outage, word));
        let mut outages: Vec<_> = history.outages.iter().filter(matches).collect();
        let (sort, reverse) = self.sort;
        outages.sort_by(|a, b| sort.compare(reverse, self.now, (a, b)));
        if sort != OutageSort::Open {
            return outages;
        }
        let open = outages.partition_point(|outage| outage.row.ended.is_none());
        let mut grouped = Vec::with_capacity(outages.len());
        with_kin(&outages[..open], |groups| {
            // An outage that shares nothing stands where it would without the groups.
            let mut blocks: Vec<&[usize]> = Vec::new();
            for group in groups {
                match group.common {
                    Some(_) => blocks.push(&group.members),
                    None => blocks.extend(group.members.chunks(1)),
                }
            }
            blocks.sort_by_key(|members| members.first().copied());
            let members = blocks.into_iter().flatten();
            grouped.extend(members.map(|member| outages[*member]));
        });
        grouped.extend_from_slice(&outages[open..]);
        grouped
    }

    /// The trait that most of the open outages share, in a sentence; `None` if no two share
    /// one: "Suspected common cause: 4 of 5 open, all on 203.0.113.7: status 503".
    pub(crate) fn common_cause(outages: &[&OutageView]) -> Option<String> {
        let outages = open_of(outages);
        let open = outages.len();
        let mut said = None;
        with_kin(&outages, |groups| {
            let Some((group, common)) = groups
                .first()
                .and_then(|group| Some((group, group.common?)))
            else {
                return;
            };
            let mut failures: Vec<String> = group
                .members
                .iter()
                .map(|member| failure(outages[*member]))
                .collect();
            failures.sort_unstable();
            failures.dedup();
            let number = group.members.len();
            let common = clean(&common.to_string(), 60);
            let how = match &failures[..] {
                [only] if *only != common => format!(": {only}"),
                _ => String::new(),
            };
            said = Some(format!(
                "Suspected common cause: {number} of {open} open, all {common}{how}"
            ));
        });
        said
    }

    /// The open outages of the selected one's group, itself among them, and what they share; the
    /// selected one alone if it shares nothing.
    pub(crate) fn group<'a>(&self, history: &'a HistoryView) -> (Vec<&'a OutageView>, String) {
        let outages = self.outages(history);
        let selected = outages.get(self.outage_at(&outages)).copied();
        let open = open_of(&outages);
        let place =
            selected.and_then(|one| open.iter().position(|other| std::ptr::eq(*other, one)));
        let mut found = None;
        with_kin(&open, |groups| {
            found = place.and_then(|place| group_of(groups, place));
        });
        match found {
            Some((members, common)) => (members.iter().map(|at| open[*at]).collect(), common),
            None => (selected.into_iter().collect(), String::new()),
        }
    }

    /// The index of the selected outage among `outages`.
    pub(crate) fn outage_at(&self, outages: &[&OutageView]) -> usize {
        let find = |key: &OutageKey| outages.iter().position(|outage| key.is(outage));
        self.outage.as_ref().and_then(find).unwrap_or(0)
    }

    /// The selected outage.
    pub(crate) fn outage<'a>(&self, history: &'a HistoryView) -> Option<&'a OutageView> {
        let outages = self.outages(history);
        outages.get(self.outage_at(&outages)).copied()
    }

    /// The index of the selected message.
    pub(crate) fn message_at(&self, history: &HistoryView) -> usize {
        let find = |id: &str| {
            history
                .messages
                .iter()
                .position(|queued| &*queued.message.id == id)
        };
        self.message.as_deref().and_then(find).unwrap_or(0)
    }

    /// The selected message.
    pub(crate) fn message<'a>(&self, history: &'a HistoryView) -> Option<&'a QueuedMessage> {
        history.messages.get(self.message_at(history))
    }

    /// Moves to the outbox: to the newest message that was given up, or else that is pending.
    pub(crate) fn go_to_undelivered(&mut self, history: &HistoryView) {
        self.pane = Pane::Outbox;
        let is = |delivery| move |queued: &&QueuedMessage| queued.delivery == delivery;
        let mut messages = history.messages.iter();
        let failed = messages.find(is(DeliveryState::Failed));
        let find = |delivery| history.messages.iter().find(is(delivery));
        let worst = failed
            .or_else(|| find(DeliveryState::Retrying))
            .or_else(|| find(DeliveryState::Pending))
            .or_else(|| find(DeliveryState::Waiting));
        self.message = worst.map(|queued| queued.message.id.clone());
    }

    /// Moves the selection of the list that takes the keys by `by` rows.
    pub(crate) fn walk(&mut self, history: &HistoryView, by: isize) {
        match self.pane {
            Pane::Outages => {
                let outages = self.outages(history);
                let place = moved(self.outage_at(&outages), by, outages.len());
                self.outage = outages.get(place).map(|outage| OutageKey::of(outage));
            }
            Pane::Outbox => {
                let place = moved(self.message_at(history), by, history.messages.len());
                self.message = history
                    .messages
                    .get(place)
                    .map(|queued| queued.message.id.clone());
            }
        }
    }

    /// Selects an outage, and moves to its list.
    pub(crate) fn select_outage(&mut self, outage: OutageKey) {
        (self.pane, self.outage) = (Pane::Outages, Some(outage));
    }

    /// Selects a message by its identifier, and moves to the outbox.
    pub(crate) fn select_message(&mut self, id: Box<str>) {
        (self.pane, self.message) = (Pane::Outbox, Some(id));
    }

    /// Selects the first row, and stays there when the list changes.
    pub(crate) fn first(&mut self) {
        match self.pane {
            Pane::Outages => self.outage = None,
            Pane::Outbox => self.message = None,
        }
    }

    /// Takes the next order, or reverses the present one.
    pub(crate) const fn turn(&mut self, reverse: bool) {
        let (sort, reversed) = self.sort;
        self.sort = if reverse {
            (sort, !reversed)
        } else {
            (sort.following(), reversed)
        };
    }

    /// The next longer span, or the next shorter one.
    pub(crate) fn zoom(&mut self, longer: bool) {
        let all = HistorySpan::ALL;
        let at = all.iter().position(|span| *span == self.span).unwrap_or(0);
        let to = if longer { at + 1 } else { at.saturating_sub(1) };
        self.span = all.get(to).copied().unwrap_or(self.span);
    }
}

/// The group with this member and what it shares; `None` if it shares nothing.
pub(super) fn group_of(
    groups: &[CorrelatedGroup<'_>],
    member: usize,
) -> Option<(Vec<usize>, String)> {
    let mut groups = groups.iter();
    let group = groups.find(|group| group.members.contains(&member))?;
    Some((group.members.clone(), clean(&group.common?.to_string(), 60)))
}

/// The open ones, in the same order.
fn open_of<'a>(outages: &[&'a OutageView]) -> Vec<&'a OutageView> {
    let open = outages.iter().filter(|outage| outage.row.ended.is_none());
    open.copied().collect()
}

fn failure(outage: &OutageView) -> String {
    failure_in_words(&outage.row.causes)
}

/// The failure in words that are the same for outages that fail alike.
pub(super) fn failure_in_words(causes: &[Cause]) -> String {
    let first = causes.first();
    first.map_or_else(String::new, |cause| match cause.status {
        Some(status) => format!("status {status}"),
        None => cause.reason.to_string(),
    })
}

/// Calls `visit` with the groups of open outages that share a trait.
fn with_kin(open: &[&OutageView], visit: impl FnOnce(&[CorrelatedGroup<'_>])) {
    let failures: Vec<String> = open.iter().map(|outage| failure(outage)).collect();
    let traits: Vec<_> = open
        .iter()
        .zip(&failures)
        .map(|(outage, failure)| outage.shares.with(failure))
        .collect();
    visit(&correlate(&traits));
}

fn moved(place: usize, by: isize, rows: usize) -> usize {
    place.saturating_add_signed(by).min(rows.saturating_sub(1))
}

/// Whether the row of `outage` contains `word`, which is in lower case.
fn says(outage: &OutageView, word: &str) -> bool {
    let holds = |text: &str| text.to_lowercase().contains(word);
    let state = if outage.row.ended.is_some() {
        "ended"
    } else {
        "open"
    };
    let cause = |cause: &Cause| {
        holds(cause.reason.word())
            || cause
                .status
                .is_some_and(|status| holds(&status.to_string()))
            || cause.error.as_deref().is_some_and(holds)
    };
    holds(&outage.row.site.name)
        || holds(&outage.row.site.url)
        || state.starts_with(word)
        || outage.row.causes.iter().any(cause)
        || outage
            .row
            .acknowledged
            .as_ref()
            .is_some_and(|known| "acknowledged".starts_with(word) || holds(&known.note))
        || outage
            .row
            .messages
            .iter()
            .any(|told| holds(&told.owner) || holds(&told.channel))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::history_fixture::history;

    #[test]
    fn open_outages_come_first_and_the_selection_follows_one() {
        let mut history = history();
        let mut state = OutagesState::default();
        let outages = state.outages(&history);
        let open: Vec<_> = outages
            .iter()
            .map(|outage| outage.row.ended.is_none())
            .collect();
        assert!(open.is_sorted_by_key(|open| !open), "{open:?}");
        state.walk(&history, 1);
        let selected = OutageKey::of(state.outage(&history).unwrap());
        history.outages.remove(0);
        assert!(selected.is(state.outage(&history).unwrap()));
        state.walk(&history, 100);
        state.first();
        assert_eq!(state.outage_at(&state.outages(&history)), 0);
    }

    #[test]
    fn a_filter_asks_for_site_state_reason_owner_and_note() {
        let history = history();
        let matching = |filter: &str| {
            let state = OutagesState {
                filter: filter.to_owned(),
                ..OutagesState::default()
            };
            state.outages(&history).len()
        };
        let all = history.outages.len();
        assert_eq!(matching(""), all);
        assert_eq!(matching("open") + matching("ended"), all);
        assert_eq!(matching("PAY timeout"), 1);
        assert_eq!(matching("ops"), 3);
        assert_eq!(matching("acknowledged card"), 1);
        assert_eq!(matching("no such outage"), 0);
    }

    #[test]
    fn an_undelivered_message_is_found_at_once() {
        let history = history();
        let mut state = OutagesState::default();
        state.go_to_undelivered(&history);
        assert_eq!(
            state.message(&history).unwrap().delivery,
            DeliveryState::Failed
        );
    }

    #[test]
    fn spans_end_at_the_shortest_and_the_longest() {
        let mut state = OutagesState::default();
        state.zoom(false);
        assert_eq!(state.span, HistorySpan::SixHours);
        state.zoom(false);
        state.zoom(false);
        assert_eq!(state.span, HistorySpan::Hour);
        for _ in 0..9 {
            state.zoom(true);
        }
        assert_eq!(state.span, HistorySpan::Quarter);
    }
}
