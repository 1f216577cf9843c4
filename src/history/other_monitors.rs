//! Import of the SQLite files of Uptime Kuma and Gatus.
//!
//! Uptime Kuma (`kuma.db`): `monitor` has the name and the URL; `heartbeat` has a row per check:
//! its time in UTC, its status (0 down, 1 up, 2 pending, that is failing and to be tried again,
//! 3 maintenance), `ping` in milliseconds, and a message. Gatus: `endpoints` has the name and
//! the group, `endpoint_results` the newest results with their duration in nanoseconds, and the
//! host instead of a URL. Both store the reason of a failure in words alone; only here is it
//! read from words.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _};

use crate::domain::{MaskedUrl, Reason, Timestamp, clean};

use super::compact::OfflineHistoryError;
use super::import::ImportedCheck;
use super::import_error::{MonitorImportError, OtherMonitorError};
use super::open::plain;
use super::raw_results::RawCheck;
use super::read_only::connect;
use super::rows::SiteKey;
use super::schema::APPLICATION_ID;

/// The longest name that is taken over, in characters.
const LONGEST_NAME: usize = 200;

/// The monitors whose files can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherMonitor {
    /// The SQLite file of Uptime Kuma.
    Kuma,
    /// The SQLite file of Gatus.
    Gatus,
}

impl fmt::Display for OtherMonitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kuma => "Uptime Kuma",
            Self::Gatus => "Gatus",
        })
    }
}

/// The file of another monitor, open for reading.
#[derive(Debug)]
pub struct OtherMonitorFile {
    connection: Connection,
    path: PathBuf,
    kind: OtherMonitor,
}

/// What was left out of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SkippedRows {
    /// Monitors of something other than a website.
    pub monitors: u64,
    /// Rows without a result (maintenance), or with a time that cannot be read.
    pub rows: u64,
}

impl OtherMonitorFile {
    /// Opens the file at `path` for reading.
    ///
    /// # Errors
    /// If SQLite cannot read it, or it is of neither.
    pub fn open(path: &Path) -> Result<Self, OtherMonitorError> {
        let connection = connect(path)
            .map_err(|error| OtherMonitorError::Sqlite(path.to_owned(), plain(&error)))?;
        let application: Option<i32> = connection
            .pragma_query_value(None, "application_id", |row| row.get(0))
            .ok();
        if application == Some(APPLICATION_ID) {
            return Err(OtherMonitorError::OwnHistory(path.to_owned()));
        }
        let has = |table: &str| {
            connection
                .query_row(
                    "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1",
                    [table],
                    |_| Ok(()),
                )
                .optional()
                .is_ok_and(|found| found.is_some())
        };
        let kind = if has("heartbeat") && has("monitor") {
            OtherMonitor::Kuma
        } else if has("endpoint_results") && has("endpoints") {
            OtherMonitor::Gatus
        } else {
            return Err(OtherMonitorError::Unknown(path.to_owned()));
        };
        Ok(Self {
            connection,
            path: path.to_owned(),
            kind,
        })
    }

    /// The monitor that wrote the file.
    #[must_use]
    pub const fn kind(&self) -> OtherMonitor {
        self.kind
    }

    /// Passes the results of websites to `pass`, the oldest first. `configured` gives the URL,
    /// masked, of the configured site of a name.
    ///
    /// # Errors
    /// If the file cannot be read, or has other columns than these monitors give it; an error of
    /// `pass` ends the reading.
    pub fn rows(
        &self,
        configured: impl Fn(&str) -> Option<Box<str>>,
        mut pass: impl FnMut(ImportedCheck) -> Result<(), OfflineHistoryError>,
    ) -> Result<SkippedRows, MonitorImportError> {
        match self.kind {
            OtherMonitor::Kuma => self.kuma(&mut pass),
            OtherMonitor::Gatus => self.gatus(&configured, &mut pass),
        }
    }

    fn plain_error<T>(&self, answer: rusqlite::Result<T>) -> Result<T, OtherMonitorError> {
        answer.map_err(|error| OtherMonitorError::Sqlite(self.path.clone(), plain(&error)))
    }

    fn kuma(
        &self,
        pass: &mut dyn FnMut(ImportedCheck) -> Result<(), OfflineHistoryError>,
    ) -> Result<SkippedRows, MonitorImportError> {
        let mut left = SkippedRows::default();
        let mut query = self.plain_error(self.connection.prepare(
            "SELECT m.name, m.url, h.time, h.status, h.ping, h.msg, m.id
             FROM heartbeat h JOIN monitor m ON m.id = h.monitor_id
             WHERE m.type IN ('http', 'keyword', 'json-query', 'real-browser') ORDER BY h.id",
        ))?;
        let mut rows = self.plain_error(query.query([]))?;
        while let Some(row) = self.plain_error(rows.next())? {
            let read = (|| {
                let name: Option<String> = row.get(0)?;
                let url: Option<String> = row.get(1)?;
                let time: String = row.get(2)?;
                let status: i64 = row.get(3)?;
                let ping: Option<f64> = row.get(4)?;
                let words: Option<String> = row.get(5)?;
                Ok((name, url, time, status, ping, words))
            })();
            let (name, url, time, status, ping, words) = self.plain_error(read)?;
            let words = words.unwrap_or_default();
            let url = url.as_deref().and_then(shown);
            let (Some(url), Some(at), 0..=2) = (url, moment(&time), status) else {
                left.rows += 1;
                continue;
            };
            let name = clean(name.as_deref().unwrap_or_default(), LONGEST_NAME);
            let name = if name.is_empty() {
                MaskedUrl::new(&*url).host_and_path().into()
            } else {
                name.into()
            };
            let millis = ping.filter(|ping| (0.0..1e9).contains(ping));
            pass(ImportedCheck {
                site: SiteKey { name, url },
                at,
                check: Some(RawCheck {
                    reason: (status != 1).then(|| reason(&words, code(&words))),
                    status: code(&words),
                    latency: Duration::from_secs_f64(millis.unwrap_or(0.0) / 1e3),
                    late: Duration::ZERO,
                }),
                time: None,
            })?;
        }
        left.monitors = self.plain_error(self.connection.query_row(
            "SELECT count(*) FROM monitor
             WHERE type IS NULL OR type NOT IN ('http', 'keyword', 'json-query', 'real-browser')",
            [],
            |row| row.get(0),
        ))?;
        Ok(left)
    }

    fn gatus(
        &self,
        configured: &dyn Fn(&str) -> Option<Box<str>>,
        pass: &mut dyn FnMut(ImportedCheck) -> Result<(), OfflineHistoryError>,
    ) -> Result<SkippedRows, MonitorImportError> {
        let mut left = SkippedRows::default();
        let mut query = self.plain_error(self.connection.prepare(
            "SELECT e.endpoint_id, e.endpoint_name, e.endpoint_group,
                    (SELECT r.hostname FROM endpoint_results r
                     WHERE r.endpoint_id = e.endpoint_id AND r.status > 0 LIMIT 1)
             FROM endpoints e ORDER BY e.endpoint_id",
        ))?;
        let endpoints = query.query_map([], |row| {
            let text = |place| {
                row.get::<_, Option<String>>(place)
                    .map(Option::unwrap_or_default)
            };
            let host: Option<String> = row.get(3)?;
            Ok((row.get::<_, i64>(0)?, text(1)?, text(2)?, host))
        });
        let endpoints: Vec<_> = self.plain_error(endpoints.and_then(Iterator::collect))?;
        for (id, name, group, host) in endpoints {
            let Some(site) = endpoint(&name, &group, host.as_deref(), configured) else {
                left.monitors += 1;
                continue;
            };
            left.rows += self.gatus_results(id, &site, pass)?;
        }
        Ok(left)
    }

    fn gatus_results(
        &self,
        endpoint: i64,
        site: &SiteKey,
        pass: &mut dyn FnMut(ImportedCheck) -> Result<(), OfflineHistoryError>,
    ) -> Result<u64, MonitorImportError> {
        let mut left = 0;
        let mut query = self.plain_error(self.connection.prepare_cached(
            "SELECT success, errors, status, duration, CAST(timestamp AS TEXT)
             FROM endpoint_results WHERE endpoint_id = ?1 ORDER BY endpoint_result_id",
        ))?;
        let mut rows = self.plain_error(query.query([endpoint]))?;
        while let Some(row) = self.plain_error(rows.next())? {
            let read = (|| {
                let success: bool = row.get(0)?;
                let errors: Option<String> = row.get(1)?;
                let status: Option<i64> = row.get(2)?;
                let nanos: Option<i64> = row.get(3)?;
                let time: String = row.get(4)?;
                Ok((success, errors, status, nanos, time))
            })();
            let (success, errors, status, nanos, time) = self.plain_error(read)?;
            let Some(at) = moment(&time) else {
                left += 1;
                continue;
            };
            let status = status
                .and_then(|status| u16::try_from(status).ok())
                .filter(|status| (100..=999).contains(status));
            let nanos = u64::try_from(nanos.unwrap_or(0)).unwrap_or(0);
            pass(ImportedCheck {
                site: site.clone(),
                at,
                check: Some(RawCheck {
                    reason: (!success).then(|| reason(&errors.unwrap_or_default(), status)),
                    status,
                    latency: Duration::from_nanos(nanos),
                    late: Duration::ZERO,
                }),
                time: None,
            })?;
        }
        Ok(left)
    }
}

/// The site of an endpoint of Gatus: the configured one of its name, else `https://` and its
/// host if it ever answered over HTTP; `None` for an endpoint of another kind.
fn endpoint(
    name: &str,
    group: &str,
    host: Option<&str>,
    configured: &dyn Fn(&str) -> Option<Box<str>>,
) -> Option<SiteKey> {
    let (name, group) = (clean(name, LONGEST_NAME), clean(group, LONGEST_NAME));
    let grouped = ["/", " / ", "_", " "].map(|between| format!("{group}{between}{name}"));
    for name in grouped.iter().chain([&name]) {
        if let Some(url) = configured(name) {
            let name = name.as_str().into();
            return Some(SiteKey { name, url });
        }
    }
    let url = shown(&format!("https://{}/", host?))?;
    let name = if group.is_empty() {
        name
    } else {
        format!("{group}/{name}")
    };
    Some(SiteKey {
        name: name.into(),
        url,
    })
}

/// A URL in the form of `sites.toml`, masked; `None` if it is not of HTTP.
fn shown(text: &str) -> Option<Box<str>> {
    let mut url = url::Url::parse(text.trim()).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    url.set_fragment(None);
    Some(MaskedUrl::new(url).shown().into())
}

/// A time: "2024-09-24 23:51:35.527" in UTC, RFC 3339, or as Go prints it, "2024-09-24
/// 23:51:35.527123 +0000 UTC".
fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let time = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        let mut words = text.split(' ');
        let (date, time) = (words.next()?, words.next().unwrap_or("00:00:00"));
        let zone = words.next().unwrap_or("+0000");
        let (hours, minutes) = zone.split_at_checked(3)?;
        format!("{date}T{time}{hours}:{minutes}").parse().ok()
    })?;
    Some(Timestamp::from_micros(time.as_microsecond()))
}

/// The status in a message: "503 - Service Unavailable", "status code 503".
fn code(words: &str) -> Option<u16> {
    let digits = match words.split_once("status code ") {
        Some((_, after)) => after,
        None => words,
    };
    let end = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    let code = digits[..end].parse().ok()?;
    (100..=999).contains(&code).then_some(code)
}

/// The reason in a message of Node.js or Go; `Unreachable` where none is recognised.
fn reason(words: &str, status: Option<u16>) -> Reason {
    let words = words.to_lowercase();
    let says = |signs: &[&str]| signs.iter().any(|sign| words.contains(sign));
    match status {
        Some(400..) => Reason::Status,
        Some(_) if says(&["keyword", "json query", ", but "]) || words.is_empty() => {
            Reason::Content
        }
        _ if says(&["timeout", "timed out", "deadline exceeded", "etimedout"]) => Reason::Timeout,
        _ if says(&["enotfound", "eai_again", "no such host"]) => Reason::Dns,
        _ if says(&["refused"]) => Reason::Refused,
        _ if says(&["certificate", "x509", "tls", "ssl", "altname"]) => Reason::Tls,
        _ if says(&["reset", "hang up", "eof", "epipe", "closed"]) => Reason::Closed,
        _ if says(&["redirect"]) => Reason::Redirect,
        _ if says(&["parse error", "malformed"]) => Reason::Protocol,
        Some(_) => Reason::Status,
        None => Reason::Unreachable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_both_monitors_are_read() {
        let expected = Some(Timestamp::from_micros(1_727_221_895_527_000));
        for text in [
            "2024-09-24 23:51:35.527",
            "2024-09-24T23:51:35.527Z",
            "2024-09-24 23:51:35.527 +0000 UTC",
            "2024-09-25 01:51:35.527000000 +0200 CEST m=+3.141592",
            "2024-09-25 01:51:35.527+02:00",
        ] {
            assert_eq!(moment(text), expected, "{text}");
        }
        for text in [
            "",
            "yesterday",
            "2024-09-24 25:00:00",
            "2024-13-01 00:00:00",
        ] {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn words_tell_why() {
        for (words, expected) in [
            ("Request failed with status code 503", Reason::Status),
            ("timeout of 48000ms exceeded", Reason::Timeout),
            ("getaddrinfo ENOTFOUND nowhere.example", Reason::Dns),
            ("connect ECONNREFUSED 127.0.0.1:443", Reason::Refused),
            ("certificate has expired", Reason::Tls),
            ("200 - OK, but keyword is not in [<html>]", Reason::Content),
            ("dial tcp: lookup x: no such host", Reason::Dns),
            ("x509: certificate signed by unknown authority", Reason::Tls),
            ("who knows", Reason::Unreachable),
        ] {
            assert_eq!(reason(words, code(words)), expected, "{words}");
        }
        assert_eq!(code("200 - OK"), Some(200));
        assert_eq!(code("Request failed with status code 503"), Some(503));
        assert_eq!(code("No heartbeat in the time window"), None);
    }

    #[test]
    fn passwords_are_not_taken_over() {
        assert_eq!(
            shown("https://ann:secret@example.org#x").as_deref(),
            Some("https://ann:***@example.org/")
        );
        assert_eq!(shown("ftp://example.org"), None);
    }
}
