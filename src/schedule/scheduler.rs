//! The plan: due times, one for each site.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::{JobId, Moment, SiteId};

use super::agenda::Agenda;

/// The name of a check that is due.
pub type Due = JobId;

/// One site's part of the plan: of a million they are touched in no order, each in one line of
/// the cache.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Slot {
    interval: Duration,
    next: Moment,
    /// What of the agenda is this slot's: entries of other generations are void.
    generation: u32,
    /// Whether a check that was due while the one before it was still running waits for it.
    owes: bool,
    /// The step to the next regular time, after a check out of turn.
    resume: Option<Duration>,
    /// The first steps of a site: between half an interval and a whole one.
    spread: Spread,
    /// Whether the check that was handed out last was out of turn.
    out_of_turn: bool,
    planned: bool,
}

/// A check that waits for the one before it.
#[derive(Clone, Copy, Debug)]
struct Owed {
    due: Moment,
    out_of_turn: bool,
}

/// Steps that take a site to its own place within the interval.
#[derive(Clone, Copy, Debug, Default)]
struct Spread {
    /// What a step is shorter than the interval by, as a share of it.
    less: f32,
    left: u8,
}

/// The due times of all sites.
#[derive(Clone, Debug, Default)]
pub struct Scheduler {
    slots: Vec<Slot>,
    agenda: Agenda,
    /// Checks that wait for the one before them.
    owed: BTreeMap<SiteId, Owed>,
}

impl Scheduler {
    /// A scheduler without sites.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes over a list: those that are new are due at once and spread over their interval
    /// from then on, those that stay keep their time, those that are not in it any more
    /// (or are paused) are not due.
    pub fn configure(&mut self, sites: &[(SiteId, Duration)], now: Moment) {
        let mut kept = vec![false; self.slots.len()];
        for (rank, (site, interval)) in sites.iter().enumerate() {
            let index = site.index();
            if self.slots.len() <= index {
                self.slots.resize(index + 1, Slot::absent());
                kept.resize(index + 1, false);
            }
            kept[index] = true;
            let slot = &mut self.slots[index];
            if slot.planned && slot.interval == *interval {
                continue;
            }
            if slot.planned {
                // Another interval: what is left of the wait shrinks or grows with it, so that
                // a list that was spread over the old one is spread over the new.
                let share = interval.as_secs_f64() / slot.interval.as_secs_f64().max(1e-9);
                let left = slot.next.since(now).mul_f64(share).min(*interval);
                slot.interval = *interval;
                slot.spread = Spread::default();
                self.plan(*site, now + left);
                continue;
            }
            slot.planned = true;
            slot.interval = *interval;
            slot.resume = None;
            slot.spread = spread(rank);
            self.owes_nothing(*site);
            self.plan(*site, now);
        }
        for (index, kept) in kept.into_iter().enumerate() {
            if !kept {
                self.cancel(SiteId::from_index(index));
            }
        }
    }

    fn plan(&mut self, site: SiteId, next: Moment) {
        let slot = &mut self.slots[site.index()];
        slot.next = next;
        slot.generation = slot.generation.wrapping_add(1);
        self.agenda.push((next, site, slot.generation));
    }

    /// The site is not due until it is planned again by [`Scheduler::configure`] or
    /// [`Scheduler::resume`].
    pub fn cancel(&mut self, site: SiteId) {
        if let Some(slot) = self.slots.get_mut(site.index()) {
            slot.generation = slot.generation.wrapping_add(1);
            slot.planned = false;
            self.owes_nothing(site);
        }
    }

    /// No check of the site waits for the one before it any more; gives the one that did.
    fn owes_nothing(&mut self, site: SiteId) -> Option<Owed> {
        let slot = self.slots.get_mut(site.index())?;
        let owes = std::mem::take(&mut slot.owes);
        owes.then(|| self.owed.remove(&site))?
    }

    /// A paused site is due at once.
    pub fn resume(&mut self, site: SiteId, interval: Duration, now: Moment) {
        if self.slots.len() <= site.index() {
            self.slots.resize(site.index() + 1, Slot::absent());
        }
        let slot = &mut self.slots[site.index()];
        slot.interval = interval;
        slot.planned = true;
        self.plan(site, now);
    }

    /// Makes a site due at `at`, unless it is due before; regular checks keep their times.
    pub fn check_again(&mut self, site: SiteId, at: Moment) {
        let Some(slot) = self.slots.get_mut(site.index()) else {
            return;
        };
        if !slot.planned || slot.next <= at {
            return;
        }
        // This check replaces the one that waits for the running check to end: right after
        // the first it would have the same result. The regular time stays: the extra check is
        // a step on the way to it.
        slot.resume = Some(slot.next.since(at));
        self.owes_nothing(site);
        self.plan(site, at);
    }

    /// The earliest time at which something is due.
    pub fn next_due(&mut self) -> Option<Moment> {
        while let Some((at, site, generation)) = self.agenda.first() {
            let slot = &self.slots[site.index()];
            if slot.planned && slot.generation == generation {
                return Some(at);
            }
            self.agenda.pop();
        }
        None
    }

    /// When a site is due next; `None` while it is not planned.
    #[must_use]
    pub fn due_of(&self, site: SiteId) -> Option<Moment> {
        let slot = self.slots.get(site.index())?;
        slot.planned.then_some(slot.next)
    }

    /// Adds the checks that are due by `now` to `due`, at most `most` of them, earliest
    /// first, and plans each site's next one.
    pub fn take_due(&mut self, now: Moment, most: usize, due: &mut Vec<Due>) {
        for _ in 0..most {
            match self.next_due() {
                Some(at) if at <= now => {}
                _ => return,
            }
            let Some((at, site, _)) = self.agenda.pop() else {
                return;
            };
            due.push(Due { site, due: at });
            let slot = &mut self.slots[site.index()];
            slot.out_of_turn = slot.resume.is_some();
            let step = slot.resume.take().unwrap_or_else(|| slot.regular_step());
            let mut next = at + step;
            if next <= now {
                // The whole machine stood still: of the checks that were due in the
                // meantime one is enough.
                let behind = now.since(next).as_nanos() / slot.interval.as_nanos().max(1);
                let skipped = u32::try_from(behind).unwrap_or(u32::MAX);
                next = next + slot.interval * skipped;
                if next <= now {
                    next = next + slot.interval;
                }
            }
            self.plan(site, next);
        }
    }

    /// The check was due while the one before it was running: it starts when that one
    /// ends. Gives the check that waited for this already and is missed now; a check out of
    /// turn is not missed, because the regular one takes its place.
    #[must_use]
    pub fn owe(&mut self, due: Due) -> Option<Due> {
        let slot = self.slots.get_mut(due.site.index())?;
        let owed = Owed {
            due: due.due,
            out_of_turn: slot.out_of_turn,
        };
        slot.owes = true;
        let missed = self.owed.insert(due.site, owed)?;
        (!missed.out_of_turn).then_some(Due {
            site: due.site,
            due: missed.due,
        })
    }

    /// Whether the check of a site that was handed out last was out of turn.
    #[must_use]
    pub fn is_out_of_turn(&self, site: SiteId) -> bool {
        self.slots
            .get(site.index())
            .is_some_and(|slot| slot.out_of_turn)
    }

    /// The running check of a site has ended: the check that waited for it, if any.
    #[must_use]
    pub fn released(&mut self, site: SiteId) -> Option<Due> {
        let owed = self.owes_nothing(site)?;
        Some(Due {
            site,
            due: owed.due,
        })
    }
}

impl Slot {
    const fn absent() -> Self {
        Self {
            interval: Duration::ZERO,
            next: Moment::ZERO,
            generation: 0,
            owes: false,
            resume: None,
            spread: Spread { less: 0.0, left: 0 },
            out_of_turn: false,
            planned: false,
        }
    }

    fn regular_step(&mut self) -> Duration {
        if self.spread.left == 0 {
            return self.interval;
        }
        self.spread.left -= 1;
        self.interval.mul_f32(1.0 - self.spread.less)
    }
}

/// The way of the site of this rank from the first sweep to its own place: two steps, each
/// between half the interval and all of it, which end anywhere within one interval. So the
/// list is spread evenly from then on, no site ever waits longer than its interval, and
/// neighbours of the list stand apart (they are often the same host).
fn spread(rank: usize) -> Spread {
    // Steps of the golden ratio: any number of them lies evenly on the circle.
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let turn = (rank as f64 * GOLDEN).fract();
    Spread {
        less: (turn / 2.0) as f32,
        left: 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    const MINUTE: Duration = Duration::from_secs(60);

    fn sites(count: usize, interval: Duration) -> Vec<(SiteId, Duration)> {
        (0..count)
            .map(|index| (SiteId::from_index(index), interval))
            .collect()
    }

    fn at(millis: u64) -> Moment {
        Moment::ZERO + Duration::from_millis(millis)
    }

    fn take(schedule: &mut Scheduler, now: Moment) -> Vec<Due> {
        let mut due = Vec::new();
        schedule.take_due(now, usize::MAX, &mut due);
        due
    }

    #[test]
    fn the_first_sweep_is_due_at_once_and_later_ones_are_spread_over_the_interval() {
        let mut schedule = Scheduler::new();
        schedule.configure(&sites(60, MINUTE), Moment::ZERO);
        assert_eq!(take(&mut schedule, Moment::ZERO).len(), 60);
        let mut by_second = Vec::new();
        for second in 1..=300 {
            by_second.push(take(&mut schedule, at(second * 1_000)).len());
        }
        assert!(
            by_second[..29].iter().all(|due| *due == 0),
            "nothing before half an interval"
        );
        for minute in by_second[180..].chunks(60) {
            assert_eq!(minute.iter().sum::<usize>(), 60);
            assert!(minute.iter().all(|due| *due <= 2), "{minute:?}");
        }
    }

    #[test]
    fn a_second_check_comes_early_and_the_regular_time_stays() {
        let mut schedule = Scheduler::new();
        schedule.configure(&sites(1, MINUTE), Moment::ZERO);
        take(&mut schedule, Moment::ZERO);
        let site = SiteId::from_index(0);
        schedule.check_again(site, at(10_000));
        assert_eq!(schedule.due_of(site), Some(at(10_000)));
        assert_eq!(take(&mut schedule, at(10_000)).len(), 1);
        assert_eq!(schedule.due_of(site), Some(at(60_000)));
        take(&mut schedule, at(60_000));
        assert_eq!(schedule.due_of(site), Some(at(120_000)));
    }

    #[test]
    fn a_site_that_is_gone_or_paused_is_not_due() {
        let mut schedule = Scheduler::new();
        schedule.configure(&sites(3, MINUTE), Moment::ZERO);
        schedule.configure(&sites(2, MINUTE), Moment::ZERO);
        schedule.cancel(SiteId::from_index(0));
        assert_eq!(take(&mut schedule, Moment::ZERO).len(), 1);
        schedule.resume(SiteId::from_index(0), MINUTE, at(5));
        assert_eq!(schedule.next_due(), Some(at(5)));
    }

    #[test]
    fn a_reload_keeps_the_time_of_the_sites_that_stay() {
        let mut schedule = Scheduler::new();
        schedule.configure(&sites(2, MINUTE), Moment::ZERO);
        take(&mut schedule, Moment::ZERO);
        let before = schedule.due_of(SiteId::from_index(1));
        schedule.configure(&sites(3, MINUTE), at(1_000));
        assert_eq!(schedule.due_of(SiteId::from_index(1)), before);
        assert_eq!(schedule.due_of(SiteId::from_index(2)), Some(at(1_000)));
    }

    #[test]
    fn another_interval_keeps_the_list_spread() {
        let mut schedule = Scheduler::new();
        schedule.configure(&sites(60, MINUTE), Moment::ZERO);
        for second in 0..200 {
            take(&mut schedule, at(second * 1_000));
        }
        schedule.configure(&sites(60, MINUTE / 2), at(200_000));
        for second in 201..=230 {
            let due = take(&mut schedule, at(second * 1_000)).len();
            assert!((1..=4).contains(&due), "{due} at {second}");
        }
    }

    #[test]
    fn a_check_that_waits_behind_its_own_site_is_missed_when_the_next_comes() {
        let mut schedule = Scheduler::new();
        schedule.configure(&sites(1, MINUTE), Moment::ZERO);
        let site = SiteId::from_index(0);
        let first = Due { site, due: at(1) };
        let second = Due { site, due: at(2) };
        assert_eq!(schedule.owe(first), None);
        assert_eq!(schedule.owe(second), Some(first));
        assert_eq!(schedule.released(site), Some(second));
        assert_eq!(schedule.released(site), None);
    }

    #[test]
    fn a_check_out_of_turn_that_waited_is_not_missed() {
        let mut schedule = Scheduler::new();
        schedule.configure(&sites(1, MINUTE), Moment::ZERO);
        take(&mut schedule, Moment::ZERO);
        let site = SiteId::from_index(0);
        schedule.check_again(site, at(10_000));
        let again = take(&mut schedule, at(10_000))[0];
        assert_eq!(schedule.owe(again), None);
        let regular = take(&mut schedule, at(60_000))[0];
        assert_eq!(schedule.owe(regular), None);
        assert_eq!(schedule.released(site), Some(regular));
    }

    #[test]
    fn after_a_standstill_each_site_is_due_once() {
        let mut schedule = Scheduler::new();
        schedule.configure(&sites(10, MINUTE), Moment::ZERO);
        take(&mut schedule, Moment::ZERO);
        let hour = at(3_600_000);
        assert_eq!(take(&mut schedule, hour).len(), 10);
        assert!(schedule.next_due() > Some(hour));
    }

    proptest! {
        #[test]
        fn no_site_waits_longer_than_its_interval_and_none_is_due_twice_at_once(
            intervals in proptest::collection::vec(1_u64..90, 1..40),
            steps in proptest::collection::vec(1_u64..20_000, 1..60),
        ) {
            let list: Vec<_> = intervals
                .iter()
                .enumerate()
                .map(|(index, seconds)| (SiteId::from_index(index), Duration::from_secs(*seconds)))
                .collect();
            let mut schedule = Scheduler::new();
            schedule.configure(&list, Moment::ZERO);
            let mut now = Moment::ZERO;
            let mut last: HashMap<SiteId, Moment> = HashMap::new();
            for step in steps {
                let mut seen = HashMap::new();
                for due in take(&mut schedule, now) {
                    prop_assert!(due.due <= now);
                    prop_assert!(seen.insert(due.site, ()).is_none(), "twice in one tick");
                    if let Some(before) = last.insert(due.site, due.due) {
                        prop_assert!(due.due > before);
                    }
                }
                for (site, interval) in &list {
                    let next = schedule.due_of(*site).unwrap();
                    prop_assert!(next > now && next.since(now) <= *interval);
                }
                now = now + Duration::from_millis(step);
            }
        }
    }
}
