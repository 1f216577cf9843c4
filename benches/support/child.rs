//! The children of `processes`, when the program that starts them is a bench.

use std::io;

use uptime_squirrel::paradigm::work_for_parent;

/// Whether this is such a child, which has to do nothing but [`work`].
pub(crate) fn is_meant() -> bool {
    std::env::args()
        .nth(1)
        .is_some_and(|first| first == "worker")
}

/// Works until the parent is gone.
pub(crate) fn work() -> io::Result<()> {
    work_for_parent()
}
