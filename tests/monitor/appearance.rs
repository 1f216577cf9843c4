//! The appearance of the screen: at every size, without colours, in ASCII alone.

use super::sites::{AT_ONCE, SIZE, Three, all_checked};
use crate::support::{Frame, Squirrel, Terminal, find};

fn demo(size: (u16, u16)) -> Frame {
    let mut terminal = Terminal::start(&Squirrel::new(), size, ["demo"]);
    let frame = terminal.wait("failing sites and good ones", |frame| {
        all_checked(frame) && frame.rows().next().is_some_and(|row| row.contains("DOWN"))
    });
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
    let tape = terminal.tape();
    for frame in &tape.frames {
        assert!(!frame.overflows, "wider than the screen:\n{}", frame.text());
        assert!(frame.lines.len() <= usize::from(size.1));
    }
    frame
}

/// What every screen has, and that the failing come first in it.
fn assert_whole(frame: &Frame, (columns, rows): (u16, u16)) {
    let text = frame.text();
    assert_eq!(frame.lines.len(), usize::from(rows), "{text}");
    let widest = frame.lines.iter().map(|line| line.chars().count()).max();
    assert!(widest <= Some(columns.into()), "{text}");
    assert!(frame.lines[0].contains("[6] ASYNC"), "{text}");
    assert!(frame.lines[0].contains("live "), "{text}");
    assert!(frame.lines[1].contains("DOWN"), "{text}");
    for heading in ["STATE", "SITE", "CODE", "LATENCY", "CHECKS"] {
        assert!(frame.lines[2].contains(heading), "{text}");
    }
    assert!(frame.rows().count() >= 10, "{text}");
    let states: Vec<_> = frame.rows().map(|row| row.contains("DOWN")).collect();
    assert!(states.is_sorted_by(|a, b| a >= b), "failing first:\n{text}");
    assert!(
        frame.lines[usize::from(rows) - 1].starts_with(" ? help  q quit"),
        "{text}"
    );
    assert!(frame.cursor_hidden && frame.alternate);
}

#[test]
fn the_screen_is_whole_at_80x24() {
    assert_whole(&demo((80, 24)), (80, 24));
}

#[test]
fn the_screen_is_whole_at_120x36_and_says_who_ran_what() {
    let frame = demo(SIZE);
    assert_whole(&frame, SIZE);
    for column in ["UP%", "NEXT", "RAN ON", "LATE"] {
        assert!(frame.lines[2].contains(column), "{}", frame.text());
    }
    assert!(frame.row("shop").is_some_and(|row| row.contains("async-")));
}

#[test]
fn the_screen_is_whole_at_200x60_and_shows_every_site() {
    let frame = demo((200, 60));
    assert_whole(&frame, (200, 60));
    assert_eq!(frame.rows().count(), 32, "{}", frame.text());
    for column in ["P50", "P95", "host/pid", "TAGS"] {
        assert!(frame.lines[2].contains(column), "{}", frame.text());
    }
}

/// The picture of three sites, one of them down, after every overlay was opened once.
fn toured(environment: &[(&str, &str)], args: &[&str]) -> Vec<Frame> {
    let three = Three::new(AT_ONCE);
    let mut terminal = Terminal::start_in(&three.squirrel, SIZE, environment, args.iter().copied());
    terminal.wait("one down", |frame| {
        all_checked(frame) && frame.is("beta", "DOWN")
    });
    for (key, sign) in [
        ("?", "Help"),
        ("q", "beta"),
        ("Enter", "Explain"),
        ("q", "gamma"),
    ] {
        terminal.press(key);
        terminal.wait_text(sign);
    }
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
    terminal.tape().frames.clone()
}

#[test]
fn colours_are_used_where_nothing_speaks_against_them() {
    assert!(toured(&[], &[]).iter().any(|frame| frame.coloured));
}

#[test]
fn with_no_color_nothing_is_coloured_and_the_selection_is_still_seen() {
    let frames = toured(&[("NO_COLOR", "1")], &[]);
    assert!(frames.iter().all(|frame| !frame.coloured));
    assert!(
        frames
            .iter()
            .any(|frame| frame.rows().any(|row| row == frame.selection()))
    );
}

#[test]
fn with_ascii_every_cell_is_ascii() {
    for frame in toured(&[], &["--ascii"]) {
        assert!(frame.text().is_ascii(), "{}", frame.text());
    }
}

#[test]
fn a_dumb_terminal_gets_neither_colours_nor_more_than_ascii() {
    for frame in toured(&[("TERM", "dumb")], &[]) {
        assert!(
            !frame.coloured && frame.text().is_ascii(),
            "{}",
            frame.text()
        );
    }
}

/// Green and yellow cannot be read on white, red and blue hardly on black.
#[test]
fn the_colours_are_those_that_can_be_read_on_the_terminal_s_background() {
    let three = Three::new(AT_ONCE);
    let mut terminal = three.watch((80, 24));
    let states = |frame: &Frame| frame.is("beta", "DOWN") && frame.is("alpha", "UP");
    terminal.wait("sites up and down", |frame| {
        states(frame) && frame.colors.contains(&2)
    });
    let asked = find(&terminal.tape().bytes, b"\x1b]11;?\x1b\\");
    assert!(asked.is_some(), "the background is asked for");
    terminal.press("\x1b]11;rgb:ffff/ffff/ffff\x1b\\");
    let frame = terminal.wait("a light screen", |frame| {
        states(frame) && frame.colors.is_subset(&[1, 4].into())
    });
    assert!(frame.colors.contains(&1), "{:?}", frame.colors);
    terminal.press("\x1b]11;rgb:0000/0000/0000\x1b\\");
    let frame = terminal.wait("a dark screen", |frame| {
        states(frame) && frame.colors.contains(&2)
    });
    assert!(
        frame.colors.is_subset(&[2, 6, 9, 11].into()),
        "{:?}",
        frame.colors
    );
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}
