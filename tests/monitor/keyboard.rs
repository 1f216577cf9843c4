//! Keys, pastes and answers of the terminal that arrive in several reads, as over ssh, from tmux
//! 3.5 and on serial lines.

use std::time::Duration;

use super::sites::{ONCE, SIZE, Three, all_checked};
use crate::support::{Frame, Terminal};

/// The pauses between two parts, in milliseconds: some shorter than an Esc is held, and longer.
const PAUSES: [u64; 4] = [5, 30, 70, 100];

/// The monitor on three sites, each checked.
fn shown(three: &Three) -> Terminal {
    let mut terminal = three.watch(SIZE);
    terminal.wait("the table", |frame| {
        frame.rows().count() == 3 && all_checked(frame) && frame.selected.is_some()
    });
    terminal
}

/// Whether the checks run as they did at the start: no byte was taken for the key of a paradigm.
fn is_unchanged(frame: &Frame) -> bool {
    frame.has("[6] ASYNC") && !frame.has("switched")
}

/// Whether the site of that row is selected.
fn is_at(frame: &Frame, row: usize) -> bool {
    frame.selected == Some(3 + row)
}

#[test]
fn a_cursor_key_in_two_parts_moves_the_selection_and_switches_nothing() {
    let three = Three::new(ONCE);
    let mut terminal = shown(&three);
    for pause in PAUSES {
        let pause = Duration::from_millis(pause);
        for (key, row) in [("\x1b[B", 1), ("\x1bOB", 2), ("\x1b[A", 1), ("\x1bOA", 0)] {
            for place in 1..key.len() {
                terminal.type_parted(&[&key[..place], &key[place..]], pause);
                let frame = terminal.wait("the selection to move", |frame| is_at(frame, row));
                assert!(is_unchanged(&frame), "{key:?} {pause:?}\n{}", frame.text());
                if place + 1 < key.len() {
                    // Back, to come again with other parts.
                    terminal.press(if key.ends_with('B') { "Up" } else { "Down" });
                    terminal.wait("the selection before", |frame| !is_at(frame, row));
                }
            }
        }
    }
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

#[test]
fn a_function_key_in_two_parts_opens_its_screen() {
    let three = Three::new(ONCE);
    let mut terminal = shown(&three);
    for pause in PAUSES {
        let pause = Duration::from_millis(pause);
        for place in 1.."\x1b[15~".len() {
            terminal.type_parted(&[&"\x1b[15~"[..place], &"\x1b[15~"[place..]], pause);
            let frame = terminal.wait_text("No outage on record");
            assert!(is_unchanged(&frame), "{}", frame.text());
            terminal.type_parted(&["\x1bO", "P"], pause);
            terminal.wait("the sites", |frame| frame.rows().count() == 3);
        }
    }
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

#[test]
fn pasted_text_is_text_wherever_it_is_parted() {
    let three = Three::new(ONCE);
    let mut terminal = shown(&three);
    let paste = "\x1b[200~12345]alp\x1b[201~";
    for (pause, place) in PAUSES.into_iter().flat_map(|pause| {
        let places = [1, 2, 4, 8, paste.len() - 5, paste.len() - 1];
        places.map(|place| (Duration::from_millis(pause), place))
    }) {
        // Where nothing is typed it does nothing at all.
        terminal.type_parted(&[&paste[..place], &paste[place..]], pause);
        terminal.press("/");
        terminal.wait_text("of 3 match");
        terminal.type_parted(&[&paste[..place], &paste[place..]], pause);
        // Of an Esc that stands alone for so long nobody knows that more comes: it ends the
        // filter, and what follows is no key.
        if place > 1 || pause < Duration::from_millis(50) {
            let frame = terminal.wait_text("12345]alp");
            assert!(is_unchanged(&frame), "{place} {pause:?}\n{}", frame.text());
            terminal.press("Esc");
        }
        let frame = terminal.wait("all sites", |frame| {
            frame.rows().count() == 3 && !frame.has("12345")
        });
        assert!(is_unchanged(&frame), "{place} {pause:?}\n{}", frame.text());
    }
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

#[test]
fn late_answers_of_the_terminal_are_no_keys() {
    let three = Three::new(ONCE);
    let mut terminal = shown(&three);
    let answers = [
        "\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\",
        "\x1b]4;1;rgb:cdcd/0000/0000\x07",
        "\x1bP1+r5463=7878\x1b\\",
        "\x1bP>|tmux 3.5a\x1b\\",
        "\x1b_Gi=31;OK\x1b\\",
        "\x1b[12;40R",
        "\x1b[?62;4;22c",
        "\x1b[>84;0;0c",
        "\x1b[?2026;2$y",
        "\x1b[8;36;120t",
        "\x1b[M !!",
    ];
    for (number, answer) in answers.into_iter().enumerate() {
        let middle = answer.len() / 2;
        for place in [1, 2, middle, answer.len() - 1] {
            let pause = Duration::from_millis(PAUSES[(number + place) % PAUSES.len()]);
            terminal.type_parted(&[&answer[..place], &answer[place..]], pause);
            terminal.press("?");
            let frame = terminal.wait_text("─ Help:");
            assert!(is_unchanged(&frame), "{answer:?}\n{}", frame.text());
            terminal.press("?");
            let frame = terminal.wait("the table", |frame| frame.rows().count() == 3);
            assert!(is_at(&frame, 0), "{answer:?}\n{}", frame.text());
        }
    }
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

#[test]
fn the_help_is_searched_and_given_back_whole() {
    let three = Three::new(ONCE);
    let mut terminal = three.watch((80, 24));
    terminal.wait("the table", |frame| frame.rows().count() == 3);
    terminal.press("?");
    terminal.wait("the help", |frame| {
        frame.has("KEYS HERE") && frame.has("/ searches")
    });
    terminal.press("/");
    terminal.press("maintenance owners");
    terminal.wait("what is found", |frame| {
        frame.has("Begin an hour of maintenance") && !frame.has("KEYS HERE")
    });
    // Keys of the screen below are text here.
    terminal.press(" q");
    terminal.wait_text("Nothing in the help has");
    terminal.press("Esc");
    terminal.wait_text("KEYS HERE");
    terminal.press("q");
    terminal.wait("the table again", |frame| frame.rows().count() == 3);
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}
