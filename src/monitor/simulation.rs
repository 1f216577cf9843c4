//! Hours of ten thousand sites on a clock that is moved by hand: cuts of the network, outages
//! that are real, and a machine that slept.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use crate::domain::{CheckResult, JobId, Moment, Now, Outcome, SiteId, Timestamp, Verdict};

use super::properties::{look, site};
use super::{Facts, Guard, Monitor, Notice, Round, Sight, State};

const INTERVAL: u64 = 300_000;

/// Seconds in which something is as it is.
type Spell = Range<u64>;

/// What really happens, which the monitor cannot know.
#[derive(Clone, Debug, Default)]
struct Truth {
    /// Our own network is cut.
    cut: Option<Spell>,
    /// Sites below this number are down.
    down: Option<(usize, Spell)>,
    /// Nothing runs: the machine sleeps, and the network comes back ten seconds after it.
    asleep: Option<Spell>,
    /// Sites are on this machine.
    local: bool,
}

impl Truth {
    fn is_cut(&self, at: u64) -> bool {
        let late = self.asleep.as_ref().map(|spell| spell.end..spell.end + 10);
        let spells = self.cut.iter().chain(&late);
        spells
            .into_iter()
            .any(|spell| spell.contains(&(at / 1_000)))
    }

    fn is_down(&self, site: usize, at: u64) -> bool {
        let spell = self.down.as_ref().filter(|(sites, _)| site < *sites);
        spell.is_some_and(|(_, spell)| spell.contains(&(at / 1_000)))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Begin(usize),
    End(usize, u64),
    Round(u64),
    Wake,
}

#[derive(Debug, Default)]
struct Told {
    down: Vec<usize>,
    recovered: Vec<usize>,
    lost: usize,
    regained: Vec<Duration>,
    rounds: usize,
    again: Vec<(usize, u64)>,
}

/// Milliseconds as both clocks show them; the wall clock goes on while the machine sleeps.
fn at(millis: u64) -> Now {
    Now {
        mono: Moment::ZERO + Duration::from_millis(millis),
        wall: Timestamp::from_micros(millis as i64 * 1_000),
    }
}

fn live(sites: usize, confirm: u32, truth: &Truth, end: u64) -> (Monitor, Told) {
    let (mut monitor, mut guard, mut told) = (Monitor::new(), Guard::default(), Told::default());
    let all = (0..sites).map(|number| site(&format!("s{number}"), confirm, 2));
    monitor.configure(all.collect(), at(0));
    guard.switch(true, at(0));
    let mut events = BinaryHeap::new();
    for number in 0..sites {
        // A sweep at once, and then spread over the interval.
        events.push(Reverse((number as u64 % 997, Event::Begin(number))));
    }
    // When each site is looked at next: what was planned before is void.
    let mut next: Vec<u64> = (0..sites).map(|number| number as u64 % 997).collect();
    while let Some(Reverse((planned, event))) = events.pop() {
        let mut now = planned;
        if let Some(sleep) = &truth.asleep
            && sleep.contains(&(now / 1_000))
        {
            // Everything is late by the rest of the night.
            now = sleep.end * 1_000 + now % 1_000;
            guard.beware(at(now).mono);
        }
        if now > end * 1_000 {
            break;
        }
        match event {
            Event::Begin(number) if next[number] != planned => {}
            Event::Begin(number) => {
                next[number] = u64::MAX;
                // Some fail at once, some by their timeout.
                let took = match (truth.is_cut(now) || truth.is_down(number, now), number % 3) {
                    (true, 0) => 10_000,
                    (true, 1) => 3,
                    _ => 80,
                };
                events.push(Reverse((now + took, Event::End(number, now))));
            }
            Event::End(number, begun) => {
                let ended = truth.is_cut(now) || truth.is_down(number, now);
                let failed = ended || truth.is_cut(begun) || truth.is_down(number, begun);
                let verdict = if failed { Verdict::Down } else { Verdict::Up };
                let job = JobId {
                    site: SiteId::from_index(number),
                    due: at(begun).mono,
                };
                let state = monitor.site(job.site).unwrap();
                let host = format!("s{number}");
                let facts = Facts {
                    host: &host,
                    local: truth.local,
                    opens: state.failures() + 1 >= confirm,
                    open: state.outage().is_some(),
                };
                let spread = (number as u64 * 7_919) % INTERVAL;
                next[number] = begun + INTERVAL + spread / 100;
                events.push(Reverse((next[number], Event::Begin(number))));
                if let Some(result) = guard.judge(look(job, verdict), facts, at(now)) {
                    fold(&mut monitor, result, at(now), &mut told);
                }
            }
            Event::Wake => {}
            Event::Round(asked) => {
                let answered = !truth.is_cut(now) && !truth.is_cut(asked);
                let round = Round {
                    asked: at(asked).mono,
                    answered,
                    why: "3 canaries do not answer either (dns)".into(),
                };
                let ruling = guard.ruled(&round, at(now));
                for (result, at) in ruling.freed {
                    fold(&mut monitor, result, at, &mut told);
                }
                match ruling.sight {
                    Some(Sight::Lost { since, .. }) => {
                        told.lost += 1;
                        monitor.doubt(since, |_| true, at(now), &mut Vec::new());
                    }
                    Some(Sight::Regained { lasted, .. }) => {
                        told.regained.push(lasted);
                        for state in monitor.sites() {
                            if state.state() == State::Unknown {
                                let number = state.id().index();
                                told.again.push((number, now + 1));
                            }
                        }
                    }
                    None => {}
                }
            }
        }
        for (number, then) in std::mem::take(&mut told.again) {
            next[number] = then.max(now);
            events.push(Reverse((next[number], Event::Begin(number))));
        }
        if guard.begin_round(at(now).mono) {
            told.rounds += 1;
            let took = if truth.is_cut(now) { 5_000 } else { 60 };
            events.push(Reverse((now + took, Event::Round(now))));
        } else if let Some(wake) = guard.next_round() {
            // The loop wakes for it.
            let wake = (wake.as_nanos() / 1_000_000).max(now + 1);
            if !matches!(events.peek(), Some(Reverse((then, _))) if *then <= wake) {
                events.push(Reverse((wake, Event::Wake)));
            }
        }
    }
    (monitor, told)
}

fn fold(monitor: &mut Monitor, result: CheckResult, now: Now, told: &mut Told) {
    let mut notices = Vec::new();
    monitor.observe(&Outcome::Checked(Arc::new(result)), now, &mut notices);
    for notice in notices {
        match notice {
            Notice::Down { site } => told.down.push(site.index()),
            Notice::Recovered { site, .. } => told.recovered.push(site.index()),
            Notice::CheckAgain { site, after } => {
                let then = now.mono + after;
                told.again.push((site.index(), then.as_nanos() / 1_000_000));
            }
            Notice::Degraded { .. } | Notice::Stands { .. } => {}
        }
    }
}

#[test]
fn a_cut_of_the_network_opens_no_outage_among_ten_thousand_sites() {
    for confirm in [1, 2, 3] {
        let truth = Truth {
            cut: Some(900..1_500),
            ..Truth::default()
        };
        let (monitor, told) = live(10_000, confirm, &truth, 2_400);
        assert_eq!(told.down, [0; 0], "confirm = {confirm}");
        assert_eq!((told.lost, told.regained.len()), (1, 1), "told once");
        let blind = told.regained[0].as_secs();
        assert!((590..640).contains(&blind), "blind for {blind} s of 600");
        assert_eq!(monitor.totals().of(State::Up), 10_000, "all are seen again");
        let uptime = monitor.sites().map(|site| site.uptime(at(2_400_000).mono));
        assert!(
            uptime.flatten().all(|uptime| uptime > 0.999),
            "none is charged"
        );
    }
}

#[test]
fn an_outage_of_a_third_of_the_sites_is_announced_while_the_canaries_answer() {
    let truth = Truth {
        down: Some((3_000, 900..1_500)),
        ..Truth::default()
    };
    let (_, told) = live(10_000, 2, &truth, 2_600);
    let down: BTreeSet<_> = told.down.iter().copied().collect();
    assert_eq!(
        (told.down.len(), down),
        (3_000, (0..3_000).collect()),
        "each, once"
    );
    assert_eq!(told.recovered.len(), 3_000);
    assert_eq!(told.lost, 0);
    assert!(
        told.rounds < 1_700,
        "no more than one round a second: {}",
        told.rounds
    );
}

#[test]
fn a_machine_that_slept_reports_no_outage_for_the_night() {
    let truth = Truth {
        asleep: Some(1_000..29_800),
        ..Truth::default()
    };
    let (monitor, told) = live(500, 2, &truth, 31_000);
    assert_eq!(told.down, [0; 0]);
    assert_eq!(monitor.totals().of(State::Up), 500);
}

#[test]
fn one_site_alone_is_not_taken_for_down_by_a_cut_and_is_by_its_own_fault() {
    let cut = Truth {
        cut: Some(400..1_000),
        ..Truth::default()
    };
    assert_eq!(live(1, 2, &cut, 2_000).1.down, [0; 0]);
    let down = Truth {
        down: Some((1, 400..1_000)),
        ..Truth::default()
    };
    let told = live(1, 2, &down, 2_000).1;
    assert_eq!((told.down, told.recovered), (vec![0], vec![0]));
}

#[test]
fn a_site_on_this_machine_is_believed_without_any_network() {
    let truth = Truth {
        cut: Some(0..9_999),
        local: true,
        ..Truth::default()
    };
    assert_eq!(live(3, 2, &truth, 900).1.down.len(), 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever the cut and the outage: a blind spell opens none, and every outage that is seen
    /// for long enough outside of it is told once. (Who believes a single look also believes one
    /// that a cut of a few seconds spoiled.)
    #[test]
    fn only_what_was_seen_is_told(
        sites in 1_usize..60, failing in 0_usize..60, confirm in 2_u32..5,
        cut in 300_u64..3_000, cut_for in 20_u64..900,
        fails in 300_u64..3_000, fails_for in 900_u64..2_000,
    ) {
        let truth = Truth {
            cut: Some(cut..cut + cut_for),
            down: Some((failing, fails..fails + fails_for)),
            ..Truth::default()
        };
        let (_, told) = live(sites, confirm, &truth, 6_000);
        let mut down = told.down.clone();
        down.sort_unstable();
        prop_assert!(down.windows(2).all(|two| two[0] != two[1]), "told twice: {down:?}");
        prop_assert!(down.iter().all(|site| *site < failing), "not down: {down:?}");
        let apart = cut + cut_for + 700 < fails || fails + fails_for < cut;
        if apart {
            prop_assert_eq!(down.len(), failing.min(sites));
        }
        prop_assert_eq!(told.lost, told.regained.len());
    }
}
