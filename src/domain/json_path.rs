//! Paths into JSON (RFC 9535), within bounds that keep the cost of a search near that of reading.

use super::plural;

/// The longest path, in bytes.
const MOST_BYTES: usize = 512;

/// How deep brackets and parentheses may stand in each other.
const MOST_DEPTH: usize = 6;

/// The most selectors beside each other, and the most filters.
const MOST_COMMAS: usize = 2;
const MOST_FILTERS: usize = 3;

/// A path into JSON.
#[derive(Clone, Debug)]
pub struct JsonPath {
    /// The names and indexes that it begins with, each of which leads to one place at most.
    pub steps: Vec<JsonStep>,
    /// The text of `steps`.
    pub begins: Box<str>,
    /// What is asked behind them, from there; `None` where nothing is.
    pub rest: Option<serde_json_path::JsonPath>,
}

/// A step from a value of JSON into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonStep {
    /// To the member of that name.
    Name(Box<str>),
    /// To the element at that index.
    Index(usize),
}

impl JsonPath {
    /// Reads a path.
    ///
    /// # Errors
    /// A sentence about what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        bounds(text)?;
        let whole = serde_json_path::JsonPath::parse(text).map_err(|error| {
            let at = error.position() + 1;
            format!("this is no JSON path (RFC 9535): see character {at}")
        })?;
        let (steps, end) = steps(text);
        let (begins, behind) = text.split_at(end);
        let rest = match (behind, steps.is_empty()) {
            ("", _) => None,
            (_, true) => Some(whole),
            // Each part of a path is one itself.
            (behind, false) => {
                let rest = serde_json_path::JsonPath::parse(&format!("${behind}"));
                Some(rest.map_err(|_| "this JSON path cannot be read".to_owned())?)
            }
        };
        Ok(Self {
            steps,
            begins: begins.into(),
            rest,
        })
    }
}

/// Refuses what could take far longer than reading the body.
fn bounds(text: &str) -> Result<(), String> {
    if text.len() > MOST_BYTES {
        return Err(format!(
            "a JSON path has at most {}",
            plural(MOST_BYTES, "byte")
        ));
    }
    let (mut depth, mut deepest, mut commas, mut filters, mut descents, mut roots) =
        (0_usize, 0, 0, 0, 0, 0);
    let mut quote = None;
    let mut before = ' ';
    for c in text.chars() {
        match (quote, c) {
            (Some(_), _) if before == '\\' => {
                before = ' ';
                continue;
            }
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '(') => depth += 1,
            (None, ']' | ')') => depth = depth.saturating_sub(1),
            (None, ',') => commas += 1,
            (None, '?') => filters += 1,
            (None, '$') => roots += 1,
            (None, '.') if before == '.' => descents += 1,
            (None, _) => {}
        }
        deepest = deepest.max(depth);
        before = c;
    }
    if descents > 1 {
        Err("a JSON path has \"..\" once at most".to_owned())
    } else if roots > 1 {
        Err("a JSON path has \"$\" at its beginning alone".to_owned())
    } else if filters > MOST_FILTERS {
        Err(format!(
            "a JSON path has at most {}",
            plural(MOST_FILTERS, "filter")
        ))
    } else if commas > MOST_COMMAS {
        Err(format!(
            "a JSON path has at most {}",
            plural(MOST_COMMAS, "comma")
        ))
    } else if deepest > MOST_DEPTH {
        Err("its brackets stand too deep in each other".to_owned())
    } else {
        Ok(())
    }
}

/// The steps that a path begins with, as far as they are plain, and where they end.
fn steps(text: &str) -> (Vec<JsonStep>, usize) {
    let Some(mut rest) = text.strip_prefix('$') else {
        return (Vec::new(), 0);
    };
    let mut steps = Vec::new();
    while let Some((step, behind)) = step(rest) {
        steps.push(step);
        rest = behind;
    }
    (steps, text.len() - rest.len())
}

fn step(text: &str) -> Option<(JsonStep, &str)> {
    if let Some(name) = text.strip_prefix('.') {
        let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii();
        let end = name.find(|c| !good(c)).unwrap_or(name.len());
        let (name, behind) = name.split_at(end);
        return (!name.is_empty()).then(|| (JsonStep::Name(name.into()), behind));
    }
    let inner = text.strip_prefix('[')?;
    if let Some(quote) = inner.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let (name, behind) = inner[1..].split_once(quote)?;
        let behind = behind.strip_prefix(']')?;
        return (!name.contains('\\')).then(|| (JsonStep::Name(name.into()), behind));
    }
    let (index, behind) = inner.split_once(']')?;
    let digits = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
    let index = digits.then(|| index.parse().ok()).flatten()?;
    Some((JsonStep::Index(index), behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_beginning_of_a_path_is_told_from_the_rest() {
        let path = JsonPath::parse("$.a['b c'][3].é..x[?@.y > 1]").unwrap();
        let name = |name: &str| JsonStep::Name(name.into());
        let steps = [name("a"), name("b c"), JsonStep::Index(3), name("é")];
        assert_eq!(path.steps, steps);
        assert_eq!(&*path.begins, "$.a['b c'][3].é");
        assert!(path.rest.is_some());
        for (plain, count) in [("$", 0), ("$.a", 1), ("$[\"a\"][0]", 2)] {
            let path = JsonPath::parse(plain).unwrap();
            assert!(path.rest.is_none() && path.steps.len() == count, "{plain}");
        }
        for (other, count) in [("$[-1]", 0), ("$.a[*]", 1), ("$['a\\'b']", 0), ("$ .a", 0)] {
            let path = JsonPath::parse(other).unwrap();
            assert!(path.rest.is_some() && path.steps.len() == count, "{other}");
        }
    }

    #[test]
    fn what_is_no_path_or_could_take_long_is_refused() {
        let deep = format!("$[?{}@.a{}]", "(".repeat(40), ")".repeat(40));
        let long = format!("$.{}", "a".repeat(600));
        for (wrong, why) in [
            ("status", "no JSON path"),
            ("", "no JSON path"),
            ("$.", "no JSON path"),
            ("$[?match(@.a, 'x')]", "no JSON path"),
            ("$..a..b", "\"..\" once"),
            ("$[?@.a == $.b]", "at its beginning alone"),
            ("$[1,2,3,4]", "commas"),
            ("$[?@[?@[?@[?@.a]]]]", "filters"),
            (&*deep, "too deep"),
            (&*long, "512 bytes"),
        ] {
            let said = JsonPath::parse(wrong).unwrap_err();
            assert!(said.contains(why), "{wrong}: {said}");
        }
        // Within quotes they mean nothing.
        assert!(JsonPath::parse("$['a..b..c,,,,$?[[[[[[[[']").is_ok());
    }
}
