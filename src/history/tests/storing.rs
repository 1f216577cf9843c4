//! What the history promises, told from outside: through its handle and through its file.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::{Acknowledgement, FailureStreak};

use super::super::rows::{
    Composition, DeliveryState, EndedOutage, HistoryEvent, Message, OutboxUpdate, ResumedSite,
    SiteChange,
};
use super::super::{History, HistoryError, HistoryStorage, Queries};

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
    // What a crash of the machine may leave of it.
    std::fs::write(&path, vec![0; 8_192]).unwrap();
    let (history, _, told) = opened(&place, &Arc::default());
    let Ok(HistoryEvent::PutAside(aside)) = told.try_recv() else {
        panic!("not said");
    };
    assert_eq!(std::fs::read(&aside).unwrap(), vec![0; 8_192]);
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
fn a_message_is_kept_once_and_its_fate_is_known() {
    let clock = Arc::default();
    let (history, ..) = opened(&HistoryStorage::Memory, &clock);
    history.sites(names(&["shop"]), at(START));
    for _ in 0..3 {
        history.change(down(0, START, vec![message("a", "email")]));
    }
    history.update_message(
        "a".into(),
        OutboxUpdate::Retry(at(START + 60)),
        Some("busy".into()),
        at(START),
    );
    let posted = history
        .ask_and_wait(|book| book.outbox(10).unwrap())
        .unwrap();
    assert_eq!(posted.len(), 1);
    assert_eq!((posted[0].attempts, posted[0].next), (1, at(START + 60)));
    history.update_message(
        "a".into(),
        OutboxUpdate::Failed,
        Some("no".into()),
        at(START + 9),
    );
    history.update_message("a".into(), OutboxUpdate::SendAgain, None, at(START + 10));
    history.update_message(
        "a".into(),
        OutboxUpdate::Sent,
        Some("250 ok".into()),
        at(START + 11),
    );
    // A delivered message is not sent again.
    history.update_message("a".into(), OutboxUpdate::SendAgain, None, at(START + 12));
    let (posted, count) = history
        .ask_and_wait(|book| (book.outbox(10).unwrap(), book.outbox_counts().unwrap()))
        .unwrap();
    assert_eq!(posted[0].delivery, DeliveryState::Sent);
    assert_eq!(posted[0].answer.as_deref(), Some("250 ok"));
    assert_eq!((count.pending, count.sent, count.failed), (0, 1, 0));
    history.close(Duration::from_secs(10));
}

/// A message that waits, and the one that tells of it.
type Left = (Box<str>, Option<Box<str>>);

/// The message of these events, and what waits after it was composed.
fn composed(history: &History, events: &[&str]) -> (Option<Box<str>>, Vec<Left>) {
    let composition = Composition {
        id: "digest".into(),
        messages: events.iter().map(|id| (*id).into()).collect(),
        merged: Vec::new(),
    };
    let read = move |book: &Queries<'_>| {
        let message = book.compose(&composition, |parts| {
            let first = parts.first()?.clone();
            let ids: Vec<&str> = parts.iter().map(|part| &*part.id).collect();
            Some(Message {
                body: ids.join(", ").into(),
                ..first
            })
        });
        let left = book.unsettled().unwrap().into_iter();
        let left = left.map(|left| (left.id, left.digest)).collect();
        (message.unwrap().map(|message| message.body), left)
    };
    history.ask_and_wait(read).unwrap()
}

#[test]
fn a_digest_that_is_sent_again_tells_only_what_still_holds() {
    let folder = tempfile::tempdir().unwrap();
    let place = in_folder(folder.path());
    let (history, ..) = opened(&place, &Arc::default());
    history.sites(names(&["shop", "blog"]), at(START));
    history.queue_messages(vec![
        message("a", "email"),
        message("b", "email"),
        message("c", "email"),
    ]);
    let told_by = || Some("digest".into());
    let (text, left) = composed(&history, &["a", "b", "c"]);
    assert_eq!(text.as_deref(), Some("a, b, c"));
    assert_eq!(left.len(), 4);
    // One of them is over, and one is left behind.
    history.update_message("b".into(), OutboxUpdate::Over, None, at(START + 5));
    let (text, left) = composed(&history, &["c"]);
    assert_eq!(text.as_deref(), Some("c"));
    let expected = [
        ("a".into(), None),
        ("c".into(), told_by()),
        ("digest".into(), None),
    ];
    assert_eq!(left, expected);
    // Nothing of it is left.
    history.update_message("c".into(), OutboxUpdate::Over, None, at(START + 9));
    let left = history.ask_and_wait(|book| book.unsettled().unwrap().len());
    assert_eq!(left, Some(1));
    history.close(Duration::from_secs(10));
}

#[test]
fn messages_are_handed_over_once_they_are_kept_and_one_that_fails_costs_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let place = in_folder(folder.path());
    let (history, ..) = opened(&place, &Arc::default());
    history.sites(names(&["shop", "blog"]), at(START));
    let waiting = |id| Message {
        batched: true,
        ..message(id, "email")
    };
    history.queue_messages(vec![waiting("a"), waiting("b")]);
    let (told, heard) = std::sync::mpsc::channel();
    for id in ["a", "unknown", "b"] {
        let composition = Composition {
            id: id.into(),
            messages: vec![id.into()],
            merged: Vec::new(),
        };
        let (told, file) = (told.clone(), folder.path().join("state/history.db"));
        history.compose(
            move |book| book.compose(&composition, |parts| parts.first().cloned()),
            move |message| {
                let other = rusqlite::Connection::open(&file).unwrap();
                let sql = "SELECT count(*) FROM outbox WHERE id = ?1 AND state = 0";
                let kept: u32 = other.query_row(sql, [id], |row| row.get(0)).unwrap();
                let composed = message.flatten().unwrap().is_some();
                told.send((id, composed, kept)).unwrap();
            },
        );
    }
    let patience = Duration::from_secs(20);
    let heard: Vec<_> = (0..3).map(|_| heard.recv_timeout(patience)).collect();
    let expected = [("a", true, 1), ("unknown", false, 0), ("b", true, 1)];
    assert_eq!(heard, expected.map(Ok));
    // An error of the program: whoever waits for it is dropped, not called.
    let (told, unheard) = std::sync::mpsc::channel::<bool>();
    let fails = |_: &Queries<'_>| -> bool { panic!("a mistake of the program") };
    history.compose(fails, move |kept| told.send(kept.is_ok()).unwrap());
    let gone = std::sync::mpsc::RecvTimeoutError::Disconnected;
    assert_eq!(unheard.recv_timeout(patience), Err(gone));
    assert!(history.close(Duration::from_secs(10)));
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
