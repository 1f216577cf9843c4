//! Who ran a check is what the kernel says of it, while it runs.

use std::collections::BTreeSet;
use std::time::Duration;

use uptime_squirrel::domain::{
    CertificateFile, CheckSpec, JobId, MaskedUrl, Moment, SiteId, Timestamp, Verdict,
};
use uptime_squirrel::probe::{ProberFactory, Start};
use uptime_squirrel::trace;

use super::sites::{home, site, sites_at, start};
use crate::support::{
    Fleet, Script, Task, children_of, paradigms, processor_time, tasks_of, until,
};

const HELD: &str = r"'*' = [{ gate = true }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']";

fn script(toml: &str) -> Script {
    toml::from_str(toml).unwrap()
}

/// Sweeps four held sites with four workers, and compares what was reported with the threads
/// that were there while the checks were in flight.
#[test]
fn pid_tid_and_name_are_those_of_a_thread_that_is_there_during_the_check() {
    for paradigm in paradigms() {
        let mut fleet = Fleet::new();
        let server = fleet.serve(script(HELD));
        let sites = sites_at(&server, 4, &toml::toml! { timeout = "30s" });
        let squirrel = home(&fleet, sites);
        let running = start(&squirrel, paradigm, 4);
        let at_once = if paradigm == "serial" { 1 } else { 4 };
        until("the checks are in flight", || {
            server.count.most_at_once() == at_once
        });
        let parent = running.pid();
        let children = children_of(parent);
        let tasks = || -> BTreeSet<Task> {
            let processes = children.iter().chain([&parent]);
            processes.flat_map(|pid| tasks_of(*pid)).collect()
        };
        // A thread that has just been started bears the name of the one that started it.
        let is_named = |task: &Task| task.tid == task.pid || task.name != "squirrel";
        until("every thread has its name", || tasks().iter().all(is_named));
        let there = tasks();
        fleet.open_gate();
        let finished = running.finish();
        assert_eq!(finished.code(), 0, "{paradigm}: {}", finished.stderr);
        let ran: BTreeSet<Task> = finished
            .objects()
            .iter()
            .map(|line| Task {
                pid: line["pid"].as_u64().unwrap().try_into().unwrap(),
                tid: line["tid"].as_u64().unwrap().try_into().unwrap(),
                name: line["thread"].as_str().unwrap().to_owned(),
            })
            .collect();
        assert!(ran.is_subset(&there), "{paradigm}: {ran:?} of {there:?}");
        let threads = ran.len();
        match paradigm {
            "serial" | "green" => assert_eq!(threads, 1, "{paradigm}"),
            "threads" | "futures" | "processes" => assert_eq!(threads, 4, "{paradigm}"),
            _ => {}
        }
        if paradigm == "processes" {
            let pids: BTreeSet<u32> = ran.iter().map(|task| task.pid).collect();
            assert_eq!(pids, children, "every child has run a check");
            assert!(ran.iter().all(|task| task.pid == task.tid), "{ran:?}");
        } else if paradigm == "celery" {
            // Two workers, each with one thread, and a broker, which runs nothing.
            let pids: BTreeSet<u32> = ran.iter().map(|task| task.pid).collect();
            assert_eq!(children.len(), 3, "{children:?}");
            assert!(pids.is_subset(&children) && pids.len() <= 2, "{pids:?}");
            assert!(ran.iter().all(|task| task.pid == task.tid), "{ran:?}");
        } else {
            assert_eq!(children, BTreeSet::new(), "{paradigm}");
            assert!(ran.iter().all(|task| task.pid == parent), "{paradigm}");
        }
    }
}

/// Names are resolved in it as well: a resolver's own threads would be seen, because they
/// stay for a while.
#[test]
fn green_has_one_thread_that_does_all_of_the_work() {
    let mut fleet = Fleet::new();
    let quick = fleet.serve(script(
        r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let held = fleet.serve(script(HELD));
    let named = fleet.serve(script(&format!(
        "host = 'localhost'\n{}",
        r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']"
    )));
    let short = toml::toml! { timeout = "1s" };
    let mut sites = sites_at(&quick, 200, &toml::Table::new());
    sites.extend(
        sites_at(&named, 10, &toml::Table::new())
            .into_iter()
            .map(|mut table| {
                table.insert("name".to_owned(), format!("named {}", table["url"]).into());
                table
            }),
    );
    sites.push(site("unknown", "http://nobody.example.org/", &short));
    let url = format!("http://{}/", held.authority);
    sites.push(site("held", &url, &toml::toml! { timeout = "50s" }));
    let lines = sites.len() - 1;
    let squirrel = home(&fleet, sites);
    let mut running = start(&squirrel, "green", 1_000);
    running.wait_for_line();
    let pid = running.pid();
    let tasks = tasks_of(pid);
    let time = |name: &str| -> Duration {
        tasks
            .iter()
            .filter(|task| task.name == name)
            .map(processor_time)
            .sum()
    };
    let before = time("squirrel");
    running.wait_for_lines(lines);
    let names: Vec<String> = tasks_of(pid).into_iter().map(|task| task.name).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names.contains(&"green".to_owned()), "{names:?}");
    // The main thread prints, and nothing else. Of the other one all that it ever did counts: a
    // busy machine may be told of the first line when most of the work is done.
    let main = time("squirrel") - before;
    let green = time("green");
    assert!(green > main, "green {green:?}, the main thread {main:?}");
    fleet.open_gate();
    let finished = running.finish();
    let tids: BTreeSet<String> = finished
        .objects()
        .iter()
        .map(|line| format!("{} {}", line["tid"], line["thread"]))
        .collect();
    assert_eq!(tids.len(), 1, "{tids:?}");
}

/// A server's frames: ":status: 200", and the stream ends (RFC 9113, section 4.1).
const HELD_HTTP2: &str = r"'*' = [{ gate = true }, '\x00\x00\x01\x01\x05\x00\x00\x00\x01\x88']";

/// What drives a connection is the check's own future, over HTTP/2 as well: while the answer
/// is waited for, and afterwards, the scheduler has no other task that could do any of it.
#[test]
fn a_check_leaves_nothing_to_another_task() {
    for (scheme, how) in [
        ("http", HELD.to_owned()),
        ("https", format!("tls = 'good'\n{HELD}")),
        ("https", format!("tls = 'good'\nhttp2 = true\n{HELD_HTTP2}")),
    ] {
        let mut fleet = Fleet::new();
        let server = fleet.serve(script(&how));
        let trusted = CertificateFile {
            path: "ca.pem".into(),
            pem: fleet.certificates().ca_pem().as_bytes().into(),
        };
        let factory = ProberFactory::http(Some(&trusted)).unwrap();
        let spec = CheckSpec {
            timeout: Duration::from_secs(50),
            slow: Duration::from_secs(50),
            cert_warn: Duration::ZERO,
            max_redirects: 0,
            ..CheckSpec::new(MaskedUrl::new(format!("{scheme}://{}/", server.authority)))
        };
        let start = Start {
            job: JobId {
                site: SiteId::from_index(0),
                due: Moment::ZERO,
            },
            moment: Moment::ZERO,
            at: Timestamp::from_micros(0),
        };
        let scheduler = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let check = scheduler.spawn(async move {
            let prober = factory.prober();
            prober.check(start, &spec, None, trace::here).await
        });
        until("the request is there", || server.count.requests() == 1);
        assert_eq!(scheduler.metrics().num_alive_tasks(), 1, "{how}");
        fleet.open_gate();
        let result = scheduler.block_on(check).unwrap();
        assert_eq!(result.verdict, Verdict::Up, "{how}: {:?}", result.error);
        until("the task has ended", || {
            scheduler.metrics().num_alive_tasks() == 0
        });
    }
}
