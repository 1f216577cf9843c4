//! How a server is asked in the clear to begin TLS, protocol by protocol.

use std::fmt;

use memchr::memmem;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::domain::{Reason, StartTls, clean};

use super::super::classify::Failure;
use super::super::path::Socket;
use super::Asked;

/// The most bytes of a server that are read before the handshake.
const MOST_BYTES: usize = 64 << 10;

/// PostgreSQL's `SSLRequest`: its length, and the number 80877103.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// LDAP's extended request of the object 1.3.6.1.4.1.1466.20037 (RFC 4511 section 4.14).
const LDAP_REQUEST: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";

/// Why TLS was not begun.
#[derive(Debug)]
enum Refusal {
    Broken(std::io::Error),
    /// The server closed the connection.
    Closed,
    /// It said something that is not of the protocol.
    Foreign(StartTls, String),
    /// It does not begin TLS.
    Refused(String),
    /// It said more than its answer before the handshake, which anybody on the way may have put there.
    Injected,
    TooLong,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(error) => error.fmt(f),
            Self::Closed => f.write_str("the server closed the connection before the handshake"),
            Self::Foreign(protocol, said) => {
                write!(f, "this is not {}: it said {said:?}", protocol.word())
            }
            Self::Refused(said) => write!(f, "the server does not begin TLS: {said}"),
            Self::Injected => f.write_str(
                "the server said more in the clear than that TLS may begin, which somebody \
                 on the way may have added",
            ),
            Self::TooLong => f.write_str("the server says too much before the handshake"),
        }
    }
}

/// Asks the server to begin TLS; what follows on the connection is the handshake.
pub(super) async fn begin(
    protocol: StartTls,
    socket: &mut Socket,
    asked: Asked<'_>,
    host: &str,
) -> Result<(), Failure> {
    let mut dialogue = Dialogue {
        protocol,
        socket,
        came: Vec::new(),
        taken: 0,
    };
    dialogue.begin(host).await.map_err(|refusal| {
        let reason = match refusal {
            Refusal::Broken(error) => return asked.broke(error),
            Refusal::Closed => Reason::Closed,
            Refusal::Foreign(..) | Refusal::TooLong => Reason::Protocol,
            Refusal::Refused(_) | Refusal::Injected => Reason::Tls,
        };
        Failure::new(reason, refusal.to_string())
    })
}

/// What is said in the clear.
struct Dialogue<'a, S> {
    protocol: StartTls,
    socket: &'a mut S,
    came: Vec<u8>,
    /// How much of it was read.
    taken: usize,
}

impl<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin> Dialogue<'_, S> {
    async fn begin(&mut self, host: &str) -> Result<(), Refusal> {
        match self.protocol {
            StartTls::Smtp => {
                self.smtp_reply("220").await?;
                self.say(b"EHLO squirrel.invalid\r\n").await?;
                let extensions = self.smtp_reply("250").await?;
                // The first line names the server.
                let mut offers = extensions.lines().skip(1);
                let is_offered = |line: &str| {
                    let word = line.trim_start_matches(['-', ' ']).trim();
                    word.eq_ignore_ascii_case("STARTTLS")
                };
                if !offers.any(is_offered) {
                    return Err(Refusal::Refused("it does not offer STARTTLS".to_owned()));
                }
                self.say(b"STARTTLS\r\n").await?;
                self.smtp_reply("220").await?;
            }
            StartTls::Imap => {
                self.line_with("* ").await?;
                // Untagged lines may come at any time (RFC 9051 section 7).
                while self.came[self.taken..].starts_with(b"* ") {
                    self.line().await?;
                }
                self.say(b"a STARTTLS\r\n").await?;
                loop {
                    let line = self.line().await?;
                    match line.strip_prefix("a ") {
                        None if line.starts_with("* ") => {}
                        Some(answer) if answer.to_ascii_uppercase().starts_with("OK") => break,
                        Some(_) => return Err(Refusal::Refused(clean(&line, 100))),
                        None => return Err(self.foreign(&line)),
                    }
                }
            }
            StartTls::Pop3 => {
                self.line_with("+OK").await?;
                self.say(b"STLS\r\n").await?;
                let line = self.line().await?;
                if !line.starts_with("+OK") {
                    return Err(Refusal::Refused(clean(&line, 100)));
                }
            }
            StartTls::Postgres => {
                self.say(&SSL_REQUEST).await?;
                match self.bytes(1).await?[0] {
                    b'S' => {}
                    b'N' => return Err(Refusal::Refused("it answered N".to_owned())),
                    other => return Err(self.foreign(&char::from(other).to_string())),
                }
            }
            StartTls::Xmpp => {
                let head = format!(
                    "<?xml version='1.0'?><stream:stream to='{}' version='1.0' \
                     xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
                    host.replace(['\'', '<', '&'], "")
                );
                self.say(head.as_bytes()).await?;
                let features = self
                    .until(&[
                        "</stream:features>",
                        "</features>",
                        "<stream:features/>",
                        "<features/>",
                        "</stream:error>",
                    ])
                    .await?;
                if !features.contains("urn:ietf:params:xml:ns:xmpp-tls") {
                    return Err(Refusal::Refused("it does not offer starttls".to_owned()));
                }
                self.say(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
                    .await?;
                let answer = self
                    .until(&["/>", "</proceed>", "</failure>", "</stream:error>"])
                    .await?;
                if !answer.contains("<proceed") {
                    return Err(Refusal::Refused(clean(&answer, 100)));
                }
            }
            StartTls::Ldap => {
                self.say(LDAP_REQUEST).await?;
                let head = self.bytes(2).await?;
                let length = match (head[0], head[1]) {
                    (0x30, short @ 0..=0x7f) => usize::from(short),
                    // Active Directory writes every length in four bytes more.
                    (0x30, long @ 0x81..=0x84) => {
                        let digits = self.bytes(usize::from(long & 0x7f)).await?;
                        long_length(&digits)
                    }
                    _ => return Err(self.foreign(&String::from_utf8_lossy(&head))),
                };
                if length > MOST_BYTES {
                    return Err(Refusal::TooLong);
                }
                let message = self.bytes(length).await?;
                match ldap_code(&message) {
                    Some(0) => {}
                    Some(code) => {
                        return Err(Refusal::Refused(format!(
                            "it answered with the code {code}"
                        )));
                    }
                    None => return Err(self.foreign(&String::from_utf8_lossy(&message))),
                }
            }
        }
        if self.taken < self.came.len() {
            return Err(Refusal::Injected);
        }
        Ok(())
    }

    fn foreign(&self, said: &str) -> Refusal {
        Refusal::Foreign(self.protocol, clean(said, 100))
    }

    async fn say(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        // What came before that it was asked for is no answer to it.
        if self.taken < self.came.len() {
            return Err(Refusal::Injected);
        }
        let written = self.socket.write_all(bytes).await;
        written.map_err(Refusal::Broken)?;
        self.socket.flush().await.map_err(Refusal::Broken)
    }

    /// Waits for more bytes.
    async fn more(&mut self) -> Result<(), Refusal> {
        if self.came.len() >= MOST_BYTES {
            return Err(Refusal::TooLong);
        }
        let mut part = [0; 4_096];
        match self.socket.read(&mut part).await {
            Ok(0) => Err(Refusal::Closed),
            Ok(count) => {
                self.came.extend_from_slice(&part[..count]);
                Ok(())
            }
            Err(error) => Err(Refusal::Broken(error)),
        }
    }

    /// The next so many bytes.
    async fn bytes(&mut self, count: usize) -> Result<Vec<u8>, Refusal> {
        while self.came.len() - self.taken < count {
            self.more().await?;
        }
        let end = self.taken + count;
        let bytes = self.came[self.taken..end].to_vec();
        self.taken = end;
        Ok(bytes)
    }

    /// The next line, without its end.
    async fn line(&mut self) -> Result<String, Refusal> {
        let text = self.until(&["\n"]).await?;
        Ok(text.trim_end().to_owned())
    }

    /// The next line, which begins so.
    async fn line_with(&mut self, begin: &str) -> Result<(), Refusal> {
        let line = self.line().await?;
        if line.starts_with(begin) {
            return Ok(());
        }
        Err(self.foreign(&line))
    }

    /// What comes to the end of the first of these texts that is in it.
    async fn until(&mut self, ends: &[&str]) -> Result<String, Refusal> {
        loop {
            let open = &self.came[self.taken..];
            let ended = ends.iter().filter_map(|end| {
                let place = memmem::find(open, end.as_bytes())?;
                Some(place + end.len())
            });
            if let Some(length) = ended.min() {
                let text = String::from_utf8_lossy(&open[..length]).into_owned();
                self.taken += length;
                return Ok(text);
            }
            self.more().await?;
        }
    }

    /// A reply of SMTP in one line or several (RFC 5321 section 4.2.1), of this code.
    async fn smtp_reply(&mut self, code: &str) -> Result<String, Refusal> {
        let mut reply = String::new();
        loop {
            let line = self.line().await?;
            let (said, behind) = line.split_at_checked(3).unwrap_or((&line, ""));
            if said != code {
                let is_code = said.len() == 3 && said.bytes().all(|byte| byte.is_ascii_digit());
                return Err(if is_code {
                    Refusal::Refused(clean(&line, 100))
                } else {
                    self.foreign(&line)
                });
            }
            reply.push_str(behind);
            reply.push('\n');
            if !behind.starts_with('-') {
                return Ok(reply);
            }
        }
    }
}

/// A length of BER from the bytes behind the first, at most four.
fn long_length(digits: &[u8]) -> usize {
    let digits = digits.iter();
    digits.fold(0, |length, digit| (length << 8) | usize::from(*digit))
}

/// The result code of an LDAP extended response, whose message holds its id before it.
fn ldap_code(message: &[u8]) -> Option<u8> {
    let (&[0x02, length], rest) = message.split_first_chunk::<2>()? else {
        return None;
    };
    let rest = rest.get(usize::from(length)..)?;
    // An extended response, of a length in one byte or up to five.
    let rest = match rest {
        [0x78, long @ 0x81..=0x84, rest @ ..] => rest.get(usize::from(long & 0x7f)..)?,
        [0x78, length, rest @ ..] if *length < 0x80 => rest,
        _ => return None,
    };
    match rest {
        [0x0a, 0x01, code, ..] => Some(*code),
        _ => None,
    }
}

/// For `tests/fuzz.rs`: whether TLS would begin after these bytes of a server.
#[doc(hidden)]
pub(crate) mod fuzzing {
    use super::{Dialogue, StartTls};

    /// A server that says these bytes whatever it is told.
    pub(crate) async fn begins(protocol: StartTls, bytes: &[u8]) -> bool {
        let mut socket = tokio::io::join(bytes, tokio::io::sink());
        let mut dialogue = Dialogue {
            protocol,
            socket: &mut socket,
            came: Vec::new(),
            taken: 0,
        };
        dialogue.begin("a.example").await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    /// A server that says the next part whenever it was told something, and the first at once.
    struct Server(Vec<&'static [u8]>, bool);

    impl AsyncRead for Server {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<std::io::Result<()>> {
            if self.1 && !self.0.is_empty() {
                buffer.put_slice(self.0.remove(0));
                self.1 = false;
            }
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Server {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<std::io::Result<usize>> {
            self.1 = true;
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn run(protocol: StartTls, parts: &[&'static [u8]]) -> Result<(), String> {
        let greets = !matches!(
            protocol,
            StartTls::Postgres | StartTls::Xmpp | StartTls::Ldap
        );
        let mut server = Server(parts.to_vec(), greets);
        let mut dialogue = Dialogue {
            protocol,
            socket: &mut server,
            came: Vec::new(),
            taken: 0,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let begun = runtime.block_on(dialogue.begin("a.example"));
        begun.map_err(|refusal| refusal.to_string())
    }

    const LDAP_OK: &[u8] = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00";

    /// As Active Directory has it: each length in four bytes behind 0x84.
    const ACTIVE_DIRECTORY_OK: &[u8] = b"\x30\x84\x00\x00\x00\x10\x02\x01\x01\
        \x78\x84\x00\x00\x00\x07\x0a\x01\x00\x04\x00\x04\x00";

    #[test]
    fn each_protocol_is_spoken_as_its_standard_says() {
        let features: &[u8] = b"<stream:stream id='1'><stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>";
        let proceed: &[u8] = b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
        for (protocol, parts) in [
            (
                StartTls::Smtp,
                &[
                    &b"220-a\r\n220 b\r\n"[..],
                    b"250-a\r\n250 STARTTLS\r\n",
                    b"220 go\r\n",
                ][..],
            ),
            (
                StartTls::Imap,
                &[b"* OK hi\r\n", b"* CAPABILITY IMAP4rev1\r\na OK begin\r\n"],
            ),
            (StartTls::Pop3, &[b"+OK hi\r\n", b"+OK\r\n"]),
            (StartTls::Postgres, &[b"S"]),
            (StartTls::Xmpp, &[features, proceed]),
            (
                StartTls::Imap,
                &[b"* OK hi\r\n* CAPABILITY STARTTLS\r\n", b"a OK\r\n"],
            ),
            (StartTls::Ldap, &[LDAP_OK]),
            (StartTls::Ldap, &[ACTIVE_DIRECTORY_OK]),
        ] {
            assert_eq!(run(protocol, parts), Ok(()), "{protocol:?}");
        }
    }

    #[test]
    fn a_refusal_another_protocol_an_end_and_an_addition_are_told_apart() {
        for (protocol, parts, words) in [
            (
                StartTls::Smtp,
                &[&b"554 no\r\n"[..]][..],
                "does not begin TLS: 554 no",
            ),
            (
                StartTls::Smtp,
                &[b"220 a\r\n", b"250 a\r\n"],
                "does not offer STARTTLS",
            ),
            (
                StartTls::Smtp,
                &[b"HTTP/1.1 400\r\n"],
                "this is not smtp: it said \"HTTP/1.1 400\"",
            ),
            (StartTls::Smtp, &[b"220 a\r\n"], "closed the connection"),
            (
                StartTls::Smtp,
                &[
                    b"220 a\r\n",
                    b"250-a\r\n250 STARTTLS\r\n",
                    b"220 go\r\n250 x\r\n",
                ],
                "may have added",
            ),
            (
                StartTls::Imap,
                &[b"* OK\r\n", b"a NO later\r\n"],
                "does not begin TLS: a NO later",
            ),
            (
                StartTls::Imap,
                &[b"* OK\r\na OK\r\n", b""],
                "may have added",
            ),
            (
                StartTls::Pop3,
                &[b"+OK\r\n", b"-ERR\r\n"],
                "does not begin TLS: -ERR",
            ),
            (StartTls::Postgres, &[b"N"], "it answered N"),
            (StartTls::Postgres, &[b"SX"], "may have added"),
            (StartTls::Postgres, &[b"E"], "this is not postgres"),
            (
                StartTls::Xmpp,
                &[b"<stream:features></stream:features>"],
                "does not offer starttls",
            ),
            (
                StartTls::Xmpp,
                &[b"<stream:features/>"],
                "does not offer starttls",
            ),
            (
                StartTls::Xmpp,
                &[
                    b"<stream:features>urn:ietf:params:xml:ns:xmpp-tls</stream:features>",
                    b"<failure></failure>",
                ],
                "does not begin TLS: <failure>",
            ),
            (
                StartTls::Ldap,
                &[b"\x30\x84\xff\xff\xff\xff"],
                "says too much",
            ),
            (
                StartTls::Ldap,
                &[b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x34\x04\x00\x04\x00"],
                "the code 52",
            ),
            (StartTls::Ldap, &[b"\x30\x02ab"], "this is not ldap"),
        ] {
            let refused = run(protocol, parts).unwrap_err();
            assert!(refused.contains(words), "{protocol:?}: {refused}");
        }
        struct Floods;
        impl AsyncRead for Floods {
            fn poll_read(
                self: Pin<&mut Self>,
                _: &mut Context<'_>,
                buffer: &mut ReadBuf<'_>,
            ) -> Poll<std::io::Result<()>> {
                buffer.put_slice(&[b'x'; 512]);
                Poll::Ready(Ok(()))
            }
        }
        let mut socket = tokio::io::join(Floods, tokio::io::sink());
        let mut dialogue = Dialogue {
            protocol: StartTls::Smtp,
            socket: &mut socket,
            came: Vec::new(),
            taken: 0,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let refused = runtime.block_on(dialogue.begin("a.example")).unwrap_err();
        assert!(refused.to_string().contains("says too much"), "{refused}");
    }
}
