//! A table for people: in ASCII where the locale has no other characters.

use std::io::{self, Write};

use crate::domain::is_utf8_locale;

/// Writes text as it is, or in ASCII where the locale is not UTF-8.
#[derive(Debug)]
pub(super) struct TableOutput<W> {
    out: W,
    ascii: bool,
}

impl<W: Write> TableOutput<W> {
    /// Goes by the locale of this process.
    pub(super) fn new(out: W) -> Self {
        let ascii = !is_utf8_locale(|name| std::env::var_os(name));
        Self { out, ascii }
    }

    /// Writes what is for programs, as it is.
    pub(super) const fn unchanged(out: W) -> Self {
        Self { out, ascii: false }
    }
}

impl<W: Write> Write for TableOutput<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.ascii {
            let text = String::from_utf8_lossy(bytes);
            self.out.write_all(in_ascii(&text).as_bytes())?;
        } else {
            self.out.write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The glyphs of tables as characters like them, all others as `?`.
fn in_ascii(text: &str) -> String {
    let plain = text.chars().map(|character| match character {
        '█' => '#',
        '│' => '|',
        '÷' => '/',
        '…' => '~',
        other if other.is_ascii() => other,
        _ => '?',
    });
    plain.collect()
}
