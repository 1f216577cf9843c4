//! The help: on its first page the keys of the screen below in a few words, and under it every
//! key in a sentence, what the marks and columns mean, and the terms of concurrency.
//!
//! ```text
//! KEYS HERE                    KEYS EVERYWHERE
//!   Up Down   select a site      ?       this help
//!   Enter     explain …          q       close, or quit
//! KEYS OF OTHER SCREENS          …
//!   a         acknowledge it (Outages)
//! ```

use std::fmt::Write as _;

use ratatui::text::{Line, Span};

use crate::lab::GLOSSARY;
use crate::monitor::State as SiteIs;
use crate::paradigm::Label;
use crate::tui::format::wrap;
use crate::tui::keymap::{KeyContext, Mode};
use crate::tui::state::UiState;
use crate::tui::theme::{self, BOLD, DIM, PLAIN};
use crate::tui::views::VIEWS;

use super::help_keys;

/// The title of the help.
pub(crate) const TITLE: &str = "Help: every key in a sentence is below";

/// The width in columns from which on the marks stand beside the keys.
const TWO_COLUMNS: u16 = 110;

const COLUMNS: [(&str, &str); 10] = [
    ("STATE", "The state of the site, and since when it fails."),
    ("CODE", "Status of the answer; - where none came."),
    (
        "LATENCY",
        "The whole check, or the reason why there is no answer.",
    ),
    (
        "LAST CHECKS",
        "One cell a check, the newest at the right. Height is latency: ▄ is the site's usual one, each step is 1.3 times the one below, █ is slower than the site's slow limit.",
    ),
    (
        "P50 P95",
        "The latency that 50% and 95% of the last checks were below.",
    ),
    (
        "UP%",
        "Share of the time seen, from the first check to the last, without an outage or maintenance.",
    ),
    ("NEXT", "Time until the next check."),
    (
        "RAN ON",
        "The thread that ran the last check: thread/tid, and host/pid where there is room.",
    ),
    (
        "LATE",
        "How long after it was due the last check was started.",
    ),
    ("late", "In the header: the worst LATE of the last minute."),
];

const fn meaning(state: SiteIs) -> &'static str {
    match state {
        SiteIs::Down => "confirmed: an outage is open",
        SiteIs::Suspect => "failing or recovering, not confirmed yet",
        SiteIs::Unknown => "could not be checked; not the site's fault",
        SiteIs::Missed => "could not be started before it was due again",
        SiteIs::Degraded => "up, but SLOW or with a CERT about to end",
        SiteIs::Pending => "not checked yet",
        SiteIs::Up => "a good answer in time",
        SiteIs::Paused => "not checked until resumed",
    }
}

/// The help, in lines of at most `width` cells: the first page, and below it the long
/// descriptions.
pub(crate) fn lines(context: &KeyContext<'_>, state: &UiState, width: u16) -> Vec<Line<'static>> {
    let mut lines = first_page(context, state.mode_below_help(), width);
    let terms = terms(usize::from(width).saturating_sub(2));
    let rest = keys_and_marks(context, width);
    let parts = if state.terms_first() {
        [terms, rest]
    } else {
        [rest, terms]
    };
    for part in parts {
        lines.push(Line::default());
        lines.extend(part);
    }
    lines
}

/// The width in columns from which on the first page has two columns.
const FIRST_PAGE_COLUMNS: u16 = 78;

/// The keys in a few words: one screen of 80 columns and 24 rows has room for all of them.
fn first_page(context: &KeyContext<'_>, mode: Mode, width: u16) -> Vec<Line<'static>> {
    let page = help_keys::first_page(mode, context);
    let beside = width >= FIRST_PAGE_COLUMNS;
    let cells = if beside { width / 2 - 1 } else { width }.saturating_sub(1);
    let group = |lines: &mut Vec<_>, title: &str, group: Vec<help_keys::HelpLine>| {
        if !group.is_empty() {
            heading(lines, title);
        }
        for (keys, brief) in group {
            entry(lines, Span::styled(keys, BOLD), &brief, cells.into());
        }
    };
    let (mut left, mut right) = (Vec::new(), Vec::new());
    group(&mut left, "KEYS HERE", page.here);
    group(&mut left, "KEYS OF OTHER SCREENS", page.elsewhere);
    group(&mut right, "KEYS EVERYWHERE", page.everywhere);
    if beside {
        side_by_side(left, right, cells.into())
    } else {
        left.push(Line::default());
        left.extend(right);
        left
    }
}

/// Puts the lines of `right` beside those of `left`, which have `cells` cells each.
fn side_by_side(
    mut left: Vec<Line<'static>>,
    right: Vec<Line<'static>>,
    cells: usize,
) -> Vec<Line<'static>> {
    left.resize(left.len().max(right.len()), Line::default());
    for (line, beside) in left.iter_mut().zip(right) {
        let gap = (cells + 2).saturating_sub(line.width());
        line.push_span(Span::raw(" ".repeat(gap)));
        line.spans.extend(beside.spans);
    }
    left
}

/// The terms of concurrency, each with its meaning and the key that shows it.
fn terms(width: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    heading(&mut lines, "TERMS");
    for term in GLOSSARY {
        lines.push(Line::from(Span::styled(format!("  {}", term.word), BOLD)));
        for (text, style) in [(term.meaning, PLAIN), (term.see, DIM)] {
            let parts = wrap(text, width.saturating_sub(4)).into_iter();
            lines.extend(parts.map(|part| Line::from(Span::styled(format!("    {part}"), style))));
        }
    }
    lines
}

fn keys_and_marks(context: &KeyContext<'_>, width: u16) -> Vec<Line<'static>> {
    if width < TWO_COLUMNS {
        let width = usize::from(width).saturating_sub(2);
        let mut lines = keys(context, width);
        lines.push(Line::default());
        lines.extend(marks(context, width));
        return lines;
    }
    let half = usize::from(width) / 2 - 2;
    side_by_side(keys(context, half), marks(context, half), half)
}

fn entry(lines: &mut Vec<Line<'static>>, label: Span<'static>, text: &str, width: usize) {
    const LABEL: usize = 16;
    let mut label = Some(label);
    for part in wrap(text, width.saturating_sub(LABEL)) {
        let mut line = Line::from("  ");
        line.spans.extend(label.take());
        let gap = LABEL.saturating_sub(line.width());
        line.push_span(Span::raw(" ".repeat(gap)));
        line.push_span(Span::styled(part, PLAIN));
        lines.push(line);
    }
}

fn heading(lines: &mut Vec<Line<'static>>, text: &str) {
    if !lines.is_empty() {
        lines.push(Line::default());
    }
    lines.push(Line::from(Span::styled(text.to_owned(), DIM)));
}

fn keys(context: &KeyContext<'_>, width: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for (title, bindings) in help_keys::groups(context) {
        heading(&mut lines, &title.to_uppercase());
        for (caption, sentence) in bindings {
            entry(&mut lines, Span::styled(caption, BOLD), sentence, width);
        }
    }
    lines
}

fn marks(context: &KeyContext<'_>, width: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    heading(&mut lines, "STATES");
    for state in SiteIs::ALL {
        let badge = theme::badge(state);
        let label = Span::styled(format!("{} {}", badge.glyph, badge.word), badge.style);
        entry(&mut lines, label, meaning(state), width);
    }
    heading(&mut lines, "COLUMNS");
    for (column, text) in COLUMNS {
        entry(&mut lines, Span::styled(column, BOLD), text, width);
    }
    heading(&mut lines, "PARADIGMS: HOW THE CHECKS ARE RUN");
    for label in context.paradigms {
        let name = format!("[{}] {}", label.key, label.name.to_uppercase());
        entry(&mut lines, Span::styled(name, BOLD), label.summary, width);
    }
    lines
}

/// Every key as a table in Markdown, for docs/keys.md.
#[must_use]
pub fn keys_markdown(paradigms: &[Label]) -> String {
    let context = KeyContext {
        demo: true,
        screens: VIEWS.len(),
        paradigms,
    };
    let mut out = String::from("| where | key | what it does |\n|---|---|---|\n");
    for (title, lines) in help_keys::groups(&context) {
        for (caption, sentence) in lines {
            let keys: Vec<_> = caption.split(' ').map(|key| format!("`{key}`")).collect();
            // Writing to a string cannot fail.
            let _ = writeln!(out, "| {title} | {} | {sentence} |", keys.join(" "));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of a page on a screen of 24 rows: header, title and footer apart.
    const ROWS: usize = 20;

    #[test]
    fn the_first_page_of_every_screen_fits_and_has_what_everybody_needs() {
        let context = KeyContext {
            demo: true,
            screens: VIEWS.len(),
            paradigms: &crate::paradigm::labels(),
        };
        let overlays = [
            Mode::Explain,
            Mode::Outage,
            Mode::SiteHistory,
            Mode::Replay,
            Mode::Help,
        ];
        let screens = VIEWS.iter().map(|view| Mode::Screen(view.scopes));
        for mode in screens.chain(overlays) {
            for width in [80, 120] {
                let lines = first_page(&context, mode, width);
                let text: Vec<_> = lines.iter().map(ToString::to_string).collect();
                assert!(lines.len() <= ROWS, "{mode:?}: {}", text.join("\n"));
                let text = text.join(" ");
                for (key, brief) in [
                    ("?", "this help"),
                    ("q", "go back, or quit"),
                    ("Tab Shift-Tab", "next, previous screen"),
                    ("1-7", "switch the paradigm"),
                    ("/", "filter"),
                    ("s", "sort"),
                    ("Enter", "explain"),
                    ("a", "acknowledge"),
                    ("p", "pause"),
                ] {
                    let words: Vec<_> = text.split("  ").map(str::trim).collect();
                    let says = |part: &str| words.iter().any(|word| word.starts_with(part));
                    assert!(says(key) && text.contains(brief), "{mode:?}: {key} {text}");
                }
            }
        }
    }

    #[test]
    fn the_readme_has_a_row_for_every_key_and_no_broken_cell() {
        let markdown = keys_markdown(&[]);
        for line in markdown.lines() {
            assert_eq!(line.matches('|').count(), 4, "{line}");
        }
        assert!(markdown.contains("| Selected site | `r` | Check it now. |"));
    }
}
