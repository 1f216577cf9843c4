//! The page of a site's history: uptime over spans, a chart of latency, a bar of days, its
//! outages, and the size of the history's file.

use std::time::Duration;

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::domain::{SiteId, Timestamp, brief, clean};
use crate::tui::format::{age, bytes, count, date, percent, when};
use crate::tui::history_view::{BucketTotals, HistorySpan, OutageView, SiteHistory};
use crate::tui::state::UiState;
use crate::tui::theme::{self, BOLD, DIM, NETWORK, PLAIN};
use crate::tui::view_model::{Tone, ViewModel};

use super::outage::words;
use super::page_text::Text;

/// The width of the labels before the chart, in cells.
const AXIS: u16 = 9;

/// The most outages that are listed.
const MAX_OUTAGES: usize = 100;

/// The width of the chart in cells on a screen of `columns` columns.
pub(crate) fn chart_cells(columns: u16) -> u16 {
    columns.saturating_sub(AXIS + 3).clamp(8, 168)
}

/// The title of the page.
pub(crate) fn title(state: &UiState, model: &ViewModel<'_>, site: SiteId) -> String {
    let row = state.site(model, site);
    row.map_or_else(
        || "History".into(),
        |row| format!("History of {}", clean(&row.site.site().name, 60)),
    )
}

/// The page of `site`, in lines that are no wider than `area`.
pub(crate) fn lines(
    state: &UiState,
    model: &ViewModel<'_>,
    site: SiteId,
    area: Rect,
) -> Vec<Line<'static>> {
    let mut page = Page {
        state,
        model,
        text: Text::new(area.width),
    };
    let history = model.history.site.as_ref();
    match history.filter(|history| history.site == site && history.span == state.outages.span) {
        Some(history) => page.site(history, area.height),
        None => {
            let watched = model.monitor.site(site).is_some();
            let text = match &model.history.error {
                Some(why) => why,
                None if watched => "Reading the history …",
                None => "This site is no longer in the configuration.",
            };
            page.text.say("", text, PLAIN);
        }
    }
    page.text.lines
}

struct Page<'a> {
    state: &'a UiState,
    model: &'a ViewModel<'a>,
    text: Text,
}

impl Page<'_> {
    fn time(&self, at: Timestamp) -> String {
        when(at, self.model.now.wall, &self.state.options.zone)
    }

    fn site(&mut self, history: &SiteHistory, height: u16) {
        self.uptime(history);
        self.text.lines.push(Line::default());
        self.chart(history, usize::from(height.saturating_sub(14)).clamp(4, 12));
        self.text.lines.push(Line::default());
        self.days(&history.days);
        self.outages(&history.outages);
        self.file(history);
    }

    /// The figures: a column a span, and one since the start of the program.
    fn uptime(&mut self, history: &SiteHistory) {
        let mut rows: [Vec<Span<'static>>; 5] = Default::default();
        const LABEL: usize = 8;
        // A screen without room for all has the shortest spans.
        let room = self.text.width.saturating_sub(LABEL);
        let shown = (room / 10).min(HistorySpan::ALL.len() + 1);
        let wide = (room / shown.max(1)).min(13);
        let labels = ["", "UP%", "P50", "P95", "CHECKS"];
        for (row, label) in rows.iter_mut().zip(labels) {
            row.push(Span::styled(format!("{label:<LABEL$}"), DIM));
        }
        let mut column = |cells: [String; 5]| {
            for (row, (index, cell)) in rows.iter_mut().zip(cells.into_iter().enumerate()) {
                let style = if index == 0 { DIM } else { PLAIN };
                row.push(Span::styled(format!("{cell:>wide$}"), style));
            }
        };
        let none = || "-".to_owned();
        let time = |took: Option<Duration>| took.map_or_else(none, brief);
        let checks = |checks: u64| count(usize::try_from(checks).unwrap_or(usize::MAX));
        for (span, sum) in HistorySpan::ALL.into_iter().zip(&history.spans).take(shown) {
            column([
                span.words().to_owned(),
                sum.uptime.map_or_else(none, percent),
                time(sum.p50),
                time(sum.p95),
                checks(sum.checks),
            ]);
        }
        if shown > HistorySpan::ALL.len()
            && let Some(row) = self.state.site(self.model, history.site)
        {
            let site = row.site;
            let quantiles = site.recent_checks().quantiles();
            let uptime = site.uptime();
            column([
                "this run".to_owned(),
                uptime.map_or_else(none, percent),
                time(quantiles.map(|(p50, _)| p50)),
                time(quantiles.map(|(_, p95)| p95)),
                checks(site.checks()),
            ]);
        }
        self.text.lines.extend(rows.map(Line::from));
    }

    /// The chart: bars up to p50 and whiskers up to p95, a column a stretch of time.
    fn chart(&mut self, history: &SiteHistory, rows: usize) {
        let highest = history.chart.iter().filter_map(|point| point.p95).max();
        let each = match &history.chart[..] {
            [first, second, ..] => brief(second.start.since(first.start)),
            _ => brief(history.span.length()),
        };
        let heading = format!(
            "LATENCY over {}, {each} a column: █ up to p50, │ up to p95",
            history.span.words()
        );
        self.text.lines.push(Line::styled(heading, BOLD));
        let Some(highest) = highest.filter(|highest| !highest.is_zero()) else {
            let text = "no good check in this span";
            self.text.lines.push(Line::styled(text, DIM));
            return;
        };
        let level = |took: Duration| {
            (took.as_secs_f64() / highest.as_secs_f64() * rows as f64).ceil() as usize
        };
        for row in (1..=rows).rev() {
            let label = if row == rows {
                brief(highest)
            } else if row == rows.div_ceil(2) {
                brief(highest.mul_f64(row as f64 / rows as f64))
            } else {
                String::new()
            };
            let mut parts = vec![Span::styled(format!("{label:>7} "), DIM)];
            for point in &history.chart {
                let (p50, p95) = (point.p50.map_or(0, level), point.p95.map_or(0, level));
                let (glyph, style) = if row <= p50 {
                    ("█", NETWORK)
                } else if row <= p95 {
                    ("│", NETWORK)
                } else {
                    (" ", PLAIN)
                };
                parts.push(Span::styled(glyph, style));
            }
            self.text.lines.push(Line::from(parts));
        }
        self.marks("checks", &history.chart);
        let cells = history.chart.len();
        if let (Some(first), true) = (history.chart.first(), cells > 20) {
            let from = self.time(first.start);
            let gap = cells.saturating_sub(from.len() + 3);
            let text = format!("{:8}{from}{}now", "", " ".repeat(gap));
            self.text.lines.push(Line::styled(text, DIM));
        }
    }

    /// A mark a stretch: all checks good, 99% and more, less, or no check.
    fn marks(&mut self, label: &str, stretches: &[BucketTotals]) {
        let mut parts = vec![Span::styled(format!("{label:>7} "), DIM)];
        parts.extend(stretches.iter().map(|stretch| {
            let (glyph, style) = mark(stretch);
            Span::styled(glyph, style)
        }));
        self.text.lines.push(Line::from(parts));
    }

    fn days(&mut self, days: &[BucketTotals]) {
        let room = self.text.width.saturating_sub(usize::from(AXIS));
        let days = &days[days.len().saturating_sub(room)..];
        let from = days.first();
        let from = from.map_or_else(String::new, |day| date(day.start, &jiff::tz::TimeZone::UTC));
        let heading = format!(
            "{} DAYS since {from} in UTC: ▁ all good, ▄ 99% and more, x less, · no check",
            days.len()
        );
        self.text.lines.push(Line::styled(heading, BOLD));
        self.marks("days", days);
    }

    fn outages(&mut self, outages: &[OutageView]) {
        self.text.heading(format!("OUTAGES: {}", outages.len()));
        if outages.is_empty() {
            self.text.say("", "None on record.", PLAIN);
        }
        for outage in outages.iter().take(MAX_OUTAGES) {
            let lasted = age(outage.row.lasted(self.model.now.wall));
            let (glyph, word, style) = match outage.row.ended {
                None => ("✗", "open", theme::tone(Tone::Bad)),
                Some(_) => ("●", "over", theme::tone(Tone::Good)),
            };
            let why = outage.row.causes.first().map(words).unwrap_or_default();
            self.text.lines.push(Line::from(vec![
                Span::styled(format!("{glyph} {word}  "), style),
                Span::raw(format!(
                    "{:<19}  {lasted:>7}  {why}",
                    self.time(outage.row.since)
                )),
            ]));
        }
    }

    fn file(&mut self, history: &SiteHistory) {
        self.text.heading("THE HISTORY");
        let file = &history.file;
        let path = file.path.as_ref().map(|path| path.display().to_string());
        let place = path.as_deref().unwrap_or("in memory only");
        self.text.say("File", &clean(place, 400), PLAIN);
        let oldest = file.oldest.map_or_else(
            || "nothing yet".to_owned(),
            |oldest| format!("raw results since {}", self.time(oldest)),
        );
        let size = format!("{}, {oldest}", bytes(file.bytes));
        self.text.say("Size", &size, PLAIN);
        let growth = file.growth.map_or_else(
            || "not measured yet: that takes ten minutes".to_owned(),
            |growth| {
                format!(
                    "{} a day, {} a site, as measured over {}",
                    bytes(growth.per_day()),
                    bytes(growth.per_site_and_day()),
                    brief(growth.over)
                )
            },
        );
        self.text.say("Growth", &growth, PLAIN);
    }
}

fn mark(stretch: &BucketTotals) -> (&'static str, Style) {
    match stretch.uptime {
        None => ("·", DIM),
        Some(share) if share >= 1.0 => ("▁", theme::tone(Tone::Good)),
        Some(share) if share >= 0.99 => ("▄", theme::tone(Tone::Warn)),
        Some(_) => ("x", theme::tone(Tone::Bad)),
    }
}
