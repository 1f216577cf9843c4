//! `[history]`: how long results are kept.

use crate::domain::Retention;

use super::table_reader::TableReader;
use super::value_parsers;

/// Reads `[history]`.
pub(super) fn read_history(mut table: TableReader<'_>) -> Retention {
    let default = Retention::default();
    let settings = Retention {
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
