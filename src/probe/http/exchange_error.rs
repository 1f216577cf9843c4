//! Why a request has no answer.

use std::io;

use super::super::path::PathError;

/// Why there is no answer, or no more of it.
#[derive(Debug)]
pub(in super::super) enum ExchangeError {
    /// The URL cannot be asked for.
    Unaskable,
    /// No connection was made.
    Path(PathError),
    /// The connection broke.
    Io(io::Error),
    /// The server closed the connection in the middle.
    Incomplete,
    /// What came is not HTTP.
    NotHttp,
    /// The head is larger than any honest one.
    LargeHead,
    /// The server sends interim answers, or frames that say nothing, without end.
    Endless,
    /// The server switched to another protocol though nobody asked it to (status 101).
    Switched,
    /// The HTTP/2 stream or connection was broken off.
    Http2(h2::Error),
    /// The body is not framed as HTTP demands.
    Framing,
}
