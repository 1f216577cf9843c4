//! The prober: the one `async fn` that checks a site, under every paradigm.

use std::borrow::Cow;
use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, HOST, HeaderMap, HeaderValue, LOCATION, USER_AGENT,
};
use hyper::{Request, StatusCode, Uri};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use url::Position;

use crate::domain::{CheckObserver, CheckResult, CheckSpec, Method, RanOn, Reason};

use super::body;
use super::classify::{self, Failure};
use super::exchange::{self, Answer, AskError, Intercept};
use super::fake::{FakeOutcome, FakeProbe};
use super::request_log::RequestLog;
use super::resolve::Resolver;
use super::shared::Shared;
use super::verdict::{self, Start};
use super::workload::WorkloadRunner;

/// Checks sites. Belongs to the runtime that polls its checks.
#[derive(Debug)]
pub struct Prober(Inner);

#[derive(Debug)]
enum Inner {
    Http(Http),
    Fake(Arc<FakeProbe>),
    Workload(WorkloadRunner),
}

#[derive(Debug)]
struct Http {
    shared: Shared,
    resolver: Resolver,
    /// One client for each timeout in use, because the time that one of several addresses
    /// gets to connect is the client's setting.
    clients: Mutex<HashMap<Duration, Client>>,
}

impl Prober {
    pub(super) fn http(shared: &Shared) -> Self {
        Self(Inner::Http(Http {
            shared: shared.clone(),
            resolver: Resolver::new(shared.resolver()),
            clients: Mutex::new(HashMap::new()),
        }))
    }

    pub(super) const fn fake(fake: Arc<FakeProbe>) -> Self {
        Self(Inner::Fake(fake))
    }

    pub(super) const fn workload(runner: WorkloadRunner) -> Self {
        Self(Inner::Workload(runner))
    }

    /// Checks a site within its timeout. `observer` receives the progress. `who` names the
    /// thread; it is called at the end, on the thread that polled the last step.
    pub async fn check(
        &self,
        start: Start,
        spec: &CheckSpec,
        observer: Option<Arc<dyn CheckObserver>>,
        who: impl FnOnce() -> RanOn,
    ) -> CheckResult {
        let began = Instant::now();
        let mut log = RequestLog::new(spec, observer.clone());
        let judged = match &self.0 {
            Inner::Workload(runner) => runner.play(spec, observer.as_deref()).await,
            Inner::Http(http) => http.check(spec, began, &mut log).await,
            Inner::Fake(fake) => match fake.play(start.job, spec).await {
                FakeOutcome::Up(status) => {
                    log.status = Some(status);
                    Ok(())
                }
                FakeOutcome::Fails(reason) => Err(Failure::new(reason, "as the fake says")),
            },
        };
        verdict::result(start, spec, log, judged, began.elapsed(), who())
    }
}

impl Http {
    fn client(&self, timeout: Duration) -> Result<Client, Failure> {
        // A list that gives every site a timeout of its own shares the nearest of these.
        const MOST: usize = 32;
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&timeout) {
            return Ok(client.clone());
        }
        if clients.len() >= MOST
            && let Some((_, client)) = clients
                .iter()
                .min_by_key(|(known, _)| known.abs_diff(timeout))
        {
            return Ok(client.clone());
        }
        let client = Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .redirect(Policy::none())
            .tls_backend_preconfigured(rustls::ClientConfig::clone(&self.shared.tls))
            .dns_resolver(self.resolver.clone())
            .connector_layer(Intercept)
            // The first of several addresses must not use the whole time up; each gets its
            // share of this.
            .connect_timeout(timeout)
            // A connection that lives for one request needs none of these; each is a call
            // into the kernel.
            .tcp_keepalive(None)
            .tcp_keepalive_interval(None)
            .tcp_keepalive_retries(None)
            .tcp_user_timeout(None::<Duration>)
            // Said to the kernel once; otherwise TLS sets it for its handshake and takes it
            // back afterwards.
            .tcp_nodelay(true)
            .build()
            .map_err(|error| Failure::new(Reason::Internal, format!("no HTTP client: {error}")))?;
        clients.insert(timeout, client.clone());
        Ok(client)
    }

    async fn check(
        &self,
        spec: &CheckSpec,
        began: Instant,
        log: &mut RequestLog,
    ) -> Result<(), Failure> {
        let phase_timings = Arc::clone(&log.phase_timings);
        let walked = {
            // Pinned here, or every layer around it would move it, and keep room for it.
            let walk = pin!(self.walk(spec, log));
            let walk = phase_timings.during(walk);
            tokio::time::timeout_at((began + spec.timeout).into(), walk).await
        };
        walked.unwrap_or_else(|_elapsed| {
            let failure = classify::out_of_time(phase_timings.lock().current(), spec.timeout);
            log.end_request(None, &failure.error);
            Err(failure)
        })
    }

    /// Request after request until one decides.
    async fn walk(&self, spec: &CheckSpec, log: &mut RequestLog) -> Result<(), Failure> {
        let client = self.client(spec.timeout)?;
        let url = spec.url.parsed();
        let mut url = url
            .map(Cow::Borrowed)
            .ok_or_else(|| Failure::new(Reason::Internal, "the URL cannot be read"))?;
        log.method = match spec.contains {
            Some(_) => Method::Get,
            None => Method::Head,
        };
        let mut shown = RequestLog::shown(&spec.url);
        loop {
            log.begin_request(&shown);
            let answer = match send(&client, &url, log.method, spec).await {
                Ok(answer) => answer,
                Err(error) => {
                    let secure = url.scheme() == "https";
                    let failure = classify::request(&error, &log.phase_timings.lock(), secure);
                    log.end_request(None, &failure.error);
                    if log.method == Method::Head && failure.may_be_about_head {
                        log.ask_again_by_get();
                        continue;
                    }
                    return Err(failure);
                }
            };
            log.phase_timings.answered();
            let status = answer.status();
            log.status = Some(status.as_u16());
            if log.method == Method::Head
                && matches!(
                    status,
                    StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED
                )
            {
                log.end_request(Some(status.as_u16()), "HEAD is refused: asked by GET");
                log.ask_again_by_get();
                continue;
            }
            if leads_on(status, spec) {
                let next = next_url(&url, &answer);
                let note = match &next {
                    Ok(next) => {
                        shown = RequestLog::shown(&next.clone().into());
                        format!("{status} to {shown}")
                    }
                    Err(failure) => failure.error.clone(),
                };
                log.end_request(Some(status.as_u16()), &note);
                url = Cow::Owned(next?);
                if log.redirects == spec.max_redirects {
                    return Err(classify::too_many_redirects(spec.max_redirects));
                }
                log.redirects += 1;
                continue;
            }
            let judged = judge(spec, status, answer).await;
            let note = match &judged {
                Ok(()) => format!("answered {status}"),
                Err(failure) => failure.error.clone(),
            };
            log.end_request(Some(status.as_u16()), &note);
            return judged;
        }
    }
}

async fn send(
    client: &Client,
    url: &Url,
    method: Method,
    spec: &CheckSpec,
) -> Result<Answer, AskError> {
    let method = match method {
        Method::Head => reqwest::Method::HEAD,
        Method::Get => reqwest::Method::GET,
    };
    let request = request(client, url, method, spec).ok_or(AskError::Unaskable)?;
    exchange::ask(client, url, request).await
}

/// The request with an absolute target, as it stands before the protocol is known; `None` if
/// the URL cannot be asked for.
fn request(
    client: &Client,
    url: &Url,
    method: reqwest::Method,
    spec: &CheckSpec,
) -> Option<Request<String>> {
    let mut request = Request::new(String::new());
    *request.method_mut() = method;
    let mut headers = HeaderMap::with_capacity(5);
    let uri = if url.username().is_empty() && url.password().is_none() {
        target(url)?
    } else {
        // The client makes a header of the name and the password, and a URL without them.
        let built = client.head(url.clone()).build().ok()?;
        headers.extend(built.headers().clone());
        target(built.url())?
    };
    let authority = uri.authority()?.as_str();
    headers.insert(HOST, HeaderValue::from_str(authority).ok()?);
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    if let Ok(agent) = HeaderValue::from_str(&spec.user_agent) {
        headers.insert(USER_AGENT, agent);
    }
    if spec.contains.is_some() {
        // A body that is searched is wanted as it is, which keeps bombs out as well.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    Some(request)
}

fn target(url: &Url) -> Option<Uri> {
    Uri::try_from(&url[..Position::AfterQuery]).ok()
}

/// Whether the answer is a redirect to follow: one that the owner did not name as expected.
pub(super) fn leads_on(status: StatusCode, spec: &CheckSpec) -> bool {
    let named = spec.expect_status.is_named() && spec.expect_status.contains(status.as_u16());
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) && !named
}

pub(super) fn next_url(url: &Url, answer: &Answer) -> Result<Url, Failure> {
    let status = answer.status();
    let nowhere = |why: &str| {
        Failure::new(
            Reason::Redirect,
            format!("answered {status}, a redirect {why}"),
        )
    };
    let location = answer
        .headers()
        .get(LOCATION)
        .ok_or_else(|| nowhere("without saying where to go"))?;
    let location = std::str::from_utf8(location.as_bytes())
        .map_err(|_| nowhere("with a location that is not text"))?;
    let mut next = url
        .join(location)
        .map_err(|_| nowhere("with a location that is not a URL"))?;
    if next.origin() == url.origin() && next.username().is_empty() && next.password().is_none() {
        // The credentials go to the same origin only.
        let _no_host = next.set_username(url.username());
        let _no_host = next.set_password(url.password());
    }
    if !matches!(next.scheme(), "http" | "https") {
        return Err(nowhere(&format!(
            "to a {}: address, which is not followed",
            next.scheme()
        )));
    }
    Ok(next)
}

pub(super) async fn judge(
    spec: &CheckSpec,
    status: StatusCode,
    answer: Answer,
) -> Result<(), Failure> {
    if !spec.expect_status.contains(status.as_u16()) {
        return Err(classify::bad_status(status, &spec.expect_status));
    }
    let Some(text) = &spec.contains else {
        return Ok(());
    };
    let encoding = answer
        .headers()
        .get(CONTENT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .filter(|encoding| !encoding.eq_ignore_ascii_case("identity"))
        .map(str::to_owned);
    body::must_contain(answer, text, encoding.as_deref()).await
}
