//! What a cold check costs the client: processor time under `async`, against the barest
//! loop that does the same on the same kind of runtime.
//!
//! `cargo bench --bench probe [-- --quick] [http|tls]`
//!
//! Both take turns, round by round, against the same server in a process of its own; each
//! round gives a ratio, and the median ratio counts.

#[path = "support/cpu.rs"]
mod cpu;
#[path = "support/engine.rs"]
mod engine;
#[path = "support/floor.rs"]
mod floor;
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
use uptime_squirrel::trace::Recorder;

use engine::{Engine, specs};
use floor::{Floor, IN_FLIGHT, connector};
use median::median;
use server::{Server, uniform, urls};
use table::Table;

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().any(|argument| argument == tls::ARGUMENT) {
        return tls::serve();
    }
    let Some(mut table) = Table::asked("A cold check: processor time of the client") else {
        return Ok(());
    };
    // One of them alone, where it is named.
    let named = |name: &str| std::env::args().any(|argument| argument == name);
    if !named("tls") {
        http(&mut table)?;
    }
    if !named("http") {
        https(&mut table)?;
    }
    table.print()?;
    Ok(())
}

fn http(table: &mut Table) -> Result<(), Box<dyn Error>> {
    let server = uniform(16, &["--delay", "0ms"])?;
    let addresses = &server.handshake.addresses;
    let floor = Floor::new(addresses, None, None)?;
    let engine = Engine::start(
        "async",
        IN_FLIGHT,
        ProberFactory::http(None)?,
        Recorder::new(),
    )?;
    let specs = specs(&urls(addresses));
    // Twenty thousand checks a side.
    let (rounds, checks) = if table.quick { (4, 1_000) } else { (20, 1_000) };
    let figures = compare(&floor, engine, &specs, rounds, checks)?;
    figures.show(table, "HTTP", 2.2);
    Ok(())
}

fn https(table: &mut Table) -> Result<(), Box<dyn Error>> {
    let mut program = Command::new(std::env::current_exe()?);
    program.arg(tls::ARGUMENT);
    let server: Server<tls::Handshake> = Server::start(program)?;
    let tls::Handshake { addresses, ca_pem } = &server.handshake;
    let trusted = CertificateFile {
        path: "ca.pem".into(),
        pem: ca_pem.as_bytes().into(),
    };
    let engine = Engine::start(
        "async",
        IN_FLIGHT,
        ProberFactory::http(Some(&trusted))?,
        Recorder::new(),
    )?;
    let floor = Floor::new(addresses, Some(connector(ca_pem)?), None)?;
    let urls: Vec<_> = addresses
        .iter()
        .map(|address| format!("https://{address}/"))
        .collect();
    let (rounds, checks) = if table.quick { (4, 400) } else { (40, 500) };
    let figures = compare(&floor, engine, &specs(&urls), rounds, checks)?;
    figures.show(table, "TLS", 1.15);
    Ok(())
}

/// Microseconds a check of every round, floor and program in turns.
struct Figures(Vec<(f64, f64)>);

impl Figures {
    fn show(self, table: &mut Table, what: &str, target: f64) {
        let of = |which: fn(&(f64, f64)) -> f64| median(self.0.iter().map(which).collect());
        table.note(
            &format!("{what}: bare loop"),
            format!("{:.1} us", of(|round| round.0)),
        );
        table.note(
            &format!("{what}: async"),
            format!("{:.1} us", of(|round| round.1)),
        );
        let mut ratios: Vec<_> = self.0.iter().map(|(floor, own)| own / floor).collect();
        ratios.sort_unstable_by(f64::total_cmp);
        let quarter = |share: usize| ratios.get(ratios.len() * share / 4).copied();
        table.note(
            &format!("{what}: middle half of the ratios"),
            format!(
                "{:.2} to {:.2}",
                quarter(1).unwrap_or_default(),
                quarter(3).unwrap_or_default()
            ),
        );
        let figure = format!("{what}: async / bare loop, median of {}", ratios.len());
        table.at_most(&figure, median(ratios), target, "");
    }
}

fn compare(
    floor: &Floor,
    mut engine: Engine,
    specs: &[Arc<CheckSpec>],
    rounds: usize,
    checks: usize,
) -> Result<Figures, Box<dyn Error>> {
    let each = |used: f64| used * 1e6 / checks as f64;
    let mut figures = Vec::new();
    // The first round is not counted: clients, buffers and tasks are made in it.
    for round in 0..=rounds {
        let began = cpu::seconds();
        floor.run(checks, IN_FLIGHT)?;
        let between = cpu::seconds();
        engine.sweep(checks, specs)?;
        let ended = cpu::seconds();
        if round > 0 {
            figures.push((each(between - began), each(ended - between)));
        }
    }
    Ok(Figures(figures))
}
