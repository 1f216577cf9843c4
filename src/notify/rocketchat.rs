//! Rocket.Chat's incoming webhooks
//! (<https://docs.rocket.chat/docs/integrations#create-a-new-incoming-webhook>).

use serde_json::{Value, json};

use super::address_fields::{HOOK, shown_host, value};
use super::bounded_text::{MARKDOWN, bounded, escaped};
use super::channel::OutgoingMessage;
use super::channel_entry::ChannelEntry;
use super::hook::{self, HookForm, text_in};

/// `Message_MaxAllowedSize` is 5,000 characters where it is not changed
/// (<https://docs.rocket.chat/docs/message>).
const MOST_TEXT: usize = 5_000;

pub(super) const ENTRY: ChannelEntry = ChannelEntry {
    name: "rocketchat",
    form: value(&HOOK, "an incoming webhook of Rocket.Chat"),
    shown: |address| shown_host(address, "url"),
    ready: |_| true,
    limit: 2 * MOST_TEXT,
    make: |settings| hook::channel(settings, FORM),
};

const FORM: HookForm = HookForm {
    service: "Rocket.Chat",
    query: "",
    body,
    taken: |answer| {
        let said = answer.json()?;
        (said["success"] == true).then(|| "taken".to_owned())
    },
    refused: |said| text_in(said, "error"),
};

fn body(message: &OutgoingMessage) -> Value {
    let subject = escaped(&message.subject, &MARKDOWN);
    let body = escaped(&message.body, &MARKDOWN);
    let text = bounded(&format!("*{subject}*\n{body}"), MOST_TEXT);
    json!({ "text": text, "parseUrls": false })
}
