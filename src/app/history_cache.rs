//! The newest answers of the history for the screen. The history is asked only while a view shows
//! them, at most twice a second, and never waited for.

use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::domain::{Moment, SharedTraits, SiteId, Timestamp};
use crate::history::{
    ChartPoint, FileStats, OutageRow, OutboxCounts, Queries, QueryError, QueuedMessage, Rollup,
    SiteChecks, SiteKey,
};
use crate::monitor::{Monitor, SiteState};
use crate::tui::{
    BucketTotals, CheckList, CheckSpan, HistoryQuery, HistorySpan, HistoryView, OutageView,
    SiteHistory,
};

use super::driver::Driver;
use super::outcome_writer::key;

/// How often the lists of outages and messages are refreshed while a view shows them.
const LIST_PERIOD: Duration = Duration::from_millis(500);

/// How often a site's history is refreshed, which takes many queries and changes slowly.
const SITE_PERIOD: Duration = Duration::from_secs(2);

/// The same of a site that has had no check for [`QUIET_AFTER`]: what is written of its last one has been read.
const QUIET_SITE_PERIOD: Duration = Duration::from_secs(10);

/// How long after a check its site's history is refreshed as often as that of one at work.
const QUIET_AFTER: Duration = Duration::from_secs(5);

/// The most outages that are listed.
const MOST_OUTAGES: usize = 300;

/// The most messages that are listed.
const MOST_MESSAGES: usize = 200;

/// The most checks of a site that are listed.
const MOST_CHECKS: usize = 500;

/// The days of a site's bar of days.
const DAYS: u32 = 90;

/// A reply of the history.
enum QueryReply {
    Lists(Result<(Vec<OutageRow>, Vec<QueuedMessage>, OutboxCounts), QueryError>),
    Site(SiteId, HistorySpan, Result<Box<Found>, QueryError>),
    Checks(SiteId, CheckSpan, Result<SiteChecks, QueryError>),
}

/// The history of a site.
struct Found {
    spans: [BucketTotals; 6],
    chart: Vec<BucketTotals>,
    days: Vec<BucketTotals>,
    outages: Vec<OutageRow>,
    facts: FileStats,
}

/// The newest answers, and the query under way.
#[derive(Debug)]
pub(super) struct HistoryCache {
    past: HistoryView,
    asked: Option<(HistoryQuery, Moment)>,
    under_way: bool,
    /// The site whose history is shown, the number of its checks, and when that changed.
    checked: Option<(SiteId, u64, Moment)>,
    /// The revisions of the answers and of the monitor when open outages were counted.
    counted: (u64, u64),
    speaker: UnboundedSender<QueryReply>,
    answers: UnboundedReceiver<QueryReply>,
    /// A reply that was waited for and is not taken in yet.
    heard: Option<QueryReply>,
}

impl std::fmt::Debug for QueryReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Lists(_) => "Lists",
            Self::Site(..) => "Site",
            Self::Checks(..) => "Checks",
        })
    }
}

impl Default for HistoryCache {
    fn default() -> Self {
        let (speaker, answers) = unbounded_channel();
        Self {
            past: HistoryView::default(),
            asked: None,
            under_way: false,
            checked: None,
            counted: (0, 0),
            speaker,
            answers,
            heard: None,
        }
    }
}

impl HistoryCache {
    /// The newest answers for the screen.
    pub(super) const fn past(&self) -> &HistoryView {
        &self.past
    }

    /// Has the history asked again at once, because it has changed.
    pub(super) const fn ask_again(&mut self) {
        self.asked = None;
    }

    /// Sends the message with this id again.
    pub(super) fn send_again(&mut self, driver: &mut Driver, message: Box<str>) {
        self.asked = None;
        driver.send_again(message);
    }

    /// Waits for an answer; for ever while one waits to be taken in, which it does until a view
    /// shows the history again. Cancellation safe.
    pub(super) async fn answered(&mut self) {
        if self.heard.is_some() {
            std::future::pending::<()>().await;
        }
        // The cache holds a sender itself: the channel never ends.
        self.heard = self.answers.recv().await;
    }

    /// Takes answers in, and asks again for what is `wanted` once its period is over.
    pub(super) fn refresh(&mut self, driver: &Driver, wanted: HistoryQuery, now: Moment) {
        while let Some(answer) = self.heard.take().or_else(|| self.answers.try_recv().ok()) {
            self.under_way = false;
            self.take(answer, driver);
        }
        self.count_open(driver.monitor());
        let period = match wanted {
            HistoryQuery::Outages => LIST_PERIOD,
            HistoryQuery::Site(site, ..) | HistoryQuery::Checks(site, _) => {
                self.site_period(driver.monitor(), site, now)
            }
        };
        let is_fresh = self
            .asked
            .is_some_and(|(asked, at)| asked == wanted && now.since(at) < period);
        if is_fresh || self.under_way {
            return;
        }
        let speaker = self.speaker.clone();
        match wanted {
            HistoryQuery::Outages => driver.history().ask(move |book| {
                // The receiver is gone when the program ends.
                let _unheard = speaker.send(QueryReply::Lists(lists(book)));
            }),
            HistoryQuery::Checks(site, span) => {
                let Some(named) = driver.monitor().site(site).map(key) else {
                    return;
                };
                driver.history().ask(move |book| {
                    let found = checks(book, &named, span);
                    let _unheard = speaker.send(QueryReply::Checks(site, span, found));
                });
            }
            HistoryQuery::Site(site, span, cells) => {
                let Some(named) = driver.monitor().site(site).map(key) else {
                    return;
                };
                driver.history().ask(move |book| {
                    let found = about(book, &named, span, cells).map(Box::new);
                    let _unheard = speaker.send(QueryReply::Site(site, span, found));
                });
            }
        }
        self.under_way = true;
        self.asked = Some((wanted, now));
    }

    /// How often the history of this site is to be refreshed.
    fn site_period(&mut self, monitor: &Monitor, site: SiteId, now: Moment) -> Duration {
        let checks = monitor
            .site(site)
            .map_or(0, |state| state.checks() + state.missed());
        match self.checked {
            Some((known, number, since)) if (known, number) == (site, checks) => {
                if now.since(since) < QUIET_AFTER {
                    SITE_PERIOD
                } else {
                    QUIET_SITE_PERIOD
                }
            }
            _ => {
                self.checked = Some((site, checks, now));
                SITE_PERIOD
            }
        }
    }

    /// Counts the failures of open outages as the monitor does: the file counts them ever more
    /// seldom, and was asked a while ago.
    fn count_open(&mut self, monitor: &Monitor) {
        if self.counted == (self.past.revision, monitor.revision()) {
            return;
        }
        let of_site = self.past.site.iter_mut();
        let of_site = of_site.flat_map(|site| site.outages.iter_mut());
        let mut changed = false;
        for OutageView { row, .. } in self.past.outages.iter_mut().chain(of_site) {
            if row.ended.is_some() {
                continue;
            }
            let site = site_of(row, monitor);
            changed |= site.is_some_and(|state| count_failures(row, state));
        }
        self.past.revision += u64::from(changed);
        self.counted = (self.past.revision, monitor.revision());
    }

    fn take(&mut self, answer: QueryReply, driver: &Driver) {
        let mut past = self.past.clone();
        past.error = None;
        match answer {
            QueryReply::Lists(Ok((outages, messages, counts))) => {
                past.answered = true;
                past.outages = outages.into_iter().map(|row| outage(row, driver)).collect();
                past.messages = messages;
                past.outbox_counts = counts;
            }
            QueryReply::Site(site, span, Ok(found)) => {
                let outages = found.outages.into_iter().map(|row| outage(row, driver));
                past.site = Some(SiteHistory {
                    site,
                    span,
                    spans: found.spans,
                    chart: found.chart,
                    days: found.days,
                    outages: outages.collect(),
                    file: found.facts,
                });
            }
            QueryReply::Checks(site, span, Ok(found)) => {
                past.checks = Some(CheckList { site, span, found });
            }
            QueryReply::Lists(Err(error))
            | QueryReply::Site(.., Err(error))
            | QueryReply::Checks(.., Err(error)) => {
                past.error = Some(error.to_string());
            }
        }
        if past != self.past {
            past.revision += 1;
            self.past = past;
        }
    }
}

fn lists(
    book: &Queries<'_>,
) -> Result<(Vec<OutageRow>, Vec<QueuedMessage>, OutboxCounts), QueryError> {
    Ok((
        book.outages(None, MOST_OUTAGES)?,
        book.outbox(MOST_MESSAGES)?,
        book.outbox_counts()?,
    ))
}

fn about(
    book: &Queries<'_>,
    site: &SiteKey,
    span: HistorySpan,
    cells: u16,
) -> Result<Found, QueryError> {
    let mut spans: [BucketTotals; 6] = Default::default();
    for (place, span) in spans.iter_mut().zip(HistorySpan::ALL) {
        *place = stretch(Default::default(), &book.total(site, span.length())?);
    }
    let points = book.series(site, span.length())?;
    let each = points.len().div_ceil(usize::from(cells.max(1))).max(1);
    let chart = points.chunks(each).map(merged).collect();
    let days = book.days(site, DAYS)?;
    Ok(Found {
        spans,
        chart,
        days: days
            .iter()
            .map(|day| stretch(day.start, &day.sum))
            .collect(),
        outages: book.outages(Some(site), MOST_OUTAGES)?,
        facts: book.facts()?,
    })
}

fn checks(book: &Queries<'_>, site: &SiteKey, span: CheckSpan) -> Result<SiteChecks, QueryError> {
    let now = book.now();
    let bounds = match span {
        CheckSpan::Last(span) => {
            let length = i64::try_from(span.length().as_micros()).unwrap_or(i64::MAX);
            let from = now.as_micros().saturating_sub(length);
            (Timestamp::from_micros(from), now)
        }
        CheckSpan::Outage(from, until) => (from, until.unwrap_or(now)),
    };
    book.checks(site, bounds, MOST_CHECKS)
}

/// Merges neighbouring points of a series into one.
fn merged(points: &[ChartPoint]) -> BucketTotals {
    let mut sum = Rollup::default();
    for point in points {
        sum.merge(&point.sum);
    }
    let start = points.first().map(|point| point.start);
    stretch(start.unwrap_or_default(), &sum)
}

fn stretch(start: Timestamp, sum: &Rollup) -> BucketTotals {
    BucketTotals {
        start,
        checks: sum.count,
        missed: sum.missed,
        uptime: sum.uptime(),
        p50: sum.quantile(0.5),
        p95: sum.quantile(0.95),
    }
}

/// The site of an outage, as long as it is watched.
fn site_of<'a>(row: &OutageRow, monitor: &'a Monitor) -> Option<&'a SiteState> {
    let state = monitor.find(&row.site.name);
    state.filter(|state| key(state) == row.site)
}

/// Counts the failures of an open outage as the monitor does; gives whether the file had counted
/// others.
fn count_failures(row: &mut OutageRow, state: &SiteState) -> bool {
    let open = state.outage();
    let open = open.filter(|open| open.since().wall == row.since);
    let Some(open) = open.filter(|open| open.causes() != row.causes) else {
        return false;
    };
    row.causes = open.causes().to_vec();
    true
}

fn outage(mut row: OutageRow, driver: &Driver) -> OutageView {
    let site = site_of(&row, driver.monitor());
    if row.ended.is_none() {
        row.untold = site.and_then(|state| driver.untold(state));
        if let Some(state) = site {
            count_failures(&mut row, state);
        }
    }
    OutageView {
        shares: site
            .filter(|_| row.ended.is_none())
            .map(|state| {
                let last = state.last_failure().map(|last| &**last);
                SharedTraits::of(state.site(), &row.causes, last)
            })
            .unwrap_or_default(),
        site: site.map(|state| state.id()),
        row,
    }
}
