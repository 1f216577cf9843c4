//! The hosts file (hosts(5)): names that this machine knows by itself.

use std::collections::HashMap;
use std::net::IpAddr;

/// The names of a hosts file, in lower case, with their addresses in the file's order.
#[derive(Clone, Debug, Default)]
pub(super) struct HostsFile {
    names: HashMap<Box<str>, Vec<IpAddr>>,
}

impl HostsFile {
    /// Reads the bytes of the file. A line that cannot be read is left out; a byte that is no
    /// UTF-8 spoils no more than the word it stands in.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let mut file = Self::default();
        for line in bytes.split(|byte| *byte == b'\n') {
            let line = line.split(|byte| *byte == b'#').next().unwrap_or_default();
            let mut words = line
                .split(u8::is_ascii_whitespace)
                .filter(|word| !word.is_empty());
            let address = words.next().and_then(address);
            let Some(address) = address else { continue };
            for name in words.filter_map(|word| std::str::from_utf8(word).ok()) {
                let name = name.trim_end_matches('.').to_ascii_lowercase();
                let addresses = file.names.entry(name.into_boxed_str()).or_default();
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
        }
        file
    }

    /// The addresses of a name that stands in the file: all that there are. `localhost` and the
    /// names below it mean this machine even where the file does not say so (RFC 6761
    /// section 6.3).
    pub(super) fn find(&self, host: &str) -> Option<Vec<IpAddr>> {
        let host = host.strip_suffix('.').unwrap_or(host);
        let lower = host.to_ascii_lowercase();
        if let Some(addresses) = self.names.get(lower.as_str()) {
            return Some(addresses.clone());
        }
        let local = lower == "localhost" || lower.ends_with(".localhost");
        local.then(|| {
            vec![
                IpAddr::from([127, 0, 0, 1]),
                IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
            ]
        })
    }
}

/// An address; the zone of an IPv6 address, as in `fe80::1%eth0`, is not kept.
fn address(word: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(word).ok()?;
    text.split('%').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_foreign_bytes_comments_and_rubbish_is_read_as_far_as_it_goes() {
        let file = HostsFile::parse(
            b"# caf\xe9\n127.0.0.1 localhost\n10.0.0.7\tShop.example shop # \xff\nrubbish a b\n\
              \n10.0.0.8 shop\r\nfe80::1%eth0 link\n::1 six b\xffd\n10.0.0.7 shop",
        );
        let found = |name: &str| {
            file.find(name).map(|found| {
                found
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(" ")
            })
        };
        assert_eq!(found("shop").as_deref(), Some("10.0.0.7 10.0.0.8"));
        assert_eq!(found("SHOP.example.").as_deref(), Some("10.0.0.7"));
        assert_eq!(found("link").as_deref(), Some("fe80::1"));
        assert_eq!(found("six").as_deref(), Some("::1"));
        assert_eq!(found("localhost").as_deref(), Some("127.0.0.1"));
        assert_eq!(found("a.localhost").as_deref(), Some("127.0.0.1 ::1"));
        assert_eq!(found("a"), None);
    }
}
