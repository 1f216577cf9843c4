//! `dns://NAME?type=A`: the records of a name, of the system's name servers or of `resolver`.

use std::net::IpAddr;

use crate::domain::{CheckKind, Expected, Reason, clean};

use super::super::classify::{self, Failure};
use super::super::names::{self, NameError};
use super::super::thread_wait;
use super::{Answered, Asked, KindEntry};

/// Its entry.
pub(super) const KIND: KindEntry = KindEntry {
    kind: CheckKind::Dns,
    check: |asked| -> Answered<'_> { Box::pin(check(asked)) },
};

async fn check(asked: Asked<'_>) -> Result<String, Failure> {
    let url = asked.spec.url.parsed();
    let host = url.and_then(|url| url.host_str()).unwrap_or_default();
    let query = url.and_then(|url| url.query()).unwrap_or_default();
    let kind = query.strip_prefix("type=").unwrap_or("A");
    let (files, options) = (&asked.shared.files, asked.spec.options());
    asked.timings.dns_started();
    let asking = names::records(
        host,
        kind,
        options.connection.resolver,
        files,
        asked.deadline,
    );
    let records = thread_wait::elsewhere(asking).await;
    asked.timings.dns_ended(&[]);
    let records = records.map_err(|error| match error {
        NameError::NoAddress => Failure::new(
            Reason::Dns,
            format!("the name exists but has no {kind} record"),
        ),
        error => classify::name(&error),
    })?;
    let has = |text: &str| records.iter().any(|record| is_same(record, text));
    let is_expected = match &options.expect {
        None => true,
        Some(Expected::One(text)) => has(text),
        Some(Expected::All(texts)) => {
            texts.iter().all(|text| has(text))
                && records
                    .iter()
                    .all(|record| texts.iter().any(|text| is_same(record, text)))
        }
    };
    let listed = clean(&records.join(", "), 200);
    if is_expected {
        return Ok(format!("{kind}: {listed}"));
    }
    let expected = options.expect.as_ref().map_or(&[][..], Expected::texts);
    let why = format!("expected {kind} {}, got {listed}", expected.join(", "));
    Err(Failure::new(Reason::Content, why))
}

/// Whether a record is what was expected: addresses by their value, names in any case, with the dot
/// at their end or without.
fn is_same(record: &str, expected: &str) -> bool {
    if let (Ok(one), Ok(other)) = (record.parse::<IpAddr>(), expected.parse::<IpAddr>()) {
        return one == other;
    }
    record == expected || {
        let plain = |text: &str| text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        record.ends_with('.') && plain(record) == plain(expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_compared_by_what_they_mean() {
        assert!(is_same("2001:db8::1", "2001:0DB8:0::1"));
        assert!(is_same("10 mail.example.org.", "10 Mail.example.org"));
        assert!(!is_same("10 mail.example.org.", "20 mail.example.org."));
        assert!(is_same("v=spf1 -all", "v=spf1 -all"));
        assert!(!is_same("v=spf1 -all", "V=spf1 -all"));
    }
}
