//! A YAML or JSON document as a tree whose parts know their line.
//!
//! The file is not trusted: the parser bounds its depth, its nodes and what aliases may
//! multiply.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_saphyr::{Options, Spanned};

use super::imported_site::ImportError;

/// Parts of a document: a list of 50,000 sites has fewer.
const MOST_NODES: usize = 1_000_000;

/// Parts that aliases may repeat.
const MOST_REPEATED: usize = 200_000;

/// A part of a document.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Counted from 1; 0 where it is not known.
    pub(super) line: u64,
    pub(super) kind: NodeKind,
}

#[derive(Clone, Debug)]
pub(super) enum NodeKind {
    Null,
    Bool(bool),
    /// A number, as it is written in decimal.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// Reads a YAML document.
pub(super) fn yaml(text: &str) -> Result<Node, ImportError> {
    let mut options = Options::default();
    options.with_snippet = false;
    // Bytes that a probe sends are nothing that we read.
    options.ignore_binary_tag_for_string = true;
    options.alias_limits.max_total_replayed_events = MOST_REPEATED;
    if let Some(budget) = &mut options.budget {
        budget.max_nodes = MOST_NODES;
        budget.max_events = 2 * MOST_NODES;
    }
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let line = error.location().map_or(0, |location| location.line());
        let message = error.to_string();
        let said = message.split(" at line ").next().unwrap_or_default();
        let sentence = if ["budget breached", "alias replay", "alias expansion"]
            .iter()
            .any(|start| said.starts_with(start))
        {
            "the document is too large, or its aliases make it so".to_owned()
        } else {
            // How our own code could be set up otherwise is no help.
            let said = said.split(", set ").next().unwrap_or_default();
            if said.starts_with("recursive references") {
                "not YAML that is read here: an alias stands inside of what it repeats".to_owned()
            } else {
                format!("not YAML: {said}")
            }
        };
        ImportError::new(line, sentence)
    })
}

/// Reads a JSON document.
pub(super) fn json(text: &str) -> Result<Node, ImportError> {
    let value: serde_json::Value = serde_json::from_str(text).map_err(|error| {
        let sentence = match error.classify() {
            Category::Eof => "not JSON: it ends in the middle".to_owned(),
            Category::Syntax | Category::Data | Category::Io => {
                format!("not JSON from character {} of the line on", error.column())
            }
        };
        ImportError::new(error.line() as u64, sentence)
    })?;
    Ok(value.into())
}

impl From<serde_json::Value> for Node {
    fn from(value: serde_json::Value) -> Self {
        use serde_json::Value;
        let kind = match value {
            Value::Null => NodeKind::Null,
            Value::Bool(flag) => NodeKind::Bool(flag),
            Value::Number(number) => NodeKind::Number(number.to_string()),
            Value::String(text) => NodeKind::Text(text),
            Value::Array(items) => NodeKind::List(items.into_iter().map(Self::from).collect()),
            Value::Object(entries) => {
                let entries = entries.into_iter();
                NodeKind::Map(entries.map(|(key, value)| (key, value.into())).collect())
            }
        };
        Self { line: 0, kind }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<NodeKind>::deserialize(deserializer)?;
        Ok(Self {
            line: spanned.referenced.line(),
            kind: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for NodeKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

/// Takes whatever comes.
struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = NodeKind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<NodeKind, E> {
        Ok(NodeKind::Null)
    }

    fn visit_none<E>(self) -> Result<NodeKind, E> {
        Ok(NodeKind::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<NodeKind, E> {
        Ok(NodeKind::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<NodeKind, E> {
        Ok(NodeKind::Number(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<NodeKind, E> {
        Ok(NodeKind::Number(number.to_string()))
    }

    fn visit_i128<E>(self, number: i128) -> Result<NodeKind, E> {
        Ok(NodeKind::Number(number.to_string()))
    }

    fn visit_u128<E>(self, number: u128) -> Result<NodeKind, E> {
        Ok(NodeKind::Number(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<NodeKind, E> {
        Ok(NodeKind::Number(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<NodeKind, E> {
        Ok(NodeKind::Text(text.to_owned()))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<NodeKind, E> {
        Ok(NodeKind::Text(String::from_utf8_lossy(bytes).into_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<NodeKind, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(NodeKind::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<NodeKind, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(NodeKind::Map(map))
    }
}

impl Node {
    /// The entries of a map; none of anything else.
    pub(super) fn entries(&self) -> &[(String, Self)] {
        match &self.kind {
            NodeKind::Map(entries) => entries,
            _ => &[],
        }
    }

    pub(super) const fn is_map(&self) -> bool {
        matches!(self.kind, NodeKind::Map(_))
    }

    /// A value of a map that is there and is not null.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let entry = self.entries().iter().find(|(known, _)| known == key);
        let value = entry.map(|(_, value)| value);
        value.filter(|value| !matches!(value.kind, NodeKind::Null))
    }

    /// A text, or a number or a flag as it is written.
    pub(super) fn word(&self) -> Option<String> {
        match &self.kind {
            NodeKind::Text(text) | NodeKind::Number(text) => Some(text.clone()),
            NodeKind::Bool(flag) => Some(flag.to_string()),
            _ => None,
        }
    }

    /// The text under a key; empty where there is none.
    pub(super) fn text(&self, key: &str) -> String {
        self.get(key).and_then(Self::word).unwrap_or_default()
    }

    /// A flag: also as 0 and 1, as databases keep them.
    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        match &self.get(key)?.kind {
            NodeKind::Bool(flag) => Some(*flag),
            NodeKind::Number(number) => Some(number != "0"),
            _ => None,
        }
    }

    pub(super) fn number(&self, key: &str) -> Option<f64> {
        let number: f64 = self.get(key)?.word()?.parse().ok()?;
        (number.is_finite() && number >= 0.0).then_some(number)
    }

    /// The items of a list; none where there is nothing.
    ///
    /// # Errors
    /// If there is something else.
    pub(super) fn list(&self, key: &str) -> Result<&[Self], ImportError> {
        match self.get(key) {
            None => Ok(&[]),
            Some(Self {
                kind: NodeKind::List(items),
                ..
            }) => Ok(items),
            Some(other) => Err(ImportError::new(
                other.line,
                format!("{key}: expected a list"),
            )),
        }
    }

    /// Whether it says nothing: null, false, empty.
    pub(super) fn is_nothing(&self) -> bool {
        match &self.kind {
            NodeKind::Null => true,
            NodeKind::Bool(flag) => !flag,
            NodeKind::Number(_) => false,
            NodeKind::Text(text) => text.is_empty(),
            NodeKind::List(items) => items.is_empty(),
            NodeKind::Map(entries) => entries.is_empty(),
        }
    }

    /// The keys of a map, for a comment: never the values, which may be secrets.
    pub(super) fn keys(&self) -> String {
        let keys: Vec<_> = self.entries().iter().map(|(key, _)| &**key).collect();
        keys.join(", ")
    }
}
