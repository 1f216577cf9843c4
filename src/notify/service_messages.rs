//! Messages about the channels themselves: a test, and that a channel fails.

use crate::domain::{Owner, Timestamp};
use crate::history::Message;

use super::channel_entry::ChannelEntry;
use super::message::{MOST_SUBJECT, message_id, safe};
use super::settings::ChannelSettings;
use super::table::channels_of;

/// The message of `squirrel notify test`.
#[must_use]
pub fn test_message(owner: &Owner, entry: &ChannelEntry, at: Timestamp) -> Message {
    let subject = format!(
        "Test: squirrel reaches {} by {}",
        safe(&owner.name, 60),
        entry.name
    );
    let body = format!(
        "This is a test message of UptimeSquirrel for {}, by {}.\nNothing is down.\n",
        safe(&owner.name, 60),
        entry.name
    );
    let id = message_id(&["test", &owner.name, entry.name, &at.as_micros().to_string()]);
    note(id, owner, entry, at, "test", subject, body)
}

/// The prefix of the ids of messages about channels; a failure of one of these leads to no
/// other.
pub(super) const ABOUT_CHANNELS: &str = "ch-";

/// The messages to an owner's other channels that one of them fails.
#[must_use]
pub fn channel_fails(
    settings: &ChannelSettings,
    owner: &Owner,
    failing: &Message,
    answer: &str,
    at: Timestamp,
) -> Vec<Message> {
    let others = channels_of(settings, owner).filter(|entry| entry.name != &*failing.channel);
    others
        .map(|entry| {
            let digest = message_id(&["channel", &failing.id, entry.name]);
            let subject = format!(
                "squirrel cannot reach {} by {}",
                safe(&owner.name, 60),
                failing.channel
            );
            let body = format!(
                "A message to {} by {} could not be delivered.\n\
                 Answer: {}\nMessage: {}\n",
                safe(&owner.name, 60),
                failing.channel,
                safe(answer, 300),
                safe(&failing.subject, MOST_SUBJECT)
            );
            let id = format!("{ABOUT_CHANNELS}{digest}").into();
            note(id, owner, entry, at, "channel_failed", subject, body)
        })
        .collect()
}

/// A message that is about no site.
pub(super) fn note(
    id: Box<str>,
    owner: &Owner,
    entry: &ChannelEntry,
    at: Timestamp,
    event: &str,
    subject: String,
    body: String,
) -> Message {
    let facts = serde_json::json!({
        "id": id, "event": event, "owner": owner.name, "channel": entry.name,
        "subject": subject, "text": body,
    });
    Message {
        id,
        owner: owner.name.clone(),
        channel: entry.name.into(),
        site: Box::default(),
        at,
        subject: subject.into(),
        body: body.into(),
        facts: facts.to_string().into(),
        event: event.into(),
        batched: false,
        not_before: None,
    }
}
