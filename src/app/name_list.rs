//! Many sites in one message.

/// Sites that one message names.
const MOST_NAMES: usize = 3;

/// "is", or "and 3 more are".
pub(super) fn more(number: usize) -> String {
    match number {
        0 => " is".to_owned(),
        number => format!(" and {number} more are"),
    }
}

/// The first few of many, and how many more there are.
pub(super) fn listed(names: impl ExactSizeIterator<Item = String>) -> String {
    let number = names.len();
    let mut text = names.take(MOST_NAMES).collect::<Vec<_>>().join(", ");
    if number > MOST_NAMES {
        text.push_str(&format!(" and {} more", number - MOST_NAMES));
    }
    text
}
