//! A wall clock that is set while a monitor runs: libfaketime in the real program.

use jiff::{SignedDuration, Timestamp};
use rustix::process::Signal;
use serde_json::Value;

use super::sites::{named, run};
use crate::monitor::sites::script;
use crate::owners::sites::{BROKEN, WELL, home_of, is};
use crate::support::{Answer, Fleet, PostServer, Squirrel, faketime, until};

const HALF_AN_HOUR: SignedDuration = SignedDuration::from_mins(30);

/// When a check was started, by the clock that the program sees.
fn started(line: &Value) -> Option<Timestamp> {
    line["started_at"].as_str()?.parse().ok()
}

/// The program under a wall clock that the file `clock` sets; the other clocks are the system's.
fn with_clock(squirrel: Squirrel) -> Squirrel {
    let clock = format!(
        "FAKETIME_TIMESTAMP_FILE={}",
        squirrel.dir().join("clock").display()
    );
    let preload = format!("LD_PRELOAD={}", faketime());
    squirrel.write("clock", "+0");
    squirrel.through([
        "env",
        "DONT_FAKE_MONOTONIC=1",
        "FAKETIME_DONT_FAKE_MONOTONIC=1",
        "FAKETIME_NO_CACHE=1",
        &clock,
        &preload,
    ])
}

#[test]
fn the_report_says_how_long_an_outage_lasted_though_the_clock_was_set_meanwhile() {
    for (step, since) in [("-3600", "2h"), ("+3600", "3h")] {
        let mut fleet = Fleet::new();
        let site = fleet.serve(script(BROKEN));
        let squirrel = with_clock(home_of(&fleet, &[("shop", &site)], "", ""));
        let mut running = squirrel.start(["watch", "--history", "history.db", "--results"]);
        running.wait_for("the outage", is("down"));
        let first = running.wait_for("a check", |line| started(line).is_some());
        let first = started(&first).unwrap();
        squirrel.replace("clock", step);
        running.wait_for("a check of another hour", |line| {
            started(line).is_some_and(|at| at.duration_since(first).abs() > HALF_AN_HOUR)
        });
        site.play(script(WELL));
        let recovered = running.wait_for("the recovery", is("recovered"));
        running.signal(Signal::TERM);
        assert_eq!(running.finish().code(), 0);
        let lasted = recovered["duration_s"].as_f64().unwrap();
        assert!((0.0..600.0).contains(&lasted), "{recovered}");
        let report = ["report", "--format", "json", "--since", since];
        let rows: Vec<Value> = run(&squirrel, &report).objects();
        for figure in ["downtime_s", "mttr_s"] {
            let seconds = named(&rows, "shop")[figure].as_f64().unwrap();
            let apart = (seconds - lasted).abs();
            assert!(apart < 0.05, "{step}: {figure} is {seconds}, not {lasted}");
        }
    }
}

/// The pause before the next try is of seconds; by a clock that was set back it would be of hours.
#[test]
fn a_message_that_was_refused_is_tried_again_in_seconds_though_the_clock_was_set_meanwhile() {
    for step in ["-10800", "+10800", "-2592000"] {
        let mut fleet = Fleet::new();
        let site = fleet.serve(script(BROKEN));
        let refused = Answer::Says("503 Service Unavailable", "", "");
        let taken = Answer::Says("200 OK", "", "");
        let hook = PostServer::start(&fleet, [refused.clone(), refused, taken]);
        let owner = format!("webhook = '{}'", hook.url());
        let squirrel = with_clock(home_of(&fleet, &[("shop", &site)], &owner, ""));
        let mut running = squirrel.start(["watch", "--history", "history.db"]);
        until("the first try", || hook.posted().len() == 1);
        squirrel.replace("clock", step);
        running.wait_for("the third try", is("notified"));
        assert_eq!(hook.posted().len(), 3, "{step}");
        running.signal(Signal::TERM);
        assert_eq!(running.finish().code(), 0);
    }
}
