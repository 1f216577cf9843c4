//! The mouse of a real terminal: what is asked of it, what a click does, and what is given back.

use std::time::Duration;

use super::sites::{ONCE, Three, all_checked};
use crate::support::{Frame, Terminal, find};

/// The monitor on three sites, each checked.
fn shown(three: &Three, args: &[&str]) -> Terminal {
    let mut terminal = Terminal::start(&three.squirrel, (80, 24), args.iter().copied());
    terminal.wait("the table", |frame| {
        frame.rows().count() == 3 && all_checked(frame) && frame.selected.is_some()
    });
    terminal
}

/// What a terminal reports of a button at a text of the frame (SGR, private mode 1006).
fn report(button: u8, frame: &Frame, text: &str) -> String {
    let found = frame.lines.iter().enumerate().find_map(|(row, line)| {
        let column = line.find(text)?;
        Some((line[..column].chars().count() + 1, row + 1))
    });
    let (column, row) = found.unwrap_or_else(|| panic!("no {text:?}: {}", frame.text()));
    format!("\x1b[<{button};{column};{row}M\x1b[<{button};{column};{row}m")
}

#[test]
fn clicks_and_the_wheel_do_what_they_do_elsewhere() {
    let three = Three::new(ONCE);
    let mut terminal = shown(&three, &[]);
    let bytes = terminal.tape().bytes.clone();
    for mode in [&b"\x1b[?1000h"[..], b"\x1b[?1006h"] {
        assert!(find(&bytes, mode).is_some(), "{mode:?}");
    }
    // Motion is not asked for: a hand that moves the mouse would send bytes over ssh.
    for mode in [&b"\x1b[?1002h"[..], b"\x1b[?1003h"] {
        assert!(find(&bytes, mode).is_none(), "{mode:?}");
    }
    for name in ["gamma", "beta", "alpha"] {
        let click = report(0, &terminal.frame(), name);
        terminal.press(&click);
        terminal.wait("the selection", |frame| frame.selection().contains(name));
    }
    let click = report(0, &terminal.frame(), "SITE");
    terminal.press(&click);
    terminal.wait("the order", |frame| {
        frame.has("by name") && frame.has("SITE ↓")
    });
    terminal.press(&click);
    terminal.wait("the other order", |frame| frame.has("SITE ↑"));
    let click = report(0, &terminal.frame(), "Sched");
    terminal.press(&click);
    let frame = terminal.wait_text("[Sched]");
    let click = report(0, &frame, "Sites");
    terminal.press(&click);
    terminal.wait_text("[Sites]");
    terminal.press("?");
    let frame = terminal.wait_text("lines 1-");
    // In two parts, as a slow line brings it.
    let wheel = report(65, &frame, "KEYS HERE");
    let (begin, rest) = wheel.split_at(4);
    terminal.type_parted(&[begin, rest], Duration::from_millis(120));
    terminal.wait_text("lines 4-");
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

#[test]
fn without_the_mouse_nothing_is_asked_and_reports_do_no_harm() {
    let three = Three::new(ONCE);
    let mut terminal = shown(&three, &["--no-mouse"]);
    assert!(find(&terminal.tape().bytes, b"\x1b[?1000h").is_none());
    terminal.press("End");
    terminal.wait("the last row", |frame| frame.selected == Some(5));
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
    assert!(find(&terminal.tape().bytes, b"\x1b[?1006h").is_none());
}

/// The shell that gets the terminal for a while must not get reports as if they were typed.
#[test]
fn a_program_that_is_put_aside_gives_the_mouse_back_and_takes_it_again() {
    let three = Three::new(ONCE);
    let script = r#"set -m; "$@"; echo "back with $?"; read go; fg; echo "over with $?""#;
    let squirrel = three.squirrel.through(["sh", "-c", script, "sh"]);
    let mut terminal = Terminal::start(&squirrel, (80, 24), []);
    terminal.wait("the table", |frame| frame.rows().count() == 3);
    terminal.press("Ctrl-Z");
    terminal.wait_text("back with");
    let count = |terminal: &Terminal, mode: &[u8]| {
        let tape = terminal.tape();
        let windows = tape.bytes.windows(mode.len());
        windows.filter(|window| *window == mode).count()
    };
    let (on, off) = (&b"\x1b[?1000h"[..], &b"\x1b[?1000l"[..]);
    assert_eq!((count(&terminal, on), count(&terminal, off)), (1, 1));
    terminal.press("Enter");
    let frame = terminal.wait("the table again", |frame| {
        frame.alternate && frame.rows().count() == 3
    });
    assert_eq!((count(&terminal, on), count(&terminal, off)), (2, 1));
    let click = report(0, &frame, "gamma");
    terminal.press(&click);
    terminal.wait("the selection", |frame| frame.selection().contains("gamma"));
    terminal.press("Ctrl-C");
    terminal.wait_text("over with");
    assert_eq!((count(&terminal, on), count(&terminal, off)), (2, 2));
    assert_eq!(terminal.finish(), 0);
}
