//! Telegram's Bot API (<https://core.telegram.org/bots/api#sendmessage>).

use reqwest::Client;
use serde_json::json;

use crate::domain::{AddressField, FieldKind};

use super::address_fields::{field, http_url, line, needed, ranged, required, table};
use super::bounded_text::bounded;
use super::channel::{Channel, DeliveryFailure, DeliveryFuture, OutgoingMessage, Sent};
use super::channel_entry::ChannelEntry;
use super::hook::{judged, text_in};
use super::http;

/// "Text of the message to be sent, 1-4096 characters after entities parsing".
const MOST_TEXT: usize = 4_096;

/// Where bots are served; a server of one's own is another
/// (<https://core.telegram.org/bots/api#using-a-local-bot-api-server>).
const URL: &str = "https://api.telegram.org";

pub(super) const ENTRY: ChannelEntry = ChannelEntry {
    name: "telegram",
    form: table(&FIELDS, "a chat of Telegram, and the bot that writes there"),
    shown: |address| address.text("chat").unwrap_or_default().into(),
    ready: |_| true,
    limit: 2 * MOST_TEXT,
    make: |settings| {
        let client = http::client(settings)?;
        Ok(Box::new(Telegram { client }))
    },
};

const FIELDS: [AddressField; 3] = [
    required(field(
        "token",
        FieldKind::Secret,
        token,
        "the token of the bot",
    )),
    required(ranged(
        field("chat", FieldKind::Text, line, "the chat"),
        "the number of a chat, such as `\"-100123\"`, or `@channel`",
        "",
    )),
    ranged(
        field(
            "url",
            FieldKind::Text,
            http_url,
            "the base URL of the Bot API",
        ),
        "http or https",
        "https://api.telegram.org",
    ),
];

/// Whether a text is a token, which stands in the path of every request.
fn token(text: &str) -> Result<(), String> {
    let known = |c: char| c.is_ascii_alphanumeric() || ":_-".contains(c);
    if !text.trim().is_empty() && text.trim().chars().all(known) {
        return Ok(());
    }
    Err("expected a token such as \"123456:ABC-DEF\"".to_owned())
}

struct Telegram {
    client: Client,
}

impl Telegram {
    async fn send(&self, message: &OutgoingMessage) -> Result<Sent, DeliveryFailure> {
        let to = &message.to;
        let base = to.text("url").unwrap_or(URL).trim_end_matches('/');
        let token = needed(to, "token")?;
        let text = format!("{}\n\n{}", message.subject, message.body);
        let body = json!({
            "chat_id": to.text("chat"),
            "text": bounded(&text, MOST_TEXT),
            "link_preview_options": { "is_disabled": true },
        });
        let request = self
            .client
            .post(format!("{base}/bot{token}/sendMessage"))
            .header("Content-Type", "application/json")
            .body(body.to_string());
        let answer = http::ask(request).await?;
        let taken = |answer: &http::ServerResponse| {
            let said = answer.json().filter(|said| said["ok"] == true)?;
            Some(format!(
                "message {}",
                said["result"]["message_id"].as_i64()?
            ))
        };
        judged(&answer, "Telegram", taken, |said| {
            let moved = said["parameters"]["migrate_to_chat_id"].as_i64();
            let moved = moved.map(|chat| format!(": the chat is now \"{chat}\""));
            let text = text_in(said, "description")?;
            Some(format!("{text}{}", moved.unwrap_or_default()))
        })
    }
}

impl Channel for Telegram {
    fn deliver<'a>(&'a self, message: &'a OutgoingMessage) -> DeliveryFuture<'a> {
        Box::pin(self.send(message))
    }
}
