//! A check as one line of JSON: the contract of `check --format json`.

use std::borrow::Cow;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::Serialize;

use crate::domain::{CheckResult, Method, Phases, Reason, Site, Timestamp, Verdict};

/// The fields of the contract, in its order.
#[derive(Debug, Serialize)]
pub struct CheckJson<'a> {
    name: &'a str,
    url: &'a str,
    paradigm: &'a str,
    verdict: Verdict,
    status: Option<u16>,
    reason: Option<Reason>,
    error: Option<&'a str>,
    latency_ms: f64,
    phases: PhasesRecord,
    method: Method,
    attempts: u16,
    redirects: u16,
    cert_days_left: Option<f64>,
    started_at: String,
    late_ms: f64,
    host: &'a str,
    pid: u32,
    tid: u32,
    thread: &'a str,
}

#[derive(Debug, Serialize)]
struct PhasesRecord {
    dns_ms: Option<f64>,
    connect_ms: Option<f64>,
    tls_ms: Option<f64>,
    first_byte_ms: Option<f64>,
}

impl From<Phases> for PhasesRecord {
    fn from(phases: Phases) -> Self {
        Self {
            dns_ms: phases.dns.map(millis),
            connect_ms: phases.connect.map(millis),
            tls_ms: phases.tls.map(millis),
            first_byte_ms: phases.first_byte.map(millis),
        }
    }
}

/// A duration in milliseconds, to the microsecond.
pub(super) fn millis(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1e3
}

/// RFC 3339 to the millisecond, with the offset of `zone`.
pub(super) fn rfc3339(timestamp: Timestamp, zone: &TimeZone) -> String {
    let time = jiff::Timestamp::from_microsecond(timestamp.as_micros()).unwrap_or_default();
    time.to_zoned(zone.clone())
        .strftime("%Y-%m-%dT%H:%M:%S%.3f%:z")
        .to_string()
}

impl<'a> CheckJson<'a> {
    /// The record of a result; times are given with the offset of `zone`.
    #[must_use]
    pub fn new(
        site: &'a Site,
        paradigm: &'a str,
        result: &'a CheckResult,
        zone: &TimeZone,
    ) -> Self {
        Self {
            name: &site.name,
            url: site.spec.url.shown(),
            paradigm,
            verdict: result.verdict,
            status: result.status,
            reason: result.reason,
            error: result.error.as_deref(),
            latency_ms: millis(result.latency),
            phases: result.phases.into(),
            method: result.method,
            attempts: result.attempts,
            redirects: result.redirects,
            cert_days_left: result
                .cert_days_left()
                .map(|days| (days * 1e3).round() / 1e3),
            started_at: rfc3339(result.started_at, zone),
            late_ms: millis(result.late),
            host: &result.ran_on.host,
            pid: result.ran_on.pid,
            tid: result.ran_on.tid,
            thread: &result.ran_on.thread,
        }
    }

    /// The line, without a newline. All characters that act on a terminal are escaped, also those
    /// that JSON allows.
    #[must_use]
    pub fn line(&self) -> String {
        // Serializing plain fields into a string cannot fail.
        let json = serde_json::to_string(self).unwrap_or_default();
        escape(&json).into_owned()
    }
}

/// Escapes characters that act on a terminal and that JSON allows: DEL, C1, bidirectional
/// controls.
pub(super) fn escape(json: &str) -> Cow<'_, str> {
    // Nearly every line is plain.
    let plain = |byte: u8| matches!(byte, b' '..=b'~');
    if json.bytes().all(plain) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if crate::domain::is_unsafe(c) {
            // All of them are in the basic plane, where one escape is enough.
            out.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_acts_on_passes() {
        let json = serde_json::to_string("a\u{7f}\u{9b}\u{202e}b\n").unwrap();
        let escaped = escape(&json);
        assert_eq!(escaped, "\"a\\u007f\\u009b\\u202eb\\n\"");
        let back: String = serde_json::from_str(&escaped).unwrap();
        assert_eq!(back, "a\u{7f}\u{9b}\u{202e}b\n");
    }

    #[test]
    fn times_carry_their_offset() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(
            rfc3339(Timestamp::from_micros(1_500), &zone),
            "1970-01-01T02:00:00.001+02:00"
        );
    }
}
