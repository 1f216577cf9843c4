//! The mouse: clicks mean what stands in the frame that was seen, and the wheel scrolls.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::fixture::Fixture;
use crate::tui::input::{InputKind, MouseInput, MouseKind, TerminalInput};
use crate::tui::sched_fixture::Crew;
use crate::tui::ui::Ui;
use crate::tui::view_model::ViewModel;

use super::harness::{LARGE, MEDIUM, SMALL, lines, press, screen, type_text};
use super::outages::fixture;
use super::sched::{THREADS, model, sweep};

/// The frame as the terminal shows it: what a click means is known from then on.
fn shown(ui: &mut Ui, model: &ViewModel<'_>, (columns, rows): (u16, u16)) -> Vec<String> {
    ui.tick(model);
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
    let targets = ui.draw(model, &mut buffer);
    ui.drawn(model);
    ui.aim(targets);
    lines(&buffer)
}

fn mouse(ui: &mut Ui, model: &ViewModel<'_>, kind: MouseKind, cell: (u16, u16)) {
    let input = TerminalInput(InputKind::Mouse(MouseInput { kind, cell }));
    assert_eq!(ui.input(&input, model), None);
}

/// The cell of the first character of `text`.
fn cell_of(lines: &[String], text: &str) -> (u16, u16) {
    let found = lines.iter().enumerate().find_map(|(row, line)| {
        let column = line.find(text)?;
        Some((line[..column].chars().count() as u16, row as u16))
    });
    found.unwrap_or_else(|| panic!("no {text:?} in\n{}", lines.join("\n")))
}

/// Clicks on a text of the frame, and gives the next frame.
fn click(ui: &mut Ui, model: &ViewModel<'_>, size: (u16, u16), text: &str) -> Vec<String> {
    let cell = cell_of(&shown(ui, model, size), text);
    mouse(ui, model, MouseKind::Click, cell);
    shown(ui, model, size)
}

/// The reversed line of a frame.
fn selected(ui: &Ui, model: &ViewModel<'_>, (columns, rows): (u16, u16)) -> String {
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
    ui.draw(model, &mut buffer);
    let is_reversed = |row: &u16| {
        let cell = &buffer[(1, *row)];
        cell.modifier.contains(ratatui::style::Modifier::REVERSED)
    };
    let row = (0..rows).find(is_reversed);
    row.map_or_else(String::new, |row| lines(&buffer)[usize::from(row)].clone())
}

#[test]
fn a_click_selects_the_site_that_was_seen_there() {
    let fixture = Fixture::mixed();
    let model = fixture.model();
    for size in [SMALL, MEDIUM, LARGE] {
        let mut ui = screen(size, &fixture);
        for name in ["www.example", "api.example", "pay.example"] {
            click(&mut ui, &model, size, name);
            let row = selected(&ui, &model, size);
            assert!(row.contains(name), "{size:?} {name}: {row}");
        }
        // Beside rows nothing happens.
        let before = selected(&ui, &model, size);
        mouse(&mut ui, &model, MouseKind::Click, (3, size.1 - 1));
        mouse(&mut ui, &model, MouseKind::Click, (900, 900));
        assert_eq!(selected(&ui, &model, size), before);
    }
}

#[test]
fn a_click_on_a_heading_sorts_by_it_and_a_second_one_turns_the_order() {
    let fixture = Fixture::mixed();
    let model = fixture.model();
    let mut ui = screen(LARGE, &fixture);
    for (heading, words, turned) in [
        ("SITE", "by name", "by name, Z to A"),
        ("LATENCY", "slowest first", "fastest first"),
        ("UP%", "lowest UP% first", "highest UP% first"),
        ("NEXT", "next check first", "next check last"),
        ("LATE ", "latest first", "least late first"),
        ("STATE", "failing first", "failing last"),
    ] {
        let cell = cell_of(&shown(&mut ui, &model, LARGE), heading);
        mouse(&mut ui, &model, MouseKind::Click, cell);
        let text = shown(&mut ui, &model, LARGE).join("\n");
        assert!(text.contains(words), "{heading}: {text}");
        mouse(&mut ui, &model, MouseKind::Click, cell);
        let text = shown(&mut ui, &model, LARGE).join("\n");
        assert!(text.contains(turned), "{heading}: {text}");
    }
    // No order goes by the code.
    let text = click(&mut ui, &model, LARGE, "CODE").join("\n");
    assert!(text.contains("failing last"), "{text}");
    // The list of a frozen display stays as it is.
    press(&mut ui, &model, "Space");
    let text = click(&mut ui, &model, LARGE, "SITE").join("\n");
    assert!(
        text.contains("failing last") || text.contains("is frozen"),
        "{text}"
    );
    press(&mut ui, &model, "Space");
}

#[test]
fn a_click_on_a_title_goes_to_its_screen_from_whatever_lies_over_another() {
    let fixture = Fixture::mixed();
    let model = fixture.model();
    for size in [SMALL, MEDIUM] {
        for keys in ["F1", "F3", "Enter", "?", "? /", "d", "M", "/"] {
            let mut ui = screen(size, &fixture);
            press(&mut ui, &model, keys);
            for title in ["Sched", "Race", "Lab", "Outages", "Sites"] {
                let first = &click(&mut ui, &model, size, title)[0];
                let tab = format!("[{title}]");
                assert!(first.contains(&tab), "{keys}, {title}: {first}");
            }
            let all = shown(&mut ui, &model, size).join("\n");
            assert!(all.contains("STATE"), "{keys}: {all}");
        }
    }
}

#[test]
fn what_is_typed_is_not_lost_by_a_click() {
    let fixture = Fixture::mixed();
    let model = fixture.model();
    let mut ui = screen(MEDIUM, &fixture);
    // A note belongs to the site for which it was begun.
    press(&mut ui, &model, "a");
    type_text(&mut ui, &model, "on it");
    let before = shown(&mut ui, &model, MEDIUM);
    assert!(
        before.join("\n").contains("note on"),
        "{}",
        before.join("\n")
    );
    for text in ["Sched", "SITE", "www.example"] {
        assert_eq!(click(&mut ui, &model, MEDIUM, text), before, "{text}");
    }
    mouse(
        &mut ui,
        &model,
        MouseKind::WheelDown,
        cell_of(&before, "www.example"),
    );
    assert_eq!(shown(&mut ui, &model, MEDIUM), before);
    press(&mut ui, &model, "Esc");
    // Rows can be selected while a filter is typed, and it is kept.
    press(&mut ui, &model, "/");
    type_text(&mut ui, &model, "example");
    click(&mut ui, &model, MEDIUM, "www.example");
    assert!(selected(&ui, &model, MEDIUM).contains("www.example"));
    let text = click(&mut ui, &model, MEDIUM, "Outages").join("\n");
    assert!(!text.contains("/ example"), "{text}");
    let text = click(&mut ui, &model, MEDIUM, "Sites").join("\n");
    assert!(text.contains("filter \"example\""), "{text}");
}

#[test]
fn a_click_is_no_answer_to_a_question() {
    let fixture = Fixture::mixed();
    let model = fixture.model();
    let mut ui = screen(MEDIUM, &fixture);
    assert_eq!(press(&mut ui, &model, "q"), []);
    let text = click(&mut ui, &model, MEDIUM, "www.example").join("\n");
    assert!(text.contains("press q again to quit"), "{text}");
    assert_eq!(press(&mut ui, &model, "q"), [], "asked anew");
    assert_eq!(press(&mut ui, &model, "q").len(), 1);
}

#[test]
fn the_wheel_scrolls_what_lies_in_front() {
    let fixture = Fixture::many(200);
    let model = fixture.model();
    let mut ui = screen(SMALL, &fixture);
    let frame = shown(&mut ui, &model, SMALL);
    let middle = (40, 12);
    let place = |frame: &[String]| frame[22].split_whitespace().last().unwrap().to_owned();
    assert_eq!(place(&frame), "1/200");
    mouse(&mut ui, &model, MouseKind::WheelDown, middle);
    assert_eq!(place(&shown(&mut ui, &model, SMALL)), "4/200");
    mouse(&mut ui, &model, MouseKind::WheelUp, middle);
    assert_eq!(place(&shown(&mut ui, &model, SMALL)), "1/200");
    press(&mut ui, &model, "?");
    mouse(&mut ui, &model, MouseKind::WheelDown, middle);
    let text = shown(&mut ui, &model, SMALL).join("\n");
    assert!(text.contains(" lines 4-"), "{text}");
    press(&mut ui, &model, "Esc");
    assert_eq!(place(&shown(&mut ui, &model, SMALL)), "1/200");
    // Nothing scrolls on Race and Lab: the number of jobs is not changed by a wheel.
    for view in ["F3", "F4"] {
        press(&mut ui, &model, view);
        let before = shown(&mut ui, &model, SMALL);
        mouse(&mut ui, &model, MouseKind::WheelDown, middle);
        mouse(&mut ui, &model, MouseKind::WheelUp, middle);
        mouse(&mut ui, &model, MouseKind::WheelUp, middle);
        assert_eq!(shown(&mut ui, &model, SMALL), before, "{view}");
    }
}

#[test]
fn outages_and_messages_are_selected_sorted_and_scrolled() {
    let fixture = fixture();
    let model = fixture.model();
    for size in [SMALL, MEDIUM] {
        let mut ui = screen(size, &fixture);
        press(&mut ui, &model, "F5");
        for (heading, sorted) in [
            ("LASTS", "↓LASTS"),
            ("LASTS", "↑LASTS"),
            ("OUTAGE", "OUTAGE↓"),
            ("SINCE", "SINCE ↓"),
            ("SINCE", "SINCE ↑"),
            ("SINCE", "SINCE ↓"),
        ] {
            let text = click(&mut ui, &model, size, heading).join("\n");
            assert!(text.contains(sorted), "{heading}, {sorted}: {text}");
        }
        let frame = shown(&mut ui, &model, size);
        // The third row of outages, whichever it is.
        let (column, row) = cell_of(&frame, "SINCE");
        let third = frame[usize::from(row) + 3].clone();
        mouse(&mut ui, &model, MouseKind::Click, (column, row + 3));
        assert_eq!(selected(&ui, &model, size), third);
        // The wheel over the outbox scrolls that.
        let frame = shown(&mut ui, &model, size);
        let (column, row) = cell_of(&frame, "CHANNEL");
        mouse(&mut ui, &model, MouseKind::WheelUp, (column, row + 1));
        assert_eq!(selected(&ui, &model, size), frame[usize::from(row) + 1]);
        mouse(&mut ui, &model, MouseKind::Click, (column, row + 2));
        assert_eq!(selected(&ui, &model, size), frame[usize::from(row) + 2]);
        let text = click(&mut ui, &model, size, "SITE").join("\n");
        assert!(text.contains("›"), "{text}");
    }
}

#[test]
fn a_click_in_a_lane_puts_the_cursor_on_the_check_that_ran_there() {
    let fixture = Fixture::mixed();
    let work = sweep(&fixture, Crew::Threads(4), 2_500);
    let labels = [THREADS];
    let model = model(&fixture, &work, &labels, 2_500);
    for size in [SMALL, MEDIUM] {
        let mut ui = screen(size, &fixture);
        press(&mut ui, &model, "F2 v");
        // By site: each lane has one check of the site it is named after.
        for name in ["pay.example", "news.example"] {
            let frame = shown(&mut ui, &model, size);
            let begin = format!(" {}", &name[..7]);
            let row = frame.iter().position(|line| line.starts_with(&begin));
            let row = row.unwrap() as u16;
            let line: Vec<char> = frame[usize::from(row)].chars().collect();
            let column = line.iter().rposition(|c| "─█▁".contains(*c));
            let column = column.unwrap_or_else(|| panic!("{}", frame.join("\n"))) as u16;
            mouse(&mut ui, &model, MouseKind::Click, (column, row));
            let after = shown(&mut ui, &model, size).join("\n");
            assert!(after.contains("stands at"), "{after}");
            press(&mut ui, &model, "Enter");
            let page = shown(&mut ui, &model, size).join("\n");
            assert!(
                page.contains(&format!("Why {name}")) || page.contains(name),
                "{page}"
            );
            press(&mut ui, &model, "Esc");
        }
        // The wheel goes from lane to lane.
        let before = selected(&ui, &model, size);
        mouse(&mut ui, &model, MouseKind::WheelUp, (40, 10));
        assert_ne!(selected(&ui, &model, size), before);
    }
}
