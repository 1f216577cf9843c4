//! Values of a table: a text, a whole number, an element of a list, and what is said where they
//! are something else.

use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::DeValue;

use super::diagnostic_sink::DiagnosticSink;
use super::display_value::display_value;
use super::key_path::KeyPath;
use super::value_parsers::{Parsed, ValueError, quoted, suggestion};

/// A value and its place in the file.
pub(super) type Value<'t> = Spanned<DeValue<'t>>;

/// One element of a list of texts.
#[derive(Debug)]
pub(super) struct Element<T> {
    /// The value, parsed.
    pub(super) value: T,
    /// Its place in the list, from 0.
    pub(super) index: usize,
    /// Its place in the file, in bytes.
    pub(super) offset: usize,
}

/// The sentence about a key that its table does not know.
pub(super) fn unknown<'a>(key: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    format!("unknown key {}{}", quoted(key), suggestion(key, known))
}

/// A text that `parse` makes sense of; `None`, and a mistake in `sink`, for anything else.
pub(super) fn text<T>(
    value: &Value<'_>,
    at: &KeyPath<'_>,
    sink: &mut DiagnosticSink,
    parse: &impl Fn(&str) -> Parsed<T>,
) -> Option<T> {
    let sentence = match value.get_ref() {
        DeValue::String(text) => match parse(text) {
            Ok(parsed) => return Some(parsed),
            Err(fault) => fault.about(text),
        },
        // What a text would have had to say helps more than that it is none: `interval = 5`.
        other => match parse("") {
            Err(ValueError::Expected(expected)) => {
                format!("{expected}, got {}", display_value(other))
            }
            _ => format!("expected a text, got {}", display_value(other)),
        },
    };
    sink.error(value.span().start, at, &sentence);
    None
}

/// A whole number within `range`; `None`, and a mistake in `sink`, for anything else.
pub(super) fn number(
    value: &Value<'_>,
    at: &KeyPath<'_>,
    sink: &mut DiagnosticSink,
    range: &RangeInclusive<u32>,
) -> Option<u32> {
    if let DeValue::Integer(integer) = value.get_ref()
        && let Ok(number) = i128::from_str_radix(integer.as_str(), integer.radix())
        && let Ok(number) = u32::try_from(number)
        && range.contains(&number)
    {
        return Some(number);
    }
    let (least, most) = (range.start(), range.end());
    let got = display_value(value.get_ref());
    let sentence = format!("expected a whole number from {least} to {most}, got {got}");
    sink.error(value.span().start, at, &sentence);
    None
}
