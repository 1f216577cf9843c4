//! The tables of the program itself: `[monitor]`, `[workers]`, `[history]`, `[queue]`.

use std::collections::BTreeMap;
use std::path::Path;

use super::kinds::{self, Fault, suggestion};
use super::model::{HistorySettings, Known, MonitorSettings, QueueSettings};
use super::reader::{Element, Reader};

/// Checks in flight at once: as many as a machine with a raised limit of open files can hold.
const WORKERS: std::ops::RangeInclusive<u32> = 1..=1_000_000;

/// `[monitor]`, and its `include` with the places of the globs.
pub(super) fn read_monitor(
    mut table: Reader<'_>,
    folder: &Path,
    known: &Known<'_>,
) -> (MonitorSettings, Vec<Element<Box<str>>>) {
    let default = MonitorSettings::default();
    let include = table.texts("include", kinds::some);
    let settings = MonitorSettings {
        paradigm: table.text("paradigm", |word| {
            if known.paradigms.contains(&word) {
                return Ok(word.into());
            }
            let names: Vec<String> = known.paradigms.iter().map(|p| format!("\"{p}\"")).collect();
            let expected = format!("expected one of {}", names.join(", "));
            // The suggestion stands behind what was got, so the sentence is made whole here.
            Err(match suggestion(word, known.paradigms.iter().copied()) {
                none if none.is_empty() => Fault::expected(expected),
                near => Fault::Plain(format!("{expected}, got {}{near}", kinds::quoted(word))),
            })
        }),
        workers: table.number("workers", WORKERS).map(count),
        interval: table
            .text("interval", kinds::interval)
            .unwrap_or(default.interval),
        timeout: table
            .text("timeout", kinds::positive_duration)
            .unwrap_or(default.timeout),
        slow: table
            .text("slow", kinds::positive_duration)
            .unwrap_or(default.slow),
        confirm: table
            .number("confirm", 1..=1_000)
            .unwrap_or(default.confirm),
        confirm_delay: table
            .text("confirm_delay", kinds::duration)
            .unwrap_or(default.confirm_delay),
        recover: table
            .number("recover", 1..=1_000)
            .unwrap_or(default.recover),
        cert_warn: table
            .text("cert_warn", kinds::duration)
            .unwrap_or(default.cert_warn),
        user_agent: table
            .text("user_agent", kinds::header_value)
            .unwrap_or(default.user_agent),
        ca_file: table.text("ca_file", |name| {
            let name = kinds::some(name)?;
            let path = folder.join(&*name);
            match std::fs::File::open(&path).and_then(|file| file.metadata()) {
                Ok(metadata) if metadata.is_file() => Ok(path),
                Ok(_) => Err(Fault::expected("expected a file")),
                Err(error) => Err(Fault::Plain(format!(
                    "the file {} cannot be read: {}",
                    kinds::quoted(&path.to_string_lossy()),
                    super::files::plain(&error)
                ))),
            }
        }),
        canaries: if table.has("canaries") {
            let named = table.texts("canaries", kinds::http_url).into_iter();
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
pub(super) fn read_workers(table: Reader<'_>, known: &Known<'_>) -> BTreeMap<Box<str>, usize> {
    let mut workers = BTreeMap::new();
    table.numbers(known.paradigms, &WORKERS, |paradigm, number| {
        workers.insert(paradigm.into(), count(number));
    });
    workers
}

/// `[history]`.
pub(super) fn read_history(mut table: Reader<'_>) -> HistorySettings {
    let default = HistorySettings::default();
    let settings = HistorySettings {
        raw: table
            .text("raw", kinds::positive_duration)
            .unwrap_or(default.raw),
        rollup: table
            .text("rollup", kinds::positive_duration)
            .unwrap_or(default.rollup),
    };
    table.finish();
    settings
}

/// `[queue]`.
pub(super) fn read_queue(table: Reader<'_>) -> QueueSettings {
    let mut table = table.private();
    let settings = QueueSettings {
        named: None,
        broker: table.text("broker", kinds::broker_url),
        name: table.text("name", kinds::queue_name),
        expires: table.text("expires", kinds::positive_duration),
        visibility_timeout: table.text("visibility_timeout", kinds::positive_duration),
        result_expires: table.text("result_expires", kinds::positive_duration),
    };
    table.finish();
    settings
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
