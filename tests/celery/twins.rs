//! Workers on one machine that were started alike.

use std::time::Duration;

use rustix::process::Signal;

use super::sender::Sender;
use crate::support::{Redis, Running, Squirrel, send};

/// Two workers, started with the same words.
fn twins<'a>(homes: &'a [Squirrel; 2], redis: &Redis, more: &[&str]) -> [Running; 2] {
    let url = redis.url();
    let words = ["worker", "--broker", url.expose()];
    let start = |home: &'a Squirrel| home.start(words.iter().chain(more).copied());
    homes.each_ref().map(start)
}

#[test]
fn workers_that_were_started_alike_are_told_apart_and_the_end_of_one_is_seen() {
    let host = rustix::system::uname();
    let host = host.nodename().to_str().unwrap();
    for more in [&[][..], &["--hostname", "same"]] {
        let redis = Redis::new();
        let homes = [Squirrel::new(), Squirrel::new()];
        let workers = twins(&homes, &redis, more);
        let pids = workers.each_ref().map(Running::pid);
        let named = |pid: u32| match more {
            [] => format!("squirrel-{pid}@{host}"),
            _ => format!("celery@same ({pid})"),
        };
        let sender = Sender::to(&redis, 100);
        sender.until_figures("both are there by their names", |figures| {
            pids.iter().all(|pid| {
                let mut found = figures.workers.iter();
                found.any(|one| one.pid == *pid && one.node == named(*pid) && one.alive)
            })
        });
        send(pids[0], Signal::KILL);
        sender.until_figures("the end of one is seen", |figures| {
            let alive = |pid| {
                let mut found = figures.workers.iter();
                found.any(|one| one.pid == pid && one.alive)
            };
            let dead = figures.workers.iter().find(|one| one.pid == pids[0]);
            alive(pids[1])
                && dead.is_some_and(|one| !one.alive && one.silent_for < Duration::from_secs(5))
        });
    }
}
