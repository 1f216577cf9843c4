//! Messages are kept before they are sent, and so is what becomes of them.

use std::sync::Arc;
use std::time::Duration;

use super::super::rows::{Composition, DeliveryState, Message, OutboxUpdate};
use super::super::{History, HistoryStorage, Queries};

use super::fixture::*;

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
