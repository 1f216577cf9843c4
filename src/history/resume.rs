//! What goes on after a restart: failure streaks, open outages and manual maintenance.

use crate::domain::{Standing, Timestamp};

use super::maintenance;
use super::queries::{Queries, QueryError};
use super::rows::{ResumedSite, SiteKey};
use super::store::{Store, acknowledged};

impl Store {
    /// The failure streaks and open outages of the last run.
    pub(super) fn restore(&self) -> rusqlite::Result<Vec<ResumedSite>> {
        let mut query = self.connection.prepare(
            "SELECT s.name, s.url, k.failures, k.good, k.since, k.causes, k.last_good,
                    o.id IS NOT NULL, o.acknowledged, o.note,
                    EXISTS (SELECT 1 FROM outbox b WHERE b.outage = o.id)
             FROM streaks k JOIN sites s ON s.id = k.site
             LEFT JOIN outages o ON o.site = k.site AND o.since = k.since AND o.ended IS NULL",
        )?;
        let rows = query.query_map([], |row| {
            Ok(ResumedSite {
                site: SiteKey {
                    name: row.get(0)?,
                    url: row.get(1)?,
                },
                standing: Standing {
                    failures: row.get(2)?,
                    good: row.get(3)?,
                    good_since: None,
                    since: Timestamp::from_micros(row.get(4)?),
                    causes: serde_json::from_str(row.get_ref(5)?.as_str()?).unwrap_or_default(),
                    last_good: row.get::<_, Option<i64>>(6)?.map(Timestamp::from_micros),
                    down: row.get(7)?,
                    acknowledged: acknowledged(row.get(8)?, row.get(9)?),
                },
                told: row.get(10)?,
            })
        })?;
        let restored: Result<Vec<ResumedSite>, _> = rows.collect();
        Ok(restored?
            .into_iter()
            .filter(|restored| !restored.standing.causes.is_empty())
            .collect())
    }
}

impl Queries<'_> {
    /// The sites in manual maintenance, each with its end.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn maintenance(&self) -> Result<Vec<(SiteKey, Timestamp)>, QueryError> {
        self.checked(maintenance::begun(&self.store.connection, self.now()))
    }
}
