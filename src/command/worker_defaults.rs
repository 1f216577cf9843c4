//! Defaults of `squirrel worker` that are those of `[queue]`.

use std::sync::LazyLock;

use crate::domain::{QueueOptions, exact_duration};

/// The defaults that a worker shares with `[queue]`, as its help shows them.
pub(super) struct WorkerDefaults {
    /// The queue's name.
    pub(super) queue: Box<str>,
    /// As it is written on the command line.
    pub(super) visibility_timeout: String,
    /// As it is written on the command line.
    pub(super) result_expires: String,
}

/// The defaults of [`QueueOptions`], as text.
pub(super) static WORKER_DEFAULTS: LazyLock<WorkerDefaults> = LazyLock::new(|| {
    let options = QueueOptions::default();
    WorkerDefaults {
        visibility_timeout: exact_duration(options.visibility_timeout()),
        result_expires: exact_duration(options.result_expires),
        queue: options.name,
    }
});
