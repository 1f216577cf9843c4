//! What the monitor costs at rest: processor time, wake-ups and bytes of every screen.
//!
//! `cargo bench --bench rest [-- --quick]`
//!
//! The real binary in a pseudo-terminal of 120x36, on 30 sites that were checked once and are not
//! due for an hour. Beside it, in the same run, other terminal programs that redraw by
//! themselves, as many of them as are installed.

#[path = "support/server.rs"]
mod server;
#[path = "support/session.rs"]
mod session;
#[path = "support/table.rs"]
mod table;
#[path = "support/threads.rs"]
mod threads;

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use server::{uniform, urls};
use session::Session;
use table::Table;
use threads::{running_seconds, wake_ups};

const SITES: usize = 30;
/// Per cent of one core, and times a second.
const MOST_CPU: f64 = 0.3;
const MOST_WAKE_UPS: f64 = 30.0;
/// How long a screen is left alone before it is measured.
const SETTLING: Duration = Duration::from_secs(3);

/// The screens and pages, the paradigm, and the keys that lead there.
const SCREENS: [(&str, &str, &str); 12] = [
    ("Sites", "async", ""),
    ("Scheduling", "async", "\x1bOQ"),
    ("Race", "async", "\x1bOR"),
    ("Lab", "async", "\x1bOS"),
    ("Outages", "async", "\x1b[15~"),
    ("help", "async", "?"),
    ("explanation of a site", "async", "\r"),
    ("history of a site", "async", "d"),
    ("Scheduling, threads", "threads", "\x1bOQ"),
    ("Scheduling, processes", "processes", "\x1bOQ"),
    ("Sites, celery", "celery", ""),
    ("Scheduling, celery", "celery", "\x1bOQ"),
];

/// Programs to compare with, and their arguments.
const PEERS: [(&str, &[&str]); 4] = [
    ("btop", &[]),
    ("trip", &["127.0.0.1"]),
    ("mtr", &["--curses", "127.0.0.1"]),
    ("htop", &[]),
];

fn main() -> Result<(), Box<dyn Error>> {
    let Some(mut table) = Table::asked("At rest, a second") else {
        return Ok(());
    };
    let time = Duration::from_secs(if table.quick { 4 } else { 15 });
    let server = uniform(16, &[])?;
    let home = tempfile::tempdir()?;
    let mut list = String::from("[monitor]\ninterval = \"1h\"\n");
    let urls = urls(&server.handshake.addresses);
    for (index, url) in (0..SITES).zip(urls.iter().cycle()) {
        list.push_str(&format!(
            "[[sites]]\nname = \"site {index}\"\nurl = \"{url}{index}\"\n"
        ));
    }
    std::fs::write(home.path().join("sites.toml"), list)?;
    for (screen, paradigm, keys) in SCREENS {
        let arguments = ["--paradigm", paradigm];
        let program = env!("CARGO_BIN_EXE_squirrel");
        let mut session = Session::start(program, home.path(), &arguments)?;
        let all_up = format!("{SITES} UP");
        session.until(|screen| screen.contents().contains(&all_up))?;
        session.press(keys)?;
        let cost = Cost::of(&mut session, time)?;
        table.at_most(&format!("{screen}: of a core"), cost.cpu, MOST_CPU, " %");
        let figure = format!("{screen}: wake-ups");
        table.at_most(&figure, cost.wake_ups, MOST_WAKE_UPS, "");
        table.note(&format!("{screen}: bytes"), format!("{:.0}", cost.bytes));
        session.end()?;
    }
    for (peer, arguments) in PEERS {
        if !is_installed(peer) {
            table.note(peer, "skipped: not installed");
            continue;
        }
        match peer_cost(peer, arguments, home.path(), time) {
            Ok(cost) => table.note(
                peer,
                format!(
                    "{:.2} %, {:.0} wake-ups, {:.0} bytes",
                    cost.cpu, cost.wake_ups, cost.bytes
                ),
            ),
            Err(error) => table.note(peer, format!("not measured: {error}")),
        }
    }
    Ok(table.print()?)
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn peer_cost(
    peer: &str,
    arguments: &[&str],
    home: &Path,
    time: Duration,
) -> Result<Cost, Box<dyn Error>> {
    let mut session = Session::start(peer, home, arguments)?;
    Cost::of(&mut session, time)
}

/// What a program costs.
struct Cost {
    /// Processor time of all threads, in per cent of one core.
    cpu: f64,
    /// Voluntary switches of all threads, a second.
    wake_ups: f64,
    /// Bytes to the terminal, a second.
    bytes: f64,
}

impl Cost {
    fn of(session: &mut Session, time: Duration) -> Result<Self, Box<dyn Error>> {
        read_for(session, SETTLING);
        let process = session.process();
        let began = Instant::now();
        let (cpu, wakes) = (running_seconds(&process)?, wake_ups(&process)?);
        let bytes = read_for(session, time);
        let seconds = began.elapsed().as_secs_f64();
        Ok(Self {
            cpu: (running_seconds(&process)? - cpu) / seconds * 100.0,
            wake_ups: (wake_ups(&process)? - wakes) / seconds,
            bytes: bytes as f64 / seconds,
        })
    }
}

/// Reads for so long; gives how many bytes came.
fn read_for(session: &Session, time: Duration) -> usize {
    let end = Instant::now() + time;
    let mut bytes = 0;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        match session.pieces.recv_timeout(left) {
            Ok((_, piece)) => bytes += piece.len(),
            Err(_) if left.is_zero() => return bytes,
            Err(_) => {}
        }
    }
}
