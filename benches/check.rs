//! What a sweep costs as a user starts it: the processor time of a whole `squirrel check` with JSON
//! out, its start and its child processes included, against that of the barest loop in a process
//! of its own, and, where `target/curl` has pycurl, that of libcurl's multi interface:
//! `python3 -m venv target/curl && target/curl/bin/pip install pycurl`.
//!
//! `cargo bench --bench check [-- --quick] [http|tls|mix]`
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
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use tokio::net::TcpSocket;

use floor::{Floor, IN_FLIGHT, connector};
use median::median;
use server::{Server, uniform, urls};
use table::Table;

/// The argument that makes this bench the barest loop: addresses, checks, how many at once, the
/// most milliseconds of one (0: all must be answered), and a CA for TLS.
const FLOOR: &str = "--floor";

/// libcurl's multi interface, with the same arguments.
const CURL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/support/curl_multi.py");

/// Its interpreter.
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/curl/bin/python");

/// Checks in flight at once where most of them wait.
const MANY_IN_FLIGHT: usize = 1_000;

/// The timeout of those.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The paradigms that are compared.
const PARADIGMS: [&str; 4] = ["async", "green", "threads", "processes"];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == tls::ARGUMENT) {
        return tls::serve();
    }
    if let [first, rest @ ..] = &arguments[..]
        && first == FLOOR
    {
        return run_floor(rest);
    }
    let Some(mut table) = Table::asked("A sweep as a whole process: processor time") else {
        return Ok(());
    };
    let named = |name: &str| arguments.iter().any(|argument| argument == name);
    let all = !["http", "tls", "mix"].into_iter().any(named);
    if all || named("http") {
        http(&mut table)?;
    }
    if all || named("tls") {
        https(&mut table)?;
    }
    if all || named("mix") {
        mix(&mut table)?;
    }
    table.print()?;
    Ok(())
}

fn run_floor(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let [addresses, checks, in_flight, timeout, authority @ ..] = arguments else {
        return Err("addresses, checks, how many at once, milliseconds".into());
    };
    let authority = authority.first();
    let timeout = Some(Duration::from_millis(timeout.parse()?)).filter(|most| !most.is_zero());
    let addresses: Vec<SocketAddr> = addresses
        .split(',')
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let tls = authority.map(|file| connector(&std::fs::read_to_string(file)?));
    Floor::new(&addresses, tls.transpose()?, timeout)?.run(checks.parse()?, in_flight.parse()?)
}

fn http(table: &mut Table) -> Result<(), Box<dyn Error>> {
    let (checks, rounds) = if table.quick { (1_000, 3) } else { (10_000, 7) };
    let server = uniform(16, &["--delay", "0ms"])?;
    let addresses = &server.handshake.addresses;
    let sweep = Sweep::new(addresses, &urls(addresses), checks, None)?;
    let (medians, curl) = sweep.rounds(&PARADIGMS, rounds)?;
    let each = |seconds: f64| format!("{:.1} us", seconds * 1e6 / checks as f64);
    let [floor, own, green, threads, processes] = medians[..] else {
        return Err("a paradigm is missing".into());
    };
    if let Some(curl) = curl {
        table.at_most(
            "HTTP: async / libcurl's multi interface",
            own / curl,
            1.0,
            "",
        );
    }
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
    let (medians, _) = sweep.rounds(&["async"], rounds)?;
    let each = |seconds: f64| format!("{:.1} us", seconds * 1e6 / checks as f64);
    let [floor, own] = medians[..] else {
        return Err("a paradigm is missing".into());
    };
    table.note("TLS: the barest loop, a check", each(floor));
    table.note("TLS: squirrel check by async, a check", each(own));
    table.at_most("TLS: async / the barest loop", own / floor, 1.05, "");
    Ok(())
}

/// Sites of which a third is slow, a third never answers, and a third refuses.
fn mix(table: &mut Table) -> Result<(), Box<dyn Error>> {
    let (checks, rounds) = if table.quick { (1_500, 3) } else { (9_000, 5) };
    const EACH: u16 = 16;
    let slow = uniform(EACH, &["--delay", "200ms"])?;
    let hanging = uniform(EACH, &["--hang"])?;
    // Bound, so that nobody else listens there.
    let refusing = (0..EACH).map(|_| {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        Ok(socket)
    });
    let refusing: Vec<TcpSocket> = refusing.collect::<io::Result<_>>()?;
    let mut addresses = Vec::new();
    for (place, refusing) in refusing.iter().enumerate() {
        addresses.push(slow.handshake.addresses[place]);
        addresses.push(hanging.handshake.addresses[place]);
        addresses.push(refusing.local_addr()?);
    }
    let mut sweep = Sweep::new(&addresses, &urls(&addresses), checks, None)?;
    sweep.wait(MANY_IN_FLIGHT, TIMEOUT)?;
    let (medians, curl) = sweep.rounds(&["async"], rounds)?;
    let each = |seconds: f64| format!("{:.1} us", seconds * 1e6 / checks as f64);
    let [floor, own] = medians[..] else {
        return Err("a paradigm is missing".into());
    };
    table.note("a mix: the barest loop, a check", each(floor));
    table.note("a mix: squirrel check by async, a check", each(own));
    table.at_most("a mix: async / the barest loop", own / floor, 2.0, "");
    if let Some(curl) = curl {
        table.at_most(
            "a mix: async / libcurl's multi interface",
            own / curl,
            1.0,
            "",
        );
    }
    Ok(())
}

/// The sites of one comparison, as files in a folder of their own.
struct Sweep {
    folder: tempfile::TempDir,
    addresses: String,
    checks: usize,
    in_flight: usize,
    timeout: Option<Duration>,
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
            in_flight: IN_FLIGHT,
            timeout: None,
            authority,
        })
    }

    /// Sites that may fail, each after `timeout` at the latest, and so many at once.
    fn wait(&mut self, in_flight: usize, timeout: Duration) -> io::Result<()> {
        (self.in_flight, self.timeout) = (in_flight, Some(timeout));
        let config = format!(
            "[monitor]\ninclude = [\"sites.txt\"]\ntimeout = \"{0}ms\"\nslow = \"{0}ms\"\n",
            timeout.as_millis()
        );
        std::fs::write(self.folder.path().join("sites.toml"), config)
    }

    /// The median processor time of the barest loop and of each paradigm, in seconds, and that of
    /// libcurl where it is there.
    fn rounds(
        &self,
        paradigms: &[&str],
        rounds: usize,
    ) -> Result<(Vec<f64>, Option<f64>), Box<dyn Error>> {
        let mut seconds = vec![Vec::new(); paradigms.len() + 1];
        let mut curl = Vec::new();
        for _ in 0..rounds {
            let mut floor = Command::new(std::env::current_exe()?);
            floor.arg(FLOOR).args(self.arguments());
            seconds[0].push(self.processor_time(&mut floor)?);
            for (place, paradigm) in paradigms.iter().enumerate() {
                let mut check = self.check(self.folder.path(), paradigm);
                seconds[place + 1].push(self.processor_time(&mut check)?);
            }
            if Path::new(PYTHON).exists() {
                let mut multi = Command::new(PYTHON);
                multi.arg(CURL).args(self.arguments());
                curl.push(self.processor_time(&mut multi)?);
            }
        }
        let curl = (!curl.is_empty()).then(|| median(curl));
        Ok((seconds.into_iter().map(median).collect(), curl))
    }

    /// What the barest loop and libcurl are told.
    fn arguments(&self) -> Vec<String> {
        let timeout = self.timeout.map_or(0, |timeout| timeout.as_millis());
        let numbers = [self.checks, self.in_flight].map(|number| number.to_string());
        let mut all = vec![self.addresses.clone()];
        all.extend(numbers);
        all.push(timeout.to_string());
        all.extend(self.authority.iter().map(|file| file.display().to_string()));
        all
    }

    fn check(&self, folder: &Path, paradigm: &str) -> Command {
        let mut check = Command::new(env!("CARGO_BIN_EXE_squirrel"));
        check.current_dir(folder).args(["check", "--config"]);
        check.args(["sites.toml", "--format", "json", "--paradigm", paradigm]);
        if paradigm != "processes" {
            check.args(["--workers", &self.in_flight.to_string()]);
        }
        check
    }

    /// Seconds of processor time that a process and the children that it waited for have used.
    fn processor_time(&self, command: &mut Command) -> Result<f64, Box<dyn Error>> {
        let before = used_by_children()?;
        let ended = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()?;
        // 1: sites are down, as they are to be where they may fail.
        let may_fail = self.timeout.is_some() && ended.code() == Some(1);
        if !(ended.success() || may_fail) {
            return Err(format!("{command:?}: {ended}").into());
        }
        Ok(used_by_children()? - before)
    }
}

fn used_by_children() -> Result<f64, Box<dyn Error>> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds = |time: TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}
