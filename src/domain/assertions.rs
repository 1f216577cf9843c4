//! What is expected of an answer besides its status: texts, patterns, JSON, header fields, length.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What is expected of an answer. The reason of a check that fails by one of them is `content`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Assertions {
    /// Texts that the body must hold, where there are several; a single one stands in
    /// [`CheckSpec::contains`](super::CheckSpec::contains).
    pub contains: Vec<Box<str>>,
    /// Texts that the body must not hold.
    pub contains_not: Vec<Box<str>>,
    /// Regular expressions that the body must match, in the syntax of the crate `regex`.
    pub matches: Vec<Box<str>>,
    /// What must stand in a body of JSON.
    pub json: Vec<JsonAssertion>,
    /// Header fields that the answer must have.
    pub header: Vec<HeaderAssertion>,
    /// The most bytes that the body may have, uncompressed.
    pub max_body: Option<u32>,
}

/// What must stand at a place of a body of JSON. Whatever the path finds is judged, and it has
/// to find something unless `exists` is `false`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JsonAssertion {
    /// A JSONPath query (RFC 9535).
    pub path: Box<str>,
    /// The value that it must be, of the same type.
    pub equals: Option<JsonScalar>,
    /// A value that it must not be.
    pub not: Option<JsonScalar>,
    /// A number that it must be greater than.
    pub above: Option<JsonNumber>,
    /// A number that it must be less than.
    pub below: Option<JsonNumber>,
    /// `Some(false)`: the path must find nothing.
    pub exists: Option<bool>,
}

/// A value that stands in a file for a value of JSON.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonScalar {
    /// A string.
    Text(Box<str>),
    /// A number.
    Number(JsonNumber),
    /// `true` or `false`.
    Flag(bool),
}

/// A finite number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonNumber {
    /// A whole number.
    Whole(i64),
    /// The bits of an IEEE 754 number.
    Bits(u64),
}

impl JsonNumber {
    /// The number of a fraction; `None` for one that is not finite.
    #[must_use]
    pub fn fraction(value: f64) -> Option<Self> {
        value.is_finite().then(|| Self::Bits(value.to_bits()))
    }

    /// The nearest IEEE 754 number.
    #[must_use]
    pub const fn nearest(self) -> f64 {
        match self {
            Self::Whole(value) => value as f64,
            Self::Bits(bits) => f64::from_bits(bits),
        }
    }

    /// How `found`, a whole number where it is one and its nearest IEEE 754 number, compares to
    /// this.
    #[must_use]
    pub fn compare(self, found: (Option<i128>, f64)) -> Option<Ordering> {
        match (self, found) {
            (Self::Whole(value), (Some(found), _)) => Some(found.cmp(&i128::from(value))),
            (_, (_, found)) => found.partial_cmp(&self.nearest()),
        }
    }
}

impl fmt::Display for JsonNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(value) => value.fmt(f),
            Self::Bits(bits) => f64::from_bits(*bits).fmt(f),
        }
    }
}

impl fmt::Display for JsonScalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Number(number) => number.fmt(f),
            Self::Flag(flag) => flag.fmt(f),
        }
    }
}

/// A header field that the answer must have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeaderAssertion {
    /// Its name in lower case.
    pub name: Box<str>,
    /// What one of its values must begin with.
    pub begins: Box<str>,
}

impl Assertions {
    /// No assertion.
    pub const NONE: Self = Self {
        contains: Vec::new(),
        contains_not: Vec::new(),
        matches: Vec::new(),
        json: Vec::new(),
        header: Vec::new(),
        max_body: None,
    };

    /// The most assertions of one kind.
    pub const MOST: usize = 32;

    /// The longest text of one, in bytes.
    pub const MOST_TEXT: usize = 64 * 1024;

    /// The largest [`Self::max_body`]: as much of a body is searched at most.
    pub const MOST_BODY: u32 = 8 << 20;

    /// Whether their number and their texts are within bounds, for those that strangers may have
    /// sent. Patterns and paths bound themselves.
    #[must_use]
    pub fn are_within_bounds(&self) -> bool {
        let few = |count: usize| count <= Self::MOST;
        let texts = [&self.contains, &self.contains_not, &self.matches];
        let short = |text: &str| !text.is_empty() && text.len() <= Self::MOST_TEXT;
        let scalars = self.json.iter().flat_map(|json| [&json.equals, &json.not]);
        let mut scalars = scalars.flatten();
        texts
            .iter()
            .all(|texts| few(texts.len()) && texts.iter().all(|text| short(text)))
            && few(self.json.len())
            && few(self.header.len())
            && scalars.all(
                |scalar| !matches!(scalar, JsonScalar::Text(text) if text.len() > Self::MOST_TEXT),
            )
            && self
                .header
                .iter()
                .all(|header| short(&header.name) && header.begins.len() <= Self::MOST_TEXT)
            && self.max_body.is_none_or(|most| most <= Self::MOST_BODY)
    }

    /// Whether one of them is about the body.
    #[must_use]
    pub const fn read_the_body(&self) -> bool {
        self.need_the_whole()
            || !self.contains.is_empty()
            || !self.contains_not.is_empty()
            || self.max_body.is_some()
    }

    /// Whether one of them cannot be judged before the body has come as a whole.
    #[must_use]
    pub const fn need_the_whole(&self) -> bool {
        !self.matches.is_empty() || !self.json.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value_and_whole_ones_exactly() {
        let whole = |value: i64| (Some(i128::from(value)), value as f64);
        let seven = JsonNumber::Whole(7);
        assert_eq!(seven.compare(whole(7)), Some(Ordering::Equal));
        assert_eq!(seven.compare((None, 7.5)), Some(Ordering::Greater));
        let large = JsonNumber::Whole(9_007_199_254_740_993);
        let one_less = whole(9_007_199_254_740_992);
        assert_eq!(large.compare(one_less), Some(Ordering::Less));
        let half = JsonNumber::fraction(0.5).unwrap();
        assert_eq!(half.compare(whole(1)), Some(Ordering::Greater));
        assert_eq!(
            (half.to_string(), seven.to_string()),
            ("0.5".into(), "7".into())
        );
        assert!(JsonNumber::fraction(f64::NAN).is_none());
    }
}
