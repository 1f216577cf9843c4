//! The records of a name, of any type.

use std::net::SocketAddr;
use std::str::FromStr as _;
use std::time::Instant;

use hickory_proto::rr::{RData, Record, RecordType};

use super::error::NameError;
use super::query;
use super::resolve::name;
use super::system_files::SystemFiles;
use super::transport::Question;

/// The records of `host` of this type, as zone files write them: TXT without quotes, MX with its
/// preference. `resolver` is asked instead of the system's name servers. The name is taken as it
/// is: no search list, no hosts file.
pub(in super::super) async fn records(
    host: &str,
    kind: &str,
    resolver: Option<SocketAddr>,
    files: &SystemFiles,
    deadline: Instant,
) -> Result<Vec<String>, NameError> {
    let mut conf = (*files.resolv_conf()).clone();
    if let Some(resolver) = resolver {
        conf.servers = vec![resolver];
    }
    let kind = RecordType::from_str(kind).map_err(|_| NameError::Unwritable)?;
    let name = name(host.strip_suffix('.').unwrap_or(host)).ok_or(NameError::Unwritable)?;
    let question = Question { name, kind };
    let replied = query::ask_for(&question, &conf, deadline, |reply| {
        let mut texts = Vec::new();
        for record in reply
            .records
            .iter()
            .filter(|record| record.record_type() == kind)
        {
            let text = text(record);
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        texts
    });
    replied.await
}

fn text(record: &Record) -> String {
    match &record.data {
        RData::TXT(texts) => {
            let parts = texts
                .txt_data
                .iter()
                .map(|part| String::from_utf8_lossy(part));
            parts.collect()
        }
        data => data.to_string(),
    }
}
