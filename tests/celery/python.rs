//! Beside a stock Python worker, and under the eyes of Celery's own tools.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use uptime_squirrel::domain::{CheckResult, Clock};

use super::sender::{Sender, Worker, spec};
use super::stock::{Stock, tool};
use crate::support::{Fleet, Redis, Script, until};

fn script(toml: &str) -> Script {
    toml::from_str(toml).unwrap()
}

/// The output of a Python program that inspects the node `celery@ours`.
fn inspect_ours(redis: &Redis, program: &str) -> Value {
    let begin = "import json; from squirrel_tasks import app; to = ['celery@ours']\n\
                 inspect = app.control.inspect(destination=to, timeout=20)\n";
    let output = tool("python", redis)
        .args(["-c", &format!("{begin}{program}")])
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

/// All that two workers must agree on: everything but who, when and how long.
fn essence(result: &CheckResult) -> Value {
    let mut value = serde_json::to_value(result).unwrap();
    let object = value.as_object_mut().unwrap();
    for own in ["job", "started_at", "started", "latency", "late", "ran_on"] {
        assert!(object.remove(own).is_some(), "{own}");
    }
    let strip = |phases: &mut Value| {
        for phase in phases.as_object_mut().unwrap().values_mut() {
            *phase = json!(!phase.is_null());
        }
    };
    strip(&mut object["phases"]);
    for hop in object["hops"].as_array_mut().unwrap() {
        strip(&mut hop["phases"]);
        hop.as_object_mut().unwrap().remove("took");
        for attempt in hop["failed_connects"].as_array_mut().unwrap() {
            attempt.as_object_mut().unwrap().remove("took");
        }
    }
    value
}

#[test]
fn a_stock_worker_and_ours_share_a_queue_and_agree_field_by_field() {
    let redis = Redis::new();
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"
'* /ok' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']
'* /gone' = ['HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n']
'HEAD /head' = ['HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n']
'GET /head' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']
'* /moved' = ['HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n']
'* /rubbish' = ['what?\r\n\r\n']
'* /slow' = [{ hang = true }]
",
    ));
    let _ours = Worker::start(&redis, "ours", &["--concurrency", "2"]);
    let _stock = Stock::start(&redis, 2);
    let mut sender = Sender::to(&redis, 1_000);
    sender.until_figures("both are there", |figures| {
        figures.workers.iter().filter(|worker| worker.alive).count() == 2
    });
    let paths = ["ok", "gone", "head", "moved", "rubbish", "slow"];
    let urls: Vec<String> = paths
        .iter()
        .map(|path| format!("http://{}/{path}", server.authority))
        .chain(["http://127.0.0.1:1/".to_owned()])
        .collect();
    const ROUNDS: usize = 12;
    let due = sender.clock.moment();
    for round in 0..ROUNDS {
        for (index, url) in urls.iter().enumerate() {
            let spec = spec(url, Duration::from_millis(700));
            sender.offer_one(round * urls.len() + index, due, &spec);
        }
    }
    sender.wait_for_answers(ROUNDS * urls.len());
    let mut by_url: BTreeMap<usize, BTreeMap<bool, Value>> = BTreeMap::new();
    for (site, result) in &sender.answers {
        let ours = &*result.ran_on.host == "ours";
        let thread = if ours {
            "celery-worker"
        } else {
            "celery-probe"
        };
        assert_eq!(&*result.ran_on.thread, thread);
        by_url
            .entry(site % urls.len())
            .or_default()
            .insert(ours, essence(result));
    }
    let (mut compared, mut ours_ran, mut stock_ran) = (0, false, false);
    for (index, pair) in by_url {
        ours_ran |= pair.contains_key(&true);
        stock_ran |= pair.contains_key(&false);
        if let (Some(ours), Some(stock)) = (pair.get(&true), pair.get(&false)) {
            assert_eq!(ours, stock, "{}", urls[index]);
            compared += 1;
        }
    }
    assert!(ours_ran && stock_ran && compared >= 4, "{compared}");
    assert_eq!((sender.twins, sender.figures().duplicates), (0, 0));
}

/// The checks come one by one, each to two workers that wait: neither is always the quicker.
#[test]
fn a_stock_worker_and_ours_get_their_shares_of_single_checks() {
    const CHECKS: usize = 60;
    let redis = Redis::new();
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let _ours = Worker::start(&redis, "ours", &[]);
    let _stock = Stock::start(&redis, 2);
    let mut sender = Sender::to(&redis, 1_000);
    let by_ours = |result: &&CheckResult| &*result.ran_on.host == "ours";
    // A stock worker says that it is there before it waits for messages.
    until("both take checks", || {
        sender.offer_after_the_last(&server.authority);
        let ours = sender.answers.values().filter(by_ours).count();
        ours > 0 && ours < sender.answers.len()
    });
    sender.wait_for_answers(1);
    let before = sender.answers.len();
    until("all are answered", || {
        if sender.answers.len() < before + CHECKS {
            sender.offer_after_the_last(&server.authority);
        }
        sender.answers.len() == before + CHECKS
    });
    let later = sender.answers.range(before..).map(|(_, result)| result);
    let ours = later.filter(by_ours).count();
    assert!((CHECKS / 5..=CHECKS * 4 / 5).contains(&ours), "{ours}");
    assert_eq!(sender.twins, 0);
}

#[test]
fn a_stock_worker_killed_while_it_holds_checks_has_them_run_by_ours() {
    let redis = Redis::new();
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"'*' = [{ gate = true }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let mut stock = Stock::start(&redis, 2);
    let mut sender = Sender::to(&redis, 1_000);
    sender.until_figures("it is there", |figures| figures.workers.len() == 1);
    sender.offer(&server.authority, 6);
    until("two are run", || server.count.most_at_once() == 2);
    stock.kill();
    let _ours = Worker::start(&redis, "ours", &[]);
    fleet.open_gate();
    sender.assert_all_up_once(6);
}

#[test]
fn a_check_is_seen_on_its_stock_worker_before_it_is_answered() {
    let redis = Redis::new();
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"'*' = [{ gate = true }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let stock = Stock::start(&redis, 2);
    let mut sender = Sender::to(&redis, 1_000);
    sender.recorder.switch(true);
    sender.offer(&server.authority, 5);
    let mut seen = Vec::new();
    until("two of them are in flight", || {
        let in_flight = sender.recorder.in_flight(sender.clock.moment());
        seen = in_flight
            .into_iter()
            .filter_map(|check| check.remote_worker)
            .collect();
        seen.len() == 2
    });
    let children = crate::support::descendants(stock.pid());
    for who in &seen {
        assert_eq!((&*who.host, &*who.thread), ("stock", "celery-probe"));
        assert!(children.contains(&who.pid), "{who:?} {children:?}");
    }
    assert_eq!(sender.recorder.received(), []);
    sender.until_figures("the others are on the queue", |figures| {
        (figures.taken, figures.received, figures.depth) == (2, 0, Some(3))
    });
    fleet.open_gate();
    sender.assert_all_up_once(5);
    for result in sender.answers.values() {
        assert!(seen.contains(&result.ran_on), "{:?}", result.ran_on);
    }
}

#[test]
fn celery_inspects_and_controls_our_worker() {
    let redis = Redis::new();
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"'*' = [{ gate = true }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let worker = Worker::start(&redis, "ours", &["--concurrency", "2"]);
    let mut sender = Sender::to(&redis, 1_000);
    let due = sender.clock.moment();
    for site in 0..3 {
        let url = format!("http://{}/{site}", server.authority);
        // However long Python takes to begin on a busy machine.
        sender.offer_one(site, due, &spec(&url, Duration::from_secs(300)));
    }
    until("two are run", || server.count.most_at_once() == 2);

    const NODE: &str = "celery@ours";
    let ping = tool("celery", &redis)
        .args([
            "--app",
            "squirrel_tasks",
            "inspect",
            "ping",
            "--timeout",
            "5",
        ])
        .args(["--json", "--destination", NODE])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ping.stdout);
    assert!(
        said.contains(r#"{"celery@ours": {"ok": "pong"}}"#),
        "{ping:?}"
    );
    let seen = inspect_ours(
        &redis,
        "seen = {name: getattr(inspect, name)()[to[0]] for name in\n\
         ['registered', 'stats', 'active', 'active_queues', 'reserved', 'revoked', 'conf']}\n\
         id = seen['active'][0]['id']\n\
         seen['told'] = app.control.terminate(id, destination=to, reply=True, timeout=20)\n\
         print(json.dumps(seen))",
    );
    assert_eq!(seen["registered"], json!(["squirrel.check"]));
    assert_eq!(seen["stats"]["pid"], json!(worker.pid()));
    assert_eq!(seen["stats"]["pool"]["max-concurrency"], json!(2));
    assert_eq!(seen["active"].as_array().unwrap().len(), 2);
    assert_eq!(seen["active"][0]["name"], "squirrel.check");
    assert_eq!(seen["active_queues"][0]["name"], "celery");
    let told = &seen["told"][0][NODE]["ok"];
    assert!(told.as_str().unwrap().contains("terminated"), "{told}");

    // One that runs is broken off; it is answered, and not up.
    sender.wait_for_answers(1);
    let broken_off = sender.answers.values().next().unwrap();
    assert_eq!(
        broken_off.error.as_deref(),
        Some("could not check: a worker did not run it: it was terminated")
    );
    until("the third is run", || server.count.requests() == 3);

    // A warm end: what it holds is finished first.
    inspect_ours(
        &redis,
        "app.control.shutdown(destination=to); print(json.dumps('told'))",
    );
    sender.until_figures("it holds two", |figures| {
        figures.workers.iter().any(|worker| worker.active == 2)
    });
    assert!(sender.figures().workers.iter().all(|one| one.node == NODE));
    fleet.open_gate();
    let finished = worker.running.finish();
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    sender.wait_for_answers(3);
    sender.until_figures("its end is told", |figures| {
        figures.workers.iter().all(|worker| !worker.alive)
    });
}

/// What `celery events --dump` prints while a check is run.
#[test]
fn celery_hears_the_events_of_our_worker_and_its_tasks() {
    let redis = Redis::new();
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let _worker = Worker::start(&redis, "ours", &["--heartbeat-interval", "500ms"]);
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut dump = tool("celery", &redis)
        .args(["--app", "squirrel_tasks", "events", "--dump"])
        .env("PYTHONUNBUFFERED", "1")
        .stdout(log.reopen().unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let heard = |what: &str| std::fs::read_to_string(log.path()).unwrap().contains(what);
    until("a heartbeat is heard", || heard("celery@ours"));
    let mut sender = Sender::to(&redis, 1_000);
    // The first may be run before the worker knows that there is a subscriber.
    until("a task is followed to its end", || {
        sender.offer_after_the_last(&server.authority);
        ["received", "started", "succeeded"]
            .iter()
            .all(|state| heard(state))
    });
    dump.kill().unwrap();
    dump.wait().unwrap();
}
