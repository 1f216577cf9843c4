//! The digest: one message in place of many, its outages grouped by what they share.

use serde::Serialize;

use crate::domain::{
    CorrelatedGroup, EventKind, OutageTraits, brief, clean, correlate, message_id, plural,
};
use crate::history::Message;

use super::message::MOST_SUBJECT;
use super::outage_facts::OutageFacts;

/// The most sites that are named in a group; the rest is counted.
const MOST_NAMED: usize = 20;

/// Sites that a group names to programs.
const MOST_IN_GROUP: usize = 200;

/// The most characters of a digest's body.
const MOST_BODY: usize = 6_000;

/// The facts of a digest for programs: what a webhook receives.
#[derive(Serialize)]
struct DigestFacts<'a> {
    id: &'a str,
    event: &'a str,
    owner: &'a str,
    count: usize,
    groups: Vec<DigestGroup<'a>>,
    subject: &'a str,
    outages: &'a [OutageFacts],
    /// Outages that are not listed: the message has a limit.
    omitted: usize,
}

/// Outages that share something, or those that share nothing.
#[derive(Serialize)]
struct DigestGroup<'a> {
    count: usize,
    common: Option<String>,
    sites: Vec<&'a str>,
}

/// The digest of these messages, which are at least two, all to one owner by one channel about
/// the same kind of event.
#[must_use]
pub fn digest(messages: &[Message], limit: usize) -> Message {
    let all: Vec<OutageFacts> = messages.iter().map(OutageFacts::of).collect();
    let failures: Vec<String> = all.iter().map(OutageFacts::failure).collect();
    let traits: Vec<OutageTraits<'_>> = all
        .iter()
        .zip(&failures)
        .map(|(facts, failure)| facts.traits.with(failure))
        .collect();
    let groups = correlate(&traits);
    let first = messages.first();
    let event = all.first().map_or(EventKind::Down, |facts| facts.event);
    let (word, digest_event) = match event {
        EventKind::Recovered => ("UP again", "digest_recovered"),
        EventKind::Reminder => ("Reminder, STILL DOWN", "reminder"),
        EventKind::Escalated => ("NOT ACKNOWLEDGED", "escalated"),
        _ => ("DOWN", "digest_down"),
    };
    // Half of what the channel takes: the other half is for what programs read.
    let most_body = MOST_BODY.min(limit / 2);
    let said = |group: &CorrelatedGroup<'_>| say(group, &failures);
    let subject = match &groups[..] {
        [only] if only.common.is_some() => format!("{word}: {}", said(only)),
        [largest, ..] if largest.common.is_some() => {
            format!(
                "{word}: {}, of them {}",
                plural(messages.len(), "site"),
                said(largest)
            )
        }
        _ => format!("{word}: {}", plural(messages.len(), "site")),
    };
    let subject = clean(&subject, MOST_SUBJECT);
    // Each with the number of sites that it tells of.
    let mut lines = vec![(0, format!("{word}: {}.", plural(messages.len(), "site")))];
    for group in &groups {
        lines.push((0, String::new()));
        let heading = match group.common {
            Some(_) => format!("{}:", said(group)),
            None if groups.len() == 1 => "They share nothing that is known:".to_owned(),
            None => "And besides:".to_owned(),
        };
        lines.push((0, heading));
        for member in group.members.iter().take(MOST_NAMED) {
            let named = line(&all[*member], &failures[*member]);
            lines.push((1, format!("  {named}")));
        }
        let more = group.members.len().saturating_sub(MOST_NAMED);
        if more > 0 {
            lines.push((more, format!("  and {more} more")));
        }
    }
    if let Some(facts) = all.first().filter(|facts| !facts.rule.is_empty()) {
        lines.push((0, format!("\nRule: {}", clean(&facts.rule, 200))));
    }
    let mut body = String::new();
    let mut told = 0;
    for (sites, line) in lines {
        if body.len() + line.len() > most_body {
            let more = messages.len() - told;
            if more > 0 {
                body.push_str(&format!("… and {}\n", plural(more, "more site")));
            }
            break;
        }
        told += sites;
        body.push_str(&line);
        body.push('\n');
    }
    let ids = messages.iter().map(|message| &*message.id);
    let id = message_id(std::iter::once("digest").chain(ids));
    let digest_groups = groups.iter().map(|group| DigestGroup {
        count: group.members.len(),
        common: group.common.map(|common| common.to_string()),
        sites: group
            .members
            .iter()
            .take(MOST_IN_GROUP)
            .map(|member| &*all[*member].site)
            .collect(),
    });
    let listed = fitting(messages, limit / 2);
    let facts = DigestFacts {
        id: &id,
        event: digest_event,
        owner: first.map_or("", |message| &message.owner),
        count: messages.len(),
        groups: digest_groups.collect(),
        subject: &subject,
        outages: &all[..listed],
        omitted: all.len() - listed,
    };
    // Serializing plain fields cannot fail.
    let facts = serde_json::to_string(&facts).unwrap_or_default();
    Message {
        id,
        owner: first
            .map(|message| message.owner.clone())
            .unwrap_or_default(),
        channel: first
            .map(|message| message.channel.clone())
            .unwrap_or_default(),
        site: Box::default(),
        at: messages
            .iter()
            .map(|message| message.at)
            .max()
            .unwrap_or_default(),
        subject: subject.into(),
        body: body.into(),
        facts: facts.into(),
        event: Box::default(),
        batched: false,
        not_before: None,
    }
}

/// How many of the messages, from the first on, have facts of no more than `bytes` in all.
fn fitting(messages: &[Message], bytes: usize) -> usize {
    let mut used = 0;
    let fits = messages.iter().take_while(|message| {
        used += message.facts.len() + 1;
        used <= bytes
    });
    fits.count()
}

/// The same message in one line, for a channel that refused it for its size.
#[must_use]
pub fn shortened(mut message: Message) -> Message {
    let subject = clean(&message.subject, MOST_SUBJECT);
    message.body = format!("{subject}\n").into();
    let whole: serde_json::Value = serde_json::from_str(&message.facts).unwrap_or_default();
    let facts = serde_json::json!({
        "id": message.id, "event": whole["event"], "owner": message.owner,
        "site": whole["site"], "count": whole["count"], "subject": subject, "text": subject,
    });
    message.facts = facts.to_string().into();
    message
}

/// The message with a sentence more at its end, unless `note` is empty.
#[must_use]
pub fn with_note(mut message: Message, note: &str) -> Message {
    if !note.is_empty() {
        message.body = format!("{}{note}\n", message.body).into();
    }
    message
}

/// The words for a group: "14 sites, all on 203.0.113.7: connection refused".
fn say(group: &CorrelatedGroup<'_>, failures: &[String]) -> String {
    let sites = plural(group.members.len(), "site");
    let Some(common) = group.common else {
        return sites;
    };
    let common = clean(&common.to_string(), 80);
    let mut kinds: Vec<&str> = group
        .members
        .iter()
        .map(|member| &*failures[*member])
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    match &kinds[..] {
        [only] if *only != common => format!("{sites}, all {common}: {only}"),
        _ => format!("{sites}, all {common}"),
    }
}

/// The line of one outage: "shop: status 503, since 2023-11-14 22:13:20 +00:00".
fn line(facts: &OutageFacts, failure: &str) -> String {
    let name = clean(&facts.site, 80).replace("=?", "= ?");
    let since = facts.since();
    match facts.duration_s {
        Some(seconds) => {
            let lasted = std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default();
            format!("{name}: down for {}, since {since}", brief(lasted))
        }
        None => format!("{name}: {failure}, since {since}"),
    }
}
