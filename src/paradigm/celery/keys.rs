//! The names that kombu gives to what it keeps in Redis.

/// Messages that workers hold, by delivery tag.
pub(super) const UNACKED: &str = "unacked";

/// Since when, by delivery tag.
pub(super) const UNACKED_INDEX: &str = "unacked_index";

/// Who gives back what dead workers held.
pub(super) const UNACKED_MUTEX: &str = "unacked_mutex";

/// The lists of one queue, by falling priority: 0 is the highest, and the default.
pub(super) fn queues(name: &str) -> [String; 4] {
    ["", "\u{6}\u{16}3", "\u{6}\u{16}6", "\u{6}\u{16}9"].map(|suffix| format!("{name}{suffix}"))
}

/// How many messages that are no tasks are kept, the last ones.
pub(super) const MAX_REJECTED_MESSAGES: usize = 1_000;

/// Messages that are no tasks.
pub(super) fn rejected_messages(queue: &str) -> String {
    format!("{queue}.dead")
}
