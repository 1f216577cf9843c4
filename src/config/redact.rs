//! Redaction of the lines that diagnostics show: passwords in URLs and values of secrets.
//!
//! A line is shown because it is wrong, so its syntax cannot be relied on: in doubt more is
//! hidden than need be.

use std::borrow::Cow;
use std::ops::Range;

/// The replacement of a hidden part.
pub(super) const STARS: &str = "***";

/// Keys of `[notify.*]` whose values may be seen; every other value there is hidden.
const OPEN_KEYS: [&str; 4] = ["smtp", "from", "account", "url"];

/// Keys of `[owners.*]` whose values may be seen: the others are addresses of channels, and it
/// takes no more than the address of a hook to post there.
const OPEN_OWNER_KEYS: [&str; 10] = [
    "email",
    "sms",
    "push",
    "tell",
    "quiet",
    "zone",
    "escalate",
    "escalate_after",
    "only",
    "rotation",
];

/// A key with one of these words holds something to hide, wherever it stands.
const SECRET_WORDS: [&str; 8] = [
    "password",
    "passwd",
    "passphrase",
    "token",
    "secret",
    "apikey",
    "api_key",
    "webhook",
];

/// Whether a key's name says that its value is a secret.
pub(super) fn is_secret_key(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| key.contains(word))
}

/// Where in `text` the password of a URL could stand: from the first colon behind the
/// scheme to the last at-sign, even if the URL is not a valid one.
fn credentials(text: &str) -> Option<Range<usize>> {
    let start = text.find("://").map_or(0, |at| at + 3);
    let colon = start + text.get(start..)?.find(':')?;
    let at = text.rfind('@')?;
    (colon < at).then_some(colon + 1..at)
}

/// `text` with what could be a URL's password as `***`.
pub(super) fn masked(text: &str) -> Cow<'_, str> {
    match credentials(text) {
        Some(hide) => Cow::Owned(format!(
            "{}{STARS}{}",
            &text[..hide.start],
            &text[hide.end..]
        )),
        None => Cow::Borrowed(text),
    }
}

/// The parts of a line of an included list that must not be seen.
pub(super) fn hidden_in_list(line: &str) -> Vec<Range<usize>> {
    credentials(line).into_iter().collect()
}

/// The parts of a line of TOML that must not be seen, in order and apart. `section` is the
/// table that the line stands in, as its header names it.
pub(super) fn hidden_in_toml(line: &str, section: &str) -> Vec<Range<usize>> {
    let mut hidden: Vec<Range<usize>> = strings(line)
        .filter_map(|string| {
            let hide = credentials(&line[string.clone()])?;
            Some(string.start + hide.start..string.start + hide.end)
        })
        .collect();
    let from = behind_secret_word(line)
        .into_iter()
        .chain(behind_private_key(line, section))
        .min();
    hidden.extend(
        from.filter(|from| !line[*from..].trim().is_empty())
            .map(|from| from..line.len()),
    );
    merge(hidden)
}

/// Sorts ranges and joins those that touch.
pub(super) fn merge(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// The table that `header`, a line such as `[notify.email]`, opens.
pub(super) fn section_of(header: &str) -> String {
    header
        .trim_start_matches(['[', ' ', '\t'])
        .chars()
        .take_while(|c| *c != ']')
        .filter(|c| !matches!(c, '"' | '\'' | ' ' | '\t'))
        .collect()
}

/// The insides of the quoted strings of a line, and what stands between them. A string that
/// does not end runs to the end of the line.
fn strings(line: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = line.as_bytes();
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    let mut quote = None;
    while at < bytes.len() {
        match (quote, bytes[at]) {
            (Some(b'"'), b'\\') => at += 1,
            (Some(open), byte) if byte == open => {
                parts.push(start..at);
                (quote, start) = (None, at + 1);
            }
            (None, byte @ (b'"' | b'\'')) => {
                parts.push(start..at);
                (quote, start) = (Some(byte), at + 1);
            }
            _ => {}
        }
        at += 1;
    }
    parts.push(start.min(line.len())..line.len());
    parts.into_iter()
}

/// Where the value begins whose key has one of the secret words.
fn behind_secret_word(line: &str) -> Option<usize> {
    let lower = line.to_ascii_lowercase();
    SECRET_WORDS
        .iter()
        .flat_map(|word| lower.match_indices(word).map(|(at, word)| at + word.len()))
        .filter_map(|end| {
            let rest = &line[end..];
            let rest = rest.trim_start_matches(|c: char| c.is_alphanumeric() || "_-".contains(c));
            let rest = rest.strip_prefix(['"', '\'']).unwrap_or(rest);
            let rest = rest.trim_start();
            let value = rest.strip_prefix(['=', ':', '"', '\''])?;
            Some(line.len() - value.trim_start().len())
        })
        .min()
}

/// Where the value begins, if the line stands in `[notify.*]` or `[owners.*]` and its key is not
/// an open one.
fn behind_private_key(line: &str, section: &str) -> Option<usize> {
    let content = line.trim_start();
    let indent = line.len() - content.len();
    if content.starts_with('[') {
        // What follows a header on its line belongs to no known key.
        return line.find(']').and_then(|at| {
            let rest = line[at..].trim_start_matches(']');
            let comment = rest.trim_start().starts_with('#');
            (!comment).then(|| line.len() - rest.len())
        });
    }
    let stands_in = |name: &str| section.starts_with(name) || content.starts_with(name);
    let open_keys: &[&str] = if stands_in("notify") {
        &OPEN_KEYS
    } else if section.starts_with("owners") {
        &OPEN_OWNER_KEYS
    } else {
        return None;
    };
    if content.starts_with('#') {
        return None;
    }
    let Some((key, value)) = content.split_once('=') else {
        return Some(indent);
    };
    let open = open_keys.contains(&key.trim().trim_matches(['"', '\'']));
    (!open).then(|| line.len() - value.trim_start().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str, section: &str) -> String {
        let mut out = line.to_owned();
        for range in hidden_in_toml(line, section).into_iter().rev() {
            out.replace_range(range, STARS);
        }
        out
    }

    #[test]
    fn passwords_of_urls_are_hidden_even_in_bad_urls() {
        for (text, expected) in [
            ("https://ann:pw@example.org", "https://ann:***@example.org"),
            ("http://ann:p/w@h", "http://ann:***@h"),
            ("ann:p w@h", "ann:***@h"),
            ("http://u:a@b@h", "http://u:***@h"),
            ("https://example.org:80/", "https://example.org:80/"),
            ("ops@example.org", "ops@example.org"),
        ] {
            assert_eq!(masked(text), expected);
        }
    }

    #[test]
    fn each_string_of_a_line_is_examined() {
        assert_eq!(
            shown(
                r#"canaries = ["https://a.example", "http://u:p\"w@h"]"#,
                "monitor"
            ),
            r#"canaries = ["https://a.example", "http://u:***@h"]"#
        );
        assert_eq!(
            shown("url = 'http://u:p\"w@h", "sites"),
            "url = 'http://u:***@h"
        );
    }

    #[test]
    fn values_of_secrets_are_hidden_whatever_the_syntax() {
        for (line, section, expected) in [
            (r#"password = "hunter2"#, "notify.email", "password = ***"),
            (r#"passwrd = "hunter2""#, "notify.email", "passwrd = ***"),
            (r#"  hunter2"""#, "notify.email", "  ***"),
            (r#"from = "a@b""#, "notify.email", r#"from = "a@b""#),
            (r#"token "hunter2""#, "", "token \"***"),
            (r#"my_token: hunter2"#, "", "my_token: ***"),
            (
                r#"notify.sms = { token = "hunter2" }"#,
                "",
                "notify.sms = ***",
            ),
            (r#"[notify.sms] token="hunter2""#, "", "[notify.sms]***"),
            (r#"name = "Token ring""#, "sites", r#"name = "Token ring""#),
            ("[[sites]] # the first", "", "[[sites]] # the first"),
        ] {
            assert_eq!(shown(line, section), expected);
        }
    }

    #[test]
    fn a_header_names_its_section() {
        assert_eq!(section_of("[ notify.\"email\" ] # mail"), "notify.email");
        assert_eq!(section_of("[[sites]]"), "sites");
    }
}
