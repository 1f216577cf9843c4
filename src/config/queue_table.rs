//! `[queue]`: the broker between the monitor and Celery workers. The defaults of its keys are
//! those of [`QueueOptions`](crate::domain::QueueOptions).

use std::time::Duration;

use crate::domain::MaskedUrl;

use super::table_reader::TableReader;
use super::value_parsers;

/// `[queue]` as it stands in the file; `None` where a key is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueSettings {
    /// The URL of the broker.
    pub broker: Option<MaskedUrl>,
    /// The URL from `--broker` or `SQUIRREL_BROKER`; takes precedence over `broker`.
    pub named: Option<MaskedUrl>,
    /// The name of the queue.
    pub name: Option<Box<str>>,
    /// A check that no worker took within this time is discarded and sent again.
    pub expires: Option<Duration>,
    /// A worker that is silent about a check for this long has lost it.
    pub visibility_timeout: Option<Duration>,
    /// How long workers keep results in Redis.
    pub result_expires: Option<Duration>,
}

/// Reads `[queue]`. Unknown keys may hold passwords, so their values are not shown.
pub(super) fn read_queue(table: TableReader<'_>) -> QueueSettings {
    let mut table = table.private();
    let settings = QueueSettings {
        named: None,
        broker: table.text("broker", value_parsers::broker_url),
        name: table.text("name", value_parsers::queue_name),
        expires: table.text("expires", value_parsers::positive_duration),
        visibility_timeout: table.text("visibility_timeout", value_parsers::positive_duration),
        result_expires: table.text("result_expires", value_parsers::positive_duration),
    };
    table.finish();
    settings
}
