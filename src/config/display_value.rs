//! Values of a file as diagnostics show them.

use toml::de::DeValue;

use super::value_parsers::quoted;

/// The value in at most some 80 characters; only the type of dates, lists and tables.
pub(super) fn display_value(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => quoted(text),
        DeValue::Integer(integer) => integer.to_string().chars().take(40).collect(),
        DeValue::Float(float) => float.to_string().chars().take(40).collect(),
        DeValue::Boolean(flag) => flag.to_string(),
        other => type_name(other).to_owned(),
    }
}

/// The type of a value in plain words, such as "a number".
pub(super) const fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
