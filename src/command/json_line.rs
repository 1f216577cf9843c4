//! One object of JSON on a line, its fields in the order in which they are written: straight into
//! a buffer, because a sweep writes thousands a second.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::time::Duration;

/// A JSON object that is being written, for one line of output.
#[derive(Debug)]
pub(super) struct JsonLine(String);

impl JsonLine {
    /// A line with its opening brace.
    pub(super) fn new() -> Self {
        let mut line = String::with_capacity(512);
        line.push('{');
        Self(line)
    }

    /// The name of a field, which is plain.
    fn name(&mut self, name: &str) {
        if !self.0.ends_with('{') {
            self.0.push(',');
        }
        self.0.push('"');
        self.0.push_str(name);
        self.0.push_str("\":");
    }

    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        let plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
        if text.bytes().all(plain) {
            self.0.push('"');
            self.0.push_str(text);
            self.0.push('"');
        } else {
            // A text can always be serialized.
            let json = serde_json::to_string(text).unwrap_or_default();
            self.0.push_str(&escape(&json));
        }
    }

    /// Adds a text, or `null` where there is none.
    pub(super) fn text_or_null(&mut self, name: &str, text: Option<&str>) {
        match text {
            Some(text) => self.text(name, text),
            None => self.null(name),
        }
    }

    /// A number as it is displayed, which must be JSON.
    pub(super) fn number(&mut self, name: &str, number: impl Display) {
        self.name(name);
        let _never = write!(self.0, "{number}");
    }

    /// A duration in milliseconds, to the microsecond, or `null`.
    pub(super) fn millis(&mut self, name: &str, duration: Option<Duration>) {
        let Some(duration) = duration else {
            return self.null(name);
        };
        let micros = duration.as_micros();
        self.number(name, micros / 1_000);
        let behind_point = micros % 1_000;
        let digits = match behind_point {
            _ if behind_point % 100 == 0 => 1,
            _ if behind_point % 10 == 0 => 2,
            _ => 3,
        };
        let number = behind_point / [100, 10, 1][digits - 1];
        let _never = write!(self.0, ".{number:0digits$}");
    }

    pub(super) fn null(&mut self, name: &str) {
        self.name(name);
        self.0.push_str("null");
    }

    /// Begins an object inside.
    pub(super) fn open(&mut self, name: &str) {
        self.name(name);
        self.0.push('{');
    }

    /// Closes the object.
    pub(super) fn close(&mut self) {
        self.0.push('}');
    }

    /// The line with its closing brace, without a newline.
    pub(super) fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// Escapes characters that act on a terminal and that JSON allows: DEL, C1, bidirectional
/// controls.
pub(super) fn escape(json: &str) -> Cow<'_, str> {
    // Nearly every line is plain.
    let plain = |byte: u8| matches!(byte, b' '..=b'~');
    if json.bytes().all(plain) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if crate::domain::is_unsafe(c) {
            // All of them are in the basic plane, where one escape is enough.
            out.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_that_a_terminal_acts_on_passes() {
        let json = serde_json::to_string("a\u{7f}\u{9b}\u{202e}b\n").unwrap();
        let escaped = escape(&json);
        assert_eq!(escaped, "\"a\\u007f\\u009b\\u202eb\\n\"");
        let back: String = serde_json::from_str(&escaped).unwrap();
        assert_eq!(back, "a\u{7f}\u{9b}\u{202e}b\n");
    }

    proptest! {
        #[test]
        fn every_field_is_what_the_library_writes(
            text in any::<String>(),
            micros in prop_oneof![0_u64..20_000, 0_u64..1_u64 << 52],
            number in any::<u32>(),
        ) {
            let mut line = JsonLine::new();
            line.text("text", &text);
            line.open("in");
            line.millis("time", Some(Duration::from_micros(micros)));
            line.close();
            line.millis("none", None);
            line.number("number", number);
            let library = serde_json::to_string(&serde_json::json!({"a": text})).unwrap();
            let text = &library[5..library.len() - 1];
            let millis = serde_json::to_string(&(micros as f64 / 1e3)).unwrap();
            let whole = format!(
                r#"{{"text":{},"in":{{"time":{millis}}},"none":null,"number":{number}}}"#,
                escape(text),
            );
            prop_assert_eq!(line.finish(), whole);
        }
    }
}
