//! Bodies that come compressed though they were asked for as they are (RFC 9110 section 8.4).

use std::io::{self, Write};

use brotli_decompressor::DecompressorWriter;
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use ruzstd::decoding::FrameDecoder;

use super::body_reader::BodyReader;

/// The most of a zstd frame that it may look back: what browsers take (RFC 9659).
const MOST_WINDOW: u64 = 8 << 20;

/// The most bytes of zstd that are kept for a block to be complete: a block has at most 128 KiB.
const MOST_KEPT: usize = 256 * 1024;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    None,
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    /// The coding that the values of `Content-Encoding` name, and the name of one that is not
    /// known, all of them where there are several: such a body is read as it is, as browsers do.
    pub(super) fn of<'a>(values: impl Iterator<Item = &'a [u8]>) -> (Self, Option<String>) {
        let mut coding = Self::None;
        for value in values {
            for name in String::from_utf8_lossy(value).split(',') {
                let one = match name.trim().to_ascii_lowercase().as_str() {
                    "" | "identity" | "none" | "utf-8" => continue,
                    "gzip" | "x-gzip" => Self::Gzip,
                    "deflate" => Self::Deflate,
                    "br" => Self::Brotli,
                    "zstd" => Self::Zstd,
                    other => return (Self::None, Some(other.to_owned())),
                };
                if coding != Self::None {
                    let both = String::from_utf8_lossy(value).into_owned();
                    return (Self::None, Some(both));
                }
                coding = one;
            }
        }
        (coding, None)
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::None => "identity",
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    /// Whether uncompressing takes megabytes.
    pub(super) const fn needs_room(self) -> bool {
        matches!(self, Self::Brotli | Self::Zstd)
    }
}

/// Uncompresses a body piece by piece into its reader.
pub(super) enum Decoder<'a> {
    None(BodyReader<'a>),
    Gzip(Box<MultiGzDecoder<BodyReader<'a>>>),
    /// Which of two formats it is shows in its first byte.
    DeflateUnknown(Option<BodyReader<'a>>),
    Zlib(Box<ZlibDecoder<BodyReader<'a>>>),
    Deflate(Box<DeflateDecoder<BodyReader<'a>>>),
    Brotli(Box<DecompressorWriter<BodyReader<'a>>>),
    Zstd(Box<Zstd<'a>>),
}

pub(super) struct Zstd<'a> {
    frame: FrameDecoder,
    begun: bool,
    kept: Vec<u8>,
    reader: BodyReader<'a>,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(coding: Coding, reader: BodyReader<'a>) -> Self {
        match coding {
            Coding::None => Self::None(reader),
            Coding::Gzip => Self::Gzip(Box::new(MultiGzDecoder::new(reader))),
            Coding::Deflate => Self::DeflateUnknown(Some(reader)),
            Coding::Brotli => Self::Brotli(Box::new(DecompressorWriter::new(reader, 4_096))),
            Coding::Zstd => Self::Zstd(Box::new(Zstd {
                frame: FrameDecoder::new(),
                begun: false,
                kept: Vec::new(),
                reader,
            })),
        }
    }

    /// Takes the next piece. Fails where it is damaged, and where the reader wants no more.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Self::DeflateUnknown(reader) = self
            && let Some(first) = bytes.first()
            && let Some(reader) = reader.take()
        {
            // "deflate" means the zlib format (RFC 1950), and some servers send it bare.
            *self = if first & 0x0f == 8 {
                Self::Zlib(Box::new(ZlibDecoder::new(reader)))
            } else {
                Self::Deflate(Box::new(DeflateDecoder::new(reader)))
            };
        }
        match self {
            Self::None(reader) => reader.write_all(bytes),
            Self::Gzip(decoder) => decoder.write_all(bytes),
            Self::DeflateUnknown(_) => Ok(()),
            Self::Zlib(decoder) => decoder.write_all(bytes),
            Self::Deflate(decoder) => decoder.write_all(bytes),
            Self::Brotli(decoder) => decoder.write_all(bytes),
            Self::Zstd(zstd) => zstd.write(bytes),
        }
    }

    /// What takes the body; `None` once it is lost, which never is.
    pub(super) fn reader(&mut self) -> Option<&mut BodyReader<'a>> {
        match self {
            Self::None(reader) => Some(reader),
            Self::Gzip(decoder) => Some(decoder.get_mut()),
            Self::DeflateUnknown(reader) => reader.as_mut(),
            Self::Zlib(decoder) => Some(decoder.get_mut()),
            Self::Deflate(decoder) => Some(decoder.get_mut()),
            Self::Brotli(decoder) => Some(decoder.get_mut()),
            Self::Zstd(zstd) => Some(&mut zstd.reader),
        }
    }

    /// There is no more: what is still inside comes out. Whether the body was damaged.
    pub(super) fn finish(&mut self) -> bool {
        let ended = match self {
            Self::None(_) | Self::DeflateUnknown(_) => Ok(()),
            Self::Gzip(decoder) => decoder.try_finish(),
            Self::Zlib(decoder) => decoder.try_finish(),
            Self::Deflate(decoder) => decoder.try_finish(),
            Self::Brotli(decoder) => decoder.close(),
            Self::Zstd(zstd) if zstd.is_whole() => Ok(()),
            Self::Zstd(_) => Err(io::ErrorKind::UnexpectedEof.into()),
        };
        let Some(reader) = self.reader() else {
            return true;
        };
        reader.texts.finish();
        // A reader that wants no more breaks it off as well.
        ended.is_err() && !reader.is_decided() && !reader.is_full()
    }
}

impl Zstd<'_> {
    /// Whether the frame came to its end.
    fn is_whole(&self) -> bool {
        self.kept.is_empty() && (!self.begun || self.frame.is_finished())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.kept.extend_from_slice(bytes);
        let mut text = vec![0; 64 * 1024];
        while self.begun || self.begin()? {
            let (read, written) = self
                .frame
                .decode_from_to(&self.kept, &mut text)
                .map_err(|_| io::ErrorKind::InvalidData)?;
            self.kept.drain(..read);
            self.reader.write_all(&text[..written])?;
            if read == 0 && written == 0 {
                if !self.frame.is_finished() || self.kept.is_empty() {
                    break;
                }
                // Another frame follows.
                self.begun = false;
            }
        }
        if self.kept.len() > MOST_KEPT {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(())
    }

    /// Begins a frame; `false` while its head is not complete.
    fn begin(&mut self) -> io::Result<bool> {
        let Some(window) = window(&self.kept)? else {
            return Ok(false);
        };
        if window > MOST_WINDOW {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut rest = &self.kept[..];
        self.frame
            .init(&mut rest)
            .map_err(|_| io::ErrorKind::InvalidData)?;
        let used = self.kept.len() - rest.len();
        self.kept.drain(..used);
        self.begun = true;
        Ok(true)
    }
}

/// How far a zstd frame looks back, in bytes (RFC 8878 section 3.1.1.1); `None` while its head
/// is not complete.
fn window(bytes: &[u8]) -> io::Result<Option<u64>> {
    const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    /// The longest head of a frame.
    const MOST_HEAD: usize = 18;
    let begun = bytes
        .iter()
        .zip(MAGIC)
        .all(|(byte, wanted)| *byte == wanted);
    if !begun {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let [_, _, _, _, descriptor, next, ..] = bytes else {
        return Ok(None);
    };
    let single = descriptor & 0x20 != 0;
    if !single {
        let base = 1_u64 << (10 + (next >> 3));
        let window = base + base / 8 * u64::from(next & 7);
        return Ok((bytes.len() >= MOST_HEAD).then_some(window));
    }
    // One segment: the window is the size of the content.
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let size = [1, 2, 4, 8][usize::from(descriptor >> 6)];
    let Some(field) = bytes.get(5 + dictionary..5 + dictionary + size) else {
        return Ok(None);
    };
    let number = field
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte));
    Ok(Some(if size == 2 { number + 256 } else { number }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codings_are_known_by_their_names_and_one_at_most() {
        let of = |value: &str| Coding::of([value.as_bytes()].into_iter());
        let unknown = |name: &str| (Coding::None, Some(name.to_owned()));
        assert_eq!(of("x-gzip"), (Coding::Gzip, None));
        assert_eq!(of("identity, BR"), (Coding::Brotli, None));
        assert_eq!(of("gzip, gzip"), unknown("gzip, gzip"));
        assert_eq!(of("compress"), unknown("compress"));
    }

    #[test]
    fn a_frame_that_looks_back_too_far_is_known_by_its_head() {
        let head = |descriptor: u8, rest: &[u8]| {
            let mut bytes = vec![0x28, 0xb5, 0x2f, 0xfd, descriptor];
            bytes.extend_from_slice(rest);
            bytes.resize(18, 0);
            bytes
        };
        assert_eq!(window(&head(0, &[0x68])).unwrap(), Some(8 << 20));
        assert_eq!(
            window(&head(0, &[0xff])).unwrap(),
            Some((1 << 41) + (1 << 38) * 7)
        );
        assert_eq!(window(&head(0x20, &[5])).unwrap(), Some(5));
        assert_eq!(window(&head(0xe0, &[0xff; 8])).unwrap(), Some(u64::MAX));
        assert_eq!(window(&[0x28, 0xb5]).unwrap(), None);
        assert!(window(b"nonsense").is_err());
    }
}
