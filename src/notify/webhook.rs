//! JSON posted to a URL of the owner, signed if there is a secret.

use std::fmt::Write as _;

use reqwest::Client;
use ring::hmac;

use crate::domain::WebhookSettings;

use super::channel::{Channel, DeliveryFailure, DeliveryFuture, OutgoingMessage, Sent};
use super::channel_entry::ChannelEntry;
use super::http;
use super::settings::Credential;

pub(super) const ENTRY: ChannelEntry = ChannelEntry {
    name: "webhook",
    address: |owner| Some(owner.webhook.as_ref()?.expose().into()),
    // The rest of the address is a secret: it is all that it takes to post there.
    shown: |owner| {
        let url = owner.webhook.as_ref()?.host_and_path();
        Some(url.split(['/', '?']).next().unwrap_or_default().into())
    },
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
        let body = message.facts.as_bytes().to_vec();
        let mut request = self
            .client
            .post(&*message.to)
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", &*message.id);
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
