//! Secrets of checks on a queue that others can read.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::support::{Answer, Finished, Fleet, PostServer, Redis, Running, Squirrel};

fn worker(redis: &Redis, key: Option<&str>) -> (Running, Squirrel) {
    let key = format!("SQUIRREL_QUEUE_KEY={}", key.unwrap_or_default());
    let squirrel = Squirrel::new().through(["env", key.as_str()]);
    let url = redis.url();
    let words = ["worker", "--broker", url.expose(), "--format", "json"];
    (squirrel.start(words), squirrel)
}

/// A text, and behind it whatever in it is base64.
fn with_decoded(text: &str) -> String {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    let parts = text.split(|c| !is_base64(c)).filter(|part| part.len() > 40);
    let decoded = parts.filter_map(|part| BASE64_STANDARD.decode(part).ok());
    let decoded = decoded.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    std::iter::once(text.to_owned()).chain(decoded).collect()
}

fn check(redis: &Redis, server: &PostServer, queue: &str) -> (Finished, Value) {
    let squirrel = Squirrel::new().through(["env", "TOKEN=hunter2-token", "QUEUE_KEY=queue-key"]);
    squirrel.write(
        "sites.toml",
        format!(
            "[monitor]\ncanaries = []\n[queue]\nbroker = \"{}\"\n{queue}\n[[sites]]\nurl = \"{}/\"\n\
             headers = {{ X-Token = {{ env = \"TOKEN\" }} }}\n",
            redis.url().expose(),
            server.url()
        ),
    );
    let finished = squirrel.run([
        "check",
        "--config",
        "sites.toml",
        "--paradigm",
        "celery",
        "--format",
        "json",
    ]);
    let line = finished.objects().into_iter().next().unwrap_or_default();
    (finished, line)
}

#[test]
fn secrets_travel_sealed_and_workers_with_the_key_open_them() {
    let fleet = Fleet::new();
    let server = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let redis = Redis::new();
    let (worker, _home) = worker(&redis, Some("queue-key"));
    let mut monitor = redis.connection();
    monitor
        .send_packed_command(b"*1\r\n$7\r\nMONITOR\r\n")
        .unwrap();
    monitor.recv_response().unwrap();
    let (finished, line) = check(&redis, &server, "key = { env = \"QUEUE_KEY\" }");
    assert_eq!(
        (finished.code(), &line["verdict"]),
        (0, &Value::from("up")),
        "{line}"
    );
    assert_eq!(server.posted()[0].header("X-Token"), Some("hunter2-token"));
    redis.ask::<()>(&["SET", "end", "of-it"]);
    let mut sealed = false;
    loop {
        let seen = monitor.recv_response().unwrap();
        let redis::Value::SimpleString(seen) = seen else {
            panic!("{seen:?}")
        };
        let seen = with_decoded(&seen);
        assert!(
            !seen.contains("hunter2") && !seen.contains("queue-key"),
            "{seen}"
        );
        sealed |= seen.contains("sealed");
        if seen.contains("of-it") {
            break;
        }
    }
    assert!(sealed);
    drop(worker);
}

#[test]
fn without_its_key_a_check_with_secrets_is_not_made_and_says_nothing_of_the_site() {
    let fleet = Fleet::new();
    let server = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    for (key, queue, why) in [
        (
            None,
            "",
            "its secrets are not sent over the queue unsealed: [queue] has no key",
        ),
        (
            None,
            "key = { env = \"QUEUE_KEY\" }",
            "this worker has no key to open them: SQUIRREL_QUEUE_KEY",
        ),
        (
            Some("other"),
            "key = { env = \"QUEUE_KEY\" }",
            "it has secrets that the key of this worker does not open",
        ),
    ] {
        let redis = Redis::new();
        let (worker, _home) = worker(&redis, key);
        let (_, line) = check(&redis, &server, queue);
        assert_eq!(line["verdict"], "unknown", "{line}");
        assert!(
            line["error"].as_str().unwrap_or_default().contains(why),
            "{line}"
        );
        drop(worker);
    }
    assert_eq!(server.posted().len(), 0);
}
