//! The contract of one line of `check --format json`, as DESIGN.md states it, field by field.

use std::str::FromStr as _;

use serde_json::Value;

/// What a field may hold.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    TextOrNull,
    Number,
    NumberOrNull,
    Integer,
    IntegerOrNull,
    OneOf(&'static [&'static str]),
    OneOfOrNull(&'static [&'static str]),
    Phases,
    Time,
}

const VERDICTS: &[&str] = &["up", "degraded", "down", "unknown"];
const REASONS: &[&str] = &[
    "dns",
    "refused",
    "unreachable",
    "timeout",
    "tls",
    "closed",
    "protocol",
    "redirect",
    "status",
    "content",
    "slow",
    "certificate",
    "internal",
];
const PHASES: [&str; 4] = ["dns_ms", "connect_ms", "tls_ms", "first_byte_ms"];

const FIELDS: [(&str, Kind); 20] = [
    ("name", Kind::Text),
    ("url", Kind::Text),
    ("paradigm", Kind::Text),
    ("verdict", Kind::OneOf(VERDICTS)),
    ("status", Kind::IntegerOrNull),
    ("reason", Kind::OneOfOrNull(REASONS)),
    ("error", Kind::TextOrNull),
    ("latency_ms", Kind::Number),
    ("phases", Kind::Phases),
    ("kind", Kind::OneOf(&["http", "tcp", "tls", "dns", "ping"])),
    (
        "method",
        Kind::OneOfOrNull(&["HEAD", "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
    ),
    ("attempts", Kind::Integer),
    ("redirects", Kind::Integer),
    ("cert_days_left", Kind::NumberOrNull),
    ("started_at", Kind::Time),
    ("late_ms", Kind::Number),
    ("host", Kind::Text),
    ("pid", Kind::Integer),
    ("tid", Kind::Integer),
    ("thread", Kind::Text),
];

/// Everything in which one line breaks the contract; empty when it keeps it.
pub(crate) fn check_line(line: &Value) -> Vec<String> {
    let Some(object) = line.as_object() else {
        return vec![format!("not an object: {line}")];
    };
    let mut wrong = Vec::new();
    for (name, kind) in FIELDS {
        match object.get(name) {
            None => wrong.push(format!("{name} is missing")),
            Some(value) if !fits(value, kind) => wrong.push(format!("{name} is {value}")),
            Some(_) => {}
        }
    }
    for name in object.keys() {
        if !FIELDS.iter().any(|(field, _)| field == name) {
            wrong.push(format!("{name} is not in the contract"));
        }
    }
    wrong.extend(across_fields(line));
    wrong
}

fn fits(value: &Value, kind: Kind) -> bool {
    let among = |words: &[&str]| value.as_str().is_some_and(|word| words.contains(&word));
    let time = |text: &str| {
        // An instant, written with its offset.
        let tail = text.get(19..).unwrap_or_default();
        jiff::Timestamp::from_str(text).is_ok() && tail.contains(['Z', '+', '-'])
    };
    let amount = value.as_f64().is_some_and(|number| number >= 0.0);
    match kind {
        Kind::Text => value.as_str().is_some_and(|text| !text.is_empty()),
        Kind::TextOrNull => value.is_null() || fits(value, Kind::Text),
        Kind::Number => amount,
        Kind::NumberOrNull => value.is_null() || value.is_number(),
        Kind::Integer => value.is_u64(),
        Kind::IntegerOrNull => value.is_null() || value.is_u64(),
        Kind::OneOf(words) => among(words),
        Kind::OneOfOrNull(words) => value.is_null() || among(words),
        Kind::Time => value.as_str().is_some_and(time),
        Kind::Phases => value.as_object().is_some_and(|phases| {
            phases.len() == PHASES.len()
                && PHASES.iter().all(|phase| {
                    phases
                        .get(*phase)
                        .is_some_and(|value| value.is_null() || fits(value, Kind::Number))
                })
        }),
    }
}

/// What must hold between the fields of any line.
fn across_fields(line: &Value) -> Vec<String> {
    let verdict = line["verdict"].as_str().unwrap_or_default();
    let reason = line["reason"].as_str();
    let error = line["error"].as_str();
    let measured: f64 = PHASES
        .iter()
        .filter_map(|phase| line["phases"][*phase].as_f64())
        .sum();
    let expected_verdict = match reason {
        None => "up",
        Some("slow" | "certificate") => "degraded",
        Some("internal") => "unknown",
        Some(_) => "down",
    };
    let mut wrong = Vec::new();
    let mut rule = |holds: bool, text: String| {
        if !holds {
            wrong.push(text);
        }
    };
    rule(
        verdict == expected_verdict,
        format!("verdict {verdict} with reason {reason:?}"),
    );
    rule(
        error.is_some() == reason.is_some(),
        format!("error {error:?} with reason {reason:?}"),
    );
    rule(
        measured <= line["latency_ms"].as_f64().unwrap_or(0.0) + 1.0,
        format!(
            "the phases sum up to {measured}, more than {}",
            line["latency_ms"]
        ),
    );
    rule(
        line["attempts"].as_u64() >= Some(1),
        "no attempt".to_owned(),
    );
    for number in ["pid", "tid"] {
        rule(
            line[number].as_u64() >= Some(1),
            format!("{number} is {}", line[number]),
        );
    }
    if line["url"]
        .as_str()
        .is_some_and(|url| url.starts_with("http:"))
    {
        // A redirect may lead to https, which the number of redirects tells.
        let in_the_clear = line["redirects"].as_u64() == Some(0);
        rule(
            !in_the_clear || line["phases"]["tls_ms"].is_null(),
            "time for TLS in the clear".to_owned(),
        );
    }
    if let Some(error) = error {
        rule(
            error.chars().count() <= 400,
            format!("{} characters", error.chars().count()),
        );
        rule(
            !error.contains('\n'),
            format!("error of several lines: {error:?}"),
        );
        for dump in [
            "Error {",
            "Error(",
            "Some(",
            "Ok(",
            "Err(",
            "kind:",
            "Kind(",
            "hyper",
            "reqwest",
            "rustls::",
            "Os {",
            "code:",
            "::Error",
            "{ ",
            "InvalidCertificate",
            "os error",
        ] {
            rule(
                !error.contains(dump),
                format!("{dump:?} in the error {error:?}"),
            );
        }
    }
    wrong
}

/// Bytes that must never reach a terminal: control characters but the newline, and the
/// characters that turn the reading order.
pub(crate) fn unsafe_characters(output: &str) -> Vec<char> {
    output
        .chars()
        .filter(|c| {
            matches!(c,
                '\0'..='\x09' | '\x0b'..='\x1f' | '\x7f'..='\u{9f}'
                | '\u{61c}' | '\u{200e}' | '\u{200f}'
                | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        })
        .collect()
}
