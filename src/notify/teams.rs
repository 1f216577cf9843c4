//! Microsoft Teams: a workflow that posts an Adaptive Card
//! (<https://learn.microsoft.com/en-us/connectors/teams/#microsoft-teams-webhook>). The hooks of
//! Office 365 connectors and their MessageCard are retired.

use serde_json::{Value, json};

use crate::domain::EventKind;

use super::address_fields::{HOOK, shown_host, value};
use super::bounded_text::{MARKDOWN, bounded, escaped};
use super::channel::OutgoingMessage;
use super::channel_entry::ChannelEntry;
use super::event_variables::{kind_of, variables};
use super::hook::{self, HookForm, text_in};

/// A message has 28 KB at most, the card and its escapes included
/// (<https://learn.microsoft.com/en-us/microsoftteams/limits-specifications-teams#chat>).
const MOST_TEXT: usize = 10_000;

pub(super) const ENTRY: ChannelEntry = ChannelEntry {
    name: "teams",
    form: value(&HOOK, "the URL of a workflow of Microsoft Teams"),
    shown: |address| shown_host(address, "url"),
    ready: |_| true,
    limit: 2 * MOST_TEXT,
    make: |settings| hook::channel(settings, FORM),
};

/// A workflow answers 202 without a body: it runs after that. Errors have the form of Azure's
/// APIs.
const FORM: HookForm = HookForm {
    service: "Teams",
    query: "",
    body,
    taken: |answer| (!answer.is_page()).then(|| "taken by the workflow".to_owned()),
    refused: |said| text_in(said.get("error")?, "message"),
};

/// The card (<https://adaptivecards.io/explorer/AdaptiveCard.html>).
fn body(message: &OutgoingMessage) -> Value {
    let colour = match kind_of(&variables(message)) {
        Some(EventKind::Down | EventKind::Reminder | EventKind::Escalated) => "Attention",
        Some(EventKind::Recovered | EventKind::Sighted | EventKind::Watched) => "Good",
        _ => "Warning",
    };
    let title = escaped(&message.subject, &MARKDOWN);
    // A single line break is none in the Markdown of cards.
    let text = bounded(&escaped(&message.body, &MARKDOWN), MOST_TEXT).replace('\n', "\n\n");
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": { "width": "Full" },
                "body": [
                    { "type": "TextBlock", "text": title, "weight": "Bolder", "size": "Medium",
                      "wrap": true, "color": colour },
                    { "type": "TextBlock", "text": text, "wrap": true },
                ],
            },
        }],
    })
}
