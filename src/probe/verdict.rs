//! Puts the result of a check together, with the rules for degraded.

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::domain::{
    Authorization, CheckOptions, CheckResult, CheckSpec, JobId, MaskedText, Moment, RanOn, Reason,
    Timestamp, Verdict, brief, sentence,
};

use super::classify::Failure;
use super::request_log::RequestLog;

/// The identity of a check and the time of its start.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// The check.
    pub job: JobId,
    /// The start on the monotonic clock of the process that asked for the check.
    pub moment: Moment,
    /// The start on the wall clock.
    pub at: Timestamp,
}

/// Puts the result of a check together.
pub(super) fn result(
    start: Start,
    spec: &CheckSpec,
    log: RequestLog,
    judged: Result<(), Failure>,
    latency: Duration,
    ran_on: RanOn,
) -> CheckResult {
    let phases = log.phases();
    let mut result = CheckResult {
        job: start.job,
        verdict: Verdict::Up,
        reason: None,
        error: None,
        status: log.status,
        started_at: start.at,
        started: start.moment,
        latency,
        late: start.moment.since(start.job.due),
        phases,
        method: log.method,
        attempts: log.attempts,
        redirects: log.redirects,
        certificate: log.certificate,
        requests: log.requests,
        ran_on,
    };
    let judged = judged.and_then(|()| degraded(&result, spec));
    let secrets = secrets_of(spec.options());
    for request in &mut result.requests {
        for text in [&mut request.url, &mut request.note] {
            hide(&secrets, text);
        }
    }
    if let Err(mut failure) = judged {
        hide(&secrets, &mut failure.error);
        result.verdict = failure.reason.verdict();
        result.reason = Some(failure.reason);
        result.error = Some(sentence(&failure.error));
    }
    result
}

/// The shortest secret that is looked for, in bytes: a shorter one is a part of too many words.
const LEAST_SECRET: usize = 4;

/// The secrets that requests carry, as a server may repeat them in its answer.
fn secrets_of(options: &CheckOptions) -> Vec<Cow<'_, str>> {
    let headers = options.headers.iter().map(|header| &header.value);
    let texts = headers.chain(&options.body);
    let mut secrets: Vec<_> = texts
        .filter(|text| text.is_secret())
        .map(|text| Cow::Borrowed(text.expose().trim()))
        .collect();
    match &options.authorization {
        None => {}
        Some(Authorization::Bearer(token)) => secrets.push(token.expose().into()),
        Some(Authorization::Basic { user, password }) => {
            let (user, password) = (user.expose(), password.expose());
            secrets.push(BASE64_STANDARD.encode(format!("{user}:{password}")).into());
            secrets.push(password.into());
        }
    }
    secrets.retain(|secret| secret.len() >= LEAST_SECRET);
    secrets
}

/// Puts `***` in the place of every secret.
fn hide<T>(secrets: &[Cow<'_, str>], text: &mut T)
where
    T: AsRef<str> + From<String>,
{
    for secret in secrets {
        if text.as_ref().contains(&**secret) {
            *text = text
                .as_ref()
                .replace(&**secret, MaskedText::NAMELESS)
                .into();
        }
    }
}

/// The result of a check that could not be carried out, through no fault of the site.
#[must_use]
pub fn could_not_check(start: Start, spec: &CheckSpec, why: &str, ran_on: RanOn) -> CheckResult {
    let failure = Failure::new(Reason::Internal, format!("could not check: {why}"));
    result(
        start,
        spec,
        RequestLog::new(spec, None),
        Err(failure),
        Duration::ZERO,
        ran_on,
    )
}

/// A good answer may still come with a certificate about to end, or too slowly. The
/// certificate is named first: it will not get better by itself.
fn degraded(result: &CheckResult, spec: &CheckSpec) -> Result<(), Failure> {
    let warn_days = spec.cert_warn.as_secs_f64() / 86_400.0;
    if spec.options().connection.verifies()
        && let Some(days) = result.cert_days_left()
        && days < warn_days
    {
        return Err(Failure::new(
            Reason::Certificate,
            format!(
                "the certificate ends in {days:.1} days (warned of from {} on)",
                brief(spec.cert_warn)
            ),
        ));
    }
    if result.latency > spec.slow {
        return Err(Failure::new(
            Reason::Slow,
            format!(
                "answered after {}, slower than {}",
                brief(result.latency),
                brief(spec.slow)
            ),
        ));
    }
    Ok(())
}
