//! The page of the replay: both sets of rules, their totals side by side, and below them every
//! outage with its change.
//!
//! ```text
//!            c CONFIRM r RECOVER t TIMEOUT  s SLOW  z SPAN
//! current            2         2       10s      2s
//! tried              3         =        5s       =     7 d
//!
//!              OUTAGES MESSAGES DEGRADED
//! current           12       48        3
//! tried              8       32        5  16 fewer
//! ```

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::domain::{brief, clean, plural};
use crate::tui::format::{age, count, cut, moment, setting, when};
use crate::tui::replay_state::{
    ChangeCounts, CurrentRules, MinMax, OutageChange, ReplayResult, ReplayedOutage,
};
use crate::tui::state::UiState;
use crate::tui::theme::{self, BOLD, DIM, PLAIN};
use crate::tui::view_model::{Tone, ViewModel};
use crate::tui::widgets::put;

use super::page_text::Text;
use super::pager;

const TITLE: &str = "Replay under other rules";

/// The width of the names of the two sets of rules, in cells.
const NAME: usize = 11;

/// The rules: the key that changes each, its name, and the width of its column in cells.
const RULES: [(&str, &str, usize); 5] = [
    ("c", "CONFIRM", 10),
    ("r", "RECOVER", 10),
    ("t", "TIMEOUT", 10),
    ("s", "SLOW", 8),
    ("z", "SPAN", 8),
];

/// A count with thousands separated.
fn number(number: u64) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX))
}

/// The number of rows of the list of outages in `area`, below `head` lines.
fn rows(head: usize, area: Rect) -> usize {
    usize::from(area.height).saturating_sub(head + 2)
}

/// The scroll at which the last outage stands at the bottom.
pub(crate) fn last_scroll(state: &UiState, model: &ViewModel<'_>, area: Rect) -> usize {
    let outages = model.replay.result.as_ref();
    let outages = outages.map_or(0, |result| result.outages.len());
    outages.saturating_sub(rows(head(state, model, area).len(), area))
}

/// Draws the page into `area`, the outages from index `scroll` on.
pub(crate) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    state: &UiState,
    model: &ViewModel<'_>,
    scroll: usize,
) {
    let head = head(state, model, area);
    let above = Rect {
        height: area.height.min(head.len() as u16 + 1),
        ..area
    };
    pager::draw(buffer, above, TITLE, &head, 0);
    let Some(result) = &model.replay.result else {
        return;
    };
    let list = Rect {
        y: above.bottom(),
        height: area.bottom() - above.bottom(),
        ..area
    };
    if list.height < 2 || result.outages.is_empty() {
        return;
    }
    let room = usize::from(list.height - 1);
    let listed = result.outages.len();
    let scroll = scroll.min(listed.saturating_sub(room));
    let columns = Columns::of(list.width);
    columns.heading(buffer, list);
    let is_old = result.tried != state.outages.tried;
    let shown = result.outages.iter().skip(scroll);
    for (outage, line) in shown.zip(list.rows().skip(1)) {
        columns.row(buffer, line, outage, state, model, is_old);
    }
    if listed > room || result.of > listed as u64 {
        let end = (scroll + room).min(listed);
        let all = number(result.of);
        let text = format!(" outages {}-{end} of {all} ", scroll + 1);
        let width = text.chars().count() as u16;
        let x = area.right().saturating_sub(width + 1).max(area.x);
        put(buffer, x, area.y, width, &text, DIM);
    }
}

/// The lines above the list.
fn head(state: &UiState, model: &ViewModel<'_>, area: Rect) -> Vec<Line<'static>> {
    /// From this height on there are an empty line and the line about the results.
    const ROOMY: u16 = 18;
    let roomy = area.height >= ROOMY;
    let replay = model.replay;
    let result = replay.result.as_ref();
    let mut page = Text::new(area.width);
    page.lines.push(rules_heading());
    page.lines
        .push(current_line(result.map(|result| &result.current)));
    page.lines.push(tried_line(state));
    if roomy {
        page.lines.push(Line::default());
    }
    if let Some(why) = &replay.error {
        page.tell(why);
        return page.lines;
    }
    let Some(result) = result else {
        page.tell(&progress(replay.under_way));
        return page.lines;
    };
    // Figures of rules that are no longer on trial are dimmed until the new ones are there.
    let style = if result.tried == state.outages.tried {
        PLAIN
    } else {
        DIM
    };
    figures(&mut page, result, style);
    let about = match (replay.under_way, result.span) {
        (Some(_), _) => progress(replay.under_way),
        (None, None) => "No results in this span.".to_owned(),
        (None, Some((first, last))) => {
            let time = |at| when(at, model.now.wall, &state.options.zone);
            format!(
                "{} from {} to {}, replayed in {}.",
                plural(result.results, "result"),
                time(first),
                time(last),
                brief(result.took)
            )
        }
    };
    if roomy || result.span.is_none() || replay.under_way.is_some() {
        page.tell(&about);
    }
    if result.cut_off > 0 {
        page.tell(&format!(
            "{} ended by a timeout shorter than the tried one: what was cut off stays so.",
            plural(result.cut_off, "result")
        ));
    }
    page.lines
}

fn progress(under_way: Option<u64>) -> String {
    match under_way {
        Some(results) if results > 0 => format!("replaying … {}", plural(results, "result")),
        _ => "replaying …".to_owned(),
    }
}

fn rules_heading() -> Line<'static> {
    let mut parts = vec![Span::raw(" ".repeat(NAME))];
    for (key, word, cells) in RULES {
        let blank = cells.saturating_sub(key.len() + 1 + word.len());
        parts.push(Span::styled(format!("{}{key}", " ".repeat(blank)), BOLD));
        parts.push(Span::styled(format!(" {word}"), DIM));
    }
    Line::from(parts)
}

/// A line of the table of rules.
fn rules_line(name: &str, cells: [(String, Style); 5]) -> Line<'static> {
    let mut parts = vec![Span::styled(format!("{name:<NAME$}"), DIM)];
    for ((text, style), (.., width)) in cells.into_iter().zip(RULES) {
        let text = cut(&text, width.saturating_sub(1));
        parts.push(Span::styled(format!("{text:>width$}"), style));
    }
    Line::from(parts)
}

/// "2", or "1-3" where sites differ.
fn extent<T: PartialEq>(extent: &MinMax<T>, words: impl Fn(&T) -> String) -> (String, Style) {
    let (least, most) = extent;
    let text = if least == most {
        words(least)
    } else {
        format!("{}-{}", words(least), words(most))
    };
    (text, PLAIN)
}

fn current_line(current: Option<&CurrentRules>) -> Line<'static> {
    let time = |time: &Duration| setting(*time);
    let cells = match current {
        Some(current) => [
            extent(&current.confirm, u32::to_string),
            extent(&current.recover, u32::to_string),
            extent(&current.timeout, time),
            extent(&current.slow, time),
            (String::new(), PLAIN),
        ],
        None => [(); 5].map(|()| (String::new(), PLAIN)),
    };
    rules_line("current", cells)
}

fn tried_line(state: &UiState) -> Line<'static> {
    let tried = state.outages.tried;
    let changed = |text: Option<String>| match text {
        Some(text) => (text, BOLD),
        None => ("=".to_owned(), DIM),
    };
    let time = |time: Option<Duration>| changed(time.map(setting));
    let cells = [
        changed(tried.rules.confirm.map(|number| number.to_string())),
        changed(tried.rules.recover.map(|number| number.to_string())),
        time(tried.rules.timeout),
        time(tried.rules.slow),
        match tried.span {
            Some(span) => (setting(span), BOLD),
            None => ("all".to_owned(), PLAIN),
        },
    ];
    rules_line("tried", cells)
}

fn figures(page: &mut Text, result: &ReplayResult, style: Style) {
    let row = |name: &str, cells: [String; 3]| {
        let [outages, messages, degraded] = cells;
        format!("{name:<NAME$}{outages:>10}{messages:>10}{degraded:>10}")
    };
    let heading = ["OUTAGES", "MESSAGES", "DEGRADED"].map(str::to_owned);
    page.lines.push(Line::styled(row("", heading), DIM));
    let [now, other] = result.accounts;
    for (name, tally) in [("current", now), ("tried", other)] {
        let cells = [tally.outages, tally.messages, tally.degraded].map(number);
        let mut line = Line::styled(row(name, cells), style);
        if name == "tried" && now.messages != other.messages {
            let (tone, word) = if other.messages < now.messages {
                (Tone::Good, "fewer")
            } else {
                (Tone::Warn, "more")
            };
            let by = number(now.messages.abs_diff(other.messages));
            let tone = theme::tone(tone).patch(style);
            line.push_span(Span::styled(format!("  {by} {word}"), tone));
        }
        page.lines.push(line);
    }
    for line in crate::tui::format::wrap(&noticed(&result.changes), page.width) {
        page.lines.push(Line::styled(line, style));
    }
}

/// The number of outages by their change, in a sentence.
fn noticed(changes: &ChangeCounts) -> String {
    let delay = changes.delay.map_or_else(String::new, |(typical, most)| {
        if changes.later == 1 {
            format!(" ({})", brief(most))
        } else {
            format!(" (median {}, at most {})", brief(typical), brief(most))
        }
    });
    format!(
        "Noticed at the same check {}, later {}{delay}, earlier {}, not at all {}; only when tried {}.",
        number(changes.unchanged),
        number(changes.later),
        number(changes.earlier),
        number(changes.not_noticed),
        number(changes.only_tried)
    )
}

/// The columns of the list: the first cell of each, its width in cells, and its heading.
struct Columns([(u16, u16, &'static str); 5]);

impl Columns {
    fn of(width: u16) -> Self {
        const FATE: u16 = 16;
        let left = width.saturating_sub(1 + 12 + 9 + 9 + FATE + 1);
        let site = left.min(60);
        Self([
            (1, 11, "SINCE"),
            (13, 8, "  LASTED"),
            (22, 8, " NOTICED"),
            (31, site, "SITE"),
            (32 + site, width.saturating_sub(33 + site), "WHEN TRIED"),
        ])
    }

    fn heading(&self, buffer: &mut Buffer, list: Rect) {
        for (x, width, word) in self.0 {
            put(buffer, list.x + x, list.y, width, word, DIM);
        }
    }

    fn row(
        &self,
        buffer: &mut Buffer,
        line: Rect,
        outage: &ReplayedOutage,
        state: &UiState,
        model: &ViewModel<'_>,
        is_old: bool,
    ) {
        let lasted = match outage.ended {
            Some(ended) => age(ended.since(outage.since)),
            None => "open".to_owned(),
        };
        let noticed = outage
            .noticed
            .map_or_else(|| "-".to_owned(), |after| format!("+{}", age(after)));
        let (change, fate_style) = words(outage.change);
        let since = moment(outage.since, model.now.wall, &state.options.zone);
        let cells = [
            (since, PLAIN),
            (format!("{lasted:>8}"), PLAIN),
            (format!("{noticed:>8}"), PLAIN),
            (clean(&outage.name, 200), PLAIN),
            (change, fate_style),
        ];
        for ((x, width, _), (text, style)) in self.0.into_iter().zip(cells) {
            let style = if is_old { DIM } else { style };
            put(buffer, line.x + x, line.y, width, &text, style);
        }
    }
}

fn words(change: OutageChange) -> (String, Style) {
    match change {
        OutageChange::Unchanged => ("same check".to_owned(), PLAIN),
        OutageChange::Later(by) => (format!("{} later", brief(by)), theme::tone(Tone::Warn)),
        OutageChange::Earlier(by) => (format!("{} earlier", brief(by)), theme::tone(Tone::Good)),
        OutageChange::NotNoticed => ("not noticed".to_owned(), theme::tone(Tone::Bad)),
        OutageChange::OnlyTried => ("only when tried".to_owned(), BOLD),
    }
}
