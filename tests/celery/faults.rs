//! Five hundred checks in flight, and then something breaks: all are answered, none is counted
//! twice, none is lost.

use std::time::Duration;

use rustix::process::Signal;
use uptime_squirrel::domain::Clock;

use super::sender::{Sender, Worker};
use crate::support::{Fleet, Redis, Script, Server, send, until};

const CHECKS: usize = 500;

const HELD: &str = r"'*' = [{ gate = true }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']";

fn script(toml: &str) -> Script {
    toml::from_str(toml).unwrap()
}

/// Two workers hold five hundred checks between them, at a server that does not answer yet.
struct Stage {
    fleet: Fleet,
    server: Server,
    redis: Redis,
    workers: Vec<Worker>,
    sender: Sender,
}

impl Stage {
    fn set(redis: Redis) -> Self {
        let mut fleet = Fleet::new();
        let server = fleet.serve(script(HELD));
        let workers = ["one", "two"]
            .map(|name| Worker::start(&redis, name, &["--concurrency", "500"]))
            .into();
        let mut sender = Sender::to(&redis, CHECKS);
        sender.until_figures("both workers are there", |figures| {
            figures.workers.iter().filter(|worker| worker.alive).count() == 2
        });
        sender.offer(&server.authority, CHECKS);
        until("all are in flight", || {
            server.count.most_at_once() == CHECKS
        });
        sender.until_figures("it is known who has them", |figures| {
            figures.taken == CHECKS
        });
        Self {
            fleet,
            server,
            redis,
            workers,
            sender,
        }
    }

    /// How many checks a worker runs, by its own account.
    fn active(&self, node: &str) -> u64 {
        let workers = self.sender.figures().workers;
        let found = workers.iter().find(|worker| worker.node == node);
        found.map_or(0, |worker| worker.active)
    }

    fn all_up(&mut self) -> &Sender {
        self.fleet.open_gate();
        self.sender.assert_all_up_once(CHECKS);
        &self.sender
    }
}

#[test]
fn a_worker_killed_while_it_holds_checks_has_them_run_by_another() {
    let mut stage = Stage::set(Redis::new());
    until("the heartbeats tell of it", || {
        stage.active("celery@one") + stage.active("celery@two") == CHECKS as u64
    });
    let held = stage.active("celery@one");
    assert!(held > 0);
    send(stage.workers[0].pid(), Signal::KILL);
    stage.sender.until_figures("its end is seen", |figures| {
        let one = figures.workers.iter().find(|one| one.node == "celery@one");
        one.is_some_and(|one| !one.alive && one.silent_for < Duration::from_secs(5))
    });
    until("its checks are run again", || {
        stage.server.count.requests() == CHECKS + usize::try_from(held).unwrap()
    });
    let sender = stage.all_up();
    assert_eq!(sender.figures().duplicates, 0);
    assert!(
        sender
            .answers
            .values()
            .all(|result| &*result.ran_on.host == "two")
    );
}

#[test]
fn a_worker_that_was_frozen_comes_too_late_and_is_not_counted() {
    let stage = Stage::set(Redis::new());
    until("the heartbeats tell of it", || {
        stage.active("celery@one") + stage.active("celery@two") == CHECKS as u64
    });
    let held = usize::try_from(stage.active("celery@one")).unwrap();
    let frozen = stage.workers[0].pid();
    send(frozen, Signal::STOP);
    until("its checks are run again", || {
        stage.server.count.requests() == CHECKS + held
    });
    stage.fleet.open_gate();
    let Stage {
        mut sender,
        mut workers,
        redis,
        ..
    } = stage;
    sender.assert_all_up_once(CHECKS);
    let mut thawed = workers.remove(0);
    send(frozen, Signal::CONT);
    // It has as many results to publish as it held messages, and there is no subscriber.
    thawed.running.wait_for_lines(held);
    sender.receive();
    assert_eq!((sender.answers.len(), sender.twins), (CHECKS, 0));
    assert_eq!(redis.ask::<u64>(&["HLEN", "unacked"]), 0);
    assert_eq!(redis.ask::<u64>(&["LLEN", "celery"]), 0);
}

#[test]
fn a_broker_killed_and_started_again_on_its_data_loses_nothing() {
    let mut stage = Stage::set(Redis::new());
    stage.redis.kill();
    stage
        .sender
        .until_figures("it is missed", |figures| figures.complaint().is_some());
    stage.fleet.open_gate();
    stage.redis.start_again();
    let sender = stage.all_up();
    sender.until_figures("all is well again", |figures| figures.complaint().is_none());
}

#[test]
fn a_broker_that_forgets_everything_is_told_again() {
    let mut stage = Stage::set(Redis::forgetful());
    stage.redis.kill();
    stage.redis.start_again();
    stage
        .sender
        .until_figures("what was lost is sent again", |figures| {
            figures.resent == CHECKS as u64
        });
    let sender = stage.all_up();
    assert_eq!(sender.figures().resent, CHECKS as u64);
}

#[test]
fn a_broker_that_is_restarted_properly_is_not_even_told_again() {
    let mut stage = Stage::set(Redis::new());
    stage.redis.shut_down();
    stage
        .sender
        .until_figures("it is missed", |figures| figures.complaint().is_some());
    stage.redis.start_again();
    let sender = stage.all_up();
    assert_eq!(sender.figures().resent, 0);
}

#[test]
fn a_check_that_goes_back_on_the_queue_is_not_taken_for_lost() {
    let mut redis = Redis::new();
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(HELD));
    let lost = Worker::start(&redis, "lost", &["--concurrency", "1"]);
    let mut sender = Sender::to(&redis, 100);
    sender.offer(&server.authority, 1);
    until("it runs", || server.count.most_at_once() == 1);
    // Another has no place for it, and finds that nobody has it any more.
    let _busy = Worker::start(&redis, "busy", &["--concurrency", "1"]);
    let due = sender.clock.moment();
    let url = format!("http://{}/busy", server.authority);
    let spec = super::sender::spec(&url, Duration::from_secs(40));
    sender.offer_one(1, due, &spec);
    until("another runs", || server.count.most_at_once() == 2);
    send(lost.pid(), Signal::KILL);
    let waiting = |redis: &Redis| redis.ask::<u64>(&["LLEN", "celery"]);
    until("it is on the queue again", || waiting(&redis) == 1);
    // A connection that broke is a reason to look for all that was sent.
    redis.shut_down();
    sender.until_figures("it is missed", |figures| figures.complaint().is_some());
    redis.start_again();
    sender.until_figures("all is well", |figures| figures.complaint().is_none());
    // What is seen here was asked after that.
    redis.ask::<()>(&["LPUSH", "celery", "no task"]);
    sender.until_figures("it was looked for", |figures| figures.depth == Some(2));
    assert_eq!(sender.figures().resent, 0);
    fleet.open_gate();
    sender.assert_all_up_once(2);
}

#[test]
fn what_no_worker_takes_is_missed_and_never_down() {
    let redis = Redis::new();
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let mut sender = Sender::to(&redis, 100);
    sender.offer(&server.authority, 50);
    sender.until_figures("they are in the queue", |figures| figures.depth == Some(50));
    // They are due again.
    let first = sender.clock.moment();
    let spec = super::sender::spec(
        &format!("http://{}/", server.authority),
        Duration::from_secs(5),
    );
    for site in 0..50 {
        let offered = sender.offer_one(site, first, &spec);
        assert!(
            matches!(offered, uptime_squirrel::paradigm::Offer::Renewed { .. }),
            "{offered:?}"
        );
    }
    sender.until_figures("it is said", |figures| {
        figures
            .complaint()
            .is_some_and(|text| text.contains("no worker takes checks"))
    });
    sender.receive();
    assert!(sender.answers.is_empty());
    // A worker comes: each is run once, for the time that it was due last.
    let _worker = Worker::start(&redis, "late", &[]);
    sender.assert_all_up_once(50);
    assert!(
        sender
            .answers
            .values()
            .all(|result| result.job.due == first)
    );
    assert_eq!(server.count.requests(), 50);
}

#[test]
fn what_expires_is_taken_back_and_sent_anew() {
    let redis = Redis::new();
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let queue = uptime_squirrel::paradigm::QueueOptions {
        broker: Some(redis.url()),
        expires: Duration::from_millis(500),
        ..uptime_squirrel::paradigm::QueueOptions::default()
    };
    let mut sender = Sender::start(queue, 100).unwrap();
    sender.offer(&server.authority, 20);
    sender.until_figures("they have expired again and again", |figures| {
        figures.expired >= 60
    });
    // Nothing piles up meanwhile.
    assert!(redis.ask::<u64>(&["LLEN", "celery"]) <= 20);
    assert_eq!(sender.dispatcher.unanswered(), 20);
    let _worker = Worker::start(&redis, "late", &[]);
    sender.assert_all_up_once(20);
}

#[test]
fn what_a_worker_takes_and_lets_expire_is_sent_anew() {
    let redis = Redis::new();
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let mut sender = Sender::to(&redis, 100);
    sender.offer(&server.authority, 1);
    until("it is in the queue", || {
        redis.ask::<u64>(&["LLEN", "celery"]) == 1
    });
    // A worker holds it and is so slow that it has expired when the worker reads it.
    let text: String = redis.ask(&["RPOP", "celery"]);
    let message: serde_json::Value = serde_json::from_str(&text).unwrap();
    let tag = message["properties"]["delivery_tag"].as_str().unwrap();
    redis.ask::<()>(&["HSET", "unacked", tag, "[]"]);
    sender.until_figures("it is seen there", |figures| figures.taken == 1);
    redis.ask::<()>(&["HDEL", "unacked", tag]);
    let id = message["headers"]["id"].as_str().unwrap();
    let expired = r#"{"status":"REVOKED","result":{"exc_type":"TaskRevokedError","exc_message":["expired"]}}"#;
    let key = format!("celery-task-meta-{id}");
    redis.ask::<()>(&["SETEX", &key, "60", expired]);
    redis.ask::<()>(&["PUBLISH", &key, expired]);
    until("it is in the queue again", || {
        redis.ask::<u64>(&["LLEN", "celery"]) == 1
    });
    sender.until_figures("it is counted", |figures| figures.expired == 1);
    let _worker = Worker::start(&redis, "late", &[]);
    sender.assert_all_up_once(1);
    assert_eq!(server.count.requests(), 1);
}

#[test]
fn a_switch_away_takes_back_what_no_worker_has() {
    let redis = Redis::new();
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let mut sender = Sender::to(&redis, CHECKS);
    sender.offer(&server.authority, CHECKS);
    until("they are in the queue", || {
        redis.ask::<usize>(&["LLEN", "celery"]) == CHECKS
    });
    let now = sender.clock.moment();
    let entry = super::sender::entry("async");
    sender.dispatcher.switch(entry, 100, None, now).unwrap();
    let receipts = sender.dispatcher.receipts(now);
    assert_eq!(receipts[0].handed_over, CHECKS);
    // The old one is gone with its receipt, and so is all that it had sent.
    until("it is taken back", || {
        redis.ask::<u64>(&["LLEN", "celery"]) == 0
    });
    sender.assert_all_up_once(CHECKS);
    assert_eq!(server.count.requests(), CHECKS);
}

#[test]
fn a_switch_away_from_a_broker_that_is_gone_adds_up() {
    let mut stage = Stage::set(Redis::new());
    let (redis, sender) = (&mut stage.redis, &mut stage.sender);
    // A hundred more wait in the queue: no worker has a place for them.
    sender.dispatcher.resize(CHECKS * 2);
    redis.kill();
    let due = sender.clock.moment();
    let url = format!("http://{}/", stage.server.authority);
    let spec = super::sender::spec(&url, Duration::from_secs(1));
    for site in CHECKS..CHECKS + 100 {
        sender.offer_one(site, due, &spec);
    }
    let now = sender.clock.moment();
    sender
        .dispatcher
        .switch(super::sender::entry("async"), 1_000, None, now)
        .unwrap();
    stage.fleet.open_gate();
    redis.start_again();
    sender.wait_for_answers(CHECKS + 100);
    let receipts = sender.dispatcher.receipts(sender.clock.moment());
    assert_eq!(receipts.len(), 1);
    let receipt = &receipts[0];
    assert_eq!(
        (receipt.in_flight, receipt.handed_over),
        (CHECKS + 100, 100)
    );
    assert_eq!(
        (receipt.lost(), receipt.counted_twice()),
        (0, 0),
        "{receipt}"
    );
}
