//! The state of the screen between frames: layers, selection, order and settings.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use crate::domain::{Moment, Now, SiteId};
use crate::monitor::SiteState;

use super::click_targets::ClickTargets;
use super::history_view::HistoryView;
use super::keymap::{Mode, Scope};
use super::lab_settings::LabSettings;
pub(crate) use super::layer::Layer;
use super::options::Options;
use super::outages_state::OutagesState;
use super::recent_keys::RecentKeys;
use super::sched_state::SchedState;
use super::site_order::SiteOrder;
use super::summary::Summary;
use super::view_model::{StatusMessage, Tone, ViewModel};

/// How long the order of the table stays as it is after a key.
const ORDER_HOLD: Duration = Duration::from_secs(3);
/// How long a status message is shown.
pub(crate) const MESSAGE_DURATION: Duration = Duration::from_secs(8);
/// The most status messages that can be read again.
pub(crate) const MOST_RECENT_MESSAGES: usize = 20;
/// The number of rows copied above and below the visible ones while the display is frozen.
const FROZEN_MARGIN: usize = 200;

/// One row of the table of sites.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SiteRow<'a> {
    pub(crate) site: &'a SiteState,
    pub(crate) due: Option<Moment>,
}

/// The display as it was when it was frozen. Only the rows near the visible ones are copied,
/// so that it costs the same with ten sites and with a million.
#[derive(Debug)]
pub(crate) struct Frozen {
    pub(crate) summary: Summary,
    /// The history as it was.
    pub(crate) history: HistoryView,
    /// The index of the first copied row in the list.
    first: usize,
    rows: Vec<(SiteState, Option<Moment>)>,
    /// The site whose explanation is open, which may not be among the rows.
    explained: Option<(SiteState, Option<Moment>)>,
}

/// The state of the screen.
#[derive(Debug)]
pub(crate) struct UiState {
    pub(crate) options: Options,
    pub(crate) size: (u16, u16),
    /// The index of the current screen in the table of screens.
    pub(crate) view: usize,
    pub(crate) layers: Vec<Layer>,
    pub(crate) order: SiteOrder,
    /// The index of the selected row.
    pub(crate) cursor: usize,
    /// The site that the selection follows; `None` while it stays on the first row.
    pub(crate) pinned: Option<SiteId>,
    /// The index of the row at the top of the table.
    pub(crate) top: usize,
    pub(crate) frozen: Option<Frozen>,
    /// The sites that are marked.
    pub(crate) marks: BTreeSet<SiteId>,
    /// The number of the last trial of a site.
    pub(crate) trials: u64,
    /// The state of the Scheduling screen.
    pub(crate) sched: SchedState,
    /// The state of the Outages screen.
    pub(crate) outages: OutagesState,
    /// The settings of Race and Lab.
    pub(crate) lab: LabSettings,
    /// The last status messages of the screen itself, the newest last.
    pub(crate) notes: VecDeque<StatusMessage>,
    /// What is searched in the help, as it was typed: every word must match.
    pub(crate) help_filter: String,
    /// What a click means in the frame that was drawn last.
    pub(crate) targets: ClickTargets,
    /// When keys were pressed lately.
    pub(crate) keys: RecentKeys,
    /// The site that was selected in the last frame; `None` once a key may have changed that.
    pub(crate) seen: Option<SiteId>,
    /// When it was asked whether to quit while a site is down; `None` after any other key.
    pub(crate) quit_asked: Option<Moment>,
}

impl UiState {
    pub(crate) fn new(options: Options, size: (u16, u16)) -> Self {
        Self {
            options,
            size,
            view: 0,
            layers: Vec::new(),
            order: SiteOrder::default(),
            cursor: 0,
            pinned: None,
            top: 0,
            frozen: None,
            marks: BTreeSet::new(),
            trials: 0,
            sched: SchedState::default(),
            outages: OutagesState::default(),
            lab: LabSettings::default(),
            notes: VecDeque::new(),
            help_filter: String::new(),
            targets: ClickTargets::default(),
            keys: RecentKeys::default(),
            seen: None,
            quit_asked: None,
        }
    }

    /// The part of the screen that takes the keys.
    pub(crate) fn mode(&self) -> Mode {
        self.mode_of(self.layers.last())
    }

    /// The part that takes the keys again when the help is closed.
    pub(crate) fn mode_below_help(&self) -> Mode {
        let is_help = |layer: &&Layer| matches!(layer, Layer::Help { .. } | Layer::HelpFilter);
        self.mode_of(self.layers.iter().rev().find(|layer| !is_help(layer)))
    }

    /// Whether the help is reduced to what was searched in it.
    pub(crate) fn is_help_searched(&self) -> bool {
        !self.help_filter.trim().is_empty()
    }

    fn mode_of(&self, layer: Option<&Layer>) -> Mode {
        match layer {
            None => Mode::Screen(super::views::VIEWS[self.view].scopes),
            Some(Layer::Help { .. }) => Mode::Help,
            Some(Layer::HelpFilter) => Mode::HelpFilter,
            Some(
                Layer::OutageMessages { .. }
                | Layer::SiteChecks { .. }
                | Layer::Message { .. }
                | Layer::RecentMessages { .. },
            ) => Mode::Page,
            Some(Layer::Outage { .. }) => Mode::Outage,
            Some(Layer::Explain { .. }) => Mode::Explain,
            Some(Layer::SiteHistory { .. }) => Mode::SiteHistory,
            Some(Layer::Replay { .. }) => Mode::Replay,
            Some(Layer::Note { .. }) => Mode::Note,
            Some(Layer::SiteForm(_)) => Mode::SiteForm,
            Some(Layer::Tags { .. }) => Mode::Tags,
            Some(Layer::Delete { .. }) => Mode::Question,
            Some(Layer::Filter) => Mode::Filter,
        }
    }

    /// Whether the terms of concurrency stand above the long descriptions of the help.
    pub(crate) fn terms_first(&self) -> bool {
        let scopes = super::views::VIEWS[self.view].scopes;
        scopes.contains(&Scope::Lab) || scopes.contains(&Scope::Race)
    }

    /// Whether the site went down since the last key was pressed.
    pub(crate) fn is_new(&self, model: &ViewModel<'_>, site: &SiteState) -> bool {
        let seen = self.keys.seen_until(self.now(model));
        let outage = site.outage();
        outage.is_some_and(|outage| seen.is_some_and(|seen| outage.opened() > seen.mono))
    }

    /// The figures of the header: those of now, or of the moment of freezing.
    pub(crate) fn summary(&self, model: &ViewModel<'_>) -> Summary {
        self.frozen
            .as_ref()
            .map_or_else(|| Summary::of(model), |frozen| frozen.summary)
    }

    /// The time of the shown state: now, or the moment of freezing.
    pub(crate) fn now(&self, model: &ViewModel<'_>) -> Now {
        self.frozen
            .as_ref()
            .map_or(model.now, |frozen| frozen.summary.now)
    }

    /// The outages and messages to show: those of now, or of the moment of freezing.
    pub(crate) fn history<'a>(&'a self, model: &ViewModel<'a>) -> &'a HistoryView {
        self.frozen
            .as_ref()
            .map_or(model.history, |frozen| &frozen.history)
    }

    /// The row at an index of the list; `None` for a site that has just been removed.
    pub(crate) fn row<'a>(&'a self, model: &ViewModel<'a>, place: usize) -> Option<SiteRow<'a>> {
        if let Some(frozen) = &self.frozen {
            let (site, due) = frozen.rows.get(place.checked_sub(frozen.first)?)?;
            return Some(SiteRow { site, due: *due });
        }
        let id = *self.order.rows().get(place)?;
        Some(SiteRow {
            site: model.monitor.site(id)?,
            due: (model.next_due)(id),
        })
    }

    /// A site as it is shown: as of now, or of the moment of freezing.
    pub(crate) fn site<'a>(&'a self, model: &ViewModel<'a>, id: SiteId) -> Option<SiteRow<'a>> {
        if let Some(frozen) = &self.frozen
            && let Some((site, due)) = frozen
                .rows
                .iter()
                .chain(&frozen.explained)
                .find(|(site, _)| site.id() == id)
        {
            return Some(SiteRow { site, due: *due });
        }
        Some(SiteRow {
            site: model.monitor.site(id)?,
            due: (model.next_due)(id),
        })
    }

    /// The site that a key acts on: the one that was selected in the frame on which it was pressed,
    /// though the rows may have another order since.
    pub(crate) fn meant(&self) -> Option<SiteId> {
        self.seen.or_else(|| self.selected())
    }

    /// The selected site.
    pub(crate) fn selected(&self) -> Option<SiteId> {
        match self.layers.last() {
            Some(Layer::Explain { site, .. } | Layer::SiteHistory { site, .. }) => Some(*site),
            _ => self.order.rows().get(self.cursor).copied(),
        }
    }

    /// The range of indexes that can be selected: all, or the copied rows.
    fn reach(&self) -> (usize, usize) {
        match &self.frozen {
            Some(frozen) => (frozen.first, frozen.first + frozen.rows.len()),
            None => (0, self.order.rows().len()),
        }
    }

    /// The index of the top row of a table of `height` rows that contains the selection.
    pub(crate) fn top(&self, height: usize) -> usize {
        let (first, end) = self.reach();
        let most = end.saturating_sub(height).max(first);
        let least = (self.cursor + 1).saturating_sub(height);
        self.top
            .clamp(least.min(self.cursor), self.cursor.max(least))
            .clamp(first, most)
    }

    /// Moves the selection by `by` rows; it follows the site of the new row.
    pub(crate) fn walk(&mut self, by: isize, height: usize) {
        let (first, end) = self.reach();
        let place = self.cursor.saturating_add_signed(by);
        self.select(place.clamp(first, end.saturating_sub(1).max(first)), height);
    }

    fn select(&mut self, place: usize, height: usize) {
        self.cursor = place;
        self.pinned = self.order.rows().get(place).copied();
        self.top = self.top(height);
    }

    /// Selects the first row and stays there, or selects the last site.
    pub(crate) fn jump(&mut self, to_end: bool, height: usize) {
        let (first, end) = self.reach();
        if to_end {
            self.select(end.saturating_sub(1).max(first), height);
        } else {
            self.select(first, height);
            self.pinned = None;
        }
    }

    /// Selects `site` if it is listed.
    pub(crate) fn follow(&mut self, site: SiteId, height: usize) {
        if let Some(place) = self.order.rows().iter().position(|id| *id == site) {
            self.select(place, height);
        }
    }

    /// Takes one step of rebuilding the list; the selection stays with its site.
    pub(crate) fn reorder(&mut self, model: &ViewModel<'_>, height: usize) {
        if self.frozen.is_some() {
            return;
        }
        let now = model.now.mono;
        let still = self
            .keys
            .last()
            .is_some_and(|key| now.since(key) < ORDER_HOLD);
        if !self
            .order
            .step(model.monitor, (model.next_due, model.silence), now, still)
        {
            return;
        }
        let rows = self.order.rows();
        let place = self
            .pinned
            .and_then(|site| rows.iter().position(|id| *id == site));
        self.cursor = match (place, self.pinned) {
            (Some(place), _) => place,
            // The site is filtered out: the selection stays in its row.
            (None, Some(_)) => self.cursor.min(rows.len().saturating_sub(1)),
            (None, None) => 0,
        };
        if self.pinned.is_none() {
            self.top = 0;
        }
        self.top = self.top(height);
    }

    /// Freezes the display, or goes live again.
    pub(crate) fn freeze(&mut self, model: &ViewModel<'_>, height: usize) {
        if self.frozen.take().is_some() {
            return;
        }
        self.top = self.top(height);
        let first = self.top.saturating_sub(FROZEN_MARGIN);
        let end = (self.top + height + FROZEN_MARGIN).min(self.order.rows().len());
        let copy = |row: SiteRow<'_>| (row.site.clone(), row.due);
        let rows = (first..end).map_while(|place| self.row(model, place));
        let rows: Vec<_> = rows.map(copy).collect();
        let explained = match self.layers.last() {
            Some(Layer::Explain { site, .. }) => self.site(model, *site).map(copy),
            _ => None,
        };
        self.frozen = Some(Frozen {
            summary: Summary::of(model),
            history: model.history.clone(),
            first,
            rows,
            explained,
        });
    }

    /// Shows a status message.
    pub(crate) fn say(&mut self, tone: Tone, text: impl Into<String>, now: Moment) {
        self.notes.push_back(StatusMessage {
            text: text.into(),
            short: None,
            tone,
            at: now,
            sticky: false,
        });
        if self.notes.len() > MOST_RECENT_MESSAGES {
            self.notes.pop_front();
        }
    }

    /// The status message to show: the newest of the app's and the screen's own that has not
    /// expired.
    pub(crate) fn message<'a>(&'a self, model: &ViewModel<'a>) -> Option<&'a StatusMessage> {
        let fresh = |message: &&StatusMessage| {
            message.sticky || model.now.mono.since(message.at) < MESSAGE_DURATION
        };
        let theirs = model.message.filter(fresh);
        let ours = self.notes.back().filter(fresh);
        match (theirs, ours) {
            (Some(theirs), Some(ours)) if ours.at > theirs.at => Some(ours),
            (None, ours) => ours,
            (theirs, _) => theirs,
        }
    }
}
