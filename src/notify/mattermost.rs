//! Mattermost's incoming webhooks
//! (<https://developers.mattermost.com/integrate/webhooks/incoming/>).

use serde_json::{Value, json};

use super::address_fields::{HOOK, shown_host, value};
use super::bounded_text::{MARKDOWN, bounded, escaped};
use super::channel::OutgoingMessage;
use super::channel_entry::ChannelEntry;
use super::hook::{self, HookForm, says_ok, text_in};

/// A post has 16,383 characters at most
/// (<https://docs.mattermost.com/collaborate/message-limits.html>); nobody reads more than this.
const MOST_TEXT: usize = 8_000;

pub(super) const ENTRY: ChannelEntry = ChannelEntry {
    name: "mattermost",
    form: value(&HOOK, "an incoming webhook of Mattermost"),
    shown: |address| shown_host(address, "url"),
    ready: |_| true,
    limit: 2 * MOST_TEXT,
    make: |settings| hook::channel(settings, FORM),
};

const FORM: HookForm = HookForm {
    service: "Mattermost",
    query: "",
    body,
    taken: says_ok,
    refused: |said| text_in(said, "message"),
};

fn body(message: &OutgoingMessage) -> Value {
    let subject = escaped(&message.subject, &MARKDOWN);
    let body = escaped(&message.body, &MARKDOWN);
    json!({ "text": bounded(&format!("**{subject}**\n{body}"), MOST_TEXT) })
}
