//! A broker that is there and refuses: it is named by the word with which it does, on the screen, by
//! `check` and by the worker, until a write succeeds.

use std::time::Duration;

use uptime_squirrel::domain::Clock;

use super::sender::{Sender, Worker};
use crate::support::{Finished, Fleet, Redis, Running, Script, Server, Squirrel, until};

const WELL: &str = r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']";

fn serve(fleet: &mut Fleet) -> Server {
    let script: Script = toml::from_str(WELL).unwrap();
    fleet.serve(script)
}

/// A worker whose standard error can be read while it runs.
pub(crate) struct Heard {
    home: Squirrel,
    pub(crate) running: Running,
}

impl Heard {
    pub(crate) fn start(broker: &str) -> Self {
        let home = Squirrel::new().through(["/bin/sh", "-c", "exec \"$@\" 2>said", "sh"]);
        let words = ["worker", "--broker", broker, "--hostname", "ours"];
        let running = home.start(words);
        Self { home, running }
    }

    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(self.home.dir().join("said")).unwrap_or_default()
    }

    pub(crate) fn until_said(&self, what: &str) {
        until(&format!("the worker says {what:?}"), || {
            self.said().contains(what)
        });
    }
}

fn check(broker: &str, server: &Server) -> Finished {
    let site = format!("http://{}/", server.authority);
    let words = [
        "check",
        "--paradigm",
        "celery",
        "--format",
        "json",
        "--broker",
    ];
    Squirrel::new().run(words.into_iter().chain([broker, &site]))
}

/// A way to refuse, and to end that.
struct Way {
    word: &'static str,
    begin: &'static [&'static [&'static str]],
    end: &'static [&'static [&'static str]],
}

const WAYS: [Way; 4] = [
    Way {
        word: "OOM (its memory is full",
        begin: &[&["CONFIG", "SET", "maxmemory", "1"]],
        end: &[&["CONFIG", "SET", "maxmemory", "0"]],
    },
    Way {
        word: "READONLY (it is a replica",
        begin: &[&["REPLICAOF", "127.0.0.1", "1"]],
        end: &[&["REPLICAOF", "NO", "ONE"]],
    },
    Way {
        word: "NOREPLICAS (too few replicas",
        begin: &[&["CONFIG", "SET", "min-replicas-to-write", "1"]],
        end: &[&["CONFIG", "SET", "min-replicas-to-write", "0"]],
    },
    Way {
        word: "NOPERM (its user may not do that",
        begin: &[
            &[
                "ACL",
                "SETUSER",
                "admin",
                "on",
                ">admin",
                "allcommands",
                "allkeys",
            ],
            &["ACL", "SETUSER", "default", "-lpush"],
        ],
        end: &[
            &["AUTH", "admin", "admin"],
            &["ACL", "SETUSER", "default", "+@all"],
        ],
    },
];

fn ask(connection: &mut redis::Connection, commands: &[&[&str]]) {
    for words in commands {
        let mut command = redis::cmd(words[0]);
        words[1..].iter().for_each(|word| {
            command.arg(*word);
        });
        command.query::<()>(connection).unwrap();
    }
}

#[test]
fn a_refusal_is_named_by_check_and_worker_until_it_ends() {
    let mut fleet = Fleet::new();
    let server = serve(&mut fleet);
    for way in WAYS {
        let redis = Redis::new();
        let mut admin = redis.connection();
        let broker = redis.url().expose().to_owned();
        let worker = Heard::start(&broker);
        // It works, and then it does not.
        assert_eq!(check(&broker, &server).code(), 0, "{}", worker.said());
        ask(&mut admin, way.begin);
        let finished = check(&broker, &server);
        finished.assert_no_panic();
        assert_eq!(finished.code(), 3, "{}", finished.stderr);
        let sentence = format!("the broker at {broker} refuses: {}", way.word);
        let said = &finished.stderr;
        assert!(
            said.contains(&sentence) && said.lines().count() == 1,
            "{said}"
        );
        let error = finished.objects()[0]["error"].as_str().unwrap().to_owned();
        assert!(error.contains(&sentence), "{error}");
        worker.until_said(&format!("squirrel: {sentence}"));
        ask(&mut admin, way.end);
        worker.until_said(&format!("the broker at {broker} can be used again"));
        assert_eq!(check(&broker, &server).code(), 0, "{}", worker.said());
        // It is said once, not at every try.
        let said = worker.said();
        assert_eq!(said.matches(way.word).count(), 1, "{said}");
        drop(worker.running);
    }
}

#[test]
fn a_running_monitor_names_a_refusal_without_a_break_and_goes_on_when_it_ends() {
    let mut fleet = Fleet::new();
    let server = serve(&mut fleet);
    for way in WAYS {
        let redis = Redis::new();
        let mut admin = redis.connection();
        let _worker = Worker::start(&redis, "ours", &[]);
        let mut sender = Sender::to(&redis, 100);
        sender.offer(&server.authority, 5);
        sender.assert_all_up_once(5);
        ask(&mut admin, way.begin);
        let due = sender.clock.moment();
        let url = format!("http://{}/later", server.authority);
        let spec = super::sender::spec(&url, Duration::from_secs(5));
        sender.offer_one(5, due, &spec);
        sender.until_figures("it is named", |figures| {
            figures
                .complaint()
                .is_some_and(|why| why.contains(way.word))
        });
        // Reads succeed meanwhile, and end nothing.
        sender.until_figures("it is named for three seconds", |figures| {
            let trouble = figures.trouble.as_ref();
            let (why, since) = trouble.expect("it was taken for mended");
            assert!(why.contains(way.word), "{why}");
            *since > Duration::from_secs(3)
        });
        ask(&mut admin, way.end);
        sender.assert_all_up_once(6);
        sender.until_figures("all is well", |figures| figures.complaint().is_none());
    }
}

/// It writes and may not publish: each heartbeat is refused, and a test of writing succeeds in between.
#[test]
fn a_worker_that_may_not_publish_says_so_once_and_not_that_it_is_over() {
    let redis = Redis::new();
    let mut admin = redis.connection();
    let broker = redis.url().expose().to_owned();
    let worker = Heard::start(&broker);
    until("the worker is there", || {
        redis.ask::<String>(&["CLIENT", "LIST"]).contains("blmove")
    });
    ask(
        &mut admin,
        &[
            &["ACL", "SETUSER", "admin", "on", ">admin", "+@all", "~*"],
            &["ACL", "SETUSER", "default", "resetchannels"],
            &["AUTH", "admin", "admin"],
            &["CONFIG", "RESETSTAT"],
        ],
    );
    worker.until_said("refuses: NOPERM (");
    let mut writes = || {
        let stats: String = redis::cmd("INFO")
            .arg("commandstats")
            .query(&mut admin)
            .unwrap();
        let publish = stats
            .lines()
            .find(|line| line.starts_with("cmdstat_evalsha:"));
        publish.map_or(0, |line| {
            let calls = line
                .split(['=', ','])
                .nth(1)
                .and_then(|calls| calls.parse().ok());
            calls.unwrap_or(0_u64)
        })
    };
    let before = writes();
    until("some writes succeeded", || writes() >= before + 4);
    let said = worker.said();
    assert_eq!(said.lines().count(), 1, "{said}");
    ask(&mut admin, &[&["ACL", "SETUSER", "default", "allchannels"]]);
    worker.until_said("can be used again");
    let said = worker.said();
    assert_eq!(said.lines().count(), 2, "{said}");
    drop(worker.running);
}

#[test]
fn a_broker_that_cannot_save_is_named() {
    let mut fleet = Fleet::new();
    let server = serve(&mut fleet);
    let redis = Redis::with(&["--save", "3600 1"]);
    std::fs::remove_dir_all(redis.data()).unwrap();
    redis.ask::<()>(&["SET", "a", "b"]);
    redis.ask::<()>(&["BGSAVE"]);
    let info = || redis.ask::<String>(&["INFO", "persistence"]);
    until("saving has failed", || {
        info().contains("rdb_last_bgsave_status:err")
    });
    let broker = redis.url().expose().to_owned();
    let worker = Heard::start(&broker);
    worker.until_said("refuses: MISCONF (it cannot save its data");
    let finished = check(&broker, &server);
    assert_eq!(finished.code(), 3);
    assert!(
        finished.stderr.contains("refuses: MISCONF ("),
        "{}",
        finished.stderr
    );
    redis.ask::<()>(&["CONFIG", "SET", "stop-writes-on-bgsave-error", "no"]);
    worker.until_said("can be used again");
    assert_eq!(check(&broker, &server).code(), 0);
}

#[test]
fn a_broker_with_as_many_clients_as_it_takes_is_named() {
    let mut fleet = Fleet::new();
    let server = serve(&mut fleet);
    let redis = Redis::new();
    let mut admin = redis.connection();
    ask(&mut admin, &[&["CONFIG", "SET", "maxclients", "1"]]);
    let broker = redis.url().expose().to_owned();
    let worker = Heard::start(&broker);
    let finished = check(&broker, &server);
    assert_eq!(finished.code(), 3);
    let sentence = format!("the broker at {broker} refuses: max clients (");
    assert!(finished.stderr.contains(&sentence), "{}", finished.stderr);
    worker.until_said(&sentence);
    ask(&mut admin, &[&["CONFIG", "SET", "maxclients", "1000"]]);
    worker.until_said("can be used again");
    assert_eq!(check(&broker, &server).code(), 0);
}

#[test]
fn a_broker_that_reads_its_data_is_waited_for_and_named() {
    let mut fleet = Fleet::new();
    let server = serve(&mut fleet);
    let mut redis = Redis::with(&["--save", "3600 1"]);
    // They are compressed: what can be read at once is not waited for.
    let mut text = String::new();
    for number in 0..2_000 {
        text.push_str(&format!("{:x}", number * 7_919));
    }
    for key in 0..40 {
        redis.ask::<()>(&["SET", &format!("key {key}"), &format!("{text}{key}")]);
    }
    let broker = redis.url().expose().to_owned();
    let worker = Heard::start(&broker);
    until("the worker is there", || {
        redis.ask::<String>(&["CLIENT", "LIST"]).contains("blmove")
    });
    redis.shut_down();
    // A tenth of a second for each key; it answers in between.
    let slowly = [
        "--key-load-delay",
        "100000",
        "--loading-process-events-interval-bytes",
        "1024",
    ];
    redis.begin_again(&slowly);
    worker.until_said("refuses: LOADING (it is still reading its data)");
    let finished = check(&broker, &server);
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    worker.until_said("can be used again");
}

#[test]
fn a_cluster_and_a_sentinel_are_refused_with_a_sentence() {
    let mut fleet = Fleet::new();
    let server = serve(&mut fleet);
    let cluster = Redis::with(&["--cluster-enabled", "yes"]);
    let sentinel = Redis::sentinel(&["port 0"]);
    for (redis, kind) in [
        (
            &cluster,
            "is a Redis Cluster, on which Celery's queue does not work",
        ),
        (
            &sentinel,
            "is a Sentinel: it is asked for a server by sentinel://",
        ),
    ] {
        let broker = redis.url().expose().to_owned();
        let sentence = format!("squirrel: {broker} {kind}");
        let finished = check(&broker, &server);
        assert_eq!(finished.code(), 3, "{}", finished.stderr);
        assert!(
            finished.stderr.starts_with(&sentence),
            "{}",
            finished.stderr
        );
        assert_eq!(finished.stderr.lines().count(), 1, "{}", finished.stderr);
        let worker = Heard::start(&broker);
        worker.until_said(&sentence);
        assert_eq!(worker.running.finish().code(), 2);
    }
}
