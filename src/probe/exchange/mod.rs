//! The exchange of one request and its answer, on a connection that reqwest makes.
//!
//! reqwest resolves, connects and shakes hands; on what it made, HTTP is spoken here, by
//! hyper's own connections, for three reasons that reqwest has no setting for:
//!
//! - the bytes of a head are bounded (reqwest: 408 KiB), so that a thousand hostile heads at
//!   once stay within the memory that is promised;
//! - so are the bytes of interim (1xx) answers and of frames that say nothing, which
//!   otherwise come without end and keep the thread from reading the clock;
//! - the connection is driven inside the check's own future and not in a task of its own,
//!   so that the thread that polls the check does all its work.
//!
//! [`connect`] takes the connecting out of reqwest's hands, [`http1`] and [`http2`] speak.

mod bounded;
mod connect;
mod http1;
mod http2;

use std::error::Error;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Bytes, Incoming};
use hyper::header::HeaderMap;
use hyper::{Response, StatusCode};

use bounded::Bound;

pub(super) use connect::{Intercept, ask, talk};

type BoxError = Box<dyn Error + Send + Sync>;

/// What must be polled for an answer to come, and its body.
type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// An answer's head, and the connection that its body comes through.
pub(super) struct Answer {
    head: Response<Incoming>,
    connection: Option<Driver>,
}

/// Why there is no answer, or no more of it.
#[derive(Debug)]
pub(super) enum AskError {
    /// reqwest does not take the URL.
    Unaskable,
    /// No connection was made.
    Connect(BoxError),
    /// It was, and the exchange failed.
    Exchange(hyper::Error),
    /// The server sent more than any honest one before its answer.
    TooMuch,
}

impl Answer {
    /// Drives the connection until the head of the answer is here.
    async fn wait(
        connection: Driver,
        bound: &Bound,
        answer: impl Future<Output = hyper::Result<Response<Incoming>>>,
    ) -> Result<Self, AskError> {
        let mut connection = Some(connection);
        let mut answer = pin!(answer);
        let head = std::future::poll_fn(|context| {
            drive(&mut connection, context);
            answer.as_mut().poll(context)
        });
        let head = head.await.map_err(|error| bound.blame(error))?;
        // The reader of the body bounds it.
        bound.lift();
        Ok(Self { head, connection })
    }

    pub(super) fn status(&self) -> StatusCode {
        self.head.status()
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        self.head.headers()
    }

    /// The next piece of the body; `None` at its end.
    pub(super) async fn chunk(&mut self) -> hyper::Result<Option<Bytes>> {
        std::future::poll_fn(|context| {
            loop {
                drive(&mut self.connection, context);
                let frame = ready!(Pin::new(self.head.body_mut()).poll_frame(context));
                match frame.transpose()?.map(hyper::body::Frame::into_data) {
                    None => return Poll::Ready(Ok(None)),
                    Some(Ok(data)) => return Poll::Ready(Ok(Some(data))),
                    // Trailers hold nothing that is searched.
                    Some(Err(_trailers)) => {}
                }
            }
        })
        .await
    }
}

/// Lets the connection read and write. How it ended is told by what it carried.
fn drive(connection: &mut Option<Driver>, context: &mut Context<'_>) {
    if let Some(driver) = connection
        && driver.as_mut().poll(context).is_ready()
    {
        *connection = None;
    }
}
