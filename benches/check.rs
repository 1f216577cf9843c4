//! What a sweep costs as a user starts it: the processor time of a whole `squirrel check` with JSON
//! out, its start and its child processes included, against that of the barest loop in a process
//! of its own.
//!
//! `cargo bench --bench check [-- --quick] [http|tls]`
//!
//! All take turns, round by round, against the same server in another process; the median of the
//! rounds counts.

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
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use floor::{Floor, IN_FLIGHT, connector};
use median::median;
use server::{Server, uniform, urls};
use table::Table;

/// The argument that makes this bench the barest loop: addresses, checks, and a CA for TLS.
const FLOOR: &str = "--floor";

/// The paradigms that are compared.
const PARADIGMS: [&str; 4] = ["async", "green", "threads", "processes"];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == tls::ARGUMENT) {
        return tls::serve();
    }
    if let [first, addresses, checks, authority @ ..] = &arguments[..]
        && first == FLOOR
    {
        return run_floor(addresses, checks.parse()?, authority.first());
    }
    let Some(mut table) = Table::asked("A sweep as a whole process: processor time") else {
        return Ok(());
    };
    let named = |name: &str| arguments.iter().any(|argument| argument == name);
    if !named("tls") {
        http(&mut table)?;
    }
    if !named("http") {
        https(&mut table)?;
    }
    table.print()?;
    Ok(())
}

fn run_floor(
    addresses: &str,
    checks: usize,
    authority: Option<&String>,
) -> Result<(), Box<dyn Error>> {
    let addresses: Vec<SocketAddr> = addresses
        .split(',')
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let tls = authority.map(|file| connector(&std::fs::read_to_string(file)?));
    Floor::new(&addresses, tls.transpose()?)?.run(checks)
}

fn http(table: &mut Table) -> Result<(), Box<dyn Error>> {
    let (checks, rounds) = if table.quick { (1_000, 3) } else { (10_000, 7) };
    let server = uniform(16, &["--delay", "0ms"])?;
    let addresses = &server.handshake.addresses;
    let sweep = Sweep::new(addresses, &urls(addresses), checks, None)?;
    let medians = sweep.rounds(&PARADIGMS, rounds)?;
    let each = |seconds: f64| format!("{:.1} us", seconds * 1e6 / checks as f64);
    let [floor, own, green, threads, processes] = medians[..] else {
        return Err("a paradigm is missing".into());
    };
    table.note("HTTP: the barest loop, a check", each(floor));
    table.note("HTTP: squirrel check by async, a check", each(own));
    table.at_most("HTTP: async / the barest loop", own / floor, 1.45, "");
    table.at_most("HTTP: green / async", green / own, 1.1, "");
    table.at_most("HTTP: threads / async", threads / own, 1.1, "");
    table.at_most("HTTP: processes / async", processes / own, 1.6, "");
    Ok(())
}

fn https(table: &mut Table) -> Result<(), Box<dyn Error>> {
    let (checks, rounds) = if table.quick { (400, 3) } else { (4_000, 7) };
    let mut program = Command::new(std::env::current_exe()?);
    program.arg(tls::ARGUMENT);
    let server: Server<tls::Handshake> = Server::start(program)?;
    let tls::Handshake { addresses, ca_pem } = &server.handshake;
    let urls = addresses
        .iter()
        .map(|address| format!("https://{address}/"));
    let sweep = Sweep::new(addresses, &urls.collect::<Vec<_>>(), checks, Some(ca_pem))?;
    let medians = sweep.rounds(&["async"], rounds)?;
    let each = |seconds: f64| format!("{:.1} us", seconds * 1e6 / checks as f64);
    let [floor, own] = medians[..] else {
        return Err("a paradigm is missing".into());
    };
    table.note("TLS: the barest loop, a check", each(floor));
    table.note("TLS: squirrel check by async, a check", each(own));
    table.at_most("TLS: async / the barest loop", own / floor, 1.05, "");
    Ok(())
}

/// The sites of one comparison, as files in a folder of their own.
struct Sweep {
    folder: tempfile::TempDir,
    addresses: String,
    checks: usize,
    authority: Option<PathBuf>,
}

impl Sweep {
    fn new(
        addresses: &[SocketAddr],
        urls: &[String],
        checks: usize,
        ca_pem: Option<&String>,
    ) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let mut list = String::new();
        for (site, url) in (0..checks).zip(urls.iter().cycle()) {
            writeln!(list, "{url}{site}")?;
        }
        std::fs::write(folder.path().join("sites.txt"), list)?;
        let mut config = "[monitor]\ninclude = [\"sites.txt\"]\n".to_owned();
        let mut authority = None;
        if let Some(pem) = ca_pem {
            let file = folder.path().join("ca.pem");
            std::fs::write(&file, pem)?;
            config.push_str("ca_file = \"ca.pem\"\n");
            authority = Some(file);
        }
        std::fs::write(folder.path().join("sites.toml"), config)?;
        let addresses: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
        Ok(Self {
            folder,
            addresses: addresses.join(","),
            checks,
            authority,
        })
    }

    /// The median processor time of the barest loop and of each paradigm, in seconds.
    fn rounds(&self, paradigms: &[&str], rounds: usize) -> Result<Vec<f64>, Box<dyn Error>> {
        let mut seconds = vec![Vec::new(); paradigms.len() + 1];
        for _ in 0..rounds {
            let mut floor = Command::new(std::env::current_exe()?);
            floor.args([FLOOR, &self.addresses, &self.checks.to_string()]);
            floor.args(&self.authority);
            seconds[0].push(processor_time(&mut floor)?);
            for (place, paradigm) in paradigms.iter().enumerate() {
                let mut check = self.check(self.folder.path(), paradigm);
                seconds[place + 1].push(processor_time(&mut check)?);
            }
        }
        Ok(seconds.into_iter().map(median).collect())
    }

    fn check(&self, folder: &Path, paradigm: &str) -> Command {
        let mut check = Command::new(env!("CARGO_BIN_EXE_squirrel"));
        check.current_dir(folder).args(["check", "--config"]);
        check.args(["sites.toml", "--format", "json", "--paradigm", paradigm]);
        if paradigm != "processes" {
            check.args(["--workers", &IN_FLIGHT.to_string()]);
        }
        check
    }
}

/// Seconds of processor time that a process and the children that it waited for have used.
fn processor_time(command: &mut Command) -> Result<f64, Box<dyn Error>> {
    let before = used_by_children()?;
    let ended = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()?;
    if !ended.success() {
        return Err(format!("{command:?}: {ended}").into());
    }
    Ok(used_by_children()? - before)
}

fn used_by_children() -> Result<f64, Box<dyn Error>> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds = |time: TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}
