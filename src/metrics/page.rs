//! What the loop is asked, and what it gives: pointers to what it knows, a page at a time.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::domain::{CheckResult, Site};
use crate::monitor::{Monitor, SiteState, State};

/// Sites that are given out at a time. Taking so many pointers costs less than a millisecond,
/// which is what a scrape may hold the loop up.
pub const PAGE: usize = 2_048;

/// A question to the loop.
#[derive(Debug)]
pub enum Question {
    /// The sites from this place on.
    Page {
        /// The first place, in the order of the configuration.
        from: usize,
        /// Where to answer.
        answer: oneshot::Sender<Page>,
    },
    /// Does the loop go round?
    Alive(oneshot::Sender<()>),
}

/// What is told of one site.
#[derive(Clone, Debug)]
pub struct Row {
    /// As configured.
    pub site: Arc<Site>,
    /// What it is shown as.
    pub state: State,
    /// The last look.
    pub last: Option<Arc<CheckResult>>,
    /// Checks missed since start.
    pub missed: u64,
}

impl From<&SiteState> for Row {
    fn from(state: &SiteState) -> Self {
        Self {
            site: Arc::clone(state.site()),
            state: state.state(),
            last: state.last().cloned(),
            missed: state.missed(),
        }
    }
}

/// Some sites, and what is told of all together.
#[derive(Debug)]
pub struct Page {
    /// The sites.
    pub rows: Vec<Row>,
    /// Where the next page begins, if this was not the last.
    pub next: Option<usize>,
    /// Checks that are in flight.
    pub in_flight: usize,
    /// How many messages to owners are not delivered yet, once the history has answered; it
    /// does not where it cannot.
    pub pending: Option<oneshot::Receiver<u64>>,
}

impl Page {
    /// The page that begins at `from`.
    #[must_use]
    pub fn of(monitor: &Monitor, from: usize, in_flight: usize) -> Self {
        let ids = monitor.ids();
        let from = from.min(ids.len());
        let end = ids.len().min(from + PAGE);
        let known = ids[from..end].iter().filter_map(|id| monitor.site(*id));
        Self {
            rows: known.map(Row::from).collect(),
            next: (end < ids.len()).then_some(end),
            in_flight,
            pending: None,
        }
    }
}
