//! Looks for a text in the bytes of a body, whatever its charset, and however it is cut.

use std::io;

use encoding_rs::{CoderResult, Encoding, UTF_8};
use memchr::memmem::{self, Finder};

/// The most of a body that is searched, uncompressed.
pub(super) const MOST_BYTES: usize = 8 * 1024 * 1024;

/// How far into a body its own word on its charset is looked for (HTML, section 13.2.3.2).
const PRESCAN: usize = 1_024;

/// Takes the bytes of a body as they are behind any compression.
pub(super) struct TextReader<'a> {
    text: &'a str,
    search: Search<'a>,
    charset: Charset,
    pub(super) found: bool,
    pub(super) read: usize,
}

/// What the bytes mean.
enum Charset {
    /// Nobody has said so yet: it is searched as it is, and the beginning of the body is kept.
    Unknown(Vec<u8>),
    /// UTF-8, which is searched as it is.
    Plain,
    Other(Box<encoding_rs::Decoder>),
}

impl<'a> TextReader<'a> {
    pub(super) fn new(text: &'a str, content_type: Option<&[u8]>) -> Self {
        let charset = match content_type.and_then(charset_in) {
            Some(charset) => Charset::of(charset),
            None => Charset::Unknown(Vec::new()),
        };
        Self {
            text,
            search: Search::new(text),
            charset,
            found: false,
            read: 0,
        }
    }

    pub(super) const fn is_full(&self) -> bool {
        self.read >= MOST_BYTES
    }

    /// There is no more: what was kept for its charset is searched by that.
    pub(super) fn finish(&mut self) {
        if let Charset::Unknown(begun) = &mut self.charset {
            let begun = std::mem::take(begun);
            self.decide(&begun);
        }
    }

    fn decide(&mut self, begun: &[u8]) {
        let said = Encoding::for_bom(begun).map(|(charset, _)| charset);
        let said = said.or_else(|| charset_in(&begun[..begun.len().min(PRESCAN)]));
        self.charset = Charset::of(said.unwrap_or(UTF_8));
        if matches!(self.charset, Charset::Other(_)) {
            self.search = Search::new(self.text);
            self.take(begun);
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        match &mut self.charset {
            Charset::Unknown(begun) => {
                self.found |= self.search.found_in(bytes);
                begun.extend_from_slice(bytes);
                if begun.len() >= PRESCAN {
                    let begun = std::mem::take(begun);
                    self.decide(&begun);
                }
            }
            Charset::Plain => self.found |= self.search.found_in(bytes),
            Charset::Other(decoder) => {
                let mut text = [0; 4_096];
                let mut rest = bytes;
                loop {
                    let (result, read, written, _) = decoder.decode_to_utf8(rest, &mut text, false);
                    self.found |= self.search.found_in(&text[..written]);
                    rest = &rest[read..];
                    if result == CoderResult::InputEmpty {
                        break;
                    }
                }
            }
        }
    }
}

impl Charset {
    fn of(charset: &'static Encoding) -> Self {
        if charset == UTF_8 {
            Self::Plain
        } else {
            Self::Other(Box::new(charset.new_decoder()))
        }
    }
}

/// The charset that is named behind `charset=`, in a field or at the beginning of a page.
fn charset_in(text: &[u8]) -> Option<&'static Encoding> {
    let lower = text.to_ascii_lowercase();
    let at = memmem::find(&lower, b"charset=")? + b"charset=".len();
    let rest = lower[at..].trim_ascii_start();
    let rest = rest
        .strip_prefix(b"\"")
        .or_else(|| rest.strip_prefix(b"'"))
        .unwrap_or(rest);
    let end = rest
        .iter()
        .position(|byte| !(byte.is_ascii_alphanumeric() || b"-_:.+".contains(byte)));
    Encoding::for_label(&rest[..end.unwrap_or(rest.len())])
}

impl io::Write for TextReader<'_> {
    /// Fails once there is nothing more to look for, which ends the uncompressing.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.found || self.is_full() {
            return Err(io::ErrorKind::Other.into());
        }
        let some = &bytes[..bytes.len().min(MOST_BYTES - self.read)];
        self.read += some.len();
        self.take(some);
        Ok(some.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A search over pieces that finds what spans two of them.
struct Search<'a> {
    finder: Finder<'a>,
    /// The last bytes seen: one fewer than the text has.
    tail: Vec<u8>,
}

impl<'a> Search<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            finder: Finder::new(text),
            tail: Vec::new(),
        }
    }

    fn found_in(&mut self, piece: &[u8]) -> bool {
        let overlap = self.finder.needle().len().saturating_sub(1);
        // The seam: the tail, and as much of the piece as a text across it can reach.
        let reach = overlap.min(piece.len());
        self.tail.extend_from_slice(&piece[..reach]);
        if self.finder.find(&self.tail).is_some() || self.finder.find(piece).is_some() {
            return true;
        }
        if piece.len() > overlap {
            self.tail.clear();
            self.tail.extend_from_slice(&piece[piece.len() - overlap..]);
        } else {
            let surplus = self.tail.len().saturating_sub(overlap);
            self.tail.drain(..surplus);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_body_is_read_in_the_charset_that_it_or_its_field_names() {
        let found = |content_type: Option<&str>, body: &[u8]| {
            let mut reader = TextReader::new("Eichh\u{f6}rnchen", content_type.map(str::as_bytes));
            for piece in body.chunks(3) {
                if reader.write_all(piece).is_err() {
                    break;
                }
            }
            reader.finish();
            reader.found
        };
        // Before anybody could say more.
        let mut reader = TextReader::new("hay", None);
        reader.write_all(b"hay").unwrap();
        assert!(reader.found);
        let latin = b"<meta charset='iso-8859-1'> Eichh\xf6rnchen";
        assert!(found(None, latin));
        assert!(found(
            Some("text/html; charset=ISO-8859-1"),
            b"Eichh\xf6rnchen"
        ));
        assert!(!found(Some("text/html"), b"Eichh\xf6rnchen"));
        assert!(found(None, "Eichh\u{f6}rnchen".as_bytes()));
        let wide: Vec<u8> = "\u{feff}Eichh\u{f6}rnchen"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert!(found(None, &wide));
        assert!(!found(
            Some("text/html; charset=nonsense"),
            b"Eichh\xf6rnchen"
        ));
    }
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_is_found_however_the_body_is_cut(
            body in "[ab]{0,40}",
            text in "[ab]{1,6}",
            cuts in proptest::collection::vec(1_usize..7, 0..20),
        ) {
            let mut search = Search::new(&text);
            let mut rest = body.as_bytes();
            let mut found = false;
            let mut cuts = cuts.into_iter();
            while !rest.is_empty() {
                let length = cuts.next().unwrap_or(3).min(rest.len());
                let (piece, after) = rest.split_at(length);
                found |= search.found_in(piece);
                rest = after;
            }
            prop_assert_eq!(found, body.contains(&text));
        }
    }
}
