//! Assertions on a body of JSON: what their paths do not lead to is read over and not kept.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use smallvec::SmallVec;

use crate::domain::{JsonAssertion, JsonPath, JsonStep, clean};

use super::json_tree::{TreeBudget, TreeSeed};
use super::json_value::{MOST_SHOWN, PathFinding};

/// What a check may take for the values that it searches, in bytes: at once with others, and
/// alone in its process. Each thread keeps for a while what it had.
const BESIDE_OTHERS: usize = 64 << 10;
const ALONE: usize = 2 << 20;

/// Why assertions fail: a sentence.
pub(super) fn judge(
    text: &str,
    assertions: &[JsonAssertion],
    paths: &[JsonPath],
) -> Result<(), String> {
    static LARGE_TREE: Mutex<()> = Mutex::new(());
    let mut budget = TreeBudget::new(BESIDE_OTHERS);
    let mut judged = read(text, assertions, paths, &mut budget);
    if budget.is_exceeded {
        let _alone = LARGE_TREE.lock().unwrap_or_else(PoisonError::into_inner);
        budget = TreeBudget::new(ALONE);
        judged = read(text, assertions, paths, &mut budget);
    }
    let findings = judged.map_err(|error| {
        if budget.is_exceeded {
            let most = ALONE >> 20;
            format!("the JSON takes more than {most} MiB to search: a longer path helps")
        } else {
            not_json(text, &error)
        }
    })?;
    let mut pairs = assertions.iter().zip(findings);
    match pairs.find_map(|(assertion, finding)| finding.failure(assertion)) {
        Some(sentence) => Err(sentence),
        None => Ok(()),
    }
}

fn not_json(text: &str, error: &serde_json::Error) -> String {
    // The library's text ends with the place as well, in other words.
    let said = error.to_string();
    let said = said.split(" at line ").next().unwrap_or_default();
    let begins = clean(
        &text.chars().take(4 * MOST_SHOWN).collect::<String>(),
        MOST_SHOWN,
    );
    format!(
        "the body is not JSON: {said} (line {}, column {}); it begins \"{begins}\"",
        error.line(),
        error.column()
    )
}

/// What each path finds in a text of JSON.
fn read(
    text: &str,
    assertions: &[JsonAssertion],
    paths: &[JsonPath],
    budget: &mut TreeBudget,
) -> serde_json::Result<Vec<PathFinding>> {
    let mut search = PathSearch {
        assertions,
        paths,
        findings: assertions.iter().map(|_| PathFinding::default()).collect(),
        budget,
    };
    let all: Wanted = (0..paths.len()).collect();
    let mut json = serde_json::Deserializer::from_str(text);
    Descent {
        search: &mut search,
        wanted: &all,
        depth: 0,
    }
    .deserialize(&mut json)?;
    json.end()?;
    Ok(search.findings)
}

/// The places of assertions whose paths lead to a value.
type Wanted = SmallVec<[usize; 4]>;

struct PathSearch<'a> {
    assertions: &'a [JsonAssertion],
    paths: &'a [JsonPath],
    findings: Vec<PathFinding>,
    budget: &'a mut TreeBudget,
}

impl PathSearch<'_> {
    /// Those of `wanted` that go on by this step. What an earlier member of the same name gave
    /// them is forgotten: the last one counts.
    fn that_go_on(
        &mut self,
        wanted: &[usize],
        depth: usize,
        step: impl Fn(&JsonStep) -> bool,
    ) -> Wanted {
        let next = wanted.iter().copied();
        let next: Wanted = next
            .filter(|place| self.paths[*place].steps.get(depth).is_some_and(&step))
            .collect();
        for place in &next {
            self.findings[*place] = PathFinding::default();
        }
        next
    }

    /// Judges a value, at which `wanted` have gone `depth` steps.
    fn see(&mut self, wanted: &[usize], depth: usize, value: &Value) {
        for place in wanted {
            let path = &self.paths[*place];
            let mut steps = path.steps[depth..].iter();
            let reached = steps.try_fold(value, |value, step| match step {
                JsonStep::Name(name) => value.get(&**name),
                JsonStep::Index(index) => value.get(index),
            });
            let Some(reached) = reached else { continue };
            let (finding, assertion) = (&mut self.findings[*place], &self.assertions[*place]);
            let begins = &*path.begins;
            match &path.rest {
                None => finding.see(assertion, reached, || begins.to_owned()),
                Some(rest) => {
                    for node in rest.query(reached) {
                        finding.see(assertion, node, || {
                            let mut place = begins.to_owned();
                            let _there = find(reached, node, &mut place);
                            place
                        });
                    }
                }
            }
        }
    }
}

/// Appends the way from a value to `node` within it, if it is there.
fn find(value: &Value, node: &Value, way: &mut String) -> bool {
    if std::ptr::eq(value, node) {
        return true;
    }
    let length = way.len();
    let mut is_at = |step: String, inner: &Value| {
        way.push_str(&step);
        let found = find(inner, node, way);
        if !found {
            way.truncate(length);
        }
        found
    };
    match value {
        Value::Array(elements) => {
            let mut elements = elements.iter().enumerate();
            elements.any(|(index, inner)| is_at(format!("[{index}]"), inner))
        }
        Value::Object(members) => {
            let mut members = members.iter();
            members.any(|(name, inner)| is_at(format!("['{name}']"), inner))
        }
        _ => false,
    }
}

/// The way from the root to what paths lead to.
struct Descent<'a, 's> {
    search: &'a mut PathSearch<'s>,
    wanted: &'a [usize],
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Descent<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self {
            search,
            wanted,
            depth,
        } = self;
        if wanted.is_empty() {
            let over = deserializer.deserialize_ignored_any(IgnoredAny);
            return over.map(|IgnoredAny| ());
        }
        if wanted
            .iter()
            .any(|place| search.paths[*place].steps.len() == depth)
        {
            let value = TreeSeed(search.budget).deserialize(deserializer)?;
            search.see(wanted, depth, &value);
            return Ok(());
        }
        deserializer.deserialize_any(Self {
            search,
            wanted,
            depth,
        })
    }
}

impl<'de> Visitor<'de> for Descent<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of JSON")
    }

    // No path leads into these.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        for index in 0.. {
            let here = JsonStep::Index(index);
            let wanted = self
                .search
                .that_go_on(self.wanted, self.depth, |step| *step == here);
            let next = Descent {
                search: &mut *self.search,
                wanted: &wanted,
                depth: self.depth + 1,
            };
            if elements.next_element_seed(next)?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        loop {
            let key = KeySeed {
                search: &mut *self.search,
                wanted: self.wanted,
                depth: self.depth,
            };
            let Some(wanted) = members.next_key_seed(key)? else {
                return Ok(());
            };
            members.next_value_seed(Descent {
                search: &mut *self.search,
                wanted: &wanted,
                depth: self.depth + 1,
            })?;
        }
    }
}

/// Which paths go on by the name of a member.
struct KeySeed<'a, 's> {
    search: &'a mut PathSearch<'s>,
    wanted: &'a [usize],
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_, '_> {
    type Value = Wanted;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Wanted, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_, '_> {
    type Value = Wanted;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Wanted, E> {
        let here = |step: &JsonStep| matches!(step, JsonStep::Name(step) if **step == *name);
        Ok(self.search.that_go_on(self.wanted, self.depth, here))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{JsonNumber, JsonScalar};

    fn judged(text: &str, assertions: &[JsonAssertion]) -> Result<(), String> {
        let paths: Vec<_> = assertions
            .iter()
            .map(|assertion| JsonPath::parse(&assertion.path).unwrap())
            .collect();
        judge(text, assertions, &paths)
    }

    fn at(path: &str) -> JsonAssertion {
        JsonAssertion {
            path: path.into(),
            ..JsonAssertion::default()
        }
    }

    fn equals(path: &str, text: &str) -> JsonAssertion {
        JsonAssertion {
            equals: Some(JsonScalar::Text(text.into())),
            ..at(path)
        }
    }

    const HEALTH: &str = r#"{"skip": [1, {"status": "no"}], "status": "ok", "queue": 7,
        "parts": [{"name": "db", "up": true, "load": 0.5}, {"name": "mail", "up": false, "load": 3}],
        "deep": {"er": [[0], [1, 2]]}, "null": null}"#;

    #[test]
    fn what_a_path_finds_is_judged_and_shown_with_its_place() {
        let whole = |value| Some(JsonNumber::Whole(value));
        let good = [
            equals("$.status", "ok"),
            JsonAssertion {
                above: whole(6),
                below: whole(8),
                ..at("$.queue")
            },
            JsonAssertion {
                equals: Some(JsonScalar::Number(JsonNumber::Whole(2))),
                ..at("$.deep.er[1][1]")
            },
            JsonAssertion {
                exists: Some(false),
                ..at("$.error")
            },
            JsonAssertion {
                equals: Some(JsonScalar::Flag(true)),
                ..at("$.parts[?@.name == 'db'].up")
            },
            JsonAssertion {
                below: whole(4),
                ..at("$..load")
            },
            at("$.null"),
            at("$['parts'][0]"),
            at("$.parts"),
            at("$"),
        ];
        assert_eq!(judged(HEALTH, &good), Ok(()));
        for (wrong, sentence) in [
            (
                equals("$.queue", "7"),
                "json $.queue: expected \"7\", found 7",
            ),
            (
                equals("$.nowhere", "a"),
                "json $.nowhere: expected \"a\", found nothing there",
            ),
            (
                JsonAssertion {
                    exists: Some(false),
                    ..at("$.null")
                },
                "json $.null: expected nothing there, found null",
            ),
            (
                JsonAssertion {
                    below: whole(3),
                    ..at("$..load")
                },
                "json $..load: expected a number below 3, found 3 at $['parts'][1]['load']",
            ),
            (
                JsonAssertion {
                    above: whole(0),
                    ..at("$.parts[*].up")
                },
                "json $.parts[*].up: expected a number above 0, found true at $.parts[0]['up']",
            ),
            (
                JsonAssertion {
                    not: Some(JsonScalar::Text("ok".into())),
                    ..at("$.status")
                },
                "json $.status: expected not \"ok\", found \"ok\"",
            ),
            (
                at("$.status.deeper"),
                "json $.status.deeper: expected a value, found nothing there",
            ),
        ] {
            let all = [&good[..], &[wrong]].concat();
            assert_eq!(judged(HEALTH, &all).unwrap_err(), sentence);
        }
    }

    #[test]
    fn of_members_of_one_name_the_last_counts() {
        assert_eq!(
            judged(
                r#"{"a": {"b": "x"}, "a": {"b": "y"}}"#,
                &[equals("$.a.b", "y")]
            ),
            Ok(())
        );
        assert!(judged(r#"{"a": {"b": "y"}, "a": 1}"#, &[equals("$.a.b", "y")]).is_err());
    }

    #[test]
    fn what_is_not_json_is_said_with_its_place() {
        let said = judged("<html>\n", &[at("$")]).unwrap_err();
        assert_eq!(
            said,
            "the body is not JSON: expected value (line 1, column 1); it begins \"<html>\""
        );
        for bad in [
            "",
            "{",
            "{} x",
            "[1,]",
            &"[".repeat(100_000),
            "{\"a\": 1e999}",
        ] {
            let said = judged(bad, &[equals("$.a", "b"), at("$..b")]).unwrap_err();
            assert!(said.starts_with("the body is not JSON"), "{said}");
        }
    }

    #[test]
    fn a_tree_that_would_not_fit_is_refused_and_a_path_past_it_is_not() {
        let many = format!(
            "{{\"list\": [{}1], \"status\": \"ok\"}}",
            "{\"\":0},".repeat(50_000)
        );
        assert_eq!(judged(&many, &[equals("$.status", "ok")]), Ok(()));
        assert!(
            judged(&many, &[at("$..none")])
                .unwrap_err()
                .contains("2 MiB")
        );
        let some = format!("[{}1]", "{\"\":0},".repeat(2_000));
        assert_eq!(judged(&some, &[at("$[2000]")]), Ok(()));
        assert_eq!(judged(&some, &[at("$[-1]")]), Ok(()));
    }
}
