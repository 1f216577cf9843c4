//! Connecting as reqwest does it, in the check's own future.
//!
//! A request is given to reqwest, which calls its connector; the layer here keeps what the
//! connector would have done, and the request itself is let go. What was kept is polled by
//! the check: reqwest's resolving, its TCP with Happy Eyeballs and its TLS, and none of the
//! layers that stand around them, each of which costs every check something.

use std::future::{Future, Pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use hyper::Request;
use hyper::http::Extensions;
use hyper::rt::{Read, Write};
use hyper_util::client::legacy::connect::{Connection, HttpInfo};
use reqwest::{Client, Url};
use tower::{Layer, Service};

use super::super::phase_timings;
use super::bounded::Bound;
use super::{Answer, AskError, BoxError, http1, http2};

/// Connects, asks, and waits for the head of the answer.
type Exchange = Pin<Box<dyn Future<Output = Result<Answer, AskError>> + Send>>;

tokio::task_local! {
    static HANDED: Arc<Mutex<Handed>>;
}

/// What is handed through the client.
enum Handed {
    /// To the connector.
    Request(Box<Request<String>>),
    /// From the connector.
    Exchange(Exchange),
    Nothing,
}

impl Handed {
    fn take(handed: &Mutex<Self>) -> Self {
        // Every change is complete before anything could panic.
        let mut handed = handed.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *handed, Self::Nothing)
    }
}

/// Sends `request`, whose target is absolute, and waits for the head of its answer. The
/// client is told no more than where to connect to.
pub(in super::super) async fn ask(
    client: &Client,
    url: &Url,
    request: Request<String>,
) -> Result<Answer, AskError> {
    let handed = Arc::new(Mutex::new(Handed::Request(Box::new(request))));
    let exchange = {
        let asked = reqwest::Request::new(reqwest::Method::HEAD, url.clone());
        let asking = HANDED.scope(Arc::clone(&handed), client.execute(asked));
        let mut asking = pin!(asking);
        poll_fn(|context| {
            let answered = asking.as_mut().poll(context).is_ready();
            match Handed::take(&handed) {
                Handed::Exchange(exchange) => Poll::Ready(Some(exchange)),
                // It found something wrong before it came to connecting.
                _ if answered => Poll::Ready(None),
                other => {
                    *handed.lock().unwrap_or_else(PoisonError::into_inner) = other;
                    Poll::Pending
                }
            }
        })
        .await
    };
    exchange.ok_or(AskError::Unaskable)?.await
}

/// A layer around the client's connector that hands the connecting to [`ask`].
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Intercept;

impl<S> Layer<S> for Intercept {
    type Service = Intercepted<S>;

    fn layer(&self, inner: S) -> Intercepted<S> {
        Intercepted(inner)
    }
}

/// A connector that never gives its connections to the client.
#[derive(Clone, Debug)]
pub(in super::super) struct Intercepted<S>(S);

impl<S, R> Service<R> for Intercepted<S>
where
    S: Service<R, Error = BoxError>,
    S::Response: Read + Write + Connection + Unpin + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pending<Result<S::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, destination: R) -> Self::Future {
        let keep = |handed: &Arc<Mutex<Handed>>| {
            if let Handed::Request(request) = Handed::take(handed) {
                let exchange = Box::pin(exchange(self.0.call(destination), *request));
                let mut handed = handed.lock().unwrap_or_else(PoisonError::into_inner);
                *handed = Handed::Exchange(exchange);
            }
        };
        // Only `ask` makes requests.
        let _nobody = HANDED.try_with(keep);
        std::future::pending()
    }
}

async fn exchange<T>(
    connecting: impl Future<Output = Result<T, BoxError>>,
    request: Request<String>,
) -> Result<Answer, AskError>
where
    T: Read + Write + Connection + Unpin + Send + 'static,
{
    phase_timings::connect_started();
    let connection = connecting.await.map_err(AskError::Connect)?;
    let connected = connection.connected();
    let mut extras = Extensions::new();
    connected.get_extras(&mut extras);
    let address = extras.get::<HttpInfo>().map(|info| info.remote_addr().ip());
    phase_timings::connected_to(address);
    talk(connection, connected.is_negotiated_h2(), request).await
}

/// Asks on a connection that is there, within the bounds of an answer's head.
pub(in super::super) async fn talk<T>(
    connection: T,
    http2: bool,
    request: Request<String>,
) -> Result<Answer, AskError>
where
    T: Read + Write + Unpin + Send + 'static,
{
    let (bound, connection) = Bound::around(connection);
    if http2 {
        // In a place of its own: the usual answer over HTTP/1 needs far less of it.
        Box::pin(http2::talk(connection, &bound, request)).await
    } else {
        http1::talk(connection, &bound, request).await
    }
}
