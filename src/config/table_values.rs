//! Values of a table: a text, a whole number, an element of a list, and what is said where they
//! are something else.

use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::DeValue;

use crate::domain::{JsonNumber, JsonScalar};

use super::diagnostic_sink::DiagnosticSink;
use super::display_value::display_value;
use super::key_path::KeyPath;
use super::value_parsers::{Parsed, ValueError, field_name, quoted, suggestion};

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

/// The texts of a list. What is wrong is noted and left out.
pub(super) fn list_of_texts<T>(
    value: &Value<'_>,
    at: &KeyPath<'_>,
    sink: &mut DiagnosticSink,
    parse: &impl Fn(&str) -> Parsed<T>,
) -> Option<Vec<Element<T>>> {
    let DeValue::Array(array) = value.get_ref() else {
        let got = display_value(value.get_ref());
        let sentence = format!("expected a list of texts, got {got}");
        sink.error(value.span().start, at, &sentence);
        return None;
    };
    let mut elements = Vec::with_capacity(array.len());
    for (index, value) in array.iter().enumerate() {
        if let Some(parsed) = text(value, &KeyPath::Index(at, index), sink, parse) {
            elements.push(Element {
                value: parsed,
                index,
                offset: value.span().start,
            });
        }
    }
    Some(elements)
}

/// A text as a list of one, or a list of texts.
pub(super) fn text_or_texts<T>(
    value: &Value<'_>,
    at: &KeyPath<'_>,
    sink: &mut DiagnosticSink,
    parse: &impl Fn(&str) -> Parsed<T>,
) -> Vec<Element<T>> {
    if matches!(value.get_ref(), DeValue::Array(_)) {
        return list_of_texts(value, at, sink, parse).unwrap_or_default();
    }
    let single = text(value, at, sink, parse).map(|parsed| Element {
        value: parsed,
        index: 0,
        offset: value.span().start,
    });
    single.into_iter().collect()
}

/// A value that can stand in JSON: a text, a number, or `true` or `false`.
pub(super) fn json_scalar(
    value: &Value<'_>,
    at: &KeyPath<'_>,
    sink: &mut DiagnosticSink,
) -> Option<JsonScalar> {
    match value.get_ref() {
        DeValue::String(text) => Some(JsonScalar::Text((**text).into())),
        DeValue::Boolean(flag) => Some(JsonScalar::Flag(*flag)),
        DeValue::Integer(_) | DeValue::Float(_) => {
            json_number(value, at, sink).map(JsonScalar::Number)
        }
        other => {
            let got = display_value(other);
            let sentence = format!("expected a text, a number, true or false, got {got}");
            sink.error(value.span().start, at, &sentence);
            None
        }
    }
}

/// A number that can stand in JSON.
pub(super) fn json_number(
    value: &Value<'_>,
    at: &KeyPath<'_>,
    sink: &mut DiagnosticSink,
) -> Option<JsonNumber> {
    let number = match value.get_ref() {
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .ok()
            .map(JsonNumber::Whole),
        DeValue::Float(float) => float.as_str().parse().ok().and_then(JsonNumber::fraction),
        _ => None,
    };
    if number.is_none() {
        let got = display_value(value.get_ref());
        let sentence = format!("expected a number, got {got}");
        sink.error(value.span().start, at, &sentence);
    }
    number
}

/// A table whose keys are names of header fields, and whose values are texts.
pub(super) fn header_texts<T>(
    value: &Value<'_>,
    at: &KeyPath<'_>,
    sink: &mut DiagnosticSink,
    parse: &impl Fn(&str) -> Parsed<T>,
) -> Vec<(Box<str>, T)> {
    let DeValue::Table(table) = value.get_ref() else {
        let got = display_value(value.get_ref());
        let sentence = format!("expected a table such as {{ Accept = \"text/html\" }}, got {got}");
        sink.error(value.span().start, at, &sentence);
        return Vec::new();
    };
    let mut fields = Vec::with_capacity(table.len());
    for (key, value) in table {
        let at = KeyPath::Key(at, key.get_ref());
        if let Err(fault) = field_name(key.get_ref()) {
            sink.error(key.span().start, &at, &fault.about(key.get_ref()));
        }
        let parsed = text(value, &at, sink, parse);
        fields.extend(parsed.map(|parsed| ((**key.get_ref()).into(), parsed)));
    }
    fields
}
