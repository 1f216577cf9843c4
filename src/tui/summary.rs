//! The figures of the header, taken at one time so that they can be frozen together.

use std::time::Duration;

use crate::domain::Now;
use crate::monitor::Totals;
use crate::paradigm::Census;

use super::view_model::{ProcessStats, ViewModel};

/// The figures of all sites and of the program at one time: the worst lateness of the last
/// minute, and the median and 95% quantile of latencies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summary {
    pub(crate) now: Now,
    pub(crate) totals: Totals,
    pub(crate) late: Duration,
    pub(crate) quantiles: Option<(Duration, Duration)>,
    pub(crate) census: Census,
    pub(crate) process: ProcessStats,
    pub(crate) revision: u64,
}

impl Summary {
    pub(crate) fn of(model: &ViewModel<'_>) -> Self {
        let monitor = model.monitor;
        let quantile = |share| monitor.latency(share);
        Self {
            now: model.now,
            totals: monitor.totals(),
            late: monitor.worst_late(),
            quantiles: quantile(0.5).zip(quantile(0.95)),
            census: model.census,
            process: model.process,
            revision: monitor.revision(),
        }
    }
}
