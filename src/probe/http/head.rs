//! The head of an answer over HTTP/1 (RFC 9112 sections 2 to 5), read as browsers read it.
//!
//! A value over several lines is one value, blanks before a colon are passed over, and a field
//! whose name or value holds what no field may hold is ignored. What is not HTTP at all stays
//! an error, and so does NUL.

use hyper::StatusCode;

use crate::domain::HeaderAssertion;

use super::exchange_error::ExchangeError;
use super::fields::Fields;

/// A head that was read.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) fields: Fields,
}

/// Looks for the end of a head while it comes.
#[derive(Debug, Default)]
pub(super) struct HeadEnd {
    /// How much of the head has been looked through.
    seen: usize,
    /// Where the line begins that is being looked through.
    line: usize,
    /// Whether a line with something in it has been seen: some servers begin with empty ones.
    begun: bool,
}

impl HeadEnd {
    /// The length of the head with its empty line, if it is complete in `bytes`.
    pub(super) fn find(&mut self, bytes: &[u8]) -> Option<usize> {
        while let Some(at) = memchr::memchr(b'\n', &bytes[self.seen..]) {
            let end = self.seen + at;
            let line = &bytes[self.line..end];
            let empty = matches!(line, [] | [b'\r']);
            self.seen = end + 1;
            self.line = end + 1;
            if empty && self.begun {
                return Some(end + 1);
            }
            self.begun |= !empty;
        }
        self.seen = bytes.len();
        None
    }
}

/// Whether a head may begin with these bytes.
pub(super) fn may_begin_with(bytes: &[u8]) -> bool {
    const BEGINS: &[u8] = b"HTTP/";
    /// The most bytes of empty lines that some servers begin with.
    const MOST_EMPTY: usize = 512;
    let empty = bytes
        .iter()
        .take(MOST_EMPTY)
        .take_while(|byte| matches!(byte, b'\r' | b'\n'));
    let begun = &bytes[empty.count()..];
    begun
        .iter()
        .zip(BEGINS)
        .all(|(byte, wanted)| byte.eq_ignore_ascii_case(wanted))
}

/// Reads a complete head.
pub(super) fn read(bytes: &[u8], assertions: &[HeaderAssertion]) -> Result<Head, ExchangeError> {
    if memchr::memchr(0, bytes).is_some() {
        return Err(ExchangeError::NotHttp);
    }
    let mut lines = Lines(bytes);
    let first = loop {
        match lines.next() {
            Some([]) => {}
            Some(line) => break line,
            None => return Err(ExchangeError::NotHttp),
        }
    };
    let status = status(first).ok_or(ExchangeError::NotHttp)?;
    let mut fields = Fields::default();
    let mut lines = lines.peekable();
    let mut folded = Vec::new();
    while let Some(line) = lines.next() {
        let mut whole = line;
        // A line that begins with a blank continues the one before it (section 5.2).
        while let Some(next) = lines.next_if(|next| matches!(next, [b' ' | b'\t', ..])) {
            if folded.is_empty() {
                folded.extend_from_slice(line);
            }
            folded.push(b' ');
            folded.extend_from_slice(next.trim_ascii());
        }
        if !folded.is_empty() {
            whole = &folded;
        }
        if let Some((name, value)) = field(whole) {
            fields.keep(name, value, assertions);
        }
        folded.clear();
    }
    Ok(Head { status, fields })
}

/// The lines of a head without what ends them, up to the empty one.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.0).unwrap_or(self.0.len());
        let (line, rest) = self.0.split_at(end);
        self.0 = rest.get(1..).unwrap_or_default();
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

/// `HTTP/1.1 200 OK`: version 1 with any minor number, three digits, and any phrase or none. Some
/// call what they send HTTP/2, or write the name in lower case, and are read by everybody.
fn status(line: &[u8]) -> Option<StatusCode> {
    let (name, rest) = line.split_at_checked(b"HTTP/".len())?;
    let rest = match rest {
        [b'1', b'.', minor, rest @ ..] if minor.is_ascii_digit() => rest,
        [b'2', b'.', b'0', rest @ ..] | [b'2', rest @ ..] => rest,
        _ => return None,
    };
    let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
    let (code, phrase) = rest[blanks..].split_at_checked(3)?;
    let ends = matches!(phrase, [] | [b' ' | b'\t', ..]);
    if !name.eq_ignore_ascii_case(b"HTTP/") || blanks == 0 || !ends || code[0] == b'0' {
        return None;
    }
    StatusCode::from_bytes(code).ok()
}

/// The name and the value of a field; `None` for a line that is no field.
fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', line)?;
    let (name, value) = (
        line[..colon].trim_ascii_end(),
        line[colon + 1..].trim_ascii(),
    );
    let control = |byte: &u8| matches!(byte, 0..=8 | 10..=31 | 127);
    let sound = !name.is_empty() && name.iter().all(is_token) && !value.iter().any(control);
    sound.then_some((name, value))
}

/// Whether a byte may stand in a name (RFC 9110 section 5.6.2).
fn is_token(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn location(head: &str) -> Option<Vec<u8>> {
        let head = read(head.as_bytes(), &[]).unwrap();
        head.fields.location().map(<[u8]>::to_vec)
    }

    #[test]
    fn a_folded_value_is_one_value_and_a_spoiled_field_is_none() {
        let folded = "HTTP/1.1 302 Found\r\nX: a;\r\n\tb\r\nLocation:\r\n  /next\r\nY: c\r\n\r\n";
        assert_eq!(location(folded).as_deref(), Some(&b"/next"[..]));
        let blanks = "HTTP/1.1 302 Found\r\nLocation \t: /next \r\n\r\n";
        assert_eq!(location(blanks).as_deref(), Some(&b"/next"[..]));
        let spoiled = "HTTP/1.1 302 Found\nLocation: /a\u{1}b\nLo(ation: /c\nlocation: /d\n\n";
        assert_eq!(location(spoiled).as_deref(), Some(&b"/d"[..]));
        // A continuation of a spoiled field belongs to it.
        let both = "HTTP/1.1 302 Found\r\nX\u{1}: a\r\n Location: /x\r\nLocation: /e\r\n\r\n";
        assert_eq!(location(both).as_deref(), Some(&b"/e"[..]));
    }

    #[test]
    fn what_is_no_status_line_is_not_http() {
        for (line, code) in [
            ("HTTP/1.1 200 OK", Some(200)),
            ("HTTP/1.0 404", Some(404)),
            ("HTTP/1.1  200 OK", Some(200)),
            ("\r\nHTTP/1.1 200 OK", Some(200)),
            ("HTTP/1.1 999 Beyond", Some(999)),
            ("HTTP/1.1 042 Low", None),
            ("HTTP/1.1 20", None),
            ("HTTP/1.1 2000", None),
            ("HTTP/1.1 abc", None),
            ("http/1.1 200 ok", Some(200)),
            ("HTTP/2 200", Some(200)),
            ("HTTP/2.0 200 OK", Some(200)),
            ("HTTP/2.1 200 OK", None),
            ("HTTP/1 200 OK", None),
            ("HTTP/9.9 200 OK", None),
            ("HTTP/1.1200 OK", None),
            ("ICY 200 OK", None),
            ("220 mail ESMTP", None),
        ] {
            let head = format!("{line}\r\nA: b\r\n\r\n");
            let found = read(head.as_bytes(), &[])
                .ok()
                .map(|head| head.status.as_u16());
            assert_eq!(found, code, "{line}");
        }
        assert!(read(b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", &[]).is_err());
    }

    proptest! {
        #[test]
        fn the_end_is_found_however_the_head_is_cut(
            head in "(\r?\n){0,3}[ab: \r]{1,9}(\r?\n[ab: ]{1,9}){0,9}",
            cuts in proptest::collection::vec(1_usize..7, 0..40),
        ) {
            let bytes = [head.as_bytes(), b"\r\n\r\nbody\n\n"].concat();
            let whole = HeadEnd::default().find(&bytes);
            let mut piecewise = HeadEnd::default();
            let mut there = 0;
            let mut found = None;
            for cut in cuts.into_iter().chain([bytes.len()]) {
                there = (there + cut).min(bytes.len());
                found = piecewise.find(&bytes[..there]);
                if found.is_some() {
                    break;
                }
            }
            prop_assert!(whole.is_some());
            prop_assert_eq!(found, whole);
        }

        #[test]
        fn no_bytes_are_too_much_for_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _read = read(&bytes, &[]);
            let _read = read(&[b"HTTP/1.1 200 OK\r\n", &bytes[..]].concat(), &[]);
        }
    }
}
