//! `serial`: one thread, one check at a time. A sweep is the sum of all waits.

use super::pool::Pool;
use super::{Entry, Label};

/// The entry of the table.
pub(super) const ENTRY: Entry = Entry {
    label: Label {
        key: '1',
        name: "serial",
        summary: "one thread, one check at a time",
        law: "a sweep is the SUM of all waits",
    },
    default_workers: 1,
    files_per_worker: 5,
    resizable: false,
    start: |context| Ok(Box::new(Pool::start("serial", 1, context)?)),
};
