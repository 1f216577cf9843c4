//! What a frame of the Scheduling screen costs while 1,000 checks a second run.
//!
//! `cargo bench --bench lanes [-- --quick]`
//!
//! The program's own core on 1,000 sites that are due every second and take 100 ms each.
//! Ten frames a second are drawn to the bytes that a terminal would get, in each of the three
//! groupings. A frame's cost is the processor time of the thread that draws, from taking over
//! what the workers noted to the last byte.

#[path = "support/live.rs"]
mod live;
#[path = "support/median.rs"]
mod median;
#[path = "support/server.rs"]
mod server;
#[path = "support/table.rs"]
mod table;

use std::error::Error;
use std::num::NonZeroUsize;
use std::time::Duration;

use jiff::tz::TimeZone;
use rustix::time::{ClockId, clock_gettime};
use uptime_squirrel::domain::{Clock as _, Moment};
use uptime_squirrel::paradigm::labels;
use uptime_squirrel::trace::{Capacity, ProcStats, TraceStore, WorkerResources};
use uptime_squirrel::tui::{
    FrameDiff, HistoryView, LabView, Options, ProcessStats, ReplayState, SiteFormView,
    TerminalInput, TraceView, Ui, ViewModel,
};

use live::Live;
use median::median;
use server::{uniform, urls};
use table::Table;

const SITES: usize = 1_000;
const INTERVAL: Duration = Duration::from_secs(1);
const DELAY: &str = "100ms";
/// Enough threads for what is in flight.
const THREADS: usize = 128;
const SIZE: (u16, u16) = (120, 36);
/// The time between two frames that nobody asked for.
const GAP: Duration = Duration::from_millis(100);
/// What the screen shows at a time; the first page is drawn and not counted.
const PAGE: Duration = Duration::from_secs(10);
/// Checks that wait and are looked at.
const MOST_WAITING: usize = 4_096;
const GROUPINGS: [&str; 3] = ["by thread", "by site", "by task"];

fn main() -> Result<(), Box<dyn Error>> {
    let Some(mut table) = Table::asked("A frame of the Scheduling screen at 120x36") else {
        return Ok(());
    };
    let server = uniform(16, &["--delay", DELAY])?;
    let urls = urls(&server.handshake.addresses);
    // Every page is begun once.
    let pages = if table.quick { 1 } else { 3 };
    for name in ["async", "threads", "green"] {
        watch(&mut table, name, &urls, pages)?;
    }
    table.print()?;
    Ok(())
}

fn watch(table: &mut Table, name: &str, urls: &[String], pages: u32) -> Result<(), Box<dyn Error>> {
    let mut live = Live::start(name, &[("threads", THREADS)], urls, SITES, INTERVAL)?;
    let mut record = Keeping::default();
    let mut screens = Vec::new();
    for (index, _) in GROUPINGS.iter().enumerate() {
        screens.push(Screen::new(index, &live, &record)?);
    }
    let counted = live.clock.moment() + PAGE + INTERVAL;
    let end = counted + PAGE * pages;
    let (mut next, mut frames, mut checks) = (live.clock.moment(), 0, 0_u32);
    let mut taken = Vec::new();
    while next < end {
        next = next + GAP;
        while live.clock.moment() < next {
            live.turn(next, |_| checks += u32::from(next > counted));
        }
        let (shared, ()) = millis(|| record.read(&live));
        if next > counted {
            taken.push(shared);
        }
        // Whoever is drawn first finds colder caches: each in its turn.
        for turn in 0..screens.len() {
            let place = (turn + frames) % GROUPINGS.len();
            let (own, bytes) = millis(|| screens[place].frame(&live, &record));
            let bytes = bytes? as f64;
            if next > counted {
                screens[place].took.push(shared + own);
                screens[place].bytes.push(bytes);
            }
        }
        frames += 1;
    }
    let rate = f64::from(checks) / (PAGE * pages).as_secs_f64();
    if rate < 500.0 {
        return Err(format!("{name}: {rate:.0} checks a second").into());
    }
    table.note(
        &format!("{name}: checks a second, and in flight"),
        format!("{rate:.0}, {}", record.store.running().count()),
    );
    table.note(
        &format!("{name}: of a frame, taking over what was noted"),
        format!("{:.2} ms", median(taken)),
    );
    for (screen, grouping) in screens.into_iter().zip(GROUPINGS) {
        screen.show(table, &format!("{name}, {grouping}"));
    }
    Ok(())
}

/// Milliseconds of processor time that this thread needs for `work`.
fn millis<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let read = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
    };
    let began = read();
    let value = work();
    (read() - began, value)
}

/// What is on record, kept as the program keeps it.
#[derive(Default)]
struct Keeping {
    store: TraceStore,
    kernel: ProcStats,
    sampled: Moment,
    cores: usize,
}

impl Keeping {
    fn read(&mut self, live: &Live) {
        const SAMPLE_PERIOD: Duration = Duration::from_secs(1);
        let (core, now) = (&live.driver, live.clock.moment());
        self.store.set_workers(core.census().workers, now);
        self.store.absorb(core.recorder().fetch());
        let waiting = core.waiting(MOST_WAITING);
        self.store
            .update(core.recorder(), waiting, core.demand().sites, now);
        if now.since(self.sampled) >= SAMPLE_PERIOD {
            self.sampled = now;
            self.cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
            self.kernel.sample(self.store.roster(), now);
        }
    }

    /// Gives a frame's view model to `read`.
    fn scene<T>(&self, live: &Live, read: impl FnOnce(&ViewModel<'_>) -> T) -> T {
        let core = &live.driver;
        let (entry, census, labels) = (core.entry(), core.census(), labels());
        let active = labels.iter().position(|label| *label == entry.label);
        let crew = WorkerResources {
            workers: census.workers,
            threads: census.threads,
            cores: self.cores,
        };
        let means = self.store.means();
        read(&ViewModel {
            monitor: core.monitor(),
            now: live.clock.now(),
            paradigms: &labels,
            active: active.unwrap_or_default(),
            census,
            resizable: entry.resizable,
            trace: TraceView {
                store: &self.store,
                kernel: &self.kernel,
                capacity: means.map(|means| Capacity::measure(core.demand(), means, crew)),
                // A page of ten seconds, as with any longer interval.
                interval: None,
                queue: None,
                on: core.recorder().is_on(),
                pid: std::process::id(),
            },
            process: ProcessStats {
                cpu: Some(0.3),
                rss: Some(40 << 20),
            },
            history: &HistoryView::default(),
            replay: &ReplayState::default(),
            lab: LabView::default(),
            next_due: &|site| core.due_of(site),
            silence: &|_| None,
            on_call: &[],
            form: SiteFormView::ALONE,
            message: None,
            messages: &[],
            banner: None,
            config_path: "sites.toml",
            demo: false,
        })
    }
}

/// A screen as the program's loop drives it, and what its frames took.
struct Screen {
    ui: Ui,
    sheet: FrameDiff,
    took: Vec<f64>,
    bytes: Vec<f64>,
}

impl Screen {
    /// The Scheduling screen, its lanes grouped in one of the three ways.
    fn new(grouping: usize, live: &Live, record: &Keeping) -> Result<Self, Box<dyn Error>> {
        let mut ui = Ui::new(
            Options::new(false, TimeZone::UTC, |name| {
                (name == "LANG").then(|| "C.UTF-8".into())
            }),
            SIZE,
        );
        for key in std::iter::once("Tab").chain(std::iter::repeat_n("v", grouping)) {
            let input = TerminalInput::key(key).ok_or("no such key")?;
            record.scene(live, |scene| ui.input(&input, scene));
        }
        if !ui.watches_lanes() {
            return Err("not the Scheduling screen".into());
        }
        Ok(Self {
            ui,
            sheet: FrameDiff::new(),
            took: Vec::new(),
            bytes: Vec::new(),
        })
    }

    /// Draws a frame; gives how many bytes it takes.
    fn frame(&mut self, live: &Live, record: &Keeping) -> std::io::Result<usize> {
        record.scene(live, |scene| {
            self.ui.tick(scene);
            let bytes = self.sheet.advance(&self.ui, scene, SIZE)?.len();
            self.ui.drawn(scene);
            Ok(bytes)
        })
    }

    fn show(self, table: &mut Table, title: &str) {
        const TIME: f64 = 3.0;
        const BYTES: f64 = 2_048.0;
        let worst = |all: &[f64]| all.iter().copied().fold(0.0, f64::max);
        let mean = self.bytes.iter().sum::<f64>() / self.bytes.len().max(1) as f64;
        let (slowest, most) = (worst(&self.took), worst(&self.bytes));
        let frames = self.took.len();
        let figure = format!("{title}: a frame, median of {frames}");
        table.at_most(&figure, median(self.took), TIME, " ms");
        table.note(&format!("{title}: the slowest"), format!("{slowest:.2} ms"));
        table.at_most(
            &format!("{title}: written, median"),
            median(self.bytes),
            BYTES,
            " B",
        );
        table.at_most(&format!("{title}: written, mean"), mean, BYTES, " B");
        table.at_most(
            &format!("{title}: written, the most (a page is turned)"),
            most,
            BYTES,
            " B",
        );
    }
}
