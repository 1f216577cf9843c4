//! `squirrel race`: the contract of its JSON, over workloads and over real sites.

use std::collections::{BTreeMap, BTreeSet};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Fleet, Squirrel, children_of, descendants, paradigms, until};

const FIELDS: [&str; 16] = [
    "paradigm",
    "workload",
    "gil",
    "jobs",
    "workers",
    "rounds",
    "sweep_ms",
    "speedup",
    "checks_per_s",
    "late_p95_ms",
    "threads",
    "processes",
    "cpu_s",
    "context_switches",
    "peak_rss_bytes",
    "error",
];

fn number(row: &Value, field: &str) -> f64 {
    row[field]
        .as_f64()
        .unwrap_or_else(|| panic!("{field} of {row}"))
}

/// The rows of a race, each complete and of its form.
fn race(args: &[&str]) -> Vec<Value> {
    let squirrel = Squirrel::new();
    let finished = squirrel.run(["race", "--format", "json"].iter().chain(args).copied());
    finished.assert_no_panic();
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    let rows = finished.objects();
    for row in &rows {
        let fields: BTreeSet<&str> = row
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(fields, BTreeSet::from(FIELDS));
        if !row["error"].is_null() {
            assert!(row["sweep_ms"].is_null(), "{row}");
            continue;
        }
        let rate = number(row, "jobs") / number(row, "sweep_ms") * 1e3;
        assert!(
            (number(row, "checks_per_s") / rate - 1.0).abs() < 0.01,
            "{row}"
        );
        assert!(number(row, "cpu_s") > 0.0);
        assert!(number(row, "context_switches") > 0.0);
        assert!(number(row, "peak_rss_bytes") > f64::from(1 << 20));
        assert!(number(row, "late_p95_ms") >= 0.0);
    }
    rows
}

fn row<'a>(rows: &'a [Value], paradigm: &str) -> &'a Value {
    rows.iter().find(|row| row["paradigm"] == paradigm).unwrap()
}

#[test]
fn every_paradigm_of_the_table_is_a_row_with_all_figures() {
    let rows = race(&["--workload", "sleep", "--length", "50ms", "--rounds", "2"]);
    let names: Vec<&str> = rows
        .iter()
        .map(|row| row["paradigm"].as_str().unwrap())
        .collect();
    assert_eq!(names, paradigms().collect::<Vec<_>>());
    let ran = rows.iter().filter(|row| row["error"].is_null());
    for row in ran {
        assert_eq!(row["workload"], "sleep");
        assert_eq!(row["gil"], false);
        assert_eq!((&row["jobs"], &row["rounds"]), (&4.into(), &2.into()));
        assert!(number(row, "sweep_ms") >= 50.0, "{row}");
    }
    let serial = row(&rows, "serial");
    assert_eq!(
        (number(serial, "speedup"), &serial["workers"]),
        (1.0, &1.into())
    );
    assert!(number(serial, "sweep_ms") >= 200.0);
    assert!(
        number(serial, "late_p95_ms") >= 150.0,
        "the last one waits for three"
    );
    for (paradigm, threads, processes) in [
        ("serial", 1, 1),
        ("threads", 4, 1),
        ("futures", 4, 1),
        // Each child's main thread, and the one that hands out jobs.
        ("processes", 5, 5),
        ("green", 1, 1),
    ] {
        let row = row(&rows, paradigm);
        assert_eq!(
            (&row["threads"], &row["processes"]),
            (&threads.into(), &processes.into()),
            "{row}"
        );
    }
    for concurrent in ["threads", "futures", "processes", "green", "async"] {
        let row = row(&rows, concurrent);
        assert!(number(row, "speedup") > 1.3, "{row}");
    }
}

/// What the system counts of a thread: processor time in hundredths of a second, and how often
/// it let go of its core to wait.
#[derive(Clone, Copy, Debug)]
struct Counted {
    cpu: u64,
    waits: u64,
}

/// The threads called `name-…` of a program and its children.
fn counted(pid: u32, name: &str) -> BTreeMap<String, Counted> {
    let mut all = BTreeMap::new();
    for pid in descendants(pid).into_iter().chain([pid]) {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task"));
        for task in tasks.into_iter().flatten().flatten() {
            // One that has ended meanwhile has no files any more.
            let read = |file| std::fs::read_to_string(task.path().join(file)).unwrap_or_default();
            let (stat, status) = (read("stat"), read("status"));
            let Some((before, after)) = stat.rsplit_once(')') else {
                continue;
            };
            let waits = status
                .lines()
                .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            let Some(waits) = waits.filter(|_| before.contains(&format!("({name}-"))) else {
                continue;
            };
            let user = after.split_whitespace().nth(11).unwrap();
            let counted = Counted {
                cpu: user.parse().unwrap(),
                waits: waits.trim().parse().unwrap(),
            };
            all.insert(task.file_name().into_string().unwrap(), counted);
        }
    }
    all
}

/// How often each of four threads waited while it computed for a tenth of a second.
fn waits(paradigm: &str, gil: &str, name: &str) -> Vec<u64> {
    const TENTH: u64 = 10;
    let running = Squirrel::new().start([
        "race",
        "--workload",
        "crunch",
        "--length",
        "250ms",
        "--gil",
        gil,
        "--paradigm",
        paradigm,
        "--rounds",
        "1",
        "--format",
        "json",
    ]);
    let mut first: BTreeMap<String, Counted> = BTreeMap::new();
    let mut waits: BTreeMap<String, u64> = BTreeMap::new();
    until("four have computed for a tenth of a second", || {
        for (tid, now) in counted(running.pid(), name) {
            if now.cpu == 0 {
                continue;
            }
            let before = *first.entry(tid.clone()).or_insert(now);
            if now.cpu >= before.cpu + TENTH {
                waits.entry(tid).or_insert(now.waits - before.waits);
            }
        }
        waits.len() == 4
    });
    waits.into_values().collect()
}

/// Whoever computes under a lock that others want waits for it after five milliseconds at the
/// latest; whoever has a lock to himself, or needs none, never waits. The system counts that,
/// and it holds however many others use the machine.
#[test]
fn under_the_lock_threads_wait_for_each_other_and_processes_never() {
    for (paradigm, gil, name) in [("processes", "on", "process"), ("threads", "off", "thread")] {
        let waits = waits(paradigm, gil, name);
        assert!(
            waits.iter().all(|waits| *waits < 7),
            "{paradigm}: {waits:?}"
        );
    }
    let waits = waits("threads", "on", "thread");
    assert!(waits.iter().all(|waits| *waits > 9), "threads: {waits:?}");
}

#[test]
fn the_work_of_children_counts_as_much_as_that_of_threads() {
    let rows = race(&[
        "--workload",
        "crunch",
        "--gil",
        "on",
        "--length",
        "100ms",
        "--rounds",
        "1",
        "--paradigm",
        "threads,processes",
    ]);
    assert_eq!(rows.len(), 2, "serial runs along and is not shown");
    let [threads, processes] = ["threads", "processes"].map(|name| row(&rows, name));
    assert_eq!(threads["gil"], true);
    assert!(number(threads, "speedup") > 0.0);
    let ratio = number(processes, "cpu_s") / number(threads, "cpu_s");
    assert!((0.5..2.0).contains(&ratio), "{ratio}");
}

#[test]
fn real_sites_are_asked_once_a_round_and_once_to_get_warm() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(
        toml::from_str(
            r"'*' = [{ wait = '30ms' }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
        )
        .unwrap(),
    );
    let urls = ["a", "b", "c"].map(|path| format!("http://{}/{path}", server.authority));
    let args = ["--paradigm", "serial,async", "--rounds", "2"];
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let rows = race(&[&args[..], &urls].concat());
    assert_eq!(rows.len(), 2);
    assert_eq!(server.count.requests(), 3 * (1 + 2 * 2));
    let tasks = row(&rows, "async");
    assert_eq!(
        (&tasks["workload"], &tasks["jobs"]),
        (&"http".into(), &3.into())
    );
    assert!(number(tasks, "speedup") > 1.2, "{tasks}");
    let alone = race(&[&["--paradigm", "async", "--rounds", "1"], &urls[..]].concat());
    assert!(alone[0]["speedup"].is_null(), "nobody ran one at a time");
}

#[test]
fn without_a_list_it_runs_over_the_sites_that_it_serves_itself() {
    let squirrel = Squirrel::new();
    let finished = squirrel.run([
        "race",
        "--format",
        "json",
        "--paradigm",
        "async",
        "--rounds",
        "1",
    ]);
    finished.assert_no_panic();
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    assert!(
        finished.stderr.contains("demo sites"),
        "{}",
        finished.stderr
    );
    assert!(
        finished.stderr.contains("round 1 of 1: async took"),
        "{}",
        finished.stderr
    );
    let rows = finished.objects();
    assert!(number(&rows[0], "jobs") > 20.0);
}

#[test]
fn a_table_says_who_won_and_why() {
    let squirrel = Squirrel::new();
    let finished = squirrel.run([
        "race",
        "--workload",
        "sleep",
        "--length",
        "40ms",
        "--rounds",
        "1",
    ]);
    finished.assert_no_panic();
    let table = String::from_utf8(finished.stdout).unwrap();
    for paradigm in paradigms() {
        assert!(
            table.lines().any(|line| line.starts_with(paradigm)),
            "{table}"
        );
    }
    assert!(
        table.contains("SPEED-UP") && table.contains(" won"),
        "{table}"
    );
}

#[test]
fn words_are_explained_and_mistakes_are_named() {
    let squirrel = Squirrel::new();
    let explained = squirrel.run(["race", "--explain"]);
    let text = String::from_utf8(explained.stdout.clone()).unwrap();
    for word in [
        "parallel",
        "process",
        "green thread",
        "interpreter lock",
        "work stealing",
        "queue",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert_eq!(explained.code(), 0);
    for (args, word) in [
        (&["race", "--paradigm", "fibres"][..], "fibres"),
        (&["race", "--rounds", "0"], "--rounds"),
        (&["race", "--gil", "maybe"], "maybe"),
        (
            &["race", "--workload", "sleep", "http://127.0.0.1/"],
            "--workload http",
        ),
        (
            &["race", "--length", "5", "--workload", "sleep"],
            "--length",
        ),
        (&["race", "--config", "none.toml"], "none.toml"),
        (
            &["race", "--workload", "sleep", "--trace", "nowhere/t.json"],
            "nowhere/t.json",
        ),
    ] {
        let finished = squirrel.run(args.iter().copied());
        finished.assert_no_panic();
        assert_eq!(finished.code(), 2, "{args:?}: {}", finished.stderr);
        assert!(
            finished.stderr.contains(word),
            "{args:?}: {}",
            finished.stderr
        );
        assert!(finished.stdout.is_empty());
    }
}

#[test]
fn a_race_that_is_interrupted_leaves_no_child_and_prints_what_it_has() {
    let squirrel = Squirrel::new();
    let running = squirrel.start([
        "race",
        "--workload",
        "crunch",
        "--length",
        "1h",
        "--paradigm",
        "processes",
        "--format",
        "json",
    ]);
    // Serial, which all are compared with, is in its hour; no child is there yet, but threads.
    until("it computes", || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", running.pid()));
        status.is_ok_and(|status| status.contains("Threads:\t3"))
    });
    let children = children_of(running.pid());
    running.signal(Signal::INT);
    let finished = running.finish();
    finished.assert_no_panic();
    assert_eq!(finished.code(), 130, "{}", finished.stderr);
    assert!(finished.stderr.contains("stopped"), "{}", finished.stderr);
    let rows = finished.objects();
    assert_eq!(rows.len(), 1);
    assert!(rows[0]["sweep_ms"].is_null());
    for child in children {
        assert!(!std::path::Path::new(&format!("/proc/{child}")).exists());
    }
}
