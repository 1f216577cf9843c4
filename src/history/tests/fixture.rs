//! What tests of the history are told with: sites, checks, messages, and a clock whose hands
//! are moved apart.

use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::domain::{
    Cause, CheckSpec, Clock, FailureStreak, MaskedUrl, Moment, Reason, Retention, SeenTime, Site,
    SiteId, Timestamp,
};

use super::super::rows::{
    HistoryEvent, Message, ResultRow, ResumedSite, SiteChange, SiteKey, WatchedSites,
};
use super::super::{History, HistoryStorage};

pub(super) const DAY: i64 = 86_400;
/// A Tuesday, 22:13:20 in UTC.
pub(super) const START: i64 = 1_700_000_000;
pub(super) const KEEP: Retention = Retention {
    raw: Duration::from_secs(7 * 86_400),
    rollup: Duration::from_secs(400 * 86_400),
};

/// A clock whose two hands are moved apart.
#[derive(Debug, Default)]
pub(super) struct Hands {
    pub(super) mono: AtomicU64,
    pub(super) wall: AtomicI64,
}

impl Clock for Hands {
    fn moment(&self) -> Moment {
        Moment::from_nanos(self.mono.load(Ordering::SeqCst))
    }
    fn timestamp(&self) -> Timestamp {
        Timestamp::from_micros(self.wall.load(Ordering::SeqCst))
    }
}

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

pub(super) fn key(name: &str) -> SiteKey {
    SiteKey {
        name: name.into(),
        url: format!("http://{name}.invalid/").into(),
    }
}

pub(super) fn id(index: usize) -> SiteId {
    SiteId::from_index(index)
}

pub(super) fn names(names: &[&str]) -> WatchedSites {
    let site = |name: &str| Site {
        name: name.into(),
        spec: Arc::new(CheckSpec::new(MaskedUrl::new(format!(
            "http://{name}.invalid/"
        )))),
        interval: Duration::from_secs(300),
        confirm: 2,
        recover: 2,
        confirm_delay: Duration::from_secs(10),
        slow_after: Duration::from_secs(600),
        owners: Arc::default(),
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

pub(super) fn result(site: usize, seconds: i64, reason: Option<Reason>, millis: u64) -> ResultRow {
    ResultRow {
        site: id(site),
        at: at(seconds),
        reason,
        status: Some(200),
        latency: Duration::from_millis(millis),
        late: Duration::ZERO,
        time: SeenTime {
            seen: Duration::from_secs(60),
            maintenance: Duration::ZERO,
        },
    }
}

pub(super) fn failure_streak(since: i64, failures: u32, down: bool) -> FailureStreak {
    FailureStreak {
        failures,
        good_since: None,
        good: 0,
        since: at(since),
        causes: vec![Cause {
            reason: Reason::Timeout,
            status: None,
            error: Some("no answer within 10 s".into()),
            checks: failures,
        }],
        last_good: Some(at(since - 300)),
        down,
        acknowledged: None,
    }
}

pub(super) fn message(id: &str, channel: &str) -> Message {
    Message {
        id: id.into(),
        owner: "ops".into(),
        channel: channel.into(),
        site: "shop".into(),
        at: at(START),
        subject: "shop is DOWN".into(),
        body: "shop is down".into(),
        event: "".into(),
        batched: false,
        not_before: None,
        facts: "{}".into(),
    }
}

pub(super) fn opened(
    place: &HistoryStorage,
    clock: &Arc<Hands>,
) -> (History, Vec<ResumedSite>, Receiver<HistoryEvent>) {
    let (tell, told) = channel();
    clock.wall.fetch_max(START * 1_000_000, Ordering::SeqCst);
    let tell = Mutex::new(tell);
    let (history, restored) = History::open(place, KEEP, Arc::clone(clock) as _, move |news| {
        let _gone = tell.lock().unwrap().send(news);
    })
    .unwrap();
    (history, restored, told)
}

pub(super) fn in_folder(folder: &Path) -> HistoryStorage {
    HistoryStorage::File(folder.join("state/history.db"))
}

pub(super) fn down(site: usize, since: i64, messages: Vec<Message>) -> SiteChange {
    SiteChange {
        alerts: Box::default(),
        site: id(site),
        at: at(since + 10),
        streak: Some(failure_streak(since, 2, true)),
        ended: None,
        messages,
    }
}
