//! How workers and brokers begin and end, what they say, and what they keep to themselves.

use std::collections::BTreeSet;

use rustix::process::Signal;
use uptime_squirrel::domain::MaskedUrl;
use uptime_squirrel::paradigm::QueueOptions;

use super::sender::{Sender, Worker};
use crate::support::{Fleet, Redis, Script, Squirrel, children_of, process_state, send, until};

fn script(toml: &str) -> Script {
    toml::from_str(toml).unwrap()
}

const HELD: &str = r"'*' = [{ gate = true }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']";

fn alive(pid: u32) -> bool {
    process_state(pid).is_some_and(|state| state != 'Z')
}

#[test]
fn sigterm_lets_a_worker_finish_and_a_second_one_has_it_give_back() {
    let redis = Redis::new();
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(HELD));
    let worker = Worker::start(&redis, "one", &["--concurrency", "3"]);
    let mut sender = Sender::to(&redis, 100);
    sender.offer(&server.authority, 5);
    until("three are run", || server.count.requests() == 3);
    // It holds three and takes no more: no other worker is there to take the two.
    let connections = || {
        let list: String = redis.ask(&["CLIENT", "LIST"]);
        list.lines().count()
    };
    let before = connections();
    send(worker.pid(), Signal::TERM);
    until("the connection is closed by which it takes tasks", || {
        connections() < before
    });
    assert_eq!(redis.ask::<u64>(&["LLEN", "celery"]), 2);
    send(worker.pid(), Signal::TERM);
    let finished = worker.running.finish();
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    assert_eq!(redis.ask::<u64>(&["LLEN", "celery"]), 5);
    assert_eq!(redis.ask::<u64>(&["HLEN", "unacked"]), 0);
    // What came back says so, and is run by the next one.
    let messages: Vec<String> = redis.ask(&["LRANGE", "celery", "0", "-1"]);
    let flagged = messages.iter().filter(|text| {
        let message: serde_json::Value = serde_json::from_str(text).unwrap();
        message["properties"]["delivery_info"]["redelivered"] == true
    });
    assert_eq!(flagged.count(), 3);
    fleet.open_gate();
    let worker = Worker::start(&redis, "two", &[]);
    sender.assert_all_up_once(5);
    send(worker.pid(), Signal::TERM);
    let finished = worker.running.finish();
    assert_eq!(finished.code(), 0);
    let lines = finished.objects();
    assert_eq!(lines.len(), 5);
    assert!(
        lines.iter().all(|line| line["verdict"] == "up"),
        "{lines:?}"
    );
}

#[test]
fn a_broker_of_ones_own_and_its_workers_end_with_the_program_whatever_ends_it() {
    for signal in [Signal::TERM, Signal::KILL] {
        let mut fleet = Fleet::new();
        let server = fleet.serve(script(HELD));
        let squirrel = Squirrel::new();
        let url = format!("http://{}/", server.authority);
        let running = squirrel.start(["check", "--paradigm", "celery", &url]);
        until("the check is in flight", || {
            server.count.most_at_once() == 1
        });
        let children = children_of(running.pid());
        let names: BTreeSet<String> = children
            .iter()
            .map(|pid| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap())
            .map(|name| name.trim().to_owned())
            .collect();
        assert_eq!(children.len(), 3, "{names:?}");
        assert!(names.contains("celery-worker"), "{names:?}");
        running.signal(signal);
        let _ = running.finish();
        until("all are gone", || !children.iter().any(|pid| alive(*pid)));
    }
}

#[test]
fn with_no_server_installed_one_sentence_says_what_to_install() {
    let squirrel = Squirrel::new();
    let nothing = squirrel.dir().join("nothing");
    std::fs::create_dir(&nothing).unwrap();
    let path = format!("PATH={}", nothing.display());
    let squirrel = squirrel.through(["/usr/bin/env", &path]);
    for words in [
        &["check", "--paradigm", "celery", "http://127.0.0.1:1/"][..],
        &["broker"],
    ] {
        let finished = squirrel.run(words.iter().copied());
        finished.assert_no_panic();
        assert!([2, 3].contains(&finished.code()));
        let said = &finished.stderr;
        assert!(
            said.contains("install redis-server or valkey-server"),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn a_broker_in_the_foreground_serves_workers_and_monitors_of_this_machine() {
    let squirrel = Squirrel::new();
    let folder = squirrel.dir().join("b");
    let folder = folder.to_str().unwrap();
    let mut broker = squirrel.start(["broker", "--folder", folder]);
    broker.wait_for_lines(4);
    let url = format!("redis+socket://{folder}/redis.sock");
    let worker = Worker::at(&url, "near", &[]);
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    until("the broker listens", || {
        std::os::unix::net::UnixStream::connect(format!("{folder}/redis.sock")).is_ok()
    });
    let site = format!("http://{}/", server.authority);
    let finished = squirrel.run([
        "check",
        "--paradigm",
        "celery",
        "--broker",
        &url,
        "--format",
        "json",
        &site,
    ]);
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    assert_eq!(finished.objects()[0]["host"], "near");
    drop(worker);
    broker.signal(Signal::TERM);
    let ended = broker.finish();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(
        said.contains(&format!("squirrel worker --broker {url}")),
        "{said}"
    );
    assert!(std::path::Path::new(folder).join("appendonlydir").exists());
}

#[test]
fn a_broker_that_cannot_be_reached_is_unknown_and_its_password_never_shown() {
    let squirrel = Squirrel::new();
    let url = "redis://ann:s3cret@127.0.0.1:1/0";
    let words = [
        "check",
        "--paradigm",
        "celery",
        "--broker",
        url,
        "http://127.0.0.1:1/",
    ];
    let finished = squirrel.run(words);
    finished.assert_no_panic();
    assert_eq!(finished.code(), 3);
    assert_eq!(
        finished.stderr,
        "squirrel: no broker at redis://ann:***@127.0.0.1:1/0: connection refused\n"
    );
    let finished = squirrel.run(["worker", "--broker", "amqp://ann:s3cret@h/"]);
    assert_eq!(finished.code(), 2);
    assert!(
        finished.stderr.contains("expected a Redis URL"),
        "{}",
        finished.stderr
    );
    assert!(!finished.stderr.contains("s3cret"));
    let queue = QueueOptions {
        broker: Some(MaskedUrl::new(url)),
        ..QueueOptions::default()
    };
    let error = Sender::start(queue, 1).err().unwrap();
    assert!(!format!("{error} {error:?}").contains("s3cret"));
}

#[test]
fn a_broker_with_a_password_lets_in_who_knows_it() {
    let redis = Redis::new();
    let _: String = redis.ask(&["CONFIG", "SET", "requirepass", "s3cret"]);
    let with = |password: &str| format!("redis+socket://:{password}@{}", redis.socket());
    let url = |text: String| QueueOptions {
        broker: Some(MaskedUrl::new(text)),
        ..QueueOptions::default()
    };
    let refused = Sender::start(url(redis.url().expose().to_owned()), 1);
    let why = refused.err().unwrap().to_string();
    assert!(why.contains("it wants a password"), "{why}");
    let refused = Sender::start(url(with("wr0ng")), 1);
    let why = refused.err().unwrap().to_string();
    assert!(why.contains("does not take the user and password"), "{why}");
    assert!(!why.contains("wr0ng"), "{why}");

    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let worker = Worker::at(&with("s3cret"), "ours", &[]);
    let mut sender = Sender::start(url(with("s3cret")), 10).unwrap();
    sender.offer(&server.authority, 3);
    sender.assert_all_up_once(3);
    assert!(!format!("{:?}", sender.figures()).contains("s3cret"));
    // What others may read of a worker on its own machine is its command line; what it says
    // of itself is here.
    send(worker.pid(), Signal::TERM);
    let finished = worker.running.finish();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&finished.stdout),
        finished.stderr
    );
    assert!(!said.contains("s3cret"), "{said}");
}

#[test]
fn the_monitor_without_a_screen_uses_the_broker_that_its_command_line_names() {
    let mut fleet = Fleet::new();
    let well = "'*' = ['HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n']";
    let server = fleet.serve(script(well));
    let redis = Redis::new();
    let worker = Worker::start(&redis, "oslo", &[]);
    let squirrel = Squirrel::new();
    // The broker of the file is overruled: there is none at that URL.
    squirrel.write(
        "sites.toml",
        format!(
            "[monitor]\nparadigm = \"celery\"\ninterval = \"1s\"\n\
             [queue]\nbroker = \"redis://127.0.0.1:1/0\"\n\
             [[sites]]\nname = \"shop\"\nurl = \"http://{}/\"\n",
            server.authority
        ),
    );
    let url = redis.url();
    let words = ["watch", "--history", "none", "--results", "--broker"];
    let mut running = squirrel.start(words.into_iter().chain([url.expose()]));
    let checked = running.wait_for("a check by the worker", |line| line["verdict"] == "up");
    assert_eq!(checked["paradigm"], "celery");
    assert_eq!(checked["host"], "oslo");
    assert_eq!(checked["pid"], worker.pid());
    // The worker goes: another takes over, and no site is down for it.
    send(worker.pid(), Signal::TERM);
    assert_eq!(worker.running.finish().code(), 0);
    let worker = Worker::start(&redis, "lima", &[]);
    running.wait_for("a check by the other", |line| line["host"] == "lima");
    let lines = running.lines_so_far();
    assert!(
        lines.iter().all(|line| line["event"] != "down"),
        "{lines:?}"
    );
    running.signal(Signal::TERM);
    assert_eq!(running.finish().code(), 0);
    send(worker.pid(), Signal::TERM);
    assert_eq!(worker.running.finish().code(), 0);
}
