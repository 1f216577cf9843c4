//! The queue between the monitor and Celery workers: its options and their defaults.

use std::time::Duration;

use super::MaskedUrl;

/// The options of the queue, every default filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueOptions {
    /// The URL of the broker; `None` starts a broker on a private socket of this machine.
    pub broker: Option<MaskedUrl>,
    /// The name of the queue: the Redis list that holds waiting checks.
    pub name: Box<str>,
    /// A check that no worker took within this time is discarded and sent again.
    pub expires: Duration,
    /// A worker that is silent about a check for this long has lost it: another takes it.
    pub visibility_timeout: Duration,
    /// How long workers keep results in Redis; the monitor deletes its own once it has read
    /// them.
    pub result_expires: Duration,
}

impl Default for QueueOptions {
    fn default() -> Self {
        Self {
            broker: None,
            name: "celery".into(),
            expires: Duration::from_secs(300),
            visibility_timeout: Duration::from_secs(30),
            result_expires: Duration::from_secs(86_400),
        }
    }
}
