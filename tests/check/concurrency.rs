//! How many checks are in flight: never more than the workers, and as many as there are.

use std::collections::BTreeSet;

use super::sites::{home, sites_at, start};
use crate::support::{Fleet, Script, paradigms};

fn script(toml: &str) -> Script {
    toml::from_str(toml).unwrap()
}

#[test]
fn workers_are_never_exceeded_and_all_used() {
    // An answer comes only when the expected number of requests is there at once: with fewer
    // in flight the sites time out and the test fails; with more, the server has counted them.
    let cases = paradigms().flat_map(|paradigm| match paradigm {
        "serial" => [(paradigm, 1, 1), (paradigm, 8, 1)],
        _ => [(paradigm, 4, 4), (paradigm, 8, 8)],
    });
    for (paradigm, workers, at_once) in cases {
        let mut fleet = Fleet::new();
        let server = fleet.serve(script(&format!(
            r"'*' = [{{ gather = {at_once} }}, {{ wait = '15ms' }}, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']"
        )));
        let squirrel = home(
            &fleet,
            sites_at(&server, 32, &toml::toml! { timeout = "20s" }),
        );
        let finished = start(&squirrel, paradigm, workers).finish();
        assert_eq!(
            finished.code(),
            0,
            "{paradigm} {workers}: {}",
            finished.stderr
        );
        assert_eq!(finished.objects().len(), 32);
        assert_eq!(
            server.count.most_at_once(),
            at_once,
            "{paradigm} --workers {workers}"
        );
    }
}

#[test]
fn sixteen_threads_wait_for_sixteen_sites_together() {
    for paradigm in ["threads", "futures", "processes"] {
        let mut fleet = Fleet::new();
        let server = fleet.serve(script(
        r"'*' = [{ gather = 16 }, { wait = '50ms' }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
        let squirrel = home(
            &fleet,
            sites_at(&server, 64, &toml::toml! { timeout = "20s" }),
        );
        let finished = start(&squirrel, paradigm, 16).finish();
        assert_eq!(finished.code(), 0, "{}", finished.stderr);
        assert_eq!(server.count.most_at_once(), 16);
        let threads: BTreeSet<_> = finished
            .objects()
            .iter()
            .map(|line| line["tid"].as_u64().unwrap())
            .collect();
        assert_eq!(
            threads.len(),
            16,
            "sixteen checks at once are sixteen threads"
        );
    }
}

#[test]
fn every_check_is_a_new_connection() {
    for paradigm in paradigms() {
        let mut fleet = Fleet::new();
        // The server would keep the connection for the next request.
        let server = fleet.serve(script(
            r"'*' = ['HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=60\r\nContent-Length: 0\r\n\r\n', { hang = true }]",
        ));
        let squirrel = home(&fleet, sites_at(&server, 20, &toml::Table::new()));
        let finished = start(&squirrel, paradigm, 2).finish();
        assert_eq!(finished.code(), 0, "{paradigm}: {}", finished.stderr);
        assert_eq!(server.count.requests(), 20, "{paradigm}");
        assert_eq!(server.count.connections(), 20, "{paradigm}");
    }
}

#[test]
fn under_serial_each_check_starts_after_the_one_before_has_ended() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"'*' = [{ wait = '30ms' }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let squirrel = home(&fleet, sites_at(&server, 10, &toml::Table::new()));
    let finished = start(&squirrel, "serial", 1).finish();
    let number = |line: &serde_json::Value, field: &str| line[field].as_f64().unwrap();
    let lines = finished.objects();
    for pair in lines.windows(2) {
        let ended = number(&pair[0], "late_ms") + number(&pair[0], "latency_ms");
        // Lateness is counted from the beginning of the sweep, on one clock.
        assert!(
            number(&pair[1], "late_ms") + 1.0 >= ended,
            "{} then {}",
            pair[0],
            pair[1]
        );
    }
    let last = &lines[lines.len() - 1];
    assert!(number(last, "late_ms") >= 9.0 * 30.0, "{last}");
}

/// The soft limit of open files is raised to the hard one, and what is left of that beside the
/// program's own files is used: 64 of them are ten threads, or thirty tasks.
#[test]
fn few_open_files_are_used_and_a_soft_limit_is_raised() {
    for (paradigm, limit, at_once) in [
        ("threads", "-n 64", 10),
        ("futures", "-n 64", 10),
        ("green", "-n 64", 30),
        ("async", "-n 64", 30),
        ("threads", "-Sn 40", 16),
        ("async", "-Sn 40", 100),
    ] {
        let mut fleet = Fleet::new();
        let server = fleet.serve(script(&format!(
            r"'*' = [{{ gather = {at_once} }}, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']"
        )));
        let sites = sites_at(&server, at_once, &toml::toml! { timeout = "20s" });
        let squirrel = home(&fleet, sites).through([
            "sh",
            "-c",
            &format!("ulimit {limit}; exec \"$@\""),
            "sh",
        ]);
        let finished = start(&squirrel, paradigm, 100).finish();
        let context = format!("{paradigm} {limit}: {}", finished.stderr);
        assert_eq!(finished.code(), 0, "{context}");
        assert_eq!(server.count.most_at_once(), at_once, "{context}");
    }
}
