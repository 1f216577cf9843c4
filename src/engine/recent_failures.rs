//! Which hosts failed lately, of how many that were checked; and where redirects landed.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};
use std::time::Duration;

use crate::domain::Now;

/// How long ago failures may be that are counted together.
const WINDOW: Duration = Duration::from_secs(30);

/// Checks that are remembered: a hundred thousand sites in half a minute would be too many.
const MOST: usize = 4_096;

/// Hosts that have to fail together before that is strange.
const MANY: usize = 3;

/// And the share of those that were checked, as one in so many.
const SHARE: usize = 4;

/// A map whose keys are hashes already.
type ByHash<T> = HashMap<u64, T, BuildHasherDefault<AlreadyHashed>>;

/// Takes a key that is a hash as it is.
#[derive(Debug, Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The checks of the last half minute.
#[derive(Debug, Default)]
pub(super) struct RecentFailures {
    checks: VecDeque<(Now, u64, bool)>,
    /// By host: checks, and how many of them failed.
    hosts: ByHash<(u32, u32)>,
    failing: usize,
}

impl RecentFailures {
    pub(super) fn answered(&mut self, host: &str, now: Now) {
        self.push(host, now, false);
    }

    pub(super) fn failed(&mut self, host: &str, now: Now) {
        self.push(host, now, true);
    }

    fn push(&mut self, host: &str, now: Now, failed: bool) {
        while let Some((at, host, failed)) = self.checks.front().copied()
            && (self.checks.len() >= MOST || now.mono.since(at.mono) > WINDOW)
        {
            self.checks.pop_front();
            self.forget(host, failed);
        }
        let host = hash(host);
        self.checks.push_back((now, host, failed));
        let (checks, failures) = self.hosts.entry(host).or_default();
        *checks += 1;
        *failures += u32::from(failed);
        self.failing += usize::from(failed && *failures == 1);
    }

    fn forget(&mut self, host: u64, failed: bool) {
        let Some((checks, failures)) = self.hosts.get_mut(&host) else {
            return;
        };
        *checks -= 1;
        *failures -= u32::from(failed);
        self.failing -= usize::from(failed && *failures == 0);
        if *checks == 0 {
            self.hosts.remove(&host);
        }
    }

    /// Many unrelated hosts fail.
    pub(super) fn is_suspicious(&self) -> bool {
        self.failing >= MANY && self.failing * SHARE >= self.hosts.len()
    }

    /// The first failure that is remembered.
    pub(super) fn first_failure(&self) -> Option<Now> {
        let mut failures = self.checks.iter().filter(|(.., failed)| *failed);
        failures.next().map(|(at, ..)| *at)
    }
}

/// Distinct hosts that have to land on the same foreign one before that is a portal's doing.
const PORTAL_HOSTS: usize = 3;

/// The foreign hosts on which the redirects of good answers end.
#[derive(Debug, Default)]
pub(super) struct Landings {
    /// By the host that was asked: where it landed last, as hashes; 0 for its own.
    by_host: ByHash<u64>,
    /// Hosts that landed on a foreign one where they did not before, by the foreign one.
    new: ByHash<std::collections::BTreeSet<u64>>,
}

impl Landings {
    /// Takes where an answer of `host` came from; gives whether it is probably the answer of a portal: several
    /// hosts land on one foreign host on which they did not land before.
    pub(super) fn is_portal(&mut self, host: &str, landed: Option<&str>) -> bool {
        let host = hash(host);
        let landing = landed.map_or(0, hash);
        if landing == 0 {
            if let Some(known) = self.by_host.get_mut(&host) {
                *known = 0;
            }
            return false;
        }
        if self.by_host.get(&host) == Some(&landing) {
            return false;
        }
        if self.by_host.len() >= MOST {
            self.by_host.clear();
        }
        let hosts = self.new.entry(landing).or_default();
        hosts.insert(host);
        hosts.len() >= PORTAL_HOSTS
    }

    /// Somebody else was asked and answered: where redirects land is the sites' own matter.
    pub(super) fn forget(&mut self) {
        for (landing, hosts) in std::mem::take(&mut self.new) {
            for host in hosts {
                self.by_host.insert(host, landing);
            }
        }
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish() | 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Moment, Timestamp};

    fn at(seconds: u64) -> Now {
        Now {
            mono: Moment::ZERO + Duration::from_secs(seconds),
            wall: Timestamp::from_micros(seconds as i64 * 1_000_000),
        }
    }

    #[test]
    fn three_of_few_hosts_are_many_and_three_of_many_are_not() {
        let mut failures = RecentFailures::default();
        for host in 0..13 {
            failures.answered(&format!("good-{host}"), at(0));
        }
        for host in 0..2 {
            failures.failed(&format!("bad-{host}"), at(1));
            failures.failed(&format!("bad-{host}"), at(1));
        }
        assert!(!failures.is_suspicious());
        for host in 2..4 {
            failures.failed(&format!("bad-{host}"), at(1));
        }
        assert!(!failures.is_suspicious(), "4 of 17");
        failures.failed("bad-5", at(1));
        assert!(failures.is_suspicious(), "5 of 18");
    }

    #[test]
    fn what_is_old_is_forgotten_and_leaves_nothing_behind() {
        let mut failures = RecentFailures::default();
        for second in 0..10_000 {
            failures.failed(&format!("host-{}", second % 7), at(second));
        }
        assert!(failures.hosts.len() <= 7 && failures.checks.len() <= 31);
        assert!(failures.is_suspicious());
        failures.answered("last", at(20_000));
        assert_eq!((failures.hosts.len(), failures.failing), (1, 0));
        assert_eq!(failures.first_failure(), None);
    }

    #[test]
    fn a_flood_takes_bounded_memory() {
        let mut failures = RecentFailures::default();
        for host in 0..50_000 {
            failures.failed(&host.to_string(), at(0));
        }
        assert!(failures.checks.len() <= MOST && failures.hosts.len() <= MOST);
    }
}
