//! The HTTP server that a scraper asks: few scrapes at once, one request a connection, bounded
//! in number and in time.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

use crate::domain::plain_io_error;
use crate::runtime::thread;

use super::exposition::{self, Exposition};
use super::page::MetricsQuestion;
use super::scrape::{NoAnswer, alive, scrape};

/// The most connections at once on which nothing was asked yet.
const MOST_SILENT: usize = 64;

/// The most scrapes at once; further ones wait for their turn.
const MOST_SCRAPES: usize = 8;

/// The most connections at once; further ones wait in the system's queue.
const MOST_CONNECTIONS: usize = 2 * MOST_SILENT;

/// The most questions that may wait for the loop.
const MOST_QUESTIONS: usize = MOST_SCRAPES;

/// The longest time that the head of a request may take to arrive.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(3);

/// The longest time of a connection: the default timeout of Prometheus.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);

/// The most bytes of a request's head.
const MOST_HEAD_BYTES: usize = 8 * 1_024;

/// The delay after a connection that could not be accepted.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);

/// A port that is bound and not yet served.
#[derive(Debug)]
pub struct Endpoint {
    listener: TcpListener,
    address: SocketAddr,
}

/// Why the port could not be bound.
#[derive(Debug)]
pub struct BindError {
    address: SocketAddr,
    error: io::Error,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.error.kind() {
            io::ErrorKind::AddrInUse => "something else listens there already",
            io::ErrorKind::AddrNotAvailable => "this machine does not have that address",
            io::ErrorKind::PermissionDenied => "the system does not permit it",
            _ => &plain_io_error(&self.error),
        };
        write!(f, "no metrics at {}: {why}", self.address)
    }
}

impl std::error::Error for BindError {}

impl Endpoint {
    /// Binds the port, so that a port in use is an error at the start.
    ///
    /// # Errors
    /// If the port cannot be bound.
    pub fn bind(address: SocketAddr) -> Result<Self, BindError> {
        let bound = TcpListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok(Self { listener, address })
        });
        bound.map_err(|error| BindError { address, error })
    }

    /// The URL of the metrics.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/metrics", self.address)
    }

    /// Serves on a thread of its own. Returns the questions of that thread, which ends when the
    /// receiver is dropped.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn serve(self) -> io::Result<mpsc::Receiver<MetricsQuestion>> {
        let (sender, questions) = mpsc::channel(MOST_QUESTIONS);
        thread::with_runtime("metrics".to_owned(), move |runtime| {
            if let Err(error) = runtime.block_on(serve(self.listener, sender)) {
                tracing::error!("the metrics are not served: {error}");
            }
        })?;
        Ok(questions)
    }
}

async fn serve(listener: TcpListener, loops: mpsc::Sender<MetricsQuestion>) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let mut clients = Clients::default();
    loop {
        tokio::select! {
            () = loops.closed() => return Ok(()),
            Some(_) = clients.tasks.join_next() => {}
            accepted = listener.accept(), if clients.tasks.len() < MOST_CONNECTIONS => match accepted {
                Ok((stream, _)) => clients.take(stream, &loops),
                Err(error) => {
                    tracing::debug!("a scraper could not be let in: {error}");
                    // Most likely no file descriptors are left; they come back as checks end.
                    tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                }
            },
        }
    }
}

/// The connections that are open.
struct Clients {
    tasks: JoinSet<()>,
    /// Those that may still be silent, oldest first.
    silent: VecDeque<Silent>,
    /// The permits for scrapes: each holds the state of all sites until it is sent.
    scrapes: Arc<Semaphore>,
}

/// A connection without a request yet.
struct Silent {
    has_asked: Arc<AtomicBool>,
    task: AbortHandle,
}

impl Default for Clients {
    fn default() -> Self {
        Self {
            tasks: JoinSet::new(),
            silent: VecDeque::new(),
            scrapes: Arc::new(Semaphore::new(MOST_SCRAPES)),
        }
    }
}

impl Clients {
    /// Attends to a connection. Where too many are silent, the oldest of them has to go: however
    /// many connect and ask for nothing, a scraper is heard.
    fn take(&mut self, stream: TcpStream, loops: &mpsc::Sender<MetricsQuestion>) {
        let is_silent = |silent: &Silent| {
            !silent.has_asked.load(Ordering::Relaxed) && !silent.task.is_finished()
        };
        self.silent.retain(is_silent);
        if self.silent.len() >= MOST_SILENT
            && let Some(oldest) = self.silent.pop_front()
        {
            oldest.task.abort();
        }
        let has_asked = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&has_asked);
        let (loops, scrapes) = (loops.clone(), Arc::clone(&self.scrapes));
        // A client that takes longer is cut off; it has an incomplete body.
        let task = self.tasks.spawn(async move {
            let attended = attend(stream, loops, scrapes, asked);
            let _late = timeout(CONNECTION_TIMEOUT, attended).await;
        });
        self.silent.push_back(Silent { has_asked, task });
    }
}

async fn attend(
    stream: TcpStream,
    loops: mpsc::Sender<MetricsQuestion>,
    scrapes: Arc<Semaphore>,
    has_asked: Arc<AtomicBool>,
) {
    let service = service_fn(|request| {
        has_asked.store(true, Ordering::Relaxed);
        let (loops, scrapes) = (loops.clone(), Arc::clone(&scrapes));
        async move { Ok::<_, Infallible>(answer(&request, &loops, scrapes).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_TIMEOUT)
        .max_buf_size(MOST_HEAD_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!("a scraper was not served: {error}");
    }
}

async fn answer(
    request: &Request<Incoming>,
    loops: &mpsc::Sender<MetricsQuestion>,
    scrapes: Arc<Semaphore>,
) -> Response<ResponseBody> {
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        let mut refused = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        let allowed = HeaderValue::from_static("GET, HEAD");
        refused.headers_mut().insert(ALLOW, allowed);
        return refused;
    }
    let silent = || {
        text(
            StatusCode::SERVICE_UNAVAILABLE,
            "the monitor does not answer\n",
        )
    };
    match request.uri().path() {
        "/metrics" => match scrape_in_turn(loops, scrapes).await {
            Ok(body) => {
                let mut told = Response::new(body);
                let kind = HeaderValue::from_static(exposition::CONTENT_TYPE);
                told.headers_mut().insert(CONTENT_TYPE, kind);
                told
            }
            Err(_) => silent(),
        },
        "/healthz" => match alive(loops).await {
            Ok(()) => text(StatusCode::OK, "ok\n"),
            Err(_) => silent(),
        },
        "/" => {
            let mut page = text(
                StatusCode::OK,
                "<!doctype html><title>squirrel</title><a href=\"/metrics\">metrics</a>\n",
            );
            let kind = HeaderValue::from_static("text/html; charset=utf-8");
            page.headers_mut().insert(CONTENT_TYPE, kind);
            page
        }
        _ => text(StatusCode::NOT_FOUND, "see /metrics\n"),
    }
}

/// A scrape, when there is room for another one.
async fn scrape_in_turn(
    loops: &mpsc::Sender<MetricsQuestion>,
    scrapes: Arc<Semaphore>,
) -> Result<ResponseBody, NoAnswer> {
    let permit = scrapes.acquire_owned().await.map_err(|_| NoAnswer)?;
    Ok(ResponseBody::Metrics {
        exposition: Box::new(scrape(loops).await?),
        _permit: permit,
    })
}

fn text(status: StatusCode, text: &'static str) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::Text(Some(text)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The body of a response.
enum ResponseBody {
    Text(Option<&'static str>),
    /// Written while it is sent: no further ahead than the connection takes it.
    Metrics {
        exposition: Box<Exposition>,
        /// Given back when the connection ends.
        _permit: OwnedSemaphorePermit,
    },
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = match &mut *self {
            Self::Text(text) => text.take().map(Bytes::from),
            Self::Metrics { exposition, .. } => exposition.next().map(Bytes::from),
        };
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }
}
