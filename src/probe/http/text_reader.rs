//! Looks for a text in the bytes of a body, whatever its charset, and however it is cut.

use std::io;

use encoding_rs::{CoderResult, Encoding, UTF_8, WINDOWS_1252};
use memchr::memmem::{self, Finder};

/// The most of a body that is searched, uncompressed.
pub(super) const MOST_BYTES: usize = 8 * 1024 * 1024;

/// How far into a body its own word on its charset is looked for (HTML, section 13.2.3.2).
const PRESCAN: usize = 1_024;

/// Takes the bytes of a body as they are behind any compression.
///
/// They are searched as UTF-8 whatever is said of them, for many a page is UTF-8 that its server
/// calls something else; and once more as what is said of them.
pub(super) struct TextReader<'a> {
    text: &'a str,
    plain: Search<'a>,
    charset: Charset<'a>,
    pub(super) found: bool,
    pub(super) read: usize,
}

/// What the bytes mean.
enum Charset<'a> {
    /// Nobody has said so yet: the beginning of the body is kept.
    Unknown(Vec<u8>),
    /// UTF-8.
    Plain,
    Other(Box<Decoded<'a>>),
    /// Nobody has said so at all: it is windows-1252 if it is no UTF-8 (HTML, section 13.2.3.2).
    Undeclared(Box<Undeclared<'a>>),
}

/// A search in what the bytes mean in another charset.
struct Decoded<'a> {
    decoder: encoding_rs::Decoder,
    search: Search<'a>,
}

struct Undeclared<'a> {
    latin: Decoded<'a>,
    found: bool,
    utf8: encoding_rs::Decoder,
    is_utf8: bool,
}

impl<'a> TextReader<'a> {
    pub(super) fn new(text: &'a str, content_type: Option<&[u8]>) -> Self {
        let said = content_type.and_then(|field| named_behind(b"charset", field));
        Self {
            text,
            plain: Search::new(text),
            charset: match said {
                Some(charset) => Charset::of(charset, text),
                None => Charset::Unknown(Vec::new()),
            },
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
        if let Charset::Undeclared(undeclared) = &self.charset {
            self.found |= undeclared.found && !undeclared.is_utf8;
        }
    }

    fn decide(&mut self, begun: &[u8]) {
        let said = Encoding::for_bom(begun).map(|(charset, _)| charset);
        let said = said.or_else(|| said_within(&begun[..begun.len().min(PRESCAN)]));
        self.charset = match said {
            Some(charset) => Charset::of(charset, self.text),
            // All charsets that are taken for granted have these characters in the same place.
            None if self.text.is_ascii() => Charset::Plain,
            None => Charset::Undeclared(Box::new(Undeclared {
                latin: Decoded::new(WINDOWS_1252, self.text),
                found: false,
                utf8: UTF_8.new_decoder(),
                is_utf8: true,
            })),
        };
        self.take_as_said(begun);
    }

    fn take(&mut self, bytes: &[u8]) {
        self.found |= self.plain.found_in(bytes);
        if let Charset::Unknown(begun) = &mut self.charset {
            begun.extend_from_slice(bytes);
            if begun.len() >= PRESCAN {
                let begun = std::mem::take(begun);
                self.decide(&begun);
            }
        } else {
            self.take_as_said(bytes);
        }
    }

    fn take_as_said(&mut self, bytes: &[u8]) {
        match &mut self.charset {
            Charset::Unknown(_) | Charset::Plain => {}
            Charset::Other(decoded) => self.found |= decoded.found_in(bytes),
            Charset::Undeclared(undeclared) => {
                undeclared.found |= undeclared.latin.found_in(bytes);
                let mut is_utf8 = undeclared.is_utf8;
                if is_utf8 {
                    decode(&mut undeclared.utf8, bytes, |_, malformed| {
                        is_utf8 &= !malformed;
                    });
                    undeclared.is_utf8 = is_utf8;
                }
            }
        }
    }
}

impl<'a> Charset<'a> {
    fn of(charset: &'static Encoding, text: &'a str) -> Self {
        if charset == UTF_8 {
            Self::Plain
        } else {
            Self::Other(Box::new(Decoded::new(charset, text)))
        }
    }
}

impl<'a> Decoded<'a> {
    fn new(charset: &'static Encoding, text: &'a str) -> Self {
        Self {
            decoder: charset.new_decoder(),
            search: Search::new(text),
        }
    }

    fn found_in(&mut self, bytes: &[u8]) -> bool {
        let (search, mut found) = (&mut self.search, false);
        decode(&mut self.decoder, bytes, |text, _| {
            found |= search.found_in(text);
        });
        found
    }
}

/// Gives the text of `bytes` piece by piece, and whether some of them meant nothing.
fn decode(decoder: &mut encoding_rs::Decoder, bytes: &[u8], mut give: impl FnMut(&[u8], bool)) {
    let mut text = [0; 4_096];
    let mut rest = bytes;
    loop {
        let (result, read, written, malformed) = decoder.decode_to_utf8(rest, &mut text, false);
        give(&text[..written], malformed);
        rest = &rest[read..];
        if result == CoderResult::InputEmpty {
            break;
        }
    }
}

/// The charset that the beginning of a page names itself, of HTML or of XML.
fn said_within(begun: &[u8]) -> Option<&'static Encoding> {
    let declared = begun.trim_ascii_start();
    if let Some(rest) = declared.strip_prefix(b"<?xml") {
        let end = memmem::find(rest, b"?>").unwrap_or(0);
        if let Some(charset) = named_behind(b"encoding", &rest[..end]) {
            return Some(charset);
        }
    }
    named_behind(b"charset", begun)
}

/// The charset that is named behind this word and `=`, in a field or at the beginning of a page.
fn named_behind(word: &[u8], text: &[u8]) -> Option<&'static Encoding> {
    let lower = text.to_ascii_lowercase();
    let places = memmem::find_iter(&lower, word);
    let mut values = places.filter_map(|at| {
        let rest = lower[at + word.len()..].trim_ascii_start();
        let rest = rest.strip_prefix(b"=")?.trim_ascii_start();
        let rest = rest
            .strip_prefix(b"\"")
            .or_else(|| rest.strip_prefix(b"'"))
            .unwrap_or(rest);
        let end = rest
            .iter()
            .position(|byte| !(byte.is_ascii_alphanumeric() || b"-_:.+".contains(byte)));
        Some(&rest[..end.unwrap_or(rest.len())])
    });
    values.next().and_then(Encoding::for_label)
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
        // Nobody says anything, and it is no UTF-8; or it is.
        assert!(found(Some("text/html"), b"Eichh\xf6rnchen"));
        assert!(!found(None, "\u{20ac} Eichh\u{c3}\u{b6}rnchen".as_bytes()));
        // What is said is wrong.
        let field = Some("text/html; charset = 'iso-8859-1'");
        assert!(found(field, "Eichh\u{f6}rnchen".as_bytes()));
        assert!(found(field, b"Eichh\xf6rnchen"));
        let xml = b"<?xml version='1.0' encoding='iso-8859-2'?><a>Eichh\xf6rnchen</a>";
        assert!(found(None, xml));
        assert!(found(None, "Eichh\u{f6}rnchen".as_bytes()));
        let wide: Vec<u8> = "\u{feff}Eichh\u{f6}rnchen"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert!(found(None, &wide));
        assert!(!found(Some("text/html; charset=utf-8"), b"Eichh\xf6rnchen"));
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
