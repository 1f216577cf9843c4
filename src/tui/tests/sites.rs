//! The table of sites, the explanation and the help: text and styles as they are drawn.

use std::sync::Arc;
use std::time::Duration;

use insta::assert_snapshot;
use ratatui::style::{Color, Modifier};

use crate::domain::{CheckOptions, ConnectionOptions, MaskedText, RequestHeader};
use crate::tui::fixture::{self, Fixture};
use crate::tui::options::Options;
use crate::tui::ui::Ui;
use crate::tui::view_model::{Intent, StatusMessage, Tone, ViewModel};

use super::harness::{
    LARGE, MEDIUM, SMALL, draw, later, lines, options, press, screen, shot, type_text,
};

#[test]
fn a_fresh_start_shows_every_site_as_new() {
    let fixture = Fixture::fresh();
    for size in [SMALL, MEDIUM, LARGE] {
        let ui = screen(size, &fixture);
        let name = format!("fresh_{}", size.0);
        assert_snapshot!(name, shot(&draw(&ui, &fixture.model(), size)));
    }
}

#[test]
fn a_mixed_list_shows_the_failing_first() {
    let fixture = Fixture::mixed();
    for size in [SMALL, MEDIUM, LARGE] {
        let ui = screen(size, &fixture);
        let name = format!("mixed_{}", size.0);
        assert_snapshot!(name, shot(&draw(&ui, &fixture.model(), size)));
    }
}

#[test]
fn a_filter_shows_what_matches_while_it_is_typed_and_after() {
    let fixture = Fixture::mixed();
    let model = fixture.model();
    for size in [SMALL, MEDIUM, LARGE] {
        let mut ui = screen(size, &fixture);
        press(&mut ui, &model, "/");
        type_text(&mut ui, &model, "tag:shop");
        assert_snapshot!(
            format!("filter_typed_{}", size.0),
            shot(&draw(&ui, &model, size))
        );
        press(&mut ui, &model, "Enter");
        let kept = lines(&draw(&ui, &model, size)).join("\n");
        let second = kept.lines().nth(1).unwrap();
        assert!(second.contains("filter \"tag:shop\": 2 of 16"), "{kept}");
        // No message and no other screen hides it.
        let message = StatusMessage {
            text: "x".repeat(300),
            short: None,
            tone: Tone::Warn,
            at: fixture.now().mono,
            sticky: true,
        };
        let said = ViewModel {
            message: Some(&message),
            ..model
        };
        for key in ["F2", "F3", "F4", "F1", "Enter", "q"] {
            press(&mut ui, &said, key);
            let text = lines(&draw(&ui, &said, size));
            assert!(
                text[1].contains("filter \"tag:shop\""),
                "{}",
                text.join("\n")
            );
        }
        press(&mut ui, &model, "Esc");
        let cleared = lines(&draw(&ui, &model, size)).join("\n");
        assert!(
            cleared.contains("/16") && !cleared.contains("filter \""),
            "{cleared}"
        );
    }
}

#[test]
fn explain_shows_why_a_site_is_down() {
    let fixture = Fixture::mixed();
    let model = fixture.model();
    for size in [SMALL, MEDIUM, LARGE] {
        let mut ui = screen(size, &fixture);
        press(&mut ui, &model, "Enter");
        assert_snapshot!(
            format!("explain_{}", size.0),
            shot(&draw(&ui, &model, size))
        );
    }
}

#[test]
fn explain_shows_retries_and_the_certificate_of_a_site_that_is_well() {
    let fixture = Fixture::mixed();
    let model = fixture.model();
    let mut ui = screen(MEDIUM, &fixture);
    press(&mut ui, &model, "/");
    type_text(&mut ui, &model, "news");
    press(&mut ui, &model, "Enter Enter");
    assert_snapshot!("explain_failing_120", shot(&draw(&ui, &model, MEDIUM)));
}

#[test]
fn explain_names_each_address_that_was_tried() {
    let fixture = Fixture::many(1);
    let model = fixture.model();
    let mut ui = screen(SMALL, &fixture);
    press(&mut ui, &model, "Enter");
    let text = lines(&draw(&ui, &model, SMALL)).join("\n");
    for tried in [
        "2001:db8::10: no way to it after 1.0 ms",
        "192.0.2.10: refused after 30 ms",
    ] {
        assert!(text.contains(tried), "{text}");
    }
}

#[test]
fn a_certificate_that_is_not_verified_is_loud() {
    let mut site = fixture::site("printer.example");
    Arc::make_mut(&mut site.spec).options = Some(Arc::new(CheckOptions {
        headers: vec![RequestHeader {
            name: "X-Api-Key".into(),
            value: MaskedText::of_variable("hunter2", "API_KEY"),
        }],
        connection: ConnectionOptions {
            verify: Some(false),
            ..ConnectionOptions::NONE.clone()
        },
        ..CheckOptions::default()
    }));
    let fixture = Fixture::new(vec![site]);
    let model = fixture.model();
    for size in [SMALL, MEDIUM, LARGE] {
        let mut ui = screen(size, &fixture);
        let table = lines(&draw(&ui, &model, size)).join("\n");
        let row = table.lines().find(|line| line.contains("printer"));
        assert!(row.is_some_and(|row| row.contains('!')), "{table}");
        press(&mut ui, &model, "Enter");
        let explained = lines(&draw(&ui, &model, size)).join("\n");
        let said = explained.contains("certificate not verified (verify = false)");
        assert!(said, "{explained}");
        assert!(explained.contains("X-Api-Key: $API_KEY"), "{explained}");
        assert!(!explained.contains("hunter2"), "{explained}");
    }
}

#[test]
fn help_shows_every_key_and_mark() {
    let fixture = Fixture::mixed();
    let model = ViewModel {
        demo: true,
        ..fixture.model()
    };
    for size in [SMALL, MEDIUM, LARGE] {
        let mut ui = screen(size, &fixture);
        press(&mut ui, &model, "?");
        assert_snapshot!(format!("help_{}", size.0), shot(&draw(&ui, &model, size)));
    }
}

#[test]
fn a_frozen_display_holds_still_and_counts_what_it_misses() {
    let mut fixture = Fixture::mixed();
    for size in [SMALL, MEDIUM, LARGE] {
        let mut ui = screen(size, &fixture);
        press(&mut ui, &fixture.model(), "Space");
        let before = lines(&draw(&ui, &fixture.model(), size));
        for _ in 0..2 {
            fixture.fail("www.example", 500);
            fixture.pass("www.example", 50);
            fixture.fail("api.example/health", 500);
        }
        let model = ViewModel {
            now: later(&fixture, 12),
            ..fixture.model()
        };
        ui.tick(&model);
        let frozen = draw(&ui, &model, size);
        let after = lines(&frozen);
        assert_eq!(before[3..], after[3..]);
        assert_snapshot!(format!("frozen_{}", size.0), shot(&frozen));
        press(&mut ui, &model, "Space");
        let live = lines(&draw(&ui, &model, size));
        assert_ne!(before[3..], live[3..]);
    }
}

#[test]
fn a_small_terminal_still_says_what_is_down() {
    let fixture = Fixture::mixed();
    let mut ui = screen((40, 10), &fixture);
    assert_snapshot!("too_small", shot(&draw(&ui, &fixture.model(), (40, 10))));
    assert_eq!(press(&mut ui, &fixture.model(), "q"), [Intent::Quit]);
}

#[test]
fn ascii_and_no_colour_keep_every_sign() {
    let fixture = Fixture::mixed();
    for size in [SMALL, MEDIUM, LARGE] {
        let mut ui = Ui::new(
            Options {
                ascii: true,
                ..options()
            },
            size,
        );
        ui.tick(&fixture.model());
        let ascii = draw(&ui, &fixture.model(), size);
        assert!(ascii.content.iter().all(|cell| cell.symbol().is_ascii()));
        assert_snapshot!(format!("ascii_{}", size.0), shot(&ascii));

        let mut ui = Ui::new(
            Options {
                color: false,
                ..options()
            },
            size,
        );
        ui.tick(&fixture.model());
        let plain = draw(&ui, &fixture.model(), size);
        assert!(plain.content.iter().all(|cell| cell.fg == Color::Reset));
        let selected = |cell: &&ratatui::buffer::Cell| cell.modifier.contains(Modifier::REVERSED);
        assert!(plain.content.iter().filter(selected).count() > 50);
        assert_snapshot!(format!("no_colour_{}", size.0), shot(&plain));
    }
}

#[test]
fn trouble_and_messages_are_seen() {
    let fixture = Fixture::many(240);
    let message = StatusMessage {
        text: "in flight 37 = finished 31 + handed over 6; lost 0, counted twice 0".into(),
        short: None,
        tone: Tone::Good,
        at: fixture.now().mono,
        sticky: false,
    };
    let model = ViewModel {
        message: Some(&message),
        banner: Some(
            "sites.toml:12:9: sites[3].interval: expected a duration (running on the configuration of 14:02:11)",
        ),
        ..fixture.model()
    };
    let ui = screen(SMALL, &fixture);
    assert_snapshot!("message_80", shot(&draw(&ui, &model, SMALL)));
    let stale = ViewModel {
        now: later(&fixture, 60),
        banner: None,
        ..model
    };
    let text = lines(&draw(&ui, &stale, SMALL)).join("\n");
    assert!(
        text.contains("…221 more") && !text.contains("handed over"),
        "{text}"
    );
}

#[test]
fn lateness_is_shown_on_a_narrow_screen_when_there_is_some() {
    let mut fixture = Fixture::mixed();
    let text = |fixture: &Fixture| {
        let ui = screen(SMALL, fixture);
        lines(&draw(&ui, &fixture.model(), SMALL)).join("\n")
    };
    assert!(!text(&fixture).contains("LATE\n"));
    fixture.pass_late("www.example", 1_300);
    let late = text(&fixture);
    assert!(
        late.contains("  LATE\n") && late.contains("  late 1.3s"),
        "{late}"
    );
    let row = late.lines().find(|line| line.contains("www")).unwrap();
    assert!(row.ends_with("  1.3s"), "{row}");
}

#[test]
fn the_newest_outage_stands_first_and_is_marked_until_it_was_seen() {
    let mut fixture = Fixture::mixed();
    let mut ui = screen(SMALL, &fixture);
    let failing = |ui: &mut Ui, fixture: &Fixture| {
        ui.tick(&fixture.model());
        let text = lines(&draw(ui, &fixture.model(), SMALL));
        let rows = text
            .into_iter()
            .filter(|line| line.contains("DOWN ") && line.contains(".example"));
        // The mark and the name.
        let row = |line: String| {
            let name = line.chars().skip(17).take_while(|c| *c != '.' && *c != ' ');
            format!("{}{}", &line[..1], name.collect::<String>())
        };
        rows.map(row).collect::<Vec<_>>()
    };
    assert_eq!(failing(&mut ui, &fixture), [" pay"], "it was down before");
    for name in ["www.example", "cdn.example"] {
        fixture.advance(Duration::from_secs(60));
        fixture.time_out(name);
        fixture.time_out(name);
    }
    assert_eq!(failing(&mut ui, &fixture), ["*cdn", "*www", " pay"]);
    let bottom = lines(&draw(&ui, &fixture.model(), SMALL))[22].clone();
    assert!(bottom.contains("* new since your last key"), "{bottom}");
    press(&mut ui, &fixture.model(), "g");
    assert_eq!(failing(&mut ui, &fixture), ["*cdn", "*www", " pay"], "read");
    fixture.advance(Duration::from_secs(31));
    assert_eq!(failing(&mut ui, &fixture), [" cdn", " www", " pay"], "seen");
    fixture.time_out("git.example");
    fixture.time_out("git.example");
    fixture.advance(Duration::from_secs(31));
    let newest = ["*git", " cdn", " www", " pay"];
    assert_eq!(failing(&mut ui, &fixture), newest);
    // What is over by now went down last.
    fixture.pass("git.example", 90);
    fixture.pass("git.example", 90);
    press(&mut ui, &fixture.model(), "s");
    let text = lines(&draw(&ui, &fixture.model(), SMALL));
    assert!(text[3].contains("git.example"), "{}", text[3]);
    assert_eq!(failing(&mut ui, &fixture), [" cdn", " www", " pay"]);
    press(&mut ui, &fixture.model(), "s");
    assert_eq!(failing(&mut ui, &fixture), [" pay", " www", " cdn"]);
    press(&mut ui, &fixture.model(), "S");
    assert_eq!(failing(&mut ui, &fixture), [" cdn", " www", " pay"]);
}
