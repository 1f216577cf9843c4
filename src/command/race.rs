//! `squirrel race`: every paradigm over the same list, one after another.

use std::io::{self, IsTerminal, Write};
use std::net::UdpSocket;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::app::choose;
use crate::config::{self, Config, SecretUse};
use crate::demo::DemoProcess;
use crate::domain::{CheckSpec, FileError, Site, plain_io_error};
use crate::lab::{Contender, GLOSSARY, JobList, Race, RaceEvent, RacePlan, RaceState, fine};
use crate::paradigm::{ALL, ensure_files, raise_file_limit};
use crate::probe::ProberFactory;
use crate::runtime::own_program;

use super::demo::no_demo_sites;
use super::exit::{Exit, OutputError, fail, print, say};
use super::race_args::{Gil, RaceArgs, RaceWork};
use super::race_report;
use super::signals::Signals;
use super::{runtime, site_source, trace_file};

/// The default number of jobs where no site is checked.
const JOBS: usize = 4;

/// How long a stopped race may take to end its child processes.
const STOP_TIMEOUT: Duration = Duration::from_millis(1_500);

pub(super) fn run(args: &RaceArgs) -> Exit {
    if args.explain {
        return explain();
    }
    if let Err(error) = ensure_files() {
        say(error);
        return Exit::Unknown;
    }
    let field = match field(args) {
        Ok(field) => field,
        Err(exit) => return exit,
    };
    match runtime::current_thread() {
        Ok(runtime) => runtime.block_on(hold(field, args)),
        Err(exit) => exit,
    }
}

fn explain() -> Exit {
    let terms = GLOSSARY.iter();
    let terms = terms.map(|term| format!("{}\n  {}\n  {}\n\n", term.word, term.meaning, term.see));
    print(terms.collect::<String>().as_bytes())
}

/// The plan of a race, and the process of the demo sites if it runs over those.
struct Field {
    plan: RacePlan,
    _demo: Option<DemoProcess>,
}

fn field(args: &RaceArgs) -> Result<Field, Exit> {
    let (config, demo) = match args.workload {
        RaceWork::Http => sites(args)?,
        RaceWork::Sleep | RaceWork::Crunch => {
            if !args.urls.is_empty() || args.source.config.is_some() {
                return Err(fail(
                    "sites are for --workload http: the other workloads check none",
                ));
            }
            (Config::default(), None)
        }
    };
    let jobs_wanted = args.jobs.unwrap_or(JOBS);
    let mut job_list = match args.workload {
        RaceWork::Sleep => JobList::sleep(jobs_wanted, args.length),
        RaceWork::Crunch => JobList::crunch(jobs_wanted, args.length),
        RaceWork::Http => job_list(&config, args.jobs)?,
    };
    job_list.queue = config.queue_options();
    let plan = RacePlan {
        contenders: contenders(args, &config, job_list.jobs()),
        job_list,
        rounds: args.rounds,
        gil: args.gil == Gil::On,
        traced: args.trace.is_some(),
    };
    Ok(Field { plan, _demo: demo })
}

/// The list: of the command line, else the one that is found, else the demo sites, which need no
/// network.
fn sites(args: &RaceArgs) -> Result<(Config, Option<DemoProcess>), Exit> {
    let explicit = args.source.config.as_deref();
    if !args.urls.is_empty() {
        return Ok((site_source::urls(&args.urls, explicit)?, None));
    }
    if explicit.is_some() {
        return Ok((site_source::load(explicit, SecretUse::Checks)?, None));
    }
    let why = match config::find(None) {
        Ok(path) if has_network() => {
            return Ok((site_source::read(&path, SecretUse::Checks)?, None));
        }
        Ok(_) => "there is no network",
        Err(_) => "no list of sites is given or found",
    };
    say(format!("{why}: racing over the demo sites instead"));
    let demo = own_program().and_then(DemoProcess::start);
    let demo = demo.map_err(|error| fail(no_demo_sites(&error)))?;
    Ok((
        site_source::read(&demo.config_path(), SecretUse::Checks)?,
        Some(demo),
    ))
}

/// Whether the system has a route to other machines. Connecting a UDP socket sends nothing.
fn has_network() -> bool {
    [("0.0.0.0:0", "192.0.2.1:9"), ("[::]:0", "[2001:db8::1]:9")]
        .iter()
        .any(|(from, to)| UdpSocket::bind(from).is_ok_and(|socket| socket.connect(to).is_ok()))
}

fn job_list(config: &Config, jobs: Option<usize>) -> Result<JobList, Exit> {
    let factory = ProberFactory::http(config.monitor.ca_file.as_ref()).map_err(fail)?;
    let sites: Vec<&Site> = config.sites.iter().filter(|site| !site.paused).collect();
    if sites.is_empty() {
        return Err(fail("there is no site to race over"));
    }
    let named = |site: &&Site| -> (Box<str>, Arc<CheckSpec>) {
        (site.name.clone(), Arc::clone(&site.spec))
    };
    // With more jobs than sites the list is repeated.
    let jobs = jobs.unwrap_or(sites.len());
    let sites = sites.iter().cycle().take(jobs).map(named);
    Ok(JobList::sites(Arc::new(factory), sites))
}

fn contenders(args: &RaceArgs, config: &Config, jobs: usize) -> Vec<Contender> {
    let (_, numbers) = choose(config, None, None, raise_file_limit());
    let mut numbers = numbers.of_a_sweep();
    let is_workload = args.workload != RaceWork::Http;
    let wanted = args.workers.or(is_workload.then_some(jobs));
    let mut contenders = Vec::new();
    for entry in &ALL {
        if let Some(number) = wanted {
            numbers.choose(entry, number);
        }
        let (workers, notice) = numbers.of(entry);
        let listed =
            args.paradigm.is_empty() || args.paradigm.iter().any(|name| name == entry.label.name);
        let contender = Contender {
            entry,
            workers,
            listed,
        };
        // Workloads without sites run the base of comparison too, which takes a known time; a long
        // list may take too long one by one.
        if !(listed || is_workload && contender.is_base()) {
            continue;
        }
        if let Some(notice) = notice {
            say(format!("{}: {notice}", entry.label.name));
        }
        contenders.push(contender);
    }
    contenders
}

async fn hold(field: Field, args: &RaceArgs) -> Exit {
    if let Some(path) = &args.trace
        && let Err(error) = trace_file::ensure_writable(path)
    {
        return fail(error);
    }
    let jobs = field.plan.job_list.jobs();
    let mut race_state = RaceState::of(&field.plan);
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => return fail(error),
    };
    let mut race = match Race::start(field.plan) {
        Ok(race) => race,
        Err(error) => return fail(format!("the race cannot start: {}", plain_io_error(&error))),
    };
    let mut commentary = Commentary::new(io::stderr().is_terminal());
    let mut signal = None;
    while race_state.over.is_none() {
        tokio::select! {
            biased;
            number = signals.next(), if signal.is_none() => {
                signal = Some(number);
                race.stop();
            }
            event = race.events.recv() => match event {
                Some(event) => {
                    race_state.apply(event.clone());
                    commentary.tell(&event, &race_state);
                }
                None => break,
            },
            () = tokio::time::sleep(STOP_TIMEOUT), if signal.is_some() => break,
        }
    }
    commentary.clear();
    let printed = race_report::print(&race_state, jobs, args.format);
    let traced = args.trace.as_ref();
    let traced = traced.map_or(Ok(()), |path| write_trace(path, &race_state));
    let traced = traced.map_err(fail);
    if let Some(number) = signal {
        say("the race was stopped; the figures are those of the rounds until then");
        return Exit::Signal(number);
    }
    match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => fail(OutputError(error)),
        _ if traced.is_err() => Exit::Mistake,
        _ if race_state.listed().all(|(_, row)| row.medians().is_none()) => Exit::Unknown,
        _ => Exit::Fine,
    }
}

/// Writes the newest round of every paradigm, one after another on the same clock.
fn write_trace(path: &Path, race_state: &RaceState) -> Result<(), FileError> {
    let timed_runs = race_state.listed().filter_map(|(_, row)| row.newest());
    let records = timed_runs.flat_map(|timed_run| &timed_run.records);
    trace_file::write(path, records, &[], |site| {
        race_state.names.get(site.index())
    })
}

/// The progress of a race on standard error: one line that is redrawn in place at a terminal, a
/// line for each run elsewhere.
struct Commentary {
    terminal: bool,
    visible: bool,
}

impl Commentary {
    const fn new(terminal: bool) -> Self {
        Self {
            terminal,
            visible: false,
        }
    }

    fn tell(&mut self, event: &RaceEvent, race_state: &RaceState) {
        if self.terminal {
            return self.draw(race_state);
        }
        match event {
            RaceEvent::RunDone { place, timed_run } => {
                let row = &race_state.rows[*place];
                say(format!(
                    "round {} of {}: {} took {}",
                    row.timed_runs(),
                    race_state.rounds,
                    row.label.name,
                    fine(timed_run.sweep)
                ));
            }
            RaceEvent::CannotRun { place, why } => {
                say(format!(
                    "{} cannot run: {why}",
                    race_state.rows[*place].label.name
                ));
            }
            RaceEvent::UnderWay { .. } | RaceEvent::Over { .. } => {}
        }
    }

    fn draw(&mut self, race_state: &RaceState) {
        const WIDTH: usize = 20;
        let Some(progress) = race_state.progress else {
            return;
        };
        let filled = (race_state.share() * WIDTH as f64) as usize;
        let bar = format!("{}{}", "#".repeat(filled), ".".repeat(WIDTH - filled));
        let round = match progress.round {
            0 => "warming up".to_owned(),
            round => format!("round {round} of {}", race_state.rounds),
        };
        let line = format!(
            "\r[{bar}] {round}: {} {}/{} {}\u{1b}[K",
            race_state.rows[progress.place].label.name,
            progress.done,
            race_state.names.len(),
            fine(progress.elapsed)
        );
        self.visible = true;
        let _unheard = io::stderr().write_all(line.as_bytes());
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.visible) {
            let _unheard = io::stderr().write_all(b"\r\x1b[K");
        }
    }
}
