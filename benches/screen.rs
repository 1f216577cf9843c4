//! What the screen costs with very many sites: a frame, a key, and the memory of the state
//! behind it.
//!
//! `cargo bench --bench screen [-- --quick]`
//!
//! A monitor and a plan of 100,000 (and 1,000,000) sites, results folded in in the batches
//! of the program's own loop, frames drawn to the bytes that a terminal would get.

#[path = "support/median.rs"]
mod median;
#[path = "support/process.rs"]
mod process;
#[path = "support/table.rs"]
mod table;

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use uptime_squirrel::domain::{
    CheckResult, CheckSpec, JobId, MaskedUrl, Method, Moment, Now, Outcome, Phases, RanOn, Reason,
    RequestRecord, Site, SiteId, Timestamp, Verdict,
};
use uptime_squirrel::monitor::Monitor;
use uptime_squirrel::paradigm::{Census, Label, labels};
use uptime_squirrel::schedule::Scheduler;
use uptime_squirrel::trace::{ProcStats, TraceStore};
use uptime_squirrel::tui::{
    FrameDiff, HistoryView, LabView, Options, ProcessStats, ReplayState, SiteFormView,
    TerminalInput, TraceView, Ui, ViewModel,
};

use median::median;
use process::status;
use table::Table;

/// Results that the program folds in at a time.
const BATCH: usize = 1_024;
/// The time between two frames that nobody asked for.
const GAP: Duration = Duration::from_millis(100);
const INTERVAL: Duration = Duration::from_secs(300);
const SIZES: [(u16, u16); 2] = [(120, 36), (200, 60)];

fn main() -> Result<(), Box<dyn Error>> {
    let Some(mut table) = Table::asked("The screen during a sweep") else {
        return Ok(());
    };
    let numbers: &[usize] = if table.quick {
        &[100_000]
    } else {
        &[100_000, 1_000_000]
    };
    let empty = status("self", "VmRSS")?;
    for sites in numbers {
        let mut fleet = Fleet::new(*sites);
        // The memory that a smaller fleet gave back is used again: counted from the start.
        let each = |now: f64| format!("{:.0} B", (now - empty) / *sites as f64);
        let title = format!("{sites} sites");
        let configured = status("self", "VmRSS")?;
        table.note(
            &format!("{title}: a site, listed and planned"),
            each(configured),
        );
        fleet.sweep();
        let checked = status("self", "VmRSS")?;
        table.note(&format!("{title}: a site, checked once"), each(checked));
        for size in SIZES {
            frames(&mut table, &title, &mut fleet, size)?;
        }
        keys(&mut table, &title, &mut fleet)?;
        if *sites == 100_000 && !table.quick {
            for _ in 0..96 {
                fleet.sweep();
            }
            let full = status("self", "VmRSS")?;
            table.note(
                &format!("{title}: a site, its last 96 checks kept"),
                each(full),
            );
        }
    }
    table.print()?;
    Ok(())
}

/// Milliseconds of `work`.
fn millis<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let began = Instant::now();
    let value = work();
    (began.elapsed().as_secs_f64() * 1e3, value)
}

fn frames(
    table: &mut Table,
    title: &str,
    fleet: &mut Fleet,
    size: (u16, u16),
) -> Result<(), Box<dyn Error>> {
    let mut screen = Screen::new(size);
    screen.settle(fleet)?;
    let rounds = if table.quick { 100 } else { 400 };
    let (mut took, mut bytes) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        fleet.batch(BATCH);
        fleet.pass(GAP);
        let (millis, sent) = millis(|| screen.frame(fleet));
        took.push(millis);
        bytes.push(sent? as f64);
    }
    let what = format!("{title}, {}x{}", size.0, size.1);
    took.sort_unstable_by(f64::total_cmp);
    let worst = took.last().copied().unwrap_or_default();
    let target = 8.0;
    table.at_most(
        &format!("{what}: a frame, median"),
        median(took),
        target,
        " ms",
    );
    table.at_most(
        &format!("{what}: a frame, worst of {rounds} (list put in order)"),
        worst,
        target,
        " ms",
    );
    table.note(
        &format!("{what}: bytes a frame"),
        format!("{:.0}", median(bytes)),
    );
    // Three of the rows that are seen change, and the clock does not move on.
    let mut few = Vec::new();
    for _ in 0..rounds {
        fleet.visible(3);
        few.push(screen.frame(fleet)? as f64);
    }
    table.note(
        &format!("{what}: bytes when three rows change"),
        format!("{:.0}", median(few)),
    );
    Ok(())
}

/// Keys as a reader would press them, each with the group that it is told in.
const KEYS: [(&str, &[&str]); 4] = [
    (
        "moving",
        &[
            "j", "j", "k", "PgDn", "PgDn", "G", "PgUp", "g", "j", "Enter", "n", "Esc",
        ],
    ),
    ("sorting", &["s", "s", "s", "s", "s", "s", "S", "S"]),
    (
        "filtering",
        &[
            "/",
            "s",
            "i",
            "t",
            "e",
            "-",
            "0",
            "4",
            "2",
            "Backspace",
            "Backspace",
            "Esc",
            "/",
            "d",
            "o",
            "w",
            "n",
            "Enter",
            "j",
            "Esc",
        ],
    ),
    (
        "freezing and help",
        &["Space", "j", "PgDn", "Space", "?", "?"],
    ),
];

fn keys(table: &mut Table, title: &str, fleet: &mut Fleet) -> Result<(), Box<dyn Error>> {
    let rounds = if table.quick { 2 } else { 8 };
    for (group, keys) in KEYS {
        let mut screen = Screen::new(SIZES[1]);
        screen.settle(fleet)?;
        let (mut took, mut worst) = (Vec::new(), (0.0, ""));
        for _ in 0..rounds {
            for key in keys {
                let input = TerminalInput::key(key).ok_or("no such key")?;
                fleet.pass(GAP);
                // The worst moment for a key is when the loop has just taken a batch.
                let (millis, answered) = millis(|| {
                    fleet.batch(BATCH);
                    screen.frame(fleet)?;
                    screen.key(fleet, &input)
                });
                answered?;
                took.push(millis);
                if millis > worst.0 {
                    worst = (millis, key);
                }
            }
        }
        let figure = format!("{title}: a key, {group}");
        table.note(
            &format!("{figure}, median"),
            format!("{:.2} ms", median(took)),
        );
        table.at_most(
            &format!("{figure}, worst ({})", worst.1),
            worst.0,
            50.0,
            " ms",
        );
    }
    Ok(())
}

/// The screen as the program's loop drives it.
struct Screen {
    ui: Ui,
    sheet: FrameDiff,
    size: (u16, u16),
    labels: Vec<Label>,
}

impl Screen {
    fn new(size: (u16, u16)) -> Self {
        let options = Options::new(false, TimeZone::UTC, |name| {
            (name == "LANG").then(|| "C.UTF-8".into())
        });
        Self {
            ui: Ui::new(options, size),
            sheet: FrameDiff::new(),
            size,
            labels: labels().to_vec(),
        }
    }

    fn key(&mut self, fleet: &Fleet, input: &TerminalInput) -> std::io::Result<usize> {
        let next_due = |site| fleet.schedule.due_of(site);
        self.ui.input(input, &fleet.model(&self.labels, &next_due));
        self.frame(fleet)
    }

    /// Draws until the list of the table is complete.
    fn settle(&mut self, fleet: &Fleet) -> std::io::Result<()> {
        self.frame(fleet)?;
        while self.ui.is_busy() {
            self.frame(fleet)?;
        }
        Ok(())
    }

    /// Draws a frame; gives how many bytes it takes.
    fn frame(&mut self, fleet: &Fleet) -> std::io::Result<usize> {
        let next_due = |site| fleet.schedule.due_of(site);
        let model = fleet.model(&self.labels, &next_due);
        self.ui.tick(&model);
        let bytes = self.sheet.advance(&self.ui, &model, self.size)?.len();
        self.ui.drawn(&model);
        Ok(bytes)
    }
}

/// Very many sites, one in a thousand of them down.
struct Fleet {
    monitor: Monitor,
    store: TraceStore,
    history: HistoryView,
    replay: ReplayState,
    kernel: ProcStats,
    schedule: Scheduler,
    now: Now,
    next: usize,
    /// Results given so far: makes latencies differ.
    given: u64,
    host: Arc<str>,
    thread: Arc<str>,
}

impl Fleet {
    fn new(sites: usize) -> Self {
        let now = Now {
            mono: Moment::ZERO,
            wall: Timestamp::from_micros(1_763_819_820_000_000),
        };
        let agent: Arc<str> = "UptimeSquirrel".into();
        let mut monitor = Monitor::new();
        let site = |index| site(index, &agent);
        monitor.configure((0..sites).map(site).collect(), now);
        let plan: Vec<_> = monitor.ids().iter().map(|id| (*id, INTERVAL)).collect();
        let mut schedule = Scheduler::new();
        schedule.configure(&plan, now.mono);
        Self {
            monitor,
            store: TraceStore::new(),
            history: HistoryView::default(),
            replay: ReplayState::default(),
            kernel: ProcStats::default(),
            schedule,
            now,
            next: 0,
            given: 0,
            host: "web-1".into(),
            thread: "async-1".into(),
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now.mono = self.now.mono + time;
        let micros = i64::try_from(time.as_micros()).unwrap_or_default();
        self.now.wall = Timestamp::from_micros(self.now.wall.as_micros() + micros);
    }

    /// One result a site.
    fn sweep(&mut self) {
        let all = self.monitor.ids().len();
        for _ in 0..all.div_ceil(BATCH) {
            self.pass(Duration::from_millis(10));
            self.batch(BATCH);
        }
    }

    /// What is due, and so many results.
    fn batch(&mut self, results: usize) {
        let mut due = Vec::new();
        self.schedule.take_due(self.now.mono, 4 * BATCH, &mut due);
        let all = self.monitor.ids().len();
        for _ in 0..results {
            self.observe(self.next % all);
            self.next += 1;
        }
    }

    /// Results of the first `sites` that are down, which stand at the top of the screen.
    fn visible(&mut self, sites: usize) {
        for site in 0..sites {
            self.observe(site * 1_000);
        }
    }

    fn observe(&mut self, index: usize) {
        let site = SiteId::from_index(index);
        let result = self.result(site);
        let outcome = Outcome::Checked(Arc::new(result));
        self.monitor.observe(&outcome, self.now, &mut Vec::new());
        self.given += 1;
    }

    fn result(&self, site: SiteId) -> CheckResult {
        let down = site.index().is_multiple_of(1_000);
        // Steps of a prime scatter latencies well enough.
        let latency = Duration::from_micros(20_000 + self.given * 7_919 % 300_000);
        let reason = down.then_some(Reason::Status);
        let url = self
            .monitor
            .site(site)
            .map(|state| state.site().spec.url.shown());
        let phases = Phases {
            dns: Some(latency / 20),
            connect: Some(latency / 7),
            tls: Some(latency / 3),
            first_byte: Some(latency / 2),
        };
        CheckResult {
            job: JobId {
                site,
                due: self.now.mono,
            },
            verdict: if down { Verdict::Down } else { Verdict::Up },
            reason,
            error: reason
                .map(|_| "answered 503 Service Unavailable; 400 and more counts as down".into()),
            status: Some(if down { 503 } else { 200 }),
            started_at: self.now.wall,
            started: self.now.mono,
            latency,
            late: Duration::from_millis(3),
            phases,
            method: Method::Head,
            attempts: 1,
            redirects: 0,
            certificate: None,
            requests: vec![RequestRecord {
                method: Method::Head,
                url: url.unwrap_or_default().into(),
                address: Some(std::net::Ipv4Addr::LOCALHOST.into()),
                resolved: vec![std::net::Ipv4Addr::LOCALHOST.into()],
                failed_connects: Vec::new(),
                status: Some(200),
                phases,
                took: latency,
                note: "answered 200 OK".into(),
            }],
            ran_on: RanOn {
                host: Arc::clone(&self.host),
                pid: 4_100,
                tid: 4_101,
                thread: Arc::clone(&self.thread),
            },
        }
    }

    fn model<'a>(
        &'a self,
        labels: &'a [Label],
        next_due: &'a dyn Fn(SiteId) -> Option<Moment>,
    ) -> ViewModel<'a> {
        ViewModel {
            monitor: &self.monitor,
            now: self.now,
            paradigms: labels,
            active: labels.len() - 1,
            census: Census {
                workers: 1_000,
                running: 1_000,
                queued: 4_000,
                threads: 2,
                processes: 1,
            },
            resizable: true,
            trace: TraceView {
                store: &self.store,
                kernel: &self.kernel,
                capacity: None,
                interval: None,
                on: true,
                pid: std::process::id(),
                queue: None,
            },
            history: &self.history,
            replay: &self.replay,
            process: ProcessStats {
                cpu: Some(0.9),
                rss: Some(200 << 20),
            },
            lab: LabView {
                cores: 2,
                ..LabView::default()
            },
            next_due,
            silence: &|_| None,
            on_call: &[],
            form: SiteFormView::ALONE,
            message: None,
            messages: &[],
            banner: None,
            config_path: "sites.toml",
            demo: false,
        }
    }
}

fn site(index: usize, agent: &Arc<str>) -> Site {
    // Scattered over the alphabet, as real names are.
    let initial = char::from(b'a' + (index * 7 % 26) as u8);
    let name = format!("{initial}{}.site-{index:06}.example", index * 7_919 % 1_000);
    Site {
        spec: Arc::new(CheckSpec {
            user_agent: Arc::clone(agent),
            ..CheckSpec::new(MaskedUrl::new(format!("https://{name}/")))
        }),
        name: name.into(),
        interval: INTERVAL,
        confirm: 2,
        recover: 1,
        confirm_delay: Duration::from_secs(10),
        slow_after: Duration::from_secs(600),
        owners: Arc::default(),
        tags: Vec::new(),
        parent: None,
        paused: false,
    }
}
