//! HTTP/2 on a connection (RFC 9113), driven by the check itself.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::RecvStream;
use h2::client::{Builder, Connection, ResponseFuture, SendRequest};
use hyper::StatusCode;

use super::super::path::Stream;
use super::super::phase_timings::PhaseTimings;
use super::bounded::{Bound, Bounded};
use super::exchange_error::ExchangeError;
use super::fields::Fields;
use super::head_memory::{HeadMemory, MOST_HEAD};
use super::request::HttpRequest;

/// How much of a body a server may send ahead of its reader, in bytes.
const WINDOW: u32 = 64 * 1024;

/// The body of an answer, and the connection that it comes through.
pub(super) struct Http2Body {
    stream: RecvStream,
    driver: Driver,
    /// The connection ends when nobody could send a request any more.
    _sender: SendRequest<Bytes>,
}

/// What must be polled for anything to come.
struct Driver {
    connection: Connection<Bounded, Bytes>,
    over: bool,
    failure: Option<h2::Error>,
}

impl Driver {
    fn drive(&mut self, context: &mut Context<'_>) {
        if !self.over
            && let Poll::Ready(ended) = Pin::new(&mut self.connection).poll(context)
        {
            self.over = true;
            self.failure = ended.err();
        }
    }
}

/// Sends the request and waits for the head of its answer.
pub(super) async fn ask(
    stream: Stream,
    request: &HttpRequest<'_>,
    memory: &HeadMemory,
    timings: &Arc<PhaseTimings>,
) -> Result<(StatusCode, Fields, Http2Body), ExchangeError> {
    let assertions = &request.spec.assertions().header;
    let sent = request
        .body
        .map(|body| Bytes::copy_from_slice(body.as_bytes()));
    let request = request.over_http2().ok_or(ExchangeError::Unaskable)?;
    let (bound, io) = Bounded::around(stream, memory.clone(), Arc::clone(timings));
    let failed = |error| bound.blame(error);
    let (mut sender, connection) = Builder::new()
        .enable_push(false)
        .max_header_list_size(u32::try_from(MOST_HEAD).unwrap_or(u32::MAX))
        .initial_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .handshake(io)
        .await
        .map_err(failed)?;
    let mut driver = Driver {
        connection,
        over: false,
        failure: None,
    };
    let asked = sender.send_request(request, sent.is_none());
    let (mut answer, mut body) = asked.map_err(failed)?;
    if let Some(sent) = sent {
        body.send_data(sent, true).map_err(failed)?;
    }
    let head = poll_fn(|context| poll_head(&mut driver, &bound, &mut answer, context));
    let (head, stream) = head.await?.into_parts();
    let mut fields = Fields::default();
    for (name, value) in &head.headers {
        fields.keep(name.as_str().as_bytes(), value.as_bytes(), assertions);
    }
    // The reader of the body bounds it.
    bound.lift();
    let body = Http2Body {
        stream,
        driver,
        _sender: sender,
    };
    Ok((head.status, fields, body))
}

fn poll_head(
    driver: &mut Driver,
    bound: &Bound,
    answer: &mut ResponseFuture,
    context: &mut Context<'_>,
) -> Poll<Result<hyper::Response<RecvStream>, ExchangeError>> {
    driver.drive(context);
    // Interim answers are kept until somebody takes them.
    while let Poll::Ready(Some(Ok(_interim))) = answer.poll_informational(context) {}
    match Pin::new(answer).poll(context) {
        Poll::Ready(Ok(head)) => Poll::Ready(Ok(head)),
        Poll::Ready(Err(error)) => Poll::Ready(Err(bound.blame(error))),
        Poll::Pending if driver.over => {
            let why = driver.failure.take();
            Poll::Ready(Err(
                why.map_or(ExchangeError::Incomplete, |why| bound.blame(why))
            ))
        }
        Poll::Pending => Poll::Pending,
    }
}

impl Http2Body {
    /// The next piece; `None` at the end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Vec<u8>>, ExchangeError> {
        poll_fn(|context| self.poll_chunk(context)).await
    }

    fn poll_chunk(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Vec<u8>>, ExchangeError>> {
        self.driver.drive(context);
        let Poll::Ready(piece) = self.stream.poll_data(context) else {
            if self.driver.over {
                return Poll::Ready(Err(ExchangeError::Incomplete));
            }
            return Poll::Pending;
        };
        let piece = piece.transpose().map_err(ExchangeError::Http2)?;
        if let Some(piece) = &piece {
            let taken = self.stream.flow_control().release_capacity(piece.len());
            taken.map_err(ExchangeError::Http2)?;
        }
        Poll::Ready(Ok(piece.map(Vec::from)))
    }
}
