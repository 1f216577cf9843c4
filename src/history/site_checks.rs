//! The checks of one site in a stretch of time, one by one, as far as raw results are kept.

use crate::domain::Timestamp;

use super::queries::{Queries, QueryError};
use super::raw_results::{RawCheck, check};
use super::rows::SiteKey;

/// The raw results of all sites among which those of one are searched: rows stand in the order of
/// time and have no index by site.
const MOST_SEARCHED: u32 = 300_000;

/// The checks of a site, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteChecks {
    /// The time of each result or miss, and the result; `None` for a check that was missed.
    pub checks: Vec<(Timestamp, Option<RawCheck>)>,
    /// The time from which on all are listed; earlier ones may be kept as well.
    pub from: Timestamp,
}

impl Queries<'_> {
    /// The latest checks of a site between two times, both included, at most `most`.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn checks(
        &self,
        site: &SiteKey,
        (from, until): (Timestamp, Timestamp),
        most: usize,
    ) -> Result<SiteChecks, QueryError> {
        self.checked((|| {
            let connection = &self.store.connection;
            let Some(site) = self.id(site)? else {
                return Ok(SiteChecks::default());
            };
            let mut reached = connection.prepare_cached(
                "SELECT at FROM results WHERE at <= ?1 ORDER BY at DESC LIMIT 1 OFFSET ?2",
            )?;
            let mut rows = reached.query((until.as_micros(), MOST_SEARCHED))?;
            let searched: Option<i64> = rows.next()?.map(|row| row.get(0)).transpose()?;
            let from = from.max(searched.map_or(from, Timestamp::from_micros));
            let bounds = (from.as_micros(), until.as_micros(), site, most + 1);
            let mut query = connection.prepare_cached(
                "SELECT at, site, reason, status, latency_us, late_ms FROM results
                 WHERE at BETWEEN ?1 AND ?2 AND site = ?3 ORDER BY at DESC LIMIT ?4",
            )?;
            let found = query.query_map(bounds, |row| {
                Ok((Timestamp::from_micros(row.get(0)?), Some(check(row)?)))
            })?;
            let mut checks = found.collect::<rusqlite::Result<Vec<_>>>()?;
            let mut query = connection.prepare_cached(
                "SELECT at FROM missed
                 WHERE at BETWEEN ?1 AND ?2 AND site = ?3 ORDER BY at DESC LIMIT ?4",
            )?;
            let missed = query.query_map(bounds, |row| {
                Ok((Timestamp::from_micros(row.get(0)?), None))
            })?;
            for one in missed {
                checks.push(one?);
            }
            checks.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
            let is_cut = checks.len() > most;
            checks.truncate(most);
            let last = checks.last().map(|(at, _)| *at);
            let from = last.filter(|_| is_cut).unwrap_or(from);
            Ok(SiteChecks { checks, from })
        })())
    }
}
