//! Workers whose clocks or zones are not this machine's.

use std::time::Duration;

use serde_json::Value;
use uptime_squirrel::domain::Clock;

use super::sender::{Sender, Worker};
use super::stock::{Stock, tool};
use crate::support::{Fleet, Redis, Script, Squirrel, faketime, until};

fn script(toml: &str) -> Script {
    toml::from_str(toml).unwrap()
}

const WELL: &str = r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']";

#[test]
fn a_stock_worker_whose_clock_is_ahead_is_named_and_sent_little() {
    let redis = Redis::new();
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(WELL));
    let library = faketime();
    let _stock = Stock::start_in(
        &redis,
        1,
        &[
            ("LD_PRELOAD", &library),
            ("FAKETIME", "+600s"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ],
    );
    let mut sender = Sender::to(&redis, 100);
    sender.until_figures("it is there", |figures| {
        figures.workers.iter().any(|worker| worker.alive)
    });
    sender.offer(&server.authority, 3);
    sender.until_figures("it is named", |figures| {
        figures.complaint().is_some_and(|why| {
            why.starts_with("py@stock discards checks as expired: its clock is ")
                && figures.expired >= 12
        })
    });
    // Each of three was discarded four times: at least 250, 500 and 1,000 ms lie between.
    assert!(sender.figures().expired < 30, "{:?}", sender.figures());
    sender.receive();
    assert!(sender.answers.is_empty());
    let home = Squirrel::new();
    let authority = &server.authority;
    let sites = format!("[monitor]\ntimeout = '1s'\n[[sites]]\nurl = 'http://{authority}/'\n");
    home.write("sites.toml", sites);
    let url = redis.url();
    let words = ["check", "--config", "sites.toml", "--paradigm", "celery"];
    let finished =
        home.run(
            words
                .into_iter()
                .chain(["--broker", url.expose(), "--format", "json"]),
        );
    let objects = finished.objects();
    let error = objects[0]["error"].as_str().unwrap();
    assert!(
        error.contains("py@stock discards checks as expired"),
        "{error}"
    );
    // Another worker has its chance each time.
    let _ours = Worker::start(&redis, "ours", &[]);
    sender.assert_all_up_once(3);
    let mut hosts = sender.answers.values().map(|result| &*result.ran_on.host);
    assert!(hosts.all(|host| host == "ours"));
}

#[test]
fn a_monitor_whose_clock_is_wrong_has_its_checks_run_at_once() {
    let redis = Redis::new();
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(WELL));
    let _stock = Stock::start(&redis, 1);
    let library = faketime();
    for clock in ["-600s", "+600s"] {
        redis.ask::<()>(&["CONFIG", "RESETSTAT"]);
        let site = format!("http://{}/", server.authority);
        let url = redis.url();
        let wrong = [
            format!("LD_PRELOAD={library}"),
            format!("FAKETIME={clock}"),
            "FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
        ];
        let words = ["check", "--paradigm", "celery", "--broker", url.expose()];
        let finished = Squirrel::new()
            .through(["/usr/bin/env", &wrong[0], &wrong[1], &wrong[2]])
            .run(words.into_iter().chain([&*site]));
        finished.assert_no_panic();
        assert_eq!(finished.code(), 0, "{clock}: {}", finished.stderr);
        // The worker took no message for expired, which is a result as well.
        let stats: String = redis.ask(&["INFO", "commandstats"]);
        assert!(stats.contains("cmdstat_setex:calls=1,"), "{clock}: {stats}");
    }
}

/// Events of a worker as Celery's receiver hands them on, which adds the difference of the zones to
/// their time.
const RECEIVER: &str = "
import json, sys
from squirrel_tasks import app
with app.connection_for_read() as connection:
    seen = {}
    def beat(event):
        seen[event['hostname']] = event['timestamp'] - event['local_received'], event['utcoffset']
        if 'celery@ours' in seen and 'py@stock' in seen:
            raise SystemExit(print(json.dumps(seen)))
    receiver = app.events.Receiver(connection, handlers={'worker-heartbeat': beat})
    receiver.capture(limit=None, timeout=60, wakeup=True)
";

#[test]
fn the_events_of_our_worker_are_of_the_time_that_those_of_a_stock_one_are() {
    // West of Greenwich, east by half an hour, and with daylight saving all the year.
    for zone in ["XST5", "XST-5:30", "XST3XDT,J1/0,J365/25"] {
        let redis = Redis::new();
        let variable = format!("TZ={zone}");
        let squirrel = Squirrel::new().through(["/usr/bin/env", &variable]);
        let url = redis.url();
        let words = ["worker", "--broker", url.expose(), "--hostname", "ours"];
        let _ours = squirrel.start(words);
        let _stock = Stock::start_in(&redis, 1, &[("TZ", zone)]);
        let output = tool("python", &redis)
            .env("TZ", zone)
            .args(["-c", RECEIVER])
            .output()
            .unwrap();
        let seen: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{zone}: {error}: {output:?}"));
        assert_eq!(seen["celery@ours"][1], seen["py@stock"][1], "{zone}");
        for node in ["celery@ours", "py@stock"] {
            let late = seen[node][0].as_f64().unwrap();
            // Far less than the half hour by which zones differ at least.
            assert!(late.abs() < 600.0, "{zone}: {node}: {late}");
        }
    }
}

#[test]
fn a_check_that_outlasts_a_stock_workers_visibility_timeout_stays_with_it() {
    let redis = Redis::new();
    let mut fleet = Fleet::new();
    let held = r"'*' = [{ gate = true }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']";
    let server = fleet.serve(script(held));
    // Both restore what seems to be lost after 3 s: the check of either is to stay with it.
    let _stock = Stock::start_in(&redis, 1, &[("SQUIRREL_VISIBILITY_TIMEOUT", "3")]);
    let mut sender = Sender::to(&redis, 100);
    sender.until_figures("it is there", |figures| figures.workers.len() == 1);
    // A HEAD that is silent for half of it is asked again by GET.
    let timeout = Duration::from_secs(300);
    let spec = |path: &str| {
        let url = format!("http://{}/{path}", server.authority);
        super::sender::spec(&url, timeout)
    };
    let due = sender.clock.moment();
    sender.offer_one(0, due, &spec("stock"));
    until("the stock worker runs it", || {
        server.count.most_at_once() == 1
    });
    let url = redis.url();
    let squirrel = Squirrel::new();
    // A worker of ours with a timeout of its own that is far longer.
    let words = ["worker", "--broker", url.expose(), "--hostname", "ours"];
    let _ours = squirrel.start(words.into_iter().chain(["--visibility-timeout", "180s"]));
    sender.offer_one(1, due, &spec("ours"));
    until("ours runs another", || server.count.most_at_once() == 2);
    let renewed = || -> f64 {
        let held: Vec<(String, f64)> =
            redis.ask(&["ZRANGE", "unacked_index", "0", "-1", "WITHSCORES"]);
        assert_eq!(held.len(), 2, "{held:?}");
        held.into_iter().map(|(_, at)| at).fold(f64::MAX, f64::min)
    };
    let taken = renewed();
    until("both are renewed, far beyond 3 s", || {
        renewed() > taken + 7.0
    });
    assert_eq!(server.count.requests(), 2);
    fleet.open_gate();
    sender.assert_all_up_once(2);
    assert_eq!(sender.figures().duplicates, 0);
}
