//! The keys of kombu in Redis, and the one key of this program.

/// The hash of the messages that workers hold, by delivery tag.
pub(super) const UNACKED: &str = "unacked";

/// The sorted set of delivery tags by the time since which they are held, in seconds since 1970.
pub(super) const UNACKED_INDEX: &str = "unacked_index";

/// The lock of the worker that restores the messages of lost workers.
pub(super) const UNACKED_MUTEX: &str = "unacked_mutex";

/// The lists of one queue, by falling priority: 0 is the highest, and the default.
pub(super) fn queues(name: &str) -> [String; 4] {
    ["", "\u{6}\u{16}3", "\u{6}\u{16}6", "\u{6}\u{16}9"].map(|suffix| format!("{name}{suffix}"))
}

/// The list by which a waiting worker gets a message of a queue: the broker moves the next one here
/// while the worker blocks, in its turn among all that wait, and the worker claims it from here.
/// Any of this program's workers may claim it.
pub(super) fn handoff(queue: &str) -> String {
    format!("{queue}.handoff")
}

/// The key on which it is tested whether the broker takes writes; never there for longer than that.
pub(super) fn write_test(queue: &str) -> String {
    format!("{queue}.test")
}

/// How many rejected messages are kept: the newest.
pub(super) const MAX_REJECTED_MESSAGES: usize = 1_000;

/// The list of rejected messages of a queue: those that are no tasks.
pub(super) fn rejected_messages(queue: &str) -> String {
    format!("{queue}.dead")
}
