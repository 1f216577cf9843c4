//! Takes a body as it is behind any compression: looks for texts, and keeps what is judged as a
//! whole.

use std::io;

use super::body_buffer::BodyBuffer;
use super::text_reader::TextReader;

/// The bytes of a body that are kept to be shown.
pub(super) const KEPT: usize = 1_024;

/// What is done with a body.
pub(super) struct BodyReader<'a> {
    pub(super) texts: TextReader<'a>,
    /// Its beginning.
    pub(super) begun: Vec<u8>,
    /// All of it, if that is judged.
    pub(super) whole: Option<BodyBuffer>,
    pub(super) read: usize,
    /// The most that is read.
    most: usize,
    /// Whether all of it has to be read, whatever stands in it.
    to_the_end: bool,
}

impl<'a> BodyReader<'a> {
    pub(super) const fn new(
        texts: TextReader<'a>,
        most: usize,
        whole: Option<BodyBuffer>,
        to_the_end: bool,
    ) -> Self {
        Self {
            texts,
            begun: Vec::new(),
            whole,
            read: 0,
            most,
            to_the_end,
        }
    }

    pub(super) const fn is_full(&self) -> bool {
        self.read >= self.most
    }

    /// Whether nothing that comes can change what is found.
    pub(super) fn is_decided(&self) -> bool {
        self.texts.is_spoiled() || (!self.to_the_end && self.texts.is_satisfied())
    }
}

impl io::Write for BodyReader<'_> {
    /// Fails once there is nothing more to look for, which ends the uncompressing.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_full() || self.is_decided() {
            return Err(io::ErrorKind::Other.into());
        }
        let some = &bytes[..bytes.len().min(self.most - self.read)];
        self.read += some.len();
        let kept = some.len().min(KEPT - self.begun.len());
        self.begun.extend_from_slice(&some[..kept]);
        if let Some(whole) = &mut self.whole {
            whole.push(some);
        }
        self.texts.take(some);
        Ok(some.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
