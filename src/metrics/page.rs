//! The questions to the loop and its answers: pointers to its state, a page of sites at a time.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::domain::{CheckResult, Silence, Site};
use crate::monitor::{Monitor, SiteState, State};

/// The sites of a page. Copying so many pointers takes less than a millisecond, the most that a
/// scrape may hold up the loop.
pub const PAGE: usize = 2_048;

/// A question to the loop.
#[derive(Debug)]
pub enum MetricsQuestion {
    /// A page of sites, from this one on.
    Page {
        /// The index of the first site, in the order of the configuration.
        from: usize,
        /// Where to send the page.
        answer: oneshot::Sender<MetricsPage>,
    },
    /// Whether the loop runs.
    Alive(oneshot::Sender<()>),
}

/// The state of one site.
#[derive(Clone, Debug)]
pub struct SiteMetrics {
    /// The site as configured.
    pub site: Arc<Site>,
    /// The state of the site.
    pub state: State,
    /// The last check.
    pub last: Option<Arc<CheckResult>>,
    /// The checks missed since the start.
    pub missed: u64,
    /// It has missed two checks or more in a row: nobody knows what it is now.
    pub stalled: bool,
    /// Why nobody is told of it at present.
    pub silence: Option<Silence>,
}

impl SiteMetrics {
    fn of(state: &SiteState, silence: Option<Silence>) -> Self {
        Self {
            silence,
            site: Arc::clone(state.site()),
            state: state.state(),
            last: state.last().cloned(),
            missed: state.missed(),
            stalled: state.is_stalled(),
        }
    }
}

/// The metrics of the whole monitor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MonitorMetrics {
    /// The number of checks in progress.
    pub in_flight: usize,
    /// Whether nothing can be seen: canaries and witnesses are silent.
    pub blind: bool,
    /// The number of sites whose outage is confirmed.
    pub outages_open: usize,
    /// The channels by which a delivery was tried.
    pub channels: Vec<ChannelMetrics>,
}

/// A channel of an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelMetrics {
    /// The owner's name.
    pub owner: Box<str>,
    /// The channel's name.
    pub channel: Box<str>,
    /// Whether the last attempt was taken.
    pub up: bool,
}

/// A page of sites, the first one with the metrics of the whole monitor.
#[derive(Debug)]
pub struct MetricsPage {
    /// The sites.
    pub rows: Vec<SiteMetrics>,
    /// The index of the first site of the next page; `None` on the last page.
    pub next: Option<usize>,
    /// The metrics of the whole monitor, on the first page.
    pub whole: Option<MonitorMetrics>,
    /// Receives the number of messages that are not delivered yet once the history has counted
    /// them; `None` where there is no history to ask.
    pub pending: Option<oneshot::Receiver<u64>>,
}

impl MetricsPage {
    /// The page from `from` on; `silence` says why nobody is told of a site.
    #[must_use]
    pub fn of(
        monitor: &Monitor,
        from: usize,
        silence: impl Fn(&SiteState) -> Option<Silence>,
    ) -> Self {
        let ids = monitor.ids();
        let from = from.min(ids.len());
        let end = ids.len().min(from + PAGE);
        let known = ids[from..end].iter().filter_map(|id| monitor.site(*id));
        Self {
            rows: known
                .map(|state| SiteMetrics::of(state, silence(state)))
                .collect(),
            next: (end < ids.len()).then_some(end),
            whole: None,
            pending: None,
        }
    }
}
