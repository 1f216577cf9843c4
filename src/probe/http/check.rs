//! A check of the kind http: request after request until one decides.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use crate::domain::{CheckSpec, ConnectionOptions, MaskedText, Method, MethodChoice, Reason};

use super::super::classify::{self, Failure};
use super::super::path::Stream;
use super::super::phase_timings::PhaseTimings;
use super::super::request_log::RequestLog;
use super::super::shared::Shared;
use super::body;
use super::cookies::Cookies;
use super::exchange::{Answer, Exchange};
use super::fields::Field;
use super::head_courtesy::{self, Counted};
use super::redirect::{self, leads_on};
use super::request::HttpRequest;

/// Checks the site of `spec`; every request is told to `log`.
pub(in super::super) async fn check(
    shared: &Shared,
    spec: &CheckSpec,
    deadline: Instant,
    log: &mut RequestLog,
) -> Result<(), Failure> {
    let home = spec.url.parsed();
    let home = home.ok_or_else(|| Failure::new(Reason::Internal, "the URL cannot be read"))?;
    let mut url = Cow::Borrowed(home);
    let (method, courtesy) = first_method(spec);
    log.method = method;
    let exchange = Exchange { shared, deadline };
    let good = |answer: &Answer| {
        leads_on(answer.status, spec)
            || (spec.expect_status.contains(answer.status.as_u16())
                && answer.fields.failure(&spec.assertions().header).is_none())
    };
    let mut shown = RequestLog::shown(&spec.url);
    let mut cookies = Cookies::default();
    let body = spec.options().body.as_ref().map(MaskedText::expose);
    loop {
        let cookie = cookies.sent_to(&url);
        // The first request needs no comparison.
        let at_home = std::ptr::eq(&*url, home) || url.origin() == home.origin();
        let connection = spec.options().connection.toward(&url, home, at_home);
        let request = HttpRequest {
            method: log.method,
            url: &url,
            spec,
            cookie: cookie.as_deref(),
            at_home,
            connection: &connection,
            body: body.filter(|_| sends_once(log.method)),
        };
        let counted = if courtesy && log.method == Method::Head {
            head_courtesy::ask(exchange, request, log, &shown, good).await
        } else {
            head_courtesy::alone(exchange, request, log, &shown).await
        };
        let Counted { answer, timings } = counted?;
        let status = answer.status;
        log.status = Some(status.as_u16());
        for field in answer.fields.all(Field::SetCookie) {
            cookies.set(&url, field);
        }
        if leads_on(status, spec) {
            let location = answer.fields.first(Field::Location);
            let next = redirect::target(&url, status, location);
            let note = match &next {
                Ok(next) => {
                    shown = RequestLog::shown(&next.clone().into());
                    format!("{status} to {shown}")
                }
                Err(failure) => failure.error.clone(),
            };
            log.end_request(&timings, Some(status.as_u16()), &note);
            let next = next?;
            if sends_once(log.method) {
                if !redirect::keeps_the_method(status) {
                    log.method = Method::Get;
                } else if body.is_some() && next.origin() != url.origin() {
                    return Err(redirect::to_a_stranger(status));
                }
            }
            url = Cow::Owned(next);
            if log.redirects == spec.max_redirects {
                return Err(classify::too_many_redirects(spec.max_redirects));
            }
            log.redirects += 1;
            continue;
        }
        let judged = judge(spec, answer, exchange, &timings).await;
        let note = match &judged {
            Ok(()) if spec.method == MethodChoice::Remembered => {
                format!("answered {status}; asked by GET at once: HEAD was wrong before")
            }
            Ok(()) => format!("answered {status}"),
            Err(failure) => failure.error.clone(),
        };
        log.end_request(&timings, Some(status.as_u16()), &note);
        return judged;
    }
}

/// What an answer on `stream` comes to, without any other request: the end of a redirect is
/// where it leads.
pub(in super::super) async fn answer(
    shared: &Shared,
    spec: &CheckSpec,
    stream: Stream,
    deadline: Instant,
    log: &mut RequestLog,
) -> Result<(), Failure> {
    let unreadable = || Failure::new(Reason::Internal, "the URL cannot be read");
    let url = spec.url.parsed().ok_or_else(unreadable)?;
    let exchange = Exchange { shared, deadline };
    let timings = log.begin_request(&RequestLog::shown(&spec.url));
    let request = HttpRequest {
        method: log.method,
        url,
        spec,
        cookie: None,
        at_home: true,
        connection: ConnectionOptions::NONE,
        body: None,
    };
    let judged = match exchange.send_on(stream, request, &timings).await {
        Err(failure) => Err(failure),
        Ok(answer) => {
            log.status = Some(answer.status.as_u16());
            let mut cookies = Cookies::default();
            for field in answer.fields.all(Field::SetCookie) {
                cookies.set(url, field);
            }
            if leads_on(answer.status, spec) {
                let location = answer.fields.first(Field::Location);
                redirect::target(url, answer.status, location).map(|next| {
                    let _shown = RequestLog::shown(&next.into());
                })
            } else {
                judge(spec, answer, exchange, &timings).await
            }
        }
    };
    let note = judged.as_ref().err().map_or("", |failure| &failure.error);
    log.end_request(&timings, log.status, note);
    judged
}

/// Whether a request of this method is never repeated.
const fn sends_once(method: Method) -> bool {
    !matches!(method, Method::Head | Method::Get)
}

/// The method of the first request, and whether it is a HEAD that is not believed when it fails.
fn first_method(spec: &CheckSpec) -> (Method, bool) {
    let method = spec.first_method();
    let courtesy = method == Method::Head && spec.method == MethodChoice::Auto;
    (method, courtesy)
}

async fn judge(
    spec: &CheckSpec,
    answer: Answer,
    exchange: Exchange<'_>,
    timings: &Arc<PhaseTimings>,
) -> Result<(), Failure> {
    if !spec.expect_status.contains(answer.status.as_u16()) {
        return Err(classify::bad_status(answer.status, &spec.expect_status));
    }
    if let Some(why) = answer.fields.failure(&spec.assertions().header) {
        return Err(Failure::new(Reason::Content, why));
    }
    if spec.reads_the_body() {
        // In a place of its own: few checks read a body.
        Box::pin(body::judge(answer, spec, exchange, timings)).await
    } else {
        Ok(())
    }
}
