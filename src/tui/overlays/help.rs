//! The help: every key, from the key table, and what the marks and columns mean.

use std::fmt::Write as _;

use ratatui::text::{Line, Span};

use crate::lab::GLOSSARY;
use crate::monitor::State as SiteIs;
use crate::paradigm::Label;
use crate::tui::format::wrap;
use crate::tui::keymap::{self, Context};
use crate::tui::theme::{self, BOLD, DIM, PLAIN};
use crate::tui::views::VIEWS;

/// The title of the help.
pub(crate) const TITLE: &str = "Help";

/// From this width on the marks stand beside the keys.
const TWO_COLUMNS: u16 = 110;

const COLUMNS: [(&str, &str); 10] = [
    (
        "STATE",
        "What we believe of the site, and since when it fails.",
    ),
    ("CODE", "Status of the answer; - where none came."),
    (
        "LATENCY",
        "The whole check, or the reason why there is no answer.",
    ),
    (
        "LAST CHECKS",
        "One cell a check, the newest at the right. Height is latency: ▄ is the site's usual one, each step is 1.3 times the one below, █ is slower than the site's slow limit.",
    ),
    ("P50 P95", "Half and 95% of the last checks were faster."),
    (
        "UP%",
        "Share of the time since the start without a confirmed outage.",
    ),
    ("NEXT", "Time until the next check."),
    (
        "RAN ON",
        "Who ran the last check: thread/tid, and host/pid where there is room.",
    ),
    (
        "LATE",
        "How long after it was due the last check was started.",
    ),
    ("late", "On top: the worst LATE of the last minute."),
];

const fn meaning(state: SiteIs) -> &'static str {
    match state {
        SiteIs::Down => "confirmed: an outage is open",
        SiteIs::Suspect => "failing or recovering, not confirmed yet",
        SiteIs::Unknown => "we could not look; not the site's fault",
        SiteIs::Missed => "could not be started before it was due again",
        SiteIs::Degraded => "up, but SLOW or with a CERT about to end",
        SiteIs::Pending => "not checked yet",
        SiteIs::Up => "a good answer in time",
        SiteIs::Paused => "not checked until resumed",
    }
}

/// The help, in lines of at most `width` cells.
///
/// It ends with the words of the field, or begins with them where somebody wants to learn.
pub(crate) fn lines(context: &Context<'_>, words_first: bool, width: u16) -> Vec<Line<'static>> {
    let words = words(usize::from(width).saturating_sub(2));
    let rest = keys_and_marks(context, width);
    let (mut first, second) = if words_first {
        (words, rest)
    } else {
        (rest, words)
    };
    first.push(Line::default());
    first.extend(second);
    first
}

/// The words of the field, and the key that shows each.
fn words(width: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    heading(&mut lines, "WORDS");
    for term in GLOSSARY {
        lines.push(Line::from(Span::styled(format!("  {}", term.word), BOLD)));
        for (text, style) in [(term.meaning, PLAIN), (term.see, DIM)] {
            let parts = wrap(text, width.saturating_sub(4)).into_iter();
            lines.extend(parts.map(|part| Line::from(Span::styled(format!("    {part}"), style))));
        }
    }
    lines
}

fn keys_and_marks(context: &Context<'_>, width: u16) -> Vec<Line<'static>> {
    if width < TWO_COLUMNS {
        let width = usize::from(width).saturating_sub(2);
        let mut lines = keys(context, width);
        lines.push(Line::default());
        lines.extend(marks(context, width));
        return lines;
    }
    let half = usize::from(width) / 2 - 2;
    let (mut left, right) = (keys(context, half), marks(context, half));
    left.resize(left.len().max(right.len()), Line::default());
    for (line, beside) in left.iter_mut().zip(right) {
        let gap = (half + 2).saturating_sub(line.width());
        line.push_span(Span::raw(" ".repeat(gap)));
        line.spans.extend(beside.spans);
    }
    left
}

fn entry(lines: &mut Vec<Line<'static>>, label: Span<'static>, text: &str, width: usize) {
    const LABEL: usize = 14;
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

fn keys(context: &Context<'_>, width: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for (title, bindings) in keymap::groups(context) {
        heading(&mut lines, &title.to_uppercase());
        for (caption, sentence) in bindings {
            entry(&mut lines, Span::styled(caption, BOLD), sentence, width);
        }
    }
    lines
}

fn marks(context: &Context<'_>, width: usize) -> Vec<Line<'static>> {
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

/// Every key as a table in Markdown, for the README.
#[must_use]
pub fn keys_markdown(paradigms: &[Label]) -> String {
    let context = Context {
        demo: true,
        screens: VIEWS.len(),
        paradigms,
    };
    let mut out = String::from("| where | key | what it does |\n|---|---|---|\n");
    for (title, lines) in keymap::groups(&context) {
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

    #[test]
    fn the_readme_has_a_row_for_every_key_and_no_broken_cell() {
        let markdown = keys_markdown(&[]);
        for line in markdown.lines() {
            assert_eq!(line.matches('|').count(), 4, "{line}");
        }
        assert!(markdown.contains("| Selected site | `r` | Check it now. |"));
    }
}
