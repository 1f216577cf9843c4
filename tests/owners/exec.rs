//! A program of the owner: what it gets, and that one which hangs, forks or writes without an
//! end is ended.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::hooks::test;
use super::sites::{WELL, home};
use crate::monitor::sites::script;
use crate::support::{Fleet, Squirrel, process_state, until};

/// A home whose owner has a program with this text, called with two arguments.
fn with_program(fleet: &mut Fleet, text: &str) -> Squirrel {
    let site = fleet.serve(script(WELL));
    let squirrel = home(
        fleet,
        &site,
        "exec = [\"PROGRAM\", \"--loud\", \"$(id) a b\"]",
        "",
    );
    let program = squirrel.dir().join("program");
    squirrel.write(
        "program",
        format!("#!/bin/sh\ncd \"$(dirname \"$0\")\"\n{text}\n"),
    );
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let file = std::fs::read_to_string(squirrel.dir().join("sites.toml")).unwrap();
    squirrel.write(
        "sites.toml",
        file.replace("PROGRAM", program.to_str().unwrap()),
    );
    squirrel
}

#[test]
fn a_program_gets_the_event_and_its_arguments_without_a_shell() {
    let mut fleet = Fleet::new();
    let squirrel = with_program(
        &mut fleet,
        "cat > event.json; printf '%s\\n' \"$1\" \"$2\" > arguments; echo told",
    );
    let (code, said) = test(&squirrel, Some("down"));
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("sent: told"), "{said}");
    let read = |name: &str| std::fs::read_to_string(squirrel.dir().join(name)).unwrap();
    assert_eq!(read("arguments"), "--loud\n$(id) a b\n");
    let event: Value = serde_json::from_str(&read("event.json")).unwrap();
    assert_eq!(
        (&event["event"], &event["site"]),
        (&"down".into(), &"shop".into())
    );
}

#[test]
fn how_a_program_fails_is_told() {
    let mut fleet = Fleet::new();
    for (text, words) in [
        (
            "echo why >&2; exit 3",
            "FAILED: it ended with status 3: why",
        ),
        ("kill -9 $$", "FAILED: signal 9 ended it"),
        ("exec < /dev/null; exit 1", "FAILED: it ended with status 1"),
    ] {
        let squirrel = with_program(&mut fleet, text);
        let (code, said) = test(&squirrel, None);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains(words), "{said}");
    }
    let squirrel = with_program(&mut fleet, "exit 0");
    std::fs::remove_file(squirrel.dir().join("program")).unwrap();
    let (code, said) = test(&squirrel, None);
    assert_eq!(code, 1, "{said}");
    assert!(!said.contains("os error"), "{said}");
}

/// Waits until the process whose number stands in a file is gone.
fn wait_for_the_end(squirrel: &Squirrel, file: &str) {
    let pid = std::fs::read_to_string(squirrel.dir().join(file)).unwrap();
    let pid = pid.trim().parse().unwrap();
    until("the end of a process", || {
        matches!(process_state(pid), None | Some('Z' | 'X'))
    });
}

#[test]
fn children_that_a_program_leaves_behind_are_ended_with_it() {
    let mut fleet = Fleet::new();
    let squirrel = with_program(&mut fleet, "sleep 600 & echo $! > child; echo told");
    let begun = Instant::now();
    let (code, said) = test(&squirrel, None);
    assert_eq!(code, 0, "{said}");
    // Its output was held open by the child.
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
    wait_for_the_end(&squirrel, "child");
}

#[test]
fn a_program_that_hangs_or_writes_without_an_end_is_ended_after_30_s() {
    let mut fleet = Fleet::new();
    let squirrels = [
        "echo $$ > self; sleep 600 & echo $! > child; wait",
        "echo $$ > self; cat /dev/zero & echo $! > child; wait",
    ]
    .map(|text| with_program(&mut fleet, text));
    std::thread::scope(|scope| {
        for squirrel in &squirrels {
            scope.spawn(move || {
                let (code, said) = test(squirrel, None);
                assert_eq!(code, 1, "{said}");
                assert!(said.contains("FAILED: no answer within 30 s"), "{said}");
                wait_for_the_end(squirrel, "self");
                wait_for_the_end(squirrel, "child");
            });
        }
    });
}
