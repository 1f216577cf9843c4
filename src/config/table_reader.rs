//! A cursor over one table of the file: reads values key by key, reports what is wrong with
//! them, and finally reports the keys that were never read.

use std::fmt;
use std::ops::{Range, RangeInclusive};

use toml::de::{DeTable, DeValue};

use super::diagnostic_sink::DiagnosticSink;
use super::display_value::{display_value, type_name};
use super::key_path::KeyPath;
use super::redact::is_secret_key;
use super::table_values::{Element, Value, list_of_texts, number, text, text_or_texts, unknown};
use super::value_parsers::{Parsed, ValueError};

/// Whether the values of a table may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Privacy {
    /// The values of unknown keys may stand in a diagnostic.
    Open,
    /// They may not: an unknown key may be a mistyped one that holds a secret.
    Private,
}

/// One table that is being read.
pub(super) struct TableReader<'a> {
    pub(super) table: &'a DeTable<'a>,
    span: Range<usize>,
    pub(super) at: KeyPath<'a>,
    pub(super) sink: &'a mut DiagnosticSink,
    privacy: Privacy,
    asked: Vec<&'static str>,
}

impl<'a> TableReader<'a> {
    pub(super) const fn new(
        table: &'a DeTable<'a>,
        span: Range<usize>,
        at: KeyPath<'a>,
        sink: &'a mut DiagnosticSink,
    ) -> Self {
        Self {
            table,
            span,
            at,
            sink,
            privacy: Privacy::Open,
            asked: Vec::new(),
        }
    }

    /// The values of keys that are not known may be secrets.
    pub(super) const fn private(mut self) -> Self {
        self.privacy = Privacy::Private;
        self
    }

    /// Where the value of `key` begins; the table itself if it has no such key.
    pub(super) fn offset(&self, key: &str) -> usize {
        let value = self.table.get(key);
        value.map_or(self.span.start, |value| value.span().start)
    }

    /// Whether the table has the key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// All of its keys.
    pub(super) fn keys(&self) -> Vec<Box<str>> {
        self.table
            .keys()
            .map(|key| (**key.get_ref()).into())
            .collect()
    }

    /// Records that what `key` holds is wrong.
    pub(super) fn refuse(&mut self, key: &str, sentence: &dyn fmt::Display) {
        let offset = self.offset(key);
        self.sink
            .error(offset, &KeyPath::Key(&self.at, key), sentence);
    }

    /// Records that something is missing without which what `key` holds does nothing.
    pub(super) fn refuse_missing(&mut self, key: &str, sentence: &dyn fmt::Display) {
        let offset = self.offset(key);
        self.sink
            .missing(offset, &KeyPath::Key(&self.at, key), sentence);
    }

    /// Records that what `key` holds in the table under `inner` is wrong.
    pub(super) fn refuse_within(&mut self, inner: &str, key: &str, sentence: &dyn fmt::Display) {
        let value = self.table.get(inner);
        let value = value.and_then(|table| table.get_ref().get(key));
        let offset = value.map_or(self.span.start, |value| value.span().start);
        let at = KeyPath::Key(&self.at, inner);
        self.sink.error(offset, &KeyPath::Key(&at, key), sentence);
    }

    /// Whether the table has a key that was not asked for so far.
    pub(super) fn has_unknown(&self) -> bool {
        let mut keys = self.table.keys();
        keys.any(|key| !self.asked.contains(&&**key.get_ref()))
    }

    /// Records that the table as a whole is wrong.
    pub(super) fn refuse_self(&mut self, sentence: &dyn fmt::Display) {
        self.sink.error(self.span.start, &self.at, sentence);
    }

    /// Records that `key` is needed and not there.
    pub(super) fn require(&mut self, key: &str) {
        if !self.has(key) {
            let at = KeyPath::Key(&self.at, key);
            self.sink
                .missing(self.span.start, &at, &"this key is missing");
        }
    }

    fn take(&mut self, key: &'static str) -> Option<&'a Value<'a>> {
        self.asked.push(key);
        self.table.get(key)
    }

    /// A text that `parse` makes sense of.
    pub(super) fn text<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> Option<T> {
        let value = self.take(key)?;
        text(value, &KeyPath::Key(&self.at, key), self.sink, &parse)
    }

    /// A text that must not be shown, not even when it is wrong.
    pub(super) fn private_text<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> Option<T> {
        let value = self.take(key)?;
        self.sink.secret(value.span());
        let fault = match value.get_ref() {
            DeValue::String(text) => match parse(text) {
                Ok(parsed) => return Some(parsed),
                Err(ValueError::Expected(expected)) => expected.into_owned(),
                Err(ValueError::Plain(sentence)) => sentence,
            },
            other => format!("expected a text, got {}", type_name(other)),
        };
        self.refuse(key, &fault);
        None
    }

    /// A list of texts, each with its place in the list and in the file. What is wrong is
    /// noted and left out.
    pub(super) fn texts<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> Vec<Element<T>> {
        self.value(key, |value, at, sink| {
            list_of_texts(value, at, sink, &parse)
        })
        .unwrap_or_default()
    }

    /// A text, or a list of texts as by [`Self::texts`].
    pub(super) fn text_or_texts<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> Vec<Element<T>> {
        self.value(key, |value, at, sink| {
            Some(text_or_texts(value, at, sink, &parse))
        })
        .unwrap_or_default()
    }

    /// A value that `read` makes sense of.
    pub(super) fn value<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Value<'_>, &KeyPath<'_>, &mut DiagnosticSink) -> Option<T>,
    ) -> Option<T> {
        let value = self.take(key)?;
        read(value, &KeyPath::Key(&self.at, key), self.sink)
    }

    /// A list whose elements are texts, or tables that `read` makes sense of. What is wrong is
    /// noted and left out.
    pub(super) fn texts_or_tables<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Parsed<T>,
        read: impl Fn(TableReader<'_>) -> Option<T>,
    ) -> Vec<Element<T>> {
        let Some(value) = self.take(key) else {
            return Vec::new();
        };
        let at = KeyPath::Key(&self.at, key);
        let DeValue::Array(array) = value.get_ref() else {
            let got = display_value(value.get_ref());
            let sentence = format!("expected a list of texts and tables, got {got}");
            self.sink.error(value.span().start, &at, &sentence);
            return Vec::new();
        };
        let mut elements = Vec::with_capacity(array.len());
        for (index, value) in array.iter().enumerate() {
            let at = KeyPath::Index(&at, index);
            let parsed = match value.get_ref() {
                DeValue::Table(_) => table(value, at, self.sink).and_then(&read),
                _ => text(value, &at, self.sink, &parse),
            };
            elements.extend(parsed.map(|value_of| Element {
                value: value_of,
                index,
                offset: value.span().start,
            }));
        }
        elements
    }

    /// Records that an element of the list under `key` is wrong.
    pub(super) fn refuse_element<T>(
        &mut self,
        key: &str,
        element: &Element<T>,
        sentence: &dyn fmt::Display,
    ) {
        let at = KeyPath::Key(&self.at, key);
        self.sink.missing(
            element.offset,
            &KeyPath::Index(&at, element.index),
            sentence,
        );
    }

    /// A whole number within `range`.
    pub(super) fn number(&mut self, key: &'static str, range: RangeInclusive<u32>) -> Option<u32> {
        let value = self.take(key)?;
        number(value, &KeyPath::Key(&self.at, key), self.sink, &range)
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        let value = self.take(key)?;
        if let DeValue::Boolean(flag) = value.get_ref() {
            return Some(*flag);
        }
        let sentence = format!(
            "expected true or false, got {}",
            display_value(value.get_ref())
        );
        self.refuse(key, &sentence);
        None
    }

    /// Reads the table under `key`, if there is one.
    pub(super) fn table<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(TableReader<'_>) -> T,
    ) -> Option<T> {
        let value = self.take(key)?;
        let at = KeyPath::Key(&self.at, key);
        let privacy = self.privacy;
        table(value, at, self.sink).map(|reader| read(TableReader { privacy, ..reader }))
    }

    /// Reads every table of the array under `key`, with its index.
    pub(super) fn tables(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(usize, TableReader<'_>),
    ) {
        let Some(value) = self.take(key) else {
            return;
        };
        let at = KeyPath::Key(&self.at, key);
        let DeValue::Array(array) = value.get_ref() else {
            let got = display_value(value.get_ref());
            let sentence = format!("expected a list of tables ([[{key}]]), got {got}");
            self.sink.error(value.span().start, &at, &sentence);
            return;
        };
        for (index, value) in array.iter().enumerate() {
            if let Some(reader) = table(value, KeyPath::Index(&at, index), self.sink) {
                read(index, reader);
            }
        }
    }

    /// Reads a table whose keys are the user's own names: each name, where it stands, and
    /// its table.
    pub(super) fn each_table(&mut self, mut read: impl FnMut(&str, TableReader<'_>)) {
        for (key, value) in self.table {
            let at = KeyPath::Key(&self.at, key.get_ref());
            if let Some(reader) = table(value, at, self.sink) {
                read(key.get_ref(), reader);
            }
        }
    }

    /// Reads a table of numbers whose keys are `known`.
    pub(super) fn numbers(
        self,
        known: &[&str],
        range: &RangeInclusive<u32>,
        mut read: impl FnMut(&str, u32),
    ) {
        for (key, value) in self.table {
            let at = KeyPath::Key(&self.at, key.get_ref());
            if !known.contains(&&**key.get_ref()) {
                let sentence = unknown(key.get_ref(), known.iter().copied());
                self.sink.unknown(key.span().start, &at, &sentence);
            } else if let Some(number) = number(value, &at, self.sink, range) {
                read(key.get_ref(), number);
            }
        }
    }

    /// The value under `key`: a text, or a table that `read` makes sense of.
    pub(super) fn text_or_table<T>(
        &mut self,
        key: &'static str,
        from_text: impl Fn(&str) -> Parsed<T>,
        from_table: impl FnOnce(TableReader<'_>) -> Option<T>,
    ) -> Option<T> {
        let value = self.take(key)?;
        match value.get_ref() {
            DeValue::Table(_) => {
                self.sink.secret(value.span());
                self.table(key, from_table).flatten()
            }
            _ => self.private_text(key, from_text),
        }
    }

    /// Reports the keys that were never read as unknown.
    pub(super) fn finish(self) {
        #[cfg(test)]
        ACCEPTED_KEYS.with_borrow_mut(|accepted| {
            let keys = accepted.entry(self.at.to_string()).or_default();
            keys.extend(&self.asked);
        });
        for (key, value) in self.table {
            let name: &str = key.get_ref();
            if self.asked.contains(&name) {
                continue;
            }
            if self.privacy == Privacy::Private || is_secret_key(name) {
                self.sink.secret(value.span());
            }
            let sentence = unknown(name, self.asked.iter().copied());
            self.sink
                .unknown(key.span().start, &KeyPath::Key(&self.at, name), &sentence);
        }
    }
}

#[cfg(test)]
thread_local! {
    /// The keys that each table was asked for in this thread, by the path of the table.
    pub(super) static ACCEPTED_KEYS: std::cell::RefCell<
        std::collections::BTreeMap<String, std::collections::BTreeSet<&'static str>>,
    > = const { std::cell::RefCell::new(std::collections::BTreeMap::new()) };
}

fn table<'a>(
    value: &'a Value<'a>,
    at: KeyPath<'a>,
    sink: &'a mut DiagnosticSink,
) -> Option<TableReader<'a>> {
    match value.get_ref() {
        DeValue::Table(table) => Some(TableReader::new(table, value.span(), at, sink)),
        other => {
            let sentence = format!("expected a table, got {}", display_value(other));
            sink.error(value.span().start, &at, &sentence);
            None
        }
    }
}
