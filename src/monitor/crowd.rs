//! Which hosts failed lately, of how many that were looked at.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use crate::domain::{Moment, Now};

/// How long ago failures may be that are counted together.
const WINDOW: Duration = Duration::from_secs(30);

/// Looks that are remembered: a hundred thousand sites in half a minute would be too many.
const MOST: usize = 4_096;

/// Hosts that have to fail together before that is strange.
const MANY: usize = 3;

/// And the share of those looked at, as one in so many.
const SHARE: usize = 4;

/// The looks of the last half minute.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    looks: VecDeque<(Now, u64, bool)>,
    /// By host: looks, and how many of them failed.
    hosts: HashMap<u64, (u32, u32)>,
    failing: usize,
    heard: Option<Moment>,
}

impl Crowd {
    pub(super) fn answered(&mut self, host: &str, now: Now) {
        self.heard = Some(now.mono);
        self.push(host, now, false);
    }

    pub(super) fn failed(&mut self, host: &str, now: Now) {
        self.push(host, now, true);
    }

    fn push(&mut self, host: &str, now: Now, failed: bool) {
        while let Some((at, host, failed)) = self.looks.front().copied()
            && (self.looks.len() >= MOST || now.mono.since(at.mono) > WINDOW)
        {
            self.looks.pop_front();
            self.forget(host, failed);
        }
        let mut hasher = DefaultHasher::new();
        host.hash(&mut hasher);
        let host = hasher.finish();
        self.looks.push_back((now, host, failed));
        let (looks, failures) = self.hosts.entry(host).or_default();
        *looks += 1;
        *failures += u32::from(failed);
        self.failing += usize::from(failed && *failures == 1);
    }

    fn forget(&mut self, host: u64, failed: bool) {
        let Some((looks, failures)) = self.hosts.get_mut(&host) else {
            return;
        };
        *looks -= 1;
        *failures -= u32::from(failed);
        self.failing -= usize::from(failed && *failures == 0);
        if *looks == 0 {
            self.hosts.remove(&host);
        }
    }

    /// Many unrelated hosts fail.
    pub(super) fn is_suspicious(&self) -> bool {
        self.failing >= MANY && self.failing * SHARE >= self.hosts.len()
    }

    /// Whether anybody has answered since `at`.
    pub(super) fn heard_since(&self, at: Moment) -> bool {
        self.heard.is_some_and(|heard| heard >= at)
    }

    /// The first failure that is remembered.
    pub(super) fn first_failure(&self) -> Option<Now> {
        let mut failures = self.looks.iter().filter(|(.., failed)| *failed);
        failures.next().map(|(at, ..)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn at(seconds: u64) -> Now {
        Now {
            mono: Moment::ZERO + Duration::from_secs(seconds),
            wall: Timestamp::from_micros(seconds as i64 * 1_000_000),
        }
    }

    #[test]
    fn three_of_few_hosts_are_many_and_three_of_many_are_not() {
        let mut crowd = Crowd::default();
        for host in 0..13 {
            crowd.answered(&format!("good-{host}"), at(0));
        }
        for host in 0..2 {
            crowd.failed(&format!("bad-{host}"), at(1));
            crowd.failed(&format!("bad-{host}"), at(1));
        }
        assert!(!crowd.is_suspicious());
        for host in 2..4 {
            crowd.failed(&format!("bad-{host}"), at(1));
        }
        assert!(!crowd.is_suspicious(), "4 of 17");
        crowd.failed("bad-5", at(1));
        assert!(crowd.is_suspicious(), "5 of 18");
    }

    #[test]
    fn what_is_old_is_forgotten_and_leaves_nothing_behind() {
        let mut crowd = Crowd::default();
        for second in 0..10_000 {
            crowd.failed(&format!("host-{}", second % 7), at(second));
        }
        assert!(crowd.hosts.len() <= 7 && crowd.looks.len() <= 31);
        assert!(crowd.is_suspicious());
        crowd.answered("last", at(20_000));
        assert_eq!((crowd.hosts.len(), crowd.failing), (1, 0));
        assert_eq!(crowd.first_failure(), None);
    }

    #[test]
    fn a_flood_takes_bounded_memory() {
        let mut crowd = Crowd::default();
        for host in 0..50_000 {
            crowd.failed(&host.to_string(), at(0));
        }
        assert!(crowd.looks.len() <= MOST && crowd.hosts.len() <= MOST);
    }
}
