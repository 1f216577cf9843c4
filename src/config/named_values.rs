//! Tables whose keys are names of the user's choice and whose values are secrets: each is a
//! text, or a table that says where the text is kept. And what kind of value a key holds.

use std::fmt;

use toml::de::DeValue;

use super::diagnostic_sink::DiagnosticSink;
use super::key_path::KeyPath;
use super::table_reader::TableReader;
use super::table_values::Value;
use super::value_parsers::{Parsed, ValueError};

/// A value under such a name.
pub(super) struct NamedValue<'a> {
    value: &'a Value<'a>,
    at: KeyPath<'a>,
    sink: &'a mut DiagnosticSink,
}

impl TableReader<'_> {
    /// Whether `key` holds a table.
    pub(super) fn has_table(&self, key: &str) -> bool {
        let value = self.table.get(key);
        value.is_some_and(|value| matches!(value.get_ref(), DeValue::Table(_)))
    }

    /// Whether `key` holds a list.
    pub(super) fn has_list(&self, key: &str) -> bool {
        let value = self.table.get(key);
        value.is_some_and(|value| matches!(value.get_ref(), DeValue::Array(_)))
    }

    /// Whether the table under `key` has the key `inner`.
    pub(super) fn has_within(&self, key: &str, inner: &str) -> bool {
        let table = self
            .table
            .get(key)
            .and_then(|value| value.get_ref().as_table());
        table.is_some_and(|table| table.contains_key(inner))
    }

    /// Reads every value with its name.
    pub(super) fn each_value(self, mut read: impl FnMut(&str, NamedValue<'_>)) {
        for (key, value) in self.table {
            let at = KeyPath::Key(&self.at, key.get_ref());
            let sink = &mut *self.sink;
            sink.secret(value.span());
            read(key.get_ref(), NamedValue { value, at, sink });
        }
    }
}

impl NamedValue<'_> {
    /// Records that it is wrong.
    pub(super) fn refuse(&mut self, sentence: &dyn fmt::Display) {
        self.sink.error(self.value.span().start, &self.at, sentence);
    }

    /// What `from_text` or `from_table` makes of it.
    pub(super) fn read<T>(
        mut self,
        from_text: impl FnOnce(&str) -> Parsed<T>,
        from_table: impl FnOnce(TableReader<'_>) -> Option<T>,
    ) -> Option<T> {
        let sentence = match self.value.get_ref() {
            DeValue::Table(table) => {
                let span = self.value.span();
                return from_table(TableReader::new(table, span, self.at, self.sink).private());
            }
            DeValue::String(text) => match from_text(text) {
                Ok(value) => return Some(value),
                Err(ValueError::Expected(expected)) => expected.into_owned(),
                Err(ValueError::Plain(sentence)) => sentence,
            },
            _ => "expected a text, { env = \"NAME\" } or { file = \"PATH\" }".to_owned(),
        };
        self.refuse(&sentence);
        None
    }
}
