//! Ordinary situations in which somebody has to be told, or must not be.

use uptime_squirrel::alert::BeginningMessage;
use uptime_squirrel::domain::EventKind;
use uptime_squirrel::engine::Notice;

use super::promises::Arrival;
use super::script::{
    Cut, Failing, Fault, FaultKind, HOUR, MINUTE, Mood, OwnerScript, Place, SECOND, Script,
    SiteScript, WorkerFault,
};
use super::world::World;

/// A world of sites on hosts of their own, of which one owner is told by one channel.
fn world_of(sites: usize, place: Place) -> Script {
    let site = |host| SiteScript {
        host,
        place,
        parent: None,
        owners: vec![0],
        interval: 5 * MINUTE,
        confirm: 2,
        recover: 1,
        confirm_delay: 30 * SECOND,
    };
    Script {
        seed: 1,
        sites: (0..sites).map(site).collect(),
        owners: vec![owner(), owner()],
        canaries: true,
        workers: 4,
        digest: 30 * SECOND,
        remind: None,
        calm: 12 * HOUR,
        faults: Vec::new(),
    }
}

fn owner() -> OwnerScript {
    OwnerScript {
        channels: 1,
        tells_down: true,
        quiet: None,
        escalate: None,
    }
}

impl Script {
    fn with(mut self, kind: FaultKind, at: u64, lasts: u64) -> Self {
        self.faults.push(Fault { at, lasts, kind });
        self.faults.sort_by_key(|fault| fault.at);
        self
    }

    fn with_outage(self, site: usize, at: u64, lasts: u64) -> Self {
        self.with(FaultKind::Site(site, Failing::Refused), at, lasts)
    }

    fn play(self) -> World {
        match World::new(self).play() {
            Ok(world) => world,
            Err(broken) => panic!("{broken}"),
        }
    }
}

impl World {
    fn told(&self, kind: EventKind, owner: &str) -> usize {
        self.promises.count(kind, owner)
    }
}

#[test]
fn nine_good_answers_prove_sight_while_the_canaries_are_silent() {
    let world = world_of(10, Place::Lan)
        .with(FaultKind::Network(Cut::Canaries), 0, 12 * HOUR)
        .with_outage(3, HOUR, HOUR)
        .play();
    let down = world.promises.arrivals(EventKind::Down, "owner-0");
    assert_eq!(down.len(), 1);
    assert_eq!(&*down[0].site, "site-3");
    assert!(
        down[0].second < 3_600 + 420,
        "told after {} s",
        down[0].second
    );
    assert_eq!(world.told(EventKind::Blind, "owner-0"), 0);
}

#[test]
fn canaries_that_fall_silent_later_hide_no_outage() {
    let world = world_of(10, Place::Internet)
        .with(FaultKind::Network(Cut::Canaries), 2 * HOUR, 9 * HOUR)
        .with_outage(3, HOUR, 10 * MINUTE)
        .with_outage(4, 4 * HOUR, HOUR)
        .play();
    assert_eq!(world.told(EventKind::Down, "owner-0"), 2);
}

#[test]
fn a_cut_network_tells_nobody_down_and_is_told_itself() {
    for cut in [Cut::All, Cut::Internet, Cut::Portal511, Cut::PortalRedirect] {
        let world = world_of(5, Place::Internet)
            .with(FaultKind::Network(cut), HOUR, HOUR)
            .play();
        assert_eq!(world.told(EventKind::Down, "owner-0"), 0, "{cut:?}");
        assert_eq!(world.told(EventKind::Blind, "owner-0"), 1, "{cut:?}");
        assert_eq!(world.told(EventKind::Sighted, "owner-0"), 1, "{cut:?}");
    }
}

#[test]
fn a_network_that_came_up_late_and_is_cut_soon_after_tells_nobody_down() {
    // Sites answer before the canaries are asked again, and all of them fail again before that.
    let mut script = world_of(4, Place::Internet)
        .with(FaultKind::Network(Cut::All), 0, MINUTE)
        .with(FaultKind::Network(Cut::All), MINUTE + 2 * SECOND, HOUR);
    for site in &mut script.sites {
        (site.interval, site.confirm_delay) = (SECOND, SECOND);
    }
    script.calm = 2 * HOUR;
    let world = script.play();
    assert_eq!(world.told(EventKind::Down, "owner-0"), 0);
    assert_eq!(world.told(EventKind::Blind, "owner-0"), 1);
}

#[test]
fn a_worker_of_two_that_is_blind_neither_blinds_the_monitor_nor_hides_an_outage() {
    let mut told_late = 0;
    for seed in 0..20 {
        let mut script = world_of(6, Place::Internet)
            .with(FaultKind::Workers(WorkerFault::Blind), HOUR, 8 * HOUR)
            .with_outage(3, 2 * HOUR, HOUR)
            .with_outage(4, 5 * HOUR, HOUR);
        script.seed = seed;
        let world = script.play();
        for kind in [EventKind::Blind, EventKind::Sighted] {
            assert_eq!(world.told(kind, "owner-0"), 0, "{kind:?}");
        }
        let down = world.promises.arrivals(EventKind::Down, "owner-0");
        let sites: Vec<_> = down.iter().map(|down| &*down.site).collect();
        assert_eq!(sites, ["site-3", "site-4"]);
        let late = |down: &&Arrival| {
            let began = if &*down.site == "site-3" { 2 } else { 5 };
            down.second > began * 3_600 + 420
        };
        told_late += down.iter().filter(late).count();
    }
    // A check that saw nothing is run once more at once: of the worker that sees, three in four.
    assert!(told_late <= 15, "{told_late} of 40");
}

#[test]
fn a_name_server_that_is_cut_off_is_an_outage_of_its_names_alone() {
    let world = world_of(6, Place::Internet)
        .with(FaultKind::Network(Cut::NameServer), HOUR, HOUR)
        .play();
    let down = world.promises.arrivals(EventKind::Down, "owner-0");
    let sites: Vec<_> = down.iter().map(|down| &*down.site).collect();
    assert_eq!(sites, ["site-1", "site-5"]);
    assert_eq!(world.told(EventKind::Blind, "owner-0"), 0);
}

#[test]
fn two_failures_three_days_apart_are_no_streak() {
    let days = 72 * HOUR;
    let mut script = world_of(3, Place::Internet)
        // One check fails, and another when the program is started again.
        .with_outage(0, HOUR, 5 * MINUTE)
        .with(FaultKind::Killed(0), HOUR + 5 * MINUTE, days)
        .with_outage(0, days + HOUR, 5 * MINUTE + 20 * SECOND);
    script.sites[0].confirm_delay = 5 * MINUTE;
    script.calm = days + 2 * HOUR;
    let world = script.play();
    let failed = |(_, notice): &&(u64, Notice)| matches!(notice, Notice::Down { .. });
    assert_eq!(world.notices.iter().filter(failed).count(), 0);
    assert_eq!(world.told(EventKind::Down, "owner-0"), 0);
}

#[test]
fn a_down_that_its_recovery_overtook_is_told_together_with_it() {
    let world = world_of(3, Place::Internet)
        .with(
            FaultKind::Channel(0, 0, Mood::RefusesForNow),
            HOUR,
            2 * HOUR,
        )
        .with_outage(1, HOUR + 10 * MINUTE, 20 * MINUTE)
        .play();
    assert_eq!(world.promises.arrivals(EventKind::Down, "owner-0"), []);
    let recovered = world.promises.arrivals(EventKind::Recovered, "owner-0");
    assert_eq!(recovered.len(), 1);
    assert_eq!(recovered[0].merged, 1);
    // It was refused for now: whether nobody has it is not known.
    let beginning = Some(BeginningMessage::MayHaveArrived);
    assert_eq!(recovered[0].beginning, beginning);
}

#[test]
fn what_its_recovery_says_of_a_down_is_so() {
    // Down and up again while outages collect: never handed over.
    let mut short = world_of(3, Place::Internet).with_outage(1, HOUR, 6 * MINUTE);
    (short.digest, short.sites[1].confirm) = (100 * MINUTE, 1);
    let world = short.play();
    assert_eq!(world.promises.arrivals(EventKind::Down, "owner-0"), []);
    let recovered = world.promises.arrivals(EventKind::Recovered, "owner-0");
    assert_eq!(recovered.len(), 1);
    assert_eq!(recovered[0].beginning, Some(BeginningMessage::NeverSent));
    // A reminder that waited and is part of it now: that it was down had been told.
    let mut reminded = world_of(3, Place::Internet)
        .with(
            FaultKind::Channel(0, 0, Mood::RefusesForNow),
            90 * MINUTE,
            3 * HOUR,
        )
        .with_outage(1, HOUR, 2 * HOUR);
    reminded.remind = Some(HOUR);
    let world = reminded.play();
    assert_eq!(world.told(EventKind::Down, "owner-0"), 1);
    let recovered = world.promises.arrivals(EventKind::Recovered, "owner-0");
    assert_eq!(recovered.len(), 1);
    assert!(recovered[0].merged > 0);
    assert_eq!(recovered[0].beginning, None);
}

#[test]
fn children_of_a_parent_that_recovered_are_checked_before_they_are_told() {
    let mut script = world_of(4, Place::Internet).with_outage(0, HOUR, HOUR);
    script.sites[1].parent = Some(0);
    // Its own outage goes on when its parent is up again.
    script.sites[2].parent = Some(0);
    let world = script.with_outage(2, HOUR + 10 * MINUTE, 3 * HOUR).play();
    let down = world.promises.arrivals(EventKind::Down, "owner-0");
    let sites: Vec<&str> = down.iter().map(|down| &*down.site).collect();
    assert_eq!(sites, ["site-0", "site-2"]);
    assert!((7_200..7_200 + 600).contains(&down[1].second), "{down:?}");
}

#[test]
fn an_owner_in_quiet_hours_escalates_at_once() {
    let mut script = world_of(3, Place::Internet).with_outage(0, HOUR, 3 * HOUR);
    script.owners[0].quiet = Some((0, 8 * 60));
    script.owners[0].escalate = Some((1, HOUR));
    let world = script.play();
    let escalated = world.promises.arrivals(EventKind::Escalated, "owner-1");
    assert_eq!(escalated.len(), 1);
    assert!(escalated[0].second < 3_600 + 420, "{escalated:?}");
    // What happened at night is told in the morning.
    let recovered = world.promises.arrivals(EventKind::Recovered, "owner-0");
    assert_eq!(recovered.len(), 1);
    assert!(recovered[0].second >= 8 * 3_600, "{recovered:?}");
}

#[test]
fn an_owner_of_the_site_who_is_not_told_of_outages_can_be_escalated_to() {
    let mut script = world_of(3, Place::Internet).with_outage(0, HOUR, 3 * HOUR);
    script.sites[0].owners = vec![0, 1];
    script.owners[0].escalate = Some((1, 30 * MINUTE));
    script.owners[1].tells_down = false;
    let world = script.play();
    assert_eq!(world.told(EventKind::Down, "owner-1"), 0);
    assert_eq!(world.told(EventKind::Escalated, "owner-1"), 1);
    assert_eq!(world.told(EventKind::Recovered, "owner-1"), 1);
}

#[test]
fn what_presses_for_an_acknowledgement_is_not_sent_after_one() {
    // A reminder and an escalation wait for the end of quiet hours when the outage is acknowledged.
    let mut script = world_of(3, Place::Internet)
        .with_outage(0, HOUR, 10 * HOUR)
        .with(FaultKind::Acknowledged(0), 4 * HOUR, 0);
    script.remind = Some(2 * HOUR);
    script.owners[0].escalate = Some((1, 90 * MINUTE));
    for owner in &mut script.owners {
        owner.quiet = Some((2 * 60, 8 * 60));
    }
    let world = script.play();
    let arrived = |kind, owner| world.promises.arrivals(kind, owner).len();
    assert_eq!(arrived(EventKind::Down, "owner-0"), 1);
    assert_eq!(arrived(EventKind::Reminder, "owner-0"), 0);
    assert_eq!(arrived(EventKind::Escalated, "owner-1"), 0);
    assert_eq!(arrived(EventKind::Recovered, "owner-0"), 1);
    // One try may have arrived though its answer did not: the end is told all the same.
    assert_eq!(arrived(EventKind::Recovered, "owner-1"), 1);
}

#[test]
fn a_parent_is_waited_for_however_long_its_child_took_to_be_confirmed() {
    let mut script = world_of(3, Place::Internet)
        .with_outage(0, HOUR + 30 * MINUTE, HOUR)
        .with_outage(1, HOUR + 30 * MINUTE, HOUR);
    script.sites[0].interval = HOUR;
    script.sites[1].parent = Some(0);
    (script.sites[1].interval, script.sites[1].confirm) = (MINUTE, 4);
    let world = script.play();
    let down = world.promises.arrivals(EventKind::Down, "owner-0");
    let sites: Vec<&str> = down.iter().map(|down| &*down.site).collect();
    assert_eq!(sites, ["site-0"]);
}

#[test]
fn an_hour_of_maintenance_is_an_hour_though_the_clock_is_set_back() {
    let world = world_of(3, Place::Internet)
        .with(FaultKind::Maintenance(0), HOUR, HOUR)
        .with(FaultKind::Clock(-3 * 3_600), HOUR + 10 * MINUTE, 0)
        .with_outage(0, HOUR + 20 * MINUTE, 5 * HOUR)
        .play();
    let down = world.promises.arrivals(EventKind::Down, "owner-0");
    assert_eq!(down.len(), 1);
    assert!((7_200..7_200 + 600).contains(&down[0].second), "{down:?}");
}

#[test]
fn a_message_waits_for_its_next_try_as_long_as_it_should_though_the_clock_is_set_back() {
    let refused = HOUR + 20 * MINUTE;
    let set_back = world_of(3, Place::Internet)
        .with_outage(0, HOUR, 5 * HOUR)
        .with(
            FaultKind::Channel(0, 0, Mood::RefusesForNow),
            HOUR,
            refused - HOUR,
        )
        .with(FaultKind::Clock(-3 * 3_600), HOUR + 15 * MINUTE, 0);
    // In one run, and where the next one knows the wall clock alone.
    let restarted = set_back
        .clone()
        .with(FaultKind::Killed(0), HOUR + 16 * MINUTE, 2 * SECOND);
    for script in [set_back, restarted] {
        let world = script.play();
        let down = world.promises.arrivals(EventKind::Down, "owner-0");
        assert_eq!(down.len(), 1);
        let second = refused / SECOND;
        let longest_pause = 15 * 60 + 60;
        assert!(
            (second..second + longest_pause).contains(&down[0].second),
            "{down:?}"
        );
    }
}

/// A world whose clock shows 23:00 when a site of an owner with quiet hours goes down.
fn down_at_night() -> Script {
    let mut script = world_of(3, Place::Internet)
        .with(FaultKind::Clock(14 * 3_600), MINUTE, 0)
        .with_outage(0, 9 * HOUR, 15 * HOUR);
    script.owners[0].quiet = Some((22 * 60, 6 * 60));
    script.calm = 26 * HOUR;
    script
}

#[test]
fn who_is_told_after_quiet_hours_is_told_when_the_clock_turns_out_to_show_day() {
    let right = 9 * HOUR + 30 * MINUTE;
    let world = down_at_night()
        .with(FaultKind::Clock(-14 * 3_600), right, 0)
        .play();
    let down = world.promises.arrivals(EventKind::Down, "owner-0");
    assert_eq!(down.len(), 1);
    let second = right / SECOND;
    assert!((second..second + 120).contains(&down[0].second), "{down:?}");
}

#[test]
fn quiet_hours_end_while_the_machine_sleeps() {
    let (asleep, awake) = (9 * HOUR + 30 * MINUTE, 17 * HOUR + 30 * MINUTE);
    let world = down_at_night()
        .with(FaultKind::Sleep, asleep, awake - asleep)
        .play();
    let down = world.promises.arrivals(EventKind::Down, "owner-0");
    assert_eq!(down.len(), 1);
    let second = awake / SECOND;
    assert!((second..second + 600).contains(&down[0].second), "{down:?}");
}

#[test]
fn reminders_go_on_after_a_restart() {
    let mut script = world_of(3, Place::Internet)
        .with_outage(0, HOUR, 5 * HOUR)
        .with(FaultKind::Killed(0), 3 * HOUR + 30 * MINUTE, MINUTE);
    script.remind = Some(HOUR);
    let world = script.play();
    let reminders = world.promises.arrivals(EventKind::Reminder, "owner-0");
    let hours: Vec<u64> = reminders.iter().map(|it| it.second / 3_600).collect();
    assert_eq!(hours, [2, 3, 4, 5]);
}

#[test]
fn what_was_collecting_goes_on_collecting_after_a_restart() {
    let told = |killed: Option<u64>| {
        let mut script = world_of(3, Place::Internet)
            .with_outage(0, HOUR, 2 * HOUR)
            .with_outage(1, HOUR, 2 * HOUR);
        // The last of several is followed by two minutes of collecting.
        script.digest = 20 * MINUTE;
        if let Some(second) = killed {
            script = script.with(FaultKind::Killed(0), second * SECOND, SECOND);
        }
        let world = script.play();
        world.promises.arrivals(EventKind::Down, "owner-0")
    };
    let whole = told(None);
    assert_eq!(whole.len(), 2);
    let restarted = told(Some(whole[0].second - 60));
    let late = restarted[0].second.abs_diff(whole[0].second);
    assert!(late <= 2, "{whole:?}, restarted {restarted:?}");
    assert_eq!(restarted[0].second, restarted[1].second, "in one message");
}

#[test]
fn whoever_was_escalated_to_is_told_of_the_end_after_a_restart_as_well() {
    let mut script = world_of(3, Place::Internet)
        .with_outage(0, HOUR, 2 * HOUR)
        .with(FaultKind::Killed(0), 2 * HOUR, MINUTE);
    script.owners[0].escalate = Some((1, 10 * MINUTE));
    let world = script.play();
    assert_eq!(world.told(EventKind::Escalated, "owner-1"), 1);
    let recovered = world.promises.arrivals(EventKind::Recovered, "owner-1");
    assert_eq!(recovered.len(), 1);
}

#[test]
fn a_paused_parent_silences_nobody() {
    let mut script = world_of(3, Place::Internet)
        .with_outage(0, HOUR, 8 * HOUR)
        .with(FaultKind::Paused(0), 2 * HOUR, 6 * HOUR)
        .with_outage(1, 3 * HOUR, HOUR);
    script.sites[1].parent = Some(0);
    let world = script.play();
    let down = world.promises.arrivals(EventKind::Down, "owner-0");
    let child = down.iter().find(|down| &*down.site == "site-1");
    assert!(
        child.is_some_and(|child| child.second < 3 * 3_600 + 420),
        "{down:?}"
    );
}

#[test]
fn frozen_workers_are_told_to_the_owners_of_last_resort() {
    let mut script =
        world_of(4, Place::Internet).with(FaultKind::Workers(WorkerFault::Frozen), HOUR, HOUR);
    for site in &mut script.sites {
        site.owners = vec![1];
    }
    let world = script.play();
    let unwatched = |(_, notice): &&(u64, Notice)| matches!(notice, Notice::Unwatched { .. });
    let first = world.notices.iter().find(unwatched);
    assert!(
        first.is_some_and(|(at, _)| *at < HOUR + 17 * MINUTE),
        "{first:?}"
    );
    assert_eq!(world.told(EventKind::Unwatched, "owner-0"), 1);
    assert_eq!(world.told(EventKind::Unwatched, "owner-1"), 0);
    assert_eq!(world.told(EventKind::Watched, "owner-0"), 1);
}

#[test]
fn after_a_restart_nobody_is_told_that_checks_run_again_before_they_do() {
    let world = world_of(4, Place::Internet)
        .with(FaultKind::Workers(WorkerFault::Frozen), HOUR, 2 * HOUR)
        .with(FaultKind::Killed(0), 2 * HOUR, MINUTE)
        .play();
    assert_eq!(world.told(EventKind::Unwatched, "owner-0"), 1);
    let watched = world.promises.arrivals(EventKind::Watched, "owner-0");
    assert_eq!(watched.len(), 1);
    assert!(watched[0].second >= 3 * 3_600, "{watched:?}");
}
