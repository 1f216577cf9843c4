//! The picture of a run against the kernel's own record of the same run, and against what
//! was checked.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use super::sites::{home, site, sites_at};
use crate::support::{Fleet, Script, Squirrel, paradigms};

fn script(toml: &str) -> Script {
    toml::from_str(toml).unwrap()
}

fn events(squirrel: &Squirrel, ph: &str) -> Vec<Value> {
    let text = fs::read(squirrel.dir().join("trace.json")).unwrap();
    let mut trace: Value = serde_json::from_slice(&text).unwrap();
    let Value::Array(events) = trace["traceEvents"].take() else {
        panic!("no events");
    };
    events
        .into_iter()
        .filter(|event| event["ph"] == ph)
        .collect()
}

fn number(event: &Value, field: &str) -> u32 {
    event[field].as_u64().unwrap().try_into().unwrap()
}

/// Of one thread, as strace saw it: ports that it connected to, and how long it was busy with
/// sockets, in seconds. A poll begins after the thread has woken and before it first uses a
/// socket, and ends after it last did and before it sleeps again: so there are two bounds.
#[derive(Debug, Default)]
struct Seen {
    ports: BTreeSet<String>,
    /// From waking to sleeping.
    most: f64,
    /// From the first use of a socket to the end of the last.
    least: f64,
    woken: Option<f64>,
    used: Option<(f64, f64)>,
}

/// Calls in which a thread sleeps until there is something to do.
const SLEEPS: [&str; 4] = ["epoll_wait", "futex", "epoll_pwait", "ppoll"];

impl Seen {
    fn call(&mut self, at: f64, call: &str) {
        let took = call.rsplit_once('<');
        let took = took.and_then(|(_, took)| took.trim_end_matches('>').parse::<f64>().ok());
        if let Some(rest) = call.strip_prefix("<... ") {
            if SLEEPS.iter().any(|name| rest.starts_with(name)) {
                (self.woken, self.used) = (Some(at), None);
            } else if let Some((_, last)) = &mut self.used {
                *last = at;
            }
            return;
        }
        let name = call.split('(').next().unwrap_or_default();
        if SLEEPS.contains(&name) {
            if let (Some(woken), Some((first, last))) = (self.woken, self.used) {
                self.most += at - woken;
                self.least += last - first;
            }
            (self.woken, self.used) = (took.map(|took| at + took), None);
            return;
        }
        // A child process takes its tasks by recvmsg: those are not its checks' calls.
        if ["connect", "sendto", "recvfrom", "writev"].contains(&name) {
            let (first, _) = self.used.unwrap_or((at, at));
            self.used = Some((first, at + took.unwrap_or_default()));
        }
        if name == "connect"
            && let Some((_, rest)) = call.split_once("htons(")
        {
            let port = rest.split(')').next().unwrap_or_default();
            self.ports.insert(port.to_owned());
        }
    }
}

/// What strace wrote, by thread.
fn seen(text: &str) -> BTreeMap<u32, Seen> {
    let mut threads: BTreeMap<u32, Seen> = BTreeMap::new();
    for line in text.lines() {
        let mut parts = line.splitn(2, ' ');
        let tid = parts.next().and_then(|tid| tid.parse().ok());
        let rest = parts.next().unwrap_or_default().trim_start();
        if let (Some(tid), Some((at, call))) = (tid, rest.split_once(' ')) {
            threads
                .entry(tid)
                .or_default()
                .call(at.parse().unwrap(), call.trim_start());
        }
    }
    threads
}

/// Less than this is no poll that computes, in seconds.
const LONG: f64 = 0.1;

/// How long each thread ran from when it woke until it slept again or ended, in seconds, as
/// strace saw it: only the long stretches, in which it computed. What it reads meanwhile belongs to them.
fn busy(text: &str) -> BTreeMap<u32, f64> {
    let mut awake: BTreeMap<u32, Option<f64>> = BTreeMap::new();
    let mut busy: BTreeMap<u32, f64> = BTreeMap::new();
    for line in text.lines() {
        let mut parts = line.splitn(2, ' ');
        let tid: u32 = parts.next().unwrap().parse().unwrap();
        let (at, call) = parts.next().unwrap().trim_start().split_once(' ').unwrap();
        let at: f64 = at.parse().unwrap();
        let since = awake.entry(tid).or_insert(Some(at));
        if call.starts_with("<... ") {
            // Whoever slept is awake; whoever read was so before.
            since.get_or_insert(at);
            continue;
        }
        // "+++ exited": where nothing is left to do it ends, and need not sleep before.
        let ends = call.starts_with("+++ ");
        let name = call.split('(').next().unwrap_or_default();
        let sleeps = SLEEPS.contains(&name) && (name != "futex" || call.contains("FUTEX_WAIT"));
        if !sleeps && !ends {
            continue;
        }
        if let Some(since) = since.take()
            && at - since > LONG
        {
            *busy.entry(tid).or_default() += at - since;
        }
        let took = call.rsplit_once('<');
        let took = took.and_then(|(_, took)| took.trim_end_matches('>').parse::<f64>().ok());
        *since = took.map(|took| at + took);
    }
    busy
}

/// Long bodies over TLS, because they keep a thread busy for so long that what the runtime
/// does around a poll does not count beside it.
#[test]
fn the_kernel_has_seen_the_same_threads_do_the_same_checks_for_the_same_time() {
    for paradigm in [
        "serial",
        "threads",
        "futures",
        "processes",
        "green",
        "async",
    ] {
        let mut fleet = Fleet::new();
        let kilobyte = "a".repeat(1_024);
        let long = format!(
            r"tls = 'good'
            '*' = ['HTTP/1.1 200 OK\r\n\r\n', {{ send = '{kilobyte}', times = 2000 }}, 'needle']"
        );
        let servers: Vec<_> = (0..6).map(|_| fleet.serve(script(&long))).collect();
        let port = |authority: &str| authority.rsplit(':').next().unwrap().to_owned();
        let sites = servers.iter().map(|server| {
            let url = format!("https://{}/", server.authority);
            site(
                &port(&server.authority),
                &url,
                &toml::toml! { contains = "needle" },
            )
        });
        let squirrel = home(&fleet, sites.collect()).through([
            "strace",
            "-f",
            "--seccomp-bpf",
            "-ttt",
            "-T",
            "-o",
            "calls",
            "-e",
            "trace=epoll_wait,epoll_pwait,ppoll,futex,connect,sendto,recvfrom,writev",
        ]);
        let finished = squirrel.run([
            "check",
            "--config",
            "sites.toml",
            "--paradigm",
            paradigm,
            "--workers",
            "4",
            "--format",
            "json",
            "--trace",
            "trace.json",
        ]);
        assert_eq!(finished.code(), 0, "{paradigm}: {}", finished.stderr);
        let threads = seen(&fs::read_to_string(squirrel.dir().join("calls")).unwrap());
        let (mut noted, mut least, mut most) = (0.0, 0.0, 0.0);
        let mut by_thread: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
        for poll in events(&squirrel, "X") {
            noted += poll["dur"].as_f64().unwrap() / 1e6;
            let name = poll["name"].as_str().unwrap().to_owned();
            by_thread
                .entry(number(&poll, "tid"))
                .or_default()
                .insert(name);
        }
        let mut connected = BTreeSet::new();
        for (tid, sites) in &by_thread {
            let seen = &threads[tid];
            assert!(
                seen.ports.is_subset(sites),
                "{paradigm}: thread {tid} connected to {:?}, and is shown with {sites:?}",
                seen.ports
            );
            least += seen.least;
            most += seen.most;
            connected.extend(seen.ports.iter().cloned());
        }
        assert_eq!(connected.len(), servers.len(), "{paradigm}: {connected:?}");
        assert!(
            noted >= 0.95 * least && noted <= 1.05 * most,
            "{paradigm}: polls of {noted:.4} s, the kernel has seen {least:.4} to {most:.4} s"
        );
    }
}

/// One poll that computes for three tenths of a second: what a runtime does around it, and strace
/// at both of its ends, is little beside it: what was noted and what the kernel saw of the same
/// thread are the same within 5%.
#[test]
fn a_poll_takes_as_long_as_the_kernel_saw_the_thread_busy() {
    for paradigm in [
        "serial",
        "threads",
        "futures",
        "processes",
        "green",
        "async",
    ] {
        let squirrel = Squirrel::new().through([
            "strace",
            "-f",
            "--seccomp-bpf",
            "-ttt",
            "-T",
            "-o",
            "calls",
            "-e",
            "trace=epoll_wait,epoll_pwait,ppoll,futex,read,write",
        ]);
        let finished = squirrel.run([
            "race",
            "--workload",
            "crunch",
            "--length",
            "300ms",
            "--jobs",
            "4",
            "--workers",
            "2",
            "--rounds",
            "1",
            "--paradigm",
            paradigm,
            "--trace",
            "trace.json",
        ]);
        assert_eq!(finished.code(), 0, "{paradigm}: {}", finished.stderr);
        let threads = busy(&fs::read_to_string(squirrel.dir().join("calls")).unwrap());
        let polls = events(&squirrel, "X");
        let long = polls
            .iter()
            .filter(|poll| poll["dur"].as_f64().unwrap() > LONG * 1e6);
        // A thread may go from one poll to the next without sleeping.
        let mut noted: BTreeMap<u32, f64> = BTreeMap::new();
        for poll in long {
            *noted.entry(number(poll, "tid")).or_default() += poll["dur"].as_f64().unwrap() / 1e6;
        }
        assert!(!noted.is_empty(), "{paradigm}: {polls:?}");
        // A thread that is not given a core at once, outside of a poll, adds to what the
        // kernel saw: nowhere may it be less, and somewhere it has to be the same.
        let more: Vec<f64> = noted
            .iter()
            .map(|(tid, noted)| threads.get(tid).copied().unwrap_or_default() / noted - 1.0)
            .collect();
        assert!(
            more.iter().all(|more| *more > -0.001) && more.iter().any(|more| *more <= 0.05),
            "{paradigm}: polls {noted:.4?} by thread, the kernel saw {threads:.4?}"
        );
    }
}

#[test]
fn every_check_is_in_the_trace_once_with_its_threads_named_and_its_waiting_told() {
    const SITES: usize = 24;
    for paradigm in paradigms() {
        let mut fleet = Fleet::new();
        let server = fleet.serve(script(
            r"'*' = [{ wait = '10ms' }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
        ));
        let squirrel = home(&fleet, sites_at(&server, SITES, &toml::Table::new()));
        let finished = squirrel.run([
            "check",
            "--config",
            "sites.toml",
            "--paradigm",
            paradigm,
            "--workers",
            "4",
            "--format",
            "json",
            "--trace",
            "trace.json",
        ]);
        assert_eq!(finished.code(), 0, "{paradigm}: {}", finished.stderr);
        let checks: BTreeMap<String, (u32, u32)> = finished
            .objects()
            .iter()
            .map(|line| {
                let name = line["name"].as_str().unwrap().to_owned();
                (name, (number(line, "pid"), number(line, "tid")))
            })
            .collect();
        let whole: Vec<String> = events(&squirrel, "b")
            .iter()
            .filter_map(|event| event["name"].as_str().map(str::to_owned))
            .filter(|name| checks.contains_key(name))
            .collect();
        let distinct: BTreeSet<_> = whole.iter().collect();
        assert_eq!((whole.len(), distinct.len()), (SITES, SITES), "{paradigm}");
        let polls = events(&squirrel, "X");
        for (name, who) in &checks {
            let mut last = polls.iter().filter(|poll| poll["name"] == **name);
            let ran = |poll: &Value| (number(poll, "pid"), number(poll, "tid")) == *who;
            assert!(
                last.any(ran),
                "{paradigm}: {name} was never polled by {who:?}"
            );
        }
        let waits = events(&squirrel, "b");
        let waits = waits
            .iter()
            .filter(|event| event["name"] == "waits: first byte");
        assert!(waits.count() >= SITES, "{paradigm}");
        let named: BTreeSet<u32> = events(&squirrel, "M")
            .iter()
            .filter(|event| event["name"] == "thread_name")
            .map(|event| number(event, "tid"))
            .collect();
        assert!(
            checks.values().all(|(_, tid)| named.contains(tid)),
            "{paradigm}"
        );
    }
}

#[test]
fn a_trace_that_cannot_be_written_is_said_before_the_first_check() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let squirrel = home(&fleet, sites_at(&server, 1, &toml::Table::new()));
    let finished = squirrel.run([
        "check",
        "--config",
        "sites.toml",
        "--trace",
        "nowhere/trace.json",
    ]);
    assert_eq!(finished.code(), 2);
    assert!(
        finished.stderr.contains("nowhere/trace.json"),
        "{}",
        finished.stderr
    );
    assert_eq!(server.count.requests(), 0);
}
