//! What the history promises, told from outside: through its handle and through its file.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::{Acknowledgement, FailureStreak};

use super::super::rows::{
    DeliveryState, EndedOutage, HistoryEvent, OutboxUpdate, ResumedSite, SiteChange,
};
use super::super::{History, HistoryError};

use super::fixture::*;

#[test]
fn an_open_outage_and_a_streak_come_back_and_what_ended_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let place = in_folder(folder.path());
    let clock = Arc::default();
    let (history, restored, _) = opened(&place, &clock);
    assert_eq!(restored, []);
    history.sites(names(&["shop", "blog", "pay"]), at(START));
    history.change(down(0, START, vec![message("a", "email")]));
    let known = FailureStreak {
        acknowledged: Some(Acknowledgement {
            at: at(START + 20),
            note: "on it".into(),
        }),
        ..failure_streak(START, 4, true)
    };
    history.change(SiteChange {
        streak: Some(known.clone()),
        ..down(0, START, Vec::new())
    });
    history.change(SiteChange {
        streak: Some(failure_streak(START + 5, 1, false)),
        ..down(1, START, Vec::new())
    });
    history.change(down(2, START, Vec::new()));
    history.change(SiteChange {
        site: id(2),
        at: at(START + 60),
        streak: None,
        alerts: Box::default(),
        ended: Some(EndedOutage {
            since: at(START),
            until: at(START + 60),
            lasted: Duration::from_secs(60),
            causes: failure_streak(START, 5, true).causes,
            untold: None,
        }),
        messages: Vec::new(),
    });
    assert!(history.close(Duration::from_secs(10)));

    let (history, mut restored, _) = opened(&place, &clock);
    restored.sort_by(|a, b| b.site.name.cmp(&a.site.name));
    let of = |name, streak: FailureStreak| ResumedSite {
        site: key(name),
        told: streak.down,
        written: None,
        streak,
    };
    for site in &mut restored {
        assert!(site.written.take().is_some());
    }
    assert_eq!(
        restored,
        [
            of("shop", known.clone()),
            of("blog", failure_streak(START + 5, 1, false))
        ]
    );
    // A site that is not watched any more has no open outage.
    history.sites(names(&["blog"]), at(START + 100));
    let outages = history
        .ask_and_wait(|book| book.outages(None, 10).unwrap())
        .unwrap();
    assert_eq!(outages.len(), 2);
    let shop = outages.iter().find(|row| row.site == key("shop")).unwrap();
    assert_eq!(shop.ended, Some(at(START + 100)));
    assert_eq!(shop.acknowledged, known.acknowledged);
    assert_eq!((shop.confirmed, shop.causes[0].checks), (at(START + 10), 4));
    assert_eq!(shop.messages.len(), 1);
    assert_eq!(shop.messages[0].delivery, DeliveryState::Pending);
    let pay = outages.iter().find(|row| row.site == key("pay")).unwrap();
    assert_eq!(pay.ended, Some(at(START + 60)));
    assert_eq!(pay.causes[0].checks, 5);
    history.close(Duration::from_secs(10));
}

#[test]
fn a_second_monitor_is_refused_with_a_sentence_and_the_first_ends_unharmed() {
    let folder = tempfile::tempdir().unwrap();
    let place = in_folder(folder.path());
    let clock = Arc::default();
    let (history, ..) = opened(&place, &clock);
    let refused = History::open(&place, KEEP, clock, |_| {});
    let Err(HistoryError::Refused(refusal)) = refused else {
        panic!("opened twice");
    };
    let sentence = refusal.to_string();
    assert!(
        sentence.contains("another monitor") && sentence.contains("--history"),
        "{sentence}"
    );
    history.sites(names(&["shop"]), at(START));
    assert!(history.close(Duration::from_secs(10)));
}

#[test]
fn a_damaged_file_is_put_aside_and_a_fresh_one_begun() {
    let folder = tempfile::tempdir().unwrap();
    let place = in_folder(folder.path());
    let path = folder.path().join("state/history.db");
    std::fs::create_dir(folder.path().join("state")).unwrap();
    std::fs::write(&path, vec![0x5a; 8_192]).unwrap();
    std::fs::write(path.with_extension("db.lock"), "").unwrap();
    let (history, _, told) = opened(&place, &Arc::default());
    let Ok(HistoryEvent::PutAside(aside)) = told.try_recv() else {
        panic!("not said");
    };
    assert_eq!(std::fs::read(&aside).unwrap(), vec![0x5a; 8_192]);
    history.sites(names(&["shop"]), at(START));
    history.result(result(0, START, None, 10));
    history.close(Duration::from_secs(10));
    let rows: i64 = rusqlite::Connection::open(&path)
        .unwrap()
        .query_row("SELECT count(*) FROM results", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 1);
}

#[test]
fn damage_that_is_met_later_costs_the_past_and_not_the_present() {
    let folder = tempfile::tempdir().unwrap();
    let place = in_folder(folder.path());
    let path = folder.path().join("state/history.db");
    let clock = Arc::default();
    let (history, ..) = opened(&place, &clock);
    history.sites(names(&["shop"]), at(START));
    for second in 0..5_000 {
        history.result(result(0, START + second, None, 10));
    }
    assert!(history.close(Duration::from_secs(10)));
    // Everything behind the tables' own page.
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4_096 * 4..].fill(0xee);
    std::fs::write(&path, bytes).unwrap();
    let (history, _, told) = opened(&place, &clock);
    history.sites(names(&["shop"]), at(START));
    history.change(down(0, START + 9_000, vec![message("kept", "email")]));
    history.result(result(0, START + 9_000, None, 10));
    let patience = Instant::now() + Duration::from_secs(20);
    let aside = loop {
        match told.recv_timeout(patience - Instant::now()).unwrap() {
            HistoryEvent::PutAside(aside) => break aside,
            _ => continue,
        }
    };
    assert!(aside.exists());
    let pending = history
        .ask_and_wait(|book| book.outbox(10).unwrap())
        .unwrap();
    assert_eq!(pending.len(), 1);
    assert_eq!(&*pending[0].message.id, "kept");
    assert!(history.close(Duration::from_secs(10)));
    let (history, restored, told) = opened(&place, &clock);
    assert_eq!(restored.len(), 1);
    assert_eq!(told.try_recv().ok(), None);
    history.close(Duration::from_secs(10));
}

#[test]
fn a_folder_that_cannot_be_written_is_said_and_memory_stands_in_until_it_can() {
    let folder = tempfile::tempdir().unwrap();
    // Where the folder should be there is a file: not even root can write into that.
    let in_the_way = folder.path().join("state");
    std::fs::write(&in_the_way, "").unwrap();
    let place = in_folder(folder.path());
    let clock = Arc::default();
    let (history, _, told) = opened(&place, &clock);
    assert!(matches!(told.try_recv(), Ok(HistoryEvent::Trouble(_))));
    history.sites(names(&["shop"]), at(START));
    history.result(result(0, START, None, 10));
    history.change(down(
        0,
        START,
        vec![message("a", "email"), message("b", "sms")],
    ));
    history.update_message(
        "b".into(),
        OutboxUpdate::Sent,
        Some("201".into()),
        at(START + 1),
    );
    let pending = history.ask_and_wait(|book| book.pending_count().unwrap());
    assert_eq!(pending, Some(1), "owners are told all the same");
    history.maintain(id(0), Some(at(START + 9_000)), at(START));
    std::fs::remove_file(&in_the_way).unwrap();
    let patience = Instant::now() + Duration::from_secs(20);
    while told.recv_timeout(patience - Instant::now()).unwrap()
        != (HistoryEvent::Mended { lost: 0 })
    {}
    history.result(result(0, START + 300, None, 10));
    assert!(history.close(Duration::from_secs(10)));

    let (history, restored, _) = opened(&place, &clock);
    assert_eq!(restored.len(), 1);
    let maintenance = history.ask_and_wait(|book| book.maintenance().unwrap());
    assert_eq!(maintenance, Some(vec![(key("shop"), at(START + 9_000))]));
    let (messages, outages) = history
        .ask_and_wait(|book| (book.outbox(10).unwrap(), book.outages(None, 9).unwrap()))
        .unwrap();
    let states: Vec<_> = messages
        .iter()
        .map(|posted| (&*posted.message.id, posted.delivery))
        .collect();
    assert_eq!(
        states,
        [("b", DeliveryState::Sent), ("a", DeliveryState::Pending)]
    );
    assert_eq!(outages[0].messages.len(), 2, "messages know their outage");
    let total = history
        .ask_and_wait(|book| {
            book.total(&key("shop"), Duration::from_secs(86_400))
                .unwrap()
        })
        .unwrap();
    assert_eq!(total.count, 2);
    history.close(Duration::from_secs(10));
}

#[test]
fn a_failure_of_the_thread_is_told_and_costs_nothing_that_was_sent() {
    let folder = tempfile::tempdir().unwrap();
    let place = in_folder(folder.path());
    let (history, _, told) = opened(&place, &Arc::default());
    history.sites(names(&["shop"]), at(START));
    history.result(result(0, START, None, 10));
    for _ in 0..2 {
        history.ask(|_| panic!("a mistake of the program"));
        history.change(down(0, START, vec![message("a", "email")]));
        let failed = HistoryEvent::Failed("a mistake of the program".into());
        while told.recv_timeout(Duration::from_secs(20)).unwrap() != failed {}
    }
    let asked = history.ask_and_wait(|queries| -> () { panic!("{:?}", queries.now()) });
    assert_eq!(asked, None);
    history.result(result(0, START + 300, None, 10));
    assert!(history.close(Duration::from_secs(10)));
    let (history, restored, _) = opened(&place, &Arc::default());
    assert_eq!(restored.len(), 1);
    let kept = history.ask_and_wait(|queries| {
        let total = queries.total(&key("shop"), Duration::from_secs(86_400));
        (total.unwrap().count, queries.pending_count().unwrap())
    });
    assert_eq!(kept, Some((2, 1)));
    assert!(history.close(Duration::from_secs(10)));
}

#[test]
fn the_log_of_a_file_that_is_removed_alone_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = in_folder(folder.path());
    let path = folder.path().join("state/history.db");
    let (history, _, told) = opened(&place, &Arc::default());
    history.sites(names(&["shop"]), at(START));
    history.change(down(0, START, vec![message("a", "email")]));
    history.ask_and_wait(|_| ()).unwrap();
    for ending in ["-wal", "-shm"] {
        std::fs::remove_file(folder.path().join(format!("state/history.db{ending}"))).unwrap();
        while told.recv_timeout(Duration::from_secs(20)).unwrap() != HistoryEvent::StateWanted {}
        history.state_told();
        history.change(down(0, START, vec![message(ending, "email")]));
        history.ask_and_wait(|_| ()).unwrap();
        // Another program sees all of it.
        let other = rusqlite::Connection::open(&path).unwrap();
        let rows: i64 = other
            .query_row(
                "SELECT count(*) FROM outbox WHERE id IN ('a', ?1)",
                [ending],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(rows, 2, "{ending}");
    }
    assert!(history.close(Duration::from_secs(10)));
}
