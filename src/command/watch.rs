//! `squirrel watch`: the monitor without a screen; one line of JSON for every change.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::app::{self, Driver, Happening, Listener, Occurrence, SessionError, Watch, choose};
use crate::config::SecretUse;
use crate::domain::{SiteId, Timestamp, error_line, plain_io_error, plural};
use crate::engine::{ConnectivityChange, Notice};
use crate::history::HistoryEvent;
use crate::metrics::Endpoint;
use crate::monitor::SiteState;
use crate::notify::DeliveryEvent;
use crate::paradigm::{ensure_files, raise_file_limit};
use crate::runtime::{LineWriter, Weight};

use super::args::WatchArgs;
use super::check_json::{CheckJson, rfc3339};
use super::exit::{Exit, fail, say};
use super::json_line::escape;
use super::site_source;

pub(super) fn run(args: &WatchArgs) -> Exit {
    let config = match site_source::load(args.source.config.as_deref(), SecretUse::Needed)
        .and_then(site_source::with_sites)
    {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let config = match site_source::with_broker(config, args.engine.broker.as_deref()) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    if let Err(error) = ensure_files() {
        return fail(error);
    }
    let metrics = match args.metrics.endpoint() {
        Ok(metrics) => metrics,
        Err(exit) => return exit,
    };
    let (paradigm, workers) = (args.engine.paradigm.as_deref(), args.engine.workers);
    let (entry, workers) = choose(&config, paradigm, workers, raise_file_limit());
    if let (_, Some(notice)) = workers.of(entry) {
        say(notice);
    }
    let zone = TimeZone::system();
    let place = metrics.as_ref().map(Endpoint::url);
    let watch = Watch {
        config,
        entry,
        workers,
        history: args.history.of_monitor(),
        results: args.results,
        zone: zone.clone(),
        metrics,
        control: args.control.server(&args.history),
    };
    let mut log = match Log::start(zone, place) {
        Ok(log) => log,
        Err(error) => return fail(plain_io_error(&error)),
    };
    let ended = app::watch(watch, &mut log);
    log.finish();
    match ended {
        // SIGTERM is how a service manager ends the program.
        Ok(15) => Exit::Fine,
        Ok(number) => Exit::Signal(number),
        Err(SessionError::ReaderGone) => Exit::ReaderGone,
        Err(error) => fail(error),
    }
}

/// How long the end waits for the reader of standard output.
const LAST_LINES_TIMEOUT: Duration = Duration::from_millis(500);

/// The writer of the lines.
struct Log {
    out: LineWriter,
    /// Standard error, whose reader may stall as well.
    errors: Arc<LineWriter>,
    zone: TimeZone,
    /// The URL of the metrics; `None` where they are not served.
    metrics: Option<String>,
}

/// The fields of a line after `at` and `event`.
type Fields = Map<String, Value>;

impl Listener for Log {
    fn tell(&mut self, occurrence: Occurrence<'_>, driver: &Driver) {
        let mut fields = Fields::new();
        let event = match occurrence {
            Occurrence::Started => {
                put(&mut fields, "sites", driver.monitor().ids().len());
                put(&mut fields, "paradigm", driver.entry().label.name);
                if let Some(place) = &self.metrics {
                    put(&mut fields, "metrics", place);
                }
                "started"
            }
            Occurrence::Happened(Happening::Notice(Notice::Checked(result))) => {
                let Some(state) = driver.monitor().site(result.job.site) else {
                    return;
                };
                let paradigm = driver.entry().label.name;
                let record = CheckJson::new(state.site(), paradigm, result, &self.zone);
                return self.out.send(&record.line(), Weight::Minor);
            }
            Occurrence::Happened(Happening::Switched(receipt)) => {
                put(&mut fields, "receipt", receipt.to_string());
                "switched"
            }
            Occurrence::Happened(Happening::Notice(notice)) => {
                match self.notice(notice, driver, &mut fields) {
                    Some(event) => event,
                    None => return,
                }
            }
            Occurrence::Happened(Happening::Acted(acted)) => {
                if let Some(state) = acted.site.and_then(|site| driver.monitor().site(site)) {
                    named(state, &mut fields);
                }
                put(&mut fields, "by", acted.actor.to_string());
                put(&mut fields, "text", &*acted.text);
                acted.event
            }
            // Written to the log instead.
            Occurrence::Happened(Happening::Lost(_)) => return,
            Occurrence::Reloaded(Ok(())) => {
                put(&mut fields, "sites", driver.monitor().ids().len());
                "reloaded"
            }
            Occurrence::Reloaded(Err(why)) => {
                let why = why.to_string();
                put(&mut fields, "error", why.lines().next().unwrap_or_default());
                "reload_failed"
            }
            Occurrence::Happened(Happening::History(news)) => {
                match self.history(news, &mut fields) {
                    Some(event) => event,
                    None => return,
                }
            }
            Occurrence::Happened(Happening::Delivery(DeliveryEvent::Delivered {
                message,
                answer,
            })) => {
                self.message(message, &mut fields);
                put(&mut fields, "answer", &**answer);
                "notified"
            }
            Occurrence::Happened(Happening::Delivery(DeliveryEvent::Failed {
                message,
                answer,
                given_up,
            })) => {
                self.message(message, &mut fields);
                put(&mut fields, "error", &**answer);
                put(&mut fields, "given_up", given_up);
                "notify_failed"
            }
            Occurrence::Stopped(signal) => {
                put(&mut fields, "signal", signal);
                "stopped"
            }
        };
        let line = event_line(event, driver.now(), &self.zone, fields);
        self.out.send(&line, Weight::Major);
    }

    async fn gone(&mut self) {
        self.out.gone().await;
    }
}

impl Log {
    fn start(zone: TimeZone, metrics: Option<String>) -> io::Result<Self> {
        let file = |stream: BorrowedFd<'_>| stream.try_clone_to_owned().map(File::from);
        let of_reader = zone.clone();
        let missing = move |lines: u64| {
            let mut fields = Fields::new();
            let why = format!(
                "standard output was not read: {} missing",
                plural(lines, "line")
            );
            put(&mut fields, "error", why);
            put(&mut fields, "lost", lines);
            event_line(
                "trouble",
                std::time::SystemTime::now().into(),
                &of_reader,
                fields,
            )
        };
        let errors = LineWriter::start(
            "errors",
            file(io::stderr().as_fd())?,
            |lines| error_line(format_args!("{} missing here", plural(lines, "line"))),
            |_| {},
        )?;
        let errors = Arc::new(errors);
        let told = Arc::clone(&errors);
        let stuck = move |error: &io::Error| {
            let why = plain_io_error(error);
            let text = format_args!("standard output: cannot be written: {why}; it is tried again");
            told.send(&error_line(text), Weight::Major);
        };
        Ok(Self {
            out: LineWriter::start("output", file(io::stdout().as_fd())?, missing, stuck)?,
            errors,
            zone,
            metrics,
        })
    }

    /// Waits for the readers a moment longer.
    fn finish(&self) {
        self.out.finish(LAST_LINES_TIMEOUT);
        self.errors.finish(LAST_LINES_TIMEOUT);
    }

    fn time(&self, at: Timestamp) -> String {
        rfc3339(at, &self.zone)
    }

    /// Puts the fields of a notice; gives its event, or `None` for a notice that is not printed.
    fn notice(
        &self,
        notice: &Notice,
        driver: &Driver,
        fields: &mut Fields,
    ) -> Option<&'static str> {
        let site = |id: SiteId| driver.monitor().site(id);
        match *notice {
            Notice::Down { site: id } => {
                let state = site(id)?;
                named(state, fields);
                let outage = state.outage()?;
                put(fields, "since", self.time(outage.since().wall));
                put(fields, "reason", outage.reason.word());
                put(fields, "error", outage.error.as_deref());
                put(fields, "status", outage.causes().first()?.status);
                put(fields, "owners", owners(state));
                Some("down")
            }
            Notice::Recovered {
                site: id, lasted, ..
            } => {
                let state = site(id)?;
                named(state, fields);
                let outage = state.last_outage()?;
                put(fields, "since", self.time(outage.since().wall));
                put(fields, "duration_s", seconds(lasted));
                put(fields, "reason", outage.reason.word());
                put(fields, "error", outage.error.as_deref());
                put(fields, "status", state.last()?.status);
                put(fields, "owners", owners(state));
                Some("recovered")
            }
            Notice::Degraded { site: id } => {
                let state = site(id)?;
                named(state, fields);
                let last = state.last()?;
                put(fields, "reason", last.reason.map(|reason| reason.word()));
                put(fields, "error", last.error.as_deref());
                put(fields, "status", last.status);
                Some("degraded")
            }
            Notice::Connectivity(ConnectivityChange::Lost { since, ref why }) => {
                put(fields, "since", self.time(since.wall));
                put(fields, "error", &**why);
                Some("blind")
            }
            Notice::Connectivity(ConnectivityChange::Regained {
                since,
                lasted,
                ref why,
            }) => {
                put(fields, "since", self.time(since.wall));
                put(fields, "duration_s", seconds(lasted));
                put(fields, "error", &**why);
                Some("sighted")
            }
            Notice::Unwatched { since, sites } => {
                put(fields, "since", self.time(since.wall));
                put(fields, "sites", sites);
                put(fields, "error", "checks are not run: no worker, or too few");
                Some("unwatched")
            }
            Notice::Watched { lasted } => {
                put(fields, "duration_s", seconds(lasted));
                Some("watched")
            }
            Notice::Checked(_) | Notice::StoodStill(_) => None,
        }
    }

    /// Says on standard error what is so of the history: it is no change of a site. Trouble is
    /// an event as well.
    fn history(&self, news: &HistoryEvent, fields: &mut Fields) -> Option<&'static str> {
        let is_trouble = match news {
            HistoryEvent::Mended { lost } => *lost > 0,
            HistoryEvent::Trouble(_)
            | HistoryEvent::PutAside(_)
            | HistoryEvent::Moved(_)
            | HistoryEvent::Failed(_) => true,
            HistoryEvent::StateWanted | HistoryEvent::OutboxChanged => return None,
        };
        let text = news.to_string();
        self.errors.send(&error_line(&text), Weight::Major);
        put(fields, "error", text);
        is_trouble.then_some("trouble")
    }

    fn message(&self, message: &crate::history::Message, fields: &mut Fields) {
        if !message.site.is_empty() {
            put(fields, "site", &*message.site);
        }
        put(fields, "owner", &*message.owner);
        put(fields, "channel", &*message.channel);
        put(fields, "subject", &*message.subject);
        put(fields, "written_at", self.time(message.at));
    }
}

/// A line: `at`, `event`, and the fields.
fn event_line(event: &str, at: Timestamp, zone: &TimeZone, fields: Fields) -> String {
    let mut line = Fields::new();
    put(&mut line, "at", rfc3339(at, zone));
    put(&mut line, "event", event);
    line.extend(fields);
    escape(&Value::Object(line).to_string()).into_owned()
}

fn put(fields: &mut Fields, key: &str, value: impl serde::Serialize) {
    // Serializing texts, numbers and lists of them cannot fail.
    let value = serde_json::to_value(value).unwrap_or_default();
    fields.insert(key.to_owned(), value);
}

/// Seconds, to the millisecond.
fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e3).round() / 1e3
}

fn named(state: &SiteState, fields: &mut Fields) {
    put(fields, "site", &*state.site().name);
    put(fields, "url", state.site().spec.url.shown());
}

fn owners(state: &SiteState) -> Vec<&str> {
    let owners = state.site().owners.iter();
    owners.map(|owner| &**owner).collect()
}
