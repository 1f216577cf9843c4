//! `squirrel report`: uptime, outages and latency over a span, from the history.
//!
//! Only reads the file; a monitor may be writing it at the same time.

use std::io::{self, BufWriter, Write};
use std::time::Duration;

use crate::domain::{brief, clean};
use crate::history::BucketSize;

use super::exit::{Exit, fail, written};
use super::history_args::{By, ReportArgs, ReportFormat};
use super::json_line::escape;
use super::open_history;
use super::report_html;
use super::report_rows::{Columns, Row, percent, rows, shown, whole};
use super::table_output::TableOutput;

/// The longest span whose charts have hours as bars; longer ones have days.
const HOURS: Duration = Duration::from_secs(4 * 86_400);

pub(super) fn run(args: &ReportArgs) -> Exit {
    let config = match open_history::config(&args.history) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let only = &args.only;
    let by_name = args.by == By::Site && only.tag.is_empty() && only.owner.is_empty();
    if config.is_none() && !by_name {
        return fail("no sites.toml found: it has the tags and owners; name it with --config FILE");
    }
    let archive = match open_history::archive(&args.history) {
        Ok(archive) => archive,
        Err(exit) => return exit,
    };
    let cell = if args.since <= HOURS {
        BucketSize::Hour
    } else {
        BucketSize::Day
    };
    let charts = (args.format == ReportFormat::Html).then_some(cell);
    let surveys = match archive.survey(args.since, charts) {
        Ok(surveys) => surveys,
        Err(error) => return fail(error),
    };
    let begin = match archive.begin_of(args.since) {
        Ok(begin) => begin,
        Err(error) => return fail(error),
    };
    let span = archive.now().since(begin);
    let rows = match rows(surveys, config.as_ref(), (args.by, only), span) {
        Ok(rows) => rows,
        Err(unknown) => return fail(unknown),
    };
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let printed = match args.format {
        ReportFormat::Table => table(&mut TableOutput::new(&mut out), &rows, args, span),
        ReportFormat::Json => json(&mut out, &rows),
        ReportFormat::Csv => csv(&mut out, &rows),
        ReportFormat::Html => {
            let page = report_html::Page {
                rows: &rows,
                by: args.by,
                since: args.since,
                now: archive.now(),
                cell,
            };
            page.write(&mut out)
        }
    };
    written(printed.and_then(|()| out.flush()))
}

fn json(out: &mut impl Write, rows: &[Row]) -> io::Result<()> {
    for row in rows {
        let json = serde_json::to_string(&Columns::from(row))?;
        writeln!(out, "{}", escape(&json))?;
    }
    Ok(())
}

/// CSV as in RFC 4180, with a header.
fn csv(out: &mut impl Write, rows: &[Row]) -> io::Result<()> {
    let mut csv = csv::WriterBuilder::new()
        .has_headers(false)
        .terminator(csv::Terminator::CRLF)
        .from_writer(out);
    csv.write_record([
        "name",
        "url",
        "uptime_percent",
        "checks",
        "missed",
        "unknown",
        "outages",
        "downtime_s",
        "mttr_s",
        "p50_ms",
        "p95_ms",
        "maintenance_s",
        "seen_percent",
    ])
    .map_err(open_history::plain)?;
    for row in rows {
        let (name, url) = (
            open_history::harmless(&row.name),
            row.url.as_deref().map(open_history::harmless),
        );
        csv.serialize(Columns {
            name: &name,
            url: url.as_deref(),
            ..Columns::from(row)
        })
        .map_err(open_history::plain)?;
    }
    csv.flush()
}

const NAME: usize = 30;

fn table(out: &mut impl Write, rows: &[Row], args: &ReportArgs, span: Duration) -> io::Result<()> {
    let what = match args.by {
        By::Site => "SITE",
        By::Tag => "TAG",
        By::Owner => "OWNER",
    };
    writeln!(
        out,
        "{what:<NAME$} {:>9} {:>9} {:>7} {:>7} {:>7} {:>8} {:>7} {:>7} {:>7} {:>7} {:>6}",
        "UPTIME",
        "CHECKS",
        "MISSED",
        "UNKNOWN",
        "OUTAGES",
        "DOWNTIME",
        "MTTR",
        "P50",
        "P95",
        "MAINT.",
        "SEEN"
    )?;
    let dash = || "-".to_owned();
    for row in rows {
        let outages = match row.outages.open {
            0 => row.outages.count.to_string(),
            _ => format!("{}!", row.outages.count),
        };
        let time = |time: Option<Duration>| time.map_or_else(dash, brief);
        let line = format!(
            "{} {:>9} {:>9} {:>7} {:>7} {outages:>7} {:>8} {:>7} {:>7} {:>7} {:>7} {:>6} {}",
            padded(&row.name),
            shown(percent(row.sum.uptime())),
            row.sum.count,
            row.sum.missed,
            row.sum.unknown,
            time((row.outages.count > 0).then_some(row.outages.downtime)),
            time(row.outages.mean_repair()),
            time(row.sum.quantile(0.5)),
            time(row.sum.quantile(0.95)),
            time((row.sum.time.maintenance_us > 0).then(|| row.maintenance())),
            format!("{:.1}%", (row.seen_percent() * 10.0).floor() / 10.0),
            if row.former {
                "(configured no more)"
            } else {
                ""
            },
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    let open = rows.iter().any(|row| row.outages.open > 0);
    let note = if open { "; ! still down" } else { "" };
    // Raw results of its beginning are not kept any longer.
    let shorter = args.since.saturating_sub(span);
    let coarse = if shorter.is_zero() {
        String::new()
    } else {
        format!(
            ", from {} later on: summaries of five minutes",
            brief(shorter)
        )
    };
    writeln!(out, "the last {}{coarse}{note}", whole(args.since))
}

/// A name padded to the column's width, as terminals measure it.
fn padded(name: &str) -> String {
    use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};
    let mut name = clean(name, NAME);
    while name.width() > NAME {
        name.pop();
    }
    let width: usize = name.chars().filter_map(|c| c.width()).sum();
    name.extend(std::iter::repeat_n(' ', NAME.saturating_sub(width)));
    name
}
