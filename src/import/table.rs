//! Every format.

use super::format::Format;
use super::{blackbox, gatus, kuma, list, upptime};

/// Every format, in the order in which the help names them.
pub const ALL: [Format; 5] = [
    Format {
        name: "kuma",
        about: "Uptime Kuma's kuma.db, or the JSON backup of its version 1",
        read: kuma::read,
    },
    Format {
        name: "gatus",
        about: "Gatus's YAML; several files are read as one",
        read: gatus::read,
    },
    Format {
        name: "blackbox",
        about: "blackbox_exporter's modules and Prometheus's scrape configuration, both YAML",
        read: blackbox::read,
    },
    Format {
        name: "upptime",
        about: "Upptime's .upptimerc.yml",
        read: upptime::read,
    },
    Format {
        name: "list",
        about: "A URL a line, a name behind it if there is one",
        read: list::read,
    },
];

/// The words of the command line.
#[must_use]
pub fn names() -> [&'static str; ALL.len()] {
    ALL.each_ref().map(|entry| entry.name)
}

/// The place of the format called `name`.
#[must_use]
pub fn position(name: &str) -> Option<usize> {
    ALL.iter().position(|entry| entry.name == name)
}
