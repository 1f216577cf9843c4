//! Where a body over HTTP/1 ends, and what of it is data (RFC 9112 sections 6 and 7).

use super::exchange_error::ExchangeError;
use super::fields::Field;
use super::head::Head;
use crate::domain::Method;

/// How a body is transferred, and how far it has come.
#[derive(Debug)]
pub(super) enum Transfer {
    /// So many bytes are still to come.
    Length(u64),
    Chunked(Chunk),
    /// Until the server closes the connection.
    UntilClose,
}

/// What comes next in a body of chunks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Chunk {
    /// The length of a chunk, of which so many digits are read.
    Size { size: u64, digits: u8 },
    /// The rest of the line with the length.
    Extension { size: u64 },
    /// So many bytes of data.
    Data(u64),
    /// The end of line behind the data.
    DataEnd,
    /// The last chunk was read. What follows is not of interest.
    Done,
}

impl Transfer {
    /// How the body of an answer to `method` is transferred.
    pub(super) fn of(head: &Head, method: Method) -> Result<Self, ExchangeError> {
        let length = length(head)?;
        let status = head.status.as_u16();
        if method == Method::Head || matches!(status, 100..=199 | 204 | 304) {
            return Ok(Self::Length(0));
        }
        // An encoding overrides the length (section 6.3).
        let mut codings = head.fields.all(Field::TransferEncoding).peekable();
        if codings.peek().is_some() {
            let last = codings.last().unwrap_or_default();
            let last = last.rsplit(|byte| *byte == b',').next().unwrap_or_default();
            return Ok(if last.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                Self::Chunked(Chunk::Size { size: 0, digits: 0 })
            } else {
                Self::UntilClose
            });
        }
        // One that no number holds is no bound.
        let length = length.filter(|length| *length < u64::MAX);
        Ok(length.map_or(Self::UntilClose, Self::Length))
    }

    /// Takes what there is of the body's data out of `read`.
    pub(super) fn take(&mut self, read: &mut Vec<u8>) -> Result<Vec<u8>, ExchangeError> {
        match self {
            Self::UntilClose => Ok(std::mem::take(read)),
            Self::Length(left) => {
                let count = usize::try_from(*left).unwrap_or(usize::MAX).min(read.len());
                *left -= count as u64;
                Ok(read.drain(..count).collect())
            }
            Self::Chunked(chunk) => {
                let data = chunk.take(read);
                read.clear();
                data
            }
        }
    }

    pub(super) const fn is_done(&self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(Chunk::Done))
    }

    pub(super) const fn ends_with_the_connection(&self) -> bool {
        matches!(self, Self::UntilClose)
    }
}

/// What `Content-Length` says. Several that agree are one (RFC 9110 section 8.6).
fn length(head: &Head) -> Result<Option<u64>, ExchangeError> {
    let mut length = None;
    for value in head.fields.all(Field::ContentLength) {
        for one in value.split(|byte| *byte == b',') {
            let one = std::str::from_utf8(one.trim_ascii()).unwrap_or_default();
            let digits = !one.is_empty() && one.bytes().all(|byte| byte.is_ascii_digit());
            if !digits {
                return Err(ExchangeError::NotHttp);
            }
            let one = one.parse().unwrap_or(u64::MAX);
            if length.is_some_and(|length| length != one) {
                return Err(ExchangeError::NotHttp);
            }
            length = Some(one);
        }
    }
    Ok(length)
}

impl Chunk {
    /// The data in `bytes`, which are taken as a whole.
    fn take(&mut self, mut bytes: &[u8]) -> Result<Vec<u8>, ExchangeError> {
        /// The digits of the largest length that is understood.
        const MOST_DIGITS: u8 = 16;
        let mut data = Vec::new();
        while let [byte, rest @ ..] = bytes {
            match *self {
                Self::Size { size, digits } => {
                    let digit = char::from(*byte).to_digit(16);
                    *self = match (digit, byte) {
                        (Some(digit), _) if digits < MOST_DIGITS => Self::Size {
                            size: size << 4 | u64::from(digit),
                            digits: digits + 1,
                        },
                        (None, b';' | b' ' | b'\t' | b'\r') if digits > 0 => {
                            Self::Extension { size }
                        }
                        (None, b'\n') if digits > 0 => Self::after_size(size),
                        _ => return Err(ExchangeError::Framing),
                    };
                    bytes = rest;
                }
                Self::Extension { size } => {
                    if *byte == b'\n' {
                        *self = Self::after_size(size);
                    }
                    bytes = rest;
                }
                Self::Data(left) => {
                    let count = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    data.extend_from_slice(&bytes[..count]);
                    bytes = &bytes[count..];
                    *self = match left - count as u64 {
                        0 => Self::DataEnd,
                        left => Self::Data(left),
                    };
                }
                Self::DataEnd => {
                    *self = match byte {
                        b'\r' => Self::DataEnd,
                        b'\n' => Self::Size { size: 0, digits: 0 },
                        _ => return Err(ExchangeError::Framing),
                    };
                    bytes = rest;
                }
                Self::Done => break,
            }
        }
        Ok(data)
    }

    const fn after_size(size: u64) -> Self {
        match size {
            0 => Self::Done,
            size => Self::Data(size),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::head;
    use super::*;
    use proptest::prelude::*;

    fn transfer(fields: &str) -> Result<Transfer, ExchangeError> {
        let head = format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n");
        Transfer::of(&head::read(head.as_bytes(), &[]).unwrap(), Method::Get)
    }

    #[test]
    fn lengths_that_agree_are_one_and_others_are_an_error() {
        for good in [
            "Content-Length: 5",
            "Content-Length: 5, 5",
            "Content-Length: 5\r\nContent-Length: 5",
        ] {
            assert!(matches!(transfer(good), Ok(Transfer::Length(5))), "{good}");
        }
        for bad in [
            "Content-Length: 5, 6",
            "Content-Length: -5",
            "Content-Length: +5",
            "Content-Length:",
        ] {
            assert!(transfer(bad).is_err(), "{bad}");
        }
        let huge = transfer("Content-Length: 99999999999999999999999");
        assert!(matches!(huge, Ok(Transfer::UntilClose)));
        let both = transfer("Content-Length: 3\r\nTransfer-Encoding: gzip, Chunked");
        assert!(matches!(both, Ok(Transfer::Chunked(_))));
        assert!(matches!(transfer("X: y"), Ok(Transfer::UntilClose)));
    }

    proptest! {
        #[test]
        fn chunks_give_their_data_however_they_are_cut(
            chunks in proptest::collection::vec("[a-z\r\n]{1,20}", 0..6),
            cuts in proptest::collection::vec(1_usize..9, 0..60),
        ) {
            let mut wire = String::new();
            for (index, chunk) in chunks.iter().enumerate() {
                let extension = if index % 2 == 0 { "" } else { " ;a=b" };
                wire.push_str(&format!("{:x}{extension}\r\n{chunk}\r\n", chunk.len()));
            }
            wire.push_str("0\r\nTrailer: x\r\n\r\n");
            let mut transfer = Transfer::Chunked(Chunk::Size { size: 0, digits: 0 });
            let mut rest = wire.as_bytes();
            let mut data = Vec::new();
            for cut in cuts.into_iter().chain([wire.len()]) {
                let (piece, later) = rest.split_at(cut.min(rest.len()));
                rest = later;
                data.extend(transfer.take(&mut piece.to_vec()).unwrap());
            }
            prop_assert!(transfer.is_done());
            prop_assert_eq!(data, chunks.concat().into_bytes());
        }
    }
}
