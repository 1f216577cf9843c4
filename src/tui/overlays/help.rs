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

use crate::domain::clean;
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
pub(crate) fn title(state: &UiState) -> &'static str {
    if state.is_help_searched() {
        "Help: what was found"
    } else {
        "Help: every key in a sentence is below, / searches"
    }
}

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

const MOUSE: [(&str, &str); 4] = [
    (
        "click",
        "Select a site, an outage, a message, or a check in its lane.",
    ),
    (
        "on a heading",
        "Sort by that column; a second click turns the order.",
    ),
    (
        "on a title",
        "Go to that screen, and close what lies over it.",
    ),
    (
        "wheel",
        "Scroll. With Shift the terminal selects text itself; --no-mouse leaves it all to it.",
    ),
];

const fn meaning(state: SiteIs) -> &'static str {
    match state {
        SiteIs::Down => "confirmed: an outage is open",
        SiteIs::Suspect => "failing, not confirmed yet",
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
    let mode = state.mode_below_help();
    if state.is_help_searched() {
        return found(context, mode, &state.help_filter, width);
    }
    let mut lines = first_page(context, mode, width);
    let terms = terms(usize::from(width).saturating_sub(2));
    let rest = keys_and_marks(context, mode, width);
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

/// A section: its title, and the entries under it.
type Section = (String, Vec<(Span<'static>, String)>);

/// What has every word of `filter`, in its sections.
fn found(context: &KeyContext<'_>, mode: Mode, filter: &str, width: u16) -> Vec<Line<'static>> {
    let words: Vec<_> = filter.split_whitespace().map(str::to_lowercase).collect();
    let terms = GLOSSARY.iter().map(|term| {
        let text = format!("{} {}", term.meaning, term.see);
        (Span::styled(term.word, BOLD), text)
    });
    let terms = ("TERMS".to_owned(), terms.collect());
    let mut lines = Vec::new();
    let sections = key_sections(context, mode).into_iter();
    for (title, entries) in sections.chain(mark_sections(context)).chain([terms]) {
        let holds = |(label, text): &(Span<'_>, String)| {
            let whole = format!("{title} {} {text}", label.content).to_lowercase();
            words.iter().all(|word| whole.contains(word))
        };
        let entries: Vec<_> = entries.iter().filter(|entry| holds(entry)).collect();
        if !entries.is_empty() {
            heading(&mut lines, &title);
        }
        for (label, text) in entries {
            entry(&mut lines, label.clone(), text, usize::from(width) - 2);
        }
    }
    if lines.is_empty() {
        let text = format!("Nothing in the help has \"{}\".", clean(filter.trim(), 60));
        lines.push(Line::raw(text));
    }
    lines
}

fn keys_and_marks(context: &KeyContext<'_>, mode: Mode, width: u16) -> Vec<Line<'static>> {
    if width < TWO_COLUMNS {
        let width = usize::from(width).saturating_sub(2);
        let mut lines = entries(key_sections(context, mode), width);
        lines.push(Line::default());
        lines.extend(entries(mark_sections(context), width));
        return lines;
    }
    let half = usize::from(width) / 2 - 2;
    let keys = entries(key_sections(context, mode), half);
    side_by_side(keys, entries(mark_sections(context), half), half)
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

fn entries(sections: Vec<Section>, width: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for (title, entries) in sections {
        heading(&mut lines, &title);
        for (label, text) in entries {
            entry(&mut lines, label, &text, width);
        }
    }
    lines
}

fn key_sections(context: &KeyContext<'_>, mode: Mode) -> Vec<Section> {
    let groups = help_keys::groups(context, Some(mode)).into_iter();
    let section = |(title, bindings): (&str, Vec<(String, &str)>)| {
        let entry = |(caption, sentence): (String, &str)| {
            (Span::styled(caption, BOLD), sentence.to_owned())
        };
        (
            title.to_uppercase(),
            bindings.into_iter().map(entry).collect(),
        )
    };
    groups.map(section).collect()
}

fn mark_sections(context: &KeyContext<'_>) -> Vec<Section> {
    let states = SiteIs::ALL.into_iter().map(|state| {
        let badge = theme::badge(state);
        let label = Span::styled(format!("{} {}", badge.glyph, badge.word), badge.style);
        (label, meaning(state).to_owned())
    });
    let columns = COLUMNS.into_iter();
    let columns = columns.map(|(column, text)| (Span::styled(column, BOLD), text.to_owned()));
    let paradigms = context.paradigms.iter().map(|label| {
        let name = format!("[{}] {}", label.key, label.name.to_uppercase());
        (Span::styled(name, BOLD), label.summary.to_owned())
    });
    let mouse = MOUSE.into_iter();
    let mouse = mouse.map(|(what, text)| (Span::styled(what, BOLD), text.to_owned()));
    vec![
        ("MOUSE".to_owned(), mouse.collect()),
        ("STATES".to_owned(), states.collect()),
        ("COLUMNS".to_owned(), columns.collect()),
        (
            "PARADIGMS: HOW THE CHECKS ARE RUN".to_owned(),
            paradigms.collect(),
        ),
    ]
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
    for (title, lines) in help_keys::groups(&context, None) {
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
