//! Slack's incoming webhooks
//! (<https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>).

use serde_json::{Value, json};

use super::address_fields::{HOOK, shown_host, value};
use super::bounded_text::{bounded, escaped};
use super::channel::OutgoingMessage;
use super::channel_entry::ChannelEntry;
use super::hook::{self, HookForm, says_ok};

/// "For best results, limit the number of characters in the text field to 4,000"
/// (<https://docs.slack.dev/reference/methods/chat.postMessage>).
const MOST_TEXT: usize = 4_000;

pub(super) const ENTRY: ChannelEntry = ChannelEntry {
    name: "slack",
    form: value(&HOOK, "an incoming webhook of Slack"),
    shown: |address| shown_host(address, "url"),
    ready: |_| true,
    limit: 2 * MOST_TEXT,
    make: |settings| hook::channel(settings, FORM),
};

/// Errors are words in plain text, such as `no_service`.
const FORM: HookForm = HookForm {
    service: "Slack",
    query: "",
    body,
    taken: says_ok,
    refused: |_| None,
};

fn body(message: &OutgoingMessage) -> Value {
    json!({ "text": text(message), "unfurl_links": false })
}

/// <https://docs.slack.dev/messaging/formatting-message-text#escaping>
fn text(message: &OutgoingMessage) -> String {
    let escapes = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;")];
    let subject = escaped(&message.subject, &escapes).replace('*', "\u{2217}");
    let body = escaped(&message.body, &escapes);
    bounded(&format!("*{subject}*\n{body}"), MOST_TEXT)
}
