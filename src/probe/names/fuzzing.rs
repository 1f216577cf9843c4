//! Entry points for `tests/fuzz.rs`: replies of name servers, and the system's files, read without
//! either.

use std::net::IpAddr;

use hickory_proto::rr::{Name, RecordType};

use super::hosts_file::HostsFile;
use super::resolv_conf::ResolvConf;
use super::transport::Question;

/// The addresses in a reply to the question for `a.test`, A or AAAA by the first byte of the
/// reply, which is taken for the one that is waited for.
pub(in super::super) fn reply(bytes: &[u8]) -> Result<Vec<IpAddr>, &'static str> {
    let id = bytes.first_chunk().copied().map_or(0, u16::from_be_bytes);
    let question = Question {
        name: Name::from_labels([b"a", &b"test"[..]]).map_err(|_| "no name")?,
        kind: if id & 0x100 == 0 {
            RecordType::A
        } else {
            RecordType::AAAA
        },
    };
    let reply = question.read(id, bytes).map_err(|error| error.sentence())?;
    Ok(reply.map_or_else(Vec::new, |reply| reply.addresses))
}

/// How many name servers and domains a resolv.conf names, and the addresses that a hosts file has
/// for `localhost`.
pub(in super::super) fn files(bytes: &[u8]) -> (usize, usize, Vec<IpAddr>) {
    let conf = ResolvConf::parse(bytes, None, None);
    let hosts = HostsFile::parse(bytes).find("localhost");
    (
        conf.servers.len(),
        conf.search.len(),
        hosts.unwrap_or_default(),
    )
}
