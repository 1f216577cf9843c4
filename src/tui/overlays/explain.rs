//! The explanation of a site's verdict: the rule, every request of its last check and of its
//! last failing one, certificate, thread, figures, and the curl line that repeats the request.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::domain::{
    Authorization, CheckOptions, CheckResult, RequestHeader, RequestRecord, SiteId, brief, clean,
};
use crate::monitor::SiteState;
use crate::tui::curl::curl;
use crate::tui::format::{
    age, count, date, is_late, lateness, percent, plural, setting, when, wrap,
};
use crate::tui::site_remark::{UNVERIFIED, silence_in_words};
use crate::tui::state::UiState;
use crate::tui::theme::{self, BOLD, DIM, PLAIN};
use crate::tui::view_model::{Tone, ViewModel};

use super::{verdict_rule, waterfall};

/// The width of the labels, in cells.
const LABEL: usize = 13;

/// The width of the mark behind an unfinished phase, in cells.
const ENDING: usize = 9;

/// The curl line that repeats a site's request, by the method of its last check.
pub(crate) fn curl_line(site: &SiteState) -> String {
    let spec = &site.site().spec;
    // Behind a redirect the method may be another one.
    let method = spec.method.once();
    let method = method.or_else(|| site.last().map(|last| last.method));
    curl(spec, method.unwrap_or_else(|| spec.first_method()))
}

/// The title of the explanation of `site`.
pub(crate) fn title(state: &UiState, model: &ViewModel<'_>, site: SiteId) -> String {
    let name = state
        .site(model, site)
        .map(|row| clean(&row.site.site().name, 60));
    name.map_or_else(|| "Explain".into(), |name| format!("Explain {name}"))
}

/// The explanation of `site`, in lines of at most `width` cells.
pub(crate) fn lines(
    state: &UiState,
    model: &ViewModel<'_>,
    site: SiteId,
    width: u16,
) -> Vec<Line<'static>> {
    let mut page = Page {
        state,
        model,
        width: usize::from(width).saturating_sub(2),
        lines: Vec::new(),
    };
    match state.site(model, site) {
        Some(row) => page.site(row.site),
        None => page.say("", "This site is no longer in the configuration.", PLAIN),
    }
    page.lines
}

struct Page<'a> {
    state: &'a UiState,
    model: &'a ViewModel<'a>,
    width: usize,
    lines: Vec<Line<'static>>,
}

impl Page<'_> {
    /// A label and its text, wrapped.
    fn say(&mut self, label: &str, text: &str, style: Style) {
        let room = self.width.saturating_sub(LABEL);
        for (index, part) in wrap(text, room).into_iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            self.lines.push(Line::from(vec![
                Span::styled(format!("{label:<LABEL$}"), DIM),
                Span::styled(part, style),
            ]));
        }
    }

    fn heading(&mut self, text: String) {
        self.lines.push(Line::default());
        self.lines.push(Line::styled(text, BOLD));
    }

    fn time(&self, at: crate::domain::Timestamp) -> String {
        when(
            at,
            self.state.now(self.model).wall,
            &self.state.options.zone,
        )
    }

    fn site(&mut self, site: &SiteState) {
        let now = self.state.now(self.model);
        let (config, badge) = (site.site(), theme::site_badge(site));
        let since = site.since();
        let verdict = format!(
            "{} {} since {} ({})",
            badge.glyph,
            badge.word,
            self.time(since.wall),
            age(site.lasting(now.mono)),
        );
        self.say("Verdict", &verdict, badge.style);
        self.say("Because", &verdict_rule::of_state(site), PLAIN);
        if let Some(silence) = (self.model.silence)(site.id()) {
            let text = silence_in_words(&silence, now.wall, &self.state.options.zone);
            self.say(
                "Silence",
                &format!("{text}; nobody is told of this site"),
                theme::tone(Tone::Warn),
            );
        }
        if let Some(outage) = site.outage() {
            let error = outage.error.as_deref().unwrap_or(outage.reason.word());
            self.say("Outage began", &clean(error, 400), PLAIN);
            if let Some(known) = &outage.acknowledged {
                let text = format!("{} {}", self.time(known.at), clean(&known.note, 200));
                self.say("Acknowledged", text.trim_end(), PLAIN);
            }
        }
        self.say("URL", config.spec.url.shown(), PLAIN);
        let every = format!(
            "every {}, timeout {}, slow above {}",
            setting(config.interval),
            setting(config.spec.timeout),
            setting(config.spec.slow),
        );
        self.say("Checked", &every, PLAIN);
        self.options(config.spec.options());
        if let Some(last) = site.last() {
            self.check("LAST CHECK", site, last);
        }
        let failure = site.last_failure();
        if let Some(failure) = failure
            && site.last().is_some_and(|last| last.job != failure.job)
        {
            self.check("LAST FAILING CHECK", site, failure);
        }
        self.figures(site);
        self.heading("REPEAT IT: y copies this line".into());
        for part in wrap(&curl_line(site), self.width) {
            self.lines.push(Line::raw(part));
        }
    }

    /// What its requests carry, and how its server is reached.
    fn options(&mut self, options: &CheckOptions) {
        let carried = match &options.authorization {
            None => None,
            Some(Authorization::Bearer(token)) => Some(format!("Bearer {}", token.shown())),
            Some(Authorization::Basic { user, password }) => {
                Some(format!("Basic {}:{}", user.shown(), password.shown()))
            }
        };
        if let Some(carried) = carried {
            self.say(
                "Sends",
                &clean(&format!("Authorization: {carried}"), 200),
                PLAIN,
            );
        }
        for RequestHeader { name, value } in &options.headers {
            let text = format!("{name}: {}", value.shown());
            self.say("Sends", &clean(&text, 200), PLAIN);
        }
        let connection = &options.connection;
        if !connection.verifies() {
            let text = format!("{UNVERIFIED} (verify = false): anybody can pretend to be it");
            self.say("TLS", &text, theme::tone(Tone::Warn));
        }
        let said = [
            connection.connect_to.map(|to| format!("to {to}")),
            connection
                .family
                .map(|family| format!("by {} alone", family.word())),
            connection
                .resolver
                .map(|server| format!("names from {server}")),
            connection
                .proxy
                .as_ref()
                .map(|proxy| format!("through {proxy}")),
            connection
                .client
                .as_ref()
                .map(|_| "with a certificate of its own".to_owned()),
        ];
        let said: Vec<String> = said.into_iter().flatten().collect();
        if !said.is_empty() {
            self.say("Connects", &clean(&said.join(", "), 400), PLAIN);
        }
    }

    fn check(&mut self, heading: &str, site: &SiteState, check: &CheckResult) {
        self.heading(format!("{heading} {}", self.time(check.started_at)));
        let verdict = check.verdict.word();
        let reason = check
            .reason
            .map(|reason| format!(" ({reason})"))
            .unwrap_or_default();
        let mut text = format!("{verdict}{reason} after {}", brief(check.latency));
        if let Some(status) = check.status {
            text.push_str(&format!(", status {status}"));
        }
        text.push_str(&format!(
            ", {}, {}",
            plural(check.attempts, "attempt"),
            plural(check.redirects, "redirect"),
        ));
        self.say("Result", &text, PLAIN);
        self.say("Rule", &verdict_rule::of_check(site, check), PLAIN);
        if let Some(error) = &check.error {
            self.say("Error", &clean(error, 400), PLAIN);
        }
        let late = if is_late(check.late) {
            format!("{} late: it waited for a free worker", lateness(check.late))
        } else {
            "on time".into()
        };
        self.say(
            "Started",
            &format!("{}, {late}", self.time(check.started_at)),
            PLAIN,
        );
        let on = &check.ran_on;
        let ran = format!(
            "thread {} (tid {}) of process {} on {}",
            clean(&on.thread, 60),
            on.tid,
            on.pid,
            clean(&on.host, 60),
        );
        self.say("Ran on", &ran, PLAIN);
        let whole = check
            .requests
            .iter()
            .map(|request| request.took)
            .max()
            .unwrap_or_default();
        for (index, request) in check.requests.iter().enumerate() {
            self.request(index + 1, request, whole);
        }
        if let Some(certificate) = &check.certificate {
            let days = check.cert_days_left().unwrap_or_default();
            let end = date(certificate.not_after, &self.state.options.zone);
            let end = if days < 0.0 {
                format!("ended {end}, {} ago", plural(-days.round() as i64, "day"))
            } else {
                format!("ends {end}, in {}", plural(days.round() as i64, "day"))
            };
            let text = format!(
                "{}, by {}, {end}",
                clean(&certificate.subject, 200),
                clean(&certificate.issuer, 200),
            );
            self.say("Certificate", &text, PLAIN);
        }
    }

    fn request(&mut self, number: usize, request: &RequestRecord, whole: std::time::Duration) {
        // Other kinds of check have no method.
        let method = if request.url.starts_with("http") {
            format!("{} ", request.method.word())
        } else {
            String::new()
        };
        let answer = match request.status {
            Some(status) => format!("status {status} "),
            None if method.is_empty() => String::new(),
            None => "no answer ".to_owned(),
        };
        let mut text = format!(
            "{method}{}: {answer}after {}",
            clean(&request.url, 400),
            waterfall::millis(request.took),
        );
        if !request.note.is_empty() {
            text.push_str(&format!(" ({})", clean(&request.note, 200)));
        }
        self.say(&format!("Request {number}"), &text, PLAIN);
        let listed: Vec<_> = request.resolved.iter().map(ToString::to_string).collect();
        for attempt in &request.failed_connects {
            let text = format!(
                "{}: {} after {}",
                attempt.address,
                attempt.cause.words(),
                waterfall::millis(attempt.took)
            );
            self.say("  tried", &text, PLAIN);
        }
        let address = match (request.address, listed.len()) {
            // Each that was tried has its line.
            (None, _) if !request.failed_connects.is_empty() => "none answered".into(),
            (Some(address), 0 | 1) => address.to_string(),
            (Some(address), _) => format!("{address}, of {}", listed.join(" ")),
            (None, 0) => "none".into(),
            (None, _) => format!("none of {} answered", listed.join(" ")),
        };
        self.say("  address", &address, PLAIN);
        let cells = self.width.saturating_sub(27 + ENDING).clamp(1, 48);
        self.lines.extend(waterfall::lines(request, whole, cells));
    }

    fn figures(&mut self, site: &SiteState) {
        self.heading("SINCE THE START".into());
        let uptime = site.uptime().map_or_else(|| "-".into(), percent);
        let text = format!(
            "{}, {} missed, UP% {uptime}",
            plural(site.checks(), "check"),
            count(site.missed()),
        );
        self.say("Checks", &text, PLAIN);
        if let Some((p50, p95)) = site.recent_checks().quantiles() {
            let text = format!(
                "p50 {}, p95 {} of the last {}",
                brief(p50),
                brief(p95),
                plural(site.recent_checks().len(), "check"),
            );
            self.say("Latency", &text, PLAIN);
        }
        let list = |names: &[Box<str>]| {
            let names: Vec<_> = names.iter().map(|name| clean(name, 60)).collect();
            names.join(", ")
        };
        if !site.site().owners.is_empty() {
            self.say("Owners", &list(&site.site().owners), PLAIN);
        }
        if !site.site().tags.is_empty() {
            self.say("Tags", &list(&site.site().tags), PLAIN);
        }
    }
}
