//! The order of the outages, and the keys that lead from one to what is known of it.

use insta::assert_snapshot;

use crate::domain::{Reason, Timestamp};
use crate::history::{RawCheck, SiteChecks};
use crate::tui::fixture::Fixture;
use crate::tui::history_view::{CheckList, CheckSpan, HistoryQuery, HistorySpan};
use crate::tui::ui::Ui;

use super::harness::{SMALL, draw, lines, options, press, shot};
use super::outages::{fixture, outages};

#[test]
fn outages_are_sorted_by_their_begin_and_their_length_and_new_ones_are_marked() {
    let mut fixture = fixture();
    let mut ui = outages(&fixture.model(), SMALL, options());
    let names = |ui: &Ui, fixture: &Fixture| {
        let text = lines(&draw(ui, &fixture.model(), SMALL));
        let rows = text.into_iter().skip(3).take(5);
        let names = rows.map(|line| {
            let name = line.chars().skip(29).take_while(|c| *c != '.');
            format!("{}{}", &line[..1], name.collect::<String>())
        });
        names.collect::<Vec<_>>()
    };
    let open_first = [" news", " pay", " shop", " blog", " old"];
    assert_eq!(names(&ui, &fixture), open_first);
    press(&mut ui, &fixture.model(), "S");
    let oldest_first = [" pay", " news", " old", " blog", " shop"];
    assert_eq!(names(&ui, &fixture), oldest_first);
    press(&mut ui, &fixture.model(), "S s");
    assert_eq!(names(&ui, &fixture), open_first);
    press(&mut ui, &fixture.model(), "s");
    let longest_first = [" old", " blog", " pay", " shop", " news"];
    assert_eq!(names(&ui, &fixture), longest_first);
    let text = lines(&draw(&ui, &fixture.model(), SMALL));
    assert!(text[2].contains("↓LASTS"), "{}", text[2]);
    assert!(text[22].contains("2 open"), "{}", text[22]);
    // One comes and goes while nobody is there.
    fixture.advance(std::time::Duration::from_secs(600));
    let now = fixture.now().wall;
    let mut away = fixture.history.outages[2].clone();
    let ago = |seconds: i64| Timestamp::from_micros(now.as_micros() - seconds * 1_000_000);
    (away.row.since, away.row.confirmed) = (ago(70), ago(60));
    away.row.ended = Some(ago(20));
    fixture.history.outages.push(away);
    ui.tick(&fixture.model());
    press(&mut ui, &fixture.model(), "s s");
    let newest_first = ["*shop", " news", " pay", " shop", " blog"];
    assert_eq!(names(&ui, &fixture), newest_first);
    let text = lines(&draw(&ui, &fixture.model(), SMALL));
    assert!(
        text[22].contains("* new since your last key"),
        "{}",
        text[22]
    );
}

#[test]
fn from_an_outage_one_key_leads_to_its_checks_its_messages_and_its_site() {
    let mut fixture = fixture();
    let pay = fixture.id("pay.example/charge");
    let row = &fixture.history.outages[1].row;
    let (good, since) = (row.last_good.unwrap(), row.since);
    let span = CheckSpan::Outage(good, None);
    let check = |reason, status| RawCheck {
        reason,
        status,
        latency: std::time::Duration::from_millis(310),
        late: std::time::Duration::ZERO,
    };
    let at = |seconds: i64| Timestamp::from_micros(since.as_micros() + seconds * 1_000_000);
    fixture.history.checks = Some(CheckList {
        site: pay,
        span,
        found: SiteChecks {
            checks: vec![
                (at(20), None),
                (at(10), Some(check(Some(Reason::Status), Some(503)))),
                (at(0), Some(check(Some(Reason::Timeout), None))),
                (good, Some(check(None, Some(200)))),
            ],
            from: good,
        },
    });
    let model = fixture.model();
    // From the list, and from the page of the outage.
    for to in ["j", "j Enter"] {
        let mut ui = outages(&model, SMALL, options());
        press(&mut ui, &model, to);
        press(&mut ui, &model, "c");
        assert_eq!(ui.history_query(), Some(HistoryQuery::Checks(pay, span)));
        let shown = draw(&ui, &model, SMALL);
        if to == "j" {
            assert_snapshot!("outage_checks_80", shot(&shown));
        }
        press(&mut ui, &model, "q m");
        let text = lines(&draw(&ui, &model, SMALL)).join("\n");
        for words in [
            "Messages about the outage of pay.example/charge",
            "ops by email",
            "sent 13:57:58 after 1 try",
            "DOWN: pay.example/charge (timeout",
            "250 2.0.0 Ok: queued as 4711",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        press(&mut ui, &model, "q d");
        let day = HistoryQuery::Site(pay, HistorySpan::Day, 68);
        assert_eq!(ui.history_query(), Some(day));
        press(&mut ui, &model, "z z c");
        let hour = CheckSpan::Last(HistorySpan::Hour);
        assert_eq!(ui.history_query(), Some(HistoryQuery::Checks(pay, hour)));
        let text = lines(&draw(&ui, &model, SMALL)).join("\n");
        assert!(
            text.contains("Checks of pay.example/charge, the last 1 h"),
            "{text}"
        );
    }
    // A site that is gone has none.
    let mut ui = outages(&model, SMALL, options());
    press(&mut ui, &model, "G c");
    let text = lines(&draw(&ui, &model, SMALL)).join("\n");
    assert!(text.contains("no longer in the configuration"), "{text}");
}
