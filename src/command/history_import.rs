//! `squirrel history import`: results from an export, or from a database of Uptime Kuma or Gatus.

use std::cell::Cell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek as _};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use crate::app::Replay;
use crate::config::Config;
use crate::domain::{
    Clock, FileError, Reason, Retention, SeenTime, SystemClock, Timestamp, count, plural,
};
use crate::history::{
    HistoryImport, ImportTotals, ImportedCheck, ImportedOutage, OfflineHistory,
    OfflineHistoryError, OtherMonitorFile, RawCheck, ReadOnlyHistory, SiteKey,
};
use crate::monitor::RuleOverrides;

use super::exit::{Exit, fail, print};
use super::history_args::HistoryImportArgs;
use super::history_import_error::{HistoryImportError, LONGEST_LINE, LineError};
use super::open_history;
use super::report_rows::whole;

/// The first bytes of an SQLite database (sqlite.org/fileformat.html, section 1.3).
const SQLITE: &[u8; 16] = b"SQLite format 3\0";

/// The longest latency that is accepted, in milliseconds: a day.
const MOST_MILLIS: f64 = 86_400_000.0;

/// The longest time between two results that is accepted, in milliseconds: two intervals of a
/// year.
const MOST_SEEN: u64 = 2 * 366 * 86_400_000;

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
        Ok(lines) => print(lines.as_bytes()),
        Err(error) => fail(error),
    }
}

fn import(
    args: &HistoryImportArgs,
    path: &Path,
    config: Option<&Config>,
) -> Result<String, HistoryImportError> {
    let source = Source::open(&args.file, config)?;
    let now = SystemClock::new().timestamp();
    let mut import = HistoryImport::new(OfflineHistory::open(path, now)?);
    let mut notes = String::new();
    let read = source.read(&mut import, &mut notes);
    // Results before a mistake are imported; another import of the file skips them.
    let (imported, mut upkeep) = import.finish()?;
    let outages = outages(path, now, &imported, config)?;
    let outages = upkeep.keep_outages(&outages)?;
    read?;
    let mut lines = format!(
        "{} taken, {} known already, {} found in them\n",
        plural(imported.new, "result"),
        count(imported.known),
        plural(outages, "outage")
    );
    if imported.future > 0 {
        notes.push_str(&format!(
            "{} of the future left out\n",
            plural(imported.future, "result")
        ));
    }
    let settings = config.map_or_else(Retention::default, |config| config.history);
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

/// The outages in the imported results, under the configured rules. One that is open at a site's
/// last result ends there: nothing is known of it later.
fn outages(
    path: &Path,
    now: Timestamp,
    imported: &ImportTotals,
    config: Option<&Config>,
) -> Result<Vec<ImportedOutage>, HistoryImportError> {
    let Some((first, last)) = imported.span else {
        return Ok(Vec::new());
    };
    let archive = ReadOnlyHistory::open(path, now)?;
    let mut replay = Replay::new(archive.sites()?, config, RuleOverrides::default()).with_causes();
    let mut last_checks: HashMap<i64, Timestamp> = HashMap::new();
    // From a day before the first result, so that a failure streak around it is whole.
    let span = now.since(first) + Duration::from_secs(86_400);
    archive.results(Some(span), |site, at, check| {
        if at > last {
            return ControlFlow::Break(());
        }
        replay.add(site, at, check);
        last_checks.insert(site, at);
        ControlFlow::Continue(())
    })?;
    let mut outages = Vec::new();
    for (site, place) in replay.sites() {
        if !imported.sites.contains(&site) {
            continue;
        }
        for (seen, causes) in replay.outages(place) {
            let end = seen.ended.or_else(|| last_checks.get(&site).copied());
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

/// The file that is imported.
enum Source<'a> {
    Jsonl(BufReader<File>, &'a Path),
    Csv(BufReader<File>, &'a Path),
    Foreign(OtherMonitorFile, HashMap<Box<str>, Box<str>>),
}

impl<'a> Source<'a> {
    fn open(path: &'a Path, config: Option<&Config>) -> Result<Self, HistoryImportError> {
        let unreadable = |error| HistoryImportError::File(FileError::read(path, error));
        let mut file = File::open(path).map_err(unreadable)?;
        let mut head = Vec::new();
        (&mut file)
            .take(64)
            .read_to_end(&mut head)
            .map_err(unreadable)?;
        if head.starts_with(SQLITE) {
            let sites = config.iter().flat_map(|config| &config.sites);
            let configured = sites.map(|site| (site.name.clone(), site.spec.url.shown().into()));
            return Ok(Self::Foreign(
                OtherMonitorFile::open(path)?,
                configured.collect(),
            ));
        }
        file.rewind().map_err(unreadable)?;
        let file = BufReader::with_capacity(1 << 16, file);
        if head.starts_with(b"at,name,url,") {
            Ok(Self::Csv(file, path))
        } else if head.first().is_none_or(|first| *first == b'{') {
            Ok(Self::Jsonl(file, path))
        } else {
            Err(HistoryImportError::UnknownKind(path.to_owned()))
        }
    }

    fn read(
        self,
        import: &mut HistoryImport,
        notes: &mut String,
    ) -> Result<(), HistoryImportError> {
        match self {
            Self::Jsonl(file, path) => jsonl(file, path, &mut |row| import.add(row)),
            Self::Csv(file, path) => csv(file, path, &mut |row| import.add(row)),
            Self::Foreign(foreign, configured) => {
                let left =
                    foreign.rows(|name| configured.get(name).cloned(), |row| import.add(row))?;
                notes.push_str(&format!("from {}\n", foreign.kind()));
                if left.monitors > 0 {
                    notes.push_str(&format!(
                        "{} left out: not of a website, as far as the file tells\n",
                        plural(left.monitors, "monitor")
                    ));
                }
                if left.rows > 0 {
                    notes.push_str(&format!("{} left out\n", plural(left.rows, "result")));
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
    // Earlier versions did not write them.
    #[serde(default)]
    seen_ms: Option<u64>,
    #[serde(default)]
    maintenance_ms: Option<u64>,
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
    fn row(self) -> Result<ImportedCheck, LineError> {
        if self.name.is_empty() || self.name.len() > 2_000 || self.url.len() > 20_000 {
            return Err(LineError::Name);
        }
        let at: jiff::Timestamp = self.at.parse().map_err(|_| LineError::Time)?;
        let check = if self.verdict == Word::Missed {
            None
        } else {
            let latency = self.latency_ms.unwrap_or(0.0);
            if !(0.0..=MOST_MILLIS).contains(&latency) {
                return Err(LineError::Latency);
            }
            if (self.verdict == Word::Up) != self.reason.is_none() {
                return Err(LineError::Reason);
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
            check,
            time: self.seen_ms.map(|seen| SeenTime {
                seen: Duration::from_millis(seen.min(MOST_SEEN)),
                maintenance: Duration::from_millis(self.maintenance_ms.unwrap_or(0).min(seen)),
            }),
        })
    }
}

fn at_line(path: &Path, line: u64, error: LineError) -> HistoryImportError {
    HistoryImportError::Line {
        path: path.to_owned(),
        line,
        error,
    }
}

/// Takes a result.
type Take<'a> = dyn FnMut(ImportedCheck) -> Result<(), OfflineHistoryError> + 'a;

/// Passes the results of an export in JSON to `take`, a line each.
pub(super) fn jsonl(
    mut file: impl BufRead,
    path: &Path,
    take: &mut Take<'_>,
) -> Result<(), HistoryImportError> {
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = (&mut file)
            .take(LONGEST_LINE as u64)
            .read_until(b'\n', &mut line);
        let read = read.map_err(|error| at_line(path, number, LineError::Io(error)))?;
        if read == 0 {
            break;
        }
        if line.len() == LONGEST_LINE {
            return Err(at_line(path, number, LineError::TooLong));
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let parsed: Line = serde_json::from_slice(&line)
            .map_err(|error| at_line(path, number, LineError::Json(error)))?;
        take(parsed.row().map_err(|error| at_line(path, number, error))?)?;
    }
    Ok(())
}

/// Passes the results of an export in CSV to `take`.
pub(super) fn csv(
    file: impl BufRead,
    path: &Path,
    take: &mut Take<'_>,
) -> Result<(), HistoryImportError> {
    let allowed = Cell::new(LONGEST_LINE as u64);
    let mut reader = csv::Reader::from_reader(BoundedReader {
        inner: file,
        served: 0,
        allowed: &allowed,
    });
    let of_csv = |number, error: csv::Error| at_line(path, number, LineError::csv(error));
    let columns = reader.headers().map_err(|error| of_csv(1, error))?.clone();
    let mut row = csv::StringRecord::new();
    for number in 2.. {
        allowed.set(reader.position().byte() + LONGEST_LINE as u64);
        let read = reader.read_record(&mut row);
        if !read.map_err(|error| of_csv(number, error))? {
            break;
        }
        let mut line: Line = row
            .deserialize(Some(&columns))
            .map_err(|error| of_csv(number, error))?;
        // An apostrophe before it keeps a text from being a formula.
        for text in [&mut line.name, &mut line.url] {
            if text.starts_with('\'') {
                text.remove(0);
            }
        }
        take(line.row().map_err(|error| at_line(path, number, error))?)?;
    }
    Ok(())
}

/// A reader that refuses to be read beyond a place, so that a row that has no end is not
/// gathered in memory.
struct BoundedReader<'a, R> {
    inner: R,
    served: u64,
    allowed: &'a Cell<u64>,
}

impl<R: BufRead> Read for BoundedReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.allowed.get().saturating_sub(self.served);
        let left = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        if left == 0 && !self.inner.fill_buf()?.is_empty() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let read = self.inner.read(&mut buffer[..left])?;
        self.served += read as u64;
        Ok(read)
    }
}
