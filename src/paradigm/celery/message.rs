//! The envelope of a task: message protocol 2 of Celery in kombu's form for Redis.
//!
//! Sources: <https://docs.celeryq.dev/en/stable/internals/protocol.html> and the messages of
//! Celery 5.7, one of which is in the tests.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::domain::Timestamp;

use super::timestamps;

/// The longest message that is read, in bytes.
pub(super) const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// The longest id or name that is accepted, in bytes.
const MAX_NAME_BYTES: usize = 255;

/// A task to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct OutgoingTask<'a, T> {
    pub(super) task: &'a str,
    pub(super) id: &'a str,
    /// The delivery tag; unique for every sending.
    pub(super) tag: &'a str,
    pub(super) queue: &'a str,
    /// The only argument of the task.
    pub(super) argument: &'a T,
    /// The argument in short, as tools that list the queue show it.
    pub(super) shown: &'a str,
    pub(super) expires: Timestamp,
    pub(super) origin: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Envelope<'a> {
    body: String,
    content_encoding: &'a str,
    content_type: &'a str,
    headers: Headers<'a>,
    properties: Properties<'a>,
}

#[derive(Serialize)]
struct Headers<'a> {
    lang: &'a str,
    task: &'a str,
    id: &'a str,
    root_id: &'a str,
    parent_id: Option<()>,
    group: Option<()>,
    shadow: Option<()>,
    eta: Option<()>,
    expires: String,
    retries: u32,
    timelimit: [Option<()>; 2],
    argsrepr: &'a str,
    kwargsrepr: &'a str,
    origin: &'a str,
}

#[derive(Serialize)]
struct Properties<'a> {
    correlation_id: &'a str,
    reply_to: &'a str,
    delivery_mode: u8,
    priority: u8,
    body_encoding: &'a str,
    delivery_tag: &'a str,
    delivery_info: DeliveryInfo<'a>,
}

#[derive(Serialize)]
struct DeliveryInfo<'a> {
    exchange: &'a str,
    routing_key: &'a str,
}

#[derive(Serialize)]
struct Embed {
    callbacks: Option<()>,
    errbacks: Option<()>,
    chain: Option<()>,
    chord: Option<()>,
}

impl<T: Serialize> OutgoingTask<'_, T> {
    /// The text that is pushed on the queue.
    ///
    /// # Errors
    /// If the argument cannot be written as JSON.
    pub(super) fn encode(&self) -> serde_json::Result<String> {
        let embed = Embed {
            callbacks: None,
            errbacks: None,
            chain: None,
            chord: None,
        };
        let no_keywords = Value::Object(serde_json::Map::new());
        let body = serde_json::to_vec(&([self.argument], no_keywords, embed))?;
        serde_json::to_string(&Envelope {
            body: STANDARD.encode(body),
            content_encoding: "utf-8",
            content_type: "application/json",
            headers: Headers {
                lang: "rust",
                task: self.task,
                id: self.id,
                root_id: self.id,
                parent_id: None,
                group: None,
                shadow: None,
                eta: None,
                expires: timestamps::write(self.expires),
                retries: 0,
                timelimit: [None, None],
                argsrepr: self.shown,
                kwargsrepr: "{}",
                origin: self.origin,
            },
            properties: Properties {
                correlation_id: self.id,
                reply_to: "",
                delivery_mode: 2,
                priority: 0,
                body_encoding: "base64",
                delivery_tag: self.tag,
                delivery_info: DeliveryInfo {
                    exchange: "",
                    routing_key: self.queue,
                },
            },
        })
    }
}

/// A task as a worker receives it.
#[derive(Debug)]
pub(super) struct IncomingTask {
    pub(super) task: String,
    pub(super) id: String,
    pub(super) expires: Option<Timestamp>,
    /// The earliest start (Celery's `eta`); `None`: at once.
    pub(super) eta: Option<Timestamp>,
    pub(super) retries: u32,
    /// The positional arguments, or why they cannot be read, as a clause.
    pub(super) arguments: Result<Vec<Box<RawValue>>, &'static str>,
}

/// Why a message is not a task: it has no id under which an error could be reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PoisonMessage(pub(super) &'static str);

impl fmt::Display for PoisonMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Raw {
    body: Option<Value>,
    content_type: Option<Value>,
    headers: Option<RawHeaders>,
    properties: Option<RawProperties>,
}

#[derive(Deserialize)]
struct RawHeaders {
    task: Option<String>,
    id: Option<String>,
    expires: Option<Value>,
    eta: Option<Value>,
    retries: Option<Value>,
}

#[derive(Deserialize)]
struct RawProperties {
    body_encoding: Option<String>,
    delivery_tag: Option<String>,
    delivery_info: Option<Value>,
}

fn time(value: Option<&Value>) -> Option<Timestamp> {
    timestamps::read(value?.as_str()?)
}

impl IncomingTask {
    /// Reads a message, which any client of the broker may have made.
    ///
    /// # Errors
    /// If it is not a task.
    pub(super) fn read(text: &[u8]) -> Result<Self, PoisonMessage> {
        if text.len() > MAX_MESSAGE_BYTES {
            return Err(PoisonMessage("longer than 1 MiB"));
        }
        let raw: Raw =
            serde_json::from_slice(text).map_err(|_| PoisonMessage("not an envelope"))?;
        let headers = raw.headers.ok_or(PoisonMessage("without headers"))?;
        let properties = raw.properties.ok_or(PoisonMessage("without properties"))?;
        let named = |name: Option<String>, why| {
            name.filter(|name| !name.is_empty() && name.len() <= MAX_NAME_BYTES)
                .ok_or(PoisonMessage(why))
        };
        let id = named(headers.id, "without an id")?;
        let task = named(headers.task, "without a task's name")?;
        named(properties.delivery_tag, "without a delivery tag")?;
        if !properties
            .delivery_info
            .is_some_and(|info| info.is_object())
        {
            return Err(PoisonMessage("without delivery_info"));
        }
        let body = raw.body.ok_or(PoisonMessage("without a body"))?;
        let kind = raw
            .content_type
            .ok_or(PoisonMessage("without a content type"))?;
        let retries = headers.retries.and_then(|retries| retries.as_u64());
        Ok(Self {
            task,
            id,
            expires: time(headers.expires.as_ref()),
            eta: time(headers.eta.as_ref()),
            retries: retries.and_then(|n| n.try_into().ok()).unwrap_or(0),
            arguments: arguments(&body, &kind, properties.body_encoding.as_deref()),
        })
    }
}

fn arguments(
    body: &Value,
    kind: &Value,
    encoding: Option<&str>,
) -> Result<Vec<Box<RawValue>>, &'static str> {
    if kind != "application/json" {
        return Err("its content type is not application/json");
    }
    let text = body.as_str().ok_or("its body is not text")?;
    let decoded;
    let json = match encoding {
        Some("base64") => {
            decoded = STANDARD
                .decode(text)
                .map_err(|_| "its body is not base64")?;
            &decoded[..]
        }
        None | Some("utf-8") => text.as_bytes(),
        Some(_) => return Err("its body is in an unknown encoding"),
    };
    let (arguments, keywords, _embed): (Vec<Box<RawValue>>, Value, Option<Value>) =
        serde_json::from_slice(json)
            .map_err(|_| "its body is not [arguments, keywords, options]")?;
    match keywords {
        Value::Object(keywords) if keywords.is_empty() => Ok(arguments),
        _ => Err("it takes no keyword arguments"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Made by Celery 5.7.0.
    const STOCK: &str = r#"{"body": "W1t7ImEiOiAxfV0sIHt9LCB7ImNhbGxiYWNrcyI6IG51bGwsICJlcnJiYWNrcyI6IG51bGwsICJjaGFpbiI6IG51bGwsICJjaG9yZCI6IG51bGx9XQ==", "content-encoding": "utf-8", "content-type": "application/json", "headers": {"lang": "py", "task": "squirrel.check", "id": "73e4a03c-0792-4024-84aa-d68abfee802f", "shadow": null, "eta": null, "expires": "2026-11-24T23:41:28.229335+00:00", "group": null, "group_index": null, "retries": 0, "timelimit": [null, null], "root_id": "73e4a03c-0792-4024-84aa-d68abfee802f", "parent_id": null, "argsrepr": "[{'a': 1}]", "kwargsrepr": "{}", "origin": "gen29669@vm", "ignore_result": false, "replaced_task_nesting": 0, "stamped_headers": null, "stamps": {}}, "properties": {"correlation_id": "73e4a03c-0792-4024-84aa-d68abfee802f", "reply_to": "e450819d-4479-3736-b64a-9d9911c89fe7", "delivery_mode": 2, "expiration": "300000", "delivery_info": {"exchange": "", "routing_key": "celery"}, "priority": 0, "body_encoding": "base64", "delivery_tag": "e97dad90-9f47-4126-80db-b918b1b5d432"}}"#;

    fn stock() -> Value {
        serde_json::from_str(STOCK).unwrap()
    }

    fn ours() -> String {
        OutgoingTask {
            task: "squirrel.check",
            id: "an-id",
            tag: "a-tag",
            queue: "celery",
            argument: &json!({"a": 1}),
            shown: "a",
            expires: Timestamp::from_micros(1_795_337_535_583_187),
            origin: "squirrel@host",
        }
        .encode()
        .unwrap()
    }

    #[test]
    fn a_message_of_celery_itself_is_read() {
        let incoming = IncomingTask::read(STOCK.as_bytes()).unwrap();
        assert_eq!(incoming.task, "squirrel.check");
        assert_eq!(incoming.id, "73e4a03c-0792-4024-84aa-d68abfee802f");
        assert_eq!(
            incoming.expires,
            timestamps::read("2026-11-24T23:41:28.229335+00:00")
        );
        assert_eq!((incoming.eta, incoming.retries), (None, 0));
        let arguments = incoming.arguments.unwrap();
        assert_eq!(arguments.len(), 1);
        assert_eq!(arguments[0].get(), r#"{"a": 1}"#);
    }

    #[test]
    fn ours_has_every_key_that_celery_needs_and_reads_back() {
        let ours: Value = serde_json::from_str(&ours()).unwrap();
        for key in ["body", "content-encoding", "content-type"] {
            assert_eq!(ours[key].as_str().is_some(), stock()[key].is_string());
        }
        for part in ["headers", "properties"] {
            for (key, value) in ours[part].as_object().unwrap() {
                assert!(stock()[part].get(key).is_some(), "{part}.{key}: {value}");
            }
        }
        // Python writes blanks behind commas; what it means is the same.
        let embed = r#"{"callbacks":null,"errbacks":null,"chain":null,"chord":null}"#;
        let body = format!(r#"[[{{"a":1}}],{{}},{embed}]"#);
        assert_eq!(ours["body"], STANDARD.encode(body));
        let incoming = IncomingTask::read(ours.to_string().as_bytes()).unwrap();
        assert_eq!(incoming.id, "an-id");
        assert_eq!(incoming.arguments.unwrap()[0].get(), r#"{"a":1}"#);
    }

    #[test]
    fn poison_is_told_from_tasks() {
        let without = |path: &[&str]| {
            let mut message = stock();
            let (last, way) = path.split_last().unwrap();
            let mut place = &mut message;
            for key in way {
                place = &mut place[*key];
            }
            place.as_object_mut().unwrap().remove(*last);
            IncomingTask::read(message.to_string().as_bytes()).map(|_| ())
        };
        for (path, why) in [
            (&["body"][..], "without a body"),
            (&["content-type"], "without a content type"),
            (&["headers"], "without headers"),
            (&["headers", "id"], "without an id"),
            (&["headers", "task"], "without a task's name"),
            (&["properties"], "without properties"),
            (&["properties", "delivery_tag"], "without a delivery tag"),
            (&["properties", "delivery_info"], "without delivery_info"),
        ] {
            assert_eq!(without(path), Err(PoisonMessage(why)));
        }
        for rubbish in ["", "hello", "[]", "null", "{}", "{\"headers\":7}", "\u{0}"] {
            assert!(
                IncomingTask::read(rubbish.as_bytes()).is_err(),
                "{rubbish:?}"
            );
        }
        let deep = "[".repeat(MAX_MESSAGE_BYTES / 2);
        assert!(IncomingTask::read(deep.as_bytes()).is_err());
        let giant = " ".repeat(MAX_MESSAGE_BYTES + 1);
        assert_eq!(
            IncomingTask::read(giant.as_bytes()).unwrap_err(),
            PoisonMessage("longer than 1 MiB")
        );
    }

    #[test]
    fn a_body_that_cannot_be_read_leaves_an_id_to_answer_under() {
        for body in ["", "%%%", "W10=", "W1tdLHt9XQ==", "eyJhIjoxfQ=="] {
            let mut message = stock();
            message["body"] = body.into();
            let incoming = IncomingTask::read(message.to_string().as_bytes()).unwrap();
            assert!(incoming.arguments.is_err(), "{body}");
            assert!(!incoming.id.is_empty());
        }
        let mut message = stock();
        message["content-type"] = "application/x-python-serialize".into();
        let incoming = IncomingTask::read(message.to_string().as_bytes()).unwrap();
        assert!(incoming.arguments.unwrap_err().contains("content type"));
    }
}
