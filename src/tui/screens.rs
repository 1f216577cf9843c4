//! Whole screens as they are seen, and keys as they are pressed.

use std::fmt::Write as _;
use std::time::Duration;

use insta::assert_snapshot;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use crate::domain::{Moment, Now, SiteId};

use super::fixture::{self, Fleet};
use super::key::Key;
use super::{Input, Intent, Message, Options, Scene, Tone, Ui};

const SMALL: (u16, u16) = (80, 24);
const MEDIUM: (u16, u16) = (120, 36);
const LARGE: (u16, u16) = (200, 60);

fn options() -> Options {
    Options {
        color: true,
        ascii: false,
        remote: false,
        zone: TimeZone::UTC,
    }
}

fn screen(size: (u16, u16), fleet: &Fleet) -> Ui {
    let mut ui = Ui::new(options(), size);
    ui.tick(&fleet.scene());
    ui
}

fn press(ui: &mut Ui, scene: &Scene<'_>, keys: &str) -> Vec<Intent> {
    let inputs = keys.split(' ').map(|key| Input::key(key).unwrap());
    inputs.filter_map(|input| ui.input(&input, scene)).collect()
}

fn type_text(ui: &mut Ui, scene: &Scene<'_>, text: &str) {
    for c in text.chars() {
        ui.input(&Input(super::input::What::Key(Key::Char(c))), scene);
    }
}

fn draw(ui: &Ui, scene: &Scene<'_>, (columns, rows): (u16, u16)) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
    ui.draw(scene, &mut buffer);
    buffer
}

fn lines(buffer: &Buffer) -> Vec<String> {
    let mut lines = Vec::new();
    for y in 0..buffer.area.height {
        let (mut line, mut covered) = (String::new(), 0);
        for x in 0..buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            if covered == 0 {
                line.push_str(symbol);
                covered = symbol.width();
            }
            covered = covered.saturating_sub(1);
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// The text, and below it a line for each run of cells that are not plain.
fn shot(buffer: &Buffer) -> String {
    let mut out = lines(buffer).join("\n");
    out.push_str("\n---\n");
    for y in 0..buffer.area.height {
        let mut x = 0;
        while x < buffer.area.width {
            let (fg, modifier) = (buffer[(x, y)].fg, buffer[(x, y)].modifier);
            let from = x;
            while x < buffer.area.width
                && (buffer[(x, y)].fg, buffer[(x, y)].modifier) == (fg, modifier)
            {
                x += 1;
            }
            if fg != Color::Reset || !modifier.is_empty() {
                let mut words = String::new();
                if fg != Color::Reset {
                    write!(words, " {fg:?}").unwrap();
                }
                for (name, _) in modifier.iter_names() {
                    write!(words, " {name}").unwrap();
                }
                writeln!(out, "{y}:{from}-{}{}", x - 1, words.to_lowercase()).unwrap();
            }
        }
    }
    out
}

#[test]
fn a_fresh_start_shows_every_site_as_new() {
    let fleet = Fleet::fresh();
    for size in [SMALL, MEDIUM, LARGE] {
        let ui = screen(size, &fleet);
        let name = format!("fresh_{}", size.0);
        assert_snapshot!(name, shot(&draw(&ui, &fleet.scene(), size)));
    }
}

#[test]
fn a_mixed_fleet_shows_the_failing_first() {
    let fleet = Fleet::mixed();
    for size in [SMALL, MEDIUM, LARGE] {
        let ui = screen(size, &fleet);
        let name = format!("mixed_{}", size.0);
        assert_snapshot!(name, shot(&draw(&ui, &fleet.scene(), size)));
    }
}

#[test]
fn a_filter_shows_what_matches_while_it_is_typed_and_after() {
    let fleet = Fleet::mixed();
    let scene = fleet.scene();
    for size in [SMALL, MEDIUM, LARGE] {
        let mut ui = screen(size, &fleet);
        press(&mut ui, &scene, "/");
        type_text(&mut ui, &scene, "tag:shop");
        assert_snapshot!(
            format!("filter_typed_{}", size.0),
            shot(&draw(&ui, &scene, size))
        );
        press(&mut ui, &scene, "Enter");
        let kept = lines(&draw(&ui, &scene, size)).join("\n");
        assert!(
            kept.contains("filter \"tag:shop\": 2 of 16 match"),
            "{kept}"
        );
        press(&mut ui, &scene, "Esc");
        let cleared = lines(&draw(&ui, &scene, size)).join("\n");
        assert!(
            cleared.contains("/16") && !cleared.contains("match"),
            "{cleared}"
        );
    }
}

#[test]
fn explain_shows_why_a_site_is_down() {
    let fleet = Fleet::mixed();
    let scene = fleet.scene();
    for size in [SMALL, MEDIUM, LARGE] {
        let mut ui = screen(size, &fleet);
        press(&mut ui, &scene, "Enter");
        assert_snapshot!(
            format!("explain_{}", size.0),
            shot(&draw(&ui, &scene, size))
        );
    }
}

#[test]
fn explain_shows_retries_and_the_certificate_of_a_site_that_is_well() {
    let fleet = Fleet::mixed();
    let scene = fleet.scene();
    let mut ui = screen(MEDIUM, &fleet);
    press(&mut ui, &scene, "/");
    type_text(&mut ui, &scene, "news");
    press(&mut ui, &scene, "Enter Enter");
    assert_snapshot!("explain_failing_120", shot(&draw(&ui, &scene, MEDIUM)));
}

#[test]
fn help_shows_every_key_and_mark() {
    let fleet = Fleet::mixed();
    let scene = Scene {
        demo: true,
        ..fleet.scene()
    };
    for size in [SMALL, MEDIUM, LARGE] {
        let mut ui = screen(size, &fleet);
        press(&mut ui, &scene, "?");
        assert_snapshot!(format!("help_{}", size.0), shot(&draw(&ui, &scene, size)));
    }
}

/// The scene of `fleet`, `seconds` later on both clocks.
fn later(fleet: &Fleet, seconds: u64) -> Now {
    let (now, passed) = (fleet.now(), Duration::from_secs(seconds));
    Now {
        mono: now.mono + passed,
        wall: crate::domain::Timestamp::from_micros(
            now.wall.as_micros() + passed.as_micros() as i64,
        ),
    }
}

#[test]
fn a_frozen_display_holds_still_and_counts_what_it_misses() {
    let mut fleet = Fleet::mixed();
    for size in [SMALL, MEDIUM, LARGE] {
        let mut ui = screen(size, &fleet);
        press(&mut ui, &fleet.scene(), "Space");
        let before = lines(&draw(&ui, &fleet.scene(), size));
        for _ in 0..2 {
            fleet.fail("www.example", 500);
            fleet.pass("www.example", 50);
            fleet.fail("api.example/health", 500);
        }
        let scene = Scene {
            now: later(&fleet, 12),
            ..fleet.scene()
        };
        ui.tick(&scene);
        let frozen = draw(&ui, &scene, size);
        let after = lines(&frozen);
        assert_eq!(before[3..], after[3..]);
        assert_snapshot!(format!("frozen_{}", size.0), shot(&frozen));
        press(&mut ui, &scene, "Space");
        let live = lines(&draw(&ui, &scene, size));
        assert_ne!(before[3..], live[3..]);
    }
}

#[test]
fn a_small_terminal_still_says_what_is_down() {
    let fleet = Fleet::mixed();
    let mut ui = screen((40, 10), &fleet);
    assert_snapshot!("too_small", shot(&draw(&ui, &fleet.scene(), (40, 10))));
    assert_eq!(press(&mut ui, &fleet.scene(), "q"), [Intent::Quit]);
}

#[test]
fn ascii_and_no_colour_keep_every_sign() {
    let fleet = Fleet::mixed();
    for size in [SMALL, MEDIUM, LARGE] {
        let mut ui = Ui::new(
            Options {
                ascii: true,
                ..options()
            },
            size,
        );
        ui.tick(&fleet.scene());
        let ascii = draw(&ui, &fleet.scene(), size);
        assert!(ascii.content.iter().all(|cell| cell.symbol().is_ascii()));
        assert_snapshot!(format!("ascii_{}", size.0), shot(&ascii));

        let mut ui = Ui::new(
            Options {
                color: false,
                ..options()
            },
            size,
        );
        ui.tick(&fleet.scene());
        let plain = draw(&ui, &fleet.scene(), size);
        assert!(plain.content.iter().all(|cell| cell.fg == Color::Reset));
        let selected = |cell: &&ratatui::buffer::Cell| cell.modifier.contains(Modifier::REVERSED);
        assert!(plain.content.iter().filter(selected).count() > 70);
        assert_snapshot!(format!("no_colour_{}", size.0), shot(&plain));
    }
}

#[test]
fn trouble_and_messages_are_seen() {
    let fleet = Fleet::many(240);
    let message = Message {
        text: "in flight 37 = finished 31 + handed over 6; lost 0, counted twice 0".into(),
        tone: Tone::Good,
        at: fleet.now().mono,
        sticky: false,
    };
    let scene = Scene {
        message: Some(&message),
        banner: Some(
            "sites.toml:12:9: sites[3].interval: expected a duration (running on the configuration of 14:02:11)",
        ),
        ..fleet.scene()
    };
    let ui = screen(SMALL, &fleet);
    assert_snapshot!("message_80", shot(&draw(&ui, &scene, SMALL)));
    let stale = Scene {
        now: later(&fleet, 60),
        banner: None,
        ..scene
    };
    let text = lines(&draw(&ui, &stale, SMALL)).join("\n");
    assert!(
        text.contains("…221 more") && !text.contains("handed over"),
        "{text}"
    );
}

#[test]
fn the_selection_follows_its_site_and_the_order_waits_for_the_reader() {
    let mut fleet = Fleet::mixed();
    let mut ui = screen(SMALL, &fleet);
    press(&mut ui, &fleet.scene(), "End");
    let selected = |ui: &Ui, fleet: &Fleet| {
        let buffer = draw(ui, &fleet.scene(), SMALL);
        let reversed = |y: &u16| buffer[(20, *y)].modifier.contains(Modifier::REVERSED);
        let y = (0..24).find(reversed).unwrap();
        (y, lines(&buffer)[usize::from(y)].clone())
    };
    let (last, line) = selected(&ui, &fleet);
    assert!(line.contains("maps.example"), "{line}");
    let maps = fleet.id("maps.example");
    fleet.monitor.set_paused(maps, false, fleet.now());
    fleet.time_out("maps.example");
    fleet.time_out("maps.example");
    ui.tick(&fleet.scene());
    let (held, line) = selected(&ui, &fleet);
    assert!(line.contains("✗ DOWN") && held == last, "{line}");
    fleet.advance(Duration::from_secs(4));
    ui.tick(&fleet.scene());
    let (moved, line) = selected(&ui, &fleet);
    assert!(line.contains("maps.example") && moved < last, "{line}");
}

#[test]
fn keys_ask_for_what_the_help_says() {
    let fleet = Fleet::mixed();
    let scene = Scene {
        demo: true,
        ..fleet.scene()
    };
    let mut ui = screen(SMALL, &fleet);
    let pay = fleet.id("pay.example/charge");
    for (keys, intent) in [
        ("r", Intent::Recheck(pay)),
        ("R", Intent::RecheckAll),
        ("p", Intent::Pause(pay, true)),
        ("b", Intent::Break(pay)),
        ("m", Intent::Mend(pay)),
        ("1", Intent::Paradigm(0)),
        ("]", Intent::Paradigm(0)),
        ("[", Intent::Paradigm(1)),
        ("+", Intent::Workers(1)),
        ("-", Intent::Workers(-1)),
        ("Enter r", Intent::Recheck(pay)),
        ("? 2", Intent::Paradigm(1)),
        ("Ctrl-C", Intent::Quit),
        ("Ctrl-Z", Intent::Suspend),
        ("Ctrl-L", Intent::Redraw),
        ("q q q", Intent::Quit),
    ] {
        assert_eq!(press(&mut ui, &scene, keys), [intent], "{keys}");
    }
    let copied = press(&mut ui, &scene, "y");
    let [Intent::Copy(line)] = &copied[..] else {
        panic!("{copied:?}")
    };
    assert!(line.starts_with("curl ") && line.ends_with("'https://pay.example/charge'"));
    assert_eq!(press(&mut ui, &scene, "7 6 Esc Esc Esc"), []);
    assert_eq!(ui.input(&Input::closed(), &scene), Some(Intent::Closed));
}

#[test]
fn a_key_that_cannot_do_its_work_says_why() {
    let fleet = Fleet::mixed();
    let scene = Scene {
        resizable: false,
        ..fleet.scene()
    };
    for (keys, words) in [
        ("7", "No paradigm has the key 7"),
        ("6", "ASYNC runs the checks already"),
        ("+", "workers of ASYNC cannot be changed"),
        ("Space s", "The display is frozen"),
    ] {
        let mut ui = screen(MEDIUM, &fleet);
        assert_eq!(press(&mut ui, &scene, keys), []);
        let text = lines(&draw(&ui, &scene, MEDIUM)).join("\n");
        assert!(text.contains(words), "{keys}: {text}");
    }
}

#[test]
fn sorting_goes_round_and_says_so() {
    let fleet = Fleet::mixed();
    let scene = fleet.scene();
    let mut ui = screen(SMALL, &fleet);
    for words in [
        "by name",
        "slowest first",
        "lowest UP% first",
        "latest first",
        "next check first",
        "failing first",
    ] {
        press(&mut ui, &scene, "s");
        let bottom = lines(&draw(&ui, &scene, SMALL))[22].clone();
        assert!(bottom.contains(words), "{words}: {bottom}");
    }
}

#[test]
fn the_explanation_walks_from_site_to_site() {
    let fleet = Fleet::mixed();
    let scene = fleet.scene();
    let mut ui = screen(SMALL, &fleet);
    press(&mut ui, &scene, "Enter PgDn n");
    let text = lines(&draw(&ui, &scene, SMALL));
    assert!(text[2].contains("Explain news.example"), "{}", text[2]);
    assert!(
        text[3].starts_with(" Verdict"),
        "scrolled back: {}",
        text[3]
    );
    press(&mut ui, &scene, "N Esc");
    assert!(lines(&draw(&ui, &scene, SMALL))[3].contains("pay.example"));
}

#[test]
fn pasted_text_is_never_taken_for_keys() {
    let fleet = Fleet::mixed();
    let scene = fleet.scene();
    let mut ui = screen(SMALL, &fleet);
    let paste = Input(super::input::What::Paste("q\rR\u{1b}pay".into()));
    assert_eq!(ui.input(&paste, &scene), None);
    press(&mut ui, &scene, "/");
    ui.input(&paste, &scene);
    let bottom = lines(&draw(&ui, &scene, SMALL))[22].clone();
    assert!(bottom.starts_with(" / q R pay"), "{bottom}");
}

#[test]
fn a_site_that_was_removed_leaves_no_stranger_in_its_row() {
    let mut fleet = Fleet::fresh();
    let mut ui = screen(SMALL, &fleet);
    press(&mut ui, &fleet.scene(), "j Enter");
    let now = fleet.now();
    fleet
        .monitor
        .configure(vec![fixture::site("other.example")], now);
    let text = lines(&draw(&ui, &fleet.scene(), SMALL)).join("\n");
    assert!(text.contains("no longer in the configuration"), "{text}");
    ui.tick(&fleet.scene());
    press(&mut ui, &fleet.scene(), "q");
    let text = lines(&draw(&ui, &fleet.scene(), SMALL)).join("\n");
    assert!(
        text.contains("other.example") && text.contains("1/1"),
        "{text}"
    );
}

#[test]
fn an_empty_list_says_what_to_do() {
    let fleet = Fleet::new(Vec::new());
    let mut ui = screen(SMALL, &fleet);
    let text = lines(&draw(&ui, &fleet.scene(), SMALL)).join("\n");
    assert!(text.contains("No sites yet"), "{text}");
    assert_eq!(
        press(&mut ui, &fleet.scene(), "Enter r p j G Space q"),
        [Intent::Quit]
    );
}

#[test]
fn a_frame_is_wanted_when_something_changed_and_after_every_key() {
    let mut fleet = Fleet::mixed();
    let mut ui = screen(SMALL, &fleet);
    assert!(ui.wants_frame(&fleet.scene()));
    ui.drawn(&fleet.scene());
    assert!(!ui.wants_frame(&fleet.scene()));
    press(&mut ui, &fleet.scene(), "j");
    assert!(ui.wants_frame(&fleet.scene()));
    ui.drawn(&fleet.scene());
    fleet.pass("www.example", 10);
    assert!(!ui.wants_frame(&fleet.scene()));
    let soon = ui.next_frame(fleet.now().mono);
    assert_eq!(soon, fleet.now().mono + Duration::from_millis(100));
    fleet.advance(Duration::from_millis(100));
    assert!(ui.wants_frame(&fleet.scene()));
}

/// Any key of the keyboard.
fn keys() -> impl Strategy<Value = Input> {
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
        named.prop_map(|name| Input::key(name).unwrap()),
        any::<char>().prop_map(|c| Input(super::input::What::Key(Key::Char(c)))),
        (1_u16..250, 1_u16..90).prop_map(|(columns, rows)| Input::size(columns, rows)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_keys_sites_and_sizes_make_it_panic_or_show_a_control_character(
        fleet in fixture::fleets(),
        keys in prop::collection::vec(keys(), 0..40),
        columns in 1_u16..250, rows in 1_u16..90,
        ascii: bool,
    ) {
        let mut ui = Ui::new(Options { ascii, ..options() }, (columns, rows));
        let due = |site: SiteId| (!site.index().is_multiple_of(3)).then_some(Moment::from_nanos(1 << 40));
        let mut scene = Scene { next_due: &due, ..fleet.scene() };
        for (step, key) in keys.iter().enumerate() {
            ui.input(key, &scene);
            scene.now.mono = scene.now.mono + Duration::from_millis(step as u64 * 100);
            ui.tick(&scene);
            let buffer = draw(&ui, &scene, (columns, rows));
            let clean = |cell: &ratatui::buffer::Cell| !cell.symbol().chars().any(char::is_control);
            prop_assert!(buffer.content.iter().all(clean));
        }
    }

    #[test]
    fn whatever_is_down_is_said_on_every_screen_of_every_size(
        columns in 10_u16..250, rows in 1_u16..90,
    ) {
        let fleet = Fleet::mixed();
        let ui = screen((columns, rows), &fleet);
        let text = lines(&draw(&ui, &fleet.scene(), (columns, rows))).join("\n");
        prop_assert!(text.contains("✗ 1 DOWN"), "{}", text);
    }

    #[test]
    fn the_selected_row_is_on_the_screen(
        rows in 16_u16..60,
        keys in prop::collection::vec(prop::sample::select(vec!["j", "k", "PgDn", "PgUp", "G", "g", "S"]), 0..40),
    ) {
        let fleet = Fleet::many(200);
        let mut ui = screen((80, rows), &fleet);
        for key in keys {
            press(&mut ui, &fleet.scene(), key);
        }
        let buffer = draw(&ui, &fleet.scene(), (80, rows));
        let reversed = |y: &u16| buffer[(20, *y)].modifier.contains(Modifier::REVERSED);
        prop_assert_eq!((0..rows).filter(reversed).count(), 1);
    }
}
