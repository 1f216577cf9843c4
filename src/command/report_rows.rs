//! The rows of a report: the configured sites, then those that are configured no more; or one row
//! for all sites of a tag or an owner.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::config::Config;
use crate::domain::{Site, brief, clean};
use crate::history::{EncodedRollup, OutageTotals, Rollup, SiteKey, SiteTotals};

use super::check_json::millis;
use super::history_args::{By, OnlyArgs};

/// The name of the row of sites without a tag or an owner.
const NONE: &str = "(none)";

/// A row of a report.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub(super) name: Box<str>,
    /// The site's URL, masked; `None` for a tag or an owner.
    pub(super) url: Option<Box<str>>,
    /// Whether the site is configured no more.
    pub(super) former: bool,
    /// The number of sites in the row.
    pub(super) sites: usize,
    pub(super) sum: Rollup,
    pub(super) outages: OutageTotals,
    pub(super) cells: Vec<(i64, EncodedRollup)>,
    /// The span of the report.
    pub(super) span: Duration,
}

impl Row {
    /// Planned maintenance that was seen, of all sites.
    pub(super) const fn maintenance(&self) -> Duration {
        Duration::from_micros(self.sum.time.maintenance_us)
    }

    /// The part of the span that was seen, in per cent to four places.
    pub(super) fn seen_percent(&self) -> f64 {
        let sites = u32::try_from(self.sites).unwrap_or(u32::MAX);
        let share = self.sum.time.seen_share(self.span * sites);
        (share * 1e6).floor() / 1e4
    }
}

/// The columns of the contract, in its order; null where there is no value.
#[derive(Debug, Serialize)]
pub(super) struct Columns<'a> {
    pub(super) name: &'a str,
    pub(super) url: Option<&'a str>,
    pub(super) uptime_percent: Option<f64>,
    pub(super) checks: u64,
    pub(super) missed: u64,
    pub(super) unknown: u64,
    pub(super) outages: u64,
    pub(super) downtime_s: f64,
    pub(super) mttr_s: Option<f64>,
    pub(super) p50_ms: Option<f64>,
    pub(super) p95_ms: Option<f64>,
    pub(super) maintenance_s: f64,
    pub(super) seen_percent: f64,
}

impl<'a> From<&'a Row> for Columns<'a> {
    fn from(row: &'a Row) -> Self {
        let quantile = |share| row.sum.quantile(share).map(millis);
        let seconds = |duration: Duration| duration.as_millis() as f64 / 1e3;
        Self {
            name: &row.name,
            url: row.url.as_deref(),
            uptime_percent: percent(row.sum.uptime()),
            checks: row.sum.count,
            missed: row.sum.missed,
            unknown: row.sum.unknown,
            outages: row.outages.count,
            downtime_s: seconds(row.outages.downtime),
            mttr_s: row.outages.mean_repair().map(seconds),
            p50_ms: quantile(0.5),
            p95_ms: quantile(0.95),
            maintenance_s: seconds(row.maintenance()),
            seen_percent: row.seen_percent(),
        }
    }
}

/// Uptime in per cent to four places, rounded down: with a single failure in a year it is not
/// 100%.
pub(super) fn percent(uptime: Option<f64>) -> Option<f64> {
    uptime.map(|uptime| (uptime * 1e6 + 1e-9).floor() / 1e4)
}

/// A span as it is written in options: "30d", and not "30d00h".
pub(super) fn whole(span: Duration) -> String {
    let text = brief(span);
    let zero = ["d00h", "h00m", "m00s"].into_iter();
    let mut zero = zero.filter(|zero| text.ends_with(zero));
    let end = zero.next().map_or(0, |zero| zero.len() - 1);
    text[..text.len() - end].to_owned()
}

/// Uptime for tables and pages, to three places, rounded down; "-" without checks.
pub(super) fn shown(percent: Option<f64>) -> String {
    match percent {
        None => "-".to_owned(),
        Some(100.0) => "100%".to_owned(),
        Some(percent) => format!("{:.3}%", (percent * 1e3).floor() / 1e3),
    }
}

/// The rows of a report.
pub(super) fn rows(
    surveys: Vec<SiteTotals>,
    config: Option<&Config>,
    (by, only): (By, &OnlyArgs),
    span: Duration,
) -> Result<Vec<Row>, NoneOfName> {
    let sites = config.map_or(&[][..], |config| &config.sites);
    // Rows of configured sites come first, in their order.
    let rows: Vec<(Option<&Site>, Row)> = of_sites(surveys, sites)
        .into_iter()
        .enumerate()
        .map(|(place, row)| (sites.get(place), row))
        .collect();
    let rows = chosen(rows, only)?;
    let mut rows = match by {
        By::Site => rows.into_iter().map(|(_, row)| row).collect(),
        By::Tag => grouped(rows, |site| &site.tags),
        By::Owner => grouped(rows, |site| &site.owners),
    };
    for row in &mut rows {
        row.span = span;
    }
    Ok(rows)
}

/// A name of the command line that no site has.
#[derive(Debug)]
pub(super) struct NoneOfName {
    what: &'static str,
    name: Box<str>,
}

impl fmt::Display for NoneOfName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no site {} {}", self.what, clean(&self.name, 200))
    }
}

/// The rows of the sites that the options name. Each of their names must be that of a site.
fn chosen<'a>(
    rows: Vec<(Option<&'a Site>, Row)>,
    only: &OnlyArgs,
) -> Result<Vec<(Option<&'a Site>, Row)>, NoneOfName> {
    type Names = fn(&(Option<&Site>, Row)) -> Vec<Box<str>>;
    let options: [(&[Box<str>], &'static str, Names); 3] = [
        (&only.site, "is called", |(_, row)| vec![row.name.clone()]),
        (&only.tag, "has the tag", |(site, _)| {
            site.map_or_else(Vec::new, |site| site.tags.to_vec())
        }),
        (&only.owner, "is of the owner", |(site, _)| {
            site.map_or_else(Vec::new, |site| site.owners.to_vec())
        }),
    ];
    let mut rows = rows;
    for (wanted, what, names) in options {
        if wanted.is_empty() {
            continue;
        }
        let mut unknown = wanted.iter();
        if let Some(name) = unknown.find(|name| !rows.iter().any(|row| names(row).contains(name))) {
            let name = name.clone();
            return Err(NoneOfName { what, name });
        }
        rows.retain(|row| names(row).iter().any(|name| wanted.contains(name)));
    }
    Ok(rows)
}

/// Every configured site, checked or not, in the order of the configuration, then those of
/// sites that are configured no more, by name.
fn of_sites(surveys: Vec<SiteTotals>, sites: &[Site]) -> Vec<Row> {
    let mut found: HashMap<SiteKey, SiteTotals> = HashMap::with_capacity(surveys.len());
    let mut order = Vec::with_capacity(surveys.len());
    for survey in surveys {
        order.push(survey.site.clone());
        found.insert(survey.site.clone(), survey);
    }
    let mut rows = Vec::with_capacity(sites.len());
    for site in sites {
        let key = SiteKey::from(site);
        let survey = found.remove(&key);
        rows.push(row(key, survey, false));
    }
    for key in order {
        if let Some(survey) = found.remove(&key) {
            rows.push(row(key, Some(survey), true));
        }
    }
    rows
}

fn row(key: SiteKey, survey: Option<SiteTotals>, former: bool) -> Row {
    let mut row = Row {
        name: key.name,
        url: Some(key.url),
        former,
        sites: 1,
        ..Row::default()
    };
    if let Some(survey) = survey {
        row.sum = survey.sum;
        row.outages = survey.outages;
        row.cells = survey.cells;
    }
    row
}

/// One row for each label (a tag or an owner), by name; a site with several labels counts in each
/// of their rows.
fn grouped(rows: Vec<(Option<&Site>, Row)>, labels: impl Fn(&Site) -> &[Box<str>]) -> Vec<Row> {
    let mut groups: BTreeMap<Box<str>, Group> = BTreeMap::new();
    let mut others = Group::default();
    for (site, row) in rows {
        let mut labels = site.map_or(&[][..], &labels).to_vec();
        labels.sort_unstable();
        labels.dedup();
        if labels.is_empty() {
            others.join(&row);
        }
        for label in labels {
            groups.entry(label).or_default().join(&row);
        }
    }
    let others = (others.row.sites > 0).then(|| (NONE.into(), others));
    let groups = groups.into_iter().chain(others);
    groups.map(|(name, group)| group.named(name)).collect()
}

/// The sites of one label, summed up.
#[derive(Default)]
struct Group {
    row: Row,
    cells: BTreeMap<i64, Rollup>,
}

impl Group {
    fn join(&mut self, row: &Row) {
        self.row.sites += row.sites;
        self.row.sum.merge(&row.sum);
        self.row.outages.merge(&row.outages);
        for (start, cell) in &row.cells {
            cell.add_to(self.cells.entry(*start).or_default());
        }
    }

    fn named(self, name: Box<str>) -> Row {
        let cells = self.cells.iter();
        Row {
            name,
            cells: cells
                .map(|(start, sum)| (*start, EncodedRollup::from(sum)))
                .collect(),
            ..self.row
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SiteTime;

    #[test]
    fn a_single_failure_is_never_rounded_to_a_hundred() {
        let uptime = |up, count| {
            let time = SiteTime {
                seen_us: count,
                down_us: count - up,
                maintenance_us: 0,
            };
            time.uptime()
        };
        assert_eq!(percent(uptime(10_000_000, 10_000_000)), Some(100.0));
        assert_eq!(percent(uptime(9_999_999, 10_000_000)), Some(99.9999));
        assert_eq!(percent(uptime(2, 3)), Some(66.6666));
        assert_eq!(percent(uptime(9, 10)), Some(90.0));
        assert_eq!(percent(uptime(0, 0)), None);
    }
}
