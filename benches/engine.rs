//! What the engine costs with very many sites: results a second, and the longest that any input
//! holds up the loop while very many outages are open.
//!
//! `cargo bench --bench engine [-- --quick]`
//!
//! `Engine::handle` alone, fed as the driver feeds it; what it asks for is counted and dropped.
//! Times are those of this thread on a core, so that other programs do not count.

#[path = "support/table.rs"]
mod table;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use rustix::time::{ClockId, clock_gettime};
use uptime_squirrel::alert::{AlertRules, DeliveryReport};
use uptime_squirrel::domain::{
    CheckResult, CheckSpec, JobId, MaskedUrl, Method, Moment, Now, Owner, Phases, RanOn, Reason,
    Site, SiteId, Timestamp, Verdict,
};
use uptime_squirrel::engine::{Effect, Engine, EngineConfig, Input, Round, Storage};

use table::Table;

/// Results that the program folds in at a time.
const BATCH: usize = 256;

/// Sites on which one in so many depends on another.
const BEHIND: usize = 2;

const INTERVAL: Duration = Duration::from_secs(300);

fn main() -> Result<(), Box<dyn Error>> {
    let Some(mut table) = Table::asked("The engine, alone on one core") else {
        return Ok(());
    };
    let (sites, down) = match table.quick {
        true => (100_000, 20_000),
        false => (1_000_000, 200_000),
    };
    throughput(&mut table, sites);
    for owners in [500, 1] {
        outages(&mut table, sites, down, owners);
    }
    table.print()?;
    Ok(())
}

/// Seconds that this thread has been on a core.
fn on_core() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

fn throughput(table: &mut Table, sites: usize) {
    let mut world = World::new(sites, 500, 0);
    // The first sweep finds everything new; the second is as all later ones.
    world.sweep();
    let took = world.sweep();
    table.at_most(
        &format!("{sites} sites: 500,000 results"),
        took / sites as f64 * 500_000.0,
        1.0,
        " s",
    );
}

fn outages(table: &mut Table, sites: usize, down: usize, owners: usize) {
    let title = format!("{down} of {sites} sites down, of {owners} owners");
    let mut world = World::new(sites, owners, down);
    world.sweep();
    let mut worst = Worst::default();
    // All of them in one moment, in the batches of the program's loop; then their messages.
    world.pass(INTERVAL);
    world.down = true;
    let jobs: Vec<JobId> = (0..down).map(|site| world.job(site)).collect();
    for batch in jobs.chunks(BATCH) {
        let results = batch.iter().map(|job| world.result(*job)).collect();
        worst.note(
            "results, each of which opens an outage",
            world.take(Input::Results(results)),
        );
    }
    for _ in 0..120 {
        world.pass(Duration::from_secs(1));
        worst.note("a tick until all are told", world.take(Input::Tick));
        while let Some((owner, channel, id)) = world.deliveries.pop() {
            let report = DeliveryReport::Delivered;
            let input = Input::Reported {
                owner,
                channel,
                id,
                report,
            };
            worst.note("the report of a delivery", world.take(input));
        }
        world.drain(&mut worst, "a tick at once until all are told");
    }
    assert_eq!(world.open(), down, "all are down");
    // At rest.
    let began = world.spent;
    let seconds = 120;
    for _ in 0..seconds {
        world.pass(Duration::from_secs(1));
        worst.note("a tick at rest", world.take(Input::Tick));
        world.drain(&mut worst, "a tick at rest");
    }
    let share = (world.spent - began) / f64::from(seconds) * 100.0;
    table.at_most(&format!("{title}: at rest, of a core"), share, 1.0, " %");
    // Whatever else may come.
    for round in 0..50 {
        world.pass(Duration::from_millis(500));
        let site = SiteId::from_index(round * 97 % down);
        let job = world.job(site.index());
        let failing = (0..BATCH).map(|place| {
            let job = world.job((round * BATCH + place) % down);
            world.result(job)
        });
        let failing = failing.collect();
        worst.note(
            "results of sites that are down",
            world.take(Input::Results(failing)),
        );
        let round = Round {
            asked: world.now.mono,
            answered: true,
            why: "".into(),
        };
        for (what, input) in [
            ("missed", Input::Missed(job)),
            ("busy", Input::Busy(job)),
            ("withdrawn", Input::Withdrawn(site)),
            ("canaries that answer", Input::Canaries(round)),
            ("a check asked for", Input::Recheck(site)),
            ("a pause", Input::Pause { site, paused: true }),
            (
                "a pause that ends",
                Input::Pause {
                    site,
                    paused: false,
                },
            ),
            ("an acknowledgement", Input::Acknowledge { site, by: None }),
            ("maintenance", Input::Maintenance(site)),
            ("maintenance that ends", Input::Maintenance(site)),
        ] {
            worst.note(what, world.take(input));
            world.drain(&mut worst, "a tick after a key");
        }
    }
    world.pass(Duration::from_millis(500));
    let took = world.take(Input::RecheckAll);
    worst.note("all checks asked for", took);
    world.drain(&mut worst, "a tick after that");
    // Once in the life of a file: all that is known is written into a new one.
    let took = world.take(Input::Storage(Storage::Replaced));
    table.note(
        &format!("{title}: a new history file"),
        format!("{:.0} ms", took * 1e3),
    );
    // A site on which many depend, and then all of them, are up again.
    world.down = false;
    for batch in jobs.chunks(BATCH) {
        world.pass(Duration::from_millis(1));
        let results = batch
            .iter()
            .map(|job| world.result(world.job(job.site.index())));
        let results = results.collect();
        worst.note(
            "results, each of which ends an outage",
            world.take(Input::Results(results)),
        );
        world.drain(&mut worst, "a tick between them");
    }
    worst.print(table, &title);
}

/// The longest time that each kind of input took.
#[derive(Default)]
struct Worst(Vec<(&'static str, f64)>);

impl Worst {
    fn note(&mut self, what: &'static str, seconds: f64) {
        match self.0.iter_mut().find(|(known, _)| *known == what) {
            Some((_, worst)) => *worst = worst.max(seconds),
            None => self.0.push((what, seconds)),
        }
    }

    fn print(self, table: &mut Table, title: &str) {
        for (what, seconds) in self.0 {
            table.at_most(&format!("{title}: {what}"), seconds * 1e3, 5.0, " ms");
        }
    }
}

/// An engine, its clock, and what it asked for.
struct World {
    engine: Engine,
    now: Now,
    ran_on: RanOn,
    sites: usize,
    /// Sites before this one can be down.
    fragile: usize,
    down: bool,
    deliveries: Vec<(Box<str>, Box<str>, Box<str>)>,
    /// Checks that are to be run.
    jobs: Vec<JobId>,
    /// Seconds on a core so far.
    spent: f64,
}

impl World {
    fn new(sites: usize, owners: usize, fragile: usize) -> Self {
        let now = Now {
            mono: Moment::from_nanos(1 << 40),
            wall: Timestamp::from_micros(1_763_819_820_000_000),
        };
        let mut world = Self {
            engine: Engine::new(TimeZone::UTC, "here", now),
            now,
            ran_on: RanOn {
                host: "here".into(),
                pid: 1,
                tid: 1,
                thread: "async-1".into(),
            },
            sites,
            fragile,
            down: false,
            deliveries: Vec::new(),
            jobs: Vec::new(),
            spent: 0.0,
        };
        let config = configuration(sites, owners, fragile);
        world.take(Input::Configured(Box::new(config)));
        world.spent = 0.0;
        world
    }

    fn pass(&mut self, time: Duration) {
        self.now.mono = self.now.mono + time;
        self.now.wall = self.now.wall.after(time);
    }

    /// Gives an input; the seconds that it took.
    fn take(&mut self, input: Input) -> f64 {
        let began = on_core();
        let effects = self.engine.handle(input, self.now);
        let took = on_core() - began;
        self.spent += took;
        for effect in effects {
            match effect {
                Effect::Dispatch { job, .. } => self.jobs.push(job),
                Effect::Deliver(delivery) => {
                    self.deliveries
                        .push((delivery.owner, delivery.channel, delivery.id));
                }
                _ => {}
            }
        }
        took
    }

    /// Gives ticks for as long as there is something to be done at once.
    fn drain(&mut self, worst: &mut Worst, what: &'static str) {
        for _ in 0..100_000 {
            let began = on_core();
            let wake = self.engine.next_wake();
            let asked = on_core() - began;
            self.spent += asked;
            worst.note("when is the next tick?", asked);
            if wake.is_none_or(|wake| wake > self.now.mono) {
                return;
            }
            worst.note(what, self.take(Input::Tick));
            self.jobs.clear();
        }
        unreachable!("it is never done");
    }

    fn open(&self) -> usize {
        let sites = self.engine.monitor().sites();
        sites.filter(|state| state.outage().is_some()).count()
    }

    /// A result of every site, in the batches of the program's loop; the seconds that it took.
    fn sweep(&mut self) -> f64 {
        self.pass(INTERVAL);
        let before = self.spent;
        self.jobs.clear();
        let mut answered = 0;
        while answered < self.sites {
            if self.jobs.is_empty() {
                self.take(Input::Tick);
                if self.jobs.is_empty() {
                    self.pass(Duration::from_secs(1));
                    continue;
                }
            }
            let jobs: Vec<JobId> = self.jobs.drain(..self.jobs.len().min(BATCH)).collect();
            answered += jobs.len();
            let results = jobs.into_iter().map(|job| self.result(job)).collect();
            self.take(Input::Results(results));
        }
        self.spent - before
    }

    fn job(&self, site: usize) -> JobId {
        JobId {
            site: SiteId::from_index(site),
            due: self.now.mono,
        }
    }

    fn result(&self, job: JobId) -> CheckResult {
        let down = self.down && job.site.index() < self.fragile;
        CheckResult {
            job,
            verdict: if down { Verdict::Down } else { Verdict::Up },
            reason: down.then_some(Reason::Status),
            error: down.then(|| "answered 503 Service Unavailable".into()),
            status: Some(if down { 503 } else { 200 }),
            started_at: self.now.wall,
            started: self.now.mono,
            latency: Duration::from_micros(20_000 + job.site.index() as u64 * 7_919 % 300_000),
            late: Duration::from_millis(3),
            phases: Phases::default(),
            method: Method::Head,
            attempts: 1,
            redirects: 0,
            certificate: None,
            requests: Vec::new(),
            ran_on: self.ran_on.clone(),
        }
    }
}

/// Sites of a configuration file; half of those that will be down depend on the first.
fn configuration(sites: usize, owners: usize, fragile: usize) -> EngineConfig {
    let spec = Arc::new(CheckSpec::new(MaskedUrl::new("https://example.org/")));
    let owner = |number: usize| -> Box<str> { format!("owner{number}").into() };
    let shared: Vec<Arc<[Box<str>]>> = (0..owners).map(|number| [owner(number)].into()).collect();
    let names = (0..owners).map(owner);
    EngineConfig {
        sites: (0..sites)
            .map(|number| Site {
                name: format!("site {number}").into(),
                owners: Arc::clone(&shared[number % owners]),
                parent: (number > 0 && number < fragile && number % BEHIND == 0)
                    .then(|| "site 0".into()),
                spec: Arc::clone(&spec),
                interval: INTERVAL,
                confirm: 1,
                recover: 1,
                confirm_delay: Duration::from_secs(10),
                slow_after: Duration::from_secs(600),
                tags: Vec::new(),
                paused: false,
            })
            .collect(),
        alerts: AlertRules {
            owners: names
                .clone()
                .map(|name| Owner {
                    name,
                    ..Owner::default()
                })
                .collect(),
            channels: names.map(|name| (name, vec!["webhook".into()])).collect(),
            remind: Some(Duration::from_secs(1_800)),
            digest: Duration::from_secs(30),
            ..AlertRules::default()
        },
        canaries: false,
    }
}
