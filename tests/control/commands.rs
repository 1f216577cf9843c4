//! Commands to the running monitor, from another command line.

use rustix::process::Signal;
use serde_json::Value;

use crate::monitor::sites::{AT_ONCE, SIZE, Three, at, home, script};
use crate::monitor::sites::{BROKEN, WELL};
use crate::owners::sites::is;
use crate::support::{Finished, Fleet, Squirrel};

/// Runs a command; its exit status and what it printed, on either stream.
fn told(squirrel: &Squirrel, words: &str) -> (i32, String) {
    let finished: Finished = squirrel.run(words.split(' '));
    finished.assert_no_panic();
    (
        finished.code(),
        format!(
            "{}{}",
            String::from_utf8_lossy(&finished.stdout),
            finished.stderr
        ),
    )
}

fn status(squirrel: &Squirrel) -> Value {
    let finished = squirrel.run(["status", "--format", "json"]);
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    finished.objects().remove(0)
}

#[test]
fn what_is_done_by_command_is_done_kept_and_told_with_who_did_it() {
    let mut fleet = Fleet::new();
    let (well, broken) = (fleet.serve(script(WELL)), fleet.serve(script(BROKEN)));
    let squirrel = home(AT_ONCE, [at(&well, "shop"), at(&broken, "mail")]);
    let list = std::fs::read_to_string(squirrel.dir().join("sites.toml")).unwrap();
    squirrel.write(
        "sites.toml",
        list.replace("name = \"shop\"", "name = \"shop\"\ntags = [\"web\"]"),
    );
    let mut running = squirrel.start(["watch"]);
    running.wait_for("the outage", is("down"));

    let stands = status(&squirrel);
    assert_eq!(stands["pid"], running.pid());
    assert_eq!(
        (&stands["sites"], &stands["down"]),
        (&2.into(), &1.into()),
        "{stands}"
    );
    let outage = &stands["outages"][0];
    assert_eq!(
        (&outage["site"], &outage["reason"]),
        (&"mail".into(), &"status".into())
    );
    assert!(outage["acknowledged"].is_null() && outage["silenced"].is_null());
    let (code, table) = told(&squirrel, "status");
    assert!(code == 0 && table.contains("DOWN mail since "), "{table}");

    let done = [
        ("ack mail --note known", "acknowledged"),
        ("unack mail", "unacknowledged"),
        ("pause shop", "paused"),
        ("resume shop", "resumed"),
        ("recheck mail", "rechecked"),
        ("recheck", "rechecked"),
        ("maintenance mail --for 2h", "maintenance"),
        ("maintenance mail --end", "maintenance_ended"),
        ("maintenance tag:web --for 1m", "maintenance"),
        ("maintenance tag:web --end", "maintenance_ended"),
        ("switch threads --workers 3", "switch_asked"),
    ];
    for (words, event) in done {
        let (code, said) = told(&squirrel, words);
        assert_eq!(code, 0, "{words}: {said}");
        let text = said.trim_end();
        let line = running.wait_for(words, |line| is(event)(line) && line["text"] == *text);
        let by = line["by"].as_str().unwrap();
        assert!(!by.is_empty(), "{line}");
        match words {
            "ack mail --note known" => {
                let stands = status(&squirrel);
                let known = stands["outages"][0]["acknowledged"].as_str().unwrap();
                assert_eq!(known, format!("{by}: known"));
            }
            "maintenance mail --for 2h" => {
                let stands = status(&squirrel);
                assert_eq!(stands["outages"][0]["silenced"], "maintenance");
            }
            "pause shop" => {
                let wrote = || std::fs::read_to_string(squirrel.dir().join("sites.toml")).unwrap();
                crate::support::until("the pause in sites.toml", || {
                    wrote().contains("paused = true")
                });
            }
            _ => {}
        }
    }
    let stands = status(&squirrel);
    assert_eq!(
        (&stands["paradigm"], &stands["workers"]),
        (&"threads".into(), &3.into())
    );

    // Nothing to do, or no such site: 1. A mistake: 2.
    for words in [
        "ack shop",
        "ack nothere",
        "unack mail",
        "resume shop",
        "maintenance mail --end",
        "maintenance tag:nothere --for 1h",
        "switch threads",
    ] {
        let (code, said) = told(&squirrel, words);
        assert_eq!(code, 1, "{words}: {said}");
        assert!(said.starts_with("squirrel: "), "{said}");
    }
    for words in [
        "maintenance mail",
        "maintenance mail --for 31d",
        "maintenance mail --for 1h --end",
        "switch nothere",
        "switch serial --workers 2",
        "pause",
    ] {
        let (code, said) = told(&squirrel, words);
        assert_eq!(code, 2, "{words}: {said}");
    }
    running.signal(Signal::TERM);
    assert_eq!(running.finish().code(), 0);
    let (code, said) = told(&squirrel, "status");
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("no monitor runs"), "{said}");
}

#[test]
fn maintenance_of_two_hours_is_in_force_after_a_restart() {
    let mut fleet = Fleet::new();
    let broken = fleet.serve(script(BROKEN));
    let squirrel = home(AT_ONCE, [at(&broken, "mail")]);
    for begin in [true, false] {
        let mut running = squirrel.start(["watch"]);
        running.wait_for("the start", is("started"));
        if begin {
            assert_eq!(told(&squirrel, "maintenance mail --for 2h").0, 0);
        } else {
            running.wait_for("an outage, that was known before or is now", |_| true);
            let silenced = || {
                let outages = &status(&squirrel)["outages"];
                outages[0]["silenced"] == "maintenance"
            };
            crate::support::until("a silenced outage", silenced);
        }
        running.signal(Signal::TERM);
        assert_eq!(running.finish().code(), 0);
    }
}

#[test]
fn a_screen_shows_what_somebody_did_elsewhere_and_takes_commands_as_well() {
    let three = Three::new(AT_ONCE);
    let mut terminal = three.watch(SIZE);
    terminal.wait("the outage", |frame| frame.is("beta", "DOWN"));
    let (code, said) = told(&three.squirrel, "pause alpha");
    assert_eq!(code, 0, "{said}");
    terminal.wait("the pause", |frame| frame.is("alpha", "PAUSED"));
    assert_eq!(told(&three.squirrel, "ack beta").0, 0);
    terminal.wait("the acknowledgement", |frame| {
        frame.has(": the outage of beta is acknowledged")
    });
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
    assert_eq!(told(&three.squirrel, "status").0, 3);
}
