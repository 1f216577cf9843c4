//! `squirrel history`: exports, imports and compacts the history file.

use std::io::{self, BufWriter, Write};
use std::time::Duration;

use serde::Serialize;

use crate::domain::{Clock, Reason, Retention, SystemClock, Timestamp, Verdict, clean, noun_of};
use crate::history::{HistoryReadError, OfflineHistory, RawResult, SiteKey};

use super::check_json::millis;
use super::exit::{Exit, fail, print, written};
use super::history_args::{CompactArgs, ExportArgs, ExportFormat, HistoryCommand};
use super::history_import;
use super::json_line::escape;
use super::open_history;

pub(super) fn run(command: &HistoryCommand) -> Exit {
    match command {
        HistoryCommand::Export(args) => export(args),
        HistoryCommand::Import(args) => history_import::run(args),
        HistoryCommand::Compact(args) => compact(args),
    }
}

enum Stop {
    ReadOnlyHistory(HistoryReadError),
    Io(io::Error),
}

impl From<HistoryReadError> for Stop {
    fn from(error: HistoryReadError) -> Self {
        Self::ReadOnlyHistory(error)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A line of an export: one result. A missed check has the verdict "missed" and no other values.
#[derive(Debug, Serialize)]
struct Line<'a> {
    at: String,
    name: &'a str,
    url: &'a str,
    verdict: &'a str,
    reason: Option<Reason>,
    status: Option<u16>,
    latency_ms: Option<f64>,
    late_ms: Option<u64>,
    /// The time since the site's line before that was seen.
    seen_ms: Option<u64>,
    maintenance_ms: Option<u64>,
}

fn export(args: &ExportArgs) -> Exit {
    let archive = match open_history::archive(&args.history) {
        Ok(archive) => archive,
        Err(exit) => return exit,
    };
    let out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut printer = match ExportPrinter::begin(args.format, out) {
        Ok(printer) => printer,
        Err(error) => return written(Err(error)),
    };
    let mut sites = match archive.sites() {
        Ok(sites) => sites,
        Err(error) => return fail(error),
    };
    let unknown = SiteKey {
        name: "".into(),
        url: "".into(),
    };
    let printed = archive.rows(args.since, |row: &RawResult| -> Result<(), Stop> {
        if !sites.contains_key(&row.site) {
            // A monitor added it during the export.
            sites = archive.sites()?;
        }
        let site = sites.get(&row.site).unwrap_or(&unknown);
        let check = row.check.as_ref();
        Ok(printer.print(Line {
            at: moment(row.at),
            name: &site.name,
            url: &site.url,
            verdict: check.map_or("missed", |check| {
                check.reason.map_or(Verdict::Up, Reason::verdict).word()
            }),
            reason: check.and_then(|check| check.reason),
            status: check.and_then(|check| check.status),
            latency_ms: check.map(|check| millis(check.latency)),
            late_ms: check.map(|check| whole_millis(check.late)),
            seen_ms: row.time.map(|time| whole_millis(time.seen)),
            maintenance_ms: row.time.map(|time| whole_millis(time.maintenance)),
        })?)
    });
    match printed.and_then(|()| Ok(printer.flush()?)) {
        Ok(()) => Exit::Fine,
        Err(Stop::Io(error)) => written(Err(error)),
        Err(Stop::ReadOnlyHistory(error)) => fail(error),
    }
}

fn whole_millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// RFC 3339 in UTC, to the microsecond: with the site it identifies a result.
fn moment(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
    format!("{at:.6}")
}

/// The columns of an export in CSV: the fields of a [`Line`].
const COLUMNS: [&str; 10] = [
    "at",
    "name",
    "url",
    "verdict",
    "reason",
    "status",
    "latency_ms",
    "late_ms",
    "seen_ms",
    "maintenance_ms",
];

enum ExportPrinter<W: Write> {
    Jsonl(W),
    Csv(Box<csv::Writer<W>>),
}

impl<W: Write> ExportPrinter<W> {
    /// Begins with the heading, whether rows follow it or not.
    fn begin(format: ExportFormat, out: W) -> io::Result<Self> {
        Ok(match format {
            ExportFormat::Jsonl => Self::Jsonl(out),
            ExportFormat::Csv => {
                let mut writer = csv::WriterBuilder::new();
                let writer = writer.terminator(csv::Terminator::CRLF).has_headers(false);
                let mut writer = writer.from_writer(out);
                writer.write_record(COLUMNS).map_err(open_history::plain)?;
                Self::Csv(Box::new(writer))
            }
        })
    }

    fn print(&mut self, line: Line<'_>) -> io::Result<()> {
        match self {
            Self::Jsonl(out) => {
                let json = serde_json::to_string(&line)?;
                writeln!(out, "{}", escape(&json))
            }
            Self::Csv(csv) => {
                let (name, url) = (quoted(line.name), quoted(line.url));
                csv.serialize(Line {
                    name: &name,
                    url: &url,
                    ..line
                })
                .map_err(open_history::plain)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Jsonl(out) => out.flush(),
            Self::Csv(csv) => csv.flush(),
        }
    }
}

/// A text as a CSV cell that no spreadsheet takes for a formula. An apostrophe in front is doubled,
/// so that the import restores the text.
fn quoted(text: &str) -> String {
    let text = clean(text, 2_000);
    if text.starts_with(['=', '+', '-', '@', '\'']) {
        format!("'{text}")
    } else {
        text
    }
}

fn compact(args: &CompactArgs) -> Exit {
    let keep = match open_history::config(&args.history) {
        Ok(config) => config.map_or_else(Retention::default, |config| config.history),
        Err(exit) => return exit,
    };
    let path = match open_history::path(&args.history) {
        Ok(path) => path,
        Err(exit) => return exit,
    };
    if let Err(exit) = open_history::archive(&args.history) {
        return exit;
    }
    let now = SystemClock::new().timestamp();
    match OfflineHistory::open(&path, now).and_then(|upkeep| upkeep.compact(&keep)) {
        Ok(done) => {
            let line = format!(
                "{}: {} {} before, {} {} after\n",
                clean(&path.display().to_string(), 400),
                done.before,
                noun_of(done.before, "byte"),
                done.after,
                noun_of(done.after, "byte")
            );
            print(line.as_bytes())
        }
        Err(error) => fail(error),
    }
}
