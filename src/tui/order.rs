//! Which sites are listed, and in which order.
//!
//! A hundred thousand sites must neither slow a frame nor a key: the order is made off
//! the drawing path, at most twice a second, a stretch of sites at a time, over keys of
//! eight bytes.

use std::time::Duration;

use crate::domain::{Moment, SiteId};
use crate::monitor::{Monitor, SiteState};

use super::filter::Filter;

/// What the table is ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sort {
    /// The worst state first.
    #[default]
    Failing,
    /// By the alphabet.
    Name,
    /// The slowest first.
    Latency,
    /// The lowest first.
    Uptime,
    /// The latest first.
    Lateness,
    /// The soonest first.
    Next,
}

impl Sort {
    const ALL: [Self; 6] = [
        Self::Failing,
        Self::Name,
        Self::Latency,
        Self::Uptime,
        Self::Lateness,
        Self::Next,
    ];

    /// The one that the sort key goes to from here.
    pub(crate) fn following(self) -> Self {
        let at = Self::ALL.iter().position(|sort| *sort == self);
        Self::ALL[at.map_or(0, |at| (at + 1) % Self::ALL.len())]
    }

    /// In words.
    pub(crate) const fn words(self, reverse: bool) -> &'static str {
        match (self, reverse) {
            (Self::Failing, false) => "failing first",
            (Self::Failing, true) => "failing last",
            (Self::Name, false) => "by name",
            (Self::Name, true) => "by name, Z to A",
            (Self::Latency, false) => "slowest first",
            (Self::Latency, true) => "fastest first",
            (Self::Uptime, false) => "lowest UP% first",
            (Self::Uptime, true) => "highest UP% first",
            (Self::Lateness, false) => "latest first",
            (Self::Lateness, true) => "least late first",
            (Self::Next, false) => "next check first",
            (Self::Next, true) => "next check last",
        }
    }
}

/// The list and how it came to be.
#[derive(Debug, Default)]
pub(crate) struct Order {
    rows: Vec<SiteId>,
    sort: Sort,
    reverse: bool,
    filter: Filter,
    /// The monitor's revision and the time of the last list; `None` when it is void.
    built: Option<(u64, Moment)>,
    /// How many sites there were.
    sites: usize,
    build: Option<Build>,
    /// Grows with every step, so that a frame can tell whether something was done.
    steps: u64,
}

/// A list in the making.
#[derive(Debug)]
struct Build {
    revision: u64,
    next: usize,
    /// Key and place in the configuration, which parts equals and keeps the order stable.
    keys: Vec<(u64, u32)>,
    prefix: usize,
}

/// Sites looked at in one step: some ten milliseconds.
const STEP: usize = 1 << 17;
/// The least time between two lists.
const LEAST: Duration = Duration::from_millis(500);
/// Keys of sites that have no value come last in either direction.
const NONE: u64 = u64::MAX;

impl Order {
    /// The sites listed, in order.
    pub(crate) fn rows(&self) -> &[SiteId] {
        &self.rows
    }

    /// Grows whenever the list, or the making of one, goes on.
    pub(crate) const fn steps(&self) -> u64 {
        self.steps
    }

    /// What lets them through.
    pub(crate) const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// What orders them, and whether backwards.
    pub(crate) const fn sort(&self) -> (Sort, bool) {
        (self.sort, self.reverse)
    }

    /// Orders by something else from the next step on.
    pub(crate) fn set_sort(&mut self, sort: Sort, reverse: bool) {
        (self.sort, self.reverse) = (sort, reverse);
        self.void();
    }

    /// Lets others through from the next step on.
    pub(crate) fn set_filter(&mut self, text: &str) {
        self.filter = Filter::new(text);
        self.void();
    }

    fn void(&mut self) {
        self.built = None;
        self.build = None;
    }

    /// Takes one step towards a list that is true; `true` when there is a new one. While
    /// `still`, a list that is merely older than the sites is left as it is.
    pub(crate) fn step(
        &mut self,
        monitor: &Monitor,
        next_due: &dyn Fn(SiteId) -> Option<Moment>,
        now: Moment,
        still: bool,
    ) -> bool {
        let ids = monitor.ids();
        if ids.len() != self.sites {
            self.void();
            self.sites = ids.len();
        }
        if self.build.is_none() {
            let wanted = self.built.is_none_or(|(revision, at)| {
                !still && revision != monitor.revision() && now.since(at) >= LEAST
            });
            if !wanted {
                return false;
            }
            self.build = Some(Build {
                revision: monitor.revision(),
                next: 0,
                keys: Vec::with_capacity(ids.len()),
                prefix: if self.sort == Sort::Name {
                    common_prefix(monitor)
                } else {
                    0
                },
            });
        }
        let Some(mut build) = self.build.take() else {
            return false;
        };
        self.steps += 1;
        let end = (build.next + STEP).min(ids.len());
        for (place, id) in ids.iter().enumerate().take(end).skip(build.next) {
            if let Some(site) = monitor.site(*id)
                && self.filter.matches(site)
            {
                let key = self.key(site, build.prefix, next_due, now);
                build
                    .keys
                    .push((key, u32::try_from(place).unwrap_or(u32::MAX)));
            }
        }
        build.next = end;
        if end < ids.len() {
            self.build = Some(build);
            return false;
        }
        self.finish(monitor, build, now);
        true
    }

    fn finish(&mut self, monitor: &Monitor, mut build: Build, now: Moment) {
        let ids = monitor.ids();
        if self.sort == Sort::Name {
            let name = |place: u32| {
                let site = monitor.site(*ids.get(place as usize)?)?;
                Some(&site.site().name)
            };
            // Only names that agree in the key's eight letters are looked up.
            build
                .keys
                .sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| name(a.1).cmp(&name(b.1))));
            if self.reverse {
                build.keys.reverse();
            }
        } else {
            build.keys.sort_unstable();
        }
        self.rows.clear();
        let places = build.keys.iter().map(|(_, place)| *place as usize);
        self.rows
            .extend(places.filter_map(|place| ids.get(place).copied()));
        self.built = Some((build.revision, now));
    }

    /// Where a site stands: smaller is further up.
    fn key(
        &self,
        state: &SiteState,
        prefix: usize,
        next_due: &dyn Fn(SiteId) -> Option<Moment>,
        now: Moment,
    ) -> u64 {
        let nanos = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(NONE - 1);
        let last = state.last();
        let key = match self.sort {
            Sort::Name => return letters(&state.site().name, prefix),
            Sort::Failing => Some(state.state() as u64),
            Sort::Latency => last.map(|last| NONE - 1 - nanos(last.latency)),
            Sort::Uptime => state.uptime(now).map(|share| (share * 1e12) as u64),
            Sort::Lateness => last.map(|last| NONE - 1 - nanos(last.late)),
            Sort::Next => next_due(state.id()).map(Moment::as_nanos),
        };
        match key {
            Some(key) if self.reverse => NONE - 1 - key.min(NONE - 1),
            Some(key) => key,
            None => NONE,
        }
    }
}

/// Eight letters of a name from `prefix` on, so that numbers compare as names do.
fn letters(name: &str, prefix: usize) -> u64 {
    let mut key = [0; 8];
    let rest = name.as_bytes().get(prefix..).unwrap_or_default();
    for (to, from) in key.iter_mut().zip(rest) {
        *to = from.to_ascii_lowercase();
    }
    u64::from_be_bytes(key)
}

/// How many bytes all names begin with alike: they would fill the key and part nothing.
fn common_prefix(monitor: &Monitor) -> usize {
    let mut names = monitor.sites().map(|site| site.site().name.as_bytes());
    let Some(first) = names.next() else { return 0 };
    let mut length = first.len();
    for name in names {
        let alike = first.iter().zip(name).take(length);
        length = alike.take_while(|(a, b)| a == b).count();
        if length == 0 {
            break;
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture::{self, Fleet};
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn names(fleet: &Fleet, order: &Order) -> Vec<String> {
        let name = |id: &SiteId| fleet.monitor.site(*id).unwrap().site().name.to_string();
        order.rows().iter().map(name).collect()
    }

    fn ordered(fleet: &Fleet, sort: Sort, reverse: bool) -> Vec<String> {
        let mut order = Order::default();
        order.set_sort(sort, reverse);
        assert!(order.step(&fleet.monitor, &fixture::next_due, fleet.now().mono, false));
        names(fleet, &order)
    }

    #[test]
    fn the_failing_come_first_and_equals_keep_the_files_order() {
        let fleet = Fleet::mixed();
        let names = ordered(&fleet, Sort::Failing, false);
        assert_eq!(names[0], "pay.example/charge");
        assert_eq!(ordered(&fleet, Sort::Failing, true).last(), names.first());
    }

    #[test]
    fn names_are_ordered_beyond_what_they_share() {
        let fleet = Fleet::mixed();
        let mut expected = names(&fleet, &{
            let mut order = Order::default();
            order.step(&fleet.monitor, &fixture::next_due, fleet.now().mono, false);
            order
        });
        expected.sort_unstable();
        assert_eq!(ordered(&fleet, Sort::Name, false), expected);
        expected.reverse();
        assert_eq!(ordered(&fleet, Sort::Name, true), expected);
    }

    #[test]
    fn a_list_that_should_stand_still_does_but_a_new_filter_counts_at_once() {
        let mut fleet = Fleet::mixed();
        let mut order = Order::default();
        order.step(&fleet.monitor, &fixture::next_due, fleet.now().mono, false);
        let before = names(&fleet, &order);
        fleet.fail("www.example", 2);
        let later = fleet.now().mono + Duration::from_secs(1);
        assert!(!order.step(&fleet.monitor, &fixture::next_due, later, true));
        assert_eq!(names(&fleet, &order), before);
        order.set_filter("www");
        assert!(order.step(&fleet.monitor, &fixture::next_due, later, true));
        assert_eq!(names(&fleet, &order), ["www.example"]);
    }

    #[test]
    fn no_more_than_two_lists_are_made_a_second() {
        let mut fleet = Fleet::mixed();
        let mut order = Order::default();
        let start = fleet.now().mono;
        let mut lists = 0;
        for millis in 0..1_000 {
            fleet.pass("www.example", 20);
            let now = start + Duration::from_millis(millis);
            lists += u32::from(order.step(&fleet.monitor, &fixture::next_due, now, false));
        }
        assert_eq!(lists, 2);
    }

    #[test]
    fn a_list_longer_than_a_step_is_made_in_several() {
        let fleet = Fleet::many(STEP + 10);
        let mut order = Order::default();
        let now = fleet.now().mono;
        assert!(!order.step(&fleet.monitor, &fixture::next_due, now, false));
        assert!(order.rows().is_empty());
        assert!(order.step(&fleet.monitor, &fixture::next_due, now, false));
        assert_eq!(order.rows().len(), STEP + 10);
    }

    proptest! {
        #[test]
        fn every_site_is_listed_once_in_every_order(fleet in fixture::fleets(), sort in 0_usize..6, reverse: bool) {
            let mut order = Order::default();
            order.set_sort(Sort::ALL[sort], reverse);
            order.step(&fleet.monitor, &fixture::next_due, fleet.now().mono, false);
            let unique: HashSet<_> = order.rows().iter().collect();
            prop_assert_eq!(unique.len(), fleet.monitor.ids().len());
            prop_assert_eq!(order.rows().len(), fleet.monitor.ids().len());
        }
    }
}
