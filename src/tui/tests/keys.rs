//! Keys as they are pressed, and their effects.

use std::time::Duration;

use ratatui::style::Modifier;

use crate::domain::Acknowledgement;
use crate::tui::fixture::{self, Fixture};
use crate::tui::input::{InputKind, TerminalInput};
use crate::tui::ui::Ui;
use crate::tui::view_model::{Intent, ViewModel};

use super::harness::{MEDIUM, SMALL, draw, lines, press, screen, type_text};

#[test]
fn the_selection_follows_its_site_and_the_order_waits_for_the_reader() {
    let mut fixture = Fixture::mixed();
    let mut ui = screen(SMALL, &fixture);
    press(&mut ui, &fixture.model(), "End");
    let selected = |ui: &Ui, fixture: &Fixture| {
        let buffer = draw(ui, &fixture.model(), SMALL);
        let reversed = |y: &u16| buffer[(20, *y)].modifier.contains(Modifier::REVERSED);
        let y = (0..24).find(reversed).unwrap();
        (y, lines(&buffer)[usize::from(y)].clone())
    };
    let (last, line) = selected(&ui, &fixture);
    assert!(line.contains("maps.example"), "{line}");
    let maps = fixture.id("maps.example");
    fixture.monitor.set_paused(maps, false, fixture.now());
    fixture.time_out("maps.example");
    fixture.time_out("maps.example");
    ui.tick(&fixture.model());
    let (held, line) = selected(&ui, &fixture);
    assert!(line.contains("✗ DOWN") && held == last, "{line}");
    fixture.advance(Duration::from_secs(4));
    ui.tick(&fixture.model());
    let (moved, line) = selected(&ui, &fixture);
    assert!(line.contains("maps.example") && moved < last, "{line}");
}

#[test]
fn keys_ask_for_what_the_help_says() {
    let fixture = Fixture::mixed();
    let model = ViewModel {
        demo: true,
        ..fixture.model()
    };
    let mut ui = screen(SMALL, &fixture);
    let pay = fixture.id("pay.example/charge");
    for (keys, intent) in [
        ("r", Intent::Recheck(vec![pay])),
        ("R", Intent::RecheckAll),
        ("p", Intent::Pause(vec![pay], true)),
        ("b", Intent::Break(pay)),
        ("m", Intent::Mend(pay)),
        ("1", Intent::Paradigm(0)),
        ("]", Intent::Paradigm(0)),
        ("[", Intent::Paradigm(1)),
        ("+", Intent::Workers(1)),
        ("-", Intent::Workers(-1)),
        ("Enter r", Intent::Recheck(vec![pay])),
        ("? 2", Intent::Paradigm(1)),
        ("Ctrl-C", Intent::Quit),
        ("Ctrl-Z", Intent::Suspend),
        ("Ctrl-L", Intent::Redraw),
        ("q q q", Intent::Quit),
    ] {
        assert_eq!(press(&mut ui, &model, keys), [intent], "{keys}");
    }
    let copied = press(&mut ui, &model, "y");
    let [Intent::Copy(line)] = &copied[..] else {
        panic!("{copied:?}")
    };
    assert!(line.starts_with("curl ") && line.ends_with("'https://pay.example/charge'"));
    assert_eq!(press(&mut ui, &model, "7 6 Esc Esc Esc"), []);
    assert_eq!(
        ui.input(&TerminalInput::closed(), &model),
        Some(Intent::Closed)
    );
}

#[test]
fn a_key_that_cannot_do_its_work_says_why() {
    let fixture = Fixture::mixed();
    let model = ViewModel {
        resizable: false,
        ..fixture.model()
    };
    for (keys, words) in [
        ("7", "No paradigm has the key 7"),
        ("6", "ASYNC runs the checks already"),
        ("+", "workers of ASYNC cannot be changed"),
        ("Space s", "The display is frozen"),
    ] {
        let mut ui = screen(MEDIUM, &fixture);
        assert_eq!(press(&mut ui, &model, keys), []);
        let text = lines(&draw(&ui, &model, MEDIUM)).join("\n");
        assert!(text.contains(words), "{keys}: {text}");
    }
}

#[test]
fn sorting_goes_round_and_says_so() {
    let fixture = Fixture::mixed();
    let model = fixture.model();
    let mut ui = screen(SMALL, &fixture);
    for words in [
        "last down first",
        "longest down first",
        "by name",
        "slowest first",
        "lowest UP% first",
        "latest first",
        "next check first",
        "failing first",
    ] {
        press(&mut ui, &model, "s");
        let bottom = lines(&draw(&ui, &model, SMALL))[22].clone();
        assert!(bottom.contains(words), "{words}: {bottom}");
    }
}

#[test]
fn the_explanation_walks_from_site_to_site() {
    let fixture = Fixture::mixed();
    let model = fixture.model();
    let mut ui = screen(SMALL, &fixture);
    press(&mut ui, &model, "Enter PgDn n");
    let text = lines(&draw(&ui, &model, SMALL));
    assert!(text[2].contains("Explain news.example"), "{}", text[2]);
    assert!(
        text[3].starts_with(" Verdict"),
        "scrolled back: {}",
        text[3]
    );
    press(&mut ui, &model, "N Esc");
    assert!(lines(&draw(&ui, &model, SMALL))[3].contains("pay.example"));
}

#[test]
fn q_goes_back_to_the_sites_and_asks_once_before_it_quits_while_one_is_down() {
    let mut fixture = Fixture::mixed();
    let mut ui = screen(SMALL, &fixture);
    let model = fixture.model();
    let bottom = |ui: &Ui, model: &ViewModel<'_>| lines(&draw(ui, model, SMALL))[22].clone();
    press(&mut ui, &model, "F4 ?");
    assert_eq!(press(&mut ui, &model, "q q"), [], "the help, and the Lab");
    let first = lines(&draw(&ui, &model, SMALL))[0].clone();
    assert!(first.contains("[Sites]"), "{first}");
    assert_eq!(press(&mut ui, &model, "q"), []);
    let said = " 1 site is down: press q again to quit";
    assert!(bottom(&ui, &model).starts_with(said));
    assert_eq!(press(&mut ui, &model, "q"), [Intent::Quit]);
    // Another key is an answer as well, and so is a while.
    assert_eq!(press(&mut ui, &model, "q j q"), []);
    let later = ViewModel {
        now: super::harness::later(&fixture, 9),
        ..model
    };
    assert_eq!(press(&mut ui, &later, "q"), []);
    let demo = ViewModel {
        demo: true,
        ..model
    };
    assert_eq!(press(&mut ui, &demo, "j q"), [Intent::Quit]);
    for _ in 0..3 {
        fixture.pass("pay.example/charge", 20);
    }
    assert_eq!(press(&mut ui, &fixture.model(), "j q"), [Intent::Quit]);
}

#[test]
fn an_outage_is_acknowledged_from_sites_and_explanation_alone_or_with_its_group() {
    let mut fixture = Fixture::mixed();
    let pay = fixture.id("pay.example/charge");
    let mut ui = screen(MEDIUM, &fixture);
    let model = fixture.model();
    let bottom = |ui: &Ui, model: &ViewModel<'_>| lines(&draw(ui, model, MEDIUM))[34].clone();
    for keys in ["Home a", "Enter a"] {
        press(&mut ui, &model, keys);
        type_text(&mut ui, &model, "on it");
        let line = bottom(&ui, &model);
        assert!(
            line.starts_with(" note on pay.example/charge: on it"),
            "{line}"
        );
        let intents = press(&mut ui, &model, "Enter");
        let expected = Intent::Acknowledge(vec![pay], Some("on it".to_owned()));
        assert_eq!(intents, [expected]);
        press(&mut ui, &model, "Esc");
    }
    // A site that is up has nothing to acknowledge.
    assert_eq!(press(&mut ui, &model, "End a"), []);
    assert!(bottom(&ui, &model).contains("only an open one"));
    // Three of those listed fail alike, and one of them is acknowledged already.
    let sites = ["www.example", "api.example/health", "blog.example"];
    for name in sites {
        for _ in 0..3 {
            fixture.fail(name, 500);
        }
    }
    let ids = sites.map(|name| fixture.id(name));
    let acknowledged = Acknowledgement {
        at: fixture.now().wall,
        note: "ana: restarting it".into(),
    };
    fixture.monitor.acknowledge(ids[1], Some(acknowledged));
    let model = ViewModel {
        now: super::harness::later(&fixture, 9),
        ..fixture.model()
    };
    press(&mut ui, &model, "/");
    type_text(&mut ui, &model, "500");
    press(&mut ui, &model, "Enter Home j");
    let text = lines(&draw(&ui, &model, MEDIUM)).join("\n");
    assert!(text.contains(" a api.example/health "), "{text}");
    let line = bottom(&ui, &model);
    let known = "a: acknowledged 14:02:10 ana: restarting it";
    assert!(line.contains(known), "{line}");
    press(&mut ui, &model, "k a Tab");
    let line = bottom(&ui, &model);
    assert!(line.starts_with(" note on 3 outages, all "), "{line}");
    let intents = press(&mut ui, &model, "Enter");
    let [Intent::Acknowledge(meant, Some(note))] = &intents[..] else {
        panic!("{intents:?}");
    };
    assert_eq!((meant.len(), &**note), (2, ""), "{intents:?}");
    assert!(
        meant.contains(&ids[0]) && meant.contains(&ids[2]),
        "{intents:?}"
    );
}

#[test]
fn a_key_means_the_site_of_the_frame_on_which_it_was_pressed() {
    let mut fixture = Fixture::mixed();
    for key in ["p", "w", "r", "Enter"] {
        let mut ui = screen(SMALL, &fixture);
        // The selection stays on the first row.
        press(&mut ui, &fixture.model(), "Home");
        let at = |seconds, fixture: &Fixture| super::harness::later(fixture, seconds);
        let shown = ViewModel {
            now: at(5, &fixture),
            ..fixture.model()
        };
        ui.tick(&shown);
        ui.drawn(&shown);
        let row = lines(&draw(&ui, &shown, SMALL))[3].clone();
        let meant = fixture.id(if row.contains("pay.example") {
            "pay.example/charge"
        } else {
            "www.example"
        });
        // Another one comes to the top before the key is read.
        let (up, down) = if row.contains("pay.example") {
            ("pay.example/charge", "www.example")
        } else {
            ("www.example", "pay.example/charge")
        };
        for _ in 0..3 {
            fixture.pass(up, 20);
            fixture.fail(down, 500);
        }
        let model = ViewModel {
            now: at(7, &fixture),
            ..fixture.model()
        };
        ui.tick(&model);
        let top = lines(&draw(&ui, &model, SMALL))[3].clone();
        assert!(top.contains(down), "{top}");
        let intents = press(&mut ui, &model, key);
        let text = lines(&draw(&ui, &model, SMALL));
        match key {
            "p" => assert_eq!(intents, [Intent::Pause(vec![meant], true)]),
            "w" => assert_eq!(intents, [Intent::Maintain(vec![meant])]),
            "r" => assert_eq!(intents, [Intent::Recheck(vec![meant])]),
            _ => assert!(text[2].contains(&format!("Explain {up}")), "{}", text[2]),
        }
    }
}

#[test]
fn pasted_text_is_never_taken_for_keys() {
    let fixture = Fixture::mixed();
    let model = fixture.model();
    let mut ui = screen(SMALL, &fixture);
    let paste = TerminalInput(InputKind::Paste("q\rR\u{1b}pay".into()));
    assert_eq!(ui.input(&paste, &model), None);
    press(&mut ui, &model, "/");
    ui.input(&paste, &model);
    let bottom = lines(&draw(&ui, &model, SMALL))[22].clone();
    assert!(bottom.starts_with(" / q R pay"), "{bottom}");
}

#[test]
fn a_site_that_was_removed_leaves_no_stranger_in_its_row() {
    let mut fixture = Fixture::fresh();
    let mut ui = screen(SMALL, &fixture);
    press(&mut ui, &fixture.model(), "j Enter");
    let now = fixture.now();
    fixture
        .monitor
        .configure(vec![fixture::site("other.example")], now);
    let text = lines(&draw(&ui, &fixture.model(), SMALL)).join("\n");
    assert!(text.contains("no longer in the configuration"), "{text}");
    ui.tick(&fixture.model());
    press(&mut ui, &fixture.model(), "q");
    let text = lines(&draw(&ui, &fixture.model(), SMALL)).join("\n");
    assert!(
        text.contains("other.example") && text.contains("1/1"),
        "{text}"
    );
}

#[test]
fn an_empty_list_says_what_to_do() {
    let fixture = Fixture::new(Vec::new());
    let mut ui = screen(SMALL, &fixture);
    let text = lines(&draw(&ui, &fixture.model(), SMALL)).join("\n");
    assert!(text.contains("No sites yet"), "{text}");
    assert_eq!(
        press(&mut ui, &fixture.model(), "Enter r p j G Space q"),
        [Intent::Quit]
    );
}

#[test]
fn a_frame_is_wanted_when_something_changed_and_after_every_key() {
    let mut fixture = Fixture::mixed();
    let mut ui = screen(SMALL, &fixture);
    assert!(ui.wants_frame(&fixture.model()));
    ui.drawn(&fixture.model());
    assert!(!ui.wants_frame(&fixture.model()));
    press(&mut ui, &fixture.model(), "j");
    assert!(ui.wants_frame(&fixture.model()));
    ui.drawn(&fixture.model());
    fixture.pass("www.example", 10);
    assert!(!ui.wants_frame(&fixture.model()));
    let soon = ui.next_frame(&fixture.model());
    assert_eq!(soon, fixture.now().mono + Duration::from_millis(100));
    fixture.advance(Duration::from_millis(100));
    assert!(ui.wants_frame(&fixture.model()));
}
