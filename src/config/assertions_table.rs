//! The keys of a site that say what its answer must hold.

use crate::domain::{
    Assertions, HeaderAssertion, JsonAssertion, JsonNumber, JsonPath, JsonScalar, TextPattern,
};

use super::table_reader::TableReader;
use super::table_values::{Element, header_texts, json_number, json_scalar};
use super::value_parsers::{self, Parsed, ValueError};

/// Reads them. A single text of `contains` is given apart.
pub(super) fn read_assertions(table: &mut TableReader<'_>) -> (Option<Box<str>>, Assertions) {
    let mut contains = texts(table, "contains", text);
    let mut assertions = Assertions {
        contains_not: texts(table, "contains_not", text),
        matches: texts(table, "matches", pattern),
        json: read_json(table),
        header: read_header(table),
        max_body: table.text("max_body", value_parsers::body_size),
        ..Assertions::NONE
    };
    let single = if contains.len() == 1 {
        contains.pop()
    } else {
        assertions.contains = contains;
        None
    };
    (single, assertions)
}

fn text(text: &str) -> Parsed<Box<str>> {
    if text.len() > Assertions::MOST_TEXT {
        let most = Assertions::MOST_TEXT >> 10;
        return Err(ValueError::Plain(format!("expected at most {most} KiB")));
    }
    value_parsers::some(text)
}

fn pattern(text: &str) -> Parsed<Box<str>> {
    TextPattern::parse(text).map_err(ValueError::Plain)?;
    value_parsers::some(text)
}

fn path(text: &str) -> Parsed<Box<str>> {
    JsonPath::parse(text).map_err(ValueError::Plain)?;
    value_parsers::some(text)
}

/// A text, or several.
fn texts(
    table: &mut TableReader<'_>,
    key: &'static str,
    parse: impl Fn(&str) -> Parsed<Box<str>>,
) -> Vec<Box<str>> {
    let elements = table.text_or_texts(key, parse);
    refuse_many(table, key, elements.len());
    elements
        .into_iter()
        .take(Assertions::MOST)
        .map(|Element { value, .. }| value)
        .collect()
}

fn refuse_many(table: &mut TableReader<'_>, key: &str, count: usize) {
    if count > Assertions::MOST {
        let most = Assertions::MOST;
        table.refuse(key, &format!("expected at most {most}, got {count}"));
    }
}

fn read_json(table: &mut TableReader<'_>) -> Vec<JsonAssertion> {
    let mut all = Vec::new();
    let mut count = 0;
    table.tables("json", |_, mut table| {
        count += 1;
        let path = table.text("path", path);
        table.require("path");
        let assertion = JsonAssertion {
            path: path.clone().unwrap_or_default(),
            equals: table.value("equals", json_scalar),
            not: table.value("not", json_scalar),
            above: table.value("above", json_number),
            below: table.value("below", json_number),
            exists: table.flag("exists").filter(|exists| !exists),
        };
        if assertion.exists == Some(false) && compares(&assertion) {
            table.refuse("exists", &"what does not exist cannot be compared as well");
        }
        all.extend(path.map(|_| assertion));
        table.finish();
    });
    refuse_many(table, "json", count);
    all.truncate(Assertions::MOST);
    all
}

fn compares(assertion: &JsonAssertion) -> bool {
    let scalars: [&Option<JsonScalar>; 2] = [&assertion.equals, &assertion.not];
    let numbers: [Option<JsonNumber>; 2] = [assertion.above, assertion.below];
    scalars.into_iter().any(Option::is_some) || numbers.iter().any(Option::is_some)
}

fn read_header(table: &mut TableReader<'_>) -> Vec<HeaderAssertion> {
    let header = table.value("header", |value, at, sink| {
        Some(header_texts(value, at, sink, &value_parsers::header_value))
    });
    let header: Vec<_> = header
        .unwrap_or_default()
        .into_iter()
        .map(|(name, begins)| HeaderAssertion {
            name: name.to_ascii_lowercase().into_boxed_str(),
            begins: (*begins).into(),
        })
        .collect();
    refuse_many(table, "header", header.len());
    header.into_iter().take(Assertions::MOST).collect()
}
