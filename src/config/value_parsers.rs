//! Parsers of values: a function a kind of value, from its text to its meaning.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use url::Url;

use crate::domain::{
    Assertions, BrokerUrl, BrokerUrlError, CheckOptions, MaskedUrl, MethodChoice, StatusSet, clean,
    is_field_name, parse_duration, plural,
};

use super::redact::masked;

/// Why a text is not a valid value of its key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ValueError {
    /// "expected …"; the caller appends the text that was found.
    Expected(Cow<'static, str>),
    /// A whole sentence.
    Plain(String),
}

/// A parsed value, or why the text is none.
pub(super) type Parsed<T> = Result<T, ValueError>;

impl ValueError {
    pub(super) fn expected(what: impl Into<Cow<'static, str>>) -> Self {
        Self::Expected(what.into())
    }

    /// The sentence, for the text that was there.
    pub(super) fn about(&self, text: &str) -> String {
        match self {
            Self::Expected(expected) => format!("{expected}, got {}", quoted(text)),
            Self::Plain(sentence) => sentence.clone(),
        }
    }
}

/// A text from the file in quotes, safe to print: short, without a password.
pub(super) fn quoted(text: &str) -> String {
    // Masked before it is cut, so that a cut cannot part a password from its at-sign.
    format!("\"{}\"", clean(&masked(text), 80))
}

/// Why `word` is not one of `known`.
pub(super) fn none_of(word: &str, known: &[&str]) -> ValueError {
    let names: Vec<String> = known.iter().map(|name| format!("\"{name}\"")).collect();
    let expected = format!("expected one of {}", names.join(", "));
    // The suggestion stands behind what was got, so the sentence is made whole here.
    match suggestion(word, known.iter().copied()) {
        none if none.is_empty() => ValueError::expected(expected),
        near => ValueError::Plain(format!("{expected}, got {}{near}", quoted(word))),
    }
}

/// Any text, as it is.
pub(super) fn any(text: &str) -> Parsed<Box<str>> {
    Ok(text.into())
}

/// A text that is not empty.
pub(super) fn some(text: &str) -> Parsed<Box<str>> {
    if text.is_empty() {
        return Err(ValueError::expected("expected a text that is not empty"));
    }
    any(text)
}

/// A name or label: one line, without control characters.
pub(super) fn label(text: &str) -> Parsed<Box<str>> {
    const LONGEST: usize = 200;
    let cleaned = clean(text, LONGEST);
    if cleaned.is_empty() {
        return Err(ValueError::expected("expected a text that is not empty"));
    }
    let visible = |text: &str| -> usize { text.chars().filter(|c| *c != ' ').count() };
    if text.chars().count() > LONGEST {
        return Err(ValueError::Plain(format!(
            "expected at most {}",
            plural(LONGEST, "character")
        )));
    }
    if visible(&cleaned) != visible(text) {
        return Err(ValueError::expected(
            "expected a text without control characters",
        ));
    }
    Ok(cleaned.into_boxed_str())
}

/// A duration of any length.
pub(super) fn duration(text: &str) -> Parsed<Duration> {
    parse_duration(text).map_err(|error| ValueError::expected(error.to_string()))
}

/// A duration of at least a millisecond.
pub(super) fn positive_duration(text: &str) -> Parsed<Duration> {
    let duration = duration(text)?;
    if duration < Duration::from_millis(1) {
        return Err(ValueError::expected("expected 1ms or more"));
    }
    Ok(duration)
}

/// "22:00-07:00", as minutes since midnight.
pub(super) fn hours(text: &str) -> Parsed<(u16, u16)> {
    let minutes = |text: &str| -> Option<u16> {
        let (hour, minute) = text.trim().split_once(':')?;
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        (hour < 24 && minute < 60).then_some(hour * 60 + minute)
    };
    text.split_once('-')
        .and_then(|(from, to)| Some((minutes(from)?, minutes(to)?)))
        .filter(|(from, to)| from != to)
        .ok_or_else(|| ValueError::expected("expected hours such as \"22:00-07:00\""))
}

/// The name of a time zone.
pub(super) fn zone(text: &str) -> Parsed<Box<str>> {
    match jiff::tz::TimeZone::get(text) {
        Ok(_) => Ok(text.into()),
        Err(_) => Err(ValueError::expected(
            "expected a time zone such as \"Europe/Berlin\"",
        )),
    }
}

/// A date and a time without a zone: year, month, day, hour, minute.
pub(super) fn local_time(text: &str) -> Parsed<(i16, i8, i8, i8, i8)> {
    let parsed: Result<jiff::civil::DateTime, _> = text.trim().replacen(' ', "T", 1).parse();
    let time = parsed.map_err(|_| {
        ValueError::expected("expected a date and a time such as \"2026-11-30 09:00\"")
    })?;
    Ok((
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minute(),
    ))
}

/// A duration of at least a second.
pub(super) fn interval(text: &str) -> Parsed<Duration> {
    let duration = duration(text)?;
    if duration < Duration::from_secs(1) {
        return Err(ValueError::expected("expected 1s or more"));
    }
    Ok(duration)
}

/// A set of status codes, such as "200-299,301".
pub(super) fn statuses(text: &str) -> Parsed<StatusSet> {
    StatusSet::parse(text).map_err(ValueError::expected)
}

/// The method that a site is asked by.
pub(super) fn method(text: &str) -> Parsed<MethodChoice> {
    MethodChoice::parse(text).map_err(|_| none_of(text, &MethodChoice::WORDS))
}

/// An absolute http(s) URL, normalised and without its fragment, which is never sent.
pub(super) fn http_url(text: &str) -> Parsed<MaskedUrl> {
    let wrong = |why: Option<&dyn fmt::Display>| {
        let why = why.map_or_else(String::new, |why| format!(" ({why})"));
        ValueError::expected(format!(
            "expected an http or https URL such as \"https://example.org\"{why}"
        ))
    };
    let text = text.trim();
    let (scheme, rest) = text.split_once("://").ok_or_else(|| wrong(None))?;
    if !["http", "https"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
    {
        return Err(wrong(None));
    }
    // The URL standard would take the path for the host, or drop what cannot be seen.
    if rest.is_empty() || rest.starts_with(['/', '\\', '?', '#']) {
        return Err(wrong(Some(&"it has no host")));
    }
    if text.chars().any(char::is_control) {
        return Err(wrong(Some(&"it holds a control character")));
    }
    let mut url = Url::parse(text).map_err(|error| wrong(Some(&error)))?;
    if url.port() == Some(0) {
        return Err(wrong(Some(&"there is no port 0")));
    }
    url.set_fragment(None);
    Ok(MaskedUrl::from(url))
}

/// The URL of a Redis server, with `redis+socket://` for a socket of this machine.
pub(super) fn broker_url(text: &str) -> Parsed<MaskedUrl> {
    match BrokerUrl::parse(text) {
        Ok(_) => Ok(MaskedUrl::new(text.trim())),
        Err(error @ BrokerUrlError::NotABroker) => Err(ValueError::expected(error.to_string())),
        Err(error) => Err(ValueError::Plain(error.to_string())),
    }
}

/// A value of the command line or the environment that is not what its option wants. Displays
/// what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidValue(Box<str>);

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidValue {}

/// Parses the URL of a broker, as for `queue.broker`.
///
/// # Errors
/// The text is no URL of a Redis server. The error does not show the text, which may hold a
/// password.
pub fn parse_broker_url(text: &str) -> Result<MaskedUrl, InvalidValue> {
    broker_url(text).map_err(|error| match error {
        ValueError::Expected(expected) => InvalidValue(expected.into()),
        ValueError::Plain(sentence) => InvalidValue(sentence.into_boxed_str()),
    })
}

/// Parses the name of a queue, as for `queue.name`.
///
/// # Errors
/// The text is empty, longer than 100 bytes, or holds other characters than A-Z a-z 0-9
/// and `. _ : -`.
pub fn parse_queue_name(text: &str) -> Result<Box<str>, InvalidValue> {
    queue_name(text).map_err(|error| InvalidValue(error.about(text).into_boxed_str()))
}

/// The name of a queue: 1 to 100 characters of `A-Z a-z 0-9 . _ : -`.
pub(super) fn queue_name(text: &str) -> Parsed<Box<str>> {
    let good = |c: char| c.is_ascii_alphanumeric() || "._:-".contains(c);
    if text.is_empty() || text.len() > 100 || !text.chars().all(good) {
        return Err(ValueError::expected(
            "expected a name of A-Z a-z 0-9 . _ : - such as \"celery\"",
        ));
    }
    Ok(text.into())
}

/// The body of a request.
pub(super) fn request_body(text: &str) -> Parsed<Box<str>> {
    let most = CheckOptions::MOST_BODY;
    if text.len() > most {
        return Err(ValueError::Plain(format!(
            "a body has at most {} KiB",
            most >> 10
        )));
    }
    some(text)
}

/// The value of a header: printable ASCII, not blank.
pub(super) fn header_value(text: &str) -> Parsed<std::sync::Arc<str>> {
    if text.trim().is_empty() || !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err(ValueError::expected(
            "expected plain ASCII text that can stand in a header",
        ));
    }
    Ok(text.trim().into())
}

/// The name of a header field (RFC 9110 section 5.1).
pub(super) fn field_name(text: &str) -> Parsed<()> {
    if !is_field_name(text) {
        return Err(ValueError::expected(
            "expected the name of a header such as \"Accept\"",
        ));
    }
    Ok(())
}

/// A number of bytes: "512B", "64KiB", "1MiB".
fn size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim_start() {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

/// The largest body that is allowed.
pub(super) fn body_size(text: &str) -> Parsed<u32> {
    let most = Assertions::MOST_BODY;
    size(text)
        .and_then(|size| u32::try_from(size).ok())
        .filter(|size| (1..=most).contains(size))
        .ok_or_else(|| ValueError::expected("expected a size from 1B to 8MiB such as \"1MiB\""))
}

/// An address for mail.
pub(super) fn email(text: &str) -> Parsed<Box<str>> {
    let good = text.rsplit_once('@').is_some_and(|(user, host)| {
        !user.is_empty()
            && !host.is_empty()
            && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "<>,;".contains(c))
    });
    if !good {
        return Err(ValueError::expected(
            "expected an address such as \"ops@example.org\"",
        ));
    }
    label(text)
}

/// The one of `known` that `word` was probably meant to be.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 40;
    let word: Vec<char> = word.chars().flat_map(char::to_lowercase).collect();
    if word.len() > LONGEST {
        return None;
    }
    let most = |length: usize| 1 + length.min(word.len()) / 4;
    known
        .into_iter()
        .filter(|known| known.len() <= LONGEST)
        // The names of a million sites are compared in a moment: few are of this length.
        .filter(|known| {
            let length = known.chars().count();
            length.abs_diff(word.len()) <= most(length)
        })
        .map(|known| (distance(&word, known), known))
        .filter(|(distance, known)| *distance <= most(known.chars().count()))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// `; did you mean "…"?`, or nothing.
pub(super) fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"))
}

/// The number of characters to insert, drop, change or swap with their neighbour between the two words
/// (optimal string alignment).
fn distance(word: &[char], known: &str) -> usize {
    let known: Vec<char> = known.chars().flat_map(char::to_lowercase).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=known.len()).collect();
    for (i, character) in word.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, other) in known.iter().enumerate() {
            let changed = above[j] + usize::from(character != other);
            let mut best = changed.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *character == known[j - 1] && word[i - 1] == *other {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[known.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_normalised_and_lose_their_fragment() {
        for (text, url) in [
            ("https://Example.ORG", "https://example.org/"),
            ("HTTP://example.org:80/a#b", "http://example.org/a"),
            (
                "https://bücher.example/ä",
                "https://xn--bcher-kva.example/%C3%A4",
            ),
            (" https://u:p@[::1]:8443/ ", "https://u:p@[::1]:8443/"),
        ] {
            assert_eq!(http_url(text).unwrap().expose(), url);
        }
    }

    #[test]
    fn what_is_no_http_url_with_a_host_is_refused() {
        for text in [
            "",
            "example.org",
            "ftp://example.org",
            "http://",
            "http:///path",
            "https:example.org",
            "http://?q",
            "http://a b/",
            "http://h:99999",
            "http://h:0/",
            "http://a\nb/",
            "mailto:a@b",
            "file:///etc/passwd",
            "http://[::1",
            "http://256.256.256.256/",
        ] {
            let fault = http_url(text).unwrap_err();
            let sentence = fault.about(text);
            assert!(
                sentence.starts_with("expected an http or https URL"),
                "{sentence}"
            );
        }
    }

    #[test]
    fn a_refused_url_does_not_show_its_password() {
        for text in ["ftp://u:s3cret@h", "http://u:s3c/ret@h:x", "u:s3cret@h"] {
            let sentence = http_url(text).unwrap_err().about(text);
            assert!(!sentence.contains("s3c"), "{sentence}");
        }
        let long = format!("ftp://u:s3cret{}@h", "x".repeat(200));
        assert!(!quoted(&long).contains("s3cret"));
    }

    #[test]
    fn labels_lose_needless_blanks_and_may_not_move_the_cursor() {
        assert_eq!(&*label("  My   shop ").unwrap(), "My shop");
        for text in ["", "  ", "a\u{1b}[2Jb", "a\nb", "\u{202e}abc"] {
            assert!(label(text).is_err(), "{text:?}");
        }
        assert!(label(&"x".repeat(201)).is_err());
    }

    #[test]
    fn durations_have_their_least() {
        assert!(interval("999ms").is_err() && interval("1s").is_ok());
        assert!(positive_duration("0s").is_err() && positive_duration("1ms").is_ok());
        assert!(duration("0s").is_ok());
        assert_eq!(
            interval("5").unwrap_err().about("5"),
            "expected a duration such as \"30s\" or \"5m\", got \"5\""
        );
    }

    #[test]
    fn ways_to_reach_an_owner_are_checked() {
        assert!(email("ops@example.org").is_ok());
        for text in ["ops", "@b", "a@", "a b@c", "A <a@b>", "a@b\r\nBcc: c@d"] {
            assert!(email(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn user_agents_must_be_header_values() {
        assert_eq!(
            &*header_value("Me/1.0 (+https://x)").unwrap(),
            "Me/1.0 (+https://x)"
        );
        for text in ["", " ", "a\r\nX: y", "ünicode", "a\u{7f}"] {
            assert!(header_value(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn brokers_are_redis_servers() {
        for text in [
            "redis://127.0.0.1:6379/0",
            "rediss://:pw@h/1",
            "redis+socket:///run/r.sock",
            "redis+socket://:pw@/run/r.sock",
        ] {
            assert!(broker_url(text).is_ok(), "{text}");
        }
        for text in ["", "amqp://h", "redis://", "127.0.0.1:6379", "unix:"] {
            assert!(broker_url(text).is_err(), "{text}");
        }
        assert_eq!(
            broker_url("redis://:pw@h/1").unwrap().shown(),
            "redis://:***@h/1"
        );
    }

    #[test]
    fn queues_have_plain_names() {
        for text in ["celery", "checks.eu-1", "a:b_c"] {
            assert!(queue_name(text).is_ok(), "{text}");
        }
        for text in ["", "a b", "a\"", "\u{6}\u{16}3", &"x".repeat(101)] {
            assert!(queue_name(text).is_err(), "{text}");
        }
    }

    #[test]
    fn typing_errors_are_recognised() {
        let known = ["interval", "timeout", "url", "tags"];
        assert_eq!(nearest("intervall", known), Some("interval"));
        assert_eq!(nearest("timoeut", known), Some("timeout"));
        assert_eq!(nearest("URL", known), Some("url"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest(&"x".repeat(10_000), known), None);
    }
}
