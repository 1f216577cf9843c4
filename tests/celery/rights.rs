//! The rights that the documents name for users of the broker are enough.

use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use uptime_squirrel::domain::{Clock, MaskedUrl};
use uptime_squirrel::paradigm::QueueOptions;

use super::sender::{Sender, Worker, spec};
use super::stock::tool;
use crate::support::{Fleet, Redis, Script, send, until};

/// The commands of the documents that create the users, as words.
fn documented() -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/machines.md");
    let text = std::fs::read_to_string(path).unwrap().replace("\\\n", " ");
    let lines = text.lines().filter(|line| line.starts_with("ACL SETUSER "));
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
    lines.map(words).collect()
}

#[test]
fn users_with_the_documented_rights_do_all_that_is_to_be_done() {
    let redis = Redis::new();
    let commands = documented();
    assert_eq!(commands.len(), 2);
    for words in &commands {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        redis.ask::<()>(&words);
    }
    let url = |user: &str| format!("redis+socket://{user}:secret@{}", redis.socket());
    let mut fleet = Fleet::new();
    let held = r"'*' = [{ gate = true }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']";
    let script: Script = toml::from_str(held).unwrap();
    let server = fleet.serve(script);
    let queue = QueueOptions {
        broker: Some(MaskedUrl::new(url("monitor"))),
        visibility_timeout: Some(Duration::from_secs(3)),
        ..QueueOptions::default()
    };
    let mut sender = Sender::start(queue, 100).unwrap();
    let two = ["--concurrency", "2"];
    let first = Worker::at(&url("worker"), "first", &two);
    let due = sender.clock.moment();
    for site in 0..6 {
        let url = format!("http://{}/{site}", server.authority);
        // A HEAD that is silent for half of it is asked again by GET.
        sender.offer_one(site, due, &spec(&url, Duration::from_secs(300)));
    }
    until("two are run", || server.count.most_at_once() == 2);
    // One worker gives back, the next is killed, and a third takes what it had.
    // Two of one kind might arrive as one.
    send(first.pid(), Signal::TERM);
    send(first.pid(), Signal::INT);
    assert_eq!(first.running.finish().code(), 0);
    let second = Worker::at(&url("worker"), "second", &two);
    until("two are run again", || server.count.requests() == 4);
    send(second.pid(), Signal::KILL);
    redis.ask::<()>(&["LPUSH", "celery", "no task"]);
    let _third = Worker::at(&url("worker"), "third", &[]);
    until("all are run", || server.count.requests() == 10);
    until("the poison is put aside", || {
        redis.ask::<u64>(&["LLEN", "celery.dead"]) == 1
    });
    // What the worker answers to Celery's own tools, which have another user.
    let status = tool("celery", &redis)
        .args([
            "--app",
            "squirrel_tasks",
            "inspect",
            "ping",
            "--timeout",
            "20",
        ])
        .args(["--destination", "celery@third"])
        .output()
        .unwrap();
    assert!(status.status.success(), "{status:?}");
    fleet.open_gate();
    sender.assert_all_up_once(6);
    // The audit of what a broker seems to have lost, and what is withdrawn at the end.
    redis.ask::<()>(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    redis.ask::<()>(&["CLIENT", "KILL", "USER", "monitor"]);
    let due = sender.clock.moment();
    let url = format!("http://{}/later", server.authority);
    sender.offer_one(6, due, &spec(&url, Duration::from_secs(5)));
    sender.assert_all_up_once(7);
    sender.until_figures("all is well", |figures| figures.complaint().is_none());
    drop(sender);
    // What was refused: nothing but the narrower pattern of results, which is tried first.
    let log: Vec<Vec<redis::Value>> = redis.ask(&["ACL", "LOG"]);
    for entry in log {
        let entry = format!("{entry:?}");
        assert!(entry.contains("celery-task-meta-"), "{entry}");
    }
}

#[test]
fn what_a_user_may_not_hear_is_fetched_and_the_missing_right_is_named() {
    let redis = Redis::new();
    redis.ask::<()>(&[
        "ACL",
        "SETUSER",
        "deaf",
        "on",
        ">secret",
        "allkeys",
        "allcommands",
        "resetchannels",
    ]);
    let queue = QueueOptions {
        broker: Some(MaskedUrl::new(format!(
            "redis+socket://deaf:secret@{}",
            redis.socket()
        ))),
        ..QueueOptions::default()
    };
    let mut fleet = Fleet::new();
    let script: Script =
        toml::from_str(r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']").unwrap();
    let server = fleet.serve(script);
    let _worker = Worker::start(&redis, "ours", &[]);
    let mut sender = Sender::start(queue, 100).unwrap();
    sender.offer(&server.authority, 5);
    sender.assert_all_up_once(5);
    sender.until_figures("the right is named", |figures| {
        figures
            .complaint()
            .is_some_and(|why| why.contains("refuses: NOPERM ("))
    });
}
