//! HEAD is a courtesy and not a verdict: what it fails at is asked again by GET.
//!
//! Owners ask for little traffic, visitors ask by GET. So a failing status, a hang or a broken
//! answer of a HEAD is believed only after a GET; where HEAD is silent for half of the time
//! that is left, the GET is asked beside it, and the first answer counts.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use crate::domain::{Method, Reason};

use super::super::classify::Failure;
use super::super::phase_timings::PhaseTimings;
use super::super::request_log::RequestLog;
use super::super::thread_wait;
use super::exchange::{Answer, Exchange};
use super::request::HttpRequest;

/// The answer that counts, and the record of its request, which is still open.
pub(super) struct Counted {
    pub(super) answer: Answer,
    pub(super) timings: Arc<PhaseTimings>,
}

/// Asks by HEAD, and by GET before a failure is believed. `good` judges an answer by its head.
pub(super) async fn ask(
    exchange: Exchange<'_>,
    request: HttpRequest<'_>,
    log: &mut RequestLog,
    shown: &str,
    good: impl Fn(&Answer) -> bool,
) -> Result<Counted, Failure> {
    let timings = log.begin_request(shown);
    let mut head = Box::pin(exchange.send(request, Arc::clone(&timings)));
    let answered = before_silence(head.as_mut(), &timings, exchange.deadline).await;
    let get = HttpRequest {
        method: Method::Get,
        ..request
    };
    match answered {
        Some(Ok(answer)) if good(&answer) => {
            return Ok(Counted { answer, timings });
        }
        Some(Ok(answer)) => {
            let status = answer.status;
            let note = format!("HEAD is answered {status}: asked by GET before that is believed");
            log.end_request(&timings, Some(status.as_u16()), &note);
        }
        Some(Err(failure)) => {
            log.end_request(&timings, None, &failure.error);
            if !failure.may_be_about_head {
                return Err(failure);
            }
        }
        None => return beside(exchange, get, log, shown, (head, timings), good).await,
    }
    drop(head);
    log.ask_again_by_get();
    alone(exchange, get, log, shown).await
}

/// Sends `request` alone, with no second one beside it.
pub(super) async fn alone(
    exchange: Exchange<'_>,
    request: HttpRequest<'_>,
    log: &mut RequestLog,
    shown: &str,
) -> Result<Counted, Failure> {
    let timings = log.begin_request(shown);
    match Box::pin(exchange.send(request, Arc::clone(&timings))).await {
        Ok(answer) => Ok(Counted { answer, timings }),
        Err(failure) => {
            log.end_request(&timings, None, &failure.error);
            Err(failure)
        }
    }
}

/// What HEAD came to; `None` once it was silent for half of the time that was left when it
/// was asked.
async fn before_silence(
    mut head: Pin<&mut impl Future<Output = Result<Answer, Failure>>>,
    timings: &PhaseTimings,
    deadline: Instant,
) -> Option<Result<Answer, Failure>> {
    let mut silence = pin!(None);
    poll_fn(|context| {
        if let Poll::Ready(answer) = head.as_mut().poll(context) {
            return Poll::Ready(Some(answer));
        }
        if silence.is_none()
            && let Some(ready) = timings.ready_since()
        {
            let until = ready + deadline.saturating_duration_since(ready) / 2;
            silence.set(Some(thread_wait::until(until)));
        }
        match silence.as_mut().as_pin_mut() {
            Some(silence) => silence.poll(context).map(|()| None),
            None => Poll::Pending,
        }
    })
    .await
}

/// Asks by GET while HEAD is silent. The first answer counts, unless it is a failure of HEAD.
async fn beside<F>(
    exchange: Exchange<'_>,
    request: HttpRequest<'_>,
    log: &mut RequestLog,
    shown: &str,
    (mut head, head_timings): (Pin<Box<F>>, Arc<PhaseTimings>),
    good: impl Fn(&Answer) -> bool,
) -> Result<Counted, Failure>
where
    F: Future<Output = Result<Answer, Failure>>,
{
    log.ask_again_by_get();
    let timings = log.begin_request(shown);
    let mut get = Box::pin(exchange.send(request, Arc::clone(&timings)));
    let mut head_is_over = false;
    let first = poll_fn(|context| {
        if let Poll::Ready(answer) = get.as_mut().poll(context) {
            return Poll::Ready((Method::Get, answer));
        }
        if !head_is_over && let Poll::Ready(answer) = head.as_mut().poll(context) {
            head_is_over = true;
            if answer.as_ref().is_ok_and(&good) {
                return Poll::Ready((Method::Head, answer));
            }
        }
        Poll::Pending
    });
    let (method, answer) = first.await;
    if method == Method::Head {
        log.end_request(&timings, None, "given up: HEAD was answered first");
        log.method = Method::Head;
        return answer.map(|answer| Counted {
            answer,
            timings: head_timings,
        });
    }
    // Before anything else: its connection may be the one too many for this machine.
    drop(head);
    let note = "HEAD is silent: asked by GET beside it, which counts";
    log.end_request(&head_timings, None, note);
    match answer {
        Ok(answer) => Ok(Counted { answer, timings }),
        Err(failure) => {
            log.end_request(&timings, None, &failure.error);
            if failure.reason == Reason::Internal {
                alone(exchange, request, log, shown).await
            } else {
                Err(failure)
            }
        }
    }
}
