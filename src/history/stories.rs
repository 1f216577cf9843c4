//! What the history promises, told from outside: through its handle and through its file.

use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use proptest::prelude::*;

use crate::domain::{
    Acknowledgement, Cause, Clock, Look, Moment, Reason, Site, SiteId, SiteUrl, Standing,
    StatusSet, Timestamp,
};

use super::archive::Archive;
use super::book::Book;
use super::open;
use super::records::{
    Change, Ended, Letter, LookRow, Mark, News, Progress, Restored, SiteKey, Watched,
};
use super::retention;
use super::rollup::Roller;
use super::store::{Entry, Store};
use super::{History, HistoryError, Keep, Place, Sum};

const DAY: i64 = 86_400;
/// A Tuesday, 22:13:20 in UTC.
const START: i64 = 1_700_000_000;
const KEEP: Keep = Keep {
    raw: Duration::from_secs(7 * 86_400),
    rollup: Duration::from_secs(400 * 86_400),
};

/// A clock whose two hands are moved apart.
#[derive(Debug, Default)]
struct Hands {
    mono: AtomicU64,
    wall: AtomicI64,
}

impl Clock for Hands {
    fn moment(&self) -> Moment {
        Moment::from_nanos(self.mono.load(Ordering::SeqCst))
    }
    fn timestamp(&self) -> Timestamp {
        Timestamp::from_micros(self.wall.load(Ordering::SeqCst))
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

fn key(name: &str) -> SiteKey {
    SiteKey {
        name: name.into(),
        url: format!("http://{name}.invalid/").into(),
    }
}

fn id(index: usize) -> SiteId {
    SiteId::from_index(index)
}

fn names(names: &[&str]) -> Watched {
    let site = |name: &str| Site {
        name: name.into(),
        look: Arc::new(Look {
            url: SiteUrl::new(format!("http://{name}.invalid/")),
            timeout: Duration::from_secs(10),
            slow: Duration::from_secs(2),
            cert_warn: Duration::ZERO,
            expect_status: StatusSet::default(),
            contains: None,
            max_redirects: 5,
            user_agent: "test".into(),
        }),
        interval: Duration::from_secs(300),
        confirm: 2,
        recover: 2,
        confirm_delay: Duration::from_secs(10),
        owners: Vec::new(),
        tags: Vec::new(),
        parent: None,
        paused: false,
    };
    let sites = names.iter().enumerate();
    Arc::new(
        sites
            .map(|(index, name)| (id(index), Arc::new(site(name))))
            .collect(),
    )
}

fn look(site: usize, seconds: i64, reason: Option<Reason>, millis: u64) -> LookRow {
    LookRow {
        site: id(site),
        at: at(seconds),
        reason,
        status: Some(200),
        latency: Duration::from_millis(millis),
        late: Duration::ZERO,
    }
}

fn standing(since: i64, failures: u32, down: bool) -> Standing {
    Standing {
        failures,
        good: 0,
        since: at(since),
        causes: vec![Cause {
            reason: Reason::Timeout,
            status: None,
            error: Some("no answer within 10 s".into()),
            looks: failures,
        }],
        last_good: Some(at(since - 300)),
        down,
        acknowledged: None,
    }
}

fn letter(id: &str, channel: &str) -> Letter {
    Letter {
        id: id.into(),
        owner: "ops".into(),
        channel: channel.into(),
        site: "shop".into(),
        at: at(START),
        subject: "shop is DOWN".into(),
        body: "shop is down".into(),
        event: "".into(),
        gathers: false,
        not_before: None,
        facts: "{}".into(),
    }
}

fn opened(place: &Place, clock: &Arc<Hands>) -> (History, Vec<Restored>, Receiver<News>) {
    let (tell, told) = channel();
    clock.wall.fetch_max(START * 1_000_000, Ordering::SeqCst);
    let tell = Mutex::new(tell);
    let (history, restored) = History::open(place, KEEP, Arc::clone(clock) as _, move |news| {
        let _gone = tell.lock().unwrap().send(news);
    })
    .unwrap();
    (history, restored, told)
}

fn in_folder(folder: &Path) -> Place {
    Place::File(folder.join("state/history.db"))
}

fn down(site: usize, since: i64, letters: Vec<Letter>) -> Change {
    Change {
        site: id(site),
        at: at(since + 10),
        standing: Some(standing(since, 2, true)),
        ended: None,
        letters,
    }
}

#[test]
fn an_open_outage_and_a_streak_come_back_and_what_ended_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let place = in_folder(folder.path());
    let clock = Arc::default();
    let (history, restored, _) = opened(&place, &clock);
    assert_eq!(restored, []);
    history.sites(names(&["shop", "blog", "pay"]), at(START));
    history.change(down(0, START, vec![letter("a", "email")]));
    let known = Standing {
        acknowledged: Some(Acknowledgement {
            at: at(START + 20),
            note: "on it".into(),
        }),
        ..standing(START, 4, true)
    };
    history.change(Change {
        standing: Some(known.clone()),
        ..down(0, START, Vec::new())
    });
    history.change(Change {
        standing: Some(standing(START + 5, 1, false)),
        ..down(1, START, Vec::new())
    });
    history.change(down(2, START, Vec::new()));
    history.change(Change {
        site: id(2),
        at: at(START + 60),
        standing: None,
        ended: Some(Ended {
            since: at(START),
            causes: standing(START, 5, true).causes,
        }),
        letters: Vec::new(),
    });
    assert!(history.close(Duration::from_secs(10)));

    let (history, mut restored, _) = opened(&place, &clock);
    restored.sort_by(|a, b| b.site.name.cmp(&a.site.name));
    let of = |name, standing: Standing| Restored {
        site: key(name),
        told: standing.down,
        standing,
    };
    assert_eq!(
        restored,
        [
            of("shop", known.clone()),
            of("blog", standing(START + 5, 1, false))
        ]
    );
    // The site that nobody watches any more has no open outage.
    history.sites(names(&["blog"]), at(START + 100));
    let outages = history
        .ask_and_wait(|book| book.outages(None, 10).unwrap())
        .unwrap();
    assert_eq!(outages.len(), 2);
    let shop = outages.iter().find(|row| row.site == key("shop")).unwrap();
    assert_eq!(shop.ended, Some(at(START + 100)));
    assert_eq!(shop.acknowledged, known.acknowledged);
    assert_eq!((shop.confirmed, shop.causes[0].looks), (at(START + 10), 4));
    assert_eq!(shop.letters.len(), 1);
    assert_eq!(shop.letters[0].progress, Progress::Pending);
    let pay = outages.iter().find(|row| row.site == key("pay")).unwrap();
    assert_eq!(pay.ended, Some(at(START + 60)));
    assert_eq!(pay.causes[0].looks, 5);
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
    let (history, _, told) = opened(&place, &Arc::default());
    let Ok(News::PutAside(aside)) = told.try_recv() else {
        panic!("not said");
    };
    assert_eq!(std::fs::read(&aside).unwrap(), vec![0x5a; 8_192]);
    history.sites(names(&["shop"]), at(START));
    history.look(look(0, START, None, 10));
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
        history.look(look(0, START + second, None, 10));
    }
    assert!(history.close(Duration::from_secs(10)));
    // Everything behind the tables' own page.
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4_096 * 4..].fill(0xee);
    std::fs::write(&path, bytes).unwrap();
    let (history, _, told) = opened(&place, &clock);
    history.sites(names(&["shop"]), at(START));
    history.change(down(0, START + 9_000, vec![letter("kept", "email")]));
    history.look(look(0, START + 9_000, None, 10));
    let patience = Instant::now() + Duration::from_secs(20);
    let aside = loop {
        match told.recv_timeout(patience - Instant::now()).unwrap() {
            News::PutAside(aside) => break aside,
            _ => continue,
        }
    };
    assert!(aside.exists());
    let pending = history
        .ask_and_wait(|book| book.pending("email", &[], 10).unwrap())
        .unwrap();
    assert_eq!(pending.len(), 1);
    assert_eq!(&*pending[0].letter.id, "kept");
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
    assert!(matches!(told.try_recv(), Ok(News::Trouble(_))));
    history.sites(names(&["shop"]), at(START));
    history.look(look(0, START, None, 10));
    history.change(down(
        0,
        START,
        vec![letter("a", "email"), letter("b", "sms")],
    ));
    history.mark("b".into(), Mark::Sent, Some("201".into()), at(START + 1));
    let pending = history
        .ask_and_wait(|book| book.pending("email", &[], 10).unwrap())
        .unwrap();
    assert_eq!(pending.len(), 1, "owners are told all the same");
    std::fs::remove_file(&in_the_way).unwrap();
    let patience = Instant::now() + Duration::from_secs(20);
    while told.recv_timeout(patience - Instant::now()).unwrap() != (News::Mended { lost: 0 }) {}
    history.look(look(0, START + 300, None, 10));
    assert!(history.close(Duration::from_secs(10)));

    let (history, restored, _) = opened(&place, &clock);
    assert_eq!(restored.len(), 1);
    let (letters, outages) = history
        .ask_and_wait(|book| (book.outbox(10).unwrap(), book.outages(None, 9).unwrap()))
        .unwrap();
    let states: Vec<_> = letters
        .iter()
        .map(|posted| (&*posted.letter.id, posted.progress))
        .collect();
    assert_eq!(states, [("b", Progress::Sent), ("a", Progress::Pending)]);
    assert_eq!(outages[0].letters.len(), 2, "letters know their outage");
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
fn a_letter_is_kept_once_and_its_fate_is_known() {
    let clock = Arc::default();
    let (history, ..) = opened(&Place::Memory, &clock);
    history.sites(names(&["shop"]), at(START));
    for _ in 0..3 {
        history.change(down(0, START, vec![letter("a", "email")]));
    }
    history.mark(
        "a".into(),
        Mark::Retry(at(START + 60)),
        Some("busy".into()),
        at(START),
    );
    let except = ["ops".into()];
    let others = history
        .ask_and_wait(move |book| book.pending("email", &except, 10).unwrap())
        .unwrap();
    assert_eq!(others, []);
    let posted = history
        .ask_and_wait(|book| book.outbox(10).unwrap())
        .unwrap();
    assert_eq!(posted.len(), 1);
    assert_eq!((posted[0].attempts, posted[0].next), (1, at(START + 60)));
    history.mark("a".into(), Mark::Failed, Some("no".into()), at(START + 9));
    history.mark("a".into(), Mark::Again, None, at(START + 10));
    history.mark(
        "a".into(),
        Mark::Sent,
        Some("250 ok".into()),
        at(START + 11),
    );
    // What is delivered is not sent again, whoever asks.
    history.mark("a".into(), Mark::Again, None, at(START + 12));
    let (posted, count) = history
        .ask_and_wait(|book| (book.outbox(10).unwrap(), book.post_count().unwrap()))
        .unwrap();
    assert_eq!(posted[0].progress, Progress::Sent);
    assert_eq!(posted[0].answer.as_deref(), Some("250 ok"));
    assert_eq!((count.pending, count.sent, count.failed), (0, 1, 0));
    history.close(Duration::from_secs(10));
}

/// Sums up all that is over by `now`.
fn roll(store: &mut Store, now: i64) {
    let mut roller = Roller::default();
    while roller.step(store, now, KEEP.horizon(now)).unwrap() {}
}

fn watching(sites: &[&str]) -> Store {
    let mut store = open::in_memory().unwrap();
    store
        .apply(&[Entry::Sites(names(sites), at(START))])
        .unwrap();
    store
}

fn total(store: &Store, name: &str, now: i64, span: i64) -> Sum {
    let span = Duration::from_secs(span.unsigned_abs());
    Book::new(store, None, at(now))
        .total(&key(name), span)
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// However often and whenever summing up is interrupted: what a span comes to is what its
    /// looks come to.
    #[test]
    fn a_span_is_the_sum_of_its_looks(
        steps in proptest::collection::vec((0_usize..2, 1_i64..40_000, 0_u8..4, 1_u64..9_000), 1..150),
        span in 600_i64..(20 * DAY),
    ) {
        let mut store = watching(&["a", "b"]);
        let mut now = START;
        let mut looks = Vec::new();
        for (index, (site, pause, kind, millis)) in steps.iter().enumerate() {
            now += pause;
            let reason = match kind {
                0 | 1 => None,
                2 => Some(Reason::Timeout),
                _ => Some(Reason::Internal),
            };
            let row = look(*site, now, reason, *millis);
            store.apply(&[Entry::Look(row), Entry::Missed(id(*site), at(now))]).unwrap();
            looks.push(row);
            if index % 7 == 0 {
                roll(&mut store, now);
            } else if index % 5 == 0 {
                Roller::default().step(&mut store, now, 0).unwrap();
            }
        }
        // Spans begin at a period of the longest kind that they reach into.
        let from = super::Level::FiveMinutes.ceil(now - span);
        for (site, name) in ["a", "b"].into_iter().enumerate() {
            let mut expected = Sum::default();
            for row in looks.iter().filter(|row| row.site == id(site) && row.at >= at(from)) {
                expected.look(super::codes::code(row.reason), row.latency.as_micros() as u64);
                expected.missed += 1;
            }
            prop_assert_eq!(total(&store, name, now, span), expected);
        }
        let archive = Archive {
            rolled: store.rolled,
            connection: store.connection,
            path: "memory".into(),
            now: at(now + 1),
        };
        for cells in [None, Some(super::Level::Hour), Some(super::Level::Day)] {
            let span = Duration::from_secs(span.unsigned_abs() + 1);
            let surveys = archive.survey(span, cells).unwrap();
            for (site, name) in ["a", "b"].into_iter().enumerate() {
                let mut expected = Sum::default();
                for row in looks.iter().filter(|row| row.site == id(site) && row.at >= at(from)) {
                    expected.look(super::codes::code(row.reason), row.latency.as_micros() as u64);
                    expected.missed += 1;
                }
                let found = surveys.iter().find(|survey| survey.site == key(name));
                let found = found.map(|survey| survey.sum.clone()).unwrap_or_default();
                prop_assert_eq!(&found, &expected, "{:?}", cells);
                let mut parts = Sum::default();
                let stretches = surveys.iter().filter(|survey| survey.site == key(name));
                for (_, cell) in stretches.flat_map(|survey| &survey.cells) {
                    cell.add_to(&mut parts);
                }
                if cells.is_some() {
                    prop_assert_eq!(
                        (parts.count, parts.up, parts.unknown, parts.sketch),
                        (expected.count, expected.up, expected.unknown, expected.sketch)
                    );
                }
            }
        }
    }
}

#[test]
fn rows_that_come_after_the_clock_was_set_back_are_counted_once() {
    let mut store = watching(&["a"]);
    let day = |offset: i64| -> Vec<Entry> {
        (0..200)
            .map(|index| Entry::Look(look(0, START + offset + index * 60, None, 10)))
            .collect()
    };
    store.apply(&day(0)).unwrap();
    roll(&mut store, START + 12_000);
    // Back by two hours: the same times come again.
    store.apply(&day(5_000)).unwrap();
    roll(&mut store, START + 5_000 + 12_000);
    roll(&mut store, START + 90_000);
    assert_eq!(total(&store, "a", START + 90_000, 2 * DAY).count, 400);
    // A week ahead and back again.
    store.apply(&day(7 * DAY)).unwrap();
    roll(&mut store, START + 8 * DAY);
    store.apply(&day(DAY + 5_000)).unwrap();
    roll(&mut store, START + 2 * DAY);
    roll(&mut store, START + 8 * DAY);
    assert_eq!(total(&store, "a", START + 8 * DAY, 30 * DAY).count, 800);
}

#[test]
fn two_answers_of_one_microsecond_are_both_kept() {
    let mut store = watching(&["a"]);
    let entries = vec![Entry::Look(look(0, START, None, 10)); 500];
    store.apply(&entries).unwrap();
    store
        .apply(&[Entry::Look(look(0, START - 7_200, None, 10))])
        .unwrap();
    store
        .apply(&[Entry::Look(look(0, START, None, 10))])
        .unwrap();
    let rows: i64 = store
        .connection
        .query_row("SELECT count(*) FROM results", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 502);
}

#[test]
fn what_is_too_old_goes_in_small_steps_and_the_file_shrinks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let mut store = open::open(&path, &mut None).unwrap();
    store
        .apply(&[Entry::Sites(names(&["a"]), at(START))])
        .unwrap();
    let looks: Vec<Entry> = (0..200_000)
        .map(|index| Entry::Look(look(0, START + index / 4, None, 10)))
        .collect();
    store.apply(&looks).unwrap();
    let pages = |store: &Store| -> i64 {
        store
            .connection
            .pragma_query_value(None, "page_count", |row| row.get(0))
            .unwrap()
    };
    let before = pages(&store);
    // Nothing goes before it is summed up, however old it is.
    let now = START + 9 * DAY;
    while retention::step(&store, &KEEP, now).unwrap() {}
    assert_eq!(pages(&store), before);
    roll(&mut store, now);
    let mut steps = 0;
    while retention::step(&store, &KEEP, now).unwrap() {
        steps += 1;
    }
    assert!(steps >= 19, "{steps} steps");
    let after = pages(&store);
    assert!(after < before / 3, "{before} -> {after}");
    assert_eq!(total(&store, "a", now, 30 * DAY).count, 200_000);
    // And after 400 days nothing is left.
    let now = START + 402 * DAY;
    while retention::step(&store, &KEEP, now).unwrap() {}
    assert_eq!(total(&store, "a", now, 900 * DAY).count, 0);
}

#[test]
fn a_clock_that_is_set_a_year_ahead_deletes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = in_folder(folder.path());
    let clock: Arc<Hands> = Arc::default();
    let (history, ..) = opened(&place, &clock);
    history.sites(names(&["a"]), at(START));
    history.look(look(0, START - 3 * DAY, None, 10));
    clock
        .wall
        .fetch_add(366 * DAY * 1_000_000, Ordering::SeqCst);
    history.look(look(0, START + 366 * DAY, None, 10));
    // Two rounds of chores.
    for _ in 0..2 {
        history.ask_and_wait(|_| ());
        std::thread::sleep(Duration::from_millis(600));
    }
    assert!(history.close(Duration::from_secs(10)));
    let rows: i64 = rusqlite::Connection::open(folder.path().join("state/history.db"))
        .unwrap()
        .query_row("SELECT count(*) FROM results", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 2);
}

#[test]
fn charts_show_what_was() {
    let mut store = watching(&["a"]);
    let looks: Vec<Entry> = (0..3 * 288)
        .map(|index| {
            let reason = (index % 4 == 0).then_some(Reason::Status);
            Entry::Look(look(
                0,
                START + index * 300,
                reason,
                100 + (index % 2) as u64,
            ))
        })
        .collect();
    store.apply(&looks).unwrap();
    let now = START + 3 * DAY;
    roll(&mut store, now);
    let book = Book::new(&store, None, at(now));
    let days = book.days(&key("a"), 30).unwrap();
    assert_eq!(days.len(), 30);
    let looks: u64 = days.iter().map(|day| day.sum.count).sum();
    assert_eq!(looks, 3 * 288);
    let uptime = days[28].sum.uptime().unwrap();
    assert!((uptime - 0.75).abs() < 0.01, "{uptime}");
    for (span, points) in [(DAY, 288), (7 * DAY, 168), (90 * DAY, 90)] {
        let series = book
            .series(&key("a"), Duration::from_secs(span.unsigned_abs()))
            .unwrap();
        assert_eq!(series.len(), points);
        let p95 = series[points - 2].sum.quantile(0.95).unwrap().as_micros();
        assert!((97_000..105_000).contains(&p95), "{p95}");
    }
    assert!(
        book.series(&key("nobody"), Duration::from_secs(600))
            .unwrap()
            .iter()
            .all(|point| point.sum.count == 0)
    );
}
