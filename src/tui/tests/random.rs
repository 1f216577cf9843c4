//! Any sites, any keys, any size.

use std::time::Duration;

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::domain::{Moment, SiteId};
use crate::tui::fixture::Fixture;
use crate::tui::input::{InputKind, MouseInput, MouseKind, TerminalInput};
use crate::tui::key::Key;
use crate::tui::options::Options;
use crate::tui::ui::Ui;
use crate::tui::view_model::ViewModel;

use super::harness::{draw, lines, options, press, screen};

/// Any key of the keyboard.
fn keys() -> impl Strategy<Value = TerminalInput> {
    let named = prop::sample::select(vec![
        "Enter",
        "Esc",
        "Up",
        "Down",
        "PgUp",
        "PgDn",
        "Home",
        "End",
        "Space",
        "Left",
        "Right",
        "Tab",
        "Backspace",
        "Ctrl-W",
        "Ctrl-U",
        "F1",
        "F7",
        "/",
        "?",
        "y",
        "s",
        "S",
        "q",
    ]);
    prop_oneof![
        named.prop_map(|name| TerminalInput::key(name).unwrap()),
        any::<char>().prop_map(|c| TerminalInput(InputKind::Key(Key::Char(c)))),
        (1_u16..250, 1_u16..90).prop_map(|(columns, rows)| TerminalInput::size(columns, rows)),
        (0_usize..3, 0_u16..250, 0_u16..90).prop_map(|(kind, column, row)| {
            let kinds = [MouseKind::Click, MouseKind::WheelUp, MouseKind::WheelDown];
            let (kind, cell) = (kinds[kind], (column, row));
            TerminalInput(InputKind::Mouse(MouseInput { kind, cell }))
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_keys_sites_and_sizes_make_it_panic_or_show_a_control_character(
        fixture in crate::tui::random_sites::random_fixtures(),
        keys in prop::collection::vec(keys(), 0..40),
        columns in 1_u16..250, rows in 1_u16..90,
        ascii: bool,
    ) {
        let mut ui = Ui::new(Options { ascii, ..options() }, (columns, rows));
        let due = |site: SiteId| (!site.index().is_multiple_of(3)).then_some(Moment::from_nanos(1 << 40));
        let mut model = ViewModel { next_due: &due, ..fixture.model() };
        for (step, key) in keys.iter().enumerate() {
            ui.input(key, &model);
            model.now.mono = model.now.mono + Duration::from_millis(step as u64 * 100);
            ui.tick(&model);
            let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
            let targets = ui.draw(&model, &mut buffer);
            ui.aim(targets);
            let clean = |cell: &ratatui::buffer::Cell| !cell.symbol().chars().any(char::is_control);
            prop_assert!(buffer.content.iter().all(clean));
        }
    }

    #[test]
    fn whatever_is_down_is_said_on_every_screen_of_every_size(
        columns in 10_u16..250, rows in 1_u16..90,
    ) {
        let fixture = Fixture::mixed();
        let ui = screen((columns, rows), &fixture);
        let text = lines(&draw(&ui, &fixture.model(), (columns, rows))).join("\n");
        prop_assert!(text.contains("✗ 1 DOWN"), "{}", text);
    }

    #[test]
    fn the_selected_row_is_on_the_screen(
        rows in 16_u16..60,
        keys in prop::collection::vec(prop::sample::select(vec!["j", "k", "PgDn", "PgUp", "G", "g", "S"]), 0..40),
    ) {
        let fixture = Fixture::many(200);
        let mut ui = screen((80, rows), &fixture);
        for key in keys {
            press(&mut ui, &fixture.model(), key);
        }
        let buffer = draw(&ui, &fixture.model(), (80, rows));
        let reversed = |y: &u16| buffer[(20, *y)].modifier.contains(Modifier::REVERSED);
        prop_assert_eq!((0..rows).filter(reversed).count(), 1);
    }
}
