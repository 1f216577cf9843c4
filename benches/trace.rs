//! What it costs to note every poll of every check: processor time of a check with the
//! recorder on, against the same with the recorder off.
//!
//! `cargo bench --bench trace [-- --quick] [http|tls]`
//!
//! The same paradigm runs the same sweeps on the same server, on and off in turns, each as
//! often first as second. Every round gives a ratio. One percent is less than a round's own
//! noise, so there are hundreds of rounds, and their median counts.

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
#[path = "support/tls.rs"]
mod tls;

use std::error::Error;
use std::process::Command;
use std::sync::Arc;

use uptime_squirrel::domain::{CertificateFile, CheckSpec};
use uptime_squirrel::probe::ProberFactory;
use uptime_squirrel::trace::{Recorder, TraceStore};

use engine::{Engine, specs};
use median::median;
use server::{Server, uniform, urls};
use table::Table;

/// Paradigms, and how many checks are in flight at once.
const PARADIGMS: [(&str, usize); 2] = [("async", 100), ("threads", 16)];
/// What the design allows, in percent of a check.
const TARGET: f64 = 1.0;

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().any(|argument| argument == tls::ARGUMENT) {
        return tls::serve();
    }
    let Some(mut table) = Table::asked("Recording: processor time of the client") else {
        return Ok(());
    };
    let named = |name: &str| std::env::args().any(|argument| argument == name);
    if !named("tls") {
        let server = uniform(16, &["--delay", "0ms"])?;
        let specs = specs(&urls(&server.handshake.addresses));
        let size = if table.quick { (60, 300) } else { (600, 400) };
        for (name, workers) in PARADIGMS {
            let recorder = Recorder::new();
            let factory = ProberFactory::http(None)?;
            let engine = Engine::start(name, workers, factory, Arc::clone(&recorder))?;
            compare(engine, &recorder, &specs, size)?.show(&mut table, &format!("HTTP, {name}"));
        }
    }
    if !named("http") {
        let mut program = Command::new(std::env::current_exe()?);
        program.arg(tls::ARGUMENT);
        let server: Server<tls::Handshake> = Server::start(program)?;
        let tls::Handshake { addresses, ca_pem } = &server.handshake;
        let trusted = CertificateFile {
            path: "ca.pem".into(),
            pem: ca_pem.as_bytes().into(),
        };
        let url = |address| format!("https://{address}/");
        let specs = specs(&addresses.iter().map(url).collect::<Vec<_>>());
        let size = if table.quick { (30, 100) } else { (200, 150) };
        for (name, workers) in PARADIGMS {
            let recorder = Recorder::new();
            let factory = ProberFactory::http(Some(&trusted))?;
            let engine = Engine::start(name, workers, factory, Arc::clone(&recorder))?;
            compare(engine, &recorder, &specs, size)?.show(&mut table, &format!("TLS, {name}"));
        }
    }
    table.print()?;
    Ok(())
}

/// Microseconds a check in one round.
struct Round {
    off: f64,
    on: f64,
    /// What it took to fetch it and to put it into the ledger.
    kept: f64,
}

struct Figures {
    rounds: Vec<Round>,
    /// Stretches of running that were noted of a check, in the mean.
    polls: f64,
}

impl Figures {
    fn show(&self, table: &mut Table, title: &str) {
        let of = |which: fn(&Round) -> f64| {
            let mut all: Vec<_> = self.rounds.iter().map(which).collect();
            all.sort_unstable_by(f64::total_cmp);
            all
        };
        let off = median(of(|round| round.off));
        table.note(
            &format!("{title}: a check, off"),
            format!("{off:.1} us, {:.1} polls", self.polls),
        );
        table.note(
            &format!("{title}: more, on (median of the differences)"),
            format!("{:.2} us", median(of(|round| round.on - round.off))),
        );
        table.note(
            &format!("{title}: more, to put it into the store"),
            format!("{:.2} us", median(of(|round| round.kept))),
        );
        let percent = of(|round| (round.on / round.off - 1.0) * 100.0);
        let quarter = |share: usize| percent.get(percent.len() * share / 4).copied();
        table.note(
            &format!("{title}: middle half of the rounds"),
            format!(
                "{:.2} to {:.2}%",
                quarter(1).unwrap_or_default(),
                quarter(3).unwrap_or_default()
            ),
        );
        let figure = format!("{title}: more, median of {}", percent.len());
        table.at_most(&figure, median(percent), TARGET, "%");
    }
}

fn compare(
    mut engine: Engine,
    recorder: &Recorder,
    specs: &[Arc<CheckSpec>],
    (rounds, checks): (usize, usize),
) -> Result<Figures, Box<dyn Error>> {
    let each = |used: f64| used * 1e6 / checks as f64;
    let mut store = TraceStore::new();
    let (mut all, mut polls) = (Vec::new(), 0);
    // The first round is not counted: clients, buffers and tasks are made in it.
    for round in 0..=rounds {
        let (mut used, mut kept) = ([0.0; 2], 0.0);
        for turn in 0..2 {
            let on = (round + turn) % 2 == 1;
            recorder.switch(on);
            let before = cpu::seconds();
            engine.sweep(checks, specs)?;
            let swept = cpu::seconds();
            used[usize::from(on)] = each(swept - before);
            // From here on it is the work of whoever draws.
            let before = cpu::seconds();
            let fetched = recorder.fetch();
            let fetching = cpu::seconds() - before;
            let noted = fetched.ended.iter().map(|record| record.log.slices.len());
            let (records, noted) = (fetched.ended.len(), noted.sum::<usize>());
            if records != if on { checks } else { 0 } {
                return Err(format!("{records} records of {checks} checks").into());
            }
            if on {
                polls += noted;
                let before = cpu::seconds();
                store.absorb(fetched);
                kept = each(fetching + cpu::seconds() - before);
            }
        }
        if round > 0 {
            let [off, on] = used;
            all.push(Round { off, on, kept });
        }
    }
    Ok(Figures {
        polls: polls as f64 / (checks * (rounds + 1)) as f64,
        rounds: all,
    })
}
