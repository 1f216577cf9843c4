//! The tables of the program itself: `[monitor]`, `[workers]`, `[history]`, `[queue]`.

use std::collections::BTreeMap;
use std::path::Path;

use super::model::{HistorySettings, KnownNames, MonitorSettings, QueueSettings};
use super::table_reader::{Element, TableReader};
use super::value_parsers::{self, ValueError, suggestion};

/// Checks in flight at once: as many as a machine with a raised limit of open files can hold.
const WORKERS: std::ops::RangeInclusive<u32> = 1..=1_000_000;

/// `[monitor]`, and its `include` with the places of the globs.
pub(super) fn read_monitor(
    mut table: TableReader<'_>,
    folder: &Path,
    known: &KnownNames<'_>,
) -> (MonitorSettings, Vec<Element<Box<str>>>) {
    let default = MonitorSettings::default();
    let include = table.texts("include", value_parsers::some);
    let settings = MonitorSettings {
        paradigm: table.text("paradigm", |word| {
            if known.paradigms.contains(&word) {
                return Ok(word.into());
            }
            let names: Vec<String> = known.paradigms.iter().map(|p| format!("\"{p}\"")).collect();
            let expected = format!("expected one of {}", names.join(", "));
            // The suggestion stands behind what was got, so the sentence is made whole here.
            Err(match suggestion(word, known.paradigms.iter().copied()) {
                none if none.is_empty() => ValueError::expected(expected),
                near => ValueError::Plain(format!(
                    "{expected}, got {}{near}",
                    value_parsers::quoted(word)
                )),
            })
        }),
        workers: table.number("workers", WORKERS).map(count),
        interval: table
            .text("interval", value_parsers::interval)
            .unwrap_or(default.interval),
        timeout: table
            .text("timeout", value_parsers::positive_duration)
            .unwrap_or(default.timeout),
        slow: table
            .text("slow", value_parsers::positive_duration)
            .unwrap_or(default.slow),
        confirm: table
            .number("confirm", 1..=1_000)
            .unwrap_or(default.confirm),
        confirm_delay: table
            .text("confirm_delay", value_parsers::duration)
            .unwrap_or(default.confirm_delay),
        recover: table
            .number("recover", 1..=1_000)
            .unwrap_or(default.recover),
        cert_warn: table
            .text("cert_warn", value_parsers::duration)
            .unwrap_or(default.cert_warn),
        user_agent: table
            .text("user_agent", value_parsers::header_value)
            .unwrap_or(default.user_agent),
        ca_file: table.text("ca_file", |name| {
            let name = value_parsers::some(name)?;
            let path = folder.join(&*name);
            match std::fs::File::open(&path).and_then(|file| file.metadata()) {
                Ok(metadata) if metadata.is_file() => Ok(path),
                Ok(_) => Err(ValueError::expected("expected a file")),
                Err(error) => Err(ValueError::Plain(format!(
                    "the file {} cannot be read: {}",
                    value_parsers::quoted(&path.to_string_lossy()),
                    super::files::plain(&error)
                ))),
            }
        }),
        canaries: if table.has("canaries") {
            let named = table.texts("canaries", value_parsers::http_url).into_iter();
            named.map(|element| element.value).collect()
        } else {
            default.canaries
        },
        include: include
            .iter()
            .map(|element| element.value.clone())
            .collect(),
    };
    table.finish();
    (settings, include)
}

/// `[workers]`: a number for each paradigm that is named.
pub(super) fn read_workers(
    table: TableReader<'_>,
    known: &KnownNames<'_>,
) -> BTreeMap<Box<str>, usize> {
    let mut workers = BTreeMap::new();
    table.numbers(known.paradigms, &WORKERS, |paradigm, number| {
        workers.insert(paradigm.into(), count(number));
    });
    workers
}

/// `[history]`.
pub(super) fn read_history(mut table: TableReader<'_>) -> HistorySettings {
    let default = HistorySettings::default();
    let settings = HistorySettings {
        raw: table
            .text("raw", value_parsers::positive_duration)
            .unwrap_or(default.raw),
        rollup: table
            .text("rollup", value_parsers::positive_duration)
            .unwrap_or(default.rollup),
    };
    table.finish();
    settings
}

/// `[queue]`.
pub(super) fn read_queue(table: TableReader<'_>) -> QueueSettings {
    let mut table = table.private();
    let settings = QueueSettings {
        named: None,
        broker: table.text("broker", value_parsers::broker_url),
        name: table.text("name", value_parsers::queue_name),
        expires: table.text("expires", value_parsers::positive_duration),
        visibility_timeout: table.text("visibility_timeout", value_parsers::positive_duration),
        result_expires: table.text("result_expires", value_parsers::positive_duration),
    };
    table.finish();
    settings
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
