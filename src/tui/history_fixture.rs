//! Histories for tests: outages, messages and figures of the sites of the fixture.

use crate::domain::{Acknowledgement, Cause, Reason, SiteId, Timestamp, Untold};
use crate::history::{
    DeliveryState, FileStats, Growth, Message, MessageStatus, OutageRow, OutboxCounts,
    QueuedMessage, SiteKey,
};
use crate::monitor::ReplayTotals;

use super::history_view::{BucketTotals, HistorySpan, HistoryView, OutageView, SiteHistory};
use super::replay_state::{
    ChangeCounts, CurrentRules, OutageChange, ReplayResult, ReplayState, ReplayedOutage, TriedRules,
};

/// 2025-11-22 14:02:11 UTC, about the time of the last check of [`Fixture::mixed`](super::fixture::Fixture::mixed).
const NOW: i64 = 1_763_820_131;

fn ago(seconds: i64) -> Timestamp {
    Timestamp::from_micros((NOW - seconds) * 1_000_000)
}

fn cause(reason: Reason, status: Option<u16>, error: &str, checks: u32) -> Cause {
    Cause {
        reason,
        status,
        error: Some(error.into()),
        checks,
    }
}

fn told(owner: &str, channel: &str, delivery: DeliveryState, at: i64) -> MessageStatus {
    MessageStatus {
        owner: owner.into(),
        channel: channel.into(),
        delivery,
        settled: (!matches!(delivery, DeliveryState::Pending | DeliveryState::Retrying))
            .then(|| ago(at)),
        id: format!("{owner}-{channel}-{at}").into(),
    }
}

fn outage(index: usize, name: &str, from: i64, to: Option<i64>, causes: Vec<Cause>) -> OutageView {
    OutageView {
        shares: crate::domain::SharedTraits::default(),
        site: Some(SiteId::from_index(index)),
        row: OutageRow {
            site: SiteKey {
                name: name.into(),
                url: format!("https://{name}").into(),
            },
            since: ago(from),
            confirmed: ago(from - 10),
            ended: to.map(ago),
            lasted: None,
            causes,
            last_good: Some(ago(from + 5)),
            acknowledged: None,
            messages: Vec::new(),
            untold: Some(Untold::NoOwner),
        },
    }
}

fn message(
    owner: &str,
    channel: &str,
    delivery: DeliveryState,
    at: i64,
    subject: &str,
) -> QueuedMessage {
    QueuedMessage {
        message: Message {
            id: format!("{owner}-{channel}-{at}").into(),
            owner: owner.into(),
            channel: channel.into(),
            site: Box::default(),
            at: ago(at + 1),
            subject: subject.into(),
            body: "pay.example/charge is down.\nWhy: timeout\nRule: 2 failed checks\n".into(),
            facts: "{}".into(),
            event: Box::default(),
            batched: false,
            not_before: None,
        },
        delivery,
        attempts: match delivery {
            DeliveryState::Waiting => 0,
            DeliveryState::Pending => 0,
            DeliveryState::Retrying => 3,
            DeliveryState::Sent => 1,
            DeliveryState::Failed => 9,
        },
        next: match delivery {
            DeliveryState::Waiting => ago(-6_300),
            _ => ago(-42),
        },
        answer: match delivery {
            DeliveryState::Waiting | DeliveryState::Pending => None,
            DeliveryState::Retrying => Some("451 4.3.0 busy, try later".into()),
            DeliveryState::Sent => Some("250 2.0.0 Ok: queued as 4711".into()),
            DeliveryState::Failed => Some("HTTP 401 Unauthorized: Authenticate".into()),
        },
        settled: matches!(delivery, DeliveryState::Sent | DeliveryState::Failed).then(|| ago(at)),
    }
}

/// Two open outages and three that are over; messages of every kind.
pub(crate) fn history() -> HistoryView {
    let why = "no answer within 10s: the server took the connection and then said nothing";
    let sorry = "answered 503 Service Unavailable; 400 and more counts as down";
    let mut pay = outage(
        3,
        "pay.example/charge",
        265,
        None,
        vec![
            cause(Reason::Timeout, None, why, 47),
            cause(Reason::Status, Some(503), sorry, 4),
        ],
    );
    pay.row.messages = vec![told("ops", "email", DeliveryState::Sent, 253)];
    pay.row.acknowledged = Some(Acknowledgement {
        at: ago(200),
        note: "ana: the card company works on it".into(),
    });
    let refused = "the connection was refused";
    let mut news = outage(
        9,
        "news.example",
        95,
        None,
        vec![cause(Reason::Refused, None, refused, 9)],
    );
    news.row.messages = vec![
        told("web", "email", DeliveryState::Retrying, 0),
        told("web", "push", DeliveryState::Sent, 84),
    ];
    let mut shop = outage(
        6,
        "shop.example",
        3_600,
        Some(3_480),
        vec![cause(Reason::Status, Some(503), sorry, 3)],
    );
    shop.row.messages = vec![
        told("ops", "sms", DeliveryState::Failed, 3_400),
        told("ops", "email", DeliveryState::Sent, 3_580),
        told("ops", "email", DeliveryState::Sent, 3_470),
    ];
    let mut blog = outage(
        4,
        "blog.example",
        90_000,
        Some(89_100),
        vec![cause(Reason::Dns, None, "the name has no address", 30)],
    );
    blog.row.messages = vec![told("ops", "email", DeliveryState::Sent, 89_980)];
    let gone = OutageView {
        site: None,
        ..outage(
            0,
            "old.example",
            200_000,
            Some(190_000),
            vec![cause(Reason::Tls, None, "the certificate has ended", 99)],
        )
    };
    HistoryView {
        revision: 1,
        answered: true,
        outages: vec![news, pay, shop, blog, gone],
        messages: vec![
            message(
                "night",
                "email",
                DeliveryState::Waiting,
                60,
                "DOWN: news.example (refused: the connection was refused)",
            ),
            message(
                "web",
                "email",
                DeliveryState::Retrying,
                84,
                "DOWN: news.example (refused: the connection was refused)",
            ),
            message(
                "web",
                "push",
                DeliveryState::Sent,
                84,
                "DOWN: news.example (refused: the connection was refused)",
            ),
            message(
                "ops",
                "email",
                DeliveryState::Sent,
                253,
                "DOWN: pay.example/charge (timeout: no answer within 10s)",
            ),
            message(
                "ops",
                "email",
                DeliveryState::Sent,
                3_470,
                "UP again: shop.example after 2m00s",
            ),
            message(
                "ops",
                "sms",
                DeliveryState::Failed,
                3_400,
                "DOWN: shop.example (status 503)",
            ),
        ],
        outbox_counts: OutboxCounts {
            waiting: 1,
            pending: 0,
            retrying: 1,
            sent: 127,
            failed: 1,
        },
        site: None,
        checks: None,
        error: None,
    }
}

fn stretch(start: i64, index: u64, uptime: Option<f64>) -> BucketTotals {
    let seen = uptime.is_some();
    let millis = 300 + index * 37 % 90 + if index % 17 == 3 { 400 } else { 0 };
    let millis = std::time::Duration::from_millis(millis);
    BucketTotals {
        start: ago(start),
        checks: if seen { 60 } else { 0 },
        missed: 0,
        uptime,
        p50: seen.then_some(millis),
        p95: seen.then_some(millis * 2),
    }
}

fn share(index: u64) -> Option<f64> {
    match index {
        0..6 => None,
        11 => Some(0.71),
        30 => Some(0.995),
        _ => Some(1.0),
    }
}

/// A site's history over a span, as its page shows it with `cells` points.
pub(crate) fn site_history(site: SiteId, span: HistorySpan, cells: u16) -> SiteHistory {
    let points = u64::from(cells);
    let each = i64::try_from(span.length().as_secs() / points).unwrap();
    let back = |index: u64, each: i64, of: u64| each * i64::try_from(of - index).unwrap();
    let whole = |uptime, checks| BucketTotals {
        checks,
        uptime: Some(uptime),
        ..stretch(0, 1, Some(uptime))
    };
    let listed = history().outages.into_iter();
    SiteHistory {
        site,
        span,
        spans: [
            whole(0.9412, 720),
            whole(0.9806, 4_320),
            whole(0.9912, 17_280),
            whole(0.9987, 120_960),
            whole(0.9996, 518_400),
            whole(0.9998, 1_555_200),
        ],
        chart: (0..points)
            .map(|index| stretch(back(index, each, points), index, share(index)))
            .collect(),
        days: (0..90)
            .map(|index| stretch(back(index, 86_400, 90), index, share(index)))
            .collect(),
        outages: listed.filter(|one| one.site == Some(site)).collect(),
        file: FileStats {
            path: Some("/home/ana/.local/state/uptime-squirrel/history.db".into()),
            bytes: 48 << 20,
            oldest: Some(ago(7 * 86_400)),
            growth: Some(Growth {
                bytes: 276_480 * 27,
                over: std::time::Duration::from_secs(86_400),
                sites: 16,
            }),
        },
    }
}

/// A replay under rules that confirm later and time out sooner.
pub(crate) fn replay(tried: TriedRules) -> ReplayState {
    let seconds = std::time::Duration::from_secs;
    let replayed =
        |name: &str, from, to: Option<i64>, noticed: Option<u64>, change| ReplayedOutage {
            name: name.into(),
            since: ago(from),
            ended: to.map(ago),
            noticed: noticed.map(seconds),
            change,
        };
    let outages = vec![
        replayed(
            "news.example",
            95,
            None,
            Some(10),
            OutageChange::Later(seconds(20)),
        ),
        replayed(
            "pay.example/charge",
            265,
            None,
            Some(10),
            OutageChange::Earlier(seconds(4)),
        ),
        replayed(
            "shop.example",
            3_600,
            Some(3_480),
            Some(10),
            OutageChange::NotNoticed,
        ),
        replayed(
            "blog.example",
            90_000,
            Some(89_100),
            Some(10),
            OutageChange::Unchanged,
        ),
        replayed(
            "wiki.example",
            180_000,
            Some(179_000),
            None,
            OutageChange::OnlyTried,
        ),
    ];
    let account = |outages, messages, degraded| ReplayTotals {
        outages,
        messages,
        degraded,
    };
    ReplayState {
        revision: 1,
        result: Some(ReplayResult {
            tried,
            current: CurrentRules {
                confirm: (2, 2),
                recover: (2, 2),
                timeout: (seconds(5), seconds(10)),
                slow: (seconds(2), seconds(2)),
            },
            results: 1_234_567,
            span: Some((ago(604_800), ago(2))),
            accounts: [account(14, 48, 31), account(9, 32, 33)],
            changes: ChangeCounts {
                unchanged: 2,
                later: 5,
                delay: Some((seconds(20), seconds(61))),
                earlier: 1,
                not_noticed: 6,
                only_tried: 1,
            },
            cut_off: 0,
            outages,
            of: 5,
            took: std::time::Duration::from_millis(412),
        }),
        under_way: None,
        error: None,
    }
}
