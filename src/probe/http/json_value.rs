//! Judges a value of JSON that a path has found, and says what is wrong with it.

use std::cmp::Ordering;

use serde_json::Value;

use crate::domain::{JsonAssertion, JsonNumber, JsonScalar, clean};

/// The most characters that are shown of what was found.
pub(super) const MOST_SHOWN: usize = 200;

/// What the path of one assertion found.
#[derive(Debug, Default)]
pub(super) struct PathFinding {
    count: usize,
    /// The first value that is not as it must be: where it stands, and its text.
    wrong: Option<(String, String)>,
}

impl PathFinding {
    /// Judges a value that was found.
    pub(super) fn see(
        &mut self,
        assertion: &JsonAssertion,
        value: &Value,
        place: impl FnOnce() -> String,
    ) {
        self.count += 1;
        if self.wrong.is_none() && !is_good(assertion, value) {
            self.wrong = Some((place(), shown(value)));
        }
    }

    /// The sentence about it, if it fails the assertion.
    pub(super) fn failure(self, assertion: &JsonAssertion) -> Option<String> {
        let path = clean(&assertion.path, 100);
        let expected = expected(assertion);
        match self.wrong {
            Some((place, found)) => {
                let place = clean(&place, 100);
                let at = if place == path {
                    String::new()
                } else {
                    format!(" at {place}")
                };
                Some(format!(
                    "json {path}: expected {expected}, found {found}{at}"
                ))
            }
            None if self.count == 0 && assertion.exists != Some(false) => Some(format!(
                "json {path}: expected {expected}, found nothing there"
            )),
            None => None,
        }
    }
}

fn expected(assertion: &JsonAssertion) -> String {
    if assertion.exists == Some(false) {
        return "nothing there".to_owned();
    }
    let scalar = |scalar: &JsonScalar| clean(&scalar.to_string(), 60);
    let mut all = Vec::new();
    all.extend(assertion.equals.as_ref().map(scalar));
    all.extend(
        assertion
            .not
            .as_ref()
            .map(|not| format!("not {}", scalar(not))),
    );
    all.extend(
        assertion
            .above
            .map(|above| format!("a number above {above}")),
    );
    all.extend(
        assertion
            .below
            .map(|below| format!("a number below {below}")),
    );
    if all.is_empty() {
        "a value".to_owned()
    } else {
        all.join(" and ")
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("\"{}\"", clean(text, MOST_SHOWN)),
        Value::Array(_) | Value::Object(_) => {
            let text = value.to_string();
            let begun: String = text.chars().take(4 * MOST_SHOWN).collect();
            clean(&begun, MOST_SHOWN)
        }
        other => clean(&other.to_string(), MOST_SHOWN),
    }
}

fn is_good(assertion: &JsonAssertion, value: &Value) -> bool {
    assertion.exists != Some(false)
        && assertion
            .equals
            .as_ref()
            .is_none_or(|equals| is(value, equals))
        && assertion.not.as_ref().is_none_or(|not| !is(value, not))
        && assertion
            .above
            .is_none_or(|above| compare(value, above) == Some(Ordering::Greater))
        && assertion
            .below
            .is_none_or(|below| compare(value, below) == Some(Ordering::Less))
}

fn is(value: &Value, scalar: &JsonScalar) -> bool {
    match (value, scalar) {
        (Value::String(found), JsonScalar::Text(text)) => **found == **text,
        (Value::Bool(found), JsonScalar::Flag(flag)) => found == flag,
        (Value::Number(_), JsonScalar::Number(number)) => {
            compare(value, *number) == Some(Ordering::Equal)
        }
        _ => false,
    }
}

fn compare(value: &Value, number: JsonNumber) -> Option<Ordering> {
    let found = value.as_number()?;
    let whole = found.as_i64().map(i128::from);
    let whole = whole.or_else(|| found.as_u64().map(i128::from));
    number.compare((whole, found.as_f64()?))
}
