//! A report as one HTML page without scripts or external resources, for light and dark screens,
//! phones and paper.

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::domain::{TimeFormat, Timestamp, brief, clean, plural};
use crate::history::{BucketSize, Rollup};

use super::history_args::By;
use super::report_rows::{Row, percent, shown, whole};

/// The most rows in the list of the lowest uptimes.
const LOWEST: usize = 10;

/// The most points of a latency chart; its width shows no more.
const POINTS: usize = 120;

/// The least number of bars; more are drawn as far back as there are results.
const CELLS: i64 = 400;

/// The heights of the charts, in units of their SVG.
const BARS: f64 = 10.0;
const LINES: f64 = 30.0;

/// The head of the page. Whatever a colour shows, a height or a word shows as well.
const HEAD: &str = r#"<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<style>
:root{--bg:#fff;--card:#f6f7f8;--line:#d8dbdf;--ink:#1b1f24;--dim:#5b636d;--up:#2f9e5b;--bad:#c62f3b;--p50:#1f6fc4;--p95:#b0620a}
@media(prefers-color-scheme:dark){:root{--bg:#14171a;--card:#1d2126;--line:#343a41;--ink:#e7eaed;--dim:#a0a8b1;--up:#3fb871;--bad:#ff6b74;--p50:#6cb2ff;--p95:#f0a54a}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:90rem;padding:1rem;background:var(--bg);color:var(--ink);font:16px/1.45 system-ui,sans-serif}
h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.05rem;margin:0;overflow-wrap:anywhere}
p{margin:.3rem 0}.dim,.url{color:var(--dim)}.url{font-size:.85rem;overflow-wrap:anywhere}
main{display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,24rem),1fr));margin-top:1rem}
article{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.8rem;min-width:0;break-inside:avoid;content-visibility:auto;contain-intrinsic-size:auto 19rem}
header{display:flex;gap:.8rem;justify-content:space-between;align-items:baseline}
.big{font-size:1.25rem;font-variant-numeric:tabular-nums;white-space:nowrap}
.open{color:var(--bad);font-weight:600}
svg{display:block;width:100%;margin-top:.5rem;overflow:visible}
.bars{height:2rem}.lines{height:4rem;border-bottom:1px solid var(--line)}
.u{stroke:var(--up)}.n{stroke:var(--line)}.u,.n{fill:none;stroke-width:10;stroke-dasharray:.82 .18}.n{stroke-width:2}
.b{fill:var(--bad)}
.a,.z{fill:none;stroke-width:2;vector-effect:non-scaling-stroke;stroke-linecap:round;stroke-linejoin:round}
.a{stroke:var(--p50)}.z{stroke:var(--p95);stroke-dasharray:5 3}
.ends{display:flex;justify-content:space-between;font-size:.8rem;color:var(--dim)}
.ka{color:var(--p50)}.kz{color:var(--p95)}
dl{display:grid;grid-template-columns:repeat(4,1fr);gap:.3rem .6rem;margin:.6rem 0 0}
dl div{min-width:0}dt{font-size:.75rem;color:var(--dim)}dd{margin:0;font-variant-numeric:tabular-nums}
table{border-collapse:collapse;margin-top:.5rem}td,th{padding:.15rem .8rem .15rem 0;text-align:left}
td+td,th+th{text-align:right;font-variant-numeric:tabular-nums}td:first-child{overflow-wrap:anywhere}td:last-child,th:last-child{padding-right:0}a{color:inherit}
@media(max-width:30rem){body{padding:.7rem}table{width:100%;font-size:.8rem}td,th{padding-right:.5rem}}
</style>
"#;

/// A report as a page.
pub(super) struct Page<'a> {
    pub(super) rows: &'a [Row],
    pub(super) by: By,
    pub(super) since: Duration,
    pub(super) now: Timestamp,
    /// The time that a bar stands for.
    pub(super) cell: BucketSize,
}

/// Escapes text for elements and attributes of HTML.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in clean(self.0, 2_000).chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => fmt::Write::write_char(f, c)?,
            }
        }
        Ok(())
    }
}

impl Page<'_> {
    /// Writes the page.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let span = whole(self.since);
        let what = match self.by {
            By::Site => "site",
            By::Tag => "tag",
            By::Owner => "owner",
        };
        let cell = match self.cell {
            BucketSize::Day => "a day",
            BucketSize::Hour => "an hour",
            BucketSize::FiveMinutes => "five minutes",
        };
        let open: u64 = self.rows.iter().map(|row| row.outages.open).sum();
        let total: u64 = self.rows.iter().map(|row| row.outages.count).sum();
        write!(
            out,
            "{HEAD}<title>Uptime over {span}</title></head><body>\n<h1>Uptime over {span}</h1>\n\
             <p class=\"dim\">From {} to {}. A bar is {cell} in UTC, red the share of its checks \
             that failed; checks that were missed, and those that could not be made, count neither \
             way.</p>\n<p>{}, {}, {}.</p>\n",
            self.time(self.from()),
            self.time(self.now.as_micros().div_euclid(1_000_000)),
            plural(self.rows.len(), what),
            plural(total, "outage"),
            match open {
                0 => "all of them over".to_owned(),
                open => format!("<span class=\"open\">{open} still open</span>"),
            }
        )?;
        self.lowest(out)?;
        writeln!(out, "<main>")?;
        for (number, row) in self.rows.iter().enumerate() {
            self.card(out, number, row)?;
        }
        writeln!(out, "</main></body></html>")
    }

    fn from(&self) -> i64 {
        let now = self.now.as_micros().div_euclid(1_000_000);
        let span = i64::try_from(self.since.as_secs()).unwrap_or(i64::MAX);
        now.saturating_sub(span).max(0)
    }

    fn time(&self, seconds: i64) -> String {
        let at = Timestamp::from_micros(seconds.saturating_mul(1_000_000));
        TimeFormat::Zoned.of(at, &TimeZone::UTC)
    }

    /// Writes the rows with the lowest uptime, as links to their cards.
    fn lowest(&self, out: &mut impl Write) -> io::Result<()> {
        let mut rows: Vec<(f64, usize, &Row)> = self
            .rows
            .iter()
            .enumerate()
            .filter_map(|(number, row)| Some((percent(row.sum.uptime())?, number, row)))
            .filter(|(percent, ..)| *percent < 100.0)
            .collect();
        rows.sort_by(|one, other| one.0.total_cmp(&other.0));
        if rows.is_empty() || self.rows.len() == 1 {
            return Ok(());
        }
        writeln!(
            out,
            "<table><tr><th>Lowest uptime</th><th>Uptime</th><th>Outages</th><th>Downtime</th></tr>"
        )?;
        for (percent, number, row) in rows.into_iter().take(LOWEST) {
            writeln!(
                out,
                "<tr><td><a href=\"#r{number}\">{}</a></td><td>{}</td><td>{}</td><td>{}</td></tr>",
                Text(&row.name),
                shown(Some(percent)),
                row.outages.count,
                brief(row.outages.downtime)
            )?;
        }
        writeln!(out, "</table>")
    }

    fn card(&self, out: &mut impl Write, number: usize, row: &Row) -> io::Result<()> {
        write!(
            out,
            "<article id=\"r{number}\"><header><h2>{}</h2><span class=\"big\">{}</span></header>",
            Text(&row.name),
            shown(percent(row.sum.uptime()))
        )?;
        match &row.url {
            Some(url) => write!(out, "<p class=\"url\">{}", Text(url))?,
            None => write!(out, "<p class=\"url\">{}", plural(row.sites, "site"))?,
        }
        if row.former {
            write!(out, " (configured no more)")?;
        }
        write!(out, "</p>")?;
        if row.outages.open > 0 {
            write!(out, "<p class=\"open\">still down</p>")?;
        }
        if row.sum.count > 0 {
            self.bars(out, row)?;
            self.lines(out, row)?;
        } else {
            write!(out, "<p class=\"dim\">not checked in this span</p>")?;
        }
        let dash = || "-".to_owned();
        let time = |time: Option<Duration>| time.map_or_else(dash, brief);
        write!(out, "<dl>")?;
        for (term, value) in [
            ("Checks", row.sum.count.to_string()),
            ("Missed", row.sum.missed.to_string()),
            ("Unknown", row.sum.unknown.to_string()),
            ("Outages", row.outages.count.to_string()),
            (
                "Downtime",
                time((row.outages.count > 0).then_some(row.outages.downtime)),
            ),
            ("To recovery", time(row.outages.mean_repair())),
            (
                "Maintenance",
                time((row.sum.time.maintenance_us > 0).then(|| row.maintenance())),
            ),
            ("Seen", format!("{:.1}%", row.seen_percent())),
            ("p50", time(row.sum.quantile(0.5))),
            ("p95", time(row.sum.quantile(0.95))),
        ] {
            write!(out, "<div><dt>{term}</dt><dd>{value}</dd></div>")?;
        }
        writeln!(out, "</dl></article>")
    }

    /// The first bar of the charts, and the number of bars.
    fn cells(&self) -> (i64, i64) {
        let length = self.cell.seconds();
        let last = self.cell.floor(self.now.as_micros().div_euclid(1_000_000));
        let mut first = self.cell.floor(self.from());
        if (last - first) / length > CELLS {
            // More bars than this would be too thin to see.
            let known = self.rows.iter().filter_map(|row| row.cells.first());
            let earliest = known.map(|(start, _)| *start).min();
            first = first.max(earliest.unwrap_or(last).min(last));
        }
        (first, (last - first) / length + 1)
    }

    /// Writes the uptime bars. Equal neighbours are one dashed line, so that a good year takes a few
    /// bytes and not 365 rectangles.
    fn bars(&self, out: &mut impl Write, row: &Row) -> io::Result<()> {
        let (first, count) = self.cells();
        let place = |start: i64| (start - first) / self.cell.seconds();
        let mut runs: Vec<(i64, i64)> = Vec::new();
        let mut bad = Vec::new();
        for (start, cell) in &row.cells {
            let (at, Some(uptime)) = (place(*start), cell.uptime()) else {
                continue;
            };
            match runs.last_mut() {
                Some((from, length)) if *from + *length == at => *length += 1,
                _ => runs.push((at, 1)),
            }
            if uptime < 1.0 {
                bad.push((at, *start, uptime));
            }
        }
        write!(
            out,
            "<svg class=\"bars\" viewBox=\"0 0 {count} {BARS}\" preserveAspectRatio=\"none\" \
             role=\"img\" aria-label=\"uptime of each bar\"><path class=\"n\" d=\"M0 9h{count}\"/>\
             <path class=\"u\" d=\""
        )?;
        for (from, length) in runs {
            write!(out, "M{from} 5h{length}")?;
        }
        write!(out, "\"/>")?;
        for (at, start, uptime) in bad {
            // A share too small to be seen is drawn at a visible height.
            let height = ((1.0 - uptime) * BARS).max(BARS * 0.2);
            write!(
                out,
                "<rect class=\"b\" x=\"{at}\" y=\"0\" width=\".82\" height=\"{height:.1}\">\
                 <title>{}: {} up</title></rect>",
                self.time(start),
                shown(percent(Some(uptime)))
            )?;
        }
        write!(out, "</svg>")
    }

    /// Writes the median and the 95th percentile of the latency as lines.
    fn lines(&self, out: &mut impl Write, row: &Row) -> io::Result<()> {
        let (first, count) = self.cells();
        let each = usize::try_from(count).unwrap_or(1).div_ceil(POINTS).max(1) as i64;
        let mut points: Vec<(i64, Rollup)> = Vec::new();
        for (start, cell) in &row.cells {
            let at = (start - first) / self.cell.seconds() / each;
            if points.last().is_none_or(|(known, _)| *known != at) {
                points.push((at, Rollup::default()));
            }
            if let Some((_, sum)) = points.last_mut() {
                cell.add_to(sum);
            }
        }
        let quantiles = |share: f64| -> Vec<(i64, Duration)> {
            let known = points.iter();
            known
                .filter_map(|(at, sum)| Some((*at, sum.quantile(share)?)))
                .collect()
        };
        let (middle, high) = (quantiles(0.5), quantiles(0.95));
        let Some(most) = high.iter().map(|(_, latency)| *latency).max() else {
            return Ok(());
        };
        let width = (count + each - 1) / each;
        write!(
            out,
            "<svg class=\"lines\" viewBox=\"0 0 {width} {LINES}\" preserveAspectRatio=\"none\" \
             role=\"img\" aria-label=\"latency, at most {}\">",
            brief(most)
        )?;
        for (class, points) in [("z", high), ("a", middle)] {
            write!(out, "<path class=\"{class}\" d=\"")?;
            let mut before = None;
            for (at, latency) in points {
                let share = latency.as_secs_f64() / most.as_secs_f64().max(1e-6);
                let y = LINES - share * (LINES - 2.0);
                match before {
                    Some(before) if before + 1 == at => write!(out, "L{at}.5 {y:.1}")?,
                    // A point without neighbours is a dot.
                    _ => write!(out, "M{at}.5 {y:.1}h0")?,
                }
                before = Some(at);
            }
            write!(out, "\"/>")?;
        }
        write!(
            out,
            "</svg><div class=\"ends\"><span>top {}</span><span><span class=\"ka\">— p50</span> \
             <span class=\"kz\">- - p95</span></span></div>",
            brief(most)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_its_place() {
        let text = Text("<b>\"A\" & 'B'\u{1b}[2J\u{202e}").to_string();
        assert_eq!(text, "&lt;b&gt;&quot;A&quot; &amp; &#39;B&#39; [2J");
    }
}
