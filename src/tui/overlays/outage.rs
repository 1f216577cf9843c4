//! The page of an outage: reasons, the rule that decided, messages, the last checks.

use ratatui::text::{Line, Span};

use crate::domain::{Cause, Timestamp, brief, clean};
use crate::monitor::{SiteState, State as SiteIs};
use crate::trace::{CheckRecord, SliceKind};
use crate::tui::format::{age, lateness, plural, setting, when};
use crate::tui::history_view::OutageView;
use crate::tui::outages_state::OutageKey;
use crate::tui::site_remark::untold_in_words;
use crate::tui::state::UiState;
use crate::tui::theme::{self, DIM, PLAIN};
use crate::tui::view_model::{Tone, ViewModel};

use super::page_text::Text;
use super::{verdict_rule, waterfall};

/// The most checks that are listed.
const MAX_CHECKS: usize = 30;

/// What is said of an outage that the list has no more.
pub(super) const NOT_LISTED: &str = "This outage is no longer among those listed.";

/// The title of the page.
pub(crate) fn title(outage: &OutageKey) -> String {
    format!("Outage of {}", clean(&outage.name, 60))
}

/// A cause in a few words: "status 503", "timeout".
pub(crate) fn words(cause: &Cause) -> String {
    match cause.status {
        Some(status) => format!("{} {status}", cause.reason),
        None => cause.reason.to_string(),
    }
}

/// The outage, in lines of at most `width` cells.
pub(crate) fn lines(
    state: &UiState,
    model: &ViewModel<'_>,
    key: &OutageKey,
    width: u16,
) -> Vec<Line<'static>> {
    let mut page = Page {
        state,
        model,
        text: Text::new(width),
    };
    match key.find(state.history(model)) {
        Some(outage) => page.outage(outage),
        None => page.text.say("", NOT_LISTED, PLAIN),
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
        let now = self.state.now(self.model).wall;
        when(at, now, &self.state.options.zone)
    }

    fn outage(&mut self, outage: &OutageView) {
        let now = self.state.now(self.model).wall;
        let (badge, verdict) = match outage.row.ended {
            None => {
                let badge = theme::badge(SiteIs::Down);
                let lasts = age(now.since(outage.row.since));
                (
                    badge,
                    format!("OPEN since {} ({lasts})", self.time(outage.row.since)),
                )
            }
            Some(ended) => {
                let badge = theme::badge(SiteIs::Up);
                let lasted = age(outage.row.lasted(now));
                let (from, to) = (self.time(outage.row.since), self.time(ended));
                (badge, format!("ENDED {to} after {lasted}, began {from}"))
            }
        };
        let verdict = format!("{} {verdict}", badge.glyph);
        self.text.say("Outage", &verdict, badge.style);
        self.text
            .say("URL", &clean(&outage.row.site.url, 400), PLAIN);
        if let Some(good) = outage.row.last_good {
            let good = self.time(good);
            self.text.say("Last good", &good, PLAIN);
        }
        let site = outage
            .site
            .and_then(|site| self.state.site(self.model, site));
        let site = site.map(|row| row.site);
        self.rule(outage, site);
        let known = match &outage.row.acknowledged {
            None => "not acknowledged".to_owned(),
            Some(known) => {
                let note = clean(&known.note, 400);
                let colon = if note.is_empty() { "" } else { ": " };
                format!("acknowledged {}{colon}{note}", self.time(known.at))
            }
        };
        self.text.say("Known", &known, PLAIN);
        self.text.heading("REASONS, IN ORDER OF OCCURRENCE");
        for cause in &outage.row.causes {
            let mut text = plural(cause.checks, "check");
            if let Some(error) = &cause.error {
                text.push_str(&format!(": {}", clean(error, 400)));
            }
            self.text.say(&words(cause), &text, PLAIN);
        }
        self.messages(outage);
        if let Some(site) = site {
            self.checks(site);
        }
    }

    fn rule(&mut self, outage: &OutageView, site: Option<&SiteState>) {
        let after = age(outage.row.confirmed.since(outage.row.since));
        let confirmed = self.time(outage.row.confirmed);
        let text = match site {
            Some(site) if outage.row.ended.is_none() => {
                format!(
                    "{}; confirmed {confirmed}, {after} into it",
                    verdict_rule::of_state(site)
                )
            }
            Some(site) => format!(
                "{} in a row (confirm), {} apart; confirmed {confirmed}, {after} after the first; over after {} in a row (recover)",
                plural(site.site().confirm, "failed check"),
                setting(site.site().confirm_delay),
                plural(site.site().recover, "good check"),
            ),
            None => format!("confirmed {confirmed}, {after} after the first failure"),
        };
        self.text.say("Rule", &text, PLAIN);
    }

    fn messages(&mut self, outage: &OutageView) {
        self.text.heading("MESSAGES");
        if outage.row.messages.is_empty() {
            let now = self.state.now(self.model).wall;
            let at = (now, &self.state.options.zone);
            let why = untold_in_words(outage.row.untold.as_ref(), usize::MAX, at);
            self.text.say("", &format!("None: {why}."), PLAIN);
        }
        for message in &outage.row.messages {
            let badge = theme::delivery(message.delivery);
            let mut text = format!("{} {:<8}", badge.glyph, badge.word);
            if let Some(settled) = message.settled {
                text.push_str(&format!(" {}", self.time(settled)));
            }
            let text = format!("{text}  by {}", clean(&message.channel, 20));
            self.text
                .say(&clean(&message.owner, 12), &text, badge.style);
        }
    }

    /// The last checks in the trace with the thread that ran each, and the phases of the last
    /// failing one.
    fn checks(&mut self, site: &SiteState) {
        self.text.heading("LAST CHECKS OF THE SITE, NEWEST FIRST");
        let store = self.model.trace.store;
        let mut records: Vec<&CheckRecord> =
            store.all().filter(|one| one.site() == site.id()).collect();
        records.sort_by_key(|record| std::cmp::Reverse(record.started));
        records.truncate(MAX_CHECKS);
        if records.is_empty() {
            self.text.say("", "None in the trace any more.", DIM);
        }
        for record in records {
            let line = self.check(record);
            self.text.lines.push(line);
        }
        let Some(failure) = site.last_failure() else {
            return;
        };
        let at = self.time(failure.started_at);
        self.text
            .heading(format!("PHASES OF THE LAST FAILING CHECK {at}"));
        let whole = failure.requests.iter().map(|request| request.took).max();
        let cells = self.text.width.saturating_sub(36).clamp(1, 48);
        for request in &failure.requests {
            let lines = waterfall::lines(request, whole.unwrap_or_default(), cells);
            self.text.lines.extend(lines);
        }
    }

    fn check(&self, record: &CheckRecord) -> Line<'static> {
        let now = self.model.now;
        let ago = now.mono.since(record.started);
        let micros = i64::try_from(ago.as_micros()).unwrap_or(i64::MAX);
        let at = Timestamp::from_micros(now.wall.as_micros().saturating_sub(micros));
        let (glyph, style) = if record.failed() {
            ("✗", theme::tone(Tone::Bad))
        } else {
            ("●", theme::tone(Tone::Good))
        };
        let reason = record.found.and_then(|found| found.reason);
        let word = reason.map_or("good", crate::domain::Reason::word);
        let on = &record.ran_on;
        Line::from(vec![
            Span::styled(format!("  {}  ", self.time(at)), DIM),
            Span::styled(format!("{glyph} {word:<11}"), style),
            Span::raw(format!(
                " {:>8}  late {:<5} cpu {:<7} {}/{}",
                brief(record.took()),
                lateness(record.late()),
                waterfall::millis(record.busy(SliceKind::Running)),
                clean(&on.thread, 30),
                on.tid,
            )),
        ])
    }
}
