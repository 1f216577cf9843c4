//! What a configuration says of the queue between this program and workers elsewhere.

use std::time::Duration;

use crate::domain::MaskedUrl;

/// The queue, and how things on it are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueOptions {
    /// Where it is; without one, a broker of this program's own is started.
    pub broker: Option<MaskedUrl>,
    /// Its name.
    pub name: Box<str>,
    /// How long a check may wait there for a worker.
    pub expires: Duration,
    /// How long a worker may be silent about a check before another takes it.
    pub visibility_timeout: Duration,
    /// How long results are kept for others; this program's own are dropped when they have
    /// been counted.
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
