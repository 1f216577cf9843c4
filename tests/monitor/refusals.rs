//! Where there is nothing to show, or nowhere to show it, the program says so and ends.

use super::sites::{ONCE, SIZE, Three, home};
use crate::support::{Squirrel, Terminal, descendants, find};

/// What it says at a terminal before it ends with status 2 and has not taken the screen.
fn refused(squirrel: &Squirrel) -> String {
    let mut terminal = Terminal::start(squirrel, SIZE, []);
    let children = descendants(terminal.pid());
    assert_eq!(terminal.finish(), 2);
    assert!(terminal.has_its_modes_back());
    assert!(children.is_empty());
    let tape = terminal.tape();
    assert_eq!(find(&tape.bytes, b"\x1b"), None, "no escape codes");
    tape.frames.last().unwrap().text()
}

#[test]
fn a_broken_list_is_told_before_the_screen_is_taken() {
    let squirrel = home("interval = 5\ncolour = \"red\"", []);
    let said = refused(&squirrel);
    assert!(
        said.contains("sites.toml:2:12: monitor.interval: "),
        "{said}"
    );
    assert!(said.contains("sites.toml:3:1: "), "{said}");
    assert!(said.contains("colour"), "{said}");
}

#[test]
fn without_a_list_it_says_where_it_looked_and_what_to_do() {
    let said = refused(&Squirrel::new());
    assert!(
        said.starts_with("squirrel: no sites.toml found: there is none in"),
        "{said}"
    );
    assert!(said.contains("squirrel demo"), "{said}");
}

#[test]
fn without_a_terminal_it_says_so_in_one_sentence() {
    let three = Three::new(ONCE);
    for args in [&[][..], &["demo"]] {
        let finished = three.squirrel.run(args.iter().copied());
        assert_eq!(finished.code(), 2);
        finished.assert_no_panic();
        assert_eq!(finished.stdout, b"");
        assert_eq!(finished.stderr.lines().count(), 1, "{}", finished.stderr);
        assert!(
            finished.stderr.contains("not a terminal"),
            "{}",
            finished.stderr
        );
        assert!(!finished.stderr.contains('\x1b'), "{}", finished.stderr);
    }
}
