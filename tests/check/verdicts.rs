//! Every paradigm gives every scenario the verdict that its data file expects.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::sites::{Played, TIMEOUT, home, site, start};
use crate::support::{
    Finished, Fleet, all_scenarios, check_line, mismatches, paradigms, unsafe_characters,
};

/// Checks in flight at once, by paradigm.
fn workers(paradigm: &str) -> usize {
    match paradigm {
        "serial" => 1,
        // One thread for everything: floods are not to keep what is timed waiting.
        "threads" | "futures" | "processes" | "green" => 16,
        _ => 64,
    }
}

#[test]
fn every_paradigm_gives_every_server_its_verdict() {
    let mut fleet = Fleet::new();
    let played: Vec<_> = all_scenarios()
        .into_iter()
        .map(|scenario| Played::start(&mut fleet, scenario))
        .collect();
    assert!(played.len() >= 45);
    let sites = played
        .iter()
        .map(|one| site(&one.scenario.name, &one.url(), &one.settings()))
        .collect();
    let squirrel = home(&fleet, sites);

    let mut wrong = Vec::new();
    let mut verdicts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for paradigm in paradigms() {
        for server in played.iter().flat_map(|one| one.servers.values()) {
            server.count.reset();
        }
        let before = jiff::Timestamp::now();
        let finished = start(&squirrel, paradigm, workers(paradigm)).finish();
        finished.assert_no_panic();
        let sweep = Sweep {
            paradigm,
            finished: &finished,
            before,
        };
        for text in sweep.mistakes(&played) {
            wrong.push(format!("{paradigm}: {text}"));
        }
        for line in finished.objects() {
            let name = line["name"].as_str().unwrap_or_default().to_owned();
            verdicts
                .entry(name)
                .or_default()
                .insert(line["verdict"].to_string());
        }
    }
    for (name, verdicts) in verdicts {
        if verdicts.len() > 1 {
            wrong.push(format!("{name}: the paradigms disagree: {verdicts:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} mistakes:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

struct Sweep<'run> {
    paradigm: &'run str,
    finished: &'run Finished,
    before: jiff::Timestamp,
}

impl Sweep<'_> {
    fn mistakes(&self, played: &[Played]) -> Vec<String> {
        let lines = self.finished.objects();
        let mut wrong = self.of_the_output(&lines);
        for one in played {
            let name = &one.scenario.name;
            let own: Vec<_> = lines.iter().filter(|line| line["name"] == **name).collect();
            let [line] = own[..] else {
                wrong.push(format!("{name}: {} lines instead of one", own.len()));
                continue;
            };
            let found = self.of_one_site(one, line);
            if !found.is_empty() {
                wrong.push(format!("{name}: {}\n    {}", found.join("; "), line));
            }
        }
        wrong.extend(self.of_the_threads(&lines));
        wrong
    }

    fn of_the_output(&self, lines: &[Value]) -> Vec<String> {
        let mut wrong = Vec::new();
        let output = String::from_utf8_lossy(&self.finished.stdout);
        for (what, text) in [("output", &*output), ("error", &self.finished.stderr)] {
            let unsafe_ones = unsafe_characters(text);
            if !unsafe_ones.is_empty() {
                wrong.push(format!("standard {what} holds {unsafe_ones:?}"));
            }
        }
        if self.finished.code() != 1 {
            wrong.push(format!(
                "exit status {} with sites down",
                self.finished.code()
            ));
        }
        let mut names: Vec<_> = lines.iter().map(|line| line["name"].as_str()).collect();
        names.sort_unstable();
        names.dedup();
        if names.len() != lines.len() {
            wrong.push(format!("{} lines for {} names", lines.len(), names.len()));
        }
        wrong
    }

    fn of_one_site(&self, one: &Played, line: &Value) -> Vec<String> {
        let mut expect = one.scenario.expect.clone();
        expect.url = expect.url.map(|url| one.fill(&url));
        let url = one.url();
        let mut wrong = check_line(line);
        wrong.extend(mismatches(
            &expect,
            line,
            &url,
            one.scenario.timeout(TIMEOUT),
        ));
        if line["paradigm"] != self.paradigm {
            wrong.push(format!("paradigm is {}", line["paradigm"]));
        }
        let started = line["started_at"]
            .as_str()
            .unwrap_or_default()
            .parse::<jiff::Timestamp>();
        let within = started.is_ok_and(|at| {
            // The line may round to milliseconds.
            at + Duration::from_millis(2) >= self.before && at <= jiff::Timestamp::now()
        });
        if !within {
            wrong.push(format!(
                "started_at {} is not in the sweep",
                line["started_at"]
            ));
        }
        for secret in &expect.never_shown {
            let shown = String::from_utf8_lossy(&self.finished.stdout).contains(secret.as_str())
                || self.finished.stderr.contains(secret.as_str());
            if shown {
                wrong.push(format!("{secret:?} was shown"));
            }
        }
        for server in one.servers.values() {
            let unexpected = server.count.take_unexpected();
            if !unexpected.is_empty() {
                wrong.push(format!("the server was asked {unexpected:?}"));
            }
        }
        wrong.extend(of_the_connections(one, line));
        wrong
    }

    /// Who ran it: no more processes and threads than the paradigm says.
    fn of_the_threads(&self, lines: &[Value]) -> Vec<String> {
        let uname = rustix::system::uname();
        let host = uname.nodename().to_string_lossy();
        let distinct = |field: &str| {
            lines
                .iter()
                .map(|line| line[field].to_string())
                .collect::<BTreeSet<_>>()
        };
        let mut wrong = Vec::new();
        let own = self.finished.pid.to_string();
        let pids = distinct("pid");
        let main_threads = lines.iter().all(|line| line["pid"] == line["tid"]);
        if self.paradigm == "processes" {
            if pids.contains(&own) || !main_threads {
                wrong.push(format!("pids {pids:?}, not the main threads of children"));
            }
        } else if self.paradigm == "celery" {
            if pids.contains(&own) || pids.len() > 2 || !main_threads {
                wrong.push(format!("pids {pids:?}, not those of two workers"));
            }
        } else if pids != BTreeSet::from([own]) {
            wrong.push(format!("pids {pids:?}, not {}", self.finished.pid));
        }
        if distinct("host") != BTreeSet::from([format!("{host:?}")]) {
            wrong.push(format!("hosts {:?}, not {host}", distinct("host")));
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let (least, most) = match self.paradigm {
            "serial" | "green" => (1, 1),
            // Hanging sites hold their threads, so that others must take part.
            "threads" | "futures" | "processes" => (2, workers(self.paradigm)),
            "celery" => (1, 2),
            _ => (1, cores),
        };
        let tids = distinct("tid");
        if !(least..=most).contains(&tids.len()) {
            wrong.push(format!("{} threads, not {least} to {most}", tids.len()));
        }
        wrong
    }
}

/// Each request is a new connection, and there is none that the result does not own up to.
fn of_the_connections(one: &Played, line: &Value) -> Option<String> {
    let scenario = &one.scenario;
    let takes_all = scenario
        .server
        .iter()
        .chain(scenario.servers.values())
        .all(|s| s.accepts());
    let loose = scenario
        .expect
        .loose
        .iter()
        .any(|field| field == "redirects");
    if one.servers.is_empty() || !takes_all || loose {
        return None;
    }
    let reported = line["attempts"].as_u64()? + line["redirects"].as_u64()?;
    // The system completes a connection before the server hears of it: wait for the rest.
    let deadline = Instant::now() + Duration::from_secs(1);
    while (one.connections() as u64) < reported && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(2));
    }
    let made = one.connections() as u64;
    (made != reported).then(|| format!("{made} connections, {reported} requests reported"))
}
