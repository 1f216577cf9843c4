//! One request and its answer on a connection of their own.

use std::sync::Arc;
use std::time::Instant;

use hyper::StatusCode;

use super::super::classify::{self, Failure};
use super::super::path::{self, Destination, Stream};
use super::super::phase_timings::PhaseTimings;
use super::super::shared::Shared;
use super::exchange_error::ExchangeError;
use super::fields::Fields;
use super::request::HttpRequest;
use super::{http1, http2};

/// An answer's head, and the connection that its body comes through.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) fields: Fields,
    body: AnswerBody,
}

enum AnswerBody {
    Http1(http1::Http1Body),
    Http2(Box<http2::Http2Body>),
}

impl Answer {
    /// The next piece of the body; `None` at its end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Vec<u8>>, ExchangeError> {
        match &mut self.body {
            AnswerBody::Http1(body) => body.chunk().await,
            AnswerBody::Http2(body) => body.chunk().await,
        }
    }
}

/// What the requests of one check share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exchange<'a> {
    pub(super) shared: &'a Shared,
    /// The end of the check.
    pub(super) deadline: Instant,
}

impl Exchange<'_> {
    /// Sends `request` to the server of its URL and waits for the head of its answer.
    pub(super) async fn send(
        self,
        request: HttpRequest<'_>,
        timings: Arc<PhaseTimings>,
    ) -> Result<Answer, Failure> {
        let secure = request.url.scheme() == "https";
        let answer = ask(self, request, &timings).await;
        answer.map_err(|error| classify::request(&error, &timings.lock(), secure))
    }

    /// The same on a connection that is there.
    pub(super) async fn send_on(
        self,
        stream: Stream,
        request: HttpRequest<'_>,
        timings: &Arc<PhaseTimings>,
    ) -> Result<Answer, Failure> {
        let answer = talk(stream, request, self.shared, timings).await;
        answer.map_err(|error| classify::request(&error, &timings.lock(), false))
    }
}

async fn ask(
    Exchange { shared, deadline }: Exchange<'_>,
    request: HttpRequest<'_>,
    timings: &Arc<PhaseTimings>,
) -> Result<Answer, ExchangeError> {
    let url = request.url;
    let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
        return Err(ExchangeError::Unaskable);
    };
    let secure = url.scheme() == "https";
    let to = Destination {
        host: host.clone(),
        port,
        secure,
        options: request.connection,
    };
    let stream = path::open(to, &shared.files, timings, deadline)
        .await
        .map_err(ExchangeError::Path)?;
    let stream = if secure {
        // In a place of its own: a request in the clear needs far less.
        let with = (host, request.connection);
        Box::pin(path::shake_hands(stream, with, &shared.tls, timings))
            .await
            .map_err(ExchangeError::Path)?
    } else {
        Stream::Plain(stream)
    };
    talk(stream, request, shared, timings).await
}

/// Asks on a connection that is there.
async fn talk(
    stream: Stream,
    request: HttpRequest<'_>,
    shared: &Shared,
    timings: &Arc<PhaseTimings>,
) -> Result<Answer, ExchangeError> {
    let answer = if stream.speaks_http2() {
        let asked = Box::pin(http2::ask(stream, &request, &shared.heads, timings)).await?;
        let (status, fields, body) = asked;
        Answer {
            status,
            fields,
            body: AnswerBody::Http2(Box::new(body)),
        }
    } else {
        let (head, body) = http1::ask(stream, &request, &shared.heads, timings).await?;
        Answer {
            status: head.status,
            fields: head.fields,
            body: AnswerBody::Http1(body),
        }
    };
    timings.answered();
    if answer.status == StatusCode::SWITCHING_PROTOCOLS {
        return Err(ExchangeError::Switched);
    }
    Ok(answer)
}
