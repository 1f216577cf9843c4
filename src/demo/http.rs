//! The little of HTTP/1.1 that the demo sites speak: one request a connection, then closed.
//!
//! Written by hand, because half of the table is about answers that a proper server
//! library refuses to give, and because ten thousand waiting connections must stay small.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The longest head of a request that is read, in bytes.
const MOST_HEAD: usize = 16 * 1024;

/// The longest body that is read, in bytes: a message to an owner has less.
const MOST_BODY: usize = 1 << 20;

/// How long a connection may take to send its request, and how long one that gets no
/// answer is held.
pub(super) const CONNECTION_TIMEOUT: Duration = Duration::from_secs(60);

/// An answer before it is written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) location: Option<&'static str>,
    pub(super) body: String,
}

/// The first line of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// Whether only the head of the answer is wanted.
    pub(super) head: bool,
    /// The path, its query included.
    pub(super) path: String,
    /// Bytes of its body that were not read with its head.
    pub(super) unread: usize,
}

impl Request {
    /// Reads the request line of a head; `None` if it is none.
    pub(super) fn parse(head: &[u8]) -> Option<Self> {
        let line = head.split(|byte| *byte == b'\r').next()?;
        let end = head.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let mut words = std::str::from_utf8(line).ok()?.split(' ');
        let (method, path, version) = (words.next()?, words.next()?, words.next()?);
        version.starts_with("HTTP/1.").then(|| Self {
            head: method == "HEAD",
            path: path.to_owned(),
            unread: body_length(&head[..end]).saturating_sub(head.len() - end),
        })
    }
}

/// The value of Content-Length; 0 without one.
fn body_length(head: &[u8]) -> usize {
    let lines = head.split(|byte| *byte == b'\n').skip(1);
    let fields = lines.filter_map(|line| std::str::from_utf8(line).ok()?.split_once(':'));
    let mut lengths = fields.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    lengths
        .next()
        .and_then(|(_, length)| length.trim().parse().ok())
        .unwrap_or(0)
}

/// Reads a body, of which nothing is kept. A connection that is closed before would be reset,
/// and the answer lost.
///
/// # Errors
/// The connection's own, and `InvalidData` for a body of more than [`MOST_BODY`].
pub(super) async fn skip_body(
    stream: &mut (impl AsyncRead + Unpin),
    length: usize,
) -> io::Result<()> {
    if length > MOST_BODY {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut body = stream.take(length as u64);
    tokio::io::copy(&mut body, &mut tokio::io::sink()).await?;
    Ok(())
}

/// Reads up to the blank line that ends the head of a request; `None` if the connection
/// ends first.
///
/// # Errors
/// The connection's own, and `InvalidData` for a head without an end.
pub(super) async fn read_head(
    stream: &mut (impl AsyncRead + Unpin),
) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::with_capacity(512);
    loop {
        let seen = head.len();
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(None);
        }
        // The end may straddle two reads.
        let from = seen.saturating_sub(3);
        if head[from..].windows(4).any(|four| four == b"\r\n\r\n") {
            return Ok(Some(head));
        }
        if head.len() >= MOST_HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
}

/// The bytes of an answer, its body left out where only the head is wanted.
pub(super) fn render(response: &Response, head_only: bool) -> Vec<u8> {
    let location = response
        .location
        .map(|path| format!("Location: {path}\r\n"))
        .unwrap_or_default();
    let allow = if response.status == 405 {
        "Allow: GET\r\n"
    } else {
        ""
    };
    let mut bytes = format!(
        "HTTP/1.1 {} {}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\
         {location}{allow}Connection: close\r\n\r\n",
        response.status,
        phrase(response.status),
        response.body.len(),
    );
    if !head_only {
        bytes.push_str(&response.body);
    }
    bytes.into_bytes()
}

/// The reason phrases of RFC 9110 for the statuses that the table uses.
const fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        302 => "Found",
        404 => "Not Found",
        405 => "Method Not Allowed",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Status",
    }
}

/// Sends the beginning of an answer and then a header that never ends.
///
/// # Errors
/// The connection's own: the client went away.
pub(super) async fn drip(stream: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    const PAUSE: Duration = Duration::from_millis(200);
    stream.write_all(b"HTTP/1.1 200 OK\r\nX-Drip: ").await?;
    stream.flush().await?;
    let drops = CONNECTION_TIMEOUT.as_millis() / PAUSE.as_millis();
    for _ in 0..drops {
        tokio::time::sleep(PAUSE).await;
        stream.write_all(b".").await?;
        stream.flush().await?;
    }
    Ok(())
}

/// Says nothing until the client leaves or patience ends.
pub(super) async fn hang(stream: &mut (impl AsyncRead + Unpin)) {
    let mut ignored = [0; 64];
    let until_it_leaves = async { while matches!(stream.read(&mut ignored).await, Ok(1..)) {} };
    // Either end is an end.
    let _ = tokio::time::timeout(CONNECTION_TIMEOUT, until_it_leaves).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_line_is_read_and_anything_else_is_not() {
        let request = Request::parse(b"HEAD /a?b HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        assert_eq!((request.head, request.path.as_str()), (true, "/a?b"));
        assert!(!Request::parse(b"GET / HTTP/1.0\r\n\r\n").unwrap().head);
        for bad in [
            &b""[..],
            b"GET",
            b"GET /",
            b"\x16\x03\x01\xff",
            b"GET / FTP/1",
        ] {
            assert_eq!(Request::parse(bad), None);
        }
    }

    #[tokio::test]
    async fn a_head_is_read_to_its_end_in_pieces_and_never_without_bound() {
        let whole = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        let mut pieces = whole[..25].chain(&whole[25..]);
        assert_eq!(read_head(&mut pieces).await.unwrap().unwrap(), whole);
        assert_eq!(read_head(&mut &whole[..9]).await.unwrap(), None);
        let endless = vec![b'a'; 10 * MOST_HEAD];
        assert!(read_head(&mut &endless[..]).await.is_err());
    }

    #[test]
    fn an_answer_to_head_announces_a_body_and_has_none() {
        let response = Response {
            status: 200,
            location: None,
            body: "acorns".to_owned(),
        };
        let text = |head| String::from_utf8(render(&response, head)).unwrap();
        assert!(text(true).ends_with("close\r\n\r\n") && text(true).contains("Length: 6\r\n"));
        assert!(text(false).ends_with("\r\n\r\nacorns"));
    }
}
