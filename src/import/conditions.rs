//! Gatus's conditions: what of them has a counterpart.
//! <https://github.com/TwiN/gatus#conditions>

use crate::domain::{CheckKind, JsonPath};

use super::go_duration::{duration_from_seconds, parse_go_duration};
use super::imported_site::ImportedSite;
use super::render::quoted;
use super::status_codes::StatusCodes;

const OPERATORS: [&str; 6] = ["==", "!=", "<=", ">=", "<", ">"];

/// Takes over every condition, or says that there is none like it.
pub(super) fn take_over(conditions: &[String], redirects: bool, site: &mut ImportedSite) {
    let mut codes = StatusCodes::all();
    let mut json = Vec::new();
    for condition in conditions {
        if !one(condition, &mut codes, &mut json, site) {
            site.add_unsupported(format!("condition {condition}"));
        }
    }
    site.expect_status = codes.to_expect_status(!redirects);
    if !json.is_empty() {
        site.add("json", format!("[{}]", json.join(", ")));
    }
    if codes == none() {
        site.add_unsupported("no status can meet its conditions");
    }
}

fn none() -> StatusCodes {
    let mut codes = StatusCodes::all();
    codes.only(|_| false);
    codes
}

/// Whether it was taken over.
fn one(
    condition: &str,
    codes: &mut StatusCodes,
    json: &mut Vec<String>,
    site: &mut ImportedSite,
) -> bool {
    let parts = OPERATORS.iter().find_map(|operator| {
        let (left, right) = condition.split_once(&format!(" {operator} "))?;
        Some((left.trim(), *operator, right.trim()))
    });
    match parts {
        // Without a connection there is no answer.
        Some(("[CONNECTED]", "==", "true") | ("[DNS_RCODE]", "==", "NOERROR")) => true,
        Some(("[STATUS]", operator, right)) => status(operator, right, codes),
        Some(("[RESPONSE_TIME]", "<" | "<=", right)) => {
            let time = right
                .parse()
                .ok()
                .and_then(|millis: f64| duration_from_seconds(millis / 1e3));
            let time = time.filter(|time| !time.is_zero());
            site.slow = time.into_iter().chain(site.slow).min();
            time.is_some()
        }
        Some(("[CERTIFICATE_EXPIRATION]", ">" | ">=", right)) => {
            let left = parse_go_duration(right);
            site.cert_warn = left.into_iter().chain(site.cert_warn).max();
            left.is_some()
        }
        Some((path, operator, right)) if path.starts_with("[BODY].") => {
            let assertion = json_assertion(&path["[BODY].".len()..], operator, right);
            json.extend(assertion.clone());
            assertion.is_some()
        }
        Some(("[BODY]", "==", right)) if CheckKind::of(&site.url) == CheckKind::Dns => {
            let is_plain = !right.contains(['(', '[', '*']);
            if is_plain {
                site.add("expect", quoted(right));
            }
            is_plain
        }
        Some(("[BODY]", "==", right)) => {
            let held = literal(right).filter(|_| site.contains.is_none());
            if let Some(text) = held {
                site.holds(text);
            }
            held.is_some()
        }
        _ => false,
    }
}

/// A condition on a value of a body of JSON as an element of `json`. A number is compared as one.
pub(super) fn json_assertion(path: &str, operator: &str, right: &str) -> Option<String> {
    let right_is_plain = !right.is_empty() && !right.contains(['(', '[', '*']);
    let path = format!("$.{path}");
    let path = quoted(&JsonPath::parse(&path).ok().map(|_| path)?);
    let number = right
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite());
    let value = match (number, right) {
        (Some(_), number) => number.to_owned(),
        (None, "true" | "false") => right.to_owned(),
        (None, text) => quoted(text),
    };
    // What TOML writes as a number is less than what other parsers read as one.
    let value = toml::from_str::<toml::Table>(&format!("a = {value}"))
        .ok()
        .map(|_| value)?;
    let key = match operator {
        "==" => "equals",
        "!=" => "not",
        ">" if number.is_some() => "above",
        "<" if number.is_some() => "below",
        _ => return None,
    };
    right_is_plain.then(|| format!("{{ path = {path}, {key} = {value} }}"))
}

/// The text of `pat(*text*)` that holds no further pattern.
fn literal(right: &str) -> Option<&str> {
    let pattern = right.strip_prefix("pat(")?.strip_suffix(')')?;
    let text = pattern.strip_prefix('*')?.strip_suffix('*')?;
    let plain = !text.is_empty() && !text.contains(['*', '?', '[', '\\']);
    plain.then_some(text)
}

fn status(operator: &str, right: &str, codes: &mut StatusCodes) -> bool {
    let any = right
        .strip_prefix("any(")
        .and_then(|list| list.strip_suffix(')'));
    let pattern = right
        .strip_prefix("pat(")
        .and_then(|list| list.strip_suffix("*)"));
    let named: Option<Vec<u16>> = match (any, pattern) {
        (Some(list), _) => list
            .split(',')
            .map(|code| code.trim().parse().ok())
            .collect(),
        (None, Some(start)) if start.len() < 3 && start.bytes().all(|c| c.is_ascii_digit()) => {
            let fits = |code: &u16| code.to_string().starts_with(start);
            Some((100..=999).filter(fits).collect())
        }
        (None, _) => right.parse().ok().map(|code| vec![code]),
    };
    let Some(named) = named.filter(|named| !named.is_empty()) else {
        return false;
    };
    match (operator, &named[..]) {
        ("==", _) => codes.only(|code| named.contains(&code)),
        ("!=", _) => codes.only(|code| !named.contains(&code)),
        ("<", [most]) => codes.only(|code| code < *most),
        ("<=", [most]) => codes.only(|code| code <= *most),
        (">", [least]) => codes.only(|code| code > *least),
        (">=", [least]) => codes.only(|code| code >= *least),
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::imported_site::http_url;
    use super::*;

    fn taken(conditions: &[&str], redirects: bool) -> ImportedSite {
        let mut site = ImportedSite::new("x", http_url("https://example.org").unwrap());
        let conditions: Vec<_> = conditions.iter().map(|one| (*one).to_owned()).collect();
        take_over(&conditions, redirects, &mut site);
        site
    }

    #[test]
    fn statuses_of_the_documentation_become_sets() {
        for (condition, set) in [
            ("[STATUS] == 200", Some("200")),
            ("[STATUS] < 300", Some("100-299")),
            ("[STATUS] <= 299", Some("100-299")),
            ("[STATUS] > 400", Some("401-999")),
            ("[STATUS] == any(200, 429)", Some("200,429")),
            ("[STATUS] == pat(2*)", Some("200-299")),
            ("[STATUS] < 400", None),
            ("[CONNECTED] == true", Some("100-299,400-999")),
        ] {
            let site = taken(&[condition], true);
            assert_eq!(site.expect_status.as_deref(), set, "{condition}");
            assert!(site.unsupported.is_empty(), "{condition}");
        }
        let both = taken(
            &["[STATUS] >= 200", "[STATUS] != 204", "[STATUS] < 300"],
            true,
        );
        assert_eq!(both.expect_status.as_deref(), Some("200-203,205-299"));
        let unfollowed = taken(&["[STATUS] == 301"], false);
        assert_eq!(unfollowed.expect_status.as_deref(), Some("301"));
    }

    #[test]
    fn values_of_json_are_taken_over() {
        let site = taken(
            &[
                "[BODY].user.name == john",
                "[BODY].data[0].id != 1",
                "[BODY].queue < 10.5",
                "[BODY].ok == true",
            ],
            true,
        );
        assert!(site.unsupported.is_empty(), "{:?}", site.unsupported);
        let json = concat!(
            "[{ path = \"$.user.name\", equals = \"john\" }, ",
            "{ path = \"$.data[0].id\", not = 1 }, ",
            "{ path = \"$.queue\", below = 10.5 }, ",
            "{ path = \"$.ok\", equals = true }]"
        );
        assert_eq!(site.more, [("json", json.to_owned())]);
    }

    #[test]
    fn the_other_conditions_are_taken_over_or_named() {
        let site = taken(
            &[
                "[RESPONSE_TIME] < 500",
                "[CERTIFICATE_EXPIRATION] > 48h",
                "[BODY] == pat(*<h1>Example Domain</h1>*)",
            ],
            true,
        );
        assert_eq!(site.slow.unwrap().as_millis(), 500);
        assert_eq!(site.cert_warn.unwrap().as_secs(), 48 * 3_600);
        assert_eq!(site.contains.as_deref(), Some("<h1>Example Domain</h1>"));
        assert!(site.unsupported.is_empty());
        let named = [
            "[IP] == 127.0.0.1",
            "[BODY] == 1",
            "[BODY].a == any(1, 2)",
            "[BODY].age >= 3",
            "[BODY].age == [BODY].id",
            "len([BODY].data) < 5",
            "has([BODY].errors) == false",
            "[BODY].name == pat(john*)",
            "[BODY] == pat(*.*.*.*)",
            "[DOMAIN_EXPIRATION] > 720h",
            "[STATUS] == [BODY].status",
            "[RESPONSE_TIME] < many",
            "nonsense",
            "",
        ];
        let site = taken(&named, true);
        assert_eq!(site.unsupported.len(), named.len());
        assert_eq!((site.contains, site.slow), (None, None));
    }
}
