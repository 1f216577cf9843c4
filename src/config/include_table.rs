//! An element of `include`: a pattern alone, or a table that gives the sites of its lists owners
//! and tags.

use std::collections::HashSet;
use std::sync::Arc;

use super::owners_table::read_owner_names;
use super::table_reader::TableReader;
use super::value_parsers::{self, Parsed};

/// One element of `include`: plain lists of sites, and what all their sites have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncludedLists {
    /// A path or a pattern of paths, relative to the folder of `sites.toml`.
    pub pattern: Box<str>,
    /// The owners of these sites; `None` for those of `[monitor]`.
    pub owners: Option<Arc<[Box<str>]>>,
    /// The tags of these sites.
    pub tags: Vec<Box<str>>,
}

/// Reads an element of `include` that is a pattern alone.
pub(super) fn pattern(text: &str) -> Parsed<IncludedLists> {
    Ok(IncludedLists {
        pattern: value_parsers::some(text)?,
        ..IncludedLists::default()
    })
}

/// Reads an element of `include` that is a table.
pub(super) fn read_table(
    mut table: TableReader<'_>,
    owners: &HashSet<&str>,
) -> Option<IncludedLists> {
    table.require("file");
    let pattern = table.text("file", value_parsers::some);
    let owners = read_owner_names(&mut table, owners);
    let tags = table.texts("tags", value_parsers::label).into_iter();
    let tags = tags.map(|tag| tag.value).collect();
    table.finish();
    Some(IncludedLists {
        pattern: pattern?,
        owners,
        tags,
    })
}
