//! Discord's webhooks (<https://docs.discord.com/developers/resources/webhook#execute-webhook>).

use serde_json::{Value, json};

use crate::domain::EventKind;

use super::address_fields::{HOOK, shown_host, value};
use super::bounded_text::{MARKDOWN, bounded, escaped};
use super::channel::OutgoingMessage;
use super::channel_entry::ChannelEntry;
use super::event_variables::{kind_of, variables};
use super::hook::{self, HookForm, text_in};

/// A description has 4,096 characters at most, a title 256
/// (<https://docs.discord.com/developers/resources/message#embed-object-embed-limits>).
const MOST_TEXT: usize = 4_096;
const MOST_TITLE: usize = 256;

pub(super) const ENTRY: ChannelEntry = ChannelEntry {
    name: "discord",
    form: value(&HOOK, "a webhook of Discord"),
    shown: |address| shown_host(address, "url"),
    ready: |_| true,
    limit: 2 * MOST_TEXT,
    make: |settings| hook::channel(settings, FORM),
};

const FORM: HookForm = HookForm {
    service: "Discord",
    // The answer is the message; without it there is none.
    query: "wait=true",
    body,
    taken: |answer| Some(format!("message {}", text_in(&answer.json()?, "id")?)),
    refused: |said| {
        let code = said.get("code").and_then(Value::as_i64);
        let code = code.map_or_else(String::new, |code| format!(" (error {code})"));
        Some(format!("{}{code}", text_in(said, "message")?))
    },
};

/// The colour of an event: red, green or yellow.
const fn colour(kind: Option<EventKind>) -> u32 {
    match kind {
        Some(EventKind::Down | EventKind::Reminder | EventKind::Escalated) => 0x00d9_3025,
        Some(EventKind::Recovered | EventKind::Sighted | EventKind::Watched) => 0x0018_8038,
        _ => 0x00f9_ab00,
    }
}

fn body(message: &OutgoingMessage) -> Value {
    let title = escaped(&message.subject, &MARKDOWN);
    let description = escaped(&message.body, &MARKDOWN);
    json!({
        "embeds": [{
            "title": bounded(&title, MOST_TITLE),
            "description": bounded(&description, MOST_TEXT),
            "color": colour(kind_of(&variables(message))),
        }],
        "allowed_mentions": { "parse": [] },
    })
}
