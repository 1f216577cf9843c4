//! What checks over Celery cost, beside Celery itself, on one Redis in one run.
//!
//! `cargo bench --bench celery [-- --quick] [-- --places]`
//!
//! Round trips a second: a stock Python producer with a stock Python worker, whose task does
//! nothing, against our producer with our worker, whose task is a whole check of a site on
//! loopback, at the same concurrency. Then how many checks a second one, two and three worker
//! processes carry out, where places are short, where cores are, and where producer, broker and
//! sites want them, too; how busy all cores were meanwhile; how well places are filled where half of
//! the sites hang, which `--places` measures alone; and what our producer computes for one check. Medians of several rounds. Needs redis-server, and Celery in target/celery: `tests/run` installs both.

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
use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use uptime_squirrel::domain::{CheckResult, CheckSpec, MaskedUrl, Reason};
use uptime_squirrel::paradigm::QueueOptions;
use uptime_squirrel::probe::{Halt, ProberFactory, WorkloadSpec};
use uptime_squirrel::trace::Recorder;

use engine::{Engine, specs};
use median::median;
use server::{uniform, urls};
use table::Table;

/// Tasks at once, of either worker, where they are compared. A stock worker takes a process
/// for each.
const CONCURRENCY: usize = 8;

/// Sends a batch, waits for all of it, and says how many round trips a second that was.
const STOCK: &str = r#"
import sys, time
from celery import Celery
from celery.result import ResultSet
url = sys.argv[1]
app = Celery("stock", broker=url, backend=url)

@app.task(name="nothing")
def nothing(order):
    return order

if __name__ == "__main__":
    rounds, batch = int(sys.argv[2]), int(sys.argv[3])
    order = {"url": "http://127.0.0.1/", "timeout": 10}
    for _ in range(rounds + 1):
        began = time.perf_counter()
        ResultSet([nothing.delay(order) for _ in range(batch)]).join_native(timeout=120)
        print(batch / (time.perf_counter() - began), flush=True)
"#;

/// A process that is ended with this.
struct Process(Child);

impl Process {
    fn start(command: &mut Command) -> std::io::Result<Self> {
        let quiet = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        quiet.spawn().map(Self)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let pid = i32::try_from(self.0.id()).ok();
        if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
            // It has children of its own to end.
            let _gone = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ended = self.0.wait();
    }
}

struct Stage {
    folder: tempfile::TempDir,
    _redis: Process,
}

impl Stage {
    fn set() -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let socket = folder.path().join("r.sock");
        let mut redis = Command::new("redis-server");
        redis
            .args(["--port", "0", "--save", "", "--appendonly", "yes", "--dir"])
            .arg(folder.path())
            .arg("--unixsocket")
            .arg(&socket);
        let redis = Process::start(&mut redis)?;
        for _ in 0..1_000 {
            if UnixStream::connect(&socket).is_ok() {
                return Ok(Self {
                    folder,
                    _redis: redis,
                });
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err("Redis does not start".into())
    }

    fn url(&self) -> String {
        format!("redis+socket://{}/r.sock", self.folder.path().display())
    }

    fn worker(&self, number: usize, concurrency: usize) -> std::io::Result<Process> {
        Process::start(
            Command::new(env!("CARGO_BIN_EXE_squirrel"))
                .args(["worker", "--broker", &self.url()])
                .args(["--concurrency", &concurrency.to_string()])
                .args(["--hostname", &format!("worker-{number}"), "--workloads"]),
        )
    }

    fn workers(&self, number: usize, concurrency: usize) -> std::io::Result<Vec<Process>> {
        (0..number)
            .map(|number| self.worker(number, concurrency))
            .collect()
    }

    /// Our producer, with so many checks on their way at once.
    fn engine(&self, window: usize) -> Result<Engine, Box<dyn Error>> {
        self.engine_with(window, ProberFactory::http(None)?)
    }

    fn engine_with(&self, window: usize, factory: ProberFactory) -> Result<Engine, Box<dyn Error>> {
        let queue = QueueOptions {
            broker: Some(MaskedUrl::new(self.url())),
            ..QueueOptions::default()
        };
        let engine = Engine::start_on("celery", window, factory, Recorder::new(), queue)?;
        Ok(engine)
    }
}

fn python() -> Result<PathBuf, Box<dyn Error>> {
    let bin = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/celery/bin");
    if bin.join("celery").exists() {
        return Ok(bin);
    }
    Err("Celery is needed in target/celery: tests/run installs it".into())
}

/// Round trips a second of a stock producer with a stock worker.
fn stock(stage: &Stage, rounds: usize, batch: usize) -> Result<Vec<f64>, Box<dyn Error>> {
    let script = stage.folder.path().join("stock.py");
    std::fs::File::create(&script)?.write_all(STOCK.as_bytes())?;
    let bin = python()?;
    let url = stage.url();
    // A worker of the command line reads its arguments as its own.
    let app = stage.folder.path().join("stock_app.py");
    std::fs::write(&app, STOCK.replace("sys.argv[1]", &format!("{url:?}")))?;
    let _worker = Process::start(
        Command::new(bin.join("celery"))
            .current_dir(stage.folder.path())
            .args(["--app", "stock_app", "worker", "--loglevel", "error"])
            .args(["--concurrency", &CONCURRENCY.to_string()]),
    )?;
    let output = Command::new(bin.join("python"))
        .current_dir(stage.folder.path())
        .arg("stock.py")
        .arg(&url)
        .args([rounds.to_string(), batch.to_string()])
        .stderr(Stdio::inherit())
        .output()?;
    let said = String::from_utf8(output.stdout)?;
    let figures: Result<Vec<f64>, _> = said.lines().map(str::parse).collect();
    // The first one waits for the worker to be there.
    Ok(figures?.split_off(1))
}

/// Checks a second, and processor seconds of this process for each.
fn ours(
    engine: &mut Engine,
    rounds: usize,
    batch: usize,
    specs: &[Arc<CheckSpec>],
) -> Result<(f64, f64), Box<dyn Error>> {
    engine.sweep(batch, specs)?;
    let (mut rates, mut costs) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let before = cpu::seconds();
        let took = engine.sweep(batch, specs)?.as_secs_f64();
        costs.push((cpu::seconds() - before) / batch as f64);
        rates.push(batch as f64 / took);
    }
    Ok((median(rates), median(costs)))
}

/// Places, not cores, are what is short here: each worker waits for its sites, twenty at a
/// time, so that what another adds is not what a core would add.
fn waits(stage: &Stage, table: &mut Table, rounds: usize) -> Result<(), Box<dyn Error>> {
    let sites = uniform(8, &["--delay", "50ms"])?;
    let specs = specs(&urls(&sites.handshake.addresses));
    let kind = "20 at once each, sites of 50 ms";
    adding(
        table,
        &mut |workers| {
            let _workers = stage.workers(workers, 20)?;
            let mut engine = stage.engine(1_000)?;
            Ok(ours(&mut engine, rounds, 1_000, &specs)?.0)
        },
        kind,
    )
}

/// Half of the sites hang for their timeout, half answer at once, and places are short: how much longer
/// a sweep of 500 takes than by `threads` or `async`, the faster of them, with as many checks at once.
/// Whoever leaves a place empty while a check waits takes longer.
fn places(stage: &Stage, table: &mut Table, rounds: usize) -> Result<(), Box<dyn Error>> {
    let (slow, quick) = (uniform(1, &["--delay", "60s"])?, uniform(1, &[])?);
    let mut specs = specs(
        &[&slow, &quick]
            .map(|sites| urls(&sites.handshake.addresses))
            .concat(),
    );
    let as_meant = |result: &CheckResult| {
        let hangs = result.job.site.index().is_multiple_of(2);
        result.reason == hangs.then_some(Reason::Timeout)
    };
    for (workers, places) in [
        (1, 1),
        (1, 4),
        (1, 16),
        (1, 200),
        (3, 1),
        (3, 4),
        (4, 4),
        (4, 50),
    ] {
        let at_once = workers * places;
        // A single place would take minutes for 500: 20 for each place are a sweep of ten timeouts.
        let checks = 500.min(20 * at_once);
        let timeout = Duration::from_millis(if at_once < 50 { 300 } else { 2_000 });
        specs[0] = Arc::new(CheckSpec {
            timeout,
            slow: timeout,
            ..CheckSpec::clone(&specs[0])
        });
        let _workers = stage.workers(workers, places)?;
        let mut queued = stage.engine(at_once)?;
        let direct = |name: &str| {
            let factory = ProberFactory::http(None)?;
            Engine::start(name, at_once, factory, Recorder::new())
        };
        let mut others = [direct("threads")?, direct("async")?];
        // The workers have to be there, all of them with their first check done.
        queued.sweep_that(4 * at_once, &specs, as_meant)?;
        let mut ratios = Vec::new();
        for _ in 0..rounds {
            let mut floor = f64::MAX;
            for other in &mut others {
                let took = other.sweep_that(checks, &specs, as_meant)?;
                floor = floor.min(took.as_secs_f64());
            }
            let took = queued.sweep_that(checks, &specs, as_meant)?.as_secs_f64();
            ratios.push(took / floor);
        }
        let figure = format!(
            "half of {checks} hang: celery / threads or async, {workers} at work, {places} at once each"
        );
        table.at_most(&figure, median(ratios), 1.15, "");
    }
    Ok(())
}

/// Cores are what is short here: each check computes for five milliseconds on its worker's only
/// thread, and producer and broker take next to nothing.
fn crunches(stage: &Stage, table: &mut Table, rounds: usize) -> Result<(), Box<dyn Error>> {
    let specs = specs(&["http://crunch.invalid/".to_owned()]);
    let workload = WorkloadSpec::crunch(Duration::from_millis(5));
    adding(
        table,
        &mut |workers| {
            let _workers = stage.workers(workers, 20)?;
            let mut engine =
                stage.engine_with(40, ProberFactory::workload(workload, Halt::default()))?;
            Ok(ours(&mut engine, rounds, 400, &specs)?.0)
        },
        "crunches of 5 ms",
    )
}

/// What a second worker process adds, and a third, for which there may be no core.
fn adding(
    table: &mut Table,
    rate: &mut dyn FnMut(usize) -> Result<f64, Box<dyn Error>>,
    kind: &str,
) -> Result<(), Box<dyn Error>> {
    let mut before = 0.0;
    for workers in 1..=3 {
        let busy = Busy::since_now();
        let now = rate(workers)?;
        let busy = busy.so_far();
        let figure = format!("{kind}, {workers} at work");
        table.note(&figure, format!("{now:.0}/s, {}", shown(busy)));
        if workers == 2 {
            // Twice as many would be all that a second one could do, and that only where a
            // core is left for it.
            let figure = format!("{kind}: two workers / one");
            at_least(table, &figure, now / before, 1.6, "");
            if busy > FULL && now / before < 1.6 {
                let row = table.rows.last_mut();
                row.into_iter()
                    .for_each(|row| row[3] = "cores are full".to_owned());
            }
        }
        before = now;
    }
    Ok(())
}

/// A figure whose target is the least that it may be.
fn at_least(table: &mut Table, figure: &str, measured: f64, target: f64, unit: &str) {
    let reached = if measured >= target { "yes" } else { "NO" };
    table.rows.push([
        figure.to_owned(),
        format!("{measured:.2}{unit}"),
        format!(">= {target}{unit}"),
        reached.to_owned(),
    ]);
}

/// From here on no core is left, whoever has them all.
const FULL: f64 = 0.95;

fn shown(busy: f64) -> String {
    format!("cores {:.0}% busy", 100.0 * busy)
}

/// How busy the machine is, whoever uses it: a worker that adds nothing may have no core left.
struct Busy([u64; 2]);

impl Busy {
    fn since_now() -> Self {
        Self(jiffies().unwrap_or_default())
    }

    /// The share of the time since then.
    fn so_far(&self) -> f64 {
        let [busy, all] = jiffies().unwrap_or_default();
        busy.saturating_sub(self.0[0]) as f64 / all.saturating_sub(self.0[1]) as f64
    }
}

/// Ticks of all cores since the start: busy, and in all.
fn jiffies() -> Option<[u64; 2]> {
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    let fields = stat.lines().next()?.split_whitespace().skip(1).take(8);
    let ticks: Vec<u64> = fields.filter_map(|ticks| ticks.parse().ok()).collect();
    let all: u64 = ticks.iter().sum();
    // The fourth and fifth are idle, and idle with the disk at work.
    Some([all - ticks.get(3)? - ticks.get(4)?, all])
}

fn main() -> Result<(), Box<dyn Error>> {
    let Some(mut table) = Table::asked("Checks over Celery, beside Celery itself") else {
        return Ok(());
    };
    let rounds = if table.quick { 3 } else { 7 };
    let stage = Stage::set()?;
    let rounds_of_places = if table.quick { 1 } else { 3 };
    places(&stage, &mut table, rounds_of_places)?;
    if std::env::args().any(|argument| argument == "--places") {
        table.print()?;
        return Ok(());
    }
    let sites = uniform(8, &[])?;
    let specs = specs(&urls(&sites.handshake.addresses));

    let theirs = median(stock(&stage, rounds, 1_000)?);
    table.note(
        &format!("stock producer and worker, {CONCURRENCY} at once, a task that does nothing"),
        format!("{theirs:.0}/s"),
    );
    {
        let _worker = stage.worker(0, CONCURRENCY)?;
        let mut engine = stage.engine(1_000)?;
        let (rate, _) = ours(&mut engine, rounds, 4_000, &specs)?;
        table.note(
            &format!("ours, {CONCURRENCY} at once, a whole check"),
            format!("{rate:.0}/s"),
        );
        at_least(
            &mut table,
            "round trips a second: ours / stock",
            rate / theirs,
            4.0,
            "",
        );
    }
    waits(&stage, &mut table, rounds)?;
    crunches(&stage, &mut table, rounds)?;
    for workers in 1..=3 {
        let _workers = stage.workers(workers, 200)?;
        let mut engine = stage.engine(1_000)?;
        let busy = Busy::since_now();
        let (rate, cost) = ours(&mut engine, rounds, 10_000, &specs)?;
        let figure = format!("quick sites, {workers} at work");
        table.note(&figure, format!("{rate:.0}/s, {}", shown(busy.so_far())));
        if workers == 2 {
            at_least(
                &mut table,
                "checks a second, two worker processes",
                rate,
                2_000.0,
                "/s",
            );
            table.at_most(
                "producer's processor time a check",
                cost * 1e6,
                120.0,
                " us",
            );
        }
    }
    let mut engine = Engine::start("async", 1_000, ProberFactory::http(None)?, Recorder::new())?;
    let (rate, _) = ours(&mut engine, rounds, 10_000, &specs)?;
    table.note(
        "for comparison: async, without a queue",
        format!("{rate:.0}/s"),
    );
    table.print()?;
    Ok(())
}
