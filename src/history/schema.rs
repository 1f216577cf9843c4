//! The schema, and the migration of files of older versions.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::reason_codes::REASONS;

/// The application id in the file's head, "SQRL", which `file` and `sqlite3` show.
pub(super) const APPLICATION_ID: i32 = 0x5351_524c;

/// One migration per version. A released one is never changed: a change is a new migration.
pub(super) const MIGRATIONS: [&str; 12] = [
    // 1: results and their rollups.
    "
    CREATE TABLE sites (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        url TEXT NOT NULL,
        UNIQUE (name, url)
    );
    -- Microseconds since 1970 are the row's own number, so that rows stand in the order of
    -- time, need no index, and go in large runs when they are old.
    CREATE TABLE results (
        at INTEGER PRIMARY KEY,
        site INTEGER NOT NULL,
        reason INTEGER NOT NULL,
        status INTEGER,
        latency_us INTEGER NOT NULL,
        late_ms INTEGER NOT NULL
    );
    CREATE TABLE missed (at INTEGER PRIMARY KEY, site INTEGER NOT NULL);
    CREATE TABLE reasons (code INTEGER PRIMARY KEY, word TEXT NOT NULL, verdict TEXT NOT NULL);
    -- Seconds since 1970, in UTC. A period's rows stand together: they are written together
    -- and go together.
    CREATE TABLE rollup_5m (
        start INTEGER NOT NULL, site INTEGER NOT NULL,
        count INTEGER NOT NULL, up INTEGER NOT NULL, missed INTEGER NOT NULL,
        unknown INTEGER NOT NULL, min_us INTEGER, sum_us INTEGER NOT NULL, max_us INTEGER,
        sketch BLOB, PRIMARY KEY (start, site)
    ) WITHOUT ROWID;
    CREATE TABLE rollup_hour (
        start INTEGER NOT NULL, site INTEGER NOT NULL,
        count INTEGER NOT NULL, up INTEGER NOT NULL, missed INTEGER NOT NULL,
        unknown INTEGER NOT NULL, min_us INTEGER, sum_us INTEGER NOT NULL, max_us INTEGER,
        sketch BLOB, PRIMARY KEY (start, site)
    ) WITHOUT ROWID;
    CREATE TABLE rollup_day (
        start INTEGER NOT NULL, site INTEGER NOT NULL,
        count INTEGER NOT NULL, up INTEGER NOT NULL, missed INTEGER NOT NULL,
        unknown INTEGER NOT NULL, min_us INTEGER, sum_us INTEGER NOT NULL, max_us INTEGER,
        sketch BLOB, PRIMARY KEY (start, site)
    ) WITHOUT ROWID;
    -- Periods that have to be summed up (again): level 0 is five minutes, 1 an hour, 2 a day.
    CREATE TABLE due_rollups (
        level INTEGER NOT NULL, start INTEGER NOT NULL, PRIMARY KEY (level, start)
    ) WITHOUT ROWID;
    CREATE TABLE marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    ",
    // 2: outages and failure streaks.
    "
    CREATE TABLE outages (
        id INTEGER PRIMARY KEY,
        site INTEGER NOT NULL,
        since INTEGER NOT NULL,
        confirmed INTEGER NOT NULL,
        ended INTEGER,
        causes TEXT NOT NULL,
        last_good INTEGER,
        acknowledged INTEGER,
        note TEXT,
        UNIQUE (site, since)
    );
    CREATE INDEX outages_open ON outages (site) WHERE ended IS NULL;
    CREATE INDEX outages_since ON outages (since);
    CREATE TABLE streaks (
        site INTEGER PRIMARY KEY,
        failures INTEGER NOT NULL,
        good INTEGER NOT NULL,
        since INTEGER NOT NULL,
        causes TEXT NOT NULL,
        last_good INTEGER
    );
    ",
    // 3: the outbox. The codes of `state` are those of `OutboxState`.
    "
    CREATE TABLE outbox (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        outage INTEGER,
        owner TEXT NOT NULL,
        channel TEXT NOT NULL,
        site TEXT NOT NULL,
        at INTEGER NOT NULL,
        subject TEXT NOT NULL,
        body TEXT NOT NULL,
        facts TEXT NOT NULL,
        state INTEGER NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 0,
        next INTEGER NOT NULL,
        answer TEXT,
        settled INTEGER
    );
    CREATE INDEX outbox_due ON outbox (channel, next) WHERE state = 0;
    CREATE INDEX outbox_outage ON outbox (outage) WHERE outage IS NOT NULL;
    CREATE VIEW checks AS
        SELECT strftime('%Y-%m-%dT%H:%M:%fZ', results.at / 1e6, 'unixepoch') AS at,
               sites.name, sites.url, reasons.verdict, nullif(reasons.word, 'up') AS reason,
               results.status, results.latency_us / 1e3 AS latency_ms, results.late_ms
        FROM results JOIN sites ON sites.id = results.site
        JOIN reasons ON reasons.code = results.reason;
    ",
    // 4: messages that wait for others, and those that a digest replaced; `digest` is its id.
    "
    ALTER TABLE outbox ADD COLUMN event TEXT NOT NULL DEFAULT '';
    ALTER TABLE outbox ADD COLUMN digest TEXT;
    CREATE INDEX outbox_gathering ON outbox (channel, owner, event) WHERE state = 3;
    ",
    // 5: manual maintenance.
    "
    CREATE TABLE maintenance (site INTEGER PRIMARY KEY, until INTEGER NOT NULL);
    ",
    // 6: packed days. With a rowid, because a table without one stores rows of a thousand bytes
    // in pages of their own.
    "
    CREATE TABLE packed_5m (
        day INTEGER NOT NULL, site INTEGER NOT NULL, rows BLOB NOT NULL,
        PRIMARY KEY (day, site)
    );
    ",
    // 7: what was told of each site and of the monitor itself, as JSON; when a recovery began,
    // and when a streak was written last.
    "
    CREATE TABLE alerts (site INTEGER PRIMARY KEY, state TEXT NOT NULL);
    CREATE TABLE monitor_alerts (name TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
    ALTER TABLE streaks ADD COLUMN good_since INTEGER;
    ALTER TABLE streaks ADD COLUMN written INTEGER;
    CREATE INDEX outbox_waiting ON outbox (number) WHERE state IN (0, 3);
    CREATE INDEX outbox_digest ON outbox (digest) WHERE digest IS NOT NULL;
    ",
    // 8: the time of a site. In results and missed checks: how much of the time since the row
    // before was seen, and how much of that was planned maintenance. In rollups besides: how
    // much was in outages and not in maintenance. Null in rows that earlier versions wrote: all
    // have it from the second of the mark on, the day after the last of these.
    "
    ALTER TABLE results ADD COLUMN seen_ms INTEGER;
    ALTER TABLE results ADD COLUMN maintenance_ms INTEGER;
    ALTER TABLE missed ADD COLUMN seen_ms INTEGER;
    ALTER TABLE missed ADD COLUMN maintenance_ms INTEGER;
    ALTER TABLE rollup_5m ADD COLUMN seen_ms INTEGER;
    ALTER TABLE rollup_5m ADD COLUMN maintenance_ms INTEGER;
    ALTER TABLE rollup_5m ADD COLUMN down_ms INTEGER;
    ALTER TABLE rollup_hour ADD COLUMN seen_ms INTEGER;
    ALTER TABLE rollup_hour ADD COLUMN maintenance_ms INTEGER;
    ALTER TABLE rollup_hour ADD COLUMN down_ms INTEGER;
    ALTER TABLE rollup_day ADD COLUMN seen_ms INTEGER;
    ALTER TABLE rollup_day ADD COLUMN maintenance_ms INTEGER;
    ALTER TABLE rollup_day ADD COLUMN down_ms INTEGER;
    CREATE INDEX outages_ended ON outages (ended) WHERE ended IS NOT NULL;
    INSERT INTO marks SELECT 'timed', (second / 86400 + 1) * 86400 FROM (
        SELECT max(second) AS second FROM (
            SELECT max(at) / 1000000 AS second FROM results
            UNION ALL SELECT max(at) / 1000000 FROM missed
            UNION ALL SELECT value - 1 FROM marks WHERE name = 'rolled'))
    WHERE second IS NOT NULL;
    ",
    // 9: how long an outage lasted. Null while it is open, and in what earlier versions wrote:
    // they knew the two times alone, between which the wall clock may have been set.
    "
    ALTER TABLE outages ADD COLUMN lasted_us INTEGER;
    ",
    // 10: the outbox is read by number and by id since it is the engine that plans; old messages
    // are found without reading all others.
    "
    DROP INDEX IF EXISTS outbox_due;
    DROP INDEX IF EXISTS outbox_gathering;
    CREATE INDEX IF NOT EXISTS outbox_settled ON outbox (settled) WHERE settled IS NOT NULL;
    ",
    // 11: why nobody was told of an outage, as JSON; null while it is open, and if somebody was.
    "
    ALTER TABLE outages ADD COLUMN untold TEXT;
    ",
    // 12: when manual maintenance was begun. Null in what earlier versions wrote: an hour before
    // its end.
    "
    ALTER TABLE maintenance ADD COLUMN begun INTEGER;
    ",
];

/// Why the schema cannot be brought to this version.
#[derive(Debug)]
pub(super) enum SchemaError {
    /// The file is of a newer version.
    Newer(i32),
    /// The file is the database of another program.
    Foreign,
    /// An error of SQLite.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for SchemaError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// The version of the schema that this program writes.
pub(super) const VERSION: i32 = MIGRATIONS.len() as i32;

/// Brings the schema to this version, all migrations in one transaction; gives the version that
/// it had, 0 for a new file.
pub(super) fn migrate(connection: &mut Connection) -> Result<i32, SchemaError> {
    let version = pragma(connection, "user_version")?;
    if version > VERSION {
        return Err(SchemaError::Newer(version));
    }
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
    if tables > 0 && pragma(connection, "application_id")? != APPLICATION_ID {
        return Err(SchemaError::Foreign);
    }
    if version == VERSION {
        return Ok(version);
    }
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
    let done = usize::try_from(version).unwrap_or_default();
    for step in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    words(&transaction)?;
    transaction.commit()?;
    Ok(version)
}

/// Fills the table `reasons`, for other programs that read the file.
fn words(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare("INSERT OR REPLACE INTO reasons VALUES (?1, ?2, ?3)")?;
    insert.execute((0, "up", "up"))?;
    for (code, reason) in REASONS {
        insert.execute((code, reason.word(), reason.verdict().word()))?;
    }
    Ok(())
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file as each earlier version left it, with a result in it.
    fn of_version(version: usize) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        for step in &MIGRATIONS[..version] {
            connection.execute_batch(step).unwrap();
        }
        connection
            .pragma_update(None, "user_version", version as i32)
            .unwrap();
        if version > 0 {
            connection
                .pragma_update(None, "application_id", APPLICATION_ID)
                .unwrap();
            connection
                .execute_batch(
                    "INSERT INTO sites VALUES (1, 'shop', 'http://shop/');
                     INSERT INTO results (at, site, reason, status, latency_us, late_ms)
                         VALUES (1700000000000000, 1, 1, 503, 1000, 0);",
                )
                .unwrap();
        }
        connection
    }

    #[test]
    fn a_file_of_every_earlier_version_keeps_its_results_and_gets_every_table() {
        for version in 0..MIGRATIONS.len() {
            let mut connection = of_version(version);
            migrate(&mut connection).unwrap();
            assert_eq!(
                pragma(&connection, "user_version").unwrap() as usize,
                MIGRATIONS.len()
            );
            let tables = [
                "results",
                "rollup_day",
                "outages",
                "streaks",
                "outbox",
                "maintenance",
                "packed_5m",
            ];
            for table in tables {
                connection
                    .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
                        row.get::<_, i64>(0)
                    })
                    .unwrap_or_else(|error| panic!("from {version}: {table}: {error}"));
            }
            let found: Vec<String> = connection
                .prepare("SELECT at || ' ' || name || ' ' || verdict || ' ' || reason || ' ' || status FROM checks")
                .unwrap()
                .query_map([], |row| row.get(0))
                .unwrap()
                .collect::<Result<_, _>>()
                .unwrap();
            let expected: &[&str] = if version == 0 {
                &[]
            } else {
                &["2023-11-14T22:13:20.000Z shop down status 503"]
            };
            assert_eq!(found, expected, "from {version}");
        }
    }

    #[test]
    fn a_newer_file_and_a_file_of_another_program_are_left_alone() {
        let mut connection = of_version(1);
        connection.pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(
            migrate(&mut connection),
            Err(SchemaError::Newer(99))
        ));
        let mut connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE recipes (a)")
            .unwrap();
        assert!(matches!(
            migrate(&mut connection),
            Err(SchemaError::Foreign)
        ));
    }
}
