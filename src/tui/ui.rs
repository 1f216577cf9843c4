//! The screen as a whole: keys in, intents out, frames drawn.

use std::hash::{DefaultHasher, Hash, Hasher};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::domain::Moment;
use crate::monitor::State as SiteIs;

use super::click_targets::ClickTargets;
use super::downgrade::downgrade;
use super::frame_rate::{FrameRate, NANOS_PER_SECOND};
use super::history_view::HistoryQuery;
use super::input::{InputKind, TerminalInput};
use super::key::Key;
use super::keymap::{self, KeyAction, Mode, Scope};
use super::mouse_actions;
use super::options::Options;
use super::outages_actions;
use super::overlays::{
    draw_pages, explain, help, message, outage, outage_messages, recent_messages, replay,
    site_checks, site_form, site_history,
};
use super::replay_state::TriedRules;
use super::site_edit_actions;
use super::state::{Layer, UiState};
use super::theme::{self, BOLD, PLAIN};
use super::view_model::{Intent, ViewModel};
use super::views::{VIEWS, View};
use super::widgets::{Piece, draw_pieces, footer, header, put, typed};
use super::{layout, update};

/// The screen. It reads the [`ViewModel`] and changes only its own state.
#[derive(Debug)]
pub struct Ui {
    state: UiState,
    frame_rate: FrameRate,
}

impl Ui {
    /// A screen of `size` (columns, rows) that shows the table of sites.
    #[must_use]
    pub fn new(options: Options, size: (u16, u16)) -> Self {
        Self {
            frame_rate: FrameRate::new(options.remote),
            state: UiState::new(options, size),
        }
    }

    /// Handles an input of the terminal; gives the request to the app, if it leads to one.
    pub fn input(&mut self, input: &TerminalInput, model: &ViewModel<'_>) -> Option<Intent> {
        let intent = match &input.0 {
            InputKind::Key(key) => {
                self.state.keys.pressed(model.now);
                self.key(*key, model)
            }
            InputKind::Paste(text) => {
                if matches!(
                    self.state.layers.last(),
                    Some(
                        Layer::Filter
                            | Layer::HelpFilter
                            | Layer::Note { .. }
                            | Layer::SiteForm(_)
                            | Layer::Tags { .. }
                    )
                ) {
                    update::type_text(&mut self.state, text);
                }
                None
            }
            InputKind::Resize(columns, rows) => {
                self.state.size = (*columns, *rows);
                None
            }
            InputKind::Mouse(mouse) => {
                self.state.keys.pressed(model.now);
                self.state.quit_asked = None;
                mouse_actions::act(&mut self.state, *mouse, model);
                self.state.seen = None;
                None
            }
            InputKind::Background(background) => {
                self.state.options.background = *background;
                None
            }
            InputKind::Focus(focused) => {
                self.frame_rate.focus(*focused);
                return None;
            }
            InputKind::Closed => return Some(Intent::Closed),
        };
        self.frame_rate.hurry();
        self.tick(model);
        intent
    }

    fn key(&mut self, key: Key, model: &ViewModel<'_>) -> Option<Intent> {
        let mode = self.state.mode();
        match keymap::action(mode, key, &update::context(model)) {
            Some(action) => {
                if action != KeyAction::Close {
                    self.state.quit_asked = None;
                }
                let intent = update::act(&mut self.state, action, key, model);
                self.state.seen = None;
                intent
            }
            None => {
                let is_typed = matches!(
                    mode,
                    Mode::Filter | Mode::HelpFilter | Mode::Note | Mode::SiteForm | Mode::Tags
                );
                if let (true, Key::Char(c)) = (is_typed, key) {
                    update::type_text(&mut self.state, c.encode_utf8(&mut [0; 4]));
                }
                None
            }
        }
    }

    fn view(&self) -> &'static View {
        // A constant table promoted to a static: a screen number is always within it.
        const { &VIEWS }
            .get(self.state.view)
            .unwrap_or(const { &VIEWS[0] })
    }

    /// Brings the order of the rows up to date, in steps of about a millisecond, because
    /// drawing must not change the state. To be called at the time
    /// [`next_frame`](Self::next_frame) gives and before
    /// [`wants_frame`](Self::wants_frame); it returns at once when the order is up to date.
    pub fn tick(&mut self, model: &ViewModel<'_>) {
        self.state.keys.begin(model.now);
        if self.state.frozen.is_none() {
            self.state.outages.now = model.now.wall;
        }
        let page = layout::page(&self.state, model);
        self.state.reorder(model, page);
    }

    /// Whether the Scheduling screen is shown, which needs a fresh trace for every frame.
    #[must_use]
    pub fn watches_lanes(&self) -> bool {
        self.view().scopes.contains(&Scope::Sched)
    }

    /// The part of the history that is on the screen; `None` if none is.
    #[must_use]
    pub fn history_query(&self) -> Option<HistoryQuery> {
        match self.state.layers.last() {
            Some(Layer::SiteHistory { site, .. }) => {
                let cells = site_history::chart_cells(self.state.size.0);
                Some(HistoryQuery::Site(*site, self.state.outages.span, cells))
            }
            Some(Layer::SiteChecks { site, span, .. }) => Some(HistoryQuery::Checks(*site, *span)),
            Some(Layer::Replay { .. }) => None,
            _ => outages_actions::is_here(&self.state).then_some(HistoryQuery::Outages),
        }
    }

    /// The rules on trial while the page of the replay is open.
    #[must_use]
    pub fn tried_rules(&self) -> Option<TriedRules> {
        let layer = self.state.layers.last();
        matches!(layer, Some(Layer::Replay { .. })).then_some(self.state.outages.tried)
    }

    /// Whether a frame is due now.
    #[must_use]
    pub fn wants_frame(&self, model: &ViewModel<'_>) -> bool {
        self.frame_rate.due(model.now.mono, self.shown(model))
    }

    /// When to call [`wants_frame`](Self::wants_frame) again, if nothing happens before.
    #[must_use]
    pub fn next_frame(&self, model: &ViewModel<'_>) -> Moment {
        let now = model.now.mono;
        if self.is_busy() {
            return now;
        }
        // A worker takes a check from its queue without telling. At rest the cursor of the lanes
        // goes on with the clock.
        let in_flight = model.census.running + model.census.queued > 0;
        self.frame_rate.next(now, self.shown(model), in_flight)
    }

    /// Whether [`tick`](Self::tick) has more steps to do: it is to be called again soon, after
    /// other events had their turn.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        self.state.order.is_building()
    }

    /// Records that a frame of this model was drawn.
    pub fn drawn(&mut self, model: &ViewModel<'_>) {
        let shown = self.shown(model);
        self.state.seen = self.state.selected();
        self.frame_rate.drawn(model.now.mono, shown);
    }

    /// Takes what a click means in the frame that was drawn.
    pub fn aim(&mut self, targets: ClickTargets) {
        self.state.targets = targets;
    }

    /// A hash that changes whenever a frame of this model would.
    fn shown(&self, model: &ViewModel<'_>) -> u64 {
        let mut hash = DefaultHasher::new();
        let census = model.census;
        self.state.order.lists().hash(&mut hash);
        model.monitor.revision().hash(&mut hash);
        // The clock and the countdowns go on while nothing else happens.
        (model.now.mono.as_nanos() / NANOS_PER_SECOND).hash(&mut hash);
        (model.active, census.workers, census.running, census.queued).hash(&mut hash);
        (census.threads, census.processes).hash(&mut hash);
        if self.watches_lanes() {
            model.trace.store.now().hash(&mut hash);
        }
        model.lab.revision.hash(&mut hash);
        if self.history_query().is_some() {
            model.history.revision.hash(&mut hash);
        }
        if self.tried_rules().is_some() {
            model.replay.revision.hash(&mut hash);
        }
        model.form.tried.map(|tried| tried.number).hash(&mut hash);
        let message = model.message.map(|message| (message.at, &message.text));
        (message, model.banner, model.config_path).hash(&mut hash);
        hash.finish()
    }

    /// Draws the whole screen; gives what a click in it means.
    pub(crate) fn draw(&self, model: &ViewModel<'_>, buffer: &mut Buffer) -> ClickTargets {
        let area = buffer.area;
        let mut targets = ClickTargets::default();
        match layout::areas(area, &self.state, model) {
            Some(areas) => self.draw_areas(model, &areas, buffer, &mut targets),
            None => too_small(model, area, buffer),
        }
        downgrade(buffer, &self.state.options);
        targets
    }

    fn draw_areas(
        &self,
        model: &ViewModel<'_>,
        areas: &layout::Areas,
        buffer: &mut Buffer,
        targets: &mut ClickTargets,
    ) {
        let state = &self.state;
        let tabs = VIEWS.map(|view| view.title);
        let filter = outages_actions::filter_in_words(state, model);
        header::draw(buffer, areas.header, state, model, (&tabs, filter), targets);
        header::draw_notices(buffer, areas.notices, state, model);
        let body = areas.body;
        match state.layers.last() {
            Some(layer @ (Layer::Help { .. } | Layer::HelpFilter)) => {
                let lines = help::lines(&update::context(model), state, body.width);
                let scroll = match layer {
                    Layer::Help { scroll } => *scroll,
                    _ => 0,
                };
                draw_pages(buffer, body, help::title(state), &lines, scroll);
            }
            Some(Layer::Explain { site, scroll }) => {
                let lines = explain::lines(state, model, *site, body.width);
                let title = explain::title(state, model, *site);
                draw_pages(buffer, body, &title, &lines, *scroll);
            }
            Some(Layer::Outage { outage, scroll }) => {
                let lines = outage::lines(state, model, outage, body.width);
                draw_pages(buffer, body, &outage::title(outage), &lines, *scroll);
            }
            Some(Layer::OutageMessages { outage, scroll }) => {
                let lines = outage_messages::lines(state, model, outage, body.width);
                let title = outage_messages::title(outage);
                draw_pages(buffer, body, &title, &lines, *scroll);
            }
            Some(Layer::SiteChecks { site, span, scroll }) => {
                let lines = site_checks::lines(state, model, *site, *span, body.width);
                let title = site_checks::title(state, model, *site, *span);
                draw_pages(buffer, body, &title, &lines, *scroll);
            }
            Some(Layer::Message { id, scroll }) => {
                let lines = message::lines(state, model, id, body.width);
                draw_pages(buffer, body, message::TITLE, &lines, *scroll);
            }
            Some(Layer::RecentMessages { scroll }) => {
                let lines = recent_messages::lines(state, model, body.width);
                draw_pages(buffer, body, recent_messages::TITLE, &lines, *scroll);
            }
            Some(Layer::SiteHistory { site, scroll }) => {
                let lines = site_history::lines(state, model, *site, body);
                draw_pages(
                    buffer,
                    body,
                    &site_history::title(state, model, *site),
                    &lines,
                    *scroll,
                );
            }
            Some(Layer::Replay { scroll }) => replay::draw(buffer, body, state, model, *scroll),
            Some(Layer::SiteForm(form)) => {
                let lines = site_form::lines(form, model, body.width);
                draw_pages(buffer, body, &site_form::title(form, model), &lines, 0);
            }
            Some(
                Layer::Filter | Layer::Note { .. } | Layer::Tags { .. } | Layer::Delete { .. },
            )
            | None => {
                (self.view().draw)(state, model, body, (buffer, targets));
            }
        }
        if let Some(line) = body.rows().next_back() {
            self.draw_last_line(model, line, buffer);
        }
        footer::draw(
            buffer,
            areas.footer,
            self.state.mode(),
            &update::context(model),
        );
    }

    /// Draws the newest message, or the note that is typed, over the last line of what has no line of
    /// its own for that. It never covers keys.
    fn draw_last_line(&self, model: &ViewModel<'_>, line: Rect, buffer: &mut Buffer) {
        let scopes = self.view().scopes;
        let has_line = scopes.contains(&Scope::Sites) || scopes.contains(&Scope::Outages);
        let piece = match self.state.layers.last() {
            Some(Layer::Note { about, text, .. }) if !has_line => {
                typed(format!("note on {about}: "), text)
            }
            Some(Layer::HelpFilter) => typed("/ ".to_owned(), &self.state.help_filter),
            Some(
                Layer::Filter | Layer::Note { .. } | Layer::Tags { .. } | Layer::Delete { .. },
            ) if has_line => return,
            Some(layer @ (Layer::Tags { .. } | Layer::Delete { .. })) => {
                match site_edit_actions::asked(layer) {
                    Some(piece) => piece,
                    None => return,
                }
            }
            Some(Layer::Filter | Layer::Note { .. }) => return,
            None if has_line => return,
            _ => match self.state.message(model) {
                Some(message) => {
                    let text = message.line(line.width.saturating_sub(1));
                    Piece::text(0, text, theme::tone(message.tone))
                }
                None => return,
            },
        };
        buffer.set_style(line, Style::reset());
        let blank = " ".repeat(line.width.into());
        put(buffer, line.x, line.y, line.width, &blank, PLAIN);
        draw_pieces(buffer, line, vec![piece], Vec::new());
    }
}

/// On a screen that is too small: the number of sites that are down, and the size it needs.
fn too_small(model: &ViewModel<'_>, area: Rect, buffer: &mut Buffer) {
    let down = model.monitor.totals().of(SiteIs::Down);
    let badge = theme::badge(if down > 0 { SiteIs::Down } else { SiteIs::Up });
    let verdict = if down > 0 {
        format!("{} {down} {}", badge.glyph, badge.word)
    } else {
        format!("{} 0 DOWN", badge.glyph)
    };
    let (columns, rows) = layout::MIN_SIZE;
    let need = format!("need {columns}x{rows}, have {}x{}", area.width, area.height);
    let lines = [
        (verdict, badge.style),
        (need, PLAIN),
        ("q quits".to_owned(), BOLD),
    ];
    for ((text, style), row) in lines.iter().zip(area.rows()) {
        put(buffer, row.x, row.y, row.width, text, *style);
    }
}
