//! Replays for the screen. Each replay reads the history file on a thread of its own, so that
//! neither a frame nor a result waits for it. Trying other rules ends the replay under way.

use std::fmt;
use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

use crate::config::MonitorSettings;
use crate::domain::{Moment, Site, Timestamp, clean, plain_io_error};
use crate::history::{HistoryReadError, HistoryStorage, ReadOnlyHistory, SiteKey};
use crate::tui::{
    ChangeCounts, CurrentRules, MinMax, OutageChange, ReplayResult, ReplayState, ReplayedOutage,
    TriedRules,
};

use super::driver::Driver;
use super::outage_diff::OutageDiff;
use super::replay::Replay;

/// How often the progress of a replay is read.
const PROGRESS_PERIOD: Duration = Duration::from_millis(40);

/// After how many checks a replay reports its progress, and ends if it is no longer wanted.
const AT_A_TIME: u64 = 4_096;

/// Outages that are listed.
const MOST_OUTAGES: usize = 500;

/// The last result, and the replay under way.
#[derive(Debug)]
pub(super) struct ReplayRunner {
    path: Option<PathBuf>,
    /// The settings of sites that are configured no more.
    defaults: MonitorSettings,
    seen: ReplayState,
    work: Option<Work>,
    /// The rules of the last request; `None` once no view shows a replay.
    asked: Option<TriedRules>,
}

/// A replay under way, which ends when this is dropped.
#[derive(Debug)]
struct Work {
    shared: Arc<Shared>,
    answer: Receiver<Result<ReplayResult, ReplayError>>,
}

/// Why there is nothing to show.
#[derive(Debug)]
enum ReplayError {
    /// The monitor keeps no history file.
    NoHistory,
    /// No thread can be started.
    Thread(io::Error),
    /// The file cannot be read.
    History(HistoryReadError),
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHistory => {
                f.write_str("No history is kept (--history none): there is nothing to replay.")
            }
            Self::Thread(error) => {
                write!(f, "no thread can be started: {}", plain_io_error(error))
            }
            Self::History(error) => f.write_str(&clean(&error.to_string(), 400)),
        }
    }
}

#[derive(Debug, Default)]
struct Shared {
    unwanted: AtomicBool,
    checks: AtomicU64,
}

impl Drop for Work {
    fn drop(&mut self) {
        self.shared.unwanted.store(true, Ordering::Relaxed);
    }
}

impl ReplayRunner {
    /// For the history at `place`.
    pub(super) fn new(place: &HistoryStorage, defaults: MonitorSettings) -> Self {
        Self {
            path: match place {
                HistoryStorage::Memory => None,
                HistoryStorage::File(path) => Some(path.clone()),
            },
            defaults,
            seen: ReplayState::default(),
            work: None,
            asked: None,
        }
    }

    /// The last result and the progress of the replay under way.
    pub(super) const fn seen(&self) -> &ReplayState {
        &self.seen
    }

    /// Uses the defaults of a changed configuration; a replay that is shown is run again.
    pub(super) fn configure(&mut self, defaults: MonitorSettings) {
        self.defaults = defaults;
        self.asked = None;
    }

    /// No view shows a replay any more: the one under way ends, and the next request starts anew.
    pub(super) fn leave(&mut self) {
        self.work = None;
        self.asked = None;
        self.seen.under_way = None;
    }

    /// When to read the progress next; `None` without a replay under way.
    pub(super) fn next_wake(&self, now: Moment) -> Option<Moment> {
        self.work.as_ref().map(|_| now + PROGRESS_PERIOD)
    }

    /// Takes in what the replay under way has found, and begins another if other rules are tried.
    pub(super) fn refresh(&mut self, driver: &Driver, tried: TriedRules, now: Timestamp) {
        if self.asked != Some(tried) {
            self.asked = Some(tried);
            self.seen.revision += 1;
            self.seen.error = None;
            // The replay under way ends here, whatever it had found.
            self.work = match self.begin(driver, tried, now) {
                Ok(work) => Some(work),
                Err(error) => {
                    self.seen.error = Some(error.to_string());
                    None
                }
            };
        }
        let Some(work) = &self.work else { return };
        let under_way = match work.answer.try_recv() {
            Err(TryRecvError::Empty) => Some(work.shared.checks.load(Ordering::Relaxed)),
            Err(TryRecvError::Disconnected) => {
                let why = "The replay ended by a fault of the program: its log tells more.";
                self.seen.error = Some(why.to_owned());
                None
            }
            Ok(Err(error)) => {
                self.seen.error = Some(error.to_string());
                None
            }
            Ok(Ok(reckoned)) => {
                self.seen.result = Some(reckoned);
                None
            }
        };
        if under_way.is_none() {
            self.work = None;
        }
        if under_way.is_none() || under_way != self.seen.under_way {
            self.seen.under_way = under_way;
            self.seen.revision += 1;
        }
    }

    fn begin(
        &self,
        driver: &Driver,
        tried: TriedRules,
        now: Timestamp,
    ) -> Result<Work, ReplayError> {
        let Some(path) = self.path.clone() else {
            return Err(ReplayError::NoHistory);
        };
        let sites = driver.monitor().sites();
        let sites: Vec<Arc<Site>> = sites.map(|state| Arc::clone(state.site())).collect();
        let defaults = self.defaults.clone();
        let shared = Arc::new(Shared::default());
        let (speaker, answer) = channel();
        let noted = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("replay".to_owned());
        let reckoning = move || {
            let found = reckon(&path, &sites, &defaults, tried, now, &noted);
            if let Some(found) = found.transpose() {
                // Other rules may be tried meanwhile.
                let _unheard = speaker.send(found);
            }
        };
        thread.spawn(reckoning).map_err(ReplayError::Thread)?;
        Ok(Work { shared, answer })
    }
}

/// Replays the file; `None` if the result is no longer wanted.
fn reckon(
    path: &std::path::Path,
    sites: &[Arc<Site>],
    defaults: &MonitorSettings,
    tried: TriedRules,
    now: Timestamp,
    shared: &Shared,
) -> Result<Option<ReplayResult>, ReplayError> {
    let began = Instant::now();
    let archive = ReadOnlyHistory::open(path, now).map_err(ReplayError::History)?;
    let known = archive.sites().map_err(ReplayError::History)?;
    let sites = sites.iter().map(|site| &**site);
    let mut replay = Replay::among(known, sites, defaults, tried.rules);
    let wanted = || !shared.unwanted.load(Ordering::Relaxed);
    let pass = |site, at, check| {
        replay.add(site, at, check);
        let checks = replay.checks();
        if checks.is_multiple_of(AT_A_TIME) {
            shared.checks.store(checks, Ordering::Relaxed);
            if !wanted() {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    };
    archive
        .results(tried.span, pass)
        .map_err(ReplayError::History)?;
    Ok(wanted().then(|| told(&replay, tried, began)))
}

fn told(replay: &Replay, tried: TriedRules, began: Instant) -> ReplayResult {
    let pairs = replay.pairs();
    let newest = pairs.iter().rev().take(MOST_OUTAGES);
    ReplayResult {
        tried,
        current: usual(replay),
        results: replay.checks(),
        span: replay.span(),
        accounts: replay.accounts(),
        changes: fates(&pairs),
        cut_off: replay.cut_off(),
        outages: newest.filter_map(replayed).collect(),
        of: pairs.len() as u64,
        took: began.elapsed(),
    }
}

fn usual(replay: &Replay) -> CurrentRules {
    fn extent<T: Ord + Default>(replay: &Replay, of: impl Fn(&Site) -> T) -> MinMax<T> {
        let least = replay.watched().map(&of).min();
        let most = replay.watched().map(&of).max();
        (least.unwrap_or_default(), most.unwrap_or_default())
    }
    CurrentRules {
        confirm: extent(replay, |site| site.confirm),
        recover: extent(replay, |site| site.recover),
        timeout: extent(replay, |site| site.spec.timeout),
        slow: extent(replay, |site| site.spec.slow),
    }
}

/// How the other rules change an outage; `None` where neither set of rules confirms any.
fn fate(pair: &OutageDiff) -> Option<OutageChange> {
    let by = |micros: i64| Duration::from_micros(micros.unsigned_abs());
    Some(match (pair.now, pair.other, pair.delay()) {
        (None, None, _) => return None,
        (None, Some(_), _) => OutageChange::OnlyTried,
        (Some(_), None, _) | (_, _, None) => OutageChange::NotNoticed,
        (.., Some(0)) => OutageChange::Unchanged,
        (.., Some(delay)) if delay > 0 => OutageChange::Later(by(delay)),
        (.., Some(delay)) => OutageChange::Earlier(by(delay)),
    })
}

fn fates(pairs: &[(&SiteKey, OutageDiff)]) -> ChangeCounts {
    let mut fates = ChangeCounts::default();
    let mut delays = Vec::new();
    for fate in pairs.iter().filter_map(|(_, pair)| fate(pair)) {
        match fate {
            OutageChange::Unchanged => fates.unchanged += 1,
            OutageChange::Later(delay) => delays.push(delay),
            OutageChange::Earlier(_) => fates.earlier += 1,
            OutageChange::NotNoticed => fates.not_noticed += 1,
            OutageChange::OnlyTried => fates.only_tried += 1,
        }
    }
    delays.sort_unstable();
    fates.later = delays.len() as u64;
    let middle = delays.get(delays.len() / 2).copied();
    fates.delay = middle.zip(delays.last().copied());
    fates
}

fn replayed((site, pair): &(&SiteKey, OutageDiff)) -> Option<ReplayedOutage> {
    let seen = pair.now.or(pair.other)?;
    let noticed = pair.now.map(|now| now.confirmed.since(now.since));
    Some(ReplayedOutage {
        name: site.name.clone(),
        since: seen.since,
        ended: seen.ended,
        noticed,
        change: fate(pair)?,
    })
}
