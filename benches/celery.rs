//! What checks over Celery cost, beside Celery itself, on one Redis in one run.
//!
//! `cargo bench --bench celery [-- --quick]`
//!
//! Round trips a second: a stock Python producer with a stock Python worker, whose task does
//! nothing, against our producer with our worker, whose task is a whole check of a site on
//! loopback, at the same concurrency. Then what our producer computes for one check, and how
//! many checks a second one, two and three worker processes carry out. Medians of several
//! rounds. Needs redis-server, and Celery in target/celery: `tests/run` installs both.

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

use uptime_squirrel::domain::{Look, SiteUrl};
use uptime_squirrel::paradigm::QueueOptions;
use uptime_squirrel::probe::Kit;
use uptime_squirrel::trace::Recorder;

use engine::{Engine, looks};
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
                .args(["--hostname", &format!("worker-{number}")]),
        )
    }

    /// Our producer, with so many checks on their way at once.
    fn engine(&self, window: usize) -> Result<Engine, Box<dyn Error>> {
        let queue = QueueOptions {
            broker: Some(SiteUrl::new(self.url())),
            ..QueueOptions::default()
        };
        let engine = Engine::start_on("celery", window, Kit::http(None)?, Recorder::new(), queue)?;
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
    looks: &[Arc<Look>],
) -> Result<(f64, f64), Box<dyn Error>> {
    engine.sweep(batch, looks)?;
    let (mut rates, mut costs) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let before = cpu::seconds();
        let took = engine.sweep(batch, looks)?.as_secs_f64();
        costs.push((cpu::seconds() - before) / batch as f64);
        rates.push(batch as f64 / took);
    }
    Ok((median(rates), median(costs)))
}

fn main() -> Result<(), Box<dyn Error>> {
    let Some(mut table) = Table::asked("Checks over Celery, beside Celery itself") else {
        return Ok(());
    };
    let rounds = if table.quick { 3 } else { 7 };
    let sites = uniform(8, &[])?;
    let looks = looks(&urls(&sites.handshake.addresses));
    let stage = Stage::set()?;

    let theirs = median(stock(&stage, rounds, 1_000)?);
    table.note(
        &format!("stock producer and worker, {CONCURRENCY} at once, a task that does nothing"),
        format!("{theirs:.0}/s"),
    );
    {
        let _worker = stage.worker(0, CONCURRENCY)?;
        let mut engine = stage.engine(1_000)?;
        let (rate, _) = ours(&mut engine, rounds, 4_000, &looks)?;
        table.note(
            &format!("ours, {CONCURRENCY} at once, a whole check"),
            format!("{rate:.0}/s"),
        );
        table.at_most(
            "round trips a second: stock / ours",
            theirs / rate,
            0.25,
            "",
        );
    }
    // Places, not cores, are what is short here: each worker waits for its sites.
    let waiting = uniform(8, &["--delay", "20ms"])?;
    let slow = engine::looks(&urls(&waiting.handshake.addresses));
    let mut before = 0.0;
    for workers in 1..=2 {
        let _workers: Vec<Process> = (0..workers)
            .map(|number| stage.worker(number, 20))
            .collect::<Result<_, _>>()?;
        let mut engine = stage.engine(1_000)?;
        let (rate, _) = ours(&mut engine, rounds, 2_000, &slow)?;
        let figure = format!("{workers} worker processes, 20 at once each, sites of 20 ms");
        table.note(&figure, format!("{rate:.0}/s"));
        if workers == 2 {
            table.at_most("checks a second: one process / two", before / rate, 0.6, "");
        }
        before = rate;
    }
    drop(waiting);
    for workers in 1..=3 {
        let _workers: Vec<Process> = (0..workers)
            .map(|number| stage.worker(number, 200))
            .collect::<Result<_, _>>()?;
        let mut engine = stage.engine(1_000)?;
        let (rate, cost) = ours(&mut engine, rounds, 10_000, &looks)?;
        let figure = format!("checks a second with {workers} worker processes");
        table.note(&figure, format!("{rate:.0}"));
        if workers == 2 {
            table.at_most("time a check, two worker processes", 1e3 / rate, 0.5, " ms");
            table.at_most(
                "producer's processor time a check",
                cost * 1e6,
                120.0,
                " us",
            );
        }
    }
    let mut engine = Engine::start("async", 1_000, Kit::http(None)?, Recorder::new())?;
    let (rate, _) = ours(&mut engine, rounds, 10_000, &looks)?;
    table.note(
        "for comparison: async, without a queue",
        format!("{rate:.0}/s"),
    );
    table.print()?;
    Ok(())
}
