//! `squirrel replay`: the stored checks under other rules: which outages would have been confirmed,
//! how much later or earlier, and with how many messages.

use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::Serialize;

use crate::app::{OutageDiff, Replay, SeenOutage};
use crate::domain::{TimeFormat, Timestamp, brief, clean, plural};
use crate::history::SiteKey;
use crate::monitor::{ReplayTotals, RuleOverrides};

use super::check_json::rfc3339;
use super::exit::{Exit, fail, written};
use super::history_args::ReplayArgs;
use super::json_line::escape;
use super::open_history;
use super::shared_args::OutputFormat;
use super::table_output::TableOutput;

/// The most outages in a table; JSON has all of them.
const MOST: usize = 50;

pub(super) fn run(args: &ReplayArgs) -> Exit {
    let number = |number: Option<usize>| number.map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    let rules = RuleOverrides {
        confirm: number(args.confirm),
        recover: number(args.recover),
        timeout: args.timeout,
        slow: args.slow,
    };
    if rules == RuleOverrides::default() {
        return fail("no other rule: give --confirm, --recover, --timeout or --slow");
    }
    let config = match open_history::config(&args.history) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let archive = match open_history::archive(&args.history) {
        Ok(archive) => archive,
        Err(exit) => return exit,
    };
    let replayed = archive.sites().and_then(|sites| {
        let mut replay = Replay::new(sites, config.as_ref(), rules);
        archive.results(args.since, |site, at, check| {
            replay.add(site, at, check);
            ControlFlow::Continue(())
        })?;
        Ok(replay)
    });
    let replay = match replayed {
        Ok(replay) => replay,
        Err(error) => return fail(error),
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let report = Report {
        replay: &replay,
        rules,
        zone: TimeZone::system(),
    };
    let printed = match args.format {
        OutputFormat::Json => report.json(&mut out),
        OutputFormat::Table => report.table(&mut TableOutput::new(&mut out)),
    };
    written(printed.and_then(|()| out.flush()))
}

/// The counts under a set of rules. A rule that is null is that of each site.
#[derive(Debug, Serialize)]
struct RulesRecord {
    kind: &'static str,
    rules: &'static str,
    confirm: Option<u32>,
    recover: Option<u32>,
    timeout_s: Option<f64>,
    slow_s: Option<f64>,
    results: u64,
    outages: u64,
    messages: u64,
    degraded: u64,
    /// The number of outages under the configured rules that these would not have confirmed.
    not_noticed: u64,
    /// The number of outages that only these confirm.
    additional: u64,
    /// The number of timeouts that came sooner than the timeout of these rules.
    cut_off: u64,
}

/// An outage under both sets of rules.
#[derive(Debug, Serialize)]
struct OutageRecord<'a> {
    kind: &'static str,
    name: &'a str,
    url: &'a str,
    since: Option<String>,
    ended: Option<String>,
    noticed: Option<String>,
    other_noticed: Option<String>,
    /// How much later these rules confirm it, in seconds; negative is earlier.
    delay_s: Option<f64>,
}

struct Report<'a> {
    replay: &'a Replay,
    rules: RuleOverrides,
    zone: TimeZone,
}

/// How much later the other rules confirm the outage, in seconds.
fn delay(pair: &OutageDiff) -> Option<f64> {
    Some(pair.delay()? as f64 / 1e6)
}

fn missing(
    pairs: &[(&SiteKey, OutageDiff)],
    of: impl Fn(&OutageDiff) -> Option<SeenOutage>,
) -> u64 {
    pairs.iter().filter(|(_, pair)| of(pair).is_none()).count() as u64
}

impl Report<'_> {
    fn time(&self, at: Timestamp) -> String {
        rfc3339(at, &self.zone)
    }

    fn json(&self, out: &mut impl Write) -> io::Result<()> {
        let pairs = self.replay.pairs();
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
        let [now, other] = self.replay.accounts();
        let record = |name, rules: RuleOverrides, account: ReplayTotals| RulesRecord {
            kind: "rules",
            rules: name,
            confirm: rules.confirm,
            recover: rules.recover,
            timeout_s: seconds(rules.timeout),
            slow_s: seconds(rules.slow),
            results: self.replay.checks(),
            outages: account.outages,
            messages: account.messages,
            degraded: account.degraded,
            not_noticed: 0,
            additional: 0,
            cut_off: 0,
        };
        let line = |out: &mut dyn Write, json: String| writeln!(out, "{}", escape(&json));
        line(
            out,
            serde_json::to_string(&record("now", RuleOverrides::default(), now))?,
        )?;
        let other = RulesRecord {
            not_noticed: missing(&pairs, |pair| pair.other),
            additional: missing(&pairs, |pair| pair.now),
            cut_off: self.replay.cut_off(),
            ..record("other", self.rules, other)
        };
        line(out, serde_json::to_string(&other)?)?;
        for (site, pair) in &pairs {
            let either = pair.now.or(pair.other);
            let record = OutageRecord {
                kind: "outage",
                name: &site.name,
                url: &site.url,
                since: either.map(|seen| self.time(seen.since)),
                ended: either.and_then(|seen| Some(self.time(seen.ended?))),
                noticed: pair.now.map(|seen| self.time(seen.confirmed)),
                other_noticed: pair.other.map(|seen| self.time(seen.confirmed)),
                delay_s: delay(pair),
            };
            line(out, serde_json::to_string(&record)?)?;
        }
        Ok(())
    }

    fn table(&self, out: &mut impl Write) -> io::Result<()> {
        let pairs = self.replay.pairs();
        if let Some((first, last)) = self.replay.span() {
            let checks = self.replay.checks();
            let time = |at| TimeFormat::Zoned.of(at, &self.zone);
            let (first, last) = (time(first), time(last));
            writeln!(out, "{} from {first} to {last}\n", plural(checks, "result"))?;
        } else {
            return writeln!(out, "no results in this span");
        }
        writeln!(
            out,
            "{:<40} {:>8} {:>9} {:>9}",
            "RULES", "OUTAGES", "MESSAGES", "DEGRADED"
        )?;
        let names = ["as they are".to_owned(), self.words()];
        for (name, account) in names.iter().zip(self.replay.accounts()) {
            writeln!(
                out,
                "{name:<40} {:>8} {:>9} {:>9}",
                account.outages, account.messages, account.degraded
            )?;
        }
        if !pairs.is_empty() {
            writeln!(
                out,
                "\n{:<30} {:<29} {:>7} {:>8}  UNDER THE OTHER RULES",
                "SITE", "FIRST FAILURE", "LASTED", "NOTICED"
            )?;
        }
        for (site, pair) in pairs.iter().take(MOST) {
            let Some(either) = pair.now.or(pair.other) else {
                continue;
            };
            let after = |seen: SeenOutage| format!("+{}", brief(seen.confirmed.since(seen.since)));
            writeln!(
                out,
                "{:<30} {:<29} {:>7} {:>8}  {}",
                clean(&site.name, 30),
                self.time(either.since),
                either.ended.map_or_else(
                    || "open".to_owned(),
                    |ended| brief(ended.since(either.since))
                ),
                pair.now.map_or_else(|| "-".to_owned(), after),
                verdict(pair)
            )?;
        }
        if pairs.len() > MOST {
            let more = pairs.len() - MOST;
            writeln!(out, "and {more} more: --format json has all of them")?;
        }
        self.sum(out, &pairs)
    }

    fn sum(&self, out: &mut impl Write, pairs: &[(&SiteKey, OutageDiff)]) -> io::Result<()> {
        let missed = missing(pairs, |pair| pair.other);
        let additional = missing(pairs, |pair| pair.now);
        let delays: Vec<f64> = pairs.iter().filter_map(|(_, pair)| delay(pair)).collect();
        let count =
            |chosen: &dyn Fn(f64) -> bool| delays.iter().filter(|delay| chosen(**delay)).count();
        writeln!(
            out,
            "\n{} noticed as soon, {} later, {} earlier; {missed} not noticed, {additional} \
             noticed besides",
            count(&|delay| delay == 0.0),
            count(&|delay| delay > 0.0),
            count(&|delay| delay < 0.0),
        )?;
        writeln!(
            out,
            "Messages are one to each owner when an outage is confirmed and one when it ends, \
             before quiet hours,\nmaintenance and digests. The times of checks stay as they \
             were: a second check that other\nrules would have asked for is missing."
        )?;
        if self.rules.timeout.is_some() {
            writeln!(
                out,
                "A longer timeout cannot bring back what was cut off: {} a timeout all the same.",
                plural(self.replay.cut_off(), "result")
            )?;
        }
        Ok(())
    }

    /// The other rules, as options of the command line.
    fn words(&self) -> String {
        let numbers = [
            ("confirm", self.rules.confirm),
            ("recover", self.rules.recover),
        ];
        let times = [("timeout", self.rules.timeout), ("slow", self.rules.slow)];
        let numbers = numbers
            .into_iter()
            .filter_map(|(name, value)| Some(format!("--{name} {}", value?)));
        let times = times
            .into_iter()
            .filter_map(|(name, value)| Some(format!("--{name} {}", brief(value?))));
        numbers.chain(times).collect::<Vec<_>>().join(" ")
    }
}

/// How the other rules change an outage, in words.
fn verdict(pair: &OutageDiff) -> String {
    let seconds = |delay: f64| brief(Duration::from_secs_f64(delay.abs()));
    match (pair.now, delay(pair)) {
        (None, _) => "noticed by these alone".to_owned(),
        (Some(_), None) => "not noticed".to_owned(),
        (_, Some(0.0)) => "as soon".to_owned(),
        (_, Some(delay)) if delay > 0.0 => format!("{} later", seconds(delay)),
        (_, Some(delay)) => format!("{} earlier", seconds(delay)),
    }
}
