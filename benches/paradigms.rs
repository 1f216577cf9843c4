//! What a paradigm costs beside another one: `processes` beside `threads`, `green` beside
//! `async` on one core.
//!
//! `cargo bench --bench paradigms [-- --quick] [processes|green]`
//!
//! Both run the same sweeps against the same server, in turns; each round gives a ratio, and
//! the median ratio counts. Processor time is that of this process and of its children.

#[path = "support/child.rs"]
mod child;
#[path = "support/cpu.rs"]
mod cpu;
#[path = "support/engine.rs"]
mod engine;
#[path = "support/median.rs"]
mod median;
#[path = "support/server.rs"]
mod server;
#[path = "support/table.rs"]
mod table;

use std::error::Error;
use std::fs;
use std::io;
use std::sync::Arc;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use uptime_squirrel::domain::CheckSpec;
use uptime_squirrel::paradigm::join_deferred;
use uptime_squirrel::probe::ProberFactory;
use uptime_squirrel::trace::Recorder;

use engine::{Engine, specs};
use median::median;
use server::{uniform, urls};
use table::Table;

/// Workers of `processes` and of `threads`.
const WORKERS: usize = 8;
/// Tasks in flight on the one core.
const TASKS: usize = 100;
/// What the name of every child's thread begins with.
const CHILD: &str = "process-";

fn main() -> Result<(), Box<dyn Error>> {
    if child::is_meant() {
        return Ok(child::work()?);
    }
    let Some(mut table) = Table::asked("Paradigms side by side") else {
        return Ok(());
    };
    let named = |name: &str| std::env::args().any(|argument| argument == name);
    if !named("green") {
        for delay in ["0ms", "5ms"] {
            processes(&mut table, delay)?;
        }
        join_deferred();
    }
    if !named("processes") {
        green(&mut table)?;
    }
    table.print()?;
    Ok(())
}

fn processes(table: &mut Table, delay: &str) -> Result<(), Box<dyn Error>> {
    let server = uniform(16, &["--delay", delay])?;
    let specs = specs(&urls(&server.handshake.addresses));
    let start = |name| Engine::start(name, WORKERS, ProberFactory::http(None)?, Recorder::new());
    let mut engines = [start("threads")?, start("processes")?];
    // The children start while the first sweep runs, which is not counted.
    let (rounds, checks) = if table.quick { (5, 500) } else { (31, 1_000) };
    let seconds = || {
        let children = children()?;
        let theirs: io::Result<f64> = children.iter().map(Child::seconds).sum();
        Ok(cpu::seconds() + theirs?)
    };
    let rounds = compare(&mut engines, &specs, rounds, checks, &seconds)?;
    let title = format!("{WORKERS} workers, answers after {delay}");
    rounds.show(table, &title, ["threads", "processes"], 1.6);
    let children = children()?;
    if children.len() != WORKERS {
        return Err(format!("{} children", children.len()).into());
    }
    let memory = children.iter().map(Child::private_bytes);
    let memory: Vec<f64> = memory.collect::<io::Result<_>>()?;
    let most = memory.into_iter().fold(0.0, f64::max);
    table.at_most(
        &format!("{title}: private memory of a child, the largest"),
        most / 1024.0 / 1024.0,
        6.0,
        " MiB",
    );
    Ok(())
}

fn green(table: &mut Table) -> Result<(), Box<dyn Error>> {
    // Started before, so that it may use the other cores.
    let server = uniform(16, &["--delay", "5ms"])?;
    let specs = specs(&urls(&server.handshake.addresses));
    let all = sched_getaffinity(None)?;
    let mut one = CpuSet::new();
    let core = (0..CpuSet::MAX_CPU).find(|core| all.is_set(*core));
    one.set(core.ok_or("no core")?);
    // Every thread that is started from here on stays there, and `async` counts one core.
    sched_setaffinity(None, &one)?;
    let start = |name| Engine::start(name, TASKS, ProberFactory::http(None)?, Recorder::new());
    let mut engines = [start("async")?, start("green")?];
    let threads: Vec<_> = engines
        .iter()
        .map(|engine| engine.dispatcher.census().threads)
        .collect();
    if threads != [1, 1] {
        return Err(format!("not one thread each: {threads:?}").into());
    }
    let (rounds, checks) = if table.quick { (5, 1_000) } else { (31, 2_000) };
    let rounds = compare(&mut engines, &specs, rounds, checks, &|| Ok(cpu::seconds()))?;
    sched_setaffinity(None, &all)?;
    rounds.show(table, "one core", ["async", "green"], 1.25);
    Ok(())
}

/// Processor time of every round in microseconds a check, the two in turns.
struct Rounds(Vec<[f64; 2]>);

impl Rounds {
    fn show(&self, table: &mut Table, title: &str, names: [&str; 2], target: f64) {
        for (index, name) in names.into_iter().enumerate() {
            let each = median(self.0.iter().map(|round| round[index]).collect());
            table.note(
                &format!("{title}: {name}"),
                format!("{each:.1} us a check, {:.0} a CPU second", 1e6 / each),
            );
        }
        let mut ratios: Vec<_> = self.0.iter().map(|[one, other]| other / one).collect();
        ratios.sort_unstable_by(f64::total_cmp);
        let quarter = |share: usize| ratios.get(ratios.len() * share / 4).copied();
        table.note(
            &format!("{title}: middle half of the ratios"),
            format!(
                "{:.2} to {:.2}",
                quarter(1).unwrap_or_default(),
                quarter(3).unwrap_or_default()
            ),
        );
        let [one, other] = names;
        let figure = format!("{title}: {other} / {one}, median of {}", ratios.len());
        table.at_most(&figure, median(ratios), target, "");
    }
}

fn compare(
    engines: &mut [Engine; 2],
    specs: &[Arc<CheckSpec>],
    rounds: usize,
    checks: usize,
    seconds: &dyn Fn() -> io::Result<f64>,
) -> Result<Rounds, Box<dyn Error>> {
    for engine in engines.iter_mut() {
        engine.sweep(checks, specs)?;
    }
    let mut all = Vec::new();
    for _ in 0..rounds {
        let mut round = [0.0; 2];
        for (used, engine) in round.iter_mut().zip(engines.iter_mut()) {
            let before = seconds()?;
            engine.sweep(checks, specs)?;
            *used = (seconds()? - before) * 1e6 / checks as f64;
        }
        all.push(round);
    }
    Ok(Rounds(all))
}

/// A child process that carries out checks; it has one thread.
struct Child(String);

fn children() -> io::Result<Vec<Child>> {
    let mut all = Vec::new();
    for task in fs::read_dir("/proc/self/task")? {
        // A thread may end meanwhile, and has no children then.
        let listed = fs::read_to_string(task?.path().join("children")).unwrap_or_default();
        for pid in listed.split_whitespace() {
            let name = fs::read_to_string(format!("/proc/{pid}/comm"))?;
            if name.starts_with(CHILD) {
                all.push(Child(pid.to_owned()));
            }
        }
    }
    Ok(all)
}

impl Child {
    /// Processor time that its thread has used, by the scheduler's own account.
    fn seconds(&self) -> io::Result<f64> {
        let account = fs::read_to_string(format!("/proc/{}/schedstat", self.0))?;
        let nanos = account.split_whitespace().next().map(str::parse::<f64>);
        match nanos {
            Some(Ok(nanos)) => Ok(nanos / 1e9),
            _ => Err(io::Error::other("no time in schedstat")),
        }
    }

    /// Memory that it shares with nobody.
    fn private_bytes(&self) -> io::Result<f64> {
        let sums = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.0))?;
        let private = sums.lines().filter_map(|line| {
            let rest = line
                .strip_prefix("Private_Clean:")
                .or_else(|| line.strip_prefix("Private_Dirty:"))?;
            rest.split_whitespace().next()?.parse::<f64>().ok()
        });
        Ok(private.sum::<f64>() * 1024.0)
    }
}
