//! What is posted to a URL of the owner: every event as JSON, or what a template makes of it;
//! signed if there is a secret.

use std::fmt::Write as _;

use reqwest::header::HeaderName;
use reqwest::{Client, Method};
use ring::hmac;

use crate::domain::{
    AddressFault, AddressField, AddressForm, FieldKind, FieldTexts, WebhookSettings,
};

use super::address_fields::{HOOK, field, line, needed, ranged, shown_host, value_or_table};
use super::body_template;
use super::channel::{Channel, DeliveryFailure, DeliveryFuture, OutgoingMessage, Sent};
use super::channel_entry::ChannelEntry;
use super::event_variables::variables;
use super::http;
use super::settings::Credential;

pub(super) const ENTRY: ChannelEntry = ChannelEntry {
    name: "webhook",
    form: AddressForm {
        check: check_body,
        ..value_or_table(
            &FIELDS,
            "the URL that every event is posted to, as JSON or by a template",
        )
    },
    // The rest of the address is a secret: it is all that it takes to post there.
    shown: |address| shown_host(address, "url"),
    ready: |_| true,
    // What receivers commonly take without a setting of their own.
    limit: 262_144,
    make: |settings| {
        Ok(Box::new(WebhookChannel {
            client: http::client(settings)?,
            webhook: settings.notify.webhook.clone(),
        }))
    },
};

/// The type of bodies where the address names none.
const JSON: &str = "application/json";

const FIELDS: [AddressField; 5] = [
    HOOK[0],
    ranged(
        field(
            "method",
            FieldKind::Text,
            method,
            "the method of the request",
        ),
        "`POST`, `PUT`, `PATCH` or `GET`",
        "POST",
    ),
    ranged(
        field(
            "headers",
            FieldKind::Secrets,
            header,
            "headers of the request, by name",
        ),
        "each a text, `{ env = … }` or `{ file = … }`",
        "",
    ),
    ranged(
        field(
            "content_type",
            FieldKind::Text,
            line,
            "the type of the body",
        ),
        "a media type",
        "application/json",
    ),
    ranged(
        field(
            "body",
            FieldKind::Secret,
            template,
            "the template of the body (Jinja)",
        ),
        "a text, `{ env = … }` or `{ file = … }`",
        "all variables as JSON",
    ),
];

/// Whether a text is a method that a webhook is called by.
fn method(text: &str) -> Result<(), String> {
    if ["POST", "PUT", "PATCH", "GET"].contains(&text) {
        return Ok(());
    }
    Err("expected \"POST\", \"PUT\", \"PATCH\" or \"GET\"".to_owned())
}

/// Headers of the connection and of the body, which are not the user's.
const OWN_HEADERS: [&str; 5] = [
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "connection",
];

/// Whether a text is the name of a header.
fn header(name: &str) -> Result<(), String> {
    let lower = name.to_ascii_lowercase();
    if HeaderName::from_bytes(name.as_bytes()).is_ok() && !OWN_HEADERS.contains(&&*lower) {
        return Ok(());
    }
    Err("expected the name of a header such as \"Authorization\" (the type of the body stands in content_type)".to_owned())
}

/// Any template: whether it is one is seen with the type of the body.
fn template(text: &str) -> Result<(), String> {
    if text.len() > 65_536 {
        return Err("expected a template of at most 64 KiB".to_owned());
    }
    Ok(())
}

/// Whether the template of the body, where there is one, makes a body of every event.
fn check_body(texts: &FieldTexts) -> Result<(), AddressFault> {
    let Some(body) = texts.get("body") else {
        return Ok(());
    };
    let content_type = texts.get("content_type").map_or(JSON, String::as_str);
    body_template::check(body, body_template::is_json(content_type)).map_err(|sentence| {
        AddressFault {
            field: "body",
            sentence,
        }
    })
}

struct WebhookChannel {
    client: Client,
    webhook: WebhookSettings<Credential>,
}

/// The signature: `sha256=` and the HMAC-SHA-256 (RFC 2104) of the body in hexadecimal.
fn signature(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mut text = "sha256=".to_owned();
    for byte in hmac::sign(&key, body).as_ref() {
        // Writing into a string cannot fail.
        let _always = write!(text, "{byte:02x}");
    }
    text
}

impl WebhookChannel {
    async fn send(&self, message: &OutgoingMessage) -> Result<Sent, DeliveryFailure> {
        let to = &message.to;
        let content_type = to.text("content_type").unwrap_or(JSON);
        let variables = variables(message);
        let body = if to.secret("body").is_some() {
            let json = body_template::is_json(content_type);
            let made = body_template::render(needed(to, "body")?, json, &variables);
            made.map_err(|sentence| DeliveryFailure::lasting(&sentence))?
        } else {
            serde_json::Value::Object(variables).to_string()
        };
        let body = body.into_bytes();
        let method = match to.text("method") {
            Some("PUT") => Method::PUT,
            Some("PATCH") => Method::PATCH,
            Some("GET") => Method::GET,
            _ => Method::POST,
        };
        let mut request = self
            .client
            .request(method, needed(to, "url")?)
            .header("Content-Type", content_type)
            .header("Idempotency-Key", &*message.id);
        for (name, secret) in to.secrets("headers") {
            let secret = secret
                .expose()
                .map_err(|why| DeliveryFailure::passing(&why))?;
            request = request.header(&**name, secret);
        }
        if let Some(secret) = &self.webhook.secret {
            let secret = secret
                .expose()
                .map_err(|why| DeliveryFailure::passing(&why))?;
            request = request.header("X-Squirrel-Signature-256", signature(secret, &body));
        }
        let answer = http::ask(request.body(body)).await?;
        if !answer.is_success() {
            return Err(answer.failure(None));
        }
        let said = String::from_utf8_lossy(&answer.body);
        let said = if said.trim().is_empty() {
            "taken"
        } else {
            &said
        };
        Ok(answer.sent(said))
    }
}

impl Channel for WebhookChannel {
    fn deliver<'a>(&'a self, message: &'a OutgoingMessage) -> DeliveryFuture<'a> {
        Box::pin(self.send(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_hmac_of_the_body() {
        // RFC 4231, test case 2.
        assert_eq!(
            signature("Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
