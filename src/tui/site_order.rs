//! The rows of the table of sites: which sites match the filter, and their order.
//!
//! A hundred thousand sites must slow neither a frame nor a key: the order is rebuilt outside of
//! drawing, at most twice a second, some thousands of sites a step, over keys of eight bytes.

use std::cmp::Ordering;
use std::time::Duration;

use crate::domain::{Moment, Silence, SiteId, Timestamp};
use crate::monitor::{Monitor, SiteState, State};

use super::filter::Filter;
use super::sort::Sort;

/// What is asked of a site beside its state: when it is due, and why nobody is told of it.
pub(crate) type SiteFacts<'a> = (
    &'a dyn Fn(SiteId) -> Option<Moment>,
    &'a dyn Fn(SiteId) -> Option<Silence>,
);

/// The list, its filter and order, and the list that is being built.
#[derive(Debug, Default)]
pub(crate) struct SiteOrder {
    rows: Vec<SiteId>,
    sort: Sort,
    reverse: bool,
    filter: Filter,
    /// The monitor's revision and the time of the last list; `None` if it must be rebuilt.
    built: Option<(u64, Moment)>,
    /// The number of sites when the last list was begun.
    sites: usize,
    build: Option<Build>,
    /// The number of lists so far.
    lists: u64,
}

/// A list that is being built by a merge sort: runs of sites are collected and sorted, a run a
/// step, and then merged, some thousands of sites a step.
#[derive(Debug)]
struct Build {
    revision: u64,
    next: usize,
    /// The sorted runs.
    runs: Vec<Run>,
    /// A heap of the indexes of runs that are not used up; the top one has the next site.
    heap: Vec<usize>,
    rows: Vec<SiteId>,
    /// The common prefix of most names.
    prefix: Box<[u8]>,
}

/// Sort keys with the index of each site in the configuration, which decides between equal
/// keys and keeps the order stable.
#[derive(Debug)]
struct Run {
    keys: Vec<(u64, u32)>,
    head: usize,
}

/// The number of sites that one step collects or merges: about a millisecond.
const SITES_PER_STEP: usize = 1 << 13;
/// The least interval between two lists.
const REBUILD_INTERVAL: Duration = Duration::from_millis(500);
/// The key of a site without a value: it comes last in either direction.
const NO_VALUE: u64 = u64::MAX;

impl SiteOrder {
    /// The listed sites, in order.
    pub(crate) fn rows(&self) -> &[SiteId] {
        &self.rows
    }

    /// The number of lists so far: it changes when [`rows`](Self::rows) does.
    pub(crate) const fn lists(&self) -> u64 {
        self.lists
    }

    /// Whether a list is being built, so that the next step is due at once.
    pub(crate) const fn is_building(&self) -> bool {
        self.build.is_some()
    }

    /// The filter of the table, as it was typed.
    pub(crate) const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The order, and whether it is reversed.
    pub(crate) const fn sort(&self) -> (Sort, bool) {
        (self.sort, self.reverse)
    }

    /// Sets the order; the list follows with the next steps.
    pub(crate) fn set_sort(&mut self, sort: Sort, reverse: bool) {
        (self.sort, self.reverse) = (sort, reverse);
        self.void();
    }

    /// Sets the filter; the list follows with the next steps.
    pub(crate) fn set_filter(&mut self, text: &str) {
        self.filter = Filter::new(text);
        self.void();
    }

    fn void(&mut self) {
        self.built = None;
        self.build = None;
    }

    /// Takes one step of building the list; `true` when there is a new one. While `still`, only a
    /// change of filter, order or configuration starts a new list, not a new result.
    pub(crate) fn step(
        &mut self,
        monitor: &Monitor,
        facts: SiteFacts<'_>,
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
                !still && revision != monitor.revision() && now.since(at) >= REBUILD_INTERVAL
            });
            if !wanted {
                return false;
            }
            self.build = Some(Build {
                revision: monitor.revision(),
                next: 0,
                runs: Vec::new(),
                heap: Vec::new(),
                rows: Vec::new(),
                prefix: if self.sort == Sort::Name {
                    common_prefix(monitor)
                } else {
                    Box::default()
                },
            });
        }
        let Some(mut build) = self.build.take() else {
            return false;
        };
        if still && self.built.is_some() {
            // Begun before the key: the rows would move under its hand.
            return false;
        }
        if build.next < ids.len() {
            self.collect(&mut build, monitor, facts);
        } else {
            self.merge(&mut build, monitor);
        }
        if build.next < ids.len() || !build.heap.is_empty() {
            self.build = Some(build);
            return false;
        }
        if self.sort == Sort::Name && self.reverse {
            build.rows.reverse();
        }
        self.rows = build.rows;
        self.lists += 1;
        self.built = Some((build.revision, now));
        true
    }

    /// Collects and sorts the next run of sites.
    fn collect(&self, build: &mut Build, monitor: &Monitor, (next_due, silence): SiteFacts<'_>) {
        let ids = monitor.ids();
        let end = (build.next + SITES_PER_STEP).min(ids.len());
        let mut keys = Vec::new();
        for (place, id) in ids.iter().enumerate().take(end).skip(build.next) {
            if let Some(site) = monitor.site(*id)
                && self.filter.matches(site, silence)
            {
                let key = self.key(site, &build.prefix, next_due);
                keys.push((key, u32::try_from(place).unwrap_or(u32::MAX)));
            }
        }
        build.next = end;
        if !keys.is_empty() {
            keys.sort_unstable_by(|a, b| self.compare(monitor, *a, *b));
            build.runs.push(Run { keys, head: 0 });
        }
        if build.next < ids.len() {
            return;
        }
        // All are collected: build the heap of the runs by their first sites.
        build
            .rows
            .reserve(build.runs.iter().map(|run| run.keys.len()).sum());
        build.heap = (0..build.runs.len()).collect();
        for at in (0..build.heap.len() / 2).rev() {
            self.sift(build, monitor, at);
        }
        if build.heap.len() == 1 {
            self.merge(build, monitor);
        }
    }

    /// Merges the runs, by as many sites as a step may.
    fn merge(&self, build: &mut Build, monitor: &Monitor) {
        let ids = monitor.ids();
        for _ in 0..SITES_PER_STEP {
            let Some(run) = build.heap.first().and_then(|top| build.runs.get_mut(*top)) else {
                return;
            };
            let place = run.keys.get(run.head).map(|(_, place)| *place as usize);
            build.rows.extend(place.and_then(|place| ids.get(place)));
            run.head += 1;
            if run.head == run.keys.len() {
                build.heap.swap_remove(0);
            }
            self.sift(build, monitor, 0);
        }
    }

    /// Restores the heap below `at` (sift down).
    fn sift(&self, build: &mut Build, monitor: &Monitor, mut at: usize) {
        let head = |build: &Build, at: usize| {
            let run = build.runs.get(*build.heap.get(at)?)?;
            run.keys.get(run.head).copied()
        };
        loop {
            let mut least = at;
            for child in [2 * at + 1, 2 * at + 2] {
                if let (Some(a), Some(b)) = (head(build, child), head(build, least))
                    && self.compare(monitor, a, b).is_lt()
                {
                    least = child;
                }
            }
            if least == at {
                return;
            }
            build.heap.swap(at, least);
            at = least;
        }
    }

    /// Compares two entries: key, then name where that is the order, then index.
    fn compare(&self, monitor: &Monitor, a: (u64, u32), b: (u64, u32)) -> Ordering {
        let places = a.1.cmp(&b.1);
        if self.sort != Sort::Name || a.0 != b.0 {
            return a.0.cmp(&b.0).then(places);
        }
        // Only names that are equal in the eight bytes of the key are compared whole.
        let name = |place: u32| {
            let site = monitor.site(*monitor.ids().get(place as usize)?)?;
            Some(&site.site().name)
        };
        name(a.1).cmp(&name(b.1)).then(places)
    }

    /// The sort key of a site: the smaller, the further up.
    fn key(
        &self,
        state: &SiteState,
        prefix: &[u8],
        next_due: &dyn Fn(SiteId) -> Option<Moment>,
    ) -> u64 {
        let nanos = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(NO_VALUE - 1);
        let last = state.last();
        let key = match self.sort {
            Sort::Name => return name_key(&state.site().name, prefix),
            Sort::Failing => Some(failing_key(state)),
            Sort::DownSince => (state.outage().or(state.last_outage()))
                .map(|outage| NO_VALUE - 1 - micros(outage.since().wall)),
            Sort::Duration => state.outage().map(|outage| micros(outage.since().wall)),
            Sort::Latency => last.map(|last| NO_VALUE - 1 - nanos(last.latency)),
            Sort::Uptime => state.uptime().map(|share| (share * 1e12) as u64),
            Sort::Lateness => last.map(|last| NO_VALUE - 1 - nanos(last.late)),
            Sort::Next => next_due(state.id()).map(Moment::as_nanos),
        };
        match key {
            Some(key) if self.reverse => NO_VALUE - 1 - key.min(NO_VALUE - 1),
            Some(key) => key,
            None => NO_VALUE,
        }
    }
}

/// Microseconds since 1970, fewer than 2^52 for a century to come.
fn micros(at: Timestamp) -> u64 {
    u64::try_from(at.as_micros()).unwrap_or(0)
}

/// The worst state first; of those that fail, the one that began to fail last.
fn failing_key(site: &SiteState) -> u64 {
    const AGE_BITS: u32 = 52;
    let state = site.state();
    let age = match state {
        State::Down | State::Suspect => (1 << AGE_BITS) - 1 - micros(site.since().wall),
        _ => 0,
    };
    (state as u64) << AGE_BITS | age
}

/// The first eight bytes of a name behind `prefix` as a number that compares as the name does. A
/// name without the prefix comes before or after all that have it.
fn name_key(name: &str, prefix: &[u8]) -> u64 {
    let Some(rest) = name.as_bytes().strip_prefix(prefix) else {
        return if name.as_bytes() < prefix {
            0
        } else {
            u64::MAX
        };
    };
    let mut key = [0; 8];
    for (to, from) in key.iter_mut().zip(rest) {
        *to = from.to_ascii_lowercase();
    }
    u64::from_be_bytes(key)
}

/// The common prefix of a sample of names. It is left out of the keys, which it would fill
/// without telling names apart.
fn common_prefix(monitor: &Monitor) -> Box<[u8]> {
    const SAMPLE: usize = 256;
    let ids = monitor.ids();
    let every = (ids.len() / SAMPLE).max(1);
    let sample = ids.iter().step_by(every).filter_map(|id| monitor.site(*id));
    let mut names = sample.map(|site| site.site().name.as_bytes());
    let Some(first) = names.next() else {
        return Box::default();
    };
    let mut length = first.len();
    for name in names {
        let alike = first.iter().zip(name).take(length);
        length = alike.take_while(|(a, b)| a == b).count();
    }
    first[..length].into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture::{self, Fixture};
    use proptest::prelude::*;
    use std::collections::HashSet;

    const FACTS: SiteFacts<'static> = (&fixture::next_due, &|_| None);

    fn names(fixture: &Fixture, order: &SiteOrder) -> Vec<String> {
        let name = |id: &SiteId| fixture.monitor.site(*id).unwrap().site().name.to_string();
        order.rows().iter().map(name).collect()
    }

    fn ordered(fixture: &Fixture, sort: Sort, reverse: bool) -> Vec<String> {
        let mut order = SiteOrder::default();
        order.set_sort(sort, reverse);
        assert!(order.step(&fixture.monitor, FACTS, fixture.now().mono, false));
        names(fixture, &order)
    }

    #[test]
    fn the_failing_come_first_and_equals_keep_the_files_order() {
        let fixture = Fixture::mixed();
        let names = ordered(&fixture, Sort::Failing, false);
        assert_eq!(names[0], "pay.example/charge");
        assert_eq!(ordered(&fixture, Sort::Failing, true).last(), names.first());
    }

    #[test]
    fn names_are_ordered_beyond_what_they_share() {
        let fixture = Fixture::mixed();
        let mut expected = names(&fixture, &{
            let mut order = SiteOrder::default();
            order.step(&fixture.monitor, FACTS, fixture.now().mono, false);
            order
        });
        expected.sort_unstable();
        assert_eq!(ordered(&fixture, Sort::Name, false), expected);
        expected.reverse();
        assert_eq!(ordered(&fixture, Sort::Name, true), expected);
    }

    #[test]
    fn a_list_that_should_stand_still_does_but_a_new_filter_counts_at_once() {
        let mut fixture = Fixture::mixed();
        let mut order = SiteOrder::default();
        order.step(&fixture.monitor, FACTS, fixture.now().mono, false);
        let before = names(&fixture, &order);
        fixture.fail("www.example", 2);
        let later = fixture.now().mono + Duration::from_secs(1);
        assert!(!order.step(&fixture.monitor, FACTS, later, true));
        assert_eq!(names(&fixture, &order), before);
        order.set_filter("www");
        assert!(order.step(&fixture.monitor, FACTS, later, true));
        assert_eq!(names(&fixture, &order), ["www.example"]);
    }

    #[test]
    fn no_more_than_two_lists_are_made_a_second() {
        let mut fixture = Fixture::mixed();
        let mut order = SiteOrder::default();
        let start = fixture.now().mono;
        let mut lists = 0;
        for millis in 0..1_000 {
            fixture.pass("www.example", 20);
            let now = start + Duration::from_millis(millis);
            lists += u32::from(order.step(&fixture.monitor, FACTS, now, false));
        }
        assert_eq!(lists, 2);
    }

    /// Steps until there is a list; how many it took.
    fn steps(order: &mut SiteOrder, fixture: &Fixture) -> usize {
        let now = fixture.now().mono;
        let mut steps = 1;
        while !order.step(&fixture.monitor, FACTS, now, false) {
            assert!(order.is_building());
            steps += 1;
        }
        assert!(!order.is_building());
        steps
    }

    #[test]
    fn a_list_longer_than_a_step_is_made_in_several_and_is_in_order() {
        let fixture = Fixture::many(2 * SITES_PER_STEP + 10);
        let mut order = SiteOrder::default();
        // Three to collect, three to merge.
        assert_eq!(steps(&mut order, &fixture), 6);
        let down = fixture.monitor.totals().of(State::Down);
        let states = order
            .rows()
            .iter()
            .map(|id| fixture.monitor.site(*id).unwrap().state());
        let states: Vec<_> = states.collect();
        assert!(states.is_sorted() && down > 10);
        for reverse in [false, true] {
            order.set_sort(Sort::Name, reverse);
            steps(&mut order, &fixture);
            let mut names = names(&fixture, &order);
            assert_eq!(names.len(), 2 * SITES_PER_STEP + 10);
            if reverse {
                names.reverse();
            }
            assert!(names.is_sorted());
        }
    }

    #[test]
    fn a_list_begun_before_a_key_does_not_end_under_the_hand() {
        let mut fixture = Fixture::many(2 * SITES_PER_STEP + 10);
        let mut order = SiteOrder::default();
        steps(&mut order, &fixture);
        fixture.fail("site-000002.example", 500);
        let at = |millis| fixture.now().mono + Duration::from_millis(millis);
        let mut step = |millis, still| order.step(&fixture.monitor, FACTS, at(millis), still);
        assert!(!step(600, false));
        for _ in 0..9 {
            assert!(!step(601, true));
        }
        assert!(!order.is_building());
    }

    #[test]
    fn a_name_that_begins_otherwise_is_on_the_right_side() {
        let prefix = b"site-";
        let keys = ["aaa", "site-1", "site-2", "zzz"].map(|name| name_key(name, prefix));
        assert!(keys.is_sorted());
        assert_eq!((keys[0], keys[3]), (0, u64::MAX));
    }

    proptest! {
        #[test]
        fn every_site_is_listed_once_in_every_order(fixture in crate::tui::random_sites::random_fixtures(), sort in 0..Sort::ALL.len(), reverse: bool) {
            let mut order = SiteOrder::default();
            order.set_sort(Sort::ALL[sort], reverse);
            order.step(&fixture.monitor, FACTS, fixture.now().mono, false);
            let unique: HashSet<_> = order.rows().iter().collect();
            prop_assert_eq!(unique.len(), fixture.monitor.ids().len());
            prop_assert_eq!(order.rows().len(), fixture.monitor.ids().len());
        }
    }
}
