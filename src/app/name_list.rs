//! Names of several sites in one message, shortened.

/// The most names in one message.
const MOST_NAMES: usize = 3;

/// " is", or " and 3 more are" for a number of further sites.
pub(super) fn more(number: usize) -> String {
    match number {
        0 => " is".to_owned(),
        number => format!(" and {number} more are"),
    }
}

/// The first names, and the number of the others: "a, b, c and 4 more".
pub(super) fn listed(names: impl ExactSizeIterator<Item = String>) -> String {
    let number = names.len();
    let mut text = names.take(MOST_NAMES).collect::<Vec<_>>().join(", ");
    if number > MOST_NAMES {
        text.push_str(&format!(" and {} more", number - MOST_NAMES));
    }
    text
}
