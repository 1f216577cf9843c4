//! Google Chat's incoming webhooks
//! (<https://developers.google.com/workspace/chat/quickstart/webhooks>).

use serde_json::{Value, json};

use super::address_fields::{HOOK, shown_host, value};
use super::bounded_text::{bounded, escaped};
use super::channel::OutgoingMessage;
use super::channel_entry::ChannelEntry;
use super::hook::{self, HookForm, text_in};

/// A text has 4,096 characters at most, and a message 32,000 bytes
/// (<https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages>).
const MOST_TEXT: usize = 4_096;

pub(super) const ENTRY: ChannelEntry = ChannelEntry {
    name: "googlechat",
    form: value(&HOOK, "an incoming webhook of Google Chat"),
    shown: |address| shown_host(address, "url"),
    ready: |_| true,
    limit: 2 * MOST_TEXT,
    make: |settings| hook::channel(settings, FORM),
};

/// The answer is the message, whose name is `spaces/…/messages/…`; errors have the form of
/// Google's APIs (<https://google.aip.dev/193>).
const FORM: HookForm = HookForm {
    service: "Google Chat",
    query: "",
    body,
    taken: |answer| {
        let name = text_in(&answer.json()?, "name")?;
        let message = name.rsplit('/').next().unwrap_or_default();
        Some(format!("message {message}"))
    },
    refused: |said| text_in(said.get("error")?, "message"),
};

fn body(message: &OutgoingMessage) -> Value {
    // `<users/all>` is a mention, `<https://…|text>` a link.
    let plain = [('<', "\u{2039}"), ('>', "\u{203a}"), ('*', "\u{2217}")];
    let subject = escaped(&message.subject, &plain);
    let body = escaped(&message.body, &plain);
    json!({ "text": bounded(&format!("*{subject}*\n{body}"), MOST_TEXT) })
}
