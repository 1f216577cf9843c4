//! One message in place of many: outages of half a minute, grouped by what they share.

use serde_json::{Value, json};

use crate::domain::{Kin, Traits, clean, kin};
use crate::history::Message;

use super::message::{MOST_SUBJECT, message_id};

/// Sites that are named in a group; the rest is counted.
const MOST_NAMED: usize = 20;

/// Characters of a digest's body: a storm of ten thousand is no novel.
const MOST_BODY: usize = 6_000;

/// What a message says of its outage to programs.
fn facts(message: &Message) -> Value {
    serde_json::from_str(&message.facts).unwrap_or_default()
}

fn text<'a>(facts: &'a Value, key: &str) -> Option<&'a str> {
    facts[key].as_str().filter(|text| !text.is_empty())
}

/// The message that tells of all of these, which are to one owner by one channel about the
/// same kind of event, and at least two.
#[must_use]
pub(super) fn digest(messages: &[Message]) -> Message {
    let all: Vec<Value> = messages.iter().map(facts).collect();
    let failures: Vec<String> = all.iter().map(failure).collect();
    let traits: Vec<Traits<'_>> = all
        .iter()
        .zip(&failures)
        .map(|(facts, failure)| Traits {
            parent: text(facts, "parent"),
            address: text(facts, "address"),
            issuer: text(facts, "issuer"),
            failure,
        })
        .collect();
    let groups = kin(&traits);
    let first = messages.first();
    let recovered = all.first().and_then(|facts| text(facts, "event")) == Some("recovered");
    let word = if recovered { "UP again" } else { "DOWN" };
    let said = |group: &Kin<'_>| say(group, &failures);
    let subject = match &groups[..] {
        [only] if only.common.is_some() => format!("{word}: {}", said(only)),
        [largest, ..] if largest.common.is_some() => {
            format!(
                "{word}: {} sites, of them {}",
                messages.len(),
                said(largest)
            )
        }
        _ => format!("{word}: {} sites", messages.len()),
    };
    let subject = clean(&subject, MOST_SUBJECT);
    let mut lines = vec![format!("{word}: {} sites.", messages.len())];
    for group in &groups {
        lines.push(String::new());
        lines.push(match group.common {
            Some(_) => format!("{}:", said(group)),
            None if groups.len() == 1 => "They share nothing that is known:".to_owned(),
            None => "And besides:".to_owned(),
        });
        for member in group.members.iter().take(MOST_NAMED) {
            lines.push(format!("  {}", line(&all[*member], &failures[*member])));
        }
        let more = group.members.len().saturating_sub(MOST_NAMED);
        if more > 0 {
            lines.push(format!("  and {more} more"));
        }
    }
    if let Some(rule) = all.first().and_then(|facts| text(facts, "rule")) {
        lines.push(format!("\nRule: {}", clean(rule, 200)));
    }
    let mut body = String::new();
    for line in lines {
        if body.len() + line.len() > MOST_BODY {
            body.push_str("…\n");
            break;
        }
        body.push_str(&line);
        body.push('\n');
    }
    let ids: Vec<&str> = std::iter::once("digest")
        .chain(messages.iter().map(|message| &*message.id))
        .collect();
    let id = message_id(&ids);
    let facts = json!({
        "id": id,
        "event": if recovered { "digest_recovered" } else { "digest_down" },
        "owner": first.map(|message| &*message.owner),
        "count": messages.len(),
        "groups": groups.iter().map(|group| json!({
            "common": group.common.map(|common| common.to_string()),
            "sites": group.members.iter().map(|member| &all[*member]["site"]).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "subject": subject,
        "outages": all,
    });
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
        facts: facts.to_string().into(),
        event: Box::default(),
        gathers: false,
        not_before: None,
    }
}

/// "14 sites, all on 203.0.113.7: connection refused".
fn say(group: &Kin<'_>, failures: &[String]) -> String {
    let number = group.members.len();
    let Some(common) = group.common else {
        return format!("{number} sites");
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
        [only] if *only != common => format!("{number} sites, all {common}: {only}"),
        _ => format!("{number} sites, all {common}"),
    }
}

/// The way in which it failed, alike for all that failed alike.
fn failure(facts: &Value) -> String {
    let reason = text(facts, "reason").unwrap_or("unknown");
    match (facts["status"].as_u64(), reason) {
        (Some(status), _) => format!("status {status}"),
        (None, "refused") => "connection refused".to_owned(),
        (None, reason) => reason.to_owned(),
    }
}

fn line(facts: &Value, failure: &str) -> String {
    let name = clean(text(facts, "site").unwrap_or("?"), 80).replace("=?", "= ?");
    let since = text(facts, "since").unwrap_or("?");
    match facts["duration_s"].as_f64() {
        Some(seconds) => format!("{name}: down for {seconds:.0} s, since {since}"),
        None => format!("{name}: {failure}, since {since}"),
    }
}
