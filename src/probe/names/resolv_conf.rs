//! The resolver's configuration (resolv.conf(5)): name servers, search list, options.
//!
//! Read as the C library reads it: what it does not know is passed over, so that a line for
//! another program's resolver does not void the file.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};
use std::time::Duration;

/// The port of name servers.
const PORT: u16 = 53;

/// The most name servers that are asked (`MAXNS`).
const MOST_SERVERS: usize = 3;

/// What the file says, with the C library's defaults and limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ResolvConf {
    /// In the order of the file.
    pub(super) servers: Vec<SocketAddr>,
    /// Domains that are tried behind a name, in order, without a dot at the end.
    pub(super) search: Vec<Box<str>>,
    /// A name with so many dots is asked for as it is before the search list.
    pub(super) ndots: usize,
    /// How long the first round waits for one server.
    pub(super) timeout: Duration,
    /// Rounds through the servers.
    pub(super) attempts: u32,
    /// Whether the first server asked is another one each time.
    pub(super) rotate: bool,
    /// Whether queries bear an EDNS record (RFC 6891).
    pub(super) edns0: bool,
    /// Whether queries bear the AD bit (RFC 6840 section 5.7).
    pub(super) trust_ad: bool,
    /// Whether TCP is used from the start.
    pub(super) use_vc: bool,
    /// Whether A and AAAA are asked for one after the other.
    pub(super) single_request: bool,
    /// Whether AAAA is not asked for at all.
    pub(super) no_aaaa: bool,
}

impl Default for ResolvConf {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            search: Vec::new(),
            ndots: 1,
            timeout: Duration::from_secs(5),
            attempts: 2,
            rotate: false,
            edns0: false,
            trust_ad: false,
            use_vc: false,
            single_request: false,
            no_aaaa: false,
        }
    }
}

impl ResolvConf {
    /// Reads the bytes of the file; without a server the one on this machine is asked.
    /// `search` and `options` stand for the variables `LOCALDOMAIN` and `RES_OPTIONS`.
    pub(super) fn parse(bytes: &[u8], search: Option<&str>, options: Option<&str>) -> Self {
        let mut conf = Self::default();
        for line in String::from_utf8_lossy(bytes).lines() {
            // A comment has its mark in the first column; one behind a value is not known to
            // the C library, but people write it.
            let line = line.split(['#', ';']).next().unwrap_or_default();
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") if conf.servers.len() < MOST_SERVERS => {
                    conf.servers.extend(words.next().and_then(server));
                }
                // The last of them counts.
                Some("search") => conf.search = words.map(domain).collect(),
                Some("domain") => conf.search = words.take(1).map(domain).collect(),
                Some("options") => words.for_each(|word| conf.option(word)),
                _ => {}
            }
        }
        if let Some(search) = search {
            conf.search = search.split_whitespace().map(domain).collect();
        }
        for word in options.unwrap_or_default().split_whitespace() {
            conf.option(word);
        }
        conf.search.retain(|domain| !domain.is_empty());
        if conf.servers.is_empty() {
            conf.servers.push((Ipv4Addr::LOCALHOST, PORT).into());
        }
        conf
    }

    fn option(&mut self, word: &str) {
        let (name, value) = word.split_once(':').unwrap_or((word, ""));
        let number = value.parse::<u32>().ok();
        match (name, number) {
            ("ndots", Some(dots)) => self.ndots = dots.min(15) as usize,
            // 0 means a second, which is the least that is waited.
            ("timeout", Some(seconds)) => {
                self.timeout = Duration::from_secs(seconds.clamp(1, 30).into());
            }
            ("attempts", Some(attempts)) => self.attempts = attempts.clamp(1, 5),
            ("rotate", _) => self.rotate = true,
            ("edns0", _) => self.edns0 = true,
            ("trust-ad", _) => self.trust_ad = true,
            ("use-vc", _) => self.use_vc = true,
            ("single-request" | "single-request-reopen", _) => self.single_request = true,
            ("no-aaaa", _) => self.no_aaaa = true,
            _ => {}
        }
    }
}

fn domain(word: &str) -> Box<str> {
    word.trim_matches('.').into()
}

/// An address, with its zone if it has one: `fe80::1%eth0`.
fn server(word: &str) -> Option<SocketAddr> {
    let (address, zone) = word.split_once('%').unwrap_or((word, ""));
    match address.parse().ok()? {
        IpAddr::V4(address) => Some((address, PORT).into()),
        IpAddr::V6(address) => {
            let zone = if zone.is_empty() {
                0
            } else {
                zone.parse().ok().or_else(|| interface(zone))?
            };
            Some(SocketAddrV6::new(address, PORT, 0, zone).into())
        }
    }
}

/// The number of a network interface.
fn interface(name: &str) -> Option<u32> {
    if name.contains('/') {
        return None;
    }
    let number = std::fs::read_to_string(format!("/sys/class/net/{name}/ifindex")).ok()?;
    number.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> ResolvConf {
        ResolvConf::parse(text.as_bytes(), None, None)
    }

    #[test]
    fn servers_are_kept_in_order_and_rubbish_is_passed_over() {
        let conf = read(
            "; made by hand\nnameserver 192.0.2.1\nnameserver nonsense\nnonsense\nnameserver ::1 # six\n\
             options ndots:99 timeout:0 attempts:x rotate edns0 unknown trust-ad\nsortlist 10.0.0.0\n\
             domain a.example\nsearch b.example. c.example\nnameserver 192.0.2.3\nnameserver 192.0.2.4",
        );
        let servers: Vec<_> = conf.servers.iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["192.0.2.1:53", "[::1]:53", "192.0.2.3:53"]);
        assert_eq!((conf.ndots, conf.attempts), (15, 2));
        assert_eq!(conf.timeout, Duration::from_secs(1));
        assert!(conf.rotate && conf.edns0 && conf.trust_ad && !conf.use_vc);
        assert_eq!(
            conf.search,
            ["b.example".into(), "c.example".into()] as [Box<str>; 2]
        );
    }

    #[test]
    fn an_empty_file_means_the_server_of_this_machine() {
        assert_eq!(read("").servers, ["127.0.0.1:53".parse().unwrap()]);
        assert_eq!(ResolvConf::parse(b"\xff", None, None).attempts, 2);
    }

    #[test]
    fn the_environment_comes_last() {
        let conf = ResolvConf::parse(
            b"search a.example\noptions ndots:2",
            Some("x.example y.example"),
            Some("ndots:3 use-vc single-request"),
        );
        assert_eq!(
            conf.search,
            ["x.example".into(), "y.example".into()] as [Box<str>; 2]
        );
        assert_eq!(conf.ndots, 3);
        assert!(conf.use_vc && conf.single_request);
    }
}
