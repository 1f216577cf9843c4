//! The table: filter, order, selection, freezing, and the help for its keys.

use super::sites::{AT_ONCE, BROKEN, EVERY_SECOND, ONCE, SIZE, Three, WELL, script};
use crate::support::{Frame, Squirrel, Terminal};

fn names(frame: &Frame) -> Vec<&str> {
    let known = ["alpha", "beta", "gamma"];
    let name = |row: &str| known.into_iter().find(|name| row.contains(name));
    frame.rows().filter_map(name).collect()
}

#[test]
fn a_filter_is_typed_kept_and_cleared() {
    let three = Three::new(ONCE);
    let mut terminal = three.watch(SIZE);
    terminal.press("/");
    terminal.wait_text("3 of 3 match");
    terminal.press("be");
    let frame = terminal.wait_text("/ be");
    assert!(frame.has("1 of 3 match"), "{}", frame.text());
    assert_eq!(names(&frame), ["beta"]);
    terminal.press("Enter");
    let frame = terminal.wait_text("filter \"be\": 1 of 3");
    assert!(frame.lines[1].contains("filter "), "{}", frame.text());
    assert_eq!(names(&frame), ["beta"]);
    terminal.press("Esc");
    terminal.wait("all three", |frame| frame.rows().count() == 3);
    terminal.press("/");
    terminal.wait_text("3 of 3 match");
    terminal.press("nobody");
    let frame = terminal.wait_text("/ nobody");
    assert!(frame.has("0 of 3 match"), "{}", frame.text());
    assert!(frame.has("Nothing matches \"nobody\""), "{}", frame.text());
    // A character that is a key elsewhere is text here.
    terminal.press("Ctrl-U");
    terminal.wait_text("3 of 3 match");
    terminal.press("suspect");
    let frame = terminal.wait_text("/ suspect");
    assert_eq!(names(&frame), ["beta"]);
    terminal.press("Esc");
    let frame = terminal.wait("all three", |frame| frame.rows().count() == 3);
    assert!(!frame.has("match"), "{}", frame.text());
}

#[test]
fn the_order_is_changed_by_keys_and_says_what_it_is() {
    let three = Three::new(ONCE);
    let mut terminal = three.watch(SIZE);
    terminal.wait("the failing first", |frame| {
        frame.has("failing first") && names(frame)[0] == "beta"
    });
    for order in ["last down first", "longest down first"] {
        terminal.press("s");
        terminal.wait_text(order);
    }
    terminal.press("s");
    terminal.wait("by name", |frame| {
        frame.has("by name ") && names(frame) == ["alpha", "beta", "gamma"]
    });
    terminal.press("S");
    terminal.wait("by name, reversed", |frame| {
        frame.has("by name, Z to A") && names(frame) == ["gamma", "beta", "alpha"]
    });
}

#[test]
fn the_selection_follows_its_site_when_the_order_changes() {
    let three = Three::new(AT_ONCE);
    let mut terminal = three.watch(SIZE);
    terminal.wait("failing first", |frame| {
        names(frame) == ["beta", "alpha", "gamma"]
    });
    terminal.press("End");
    terminal.wait("gamma", |frame| frame.selection().contains("gamma"));
    let well = WELL.replace("'*'", "'* /alpha'");
    three.well.play(script(&format!("{well}\n{BROKEN}")));
    terminal.press("r");
    let frame = terminal.wait("gamma among the failing", |frame| {
        names(frame).last() == Some(&"alpha") && frame.is("gamma", "DOWN")
    });
    assert!(frame.selection().contains("gamma"), "{}", frame.text());
}

#[test]
fn a_frozen_display_stands_still_and_says_what_it_misses() {
    let three = Three::new(EVERY_SECOND);
    let mut terminal = three.watch(SIZE);
    terminal.wait("beta down", |frame| {
        frame.is("beta", "DOWN") && names(frame)[0] == "beta"
    });
    terminal.press("Space");
    let frozen = terminal.wait_text("FROZEN ");
    three.well.play(script(BROKEN));
    let later = terminal.wait_text(", now 3 DOWN;");
    let table = |frame: &Frame| frame.rows().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(table(&frozen), table(&later), "{}", later.text());
    let banner = later.line(" behind, ").unwrap();
    let (_, behind) = banner.split_once(", ").unwrap();
    let events: usize = behind.split(' ').next().unwrap().parse().unwrap();
    assert!(events > 0 && behind.contains("behind"), "{banner}");
    terminal.press("Space");
    terminal.wait("the truth", |frame| {
        frame.is("alpha", "DOWN") && frame.is("gamma", "DOWN") && !frame.has("FROZEN")
    });
}

#[test]
fn the_help_lists_every_key_of_the_key_table() {
    // So tall that nothing has to be scrolled, and of one column.
    let mut terminal = Terminal::start(&Squirrel::new(), (90, 360), ["demo"]);
    terminal.press("?");
    let frame = terminal.wait_text("PARADIGMS");
    let words = frame.lines.iter().flat_map(|line| line.split_whitespace());
    let help = words.collect::<Vec<_>>().join(" ");
    let labels = uptime_squirrel::paradigm::labels();
    let table = uptime_squirrel::tui::keys_markdown(&labels);
    let mut keys = 0;
    for row in table.lines().skip(2) {
        let mut cells = row.trim_matches('|').splitn(3, '|').skip(1);
        let caption = cells.next().unwrap().replace('`', "");
        let sentence = cells.next().unwrap().trim();
        let entry = format!("{} {sentence}", caption.trim());
        assert!(help.contains(&entry), "{entry}\n{}", frame.text());
        keys += 1;
    }
    assert!(keys > 30, "{table}");
    terminal.press("?");
    terminal.wait("the table again", |frame| frame.rows().count() > 10);
}

#[test]
fn a_help_longer_than_the_screen_is_scrolled_to_its_end() {
    let three = Three::new(ONCE);
    let mut terminal = three.watch((80, 24));
    terminal.press("?");
    terminal.wait_text("lines 1-20 of ");
    terminal.press("End");
    let frame = terminal.wait("the end", |frame| {
        let place = frame
            .line(" lines ")
            .and_then(|line| line.split_once(" lines "));
        let range = place.and_then(|(_, rest)| rest.split_once('-'));
        let ends = range.and_then(|(_, rest)| rest.split_once(" of "));
        ends.is_some_and(|(last, all)| all.split(' ').next() == Some(last))
    });
    assert!(frame.has("[6] ASYNC"), "{}", frame.text());
    terminal.press("q");
    terminal.wait("the table again", |frame| frame.rows().count() == 3);
}
