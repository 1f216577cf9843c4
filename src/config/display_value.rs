//! Values of a file in sentences about them.

use toml::de::DeValue;

use super::value_parsers::quoted;

/// A value as a sentence has room for it.
pub(super) fn display_value(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => quoted(text),
        DeValue::Integer(integer) => integer.to_string().chars().take(40).collect(),
        DeValue::Float(float) => float.to_string().chars().take(40).collect(),
        DeValue::Boolean(flag) => flag.to_string(),
        other => type_name(other).to_owned(),
    }
}

/// What a value is, without its content.
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
