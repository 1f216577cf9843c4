//! Invalid and hostile messages: the worker lives on, and rejected messages are kept.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use redis::Commands as _;
use serde_json::{Value, json};
use uptime_squirrel::domain::{JobId, Moment, SiteId};

use super::sender::{Sender, Worker, spec};
use crate::support::{Fleet, Redis, Script, until};

fn script(toml: &str) -> Script {
    toml::from_str(toml).unwrap()
}

/// A message as Celery makes it, of these arguments.
fn message(id: &str, task: &str, arguments: &Value) -> Value {
    let embed = json!({"callbacks": null, "errbacks": null, "chain": null, "chord": null});
    json!({
        "body": STANDARD.encode(json!([arguments, {}, embed]).to_string()),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": task, "id": id, "expires": null, "eta": null,
            "retries": 0, "root_id": id, "parent_id": null},
        "properties": {"correlation_id": id, "delivery_mode": 2, "priority": 0,
            "body_encoding": "base64", "delivery_tag": format!("tag of {id}"),
            "delivery_info": {"exchange": "", "routing_key": "celery"}},
    })
}

fn order(url: &str) -> Value {
    let spec = spec(url, Duration::from_secs(5));
    json!({
        "job": JobId { site: SiteId::from_index(0), due: Moment::ZERO },
        "look": *spec,
        "trust": {"http": null},
    })
}

fn push(redis: &Redis, text: impl AsRef<[u8]>) {
    let _: u64 = redis.connection().lpush("celery", text.as_ref()).unwrap();
}

fn meta(redis: &Redis, id: &str) -> Option<Value> {
    let text: Option<String> = redis.ask(&["GET", &format!("celery-task-meta-{id}")]);
    text.map(|text| serde_json::from_str(&text).unwrap())
}

/// A worker that carries out what it is told after all that came before.
struct Stage {
    redis: Redis,
    worker: Worker,
    fleet: Fleet,
}

impl Stage {
    fn set() -> Self {
        let redis = Redis::new();
        let worker = Worker::start(&redis, "ours", &[]);
        Self {
            worker,
            fleet: Fleet::new(),
            redis,
        }
    }

    /// It lives, works, and holds nothing.
    fn assert_alive(&mut self) {
        let server = self.fleet.serve(script(
            r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
        ));
        let mut sender = Sender::to(&self.redis, 10);
        sender.offer(&server.authority, 5);
        sender.assert_all_up_once(5);
        let first = sender.answers.values().next().unwrap();
        assert_eq!(first.ran_on.pid, self.worker.pid());
        assert_eq!(self.redis.ask::<u64>(&["HLEN", "unacked"]), 0);
        assert_eq!(self.redis.ask::<u64>(&["ZCARD", "unacked_index"]), 0);
    }

    fn rejected(&self) -> Vec<Value> {
        let rejected: Vec<String> = self.redis.ask(&["LRANGE", "celery.dead", "0", "-1"]);
        rejected
            .iter()
            .map(|entry| serde_json::from_str(entry).unwrap())
            .collect()
    }
}

#[test]
fn poison_is_put_aside_where_it_can_be_seen() {
    let mut stage = Stage::set();
    let whole = message("an-id", "squirrel.check", &json!([]));
    let without = |path: &str| {
        let mut message = whole.clone();
        message["properties"]["delivery_tag"] = path.into();
        let (above, key) = path.rsplit_once('/').unwrap();
        let above = message.pointer_mut(above).unwrap();
        above.as_object_mut().unwrap().remove(key).unwrap();
        message.to_string().into_bytes()
    };
    let mut poison: Vec<Vec<u8>> = [
        "/body",
        "/content-type",
        "/headers",
        "/headers/id",
        "/headers/task",
        "/properties",
        "/properties/delivery_info",
        "/properties/delivery_tag",
    ]
    .map(without)
    .into();
    for rubbish in [&b""[..], b"hello", b"{}", b"[[[[", b"\xff\xfe\x00", b"null"] {
        poison.push(rubbish.to_vec());
    }
    let mut deep = message("deep", "squirrel.check", &json!([]));
    deep["headers"]["nest"] = json!("X");
    let nest = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    push(&stage.redis, deep.to_string().replace("\"X\"", &nest));
    let mut giant = whole.clone();
    giant["body"] = "A".repeat(20 << 20).into();
    poison.push(giant.to_string().into_bytes());
    for text in &poison {
        push(&stage.redis, text);
    }
    until("all are put aside", || {
        stage.rejected().len() == poison.len()
    });
    let rejected = stage.rejected();
    for entry in &rejected {
        assert!(!entry["reason"].as_str().unwrap().is_empty(), "{entry}");
        assert!(entry["message"].as_str().unwrap().len() <= 16_384);
    }
    // One that is merely strange has an id to be answered under.
    assert_eq!(meta(&stage.redis, "deep").unwrap()["status"], "FAILURE");
    let reasons: Vec<_> = rejected
        .iter()
        .map(|it| it["reason"].as_str().unwrap())
        .collect();
    for why in [
        "without a body",
        "without a content type",
        "without headers",
        "without an id",
        "without a task's name",
        "without delivery_info",
        "without a delivery tag",
        "longer than 1 MiB",
    ] {
        assert!(reasons.contains(&why), "{why}: {reasons:?}");
    }
    stage.assert_alive();
}

#[test]
fn what_is_no_check_is_answered_with_a_failure() {
    let mut stage = Stage::set();
    let mut wrong = order("http://127.0.0.1:1/");
    wrong["look"]["timeout"] = json!({"secs": u64::MAX, "nanos": 0});
    let ten_thousand = Value::Array(vec![json!({"url": "http://h/"}); 10_000]);
    let cases = [
        ("task", "tasks.add", json!([1, 2]), "knows no task"),
        ("none", "squirrel.check", json!([]), "one check, not 0"),
        ("many", "squirrel.check", ten_thousand, "not 10000"),
        (
            "file",
            "squirrel.check",
            json!([order("file:///etc/passwd")]),
            "no kind of check",
        ),
        (
            "host",
            "squirrel.check",
            json!([order("http://")]),
            "no kind of check",
        ),
        ("long", "squirrel.check", json!([wrong]), "timeout"),
        ("text", "squirrel.check", json!(["http://h/"]), "no check"),
        (
            "toy",
            "squirrel.check",
            json!([crunch(1)]),
            "a workload of the lab",
        ),
    ];
    for (id, task, arguments, _) in &cases {
        push(&stage.redis, message(id, task, arguments).to_string());
    }
    // A body of two parts, one that is no base64, and pickled Python, ended stock workers.
    let mut two = message("two", "squirrel.check", &json!([]));
    two["body"] = STANDARD.encode("[[],{}]").into();
    let mut garbled = message("garbled", "squirrel.check", &json!([]));
    garbled["body"] = "%%%".into();
    let mut pickled = message("pickled", "squirrel.check", &json!([]));
    pickled["content-type"] = "application/x-python-serialize".into();
    for odd in [two, garbled, pickled] {
        push(&stage.redis, odd.to_string());
    }
    let ids = cases.iter().map(|case| case.0);
    for id in ids.chain(["two", "garbled", "pickled"]) {
        until(id, || meta(&stage.redis, id).is_some());
        let meta = meta(&stage.redis, id).unwrap();
        assert_eq!(meta["status"], "FAILURE", "{meta}");
        assert_eq!(meta["task_id"], id);
    }
    for (id, .., why) in &cases {
        let meta = meta(&stage.redis, id).unwrap();
        let said = meta["result"]["exc_message"][0].as_str().unwrap();
        assert!(said.contains(why), "{id}: {said}");
    }
    stage.assert_alive();
}

/// An order of the lab.
fn workload(work: &Value) -> Value {
    let mut order = order("http://toy.invalid/");
    order["trust"] = json!({"toy": {"work": work}});
    order
}

fn crunch(rounds: u64) -> Value {
    workload(&json!({"Crunch": rounds}))
}

#[test]
fn a_worker_that_does_toys_does_none_that_would_keep_it_from_all_else() {
    let redis = Redis::new();
    let worker = Worker::start(&redis, "workloads", &["--workloads"]);
    let mut locked = crunch(5_000);
    locked["locked"] = true.into();
    let cases = [
        ("brief", crunch(1_000), None),
        ("locked", locked, None),
        ("huge", crunch(u64::MAX), Some("too long")),
        (
            "sleepy",
            workload(&json!({"Sleep": {"secs": 3_600, "nanos": 0}})),
            Some("too long"),
        ),
    ];
    for (id, order, _) in &cases {
        push(
            &redis,
            message(id, "squirrel.check", &json!([order])).to_string(),
        );
    }
    for (id, _, refusal) in &cases {
        until(id, || meta(&redis, id).is_some());
        let meta = meta(&redis, id).unwrap();
        match refusal {
            Some(why) => {
                assert_eq!(meta["status"], "FAILURE", "{meta}");
                let said = meta["result"]["exc_message"][0].as_str().unwrap();
                assert!(said.contains(why), "{said}");
            }
            None => {
                assert_eq!(meta["status"], "SUCCESS", "{meta}");
                // Under the lock all is noted, asked for or not.
                let noted = !meta["result"]["notes"].is_null();
                assert_eq!(noted, *id == "locked", "{meta}");
            }
        }
    }
    assert!(crate::support::process_state(worker.pid()).is_some());
}

#[test]
fn what_expired_or_was_revoked_is_not_run() {
    let mut stage = Stage::set();
    let server = stage.fleet.serve(script(
        r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let url = format!("http://{}/", server.authority);
    let mut expired = message("expired", "squirrel.check", &json!([order(&url)]));
    expired["headers"]["expires"] = "2020-01-01T00:00:00.000001+00:00".into();
    push(&stage.redis, expired.to_string());
    until("it is answered", || meta(&stage.redis, "expired").is_some());
    let answer = meta(&stage.redis, "expired").unwrap();
    assert_eq!(answer["status"], "REVOKED");
    assert_eq!(
        answer["result"],
        json!({"exc_type": "TaskRevokedError", "exc_message": ["expired"],
            "exc_module": "celery.exceptions"})
    );
    // Told to all workers, before it is sent.
    let command = json!({"method": "revoke", "arguments": {"task_id": "revoked"}});
    let told = json!({"body": STANDARD.encode(command.to_string()), "headers": {},
        "properties": {"body_encoding": "base64"}});
    until("the worker listens", || {
        redis_publish(&stage.redis, &told.to_string()) > 0
    });
    let revoked = message("revoked", "squirrel.check", &json!([order(&url)]));
    until("the worker has heard it", || {
        push(&stage.redis, revoked.to_string().replace("tag of", &uuid()));
        until("it is answered", || meta(&stage.redis, "revoked").is_some());
        let answer = meta(&stage.redis, "revoked").unwrap();
        let _: u64 = stage.redis.ask(&["DEL", "celery-task-meta-revoked"]);
        answer["status"] == "REVOKED"
    });
    let before = server.count.requests();
    // An answer that stands is not replaced by that of a twin.
    let good = message("twice", "squirrel.check", &json!([order(&url)])).to_string();
    push(&stage.redis, good.replace("tag of", "one tag of"));
    until("it is run", || meta(&stage.redis, "twice").is_some());
    let first = meta(&stage.redis, "twice");
    push(&stage.redis, good.replace("tag of", "another tag of"));
    until("it is run again", || server.count.requests() == before + 2);
    stage.assert_alive();
    assert_eq!(meta(&stage.redis, "twice"), first);
}

fn uuid() -> String {
    uuid::Uuid::new_v4().to_string()
}

fn redis_publish(redis: &Redis, text: &str) -> u64 {
    redis.ask(&["PUBLISH", "/0.celery.pidbox", text])
}

#[test]
fn rubbish_on_the_control_channel_changes_nothing() {
    let mut stage = Stage::set();
    until("the worker listens", || {
        redis_publish(&stage.redis, "hello") > 0
    });
    for rubbish in ["", "{}", "[]", "{\"body\":\"%%\"}", "{\"body\":\"{}\"}"] {
        redis_publish(&stage.redis, rubbish);
    }
    let unknown =
        json!({"method": "launch", "reply_to": {"exchange": "celery", "routing_key": "x"}});
    let body = json!({"body": unknown.to_string(), "headers": {"clock": u64::MAX}});
    redis_publish(&stage.redis, &body.to_string());
    redis_publish(&stage.redis, &"x".repeat(2 << 20));
    stage.assert_alive();
    // No answer goes where none is expected.
    assert_eq!(stage.redis.ask::<u64>(&["EXISTS", "x.celery"]), 0);
}
