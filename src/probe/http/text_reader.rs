//! Looks for texts in the bytes of a body, whatever its charset, and however it is cut.

use std::borrow::Cow;

use encoding_rs::{CoderResult, Encoding, UTF_8, WINDOWS_1252};
use memchr::memmem::{self, Finder};

/// How far into a body its own word on its charset is looked for (HTML, section 13.2.3.2).
const PRESCAN: usize = 1_024;

/// The most bytes that are kept of what stands where a text was found.
const MOST_CONTEXT: usize = 800;

/// A text to look for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sought<'a> {
    pub(super) text: &'a str,
    /// Whether it must be there; else it must not.
    pub(super) wanted: bool,
}

/// Takes the bytes of a body as they are behind any compression.
///
/// They are searched as UTF-8 whatever is said of them, for many a page is UTF-8 that its server
/// calls something else; and once more as what is said of them.
pub(super) struct TextReader<'a> {
    sought: Vec<Sought<'a>>,
    plain: Searches<'a>,
    charset: Charset<'a>,
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
    searches: Searches<'a>,
}

struct Undeclared<'a> {
    latin: Decoded<'a>,
    utf8: encoding_rs::Decoder,
    is_utf8: bool,
}

impl<'a> TextReader<'a> {
    pub(super) fn new(sought: Vec<Sought<'a>>, content_type: Option<&[u8]>) -> Self {
        let charset = match said_in(content_type) {
            Some(charset) => Charset::of(charset, &sought),
            None => Charset::Unknown(Vec::new()),
        };
        Self {
            plain: Searches::new(&sought),
            sought,
            charset,
        }
    }

    /// There is no more: what was kept for its charset is searched by that.
    pub(super) fn finish(&mut self) {
        if let Charset::Unknown(begun) = &mut self.charset {
            let begun = std::mem::take(begun);
            self.decide(&begun);
        }
    }

    fn decide(&mut self, begun: &[u8]) {
        self.charset = match said_by(begun) {
            Some(charset) => Charset::of(charset, &self.sought),
            // All charsets that are taken for granted have these characters in the same place.
            None if self.sought.iter().all(|sought| sought.text.is_ascii()) => Charset::Plain,
            None => Charset::Undeclared(Box::new(Undeclared {
                latin: Decoded::new(WINDOWS_1252, &self.sought),
                utf8: UTF_8.new_decoder(),
                is_utf8: true,
            })),
        };
        self.take_as_said(begun);
    }

    pub(super) fn take(&mut self, bytes: &[u8]) {
        if self.sought.is_empty() {
            return;
        }
        self.plain.take(bytes);
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
            Charset::Other(decoded) => decoded.take(bytes),
            Charset::Undeclared(undeclared) => {
                undeclared.latin.take(bytes);
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

    /// Where the text of that place was found; what a charset says that nobody has named counts
    /// only once all is there.
    fn found(&self, place: usize, at_the_end: bool) -> Option<&Found> {
        let as_said = match &self.charset {
            Charset::Other(decoded) => decoded.searches.found(place),
            Charset::Undeclared(undeclared) if at_the_end && !undeclared.is_utf8 => {
                undeclared.latin.searches.found(place)
            }
            _ => None,
        };
        self.plain.found(place).or(as_said)
    }

    /// Whether a text that must not be there was found, whatever comes.
    pub(super) fn is_spoiled(&self) -> bool {
        let mut all = self.sought.iter().enumerate();
        all.any(|(place, sought)| !sought.wanted && self.found(place, false).is_some())
    }

    /// Whether all texts were found that must be there, and none can spoil that.
    pub(super) fn is_satisfied(&self) -> bool {
        let mut all = self.sought.iter().enumerate();
        all.all(|(place, sought)| sought.wanted && self.found(place, false).is_some())
    }

    /// A text that must not be there and is, and where; asked at the end.
    pub(super) fn unwanted(&self) -> Option<(&'a str, &Found)> {
        let mut all = self.sought.iter().enumerate();
        all.find_map(|(place, sought)| {
            let found = self.found(place, true).filter(|_| !sought.wanted)?;
            Some((sought.text, found))
        })
    }

    /// A text that must be there and is not; asked at the end.
    pub(super) fn missing(&self) -> Option<&'a str> {
        let mut all = self.sought.iter().enumerate();
        let missing =
            all.find(|(place, sought)| sought.wanted && self.found(*place, true).is_none());
        missing.map(|(_, sought)| sought.text)
    }
}

impl<'a> Charset<'a> {
    fn of(charset: &'static Encoding, sought: &[Sought<'a>]) -> Self {
        if charset == UTF_8 {
            Self::Plain
        } else {
            Self::Other(Box::new(Decoded::new(charset, sought)))
        }
    }
}

impl<'a> Decoded<'a> {
    fn new(charset: &'static Encoding, sought: &[Sought<'a>]) -> Self {
        Self {
            decoder: charset.new_decoder(),
            searches: Searches::new(sought),
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        let searches = &mut self.searches;
        decode(&mut self.decoder, bytes, |text, _| searches.take(text));
    }
}

/// The charset that the field `Content-Type` names.
fn said_in(content_type: Option<&[u8]>) -> Option<&'static Encoding> {
    content_type.and_then(|field| named_behind(b"charset", field))
}

/// The charset that a body names itself at its beginning.
fn said_by(begun: &[u8]) -> Option<&'static Encoding> {
    let said = Encoding::for_bom(begun).map(|(charset, _)| charset);
    said.or_else(|| said_within(&begun[..begun.len().min(PRESCAN)]))
}

/// The texts that a whole body may mean: as UTF-8, if it is that, and as what is said of it.
pub(super) fn meanings<'b>(body: &'b [u8], content_type: Option<&[u8]>) -> Vec<Cow<'b, str>> {
    let said = said_in(content_type).or_else(|| said_by(body));
    let plain = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let plain = std::str::from_utf8(plain).ok();
    let other = match said {
        Some(charset) if charset != UTF_8 => Some(charset),
        _ if plain.is_none() => Some(if said.is_some() { UTF_8 } else { WINDOWS_1252 }),
        _ => None,
    };
    let plain = plain.map(Cow::Borrowed);
    let other = other.map(|charset| charset.decode(body).0);
    plain.into_iter().chain(other).collect()
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

/// Searches for several texts over the same pieces.
struct Searches<'a> {
    all: Vec<Search<'a>>,
    /// How many bytes there were.
    passed: usize,
}

/// Where a text was found.
#[derive(Debug)]
pub(super) struct Found {
    /// The bytes before it.
    pub(super) at: usize,
    /// What stands there, as far as it had come.
    pub(super) context: Box<[u8]>,
}

impl<'a> Searches<'a> {
    fn new(sought: &[Sought<'a>]) -> Self {
        let all = sought.iter().map(|sought| Search::new(sought.text));
        Self {
            all: all.collect(),
            passed: 0,
        }
    }

    fn take(&mut self, piece: &[u8]) {
        for search in &mut self.all {
            search.take(piece, self.passed);
        }
        self.passed += piece.len();
    }

    fn found(&self, place: usize) -> Option<&Found> {
        self.all[place].found.as_ref()
    }
}

/// A search over pieces that finds what spans two of them.
struct Search<'a> {
    finder: Finder<'a>,
    /// The last bytes seen: one fewer than the text has.
    tail: Vec<u8>,
    found: Option<Found>,
}

impl<'a> Search<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            finder: Finder::new(text),
            tail: Vec::new(),
            found: None,
        }
    }

    /// Takes the piece behind the bytes that have passed.
    fn take(&mut self, piece: &[u8], passed: usize) {
        if self.found.is_some() {
            return;
        }
        let overlap = self.finder.needle().len().saturating_sub(1);
        // The seam: the tail, and as much of the piece as a text across it can reach.
        let reach = overlap.min(piece.len());
        let before = self.tail.len();
        self.tail.extend_from_slice(&piece[..reach]);
        let in_seam = self.finder.find(&self.tail).map(|at| {
            let context = self.tail[at..].iter().chain(&piece[reach..]);
            Found {
                at: passed - before + at,
                context: context.take(MOST_CONTEXT).copied().collect(),
            }
        });
        self.found = in_seam.or_else(|| {
            self.finder.find(piece).map(|at| Found {
                at: passed + at,
                context: piece[at..].iter().take(MOST_CONTEXT).copied().collect(),
            })
        });
        if piece.len() > overlap {
            self.tail.clear();
            self.tail.extend_from_slice(&piece[piece.len() - overlap..]);
        } else {
            let surplus = self.tail.len().saturating_sub(overlap);
            self.tail.drain(..surplus);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_read_in_the_charset_that_it_or_its_field_names() {
        let found = |content_type: Option<&str>, body: &[u8]| {
            let sought = Sought {
                text: "Eichh\u{f6}rnchen",
                wanted: true,
            };
            let mut reader = TextReader::new(vec![sought], content_type.map(str::as_bytes));
            for piece in body.chunks(3) {
                if reader.is_satisfied() {
                    break;
                }
                reader.take(piece);
            }
            reader.finish();
            reader.missing().is_none()
        };
        // Before anybody could say more.
        let hay = Sought {
            text: "hay",
            wanted: true,
        };
        let mut reader = TextReader::new(vec![hay], None);
        reader.take(b"hay");
        assert!(reader.is_satisfied());
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
            let mut passed = 0;
            let mut cuts = cuts.into_iter();
            while !rest.is_empty() {
                let length = cuts.next().unwrap_or(3).min(rest.len());
                let (piece, after) = rest.split_at(length);
                search.take(piece, passed);
                passed += length;
                rest = after;
            }
            prop_assert_eq!(search.found.map(|found| found.at), body.find(&text));
        }
    }
}
