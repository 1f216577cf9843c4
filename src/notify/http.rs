//! The HTTP of channels: one client, bounded responses, and the meaning of a status.

use std::time::{Duration, SystemTime};

use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode};

use crate::domain::clean;

use super::channel::{DeliveryFailure, Sent};
use super::channel_entry::ChannelError;
use super::plain_error::plain_error;
use super::server_certificate::ServerTrust;
use super::settings::ChannelSettings;

/// The most bytes of a response that are read.
const MOST_ANSWER: usize = 64 * 1024;

/// How long the body of a response is waited for: its status has come, and decides.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// The most characters of a response that are shown.
const MOST_SHOWN: usize = 300;

/// A client that trusts the certificates of the system and of `ca_file`.
pub(super) fn client(settings: &ChannelSettings) -> Result<Client, ChannelError> {
    let tls = ServerTrust::new(settings)?.client()?;
    Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .user_agent(concat!("UptimeSquirrel/", env!("CARGO_PKG_VERSION")))
        .pool_max_idle_per_host(1)
        .pool_idle_timeout(Duration::from_secs(30))
        .tls_backend_preconfigured(tls)
        .build()
        .map_err(|error| ChannelError::Tls(plain_error(&error)))
}

/// The response of a channel's server.
pub(super) struct ServerResponse {
    status: StatusCode,
    retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
    /// The body did not end in time, or is larger than what is read of it.
    cut: bool,
}

/// Sends a request and reads the response: of its body up to [`MOST_ANSWER`] bytes, for
/// [`BODY_TIMEOUT`].
pub(super) async fn ask(request: RequestBuilder) -> Result<ServerResponse, DeliveryFailure> {
    let mut response = request
        .send()
        .await
        .map_err(|error| DeliveryFailure::passing(&plain_error(&error.without_url())))?;
    let mut answer = ServerResponse {
        status: response.status(),
        retry_after: retry_after(&response, SystemTime::now()),
        body: Vec::new(),
        cut: true,
    };
    let body = read_body(&mut response, &mut answer.body);
    if let Ok(is_whole) = tokio::time::timeout(BODY_TIMEOUT, body).await {
        answer.cut = !is_whole;
    }
    Ok(answer)
}

/// Reads the body of a response; whether it came to its end.
async fn read_body(response: &mut Response, body: &mut Vec<u8>) -> bool {
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = MOST_ANSWER - body.len();
                body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if chunk.len() > room {
                    return false;
                }
            }
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

impl ServerResponse {
    /// Whether the server accepted the message.
    pub(super) fn is_success(&self) -> bool {
        self.status.is_success()
    }

    /// A success whose body, as far as it came, may be the beginning of a JSON object: the
    /// message was taken, and is not sent again because the body does not end.
    pub(super) fn is_cut(&self) -> bool {
        let first = self.body.iter().find(|byte| !byte.is_ascii_whitespace());
        self.cut && self.is_success() && first.is_none_or(|byte| *byte == b'{')
    }

    /// The success, with what the server said.
    pub(super) fn sent(&self, said: &str) -> Sent {
        Sent(clean(&format!("{}: {said}", self.status.as_u16()), MOST_SHOWN).into())
    }

    /// The body as JSON, where it is that.
    pub(super) fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Whether the body is a page for people: another server answered.
    pub(super) fn is_page(&self) -> bool {
        page_title(&String::from_utf8_lossy(&self.body)).is_some()
    }

    /// The failure that a response without success means.
    pub(super) fn failure(&self, said: Option<&str>) -> DeliveryFailure {
        let status = self.status.as_u16();
        let text = String::from_utf8_lossy(&self.body);
        let text = page_title(&text).unwrap_or(&text);
        let said = clean(said.unwrap_or(text), MOST_SHOWN);
        let answer = if said.is_empty() {
            format!("{}, without a text", self.status)
        } else if said.starts_with(self.status.as_str()) {
            said
        } else {
            format!("{status}: {said}")
        };
        // A credential or a proxy can be mended; a wrong request stays wrong.
        let passing = matches!(status, 401 | 403 | 407 | 408 | 421 | 425 | 429);
        DeliveryFailure {
            answer: crate::domain::sentence(&answer),
            lasting: self.status.is_client_error() && !passing,
            too_large: status == 413,
            retry_after: self.retry_after.or_else(|| pause_in(&self.json()?)),
        }
    }

    /// The failure of a success whose body is not what the service documents: another server
    /// answered.
    pub(super) fn garbage(&self, service: &str) -> DeliveryFailure {
        let shown = clean(&String::from_utf8_lossy(&self.body), 80);
        DeliveryFailure::passing(&format!(
            "{}, but this is no response of {service}: \"{shown}\"",
            self.status.as_u16()
        ))
    }
}

/// `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date. Discord's header is in
/// milliseconds in its oldest API and in seconds since; what stands beside it is in seconds always
/// (<https://docs.discord.com/developers/topics/rate-limits#header-format>).
fn retry_after(response: &Response, now: SystemTime) -> Option<Duration> {
    let header = |name: &str| response.headers().get(name)?.to_str().ok().map(str::trim);
    if let Some(pause) = header("X-RateLimit-Reset-After").and_then(seconds) {
        return Some(pause);
    }
    let text = header(RETRY_AFTER.as_str())?;
    if let Some(pause) = seconds(text) {
        return Some(pause);
    }
    let date = DateTimeParser::new().parse_timestamp(text).ok()?;
    SystemTime::from(date).duration_since(now).ok()
}

/// Whole or broken seconds.
fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

/// The pause that the body of a refusal asks for: Discord's `retry_after` and Telegram's
/// `parameters.retry_after` in seconds, Matrix's `retry_after_ms` in milliseconds.
fn pause_in(said: &serde_json::Value) -> Option<Duration> {
    let number = |value: &serde_json::Value| value.as_f64();
    if let Some(milliseconds) = number(&said["retry_after_ms"]) {
        return Duration::try_from_secs_f64(milliseconds / 1_000.0).ok();
    }
    let pause = number(&said["retry_after"]).or_else(|| number(&said["parameters"]["retry_after"]));
    Duration::try_from_secs_f64(pause?).ok()
}

/// The title of a page in HTML, which a proxy or another server sent; empty
/// where it has none. `None` where the text is no HTML.
fn page_title(text: &str) -> Option<&str> {
    // Of the same length, so that places in one are places in the other.
    let lower = text.to_ascii_lowercase();
    let start = lower.trim_start();
    if !start.starts_with("<!doctype html") && !start.starts_with("<html") {
        return None;
    }
    let title = || {
        let tag = lower.find("<title")?;
        let begin = tag + lower[tag..].find('>')? + 1;
        let end = begin + lower[begin..].find('<')?;
        Some(text[begin..end].trim())
    };
    Some(title().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_read_in_the_unit_of_each_service() {
        let pause = |text: &str| pause_in(&serde_json::from_str(text).unwrap());
        let of = |milliseconds| Some(Duration::from_millis(milliseconds));
        assert_eq!(pause(r#"{"retry_after": 0.65, "global": false}"#), of(650));
        assert_eq!(
            pause(r#"{"ok": false, "parameters": {"retry_after": 7}}"#),
            of(7_000)
        );
        assert_eq!(
            pause(r#"{"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 2000}"#),
            of(2_000)
        );
        for none in [
            "{}",
            "[]",
            r#"{"retry_after": -1}"#,
            r#"{"retry_after": "soon"}"#,
        ] {
            assert_eq!(pause(none), None, "{none}");
        }
        assert_eq!(seconds("64.5"), of(64_500));
        assert_eq!(
            (seconds("-1"), seconds("inf"), seconds("x")),
            (None, None, None)
        );
    }

    #[test]
    fn of_a_page_the_title_is_said() {
        let nginx =
            "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502";
        assert_eq!(page_title(nginx), Some("502 Bad Gateway"));
        let upper = "\n<!DOCTYPE HTML><TITLE lang=de>Gr\u{fc}\u{df}e \u{130}</TITLE>";
        assert_eq!(page_title(upper), Some("Gr\u{fc}\u{df}e \u{130}"));
        for cut in ["<html><title", "<html><title>502 Bad", "<html><body>no"] {
            assert_eq!(page_title(cut), Some(""), "{cut}");
        }
        assert_eq!(page_title("{\"error\": \"<html>\"}"), None);
        assert_eq!(page_title("no such hook"), None);
    }
}
