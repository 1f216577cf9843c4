//! Bounds of a check that came on the queue, and of a result that a worker stored: both may be of
//! any program that reaches the broker.

use std::time::Duration;

use url::Url;

use crate::domain::{
    CheckKind, CheckOptions, CheckResult, CheckSpec, FailedConnect, MaskedUrl, Phases, RanOn,
    RequestRecord, Timestamp, clean, sentence,
};

/// The most redirects that a check may follow.
const MAX_REDIRECTS: u16 = 100;

/// The longest timeout of a check.
const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 3_600);

/// The longest expected text and the longest URL, in bytes.
pub(super) const MAX_TEXT_BYTES: usize = 64 * 1024;

/// Why a check is not permitted, as a clause; `None` if it is.
pub(super) fn refused_spec(spec: &CheckSpec) -> Option<&'static str> {
    let url = spec.url.expose();
    let parsed = Url::parse(url).ok();
    let known = parsed.as_ref().is_some_and(|url| {
        let is_web = matches!(url.scheme(), "http" | "https");
        (is_web || spec.kind() != CheckKind::Http) && url.has_host()
    });
    let header = spec
        .user_agent
        .bytes()
        .all(|byte| (b' '..=b'~').contains(&byte));
    if url.len() > MAX_TEXT_BYTES || !known {
        Some("its URL is of no kind of check")
    } else if spec.timeout.is_zero() || spec.timeout > MAX_TIMEOUT {
        Some("its timeout is not between zero and a day")
    } else if spec.max_redirects > MAX_REDIRECTS {
        Some("it asks for more than 100 redirects")
    } else if !header || spec.user_agent.len() > 1_024 {
        Some("its user agent cannot stand in a header")
    } else if spec
        .contains
        .as_ref()
        .is_some_and(|text| text.len() > MAX_TEXT_BYTES)
    {
        Some("the text it expects is too long")
    } else {
        refused_options(spec.options())
    }
}

/// Why a check with these options is not permitted, as a clause; `None` if it is.
fn refused_options(options: &CheckOptions) -> Option<&'static str> {
    if !options.are_within_bounds() {
        Some("the header fields or the body that it sends are too long, or cannot be sent")
    } else if options.assertions.are_within_bounds() {
        None
    } else {
        Some("it expects too much, or in a way that cannot be read")
    }
}

/// The result with its texts cleaned and its times and numbers bounded; `None` if the verdict is
/// not the one of its reason.
pub(super) fn bounded_result(mut result: CheckResult, spec: &CheckSpec) -> Option<CheckResult> {
    const MAX_REQUESTS: usize = 2 * MAX_REDIRECTS as usize;
    let expected = result
        .reason
        .map_or(crate::domain::Verdict::Up, crate::domain::Reason::verdict);
    if result.verdict != expected || result.reason.is_some() != result.error.is_some() {
        return None;
    }
    let longest = spec.timeout + Duration::from_secs(60);
    result.latency = result.latency.min(longest);
    result.phases = bounded_phases(result.phases, longest);
    result.error = result.error.map(|error| sentence(&error));
    result.ran_on = RanOn {
        host: clean(&result.ran_on.host, 64).into(),
        pid: result.ran_on.pid,
        tid: result.ran_on.tid,
        thread: clean(&result.ran_on.thread, 15).into(),
    };
    result.requests.truncate(MAX_REQUESTS);
    for request in &mut result.requests {
        *request = RequestRecord {
            // Once more, so that no worker's word is taken for it that passwords are hidden.
            url: clean(MaskedUrl::new(&*request.url).shown(), 2_048).into(),
            note: sentence(&request.note),
            phases: bounded_phases(request.phases, longest),
            took: request.took.min(longest),
            resolved: std::mem::take(&mut request.resolved)
                .into_iter()
                .take(64)
                .collect(),
            failed_connects: std::mem::take(&mut request.failed_connects)
                .into_iter()
                .take(16)
                .map(|attempt| FailedConnect {
                    took: attempt.took.min(longest),
                    ..attempt
                })
                .collect(),
            ..request.clone()
        };
    }
    if let Some(certificate) = &mut result.certificate {
        certificate.subject = sentence(&certificate.subject);
        certificate.issuer = sentence(&certificate.issuer);
        let micros = certificate.not_after.as_micros();
        // Four thousand years around 1970 are enough for any certificate.
        const FAR: i64 = 126_000_000_000_000_000;
        certificate.not_after = Timestamp::from_micros(micros.clamp(-FAR, FAR));
    }
    Some(result)
}

fn bounded_phases(phases: Phases, longest: Duration) -> Phases {
    let bound = |phase: Option<Duration>| phase.map(|time| time.min(longest));
    Phases {
        dns: bound(phases.dns),
        connect: bound(phases.connect),
        tls: bound(phases.tls),
        first_byte: bound(phases.first_byte),
    }
}
