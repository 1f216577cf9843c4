//! The digest: one message in place of many, its outages grouped by what they share.

use serde::Serialize;

use crate::domain::{EventKind, Kin, Traits, clean, kin};
use crate::history::Message;

use super::message::{MOST_SUBJECT, message_id};
use super::outage_facts::OutageFacts;

/// The most sites that are named in a group; the rest is counted.
const MOST_NAMED: usize = 20;

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
}

/// Outages that share something, or those that share nothing.
#[derive(Serialize)]
struct DigestGroup<'a> {
    common: Option<String>,
    sites: Vec<&'a str>,
}

/// The digest of these messages, which are at least two, all to one owner by one channel about
/// the same kind of event.
#[must_use]
pub(super) fn digest(messages: &[Message]) -> Message {
    let all: Vec<OutageFacts> = messages.iter().map(OutageFacts::of).collect();
    let failures: Vec<String> = all.iter().map(OutageFacts::failure).collect();
    let traits: Vec<Traits<'_>> = all
        .iter()
        .zip(&failures)
        .map(|(facts, failure)| facts.traits.with(failure))
        .collect();
    let groups = kin(&traits);
    let first = messages.first();
    let recovered = all
        .first()
        .is_some_and(|facts| facts.event == EventKind::Recovered);
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
    if let Some(facts) = all.first().filter(|facts| !facts.rule.is_empty()) {
        lines.push(format!("\nRule: {}", clean(&facts.rule, 200)));
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
    let digest_groups = groups.iter().map(|group| DigestGroup {
        common: group.common.map(|common| common.to_string()),
        sites: group
            .members
            .iter()
            .map(|member| &*all[*member].site)
            .collect(),
    });
    let facts = DigestFacts {
        id: &id,
        event: if recovered {
            "digest_recovered"
        } else {
            "digest_down"
        },
        owner: first.map_or("", |message| &message.owner),
        count: messages.len(),
        groups: digest_groups.collect(),
        subject: &subject,
        outages: &all,
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

/// The words for a group: "14 sites, all on 203.0.113.7: connection refused".
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

/// The line of one outage: "shop: status 503, since 2023-11-14T22:13:20.000+00:00".
fn line(facts: &OutageFacts, failure: &str) -> String {
    let name = clean(&facts.site, 80).replace("=?", "= ?");
    let since = &facts.since;
    match facts.duration_s {
        Some(seconds) => format!("{name}: down for {seconds:.0} s, since {since}"),
        None => format!("{name}: {failure}, since {since}"),
    }
}
