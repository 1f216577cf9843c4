//! `[history]`: how long results are kept.

use std::time::Duration;

use super::table_reader::TableReader;
use super::value_parsers;

const DAY: Duration = Duration::from_secs(86_400);

/// The table `[history]`: file and retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistorySettings {
    /// How long every single result is kept; at least a millisecond.
    pub raw: Duration,
    /// How long hourly and daily summaries are kept; at least a millisecond.
    pub rollup: Duration,
}

impl Default for HistorySettings {
    fn default() -> Self {
        Self {
            raw: 7 * DAY,
            rollup: 400 * DAY,
        }
    }
}

/// Reads `[history]`.
pub(super) fn read_history(mut table: TableReader<'_>) -> HistorySettings {
    let default = HistorySettings::default();
    let settings = HistorySettings {
        raw: table
            .text("raw", value_parsers::positive_duration)
            .unwrap_or(default.raw),
        rollup: table
            .text("rollup", value_parsers::positive_duration)
            .unwrap_or(default.rollup),
    };
    table.finish();
    settings
}
