//! The HTTP/1 exchange on a connection that the client has made.
//!
//! reqwest resolves, connects and shakes hands; on what it made, HTTP/1 is spoken here, by
//! hyper's own connection, for three reasons that reqwest has no setting for:
//!
//! - the bytes of a head are bounded at 32 KiB (reqwest: 408 KiB), so that a thousand
//!   hostile heads at once stay within the memory that is promised;
//! - so are the bytes of interim (1xx) answers, which otherwise come without end and keep
//!   the thread from looking at the clock;
//! - the connection is driven inside the check's own future and not in a task of its own,
//!   so whoever polls the check is who does the work.
//!
//! The client's connector calls [`Intercept`] with the connection; the answer goes back
//! through a task-local, and the client is told that its request was taken over. HTTP/2,
//! whose heads reqwest can bound, is left to it.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, HOST, HeaderMap, HeaderValue};
use hyper::http::{Extensions, request::Parts};
use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use hyper::{Request, StatusCode, Uri};
use hyper_util::client::legacy::connect::{Connection, HttpInfo};
use reqwest::Client;
use tower::{Layer, Service};

use super::marks;

/// The largest head that is taken for honest.
const MOST_HEAD: usize = 32 * 1024;

/// All that a server may send before the head of its answer is complete.
const MOST_BEFORE_ANSWER: usize = 2 * MOST_HEAD;

tokio::task_local! {
    static EXCHANGE: Arc<Mutex<State>>;
}

enum State {
    Asking(Box<Request<String>>),
    /// The connector did not come by, or speaks HTTP/2.
    Passed,
    Answered(Box<Http1>),
    Failed(hyper::Error),
}

/// An answer's head, and its body to come.
pub(super) enum Answer {
    Http1(Box<Http1>),
    Http2(reqwest::Response),
}

/// An answer over HTTP/1, with the connection that its body comes through.
pub(super) struct Http1 {
    answer: hyper::Response<Incoming>,
    connection: Option<Driver>,
}

type Driver = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// Why there is no answer, or no more of it.
#[derive(Debug)]
pub(super) enum AskError {
    /// Before the exchange, or over HTTP/2.
    Client(reqwest::Error),
    /// During the exchange.
    Exchange(hyper::Error),
}

impl AskError {
    pub(super) fn as_error(&self) -> &(dyn Error + 'static) {
        match self {
            Self::Client(error) => error,
            Self::Exchange(error) => error,
        }
    }

    pub(super) fn client(&self) -> Option<&reqwest::Error> {
        match self {
            Self::Client(error) => Some(error),
            Self::Exchange(_) => None,
        }
    }
}

/// The server sent more than any honest one before its answer.
#[derive(Debug)]
pub(super) struct TooMuch;

impl fmt::Display for TooMuch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "more than {MOST_BEFORE_ANSWER} bytes before the answer")
    }
}

impl Error for TooMuch {}

/// What the client is told when its connection was used here.
#[derive(Debug)]
struct TakenOver;

impl fmt::Display for TakenOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the exchange was taken over")
    }
}

impl Error for TakenOver {}

/// Sends a request and waits for the head of its answer.
pub(super) async fn ask(client: &Client, request: reqwest::Request) -> Result<Answer, AskError> {
    let exchange = Arc::new(Mutex::new(
        plain(&request).map_or(State::Passed, |request| State::Asking(Box::new(request))),
    ));
    let executed = EXCHANGE
        .scope(Arc::clone(&exchange), client.execute(request))
        .await;
    match replace(&exchange, State::Passed) {
        State::Answered(answer) => Ok(Answer::Http1(answer)),
        State::Failed(error) => Err(AskError::Exchange(error)),
        State::Asking(_) | State::Passed => executed.map(Answer::Http2).map_err(AskError::Client),
    }
}

fn replace(exchange: &Mutex<State>, state: State) -> State {
    let mut exchange = exchange.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::replace(&mut *exchange, state)
}

/// The request as it stands on an HTTP/1 connection; `None` if it cannot.
fn plain(request: &reqwest::Request) -> Option<Request<String>> {
    let url = request.url();
    let authority = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str()?),
        None => url.host_str()?.to_owned(),
    };
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let (mut parts, body): (Parts, String) = Request::new(String::new()).into_parts();
    parts.method = request.method().clone();
    parts.uri = Uri::try_from(target).ok()?;
    let mut headers = HeaderMap::with_capacity(request.headers().len() + 2);
    headers.insert(HOST, HeaderValue::try_from(authority).ok()?);
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers.extend(request.headers().clone());
    parts.headers = headers;
    Some(Request::from_parts(parts, body))
}

impl Answer {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Http1(http1) => http1.answer.status(),
            Self::Http2(answer) => answer.status(),
        }
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        match self {
            Self::Http1(http1) => http1.answer.headers(),
            Self::Http2(answer) => answer.headers(),
        }
    }

    /// The next piece of the body; `None` at its end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, AskError> {
        match self {
            Self::Http1(http1) => http1.chunk().await.map_err(AskError::Exchange),
            Self::Http2(answer) => answer.chunk().await.map_err(AskError::Client),
        }
    }
}

impl Http1 {
    async fn chunk(&mut self) -> hyper::Result<Option<Bytes>> {
        std::future::poll_fn(|context| {
            loop {
                drive(&mut self.connection, context);
                let frame = ready!(Pin::new(self.answer.body_mut()).poll_frame(context));
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

/// Speaks HTTP/1 until the head of the answer is here.
async fn talk<T>(io: T, request: Request<String>) -> hyper::Result<Http1>
where
    T: Read + Write + Unpin + Send + 'static,
{
    let left = Arc::new(AtomicUsize::new(MOST_BEFORE_ANSWER));
    let io = Bounded {
        io,
        left: Arc::clone(&left),
    };
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MOST_HEAD)
        .handshake(io)
        .await?;
    let mut connection: Option<Driver> = Some(Box::pin(connection));
    let mut answer = pin!(sender.send_request(request));
    let answer = std::future::poll_fn(|context| {
        drive(&mut connection, context);
        answer.as_mut().poll(context)
    })
    .await?;
    // The body is bounded by whoever reads it.
    left.store(usize::MAX, Ordering::Relaxed);
    Ok(Http1 { answer, connection })
}

/// A connection that gives up on a server which never comes to the point.
struct Bounded<T> {
    io: T,
    left: Arc<AtomicUsize>,
}

impl<T: Read + Unpin> Read for Bounded<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let left = self.left.load(Ordering::Relaxed);
        if left == usize::MAX {
            return Pin::new(&mut self.io).poll_read(context, buffer);
        }
        if left == 0 {
            return Poll::Ready(Err(io::Error::other(TooMuch)));
        }
        // Read through a buffer of our own: it bounds and counts, and heads are short.
        let mut bytes = [0; 4096];
        let most = left.min(bytes.len()).min(buffer.remaining());
        let mut piece = ReadBuf::new(&mut bytes[..most]);
        ready!(Pin::new(&mut self.io).poll_read(context, piece.unfilled()))?;
        let read = piece.filled();
        buffer.put_slice(read);
        self.left.store(left - read.len(), Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl<T: Write + Unpin> Write for Bounded<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, buffers)
    }
}

/// A layer around the client's connector that uses HTTP/1 connections up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Intercept;

impl<S> Layer<S> for Intercept {
    type Service = Intercepted<S>;

    fn layer(&self, inner: S) -> Intercepted<S> {
        Intercepted(inner)
    }
}

/// A connector whose HTTP/1 connections are used up.
#[derive(Clone, Debug)]
pub(super) struct Intercepted<S>(S);

type BoxError = Box<dyn Error + Send + Sync>;

impl<S, R> Service<R> for Intercepted<S>
where
    S: Service<R, Error = BoxError>,
    S::Response: Read + Write + Connection + Unpin + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let connecting = self.0.call(request);
        Box::pin(async move {
            let connection = connecting.await?;
            let connected = connection.connected();
            let mut extras = Extensions::new();
            connected.get_extras(&mut extras);
            if let Some(info) = extras.get::<HttpInfo>() {
                marks::connected_to(info.remote_addr().ip());
            }
            let exchange = EXCHANGE.try_with(Arc::clone).ok();
            let Some(exchange) = exchange.filter(|_| !connected.is_negotiated_h2()) else {
                return Ok(connection);
            };
            let State::Asking(request) = replace(&exchange, State::Passed) else {
                return Ok(connection);
            };
            let state = match talk(connection, *request).await {
                Ok(answer) => State::Answered(Box::new(answer)),
                Err(error) => State::Failed(error),
            };
            replace(&exchange, state);
            Err(TakenOver.into())
        })
    }
}
