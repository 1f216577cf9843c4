//! The form of a site: its keys, the mistakes in what is typed, and what came of the trial.
//!
//! ```text
//! ─ Add a site to sites.toml ─────────────────────────
//!  url            https://shop.example/health█
//!  name           made from the url
//!  …
//!  ✗ interval: expected a duration such as "30s" or "5m", got "5"
//!  Enter tries it once before it is kept.
//! ```

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::domain::{CheckResult, SiteField, Verdict, brief, clean};
use crate::monitor::State as SiteIs;
use crate::tui::format::wrap;
use crate::tui::site_form::{SiteForm, TrialState};
use crate::tui::theme::{self, BOLD, DIM, PLAIN, SELECTED};
use crate::tui::view_model::{Tone, TriedSite, ViewModel};

/// The width of the keys, in cells.
const KEY_CELLS: usize = 15;

/// The title of the form.
pub(crate) fn title(form: &SiteForm, model: &ViewModel<'_>) -> String {
    let file = clean(model.config_path, 40);
    let name = form.site.and_then(|site| model.monitor.site(site));
    match name {
        Some(site) => format!("Edit {} in {file}", clean(&site.site().name, 40)),
        None => format!("Add a site to {file}"),
    }
}

/// The lines of the form, at most `width` cells wide.
pub(crate) fn lines(form: &SiteForm, model: &ViewModel<'_>, width: u16) -> Vec<Line<'static>> {
    let width = usize::from(width).saturating_sub(2);
    let mistakes = form.mistakes(model);
    let mut lines = Vec::new();
    for (key, value, is_focus) in form.rows() {
        let is_wrong = mistakes.iter().any(|mistake| mistake.key == Some(key));
        lines.push(row(key, value, (is_focus, is_wrong), width));
    }
    lines.push(Line::default());
    for mistake in &mistakes {
        let key = mistake
            .key
            .map_or_else(String::new, |key| format!("{}: ", key.name()));
        let text = format!("✗ {key}{}", clean(&mistake.sentence, 400));
        push(&mut lines, &text, theme::tone(Tone::Bad), width);
    }
    match form.trial(model) {
        _ if !mistakes.is_empty() => {}
        TrialState::None if form.needs_trial() || form.site.is_none() => {
            let text = "Enter tries it once; what comes is shown before it is kept.";
            push(&mut lines, text, DIM, width);
        }
        TrialState::None if form.changed().is_empty() => {
            push(&mut lines, "Nothing is changed yet.", DIM, width);
        }
        TrialState::None => push(&mut lines, "Enter keeps it.", DIM, width),
        TrialState::Trying => push(&mut lines, "It is being tried…", PLAIN, width),
        TrialState::Tried(tried) => {
            for (text, style) in found(tried) {
                push(&mut lines, &text, style, width);
            }
            push(
                &mut lines,
                "Enter keeps it as it is; Esc leaves all as it was.",
                PLAIN,
                width,
            );
        }
    }
    lines
}

fn push(lines: &mut Vec<Line<'static>>, text: &str, style: Style, width: usize) {
    let parts = wrap(text, width).into_iter();
    lines.extend(parts.map(|part| Line::styled(part, style)));
}

fn row(
    key: SiteField,
    value: &str,
    (is_focus, is_wrong): (bool, bool),
    width: usize,
) -> Line<'static> {
    let room = width.saturating_sub(KEY_CELLS + 1);
    let label = match (is_focus, is_wrong) {
        (_, true) => theme::tone(Tone::Bad),
        (true, false) => BOLD,
        (false, false) => DIM,
    };
    let mut spans = vec![Span::styled(format!("{:<KEY_CELLS$}", key.name()), label)];
    if value.is_empty() && !is_focus {
        spans.push(Span::styled(default_in_words(key), DIM));
        return Line::from(spans);
    }
    // The end is shown, where it is typed.
    let value = clean(value, 2_000);
    let skipped = value.chars().count().saturating_sub(room);
    let shown: String = value.chars().skip(skipped).collect();
    spans.push(Span::styled(shown, if is_focus { BOLD } else { PLAIN }));
    if is_focus {
        spans.push(Span::styled(" ", SELECTED));
        if value.is_empty() {
            spans.push(Span::styled(format!(" {}", default_in_words(key)), DIM));
        }
    }
    Line::from(spans)
}

/// What holds where a key has no value.
const fn default_in_words(key: SiteField) -> &'static str {
    match key {
        SiteField::Url => "such as https://example.org/health",
        SiteField::Name => "made from the URL",
        SiteField::Interval
        | SiteField::Timeout
        | SiteField::Slow
        | SiteField::Confirm
        | SiteField::Method => "as [monitor] has it",
        SiteField::ExpectStatus => "200-299",
        SiteField::Contains => "no text is searched in the body",
        SiteField::Owners => "those of [monitor]; several with commas",
        SiteField::Tags => "none; several with commas",
    }
}

/// What came of a trial.
fn found(tried: &TriedSite) -> Vec<(String, Style)> {
    let result = match &tried.result {
        Ok(result) => result,
        Err(why) => {
            return vec![(
                format!("It could not be tried: {}", clean(why, 400)),
                theme::tone(Tone::Bad),
            )];
        }
    };
    let mut lines = vec![summary(result)];
    if let Some(error) = &result.error {
        lines.push((clean(error, 400), PLAIN));
    }
    lines
}

fn summary(result: &CheckResult) -> (String, Style) {
    let state = match result.verdict {
        Verdict::Up => SiteIs::Up,
        Verdict::Degraded => SiteIs::Degraded,
        Verdict::Down => SiteIs::Down,
        Verdict::Unknown => SiteIs::Unknown,
    };
    let badge = theme::badge(state);
    let mut text = format!("Tried once: {} {}", badge.glyph, badge.word);
    if let Some(reason) = result.reason {
        text.push_str(&format!(" ({})", reason.word()));
    }
    if let Some(status) = result.status {
        text.push_str(&format!(", status {status}"));
    }
    text.push_str(&format!(", in {}", brief(result.latency)));
    (text, badge.style)
}
