//! The Outages screen and the pages opened from it, as they are drawn.

use insta::assert_snapshot;
use ratatui::style::Color;

use crate::tui::fixture::Fixture;
use crate::tui::history_fixture::{history, replay, site_history};
use crate::tui::history_view::{HistoryQuery, HistorySpan, HistoryView};
use crate::tui::options::Options;
use crate::tui::replay_state::{ReplayState, TriedRules};
use crate::tui::ui::Ui;
use crate::tui::view_model::{Intent, ViewModel};

use super::harness::{LARGE, MEDIUM, SMALL, draw, lines, options, press, shot, type_text};

pub(super) fn fixture() -> Fixture {
    let mut fixture = Fixture::mixed();
    fixture.history = history();
    fixture
}

pub(super) fn outages(model: &ViewModel<'_>, size: (u16, u16), options: Options) -> Ui {
    let mut ui = Ui::new(options, size);
    ui.tick(model);
    press(&mut ui, model, "F5");
    ui
}

#[test]
fn outages_stand_above_the_outbox_with_and_without_colours_and_in_ascii() {
    let fixture = fixture();
    let model = fixture.model();
    for size in [SMALL, MEDIUM] {
        let ui = outages(&model, size, options());
        assert_snapshot!(
            format!("outages_{}", size.0),
            shot(&draw(&ui, &model, size))
        );
        let plain = Options {
            color: false,
            ..options()
        };
        let plain = draw(&outages(&model, size, plain), &model, size);
        assert!(plain.content.iter().all(|cell| cell.fg == Color::Reset));
        assert_snapshot!(format!("outages_no_colour_{}", size.0), shot(&plain));
        let ascii = Options {
            ascii: true,
            ..options()
        };
        let ascii = draw(&outages(&model, size, ascii), &model, size);
        assert!(ascii.content.iter().all(|cell| cell.symbol().is_ascii()));
        assert_snapshot!(format!("outages_ascii_{}", size.0), shot(&ascii));
    }
}

#[test]
fn an_outage_and_a_message_are_opened_whole() {
    let fixture = fixture();
    let model = fixture.model();
    for size in [SMALL, MEDIUM] {
        let mut ui = outages(&model, size, options());
        press(&mut ui, &model, "j Enter");
        assert_snapshot!(format!("outage_{}", size.0), shot(&draw(&ui, &model, size)));
        press(&mut ui, &model, "q o Enter");
        assert_snapshot!(
            format!("message_{}", size.0),
            shot(&draw(&ui, &model, size))
        );
    }
}

#[test]
fn an_open_outage_is_acknowledged_with_a_note_and_again_takes_it_back() {
    let fixture = fixture();
    let model = fixture.model();
    let (news, pay) = (fixture.id("news.example"), fixture.id("pay.example/charge"));
    let mut ui = outages(&model, MEDIUM, options());
    press(&mut ui, &model, "a");
    type_text(&mut ui, &model, "q is a char of it 1");
    assert_snapshot!("note_typed_120", shot(&draw(&ui, &model, MEDIUM)));
    assert_eq!(
        press(&mut ui, &model, "Backspace Enter"),
        [Intent::Acknowledge(
            vec![news],
            Some("q is a char of it".to_owned())
        )]
    );
    press(&mut ui, &model, "a");
    assert_eq!(press(&mut ui, &model, "x Esc"), []);
    // The other one is acknowledged already, and the third is over.
    assert_eq!(
        press(&mut ui, &model, "j a"),
        [Intent::Acknowledge(vec![pay], None)]
    );
    assert_eq!(press(&mut ui, &model, "j a"), []);
    let text = lines(&draw(&ui, &model, MEDIUM)).join("\n");
    assert!(text.contains("only an open one"), "{text}");
}

#[test]
fn a_message_that_failed_is_sent_again_and_one_that_arrived_is_not() {
    let fixture = fixture();
    let model = fixture.model();
    let mut ui = outages(&model, SMALL, options());
    // The first r only goes to what failed.
    assert_eq!(press(&mut ui, &model, "r"), []);
    assert_eq!(
        press(&mut ui, &model, "r"),
        [Intent::SendAgain("ops-sms-3400".into())]
    );
    assert_eq!(press(&mut ui, &model, "k r"), []);
    let text = lines(&draw(&ui, &model, SMALL)).join("\n");
    assert!(text.contains("not sent twice"), "{text}");
}

#[test]
fn a_filter_of_outages_leaves_the_table_of_sites_alone() {
    let fixture = fixture();
    let model = fixture.model();
    let mut ui = outages(&model, SMALL, options());
    press(&mut ui, &model, "/");
    type_text(&mut ui, &model, "shop 503");
    press(&mut ui, &model, "Enter");
    let text = lines(&draw(&ui, &model, SMALL)).join("\n");
    assert!(text.contains("2 open, 1 of the latest 5 shown"), "{text}");
    press(&mut ui, &model, "F1");
    let text = lines(&draw(&ui, &model, SMALL)).join("\n");
    assert!(text.contains("1/16"), "{text}");
    press(&mut ui, &model, "F5 Esc");
    let text = lines(&draw(&ui, &model, SMALL)).join("\n");
    assert!(text.contains("5 of the latest 5 shown"), "{text}");
}

#[test]
fn a_frozen_screen_shows_the_outages_of_then() {
    let mut fixture = fixture();
    let mut ui = outages(&fixture.model(), SMALL, options());
    press(&mut ui, &fixture.model(), "Space");
    fixture.history = HistoryView {
        revision: 2,
        answered: true,
        ..HistoryView::default()
    };
    let text = lines(&draw(&ui, &fixture.model(), SMALL)).join("\n");
    assert!(text.contains("news.example"), "{text}");
    press(&mut ui, &fixture.model(), "Space");
    let text = lines(&draw(&ui, &fixture.model(), SMALL)).join("\n");
    assert!(text.contains("No outage on record"), "{text}");
}

#[test]
fn the_history_is_asked_only_for_what_is_on_the_screen() {
    let fixture = fixture();
    let model = fixture.model();
    let mut ui = Ui::new(options(), SMALL);
    ui.tick(&model);
    assert_eq!(ui.history_query(), None);
    press(&mut ui, &model, "F5");
    assert_eq!(ui.history_query(), Some(HistoryQuery::Outages));
    press(&mut ui, &model, "F1 d");
    let pay = fixture.id("pay.example/charge");
    assert_eq!(
        ui.history_query(),
        Some(HistoryQuery::Site(pay, HistorySpan::Day, 68))
    );
    press(&mut ui, &model, "Z");
    assert_eq!(
        ui.history_query(),
        Some(HistoryQuery::Site(pay, HistorySpan::Week, 68))
    );
}

#[test]
fn the_history_of_a_site_is_a_page_of_uptime_chart_days_and_outages() {
    let mut fixture = fixture();
    let pay = fixture.id("pay.example/charge");
    for (size, cells) in [(SMALL, 68), (MEDIUM, 108)] {
        fixture.history.site = Some(site_history(pay, HistorySpan::Day, cells));
        let model = fixture.model();
        let mut ui = Ui::new(options(), size);
        ui.tick(&model);
        press(&mut ui, &model, "d");
        assert_snapshot!(
            format!("site_history_{}", size.0),
            shot(&draw(&ui, &model, size))
        );
        press(&mut ui, &model, "G");
        let text = lines(&draw(&ui, &model, size)).join("\n");
        assert!(
            text.contains("history.db") && text.contains("7M a day"),
            "{text}"
        );
        let ascii = Options {
            ascii: true,
            ..options()
        };
        let mut ui = Ui::new(ascii, size);
        ui.tick(&model);
        press(&mut ui, &model, "d");
        let ascii = draw(&ui, &model, size);
        assert!(ascii.content.iter().all(|cell| cell.symbol().is_ascii()));
        assert_snapshot!(format!("site_history_ascii_{}", size.0), shot(&ascii));
    }
}

/// The page of the replay with two rules on trial.
fn replay_screen(fixture: &Fixture, size: (u16, u16), options: Options) -> Ui {
    let mut ui = outages(&fixture.model(), size, options);
    press(&mut ui, &fixture.model(), "t c T");
    ui
}

#[test]
fn the_replay_under_other_rules_stands_beside_the_history_as_it_was() {
    let mut fixture = fixture();
    let tried = replay_screen(&fixture, SMALL, options())
        .tried_rules()
        .unwrap();
    // The first site waits for ten seconds and is confirmed by two failures.
    assert_eq!(
        (tried.rules.confirm, tried.rules.timeout),
        (Some(3), Some(std::time::Duration::from_secs(7)))
    );
    fixture.replay = replay(tried);
    for size in [SMALL, MEDIUM, LARGE] {
        let ui = replay_screen(&fixture, size, options());
        let model = fixture.model();
        assert_snapshot!(format!("replay_{}", size.0), shot(&draw(&ui, &model, size)));
        let plain = Options {
            color: false,
            ascii: true,
            ..options()
        };
        let plain = draw(&replay_screen(&fixture, size, plain), &model, size);
        assert!(plain.content.iter().all(|cell| cell.fg == Color::Reset));
        assert!(plain.content.iter().all(|cell| cell.symbol().is_ascii()));
        assert_snapshot!(format!("replay_ascii_{}", size.0), shot(&plain));
    }
}

#[test]
fn figures_of_rules_that_are_tried_no_more_fade_until_the_new_ones_come() {
    let mut fixture = fixture();
    let mut ui = outages(&fixture.model(), SMALL, options());
    assert_eq!(ui.tried_rules(), None);
    press(&mut ui, &fixture.model(), "t");
    assert_eq!(ui.tried_rules(), Some(TriedRules::default()));
    // The lists are not read meanwhile.
    assert_eq!(ui.history_query(), None);
    fixture.replay = ReplayState {
        under_way: Some(0),
        ..ReplayState::default()
    };
    let text = lines(&draw(&ui, &fixture.model(), SMALL)).join("\n");
    assert!(text.contains("replaying …"), "{text}");
    fixture.replay = ReplayState {
        under_way: Some(430_000),
        ..replay(TriedRules::default())
    };
    press(&mut ui, &fixture.model(), "c C z");
    let buffer = draw(&ui, &fixture.model(), SMALL);
    let text = lines(&buffer).join("\n");
    assert!(text.contains("replaying … 430,000 results"), "{text}");
    let row = lines(&buffer)
        .iter()
        .position(|line| line.contains(" 14 "))
        .unwrap();
    assert!(
        buffer[(30, row as u16)]
            .modifier
            .contains(ratatui::style::Modifier::DIM)
    );
    fixture.replay.error = Some("No history is kept.".to_owned());
    let text = lines(&draw(&ui, &fixture.model(), SMALL)).join("\n");
    assert!(text.contains("No history is kept."), "{text}");
    press(&mut ui, &fixture.model(), "x");
    let span = ui.tried_rules().unwrap().span;
    assert_eq!(span, Some(std::time::Duration::from_secs(90 * 86_400)));
    press(&mut ui, &fixture.model(), "Esc");
    assert_eq!(ui.tried_rules(), None);
    assert_eq!(ui.history_query(), Some(HistoryQuery::Outages));
}

#[test]
fn the_list_of_replayed_outages_is_scrolled_and_the_figures_stay() {
    let mut fixture = fixture();
    let mut replay = replay(TriedRules::default());
    let result = replay.result.as_mut().unwrap();
    let last = result.outages[4].clone();
    result
        .outages
        .splice(4..4, vec![result.outages[3].clone(); 495]);
    result.of = 12_345;
    fixture.replay = replay;
    let model = fixture.model();
    for size in [(60, 16), SMALL, LARGE] {
        let mut ui = outages(&model, size, options());
        press(&mut ui, &model, "t");
        let text = lines(&draw(&ui, &model, size)).join("\n");
        assert!(
            !text.contains(&*last.name) && text.contains("OUTAGES  MESSAGES"),
            "{text}"
        );
        press(&mut ui, &model, "G");
        let text = lines(&draw(&ui, &model, size)).join("\n");
        assert!(
            text.contains(&*last.name) && text.contains("OUTAGES  MESSAGES"),
            "{text}"
        );
        assert!(text.contains("-500 of 12,345"), "{text}");
    }
}
