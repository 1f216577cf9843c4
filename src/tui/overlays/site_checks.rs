//! The page of a site's checks, one a line, the newest first: those of a span, or of an outage.

use ratatui::text::{Line, Span};

use crate::domain::{Reason, SiteId, Timestamp, Verdict, brief, clean};
use crate::history::RawCheck;
use crate::tui::format::{lateness, plural, when};
use crate::tui::history_view::{CheckList, CheckSpan};
use crate::tui::state::UiState;
use crate::tui::theme::{self, DIM, PLAIN};
use crate::tui::view_model::{Tone, ViewModel};

use super::page_text::Text;

/// The title of the page.
pub(crate) fn title(
    state: &UiState,
    model: &ViewModel<'_>,
    site: SiteId,
    span: CheckSpan,
) -> String {
    let name = state
        .site(model, site)
        .map(|row| clean(&row.site.site().name, 60));
    let of = name.map_or_else(String::new, |name| format!(" of {name}"));
    match span {
        CheckSpan::Last(span) => format!("Checks{of}, the last {}", span.words()),
        CheckSpan::Outage(..) => format!("Checks{of} in its outage"),
    }
}

/// The page, in lines of at most `width` cells.
pub(crate) fn lines(
    state: &UiState,
    model: &ViewModel<'_>,
    site: SiteId,
    span: CheckSpan,
    width: u16,
) -> Vec<Line<'static>> {
    let mut page = Text::new(width);
    let found = model.history.checks.as_ref();
    match found.filter(|list| (list.site, list.span) == (site, span)) {
        Some(list) => {
            let at = |at: Timestamp| when(at, model.now.wall, &state.options.zone);
            list_checks(&mut page, list, at);
        }
        None => {
            let text = match &model.history.error {
                Some(why) => why,
                None if model.monitor.site(site).is_some() => "Reading the history …",
                None => "This site is no longer in the configuration.",
            };
            page.say("", text, PLAIN);
        }
    }
    page.lines
}

fn list_checks(page: &mut Text, list: &CheckList, time: impl Fn(Timestamp) -> String) {
    let checks = &list.found.checks;
    let missed = checks.iter().filter(|(_, check)| check.is_none()).count();
    let fails = |check: &RawCheck| verdict(check) == Verdict::Down;
    let failed = checks
        .iter()
        .filter(|(_, check)| check.as_ref().is_some_and(fails));
    let mut text = format!(
        "{} since {}, the newest first: {} failed",
        plural(checks.len() - missed, "check"),
        time(list.found.from),
        failed.count()
    );
    if missed > 0 {
        text.push_str(&format!(", and {missed} more missed"));
    }
    page.tell(&text);
    if checks.is_empty() {
        page.tell("No raw result of this time is kept.");
    }
    for (at, check) in checks {
        let mut line = Line::from(Span::styled(format!("  {:<17}", time(*at)), DIM));
        line.spans
            .extend(check.as_ref().map_or_else(missing, spans));
        page.lines.push(line);
    }
}

fn verdict(check: &RawCheck) -> Verdict {
    check.reason.map_or(Verdict::Up, Reason::verdict)
}

fn missing() -> Vec<Span<'static>> {
    let badge = theme::badge(crate::monitor::State::Missed);
    let text = "could not be started before it was due again";
    vec![
        Span::styled(format!("{} {:<12}", badge.glyph, "missed"), badge.style),
        Span::raw(text),
    ]
}

fn spans(check: &RawCheck) -> Vec<Span<'static>> {
    let (glyph, tone) = match verdict(check) {
        Verdict::Up => ("●", Tone::Good),
        Verdict::Degraded => ("▲", Tone::Warn),
        Verdict::Down => ("✗", Tone::Bad),
        Verdict::Unknown => ("?", Tone::Info),
    };
    let word = check.reason.map_or("good", Reason::word);
    let status = check
        .status
        .map_or_else(|| "-".to_owned(), |status| status.to_string());
    vec![
        Span::styled(format!("{glyph} {word:<12}"), theme::tone(tone)),
        Span::raw(format!(
            "{status:>4} {:>9}  late {}",
            brief(check.latency),
            lateness(check.late)
        )),
    ]
}
