//! Every error that ends a command is printed in one form, `squirrel: WHAT: WHY`, whatever
//! command it ends: real command lines, and the line that each prints on standard error.

use crate::support::Squirrel;

/// A home with files of each kind that can stand in the way.
fn home(squirrel: Squirrel) -> Squirrel {
    let site = "[[sites]]\nurl = \"http://127.0.0.1:1\"\n";
    squirrel.write("good.toml", site);
    squirrel.write("ca.toml", format!("[monitor]\nca_file = \"text\"\n{site}"));
    squirrel.write("text", "no list of anything");
    squirrel.write("latin", b"a\n\xff\n");
    squirrel.write("list", "https://example.org\n");
    squirrel.write("cut.jsonl", "{\"at\": \"2026");
    squirrel.write("type.jsonl", "{\"at\": 5}\n");
    let head = "at,name,url,verdict,reason,status,latency_ms,late_ms";
    squirrel.write("short.csv", format!("{head}\n1,2\n"));
    squirrel.write("time.csv", format!("{head}\nnoon,a,http://a,up,,200,1,0\n"));
    std::fs::create_dir(squirrel.dir().join("folder")).unwrap();
    squirrel
}

/// Runs each command line; `expected` is all of standard error up to its first line's end.
fn check(squirrel: &Squirrel, lines: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (line, expected) in lines {
        let finished = squirrel.run(line.split(' '));
        finished.assert_no_panic();
        let said = finished.stderr.lines().next().unwrap_or_default();
        if said != *expected || finished.code() != 2 {
            let code = finished.code();
            wrong.push(format!(
                "squirrel {line}\n  expected {expected}\n  said     {said} (status {code})"
            ));
        }
        for noise in ["os error", "Os {", "Error(", "rusqlite", "serde"] {
            assert!(!finished.stderr.contains(noise), "{}", finished.stderr);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_file_that_is_not_there_is_told_alike_by_every_command() {
    let read = "squirrel: /none/x: cannot be read: there is no such file";
    let written = "squirrel: /none/x: cannot be written: there is no such folder";
    check(
        &home(Squirrel::new()),
        &[
            ("--config /none/x", read),
            ("check --config /none/x", read),
            ("--config /none/x check", read),
            ("-c /none/x --log-level off check", read),
            ("--config=/none/x config check", read),
            ("config --config /none/x check", read),
            ("--history text --config /none/x report", read),
            ("watch --config /none/x", read),
            ("race --config /none/x", read),
            ("config check --config /none/x", read),
            ("notify test ops --config /none/x", read),
            ("report --config /none/x", read),
            ("demo --notify /none/x", read),
            ("import gatus /none/x", read),
            ("import kuma /none/x", read),
            ("import list /none/x", read),
            ("history import /none/x", read),
            ("check --config good.toml --trace /none/x", written),
            ("race --workload sleep --trace /none/x", written),
            ("import list list --output /none/x", written),
            // A history that is not there yet is no fault: it says who makes one.
            (
                "report --history /none/x",
                "squirrel: /none/x: there is no history yet; squirrel and squirrel watch keep one",
            ),
            (
                "history export --history /none/x",
                "squirrel: /none/x: there is no history yet; squirrel and squirrel watch keep one",
            ),
            (
                "replay --confirm 3 --history /none/x",
                "squirrel: /none/x: there is no history yet; squirrel and squirrel watch keep one",
            ),
        ],
    );
}

#[test]
fn a_folder_in_the_place_of_a_file_is_told_alike_by_every_command() {
    let read = "squirrel: folder: cannot be read: it is a folder";
    let written = "squirrel: folder: cannot be written: it is a folder";
    check(
        &home(Squirrel::new()),
        &[
            ("--config folder", read),
            ("check --config folder", read),
            ("watch --config folder", read),
            ("config check --config folder", read),
            ("import gatus folder", read),
            ("import blackbox folder", read),
            ("history import folder", read),
            ("report --history folder", read),
            ("replay --confirm 3 --history folder", read),
            ("history export --history folder", read),
            ("history compact --history folder", read),
            ("check --config good.toml --trace folder", written),
            ("history import type.jsonl --history folder", written),
            (
                "man --folder text",
                "squirrel: text: the folder cannot be made: a file of that name is there",
            ),
            (
                "history import type.jsonl --history text/history.db",
                "squirrel: text: the folder cannot be made: a file of that name is there",
            ),
        ],
    );
}

#[test]
fn a_file_that_may_not_be_read_is_told_alike_by_every_command() {
    // Root may read everything unless it gives that up.
    let ordinary = "if [ $(id -u) = 0 ]; then exec setpriv \
                    --bounding-set=-dac_override,-dac_read_search \"$@\"; else exec \"$@\"; fi";
    let squirrel = home(Squirrel::new().through(["sh", "-c", ordinary, "sh"]));
    for name in ["list", "good.toml"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::Permissions::from_mode(0o000);
        std::fs::set_permissions(squirrel.dir().join(name), mode).unwrap();
    }
    let denied = "squirrel: list: cannot be read: permission denied";
    check(
        &squirrel,
        &[
            (
                "check --config good.toml",
                "squirrel: good.toml: cannot be read: permission denied",
            ),
            ("import list list", denied),
            ("history import list", denied),
            ("report --history list", denied),
            (
                "check http://127.0.0.1:1 --trace list",
                "squirrel: list: cannot be written: permission denied",
            ),
        ],
    );
}

#[test]
fn a_full_disk_is_told_alike_by_every_command() {
    let squirrel = home(Squirrel::new().through(["sh", "-c", "exec \"$@\" >/dev/full", "sh"]));
    let full = "squirrel: standard output: cannot be written: the disk is full";
    check(
        &squirrel,
        &[
            ("check --config good.toml", full),
            ("check --config good.toml --format json", full),
            ("config check --config good.toml", full),
            ("import list list", full),
            ("race --explain", full),
            ("completions bash", full),
            ("man", full),
            ("--help", full),
            ("check --help", full),
        ],
    );
    let full = "squirrel: /dev/full: cannot be written: the disk is full\n";
    let squirrel = home(Squirrel::new());
    for line in [
        "check --config good.toml --trace /dev/full",
        "race --workload sleep --jobs 1 --rounds 1 --paradigm serial --trace /dev/full",
    ] {
        let finished = squirrel.run(line.split(' '));
        assert_eq!(finished.code(), 2, "{line}");
        assert!(finished.stderr.ends_with(full), "{}", finished.stderr);
    }
}

#[test]
fn a_mistake_of_the_command_line_is_told_in_the_same_form() {
    let twice = "squirrel: the argument '--config <FILE>' cannot be used multiple times";
    check(
        &home(Squirrel::new()),
        &[
            (
                "--no-such",
                "squirrel: unexpected argument '--no-such' found",
            ),
            ("no-such", "squirrel: unrecognized subcommand 'no-such'"),
            ("--config good.toml --config text check", twice),
            ("check --config good.toml --config text", twice),
        ],
    );
}

#[test]
fn what_is_wrong_with_a_file_s_content_is_told_with_its_name() {
    let line = "not a line of squirrel history export";
    let rest = "the lines before it are imported";
    let of = |place: &str, why: &str| format!("squirrel: {place}: {line}: {why}; {rest}");
    let (cut, kind) = (
        of("cut.jsonl:1", "it ends in the middle"),
        of(
            "type.jsonl:1",
            "invalid type: integer `5`, expected a string",
        ),
    );
    let (short, time) = (
        of("short.csv:2", "2 columns instead of 8"),
        of(
            "time.csv:2",
            "expected a time such as 2026-01-31T12:00:00.123456Z",
        ),
    );
    check(
        &home(Squirrel::new()),
        &[
            // A mistake of the configuration has a form of its own, with its place.
            (
                "check --config latin",
                "latin:2:1: not UTF-8 text from here on",
            ),
            ("import list latin", "squirrel: latin:2: not UTF-8 text"),
            (
                "check --config ca.toml",
                "ca.toml:2:11: monitor.ca_file: the file \"text\" holds no certificate in PEM",
            ),
            (
                "check ftp://example.org",
                "squirrel: command line: URL 1: expected an http or https URL such as \
                 \"https://example.org\", got \"ftp://example.org\"",
            ),
            (
                "report --history text",
                "squirrel: text: no history of squirrel",
            ),
            (
                "history import text",
                "squirrel: text: neither what squirrel history export writes nor a database of \
                 Uptime Kuma or Gatus",
            ),
            ("history import cut.jsonl --history new.db", &cut),
            ("history import type.jsonl --history new.db", &kind),
            ("history import short.csv --history new.db", &short),
            ("history import time.csv --history new.db", &time),
            (
                "import list list --output text",
                "squirrel: text: it is there already; --force writes over it",
            ),
        ],
    );
}

#[test]
fn where_there_is_nothing_to_begin_with_it_says_what_is_missing() {
    check(
        &home(Squirrel::new()),
        &[
            (
                "report --history none",
                "squirrel: --history none: nothing is kept, so there is nothing to read",
            ),
            (
                "replay",
                "squirrel: no other rule: give --confirm, --recover, --timeout or --slow",
            ),
            (
                "notify test ops --config good.toml",
                "squirrel: good.toml: no [owners.ops]: it has no owner",
            ),
            (
                "worker --broker nonsense",
                "squirrel: --broker: expected a Redis URL such as \"redis://127.0.0.1:6379/0\"",
            ),
            (
                "check --config good.toml --broker nonsense",
                "squirrel: --broker: expected a Redis URL such as \"redis://127.0.0.1:6379/0\"",
            ),
            (
                "watch --config good.toml --metrics 192.0.2.1:9115",
                "squirrel: no metrics at 192.0.2.1:9115: this machine does not have that address",
            ),
        ],
    );
}
