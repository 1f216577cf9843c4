//! The table of paradigms. A new one is a file and a line here; no other file of the program
//! names a paradigm.

use super::{
    Label, ParadigmEntry, celery, futures, green, processes, serial, threads, work_stealing,
};

/// All paradigms, in the order of their keys.
pub static ALL: [ParadigmEntry; 7] = [
    serial::ENTRY,
    threads::ENTRY,
    futures::ENTRY,
    processes::ENTRY,
    green::ENTRY,
    work_stealing::ENTRY,
    celery::ENTRY,
];

/// The name of the paradigm by default.
pub const DEFAULT: &str = "async";

/// The index in [`ALL`] of the paradigm of this name; `None` if there is none.
#[must_use]
pub fn position(name: &str) -> Option<usize> {
    ALL.iter().position(|entry| entry.label.name == name)
}

/// The names, in the order of the table.
#[must_use]
pub fn names() -> [&'static str; ALL.len()] {
    std::array::from_fn(|index| ALL[index].label.name)
}

/// The labels, in the order of the table.
#[must_use]
pub fn labels() -> [Label; ALL.len()] {
    std::array::from_fn(|index| ALL[index].label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn keys_and_names_are_unique_and_the_default_exists() {
        let keys: BTreeSet<char> = ALL.iter().map(|entry| entry.label.key).collect();
        let names: BTreeSet<&str> = ALL.iter().map(|entry| entry.label.name).collect();
        assert_eq!(keys.len(), ALL.len());
        assert_eq!(names.len(), ALL.len());
        assert!(position(DEFAULT).is_some());
    }
}
