//! A check as one line of JSON: the contract of `check --format json`.

use std::time::Duration;

use jiff::fmt::temporal::DateTimePrinter;
use jiff::tz::TimeZone;

use crate::domain::{CheckKind, CheckResult, Reason, Site, Timestamp};

use super::json_line::JsonLine;

/// A check and what it is about, as the contract has them.
#[derive(Debug)]
pub struct CheckJson<'a> {
    site: &'a Site,
    paradigm: &'a str,
    result: &'a CheckResult,
    zone: &'a TimeZone,
}

/// A duration in milliseconds, to the microsecond.
pub(super) fn millis(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1e3
}

/// RFC 3339 to the millisecond, with the offset of `zone`.
pub(super) fn rfc3339(timestamp: Timestamp, zone: &TimeZone) -> String {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));
    let time = jiff::Timestamp::from_microsecond(timestamp.as_micros()).unwrap_or_default();
    PRINTER.timestamp_with_offset_to_string(&time, zone.to_offset(time))
}

impl<'a> CheckJson<'a> {
    /// The record of a result; times are given with the offset of `zone`.
    #[must_use]
    pub const fn new(
        site: &'a Site,
        paradigm: &'a str,
        result: &'a CheckResult,
        zone: &'a TimeZone,
    ) -> Self {
        Self {
            site,
            paradigm,
            result,
            zone,
        }
    }

    /// The line, without a newline. All characters that act on a terminal are escaped, also those
    /// that JSON allows.
    #[must_use]
    pub fn line(&self) -> String {
        let result = self.result;
        let mut line = JsonLine::new();
        line.text("name", &self.site.name);
        line.text("url", self.site.spec.url.shown());
        line.text("paradigm", self.paradigm);
        line.text("verdict", result.verdict.word());
        match result.status {
            Some(status) => line.number("status", status),
            None => line.null("status"),
        }
        line.text_or_null("reason", result.reason.map(Reason::word));
        line.text_or_null("error", result.error.as_deref());
        line.millis("latency_ms", Some(result.latency));
        line.open("phases");
        line.millis("dns_ms", result.phases.dns);
        line.millis("connect_ms", result.phases.connect);
        line.millis("tls_ms", result.phases.tls);
        line.millis("first_byte_ms", result.phases.first_byte);
        line.close();
        let kind = self.site.spec.kind();
        line.text("kind", kind.word());
        match kind {
            CheckKind::Http => line.text("method", result.method.word()),
            _ => line.null("method"),
        }
        line.number("attempts", result.attempts);
        line.number("redirects", result.redirects);
        match result.cert_days_left() {
            // Of a number that is one, this is JSON.
            Some(days) => line.number(
                "cert_days_left",
                format_args!("{:?}", (days * 1e3).round() / 1e3),
            ),
            None => line.null("cert_days_left"),
        }
        line.text("started_at", &rfc3339(result.started_at, self.zone));
        line.millis("late_ms", Some(result.late));
        line.text("host", &result.ran_on.host);
        line.number("pid", result.ran_on.pid);
        line.number("tid", result.ran_on.tid);
        line.text("thread", &result.ran_on.thread);
        line.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_carry_their_offset() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(
            rfc3339(Timestamp::from_micros(1_500), &zone),
            "1970-01-01T02:00:00.001+02:00"
        );
    }
}
