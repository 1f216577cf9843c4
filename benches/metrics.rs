//! What a scrape of 10,000 sites takes, and what it costs the checks: `cargo bench --bench
//! metrics`.
//!
//! The monitor is the real binary without a screen, under load; the sites are served by
//! another process. Lateness is compared between two stretches of one run, one with a scrape
//! after another and one without.

#[path = "support/median.rs"]
mod median;
#[path = "support/server.rs"]
mod server;
#[path = "support/table.rs"]
mod table;

use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use median::median;
use table::Table;

const SITES: usize = 10_000;

/// Each site is looked at this often: 500 checks a second.
const INTERVAL: Duration = Duration::from_secs(20);

/// The monitor; ended with the bench.
struct Monitor {
    child: Child,
    address: String,
    /// Lateness of the checks of this stretch, in milliseconds.
    late: Arc<Mutex<Vec<f64>>>,
}

impl Monitor {
    fn start(folder: &std::path::Path) -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_squirrel"))
            .args(["watch", "--results", "--metrics", "127.0.0.1:0", "--config"])
            .arg(folder.join("sites.toml"))
            .arg("--history")
            .arg(folder.join("history.db"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().ok_or("no output")?;
        let mut lines = BufReader::new(out).lines();
        let started: serde_json::Value = serde_json::from_str(&lines.next().ok_or("no line")??)?;
        let url = started["metrics"].as_str().ok_or("no metrics")?;
        let address = url
            .trim_start_matches("http://")
            .trim_end_matches("/metrics");
        let late = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&late);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let line: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
                if let (Some(late), Ok(mut noted)) = (line["late_ms"].as_f64(), noted.lock()) {
                    noted.push(late);
                }
            }
        });
        Ok(Self {
            address: address.to_owned(),
            child,
            late,
        })
    }

    /// One scrape: how long it took, in milliseconds, and how many bytes came.
    fn scrape(&self) -> Result<(f64, usize, usize), Box<dyn Error>> {
        let began = Instant::now();
        let mut stream = TcpStream::connect(&self.address)?;
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
        let mut answer = Vec::with_capacity(32 << 20);
        stream.read_to_end(&mut answer)?;
        let took = began.elapsed().as_secs_f64() * 1e3;
        let sites = String::from_utf8_lossy(&answer)
            .matches("\nprobe_success{")
            .count();
        Ok((took, answer.len(), sites))
    }

    /// The lateness of the checks while `during` runs: how many, median, 99th percentile.
    fn lateness(
        &self,
        during: impl FnOnce() -> Result<(), Box<dyn Error>>,
    ) -> Result<(usize, f64, f64), Box<dyn Error>> {
        let take = || self.late.lock().map(|mut late| std::mem::take(&mut *late));
        take().map_err(|_| "poisoned")?;
        during()?;
        let mut late = take().map_err(|_| "poisoned")?;
        late.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| late.get((late.len() as f64 * share) as usize).copied();
        let (half, most) = (at(0.5), at(0.99));
        Ok((late.len(), half.unwrap_or(0.0), most.unwrap_or(0.0)))
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        // Nobody could be told if it did not end.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let Some(mut table) = Table::asked("A scrape of 10,000 sites while they are checked") else {
        return Ok(());
    };
    let stretch = Duration::from_secs(if table.quick { 4 } else { 15 });
    let fleet = server::uniform(50, &["--delay", "20ms"])?;
    let urls = server::urls(&fleet.handshake.addresses);
    let mut list = format!("[monitor]\ninterval = \"{}s\"\n", INTERVAL.as_secs());
    for (site, url) in (0..SITES).zip(urls.iter().cycle()) {
        writeln!(
            list,
            "[[sites]]\nname = \"site {site}\"\nurl = \"{url}{site}\""
        )?;
    }
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("sites.toml"), list)?;
    let monitor = Monitor::start(folder.path())?;
    while monitor.scrape()?.2 < SITES {
        std::thread::sleep(Duration::from_millis(500));
    }
    // The first check of all of them comes at once; from the second on they are spread.
    std::thread::sleep(INTERVAL);

    let alone = monitor.lateness(|| {
        std::thread::sleep(stretch);
        Ok(())
    })?;
    let (mut took, mut bytes) = (Vec::new(), 0);
    let beside = monitor.lateness(|| {
        let began = Instant::now();
        while began.elapsed() < stretch {
            let scrape = monitor.scrape()?;
            took.push(scrape.0);
            bytes = scrape.1;
            // As often as no Prometheus would.
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    })?;

    let scrapes = took.len();
    let worst = took.iter().copied().fold(0.0, f64::max);
    table.at_most("a scrape, median", median(took), 50.0, " ms");
    table.note("the worst of all", format!("{worst:.2} ms of {scrapes}"));
    table.note("its text", format!("{:.1} MB", bytes as f64 / 1e6));
    for (when, (checks, half, most)) in [("no scrape", alone), ("5 scrapes a second", beside)] {
        table.note(
            &format!("checks late by, {when}"),
            format!("{half:.2} ms, p99 {most:.2} ms of {checks}"),
        );
    }
    table.print()?;
    Ok(())
}
