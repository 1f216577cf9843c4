//! The fold against a reference that is too simple to be wrong, over random histories and a
//! clock that is moved by hand.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use crate::domain::{
    Acknowledgement, CheckResult, CheckSpec, Clock, JobId, ManualClock, MaskedUrl, Method, Now,
    Outcome, Phases, RanOn, Reason, Site, SiteId, Timestamp, Verdict,
};

use super::{Consequence, Monitor, State};

/// What happens next to the one site of a history.
#[derive(Clone, Copy, Debug)]
enum Step {
    Check(Verdict),
    Missed,
    Pause(bool),
    Reload,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Check(Verdict::Up)),
        1 => Just(Step::Check(Verdict::Degraded)),
        5 => Just(Step::Check(Verdict::Down)),
        1 => Just(Step::Check(Verdict::Unknown)),
        1 => Just(Step::Missed),
        1 => any::<bool>().prop_map(Step::Pause),
        1 => Just(Step::Reload),
    ]
}

pub(super) fn site(name: &str, confirm: u32, recover: u32) -> Site {
    Site {
        name: name.into(),
        spec: Arc::new(CheckSpec::new(MaskedUrl::new(format!(
            "http://{name}.invalid/"
        )))),
        interval: Duration::from_secs(300),
        confirm,
        recover,
        confirm_delay: Duration::from_secs(10),
        slow_after: Duration::from_secs(600),
        owners: Arc::default(),
        tags: Vec::new(),
        parent: None,
        paused: false,
    }
}

fn result(job: JobId, verdict: Verdict) -> Outcome {
    Outcome::Checked(Arc::new(result_of(job, verdict)))
}

fn result_of(job: JobId, verdict: Verdict) -> CheckResult {
    CheckResult {
        job,
        verdict,
        reason: match verdict {
            Verdict::Up => None,
            Verdict::Degraded => Some(Reason::Slow),
            Verdict::Down => Some(Reason::Timeout),
            Verdict::Unknown => Some(Reason::Internal),
        },
        error: None,
        status: None,
        started_at: Timestamp::default(),
        started: job.due,
        latency: Duration::from_millis(5),
        late: Duration::ZERO,
        phases: Phases::default(),
        method: Method::Head,
        attempts: 1,
        redirects: 0,
        certificate: None,
        requests: Vec::new(),
        ran_on: RanOn {
            host: "h".into(),
            pid: 1,
            tid: 1,
            thread: "t".into(),
        },
    }
}

/// The rules of confirmation, written down as plainly as possible: reads the whole history
/// each time. `None` is a gap without checks: failures around it are not in a row.
fn is_down(checks: &[Option<Verdict>], confirm: usize, recover: usize) -> bool {
    let mut down = false;
    let (mut bad, mut good) = (0, 0);
    for verdict in checks {
        let Some(verdict) = verdict else {
            if !down {
                bad = 0;
            }
            continue;
        };
        if *verdict == Verdict::Down {
            bad += 1;
            good = 0;
        } else {
            good += 1;
            bad = 0;
        }
        if bad >= confirm {
            down = true;
        }
        if good >= recover {
            down = false;
        }
    }
    down
}

proptest! {
    #[test]
    fn outages_open_and_close_as_the_rules_say_and_are_told_once(
        steps in proptest::collection::vec((step(), 1_u64..600), 1..80),
        confirm in 1_u32..5,
        recover in 1_u32..4,
    ) {
        let clock = ManualClock::new(Timestamp::from_micros(1_700_000_000_000_000));
        let mut monitor = Monitor::new();
        monitor.configure(vec![site("a", confirm, recover)], clock.now());
        let id = SiteId::from_index(0);
        let (mut checks, mut seen) = (Vec::new(), None);
        let mut first_failure = None;
        let mut open = false;
        let (mut told_down, mut told_up) = (0, 0);
        for (step, seconds) in steps {
            clock.advance(Duration::from_secs(seconds));
            let now = clock.now();
            let job = JobId { site: id, due: now.mono };
            let mut notices = Vec::new();
            match step {
                Step::Check(verdict) => {
                    // A check that was not carried out says nothing of the site, and no one wants to
                    // hear of one that is paused.
                    let heard = !monitor.site(id).unwrap().site().paused;
                    if heard && verdict != Verdict::Unknown {
                        let interval = monitor.site(id).unwrap().site().interval;
                        if seen.replace(now).is_some_and(|seen: Now| now.mono.since(seen.mono) > interval * 2) {
                            checks.push(None);
                            if !open {
                                first_failure = None;
                            }
                        }
                        checks.push(Some(verdict));
                    }
                    match verdict {
                        _ if !heard => {}
                        Verdict::Down => { first_failure.get_or_insert(now); }
                        Verdict::Unknown => {}
                        Verdict::Up | Verdict::Degraded => first_failure = None,
                    }
                    monitor.observe(&result(job, verdict), now, &mut notices);
                }
                Step::Missed => monitor.observe(&Outcome::Missed(job), now, &mut notices),
                Step::Pause(paused) => { monitor.set_paused(id, paused, now); }
                Step::Reload => {
                    let mut again = Site::clone(monitor.site(id).unwrap().site());
                    again.interval += Duration::from_secs(1);
                    monitor.configure(vec![again], now);
                }
            }
            let expected = is_down(&checks, confirm as usize, recover as usize);
            let state = monitor.site(id).unwrap();
            prop_assert_eq!(state.outage().is_some(), expected, "{:?}", checks);
            if expected && !open {
                prop_assert_eq!(Some(state.outage().unwrap().since()), first_failure);
            }
            let downs = notices.iter().filter(|notice| matches!(notice, Consequence::Down { .. })).count();
            let ups = notices.iter().filter(|notice| matches!(notice, Consequence::Recovered { .. })).count();
            prop_assert_eq!(downs, usize::from(expected && !open));
            prop_assert_eq!(ups, usize::from(!expected && open));
            told_down += downs;
            told_up += ups;
            open = expected;
            // A site in doubt is checked again soon, and no other.
            let again = notices.iter().any(|notice| matches!(notice, Consequence::CheckAgain { .. }));
            if again {
                prop_assert!(matches!(state.state(), State::Suspect | State::Down));
            }
            let uptime = state.uptime();
            prop_assert!(uptime.is_none_or(|share| (0.0..=1.0).contains(&share)));
        }
        prop_assert_eq!(told_down - told_up, usize::from(open));
    }

    /// A monitor that ends at any moment and is given back what it said last goes on as one
    /// that never ended: the same outages open and close, and no message is sent again.
    #[test]
    fn a_restart_forgets_no_streak_and_tells_nobody_again(
        steps in proptest::collection::vec((any::<bool>(), 1_u64..600, 0_u8..4), 1..80),
        confirm in 1_u32..5,
        recover in 1_u32..4,
    ) {
        let clock = ManualClock::new(Timestamp::from_micros(1_700_000_000_000_000));
        let fresh = || {
            let mut monitor = Monitor::new();
            monitor.configure(vec![site("a", confirm, recover)], clock.now());
            monitor
        };
        let (mut steady, mut restarted) = (fresh(), fresh());
        let id = SiteId::from_index(0);
        let (mut kept, mut last) = (None, None);
        for (up, seconds, restart) in steps {
            clock.advance(Duration::from_secs(seconds));
            let now = clock.now();
            if restart == 0 {
                restarted = fresh();
                if let Some(known) = kept.clone() {
                    let url = "http://a.invalid/";
                    restarted.restore_site(id, known, last, now);
                    prop_assert!(restarted.known("a", url).is_some());
                }
            }
            let job = JobId { site: id, due: now.mono };
            let verdict = if up { Verdict::Up } else { Verdict::Down };
            let told = |monitor: &mut Monitor| {
                let mut notices = Vec::new();
                monitor.observe(&result(job, verdict), now, &mut notices);
                notices.retain(|notice| matches!(notice, Consequence::Down { .. } | Consequence::Recovered { .. } | Consequence::Stands { .. }));
                notices
            };
            let (expected, found) = (told(&mut steady), told(&mut restarted));
            let told_only = |notices: &[Consequence]| -> Vec<Consequence> {
                notices.iter().copied().filter(|notice| !matches!(notice, Consequence::Stands { .. })).collect()
            };
            prop_assert_eq!(told_only(&expected), told_only(&found));
            last = Some(now.wall);
            if found.contains(&(Consequence::Stands { site: id })) {
                kept = restarted.site(id).unwrap().failure_streak();
            }
            let (one, other) = (steady.site(id).unwrap(), restarted.site(id).unwrap());
            prop_assert_eq!(one.outage().is_some(), other.outage().is_some());
            prop_assert_eq!(one.good(), other.good());
            prop_assert_eq!(one.lasting(now.mono), if one.outage().is_some() { other.lasting(now.mono) } else { one.lasting(now.mono) });
        }
    }

    #[test]
    fn the_totals_are_always_a_recount(
        steps in proptest::collection::vec((0_usize..6, step()), 1..120),
    ) {
        let clock = ManualClock::new(Timestamp::default());
        let mut monitor = Monitor::new();
        let names = ["a", "b", "c", "d", "e", "f"];
        let mut listed = 6;
        for (index, step) in steps {
            clock.advance(Duration::from_secs(1));
            let now = clock.now();
            let job = JobId { site: SiteId::from_index(index), due: now.mono };
            let mut notices = Vec::new();
            match step {
                Step::Check(verdict) => monitor.observe(&result(job, verdict), now, &mut notices),
                Step::Missed => monitor.observe(&Outcome::Missed(job), now, &mut notices),
                Step::Pause(paused) => { monitor.set_paused(job.site, paused, now); }
                Step::Reload => {
                    listed = (listed + index) % 6 + 1;
                    let sites = names[..listed].iter().map(|name| site(name, 2, 2)).collect();
                    monitor.configure(sites, now);
                }
            }
            for state in State::ALL {
                let counted = monitor.sites().filter(|site| site.state() == state).count();
                prop_assert_eq!(monitor.totals().of(state), counted);
            }
            prop_assert_eq!(monitor.totals().all(), monitor.ids().len());
        }
    }
}

#[test]
fn downtime_counts_from_the_first_failure_and_blind_time_counts_for_nobody() {
    let clock = ManualClock::new(Timestamp::default());
    let mut monitor = Monitor::new();
    monitor.configure(vec![site("a", 2, 1)], clock.now());
    let id = SiteId::from_index(0);
    let mut uptime_after = |verdict, after: u64| {
        clock.advance(Duration::from_secs(after));
        let job = JobId {
            site: id,
            due: clock.moment(),
        };
        monitor.observe(&result(job, verdict), clock.now(), &mut Vec::new());
        monitor.site(id).unwrap().uptime().unwrap()
    };
    assert!((uptime_after(Verdict::Up, 0) - 1.0).abs() < 1e-9);
    // 100 s up; in doubt from here.
    assert!((uptime_after(Verdict::Down, 100) - 1.0).abs() < 1e-9);
    // Confirmed: the 50 s since the first failure were down.
    assert!((uptime_after(Verdict::Down, 50) - 100.0 / 150.0).abs() < 1e-9);
    // Ended after 50 more.
    assert!((uptime_after(Verdict::Up, 50) - 0.5).abs() < 1e-9);
    // 200 s without a usable check, after 200 up.
    assert!((uptime_after(Verdict::Unknown, 200) - 0.75).abs() < 1e-9);
    assert!((uptime_after(Verdict::Up, 200) - 0.75).abs() < 1e-9);
}

#[test]
fn an_outage_knows_all_its_causes_and_who_knows_of_it() {
    let clock = ManualClock::new(Timestamp::from_micros(1_700_000_000_000_000));
    let mut monitor = Monitor::new();
    monitor.configure(vec![site("a", 2, 1)], clock.now());
    let id = SiteId::from_index(0);
    let observe = |monitor: &mut Monitor, reason: Option<Reason>, status: Option<u16>| {
        clock.advance(Duration::from_secs(60));
        let job = JobId {
            site: id,
            due: clock.moment(),
        };
        let verdict = if reason.is_some() {
            Verdict::Down
        } else {
            Verdict::Up
        };
        let Outcome::Checked(mut checked) = result(job, verdict) else {
            unreachable!()
        };
        let changed = Arc::make_mut(&mut checked);
        changed.reason = reason;
        changed.status = status;
        monitor.observe(&Outcome::Checked(checked), clock.now(), &mut Vec::new());
    };
    observe(&mut monitor, None, Some(200));
    let good = clock.timestamp();
    observe(&mut monitor, Some(Reason::Timeout), None);
    assert!(!monitor.acknowledge(id, None), "no outage is open yet");
    for status in [503, 503, 500] {
        observe(&mut monitor, Some(Reason::Status), Some(status));
    }
    let known = Acknowledgement {
        at: clock.timestamp(),
        note: "on it".into(),
    };
    assert!(monitor.acknowledge(id, Some(known.clone())));
    let outage = monitor.site(id).unwrap().outage().unwrap();
    let causes: Vec<_> = outage
        .causes()
        .iter()
        .map(|cause| (cause.reason, cause.status, cause.checks))
        .collect();
    assert_eq!(
        causes,
        [
            (Reason::Timeout, None, 1),
            (Reason::Status, Some(503), 2),
            (Reason::Status, Some(500), 1)
        ]
    );
    assert_eq!(outage.last_good(), Some(good));
    assert_eq!(
        monitor
            .site(id)
            .unwrap()
            .failure_streak()
            .unwrap()
            .acknowledged,
        Some(known)
    );
    observe(&mut monitor, None, Some(200));
    let site = monitor.site(id).unwrap();
    assert_eq!(site.failure_streak(), None);
    assert_eq!(site.last_outage().unwrap().causes().len(), 3);
}

#[test]
fn a_reload_keeps_the_streak_and_another_url_is_another_site() {
    let clock = ManualClock::new(Timestamp::default());
    let mut monitor = Monitor::new();
    monitor.configure(vec![site("a", 3, 1)], clock.now());
    let id = SiteId::from_index(0);
    let job = JobId {
        site: id,
        due: clock.moment(),
    };
    for _ in 0..2 {
        monitor.observe(&result(job, Verdict::Down), clock.now(), &mut Vec::new());
    }
    monitor.configure(vec![site("b", 3, 1), site("a", 3, 1)], clock.now());
    assert_eq!(monitor.find("a").unwrap().failures(), 2);
    let mut moved = site("a", 3, 1);
    Arc::make_mut(&mut moved.spec).url = MaskedUrl::new("http://elsewhere.invalid/");
    monitor.configure(vec![moved], clock.now());
    assert_eq!(monitor.find("a").unwrap().failures(), 0);
    assert_ne!(monitor.find("a").unwrap().id(), id);
    assert!(monitor.site(id).is_none(), "late results are dropped");
}
