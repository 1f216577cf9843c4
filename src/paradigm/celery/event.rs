//! Events of workers and tasks, and the commands and replies of remote control, in the form of
//! kombu, Celery's messaging library.
//!
//! Source: <https://docs.celeryq.dev/en/stable/userguide/monitoring.html#event-reference>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The channel of an event: `worker-online` is published on `/0.celeryev/worker.online`
/// of database 0.
pub(super) fn channel(database: i64, routing_key: &str) -> String {
    format!("/{database}.celeryev/{routing_key}")
}

/// The channel of the commands of remote control.
pub(super) fn control_channel(database: i64) -> String {
    format!("/{database}.celery.pidbox")
}

/// The envelope of kombu around `body`, for every message but tasks.
fn wrap(body: &Value, headers: &Value, exchange: &str, routing_key: &str) -> String {
    json!({
        "body": STANDARD.encode(body.to_string()),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": headers,
        "properties": {
            "delivery_mode": 1,
            "delivery_info": {"exchange": exchange, "routing_key": routing_key},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": Uuid::new_v4().to_string(),
        },
    })
    .to_string()
}

/// The message of one event, or of a list of events.
pub(super) fn event(body: &Value, node: &str, routing_key: &str) -> String {
    wrap(body, &json!({"hostname": node}), "celeryev", routing_key)
}

/// The message of the reply of `node` to a command.
pub(super) fn reply(node: &str, answer: Value, to: &ReplyTo, ticket: &str, clock: u64) -> String {
    let mut body = Map::new();
    body.insert(node.to_owned(), answer);
    wrap(
        &Value::Object(body),
        &json!({"ticket": ticket, "clock": clock}),
        &to.exchange,
        &to.routing_key,
    )
}

#[derive(Deserialize)]
struct Wrapped {
    body: String,
    properties: Option<WrappedProperties>,
    #[serde(default)]
    headers: WrappedHeaders,
}

#[derive(Deserialize)]
struct WrappedProperties {
    body_encoding: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WrappedHeaders {
    clock: Option<u64>,
    expires: Option<f64>,
}

/// Reads an envelope and its body; `None` if it exceeds 1 MiB or does not have that form.
fn unwrap<T: DeserializeOwned>(text: &[u8]) -> Option<(T, WrappedHeaders)> {
    if text.len() > super::message::MAX_MESSAGE_BYTES {
        return None;
    }
    let wrapped: Wrapped = serde_json::from_slice(text).ok()?;
    let encoding = wrapped.properties.and_then(|some| some.body_encoding);
    let body = if encoding.as_deref() == Some("base64") {
        STANDARD.decode(&wrapped.body).ok()?
    } else {
        wrapped.body.into_bytes()
    };
    Some((serde_json::from_slice(&body).ok()?, wrapped.headers))
}

/// The destination of a reply.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct ReplyTo {
    pub(super) exchange: String,
    pub(super) routing_key: String,
}

impl ReplyTo {
    /// The Redis list that the reply is pushed on.
    pub(super) fn queue(&self) -> String {
        format!("{}.{}", self.routing_key, self.exchange)
    }
}

/// The longest pattern of a command that is read, in bytes.
const MAX_PATTERN_BYTES: usize = 1_024;

/// A command of remote control to one worker, several, or all.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct ControlCommand {
    pub(super) method: String,
    #[serde(default)]
    pub(super) arguments: Value,
    #[serde(default)]
    destination: Option<Vec<String>>,
    #[serde(default)]
    pattern: Option<String>,
    #[serde(default)]
    pub(super) ticket: Option<String>,
    #[serde(default)]
    pub(super) reply_to: Option<ReplyTo>,
    #[serde(skip)]
    pub(super) clock: u64,
    /// The expiry of the command, in seconds since 1970; `None`: never.
    #[serde(skip)]
    pub(super) expires: Option<f64>,
}

impl ControlCommand {
    /// Reads a command; `None` if the text is none.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        let (mut command, headers): (Self, _) = unwrap(text)?;
        command.clock = headers.clock.unwrap_or_default();
        command.expires = headers.expires;
        Some(command)
    }

    /// Whether the command is addressed to `node`. A pattern is a glob of `*` and `?`.
    pub(super) fn is_for(&self, node: &str) -> bool {
        match (&self.destination, &self.pattern) {
            (Some(names), _) => names.iter().any(|name| name == node),
            // No name of a node is so long, and a compiled pattern takes many times its length.
            (None, Some(pattern)) if pattern.len() > MAX_PATTERN_BYTES => false,
            (None, Some(pattern)) => glob::Pattern::new(pattern).is_ok_and(|it| it.matches(node)),
            (None, None) => true,
        }
    }

    /// The texts of an argument that is a list of texts or one text; empty if it is neither.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        match self.arguments.get(name) {
            Some(Value::String(text)) => vec![text.clone()],
            Some(Value::Array(texts)) => texts
                .iter()
                .filter_map(|text| text.as_str().map(str::to_owned))
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// A worker's heartbeat, sent every two seconds by default.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Heartbeat {
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// The node name, such as `celery@host`.
    pub(super) hostname: String,
    pub(super) pid: u32,
    /// The period of the heartbeats, in seconds.
    pub(super) freq: f64,
    pub(super) active: u64,
    pub(super) processed: u64,
    /// When it was sent by the worker's clock, in seconds since 1970.
    pub(super) timestamp: f64,
    pub(super) sw_ident: String,
    pub(super) sw_ver: String,
    /// Tasks that it can run at once; only this program's workers publish it.
    pub(super) concurrency: Option<u64>,
}

impl Heartbeat {
    /// Reads a worker's event; `None` if the text is none.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        let (beat, _): (Self, _) = unwrap(text)?;
        (!beat.hostname.is_empty() && beat.hostname.len() <= 255).then_some(beat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sent by Celery 5.7.0.
    const PING: &str = r#"{"body": "eyJtZXRob2QiOiAicGluZyIsICJhcmd1bWVudHMiOiB7fSwgImRlc3RpbmF0aW9uIjogbnVsbCwgInBhdHRlcm4iOiBudWxsLCAibWF0Y2hlciI6IG51bGwsICJ0aWNrZXQiOiAiYTA2NzBiOWItNGE5OC00ODgzLTlmZTAtMGE1YWQ4NzQ0NWRkIiwgInJlcGx5X3RvIjogeyJleGNoYW5nZSI6ICJyZXBseS5jZWxlcnkucGlkYm94IiwgInJvdXRpbmdfa2V5IjogIjAwODFiNWJlLTM0NTctMzI1ZC1hMTA0LWUwYTFjZjY3NjljMSJ9fQ==", "content-encoding": "utf-8", "content-type": "application/json", "headers": {"clock": 1, "expires": 1795563393.6383426}, "properties": {"delivery_mode": 2, "delivery_info": {"exchange": "celery.pidbox", "routing_key": ""}, "priority": 0, "body_encoding": "base64", "delivery_tag": "a5d0c9d0-c115-4d63-8e61-f37baf601766"}}"#;
    const BEAT: &str = r#"{"body": "eyJob3N0bmFtZSI6ICJvbmVAdm0iLCAidXRjb2Zmc2V0IjogMC4wLCAicGlkIjogMjk2NzQsICJjbG9jayI6IDUsICJmcmVxIjogMi4wLCAiYWN0aXZlIjogMCwgInByb2Nlc3NlZCI6IDEsICJsb2FkYXZnIjogWzEuNTQsIDEuODQsIDEuMTddLCAic3dfaWRlbnQiOiAicHktY2VsZXJ5IiwgInN3X3ZlciI6ICI1LjcuMCIsICJzd19zeXMiOiAiTGludXgiLCAidGltZXN0YW1wIjogMTc5NTU2MzM5MS43MjQ2NywgInR5cGUiOiAid29ya2VyLWhlYXJ0YmVhdCJ9", "content-encoding": "utf-8", "content-type": "application/json", "headers": {"hostname": "one@vm"}, "properties": {"delivery_mode": 1, "delivery_info": {"exchange": "celeryev", "routing_key": "worker.heartbeat"}, "priority": 0, "body_encoding": "base64", "delivery_tag": "9ed88453-e933-4975-a227-5e5a40eee2eb"}}"#;

    #[test]
    fn a_command_of_celery_itself_is_read_and_answered_where_it_says() {
        let ping = ControlCommand::read(PING.as_bytes()).unwrap();
        assert_eq!((&*ping.method, ping.clock), ("ping", 1));
        assert!(ping.is_for("anybody@anywhere"));
        let to = ping.reply_to.unwrap();
        assert_eq!(
            to.queue(),
            "0081b5be-3457-325d-a104-e0a1cf6769c1.reply.celery.pidbox"
        );
        let text = reply("me@here", json!({"ok": "pong"}), &to, "a-ticket", 3);
        let sent: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(sent["headers"]["ticket"], "a-ticket");
        let (body, _): (Value, _) = unwrap(text.as_bytes()).unwrap();
        assert_eq!(body, json!({"me@here": {"ok": "pong"}}));
    }

    #[test]
    fn a_heartbeat_of_celery_itself_is_read_and_ours_has_its_keys() {
        let beat = Heartbeat::read(BEAT.as_bytes()).unwrap();
        assert_eq!(&*beat.hostname, "one@vm");
        assert_eq!((beat.pid, beat.processed), (29_674, 1));
        assert_eq!(&*beat.kind, "worker-heartbeat");
        let ours = event(
            &json!({"hostname": "a@b", "type": "worker-online"}),
            "a@b",
            "worker.online",
        );
        let ours: Value = serde_json::from_str(&ours).unwrap();
        let theirs: Value = serde_json::from_str(BEAT).unwrap();
        for part in ["headers", "properties"] {
            let keys =
                |value: &Value| -> Vec<_> { value.as_object().unwrap().keys().cloned().collect() };
            assert_eq!(keys(&ours[part]), keys(&theirs[part]));
        }
    }

    #[test]
    fn commands_reach_those_who_are_meant() {
        let command = |extra: Value| {
            let mut body = json!({"method": "ping"});
            body.as_object_mut()
                .unwrap()
                .extend(extra.as_object().unwrap().clone());
            ControlCommand::read(wrap(&body, &json!({}), "celery.pidbox", "").as_bytes()).unwrap()
        };
        let named = command(json!({"destination": ["a@b"]}));
        assert!(named.is_for("a@b") && !named.is_for("a@c"));
        let globbed = command(json!({"pattern": "a@*"}));
        assert!(globbed.is_for("a@b") && !globbed.is_for("b@b"));
        let long = command(json!({"pattern": "*".repeat(MAX_PATTERN_BYTES + 1)}));
        assert!(!long.is_for("a@b"));
        for rubbish in [&b"{}"[..], b"", b"[1]", b"{\"body\":\"%\"}"] {
            assert_eq!(ControlCommand::read(rubbish), None);
            assert_eq!(Heartbeat::read(rubbish), None);
        }
    }
}
