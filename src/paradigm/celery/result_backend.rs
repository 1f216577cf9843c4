//! Results of tasks in the form of Celery's result backend for Redis, under the key
//! `celery-task-meta-<id>`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::domain::{RanOn, Timestamp, clean};

use super::message::MAX_MESSAGE_BYTES;
use super::timestamps;

/// The prefix of the keys of results, and of the channels on which they are published.
pub(super) const PREFIX: &str = "celery-task-meta-";

/// The key and channel of the result of task `id`.
pub(super) fn key(id: &str) -> String {
    format!("{PREFIX}{id}")
}

#[derive(Serialize)]
struct Stored<'a, T> {
    status: &'a str,
    result: T,
    traceback: Option<()>,
    children: [(); 0],
    date_done: String,
    task_id: &'a str,
}

#[derive(Serialize)]
struct Exception<'a> {
    exc_type: &'a str,
    exc_message: [&'a str; 1],
    exc_module: &'a str,
}

fn store<T: Serialize>(status: &str, result: T, id: &str, done: Timestamp) -> String {
    let stored = Stored {
        status,
        result,
        traceback: None,
        children: [],
        date_done: timestamps::write(done),
        task_id: id,
    };
    // Strings and numbers, which can always be written as JSON.
    serde_json::to_string(&stored).unwrap_or_default()
}

/// The text of the state `SUCCESS` with `result`.
pub(super) fn success(result: &RawValue, id: &str, done: Timestamp) -> String {
    store("SUCCESS", result, id, done)
}

/// The text of the state `FAILURE` with an exception of type `kind`.
pub(super) fn failure(kind: &str, why: &str, id: &str, done: Timestamp) -> String {
    let exception = Exception {
        exc_type: kind,
        exc_message: [why],
        exc_module: "builtins",
    };
    store("FAILURE", exception, id, done)
}

/// The text of the state `REVOKED`; `why` is "expired", "revoked" or "terminated".
pub(super) fn revoked(why: &str, id: &str, done: Timestamp) -> String {
    let exception = Exception {
        exc_type: "TaskRevokedError",
        exc_message: [why],
        exc_module: "celery.exceptions",
    };
    store("REVOKED", exception, id, done)
}

/// The text of the state `STARTED`. It is published and not stored, so that it never replaces a
/// result.
pub(super) fn started(who: &RanOn, node: &str, id: &str, at: Timestamp) -> String {
    let begun = StartedBody {
        pid: who.pid,
        hostname: node.into(),
        host: Some(Cow::Borrowed(&who.host)),
        tid: Some(who.tid),
        thread: Some(Cow::Borrowed(&who.thread)),
        began: Some(timestamps::seconds(at)),
    };
    store("STARTED", begun, id, at)
}

/// The body of the state `STARTED`: `pid` and `hostname` are Celery's, the others this program's.
#[derive(Deserialize, Serialize)]
struct StartedBody<'a> {
    pid: u32,
    #[serde(borrow)]
    hostname: Cow<'a, str>,
    #[serde(borrow, default)]
    host: Option<Cow<'a, str>>,
    #[serde(default)]
    tid: Option<u32>,
    #[serde(borrow, default)]
    thread: Option<Cow<'a, str>>,
    /// The start in seconds since 1970, by the worker's clock.
    #[serde(default)]
    began: Option<f64>,
}

/// The thread that has started a task, and when by its clock; `None` for stock workers.
#[derive(Debug, PartialEq)]
pub(super) struct TaskStart {
    pub(super) by: RanOn,
    pub(super) at: Option<Timestamp>,
}

impl TaskStart {
    fn read(result: &RawValue) -> Option<Self> {
        let begun: StartedBody<'_> = serde_json::from_str(result.get()).ok()?;
        let host = begun.host.as_deref();
        let host = host.unwrap_or_else(|| super::worker_registry::host_of(&begun.hostname));
        Some(Self {
            by: RanOn {
                host: clean(host, 64).into(),
                pid: begun.pid,
                tid: begun.tid.unwrap_or(begun.pid),
                thread: clean(begun.thread.as_deref().unwrap_or("worker"), 15).into(),
            },
            at: begun.began.and_then(timestamps::from_seconds),
        })
    }
}

/// The state of a task.
#[derive(Debug)]
pub(super) enum StoredResult<'a> {
    /// It has succeeded: its result as JSON, and its end by the worker's clock.
    Done(&'a RawValue, Option<Timestamp>),
    /// It has failed or was revoked: why, as a clause.
    Failed(String),
    /// It expired before a worker started it.
    Expired,
    /// It has no result yet; its start, if that was published.
    Pending(Option<TaskStart>),
}

#[derive(Deserialize)]
struct StoredBody<'a> {
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    date_done: Option<Cow<'a, str>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ExceptionBody {
    exc_type: String,
    exc_message: serde_json::Value,
}

impl ExceptionBody {
    fn words(&self) -> String {
        let message = match &self.exc_message {
            serde_json::Value::Array(parts) => parts
                .iter()
                .map(|part| {
                    part.as_str()
                        .map_or_else(|| part.to_string(), str::to_owned)
                })
                .collect::<Vec<_>>()
                .join(" "),
            serde_json::Value::String(text) => text.clone(),
            _ => String::new(),
        };
        if message.is_empty() {
            self.exc_type.clone()
        } else {
            message
        }
    }
}

impl<'a> StoredResult<'a> {
    /// Reads the text of a state; `None` if it exceeds 1 MiB or does not have that form.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        if text.len() > MAX_MESSAGE_BYTES {
            return None;
        }
        let told: StoredBody<'a> = serde_json::from_str(text).ok()?;
        let raised = || -> ExceptionBody {
            told.result
                .and_then(|result| serde_json::from_str(result.get()).ok())
                .unwrap_or_default()
        };
        Some(match &*told.status {
            "SUCCESS" => Self::Done(
                told.result?,
                told.date_done.as_deref().and_then(timestamps::read),
            ),
            "FAILURE" => Self::Failed(clean(&raised().words(), 300)),
            "REVOKED" => match raised().words().as_str() {
                "expired" => Self::Expired,
                why => Self::Failed(format!("it was {}", clean(why, 60))),
            },
            "STARTED" => Self::Pending(told.result.and_then(TaskStart::read)),
            _ => Self::Pending(None),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DONE: Timestamp = Timestamp::from_micros(1_795_337_535_583_187);

    fn result(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    #[test]
    fn a_result_of_celery_itself_is_read() {
        let text = r#"{"status": "SUCCESS", "result": {"ok": {"a": 1}}, "traceback": null, "children": [], "date_done": "2026-11-24T23:36:29.732817+00:00", "task_id": "73e4"}"#;
        let Some(StoredResult::Done(result, done)) = StoredResult::read(text) else {
            panic!("not read");
        };
        assert_eq!(result.get(), r#"{"ok": {"a": 1}}"#);
        assert_eq!(done, timestamps::read("2026-11-24T23:36:29.732817+00:00"));
    }

    #[test]
    fn ours_have_the_documented_form() {
        assert_eq!(
            success(&result("7"), "an-id", DONE),
            r#"{"status":"SUCCESS","result":7,"traceback":null,"children":[],"date_done":"2026-11-22T08:52:15.583187+00:00","task_id":"an-id"}"#
        );
        assert!(revoked("expired", "i", DONE).contains(
            r#""result":{"exc_type":"TaskRevokedError","exc_message":["expired"],"exc_module":"celery.exceptions"}"#
        ));
        assert!(failure("ValueError", "no \"x\"", "i", DONE).starts_with(
            r#"{"status":"FAILURE","result":{"exc_type":"ValueError","exc_message":["no \"x\""],"#
        ));
    }

    #[test]
    fn who_has_begun_is_read_of_celery_and_of_ours() {
        let of = |text: &str| match StoredResult::read(text) {
            Some(StoredResult::Pending(start)) => start,
            other => panic!("{other:?}"),
        };
        let who = RanOn {
            host: "oslo".into(),
            pid: 7,
            tid: 8,
            thread: "t".into(),
        };
        let ours = of(&started(&who, "celery@node", "i", DONE)).unwrap();
        assert_eq!(ours.by, who);
        let off = ours.at.unwrap().as_micros() - DONE.as_micros();
        assert!(off.abs() <= 1, "{off}");
        // As Celery stores it where `task_track_started` is set.
        let theirs = of(r#"{"status": "STARTED", "result": {"pid": 9, "hostname": "w@lima"}}"#);
        let theirs = theirs.unwrap();
        assert_eq!(
            (&*theirs.by.host, theirs.by.pid, theirs.by.tid),
            ("lima", 9, 9)
        );
        assert_eq!(theirs.at, None);
    }

    #[test]
    fn answers_are_told_apart() {
        let read = |text: &str| format!("{:?}", StoredResult::read(text));
        assert_eq!(read(&revoked("expired", "i", DONE)), "Some(Expired)");
        assert_eq!(
            read(&revoked("terminated", "i", DONE)),
            "Some(Failed(\"it was terminated\"))"
        );
        assert_eq!(
            read(&failure("ValueError", "no\u{1b}[31m", "i", DONE)),
            "Some(Failed(\"no [31m\"))"
        );
        for odd in [
            r#"{"status":"STARTED","result":{"pid":1}}"#,
            r#"{"status":"RETRY"}"#,
        ] {
            assert_eq!(read(odd), "Some(Pending(None))");
        }
        assert_eq!(
            read(r#"{"status":"FAILURE","result":{"exc_type":"NotRegistered"}}"#),
            "Some(Failed(\"NotRegistered\"))"
        );
        let endless = format!("{{\"status\":\"RETRY\"{}}}", " ".repeat(MAX_MESSAGE_BYTES));
        for rubbish in ["", "7", "{}", "{\"status\":\"SUCCESS\"}", &endless] {
            assert_eq!(read(rubbish), "None", "{rubbish:.20}");
        }
    }
}
