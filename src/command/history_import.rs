//! `squirrel history import`: what `export` wrote, and what Uptime Kuma and Gatus kept.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, Write as _};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use crate::app::Replay;
use crate::config::{Config, HistorySettings};
use crate::domain::{Clock, Reason, SystemClock, Timestamp, clean};
use crate::history::{
    HistoryImport, ImportTotals, ImportedCheck, ImportedOutage, OfflineHistory, OtherMonitorFile,
    RawCheck, ReadOnlyHistory, SiteKey,
};
use crate::monitor::Rules;

use super::exit::{Exit, mistake};
use super::history_args::HistoryImportArgs;
use super::open_history;
use super::report_rows::whole;

/// How a database of SQLite begins (sqlite.org/fileformat.html, section 1.3).
const SQLITE: &[u8; 16] = b"SQLite format 3\0";

/// The longest line that is read.
const LINE: usize = 1 << 16;

/// The longest latency that is believed, in milliseconds: a day.
const MOST_MILLIS: f64 = 86_400_000.0;

pub(super) fn run(args: &HistoryImportArgs) -> Exit {
    let config = match open_history::config(&args.history) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let path = match open_history::path(&args.history) {
        Ok(path) => path,
        Err(exit) => return exit,
    };
    match import(args, &path, config.as_ref()) {
        Ok(lines) => {
            // A reader that is gone needs no answer.
            let _unheard = io::stdout().write_all(lines.as_bytes());
            Exit::Fine
        }
        Err(why) => mistake(format!("squirrel: {}", clean(&why, 400))),
    }
}

fn import(
    args: &HistoryImportArgs,
    path: &Path,
    config: Option<&Config>,
) -> Result<String, String> {
    let source = Source::open(&args.file, config)?;
    let now = SystemClock::new().timestamp();
    let mut import = HistoryImport::new(OfflineHistory::open(path, now).map_err(plain)?);
    let mut notes = String::new();
    let read = source.read(&mut import, &mut notes);
    // What was read before a mistake is there, and is known when the file comes again.
    let (imported, mut upkeep) = import.finish().map_err(plain)?;
    let outages = outages(path, now, &imported, config)?;
    let outages = upkeep.keep_outages(&outages).map_err(plain)?;
    read?;
    let mut lines = format!(
        "{} results taken, {} known already, {outages} outages found in them\n",
        imported.new, imported.known
    );
    if imported.future > 0 {
        notes.push_str(&format!(
            "{} results of the future left out\n",
            imported.future
        ));
    }
    let settings = config.map_or_else(HistorySettings::default, |config| config.history);
    if imported
        .span
        .is_some_and(|(first, _)| now.since(first) > settings.raw)
    {
        notes.push_str(&format!(
            "results older than {} go when a monitor runs or with history compact, and their \
             summaries stay: [history] raw says how long\n",
            whole(settings.raw)
        ));
    }
    lines.push_str(&notes);
    Ok(lines)
}

/// Outages that the new results tell of, under the rules as they are. One that was still open
/// with the last of them ends there: nothing is known of it later.
fn outages(
    path: &Path,
    now: Timestamp,
    imported: &ImportTotals,
    config: Option<&Config>,
) -> Result<Vec<ImportedOutage>, String> {
    let Some((first, last)) = imported.span else {
        return Ok(Vec::new());
    };
    let archive = ReadOnlyHistory::open(path, now).map_err(plain)?;
    let mut replay =
        Replay::new(archive.sites().map_err(plain)?, config, Rules::default()).with_causes();
    let mut last_looks: HashMap<i64, Timestamp> = HashMap::new();
    // Whole days before the first, so that a streak that it belongs to is whole.
    let span = now.since(first) + Duration::from_secs(86_400);
    archive
        .results(Some(span), |site, at, look| {
            if at > last {
                return ControlFlow::Break(());
            }
            replay.look(site, at, look);
            last_looks.insert(site, at);
            ControlFlow::Continue(())
        })
        .map_err(plain)?;
    let mut outages = Vec::new();
    for (site, place) in replay.sites() {
        if !imported.sites.contains(&site) {
            continue;
        }
        for (seen, causes) in replay.outages(place) {
            let end = seen.ended.or_else(|| last_looks.get(&site).copied());
            outages.push(ImportedOutage {
                site,
                since: seen.since,
                confirmed: seen.confirmed,
                ended: end.unwrap_or(seen.confirmed),
                causes: causes.to_vec(),
            });
        }
    }
    Ok(outages)
}

fn plain(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Where results come from.
enum Source<'a> {
    Jsonl(BufReader<File>, &'a Path),
    Csv(BufReader<File>, &'a Path),
    Foreign(OtherMonitorFile, HashMap<Box<str>, Box<str>>),
}

impl<'a> Source<'a> {
    fn open(path: &'a Path, config: Option<&Config>) -> Result<Self, String> {
        let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let mut file = File::open(path).map_err(|error| wrong(&error))?;
        let mut head = Vec::new();
        (&mut file)
            .take(64)
            .read_to_end(&mut head)
            .map_err(|error| wrong(&error))?;
        if head.starts_with(SQLITE) {
            let sites = config.iter().flat_map(|config| &config.sites);
            let configured = sites.map(|site| (site.name.clone(), site.spec.url.shown().into()));
            return Ok(Self::Foreign(
                OtherMonitorFile::open(path).map_err(plain)?,
                configured.collect(),
            ));
        }
        file.rewind().map_err(|error| wrong(&error))?;
        let file = BufReader::with_capacity(1 << 16, file);
        if head.starts_with(b"at,name,url,") {
            Ok(Self::Csv(file, path))
        } else if head.first().is_none_or(|first| *first == b'{') {
            Ok(Self::Jsonl(file, path))
        } else {
            Err(wrong(
                &"neither what squirrel history export writes nor a file of Uptime Kuma or Gatus",
            ))
        }
    }

    fn read(self, import: &mut HistoryImport, notes: &mut String) -> Result<(), String> {
        match self {
            Self::Jsonl(file, path) => jsonl(file, path, import),
            Self::Csv(file, path) => csv(file, path, import),
            Self::Foreign(foreign, configured) => {
                let left = foreign
                    .rows(|name| configured.get(name).cloned(), |row| import.add(row))
                    .map_err(plain)?;
                notes.push_str(&format!("from {}\n", foreign.kind()));
                if left.monitors > 0 {
                    notes.push_str(&format!(
                        "{} monitors left out: not of a website, as far as the file tells\n",
                        left.monitors
                    ));
                }
                if left.rows > 0 {
                    notes.push_str(&format!("{} results left out\n", left.rows));
                }
                Ok(())
            }
        }
    }
}

/// A line of an export.
#[derive(Debug, Deserialize)]
struct Line {
    at: String,
    name: String,
    url: String,
    verdict: Word,
    reason: Option<Reason>,
    status: Option<u16>,
    latency_ms: Option<f64>,
    late_ms: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Up,
    Degraded,
    Down,
    Unknown,
    Missed,
}

impl Line {
    fn row(self) -> Result<ImportedCheck, String> {
        if self.name.is_empty() || self.name.len() > 2_000 || self.url.len() > 20_000 {
            return Err("no name, or too long a one".to_owned());
        }
        let at: jiff::Timestamp = self
            .at
            .parse()
            .map_err(|_| "expected a time such as 2026-01-31T12:00:00.123456Z".to_owned())?;
        let look = if self.verdict == Word::Missed {
            None
        } else {
            let latency = self.latency_ms.unwrap_or(0.0);
            if !(0.0..=MOST_MILLIS).contains(&latency) {
                return Err("a latency that cannot be".to_owned());
            }
            if (self.verdict == Word::Up) != self.reason.is_none() {
                return Err("a verdict and a reason that do not go together".to_owned());
            }
            Some(RawCheck {
                reason: self.reason,
                status: self.status,
                latency: Duration::from_micros((latency * 1e3).round() as u64),
                late: Duration::from_millis(self.late_ms.unwrap_or(0).min(MOST_MILLIS as u64)),
            })
        };
        Ok(ImportedCheck {
            site: SiteKey {
                name: self.name.into(),
                url: self.url.into(),
            },
            at: Timestamp::from_micros(at.as_microsecond()),
            check: look,
        })
    }
}

fn at_line(path: &Path, number: u64, why: impl std::fmt::Display) -> String {
    format!(
        "{}:{number}: not a line of squirrel history export: {why}; what stands before it is taken",
        path.display()
    )
}

fn jsonl(mut file: BufReader<File>, path: &Path, import: &mut HistoryImport) -> Result<(), String> {
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = (&mut file).take(LINE as u64).read_until(b'\n', &mut line);
        let read = read.map_err(|error| at_line(path, number, error))?;
        if read == 0 {
            break;
        }
        if line.len() == LINE {
            return Err(at_line(path, number, "too long"));
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let parsed: Line =
            serde_json::from_slice(&line).map_err(|error| at_line(path, number, error))?;
        import
            .add(parsed.row().map_err(|why| at_line(path, number, why))?)
            .map_err(plain)?;
    }
    Ok(())
}

fn csv(file: BufReader<File>, path: &Path, import: &mut HistoryImport) -> Result<(), String> {
    let mut reader = csv::Reader::from_reader(file);
    for (number, line) in (2..).zip(reader.deserialize::<Line>()) {
        let mut line = line.map_err(|error| at_line(path, number, error))?;
        // An apostrophe before it keeps a text from being a formula.
        for text in [&mut line.name, &mut line.url] {
            if text.starts_with('\'') {
                text.remove(0);
            }
        }
        import
            .add(line.row().map_err(|why| at_line(path, number, why))?)
            .map_err(plain)?;
    }
    Ok(())
}
