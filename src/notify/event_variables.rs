//! The variables of an event: one structure, the same for every event, which templates see and
//! which is the JSON that a webhook gets.

use serde_json::{Map, Value, json};

use crate::domain::{EventKind, clean};

use super::channel::OutgoingMessage;

/// The most characters of `text`.
const MOST_TEXT: usize = 1_000;

/// The variables that stand in every event, and their meaning; one that does not apply is null,
/// and a list is empty then.
pub const VARIABLES: [(&str, &str); 22] = [
    ("event", "the kind of event, one of the words above"),
    (
        "id",
        "the identifier of the message, the same at every attempt: 32 hexadecimal digits",
    ),
    (
        "text",
        "the whole message in one line of at most 1,000 characters",
    ),
    (
        "subject",
        "what happened, in one line of at most 150 characters",
    ),
    ("body", "the whole message in lines"),
    (
        "site",
        "the name of the site; null where there are several or none",
    ),
    (
        "sites",
        "the sites, each an object with `site`, `url`, `reason` and `since`",
    ),
    (
        "count",
        "the number of sites; greater than the length of `sites` where that was cut",
    ),
    ("url", "the URL of the site, its password masked"),
    ("owner", "the name of the owner who is told"),
    (
        "since",
        "the time of the first failure, or when the state began; RFC 3339",
    ),
    (
        "until",
        "the time at which it ended, or at which a certificate will; RFC 3339",
    ),
    ("duration_s", "seconds from `since` to the event"),
    (
        "reason",
        "the reason of the first failure, a word such as `timeout` or `status`",
    ),
    ("status", "the HTTP status of the first failure, a number"),
    (
        "error",
        "the first failure in one sentence of at most 400 characters",
    ),
    (
        "causes",
        "all ways in which the site failed, each an object with `reason`, `status`, `error` and `looks` (a number)",
    ),
    ("rule", "the rule that decided, in words"),
    ("address", "the IP address that was asked last"),
    ("parent", "the site that this one depends on"),
    (
        "locations",
        "the locations that saw it; empty where there is one alone",
    ),
    (
        "acknowledged",
        "who knows of the outage: an object with `at` and `note`",
    ),
];

/// The variables of the event that a message tells of, and what else is known of it.
pub(super) fn variables(message: &OutgoingMessage) -> Map<String, Value> {
    let mut facts: Map<String, Value> = serde_json::from_str(&message.facts).unwrap_or_default();
    let sites = match facts.get("outages").and_then(Value::as_array) {
        Some(outages) => outages.iter().map(one_site).collect(),
        None if facts.get("site").is_some_and(Value::is_string) => {
            vec![one_site(&Value::Object(facts.clone()))]
        }
        None => Vec::new(),
    };
    let count = sites.len();
    let text = one_line(&message.body);
    facts.insert("id".to_owned(), json!(message.id));
    facts.insert("text".to_owned(), json!(text));
    facts.insert("subject".to_owned(), json!(message.subject));
    facts.insert("body".to_owned(), json!(message.body));
    facts.insert("sites".to_owned(), Value::Array(sites));
    for (name, _) in VARIABLES {
        let missing = match name {
            "causes" | "locations" => json!([]),
            "count" => json!(count),
            _ => Value::Null,
        };
        let value = facts.entry(name).or_insert(Value::Null);
        if value.is_null() {
            *value = missing;
        }
    }
    facts
}

fn one_site(facts: &Value) -> Value {
    json!({
        "site": facts["site"], "url": facts["url"],
        "reason": facts["reason"], "since": facts["since"],
    })
}

/// The lines of a text in one.
pub(super) fn one_line(body: &str) -> String {
    let lines: Vec<&str> = body
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    clean(&lines.join("; "), MOST_TEXT)
}

/// The kind of event that a message tells of; that of a digest is that of its parts.
pub(super) fn kind_of(variables: &Map<String, Value>) -> Option<EventKind> {
    let word = variables.get("event")?.as_str()?;
    EventKind::of_word(word.strip_prefix("digest_").unwrap_or(word))
}

/// A variable that is a text; empty where it is none.
pub(super) fn text_of<'a>(variables: &'a Map<String, Value>, name: &str) -> &'a str {
    variables
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}
