//! A mail server: SMTP (RFC 5321) with TLS or STARTTLS and a login, and every fault that a
//! mail server may have.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::Fleet;
use crate::support::CertKind;

/// How the server treats its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Takes mail.
    Well,
    /// Takes mail, and says so a while later.
    Slow,
    /// Takes the connection and says nothing.
    Hangs,
    /// Closes the connection as soon as it is made.
    Refuses,
    /// Takes mail, and does not answer the QUIT after it.
    Stays,
    /// Closes the connection in the middle of a message.
    DropsInData,
    /// Is busy: 451.
    Busy,
    /// Knows no such user: 550.
    KnowsNobody,
}

/// How its connections become private.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Privacy {
    Tls,
    StartTls,
    None,
}

/// A message in the mailbox.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub(crate) to: String,
    /// Headers and text as they came.
    pub(crate) data: String,
    /// Whether it came over TLS.
    pub(crate) private: bool,
    /// Whether somebody had logged in.
    pub(crate) logged_in: bool,
}

impl Mail {
    /// The value of a header, unfolded.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let head = self.data.split("\r\n\r\n").next()?.replace("\r\n ", " ");
        let mut found = head
            .split("\r\n")
            .filter_map(|line| line.split_once(": "))
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned());
        let value = found.next();
        assert_eq!(found.next(), None, "{name} stands twice: {}", self.data);
        value
    }

    /// The names of all headers.
    pub(crate) fn header_names(&self) -> Vec<String> {
        let head = self.data.split("\r\n\r\n").next().unwrap_or_default();
        head.split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .map(|line| line.split(':').next().unwrap_or_default().to_owned())
            .collect()
    }
}

/// What connections share.
struct Office {
    mood: Mutex<Mood>,
    mails: Mutex<Vec<Mail>>,
    attempts: Mutex<usize>,
    privacy: Privacy,
    tls: TlsAcceptor,
}

/// A mail server that runs until its fleet ends.
pub(crate) struct MailServer {
    pub(crate) address: SocketAddr,
    office: Arc<Office>,
}

impl MailServer {
    pub(crate) fn start(fleet: &Fleet, privacy: Privacy) -> Self {
        Self::with_certificate(fleet, privacy, CertKind::Good)
    }

    /// One that shows a certificate of that kind.
    pub(crate) fn with_certificate(fleet: &Fleet, privacy: Privacy, kind: CertKind) -> Self {
        let office = Arc::new(Office {
            mood: Mutex::new(Mood::Well),
            mails: Mutex::default(),
            attempts: Mutex::default(),
            privacy,
            tls: TlsAcceptor::from(fleet.certificates().server(kind)),
        });
        let shared = Arc::clone(&office);
        let address = fleet.block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let office = Arc::clone(&shared);
                    tokio::spawn(async move {
                        // A client that goes away is no fault of the server.
                        let _ = receive(&office, stream).await;
                    });
                }
            });
            address
        });
        Self { address, office }
    }

    /// `[notify.email]` for it, and the trust that it takes.
    pub(crate) fn settings(&self) -> String {
        let scheme = match self.office.privacy {
            Privacy::Tls => "smtps",
            Privacy::StartTls | Privacy::None => "smtp",
        };
        format!(
            "[notify.email]\nsmtp = \"{scheme}://user@127.0.0.1:{}\"\n\
             password = {{ file = \"password\" }}\nfrom = \"squirrel@example.org\"\n",
            self.address.port()
        )
    }

    pub(crate) fn set(&self, mood: Mood) {
        *self.office.mood.lock().unwrap() = mood;
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.office.mails.lock().unwrap().clone()
    }

    /// Connections that were made.
    pub(crate) fn attempts(&self) -> usize {
        *self.office.attempts.lock().unwrap()
    }
}

impl Office {
    fn mood(&self) -> Mood {
        *self.mood.lock().unwrap()
    }
}

async fn receive(office: &Office, mut stream: TcpStream) -> std::io::Result<()> {
    *office.attempts.lock().unwrap() += 1;
    match office.mood() {
        Mood::Hangs => {
            tokio::time::sleep(Duration::from_secs(120)).await;
            return Ok(());
        }
        Mood::Refuses => return stream.set_zero_linger(),
        _ => {}
    }
    if office.privacy == Privacy::Tls {
        return converse(office, &mut office.tls.accept(stream).await?, true)
            .await
            .map(drop);
    }
    if converse(office, &mut stream, false).await? {
        converse(office, &mut office.tls.accept(stream).await?, true).await?;
    }
    Ok(())
}

/// Speaks with a client; true when TLS is to begin.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    office: &Office,
    stream: &mut S,
    private: bool,
) -> std::io::Result<bool> {
    let mut lines = Lines::default();
    // After STARTTLS the client speaks first.
    if !private || office.privacy == Privacy::Tls {
        say(stream, "220 mail.example.org ESMTP").await?;
    }
    let (mut to, mut logged_in) = (String::new(), false);
    while let Some(line) = lines.next(stream).await? {
        let verb = line
            .split([' ', ':'])
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        match &*verb {
            "EHLO" => {
                let tls = if office.privacy == Privacy::StartTls && !private {
                    "250-STARTTLS\r\n"
                } else {
                    ""
                };
                say(
                    stream,
                    &format!("250-mail.example.org\r\n{tls}250-8BITMIME\r\n250 AUTH PLAIN"),
                )
                .await?;
            }
            "STARTTLS" => {
                say(stream, "220 2.0.0 Ready").await?;
                return Ok(true);
            }
            // "\0user\0secret" in Base64 (RFC 4616).
            "AUTH" if line.ends_with("AHVzZXIAc2VjcmV0") => {
                logged_in = true;
                say(stream, "235 2.7.0 Accepted").await?;
            }
            "AUTH" => say(stream, "535 5.7.8 Credentials invalid").await?,
            "MAIL" if office.mood() == Mood::Busy => {
                say(stream, "451 4.3.2 Come back later").await?;
            }
            "RCPT" if office.mood() == Mood::KnowsNobody => {
                say(stream, "550 5.1.1 No such user here").await?;
            }
            "RCPT" => {
                to = line[8..].trim_matches(['<', '>', ' ']).to_owned();
                say(stream, "250 2.1.5 Ok").await?;
            }
            "DATA" => {
                say(stream, "354 End data with <CR><LF>.<CR><LF>").await?;
                let mut data = String::new();
                loop {
                    let Some(line) = lines.next(stream).await? else {
                        return Ok(false);
                    };
                    if line == "." {
                        break;
                    }
                    if office.mood() == Mood::DropsInData {
                        return Ok(false);
                    }
                    data.push_str(line.strip_prefix('.').unwrap_or(&line));
                    data.push_str("\r\n");
                }
                let mail = Mail {
                    to: to.clone(),
                    data,
                    private,
                    logged_in,
                };
                office.mails.lock().unwrap().push(mail);
                if office.mood() == Mood::Slow {
                    tokio::time::sleep(Duration::from_millis(700)).await;
                }
                say(stream, "250 2.0.0 Ok: queued as 4711").await?;
            }
            "QUIT" if office.mood() == Mood::Stays => std::future::pending().await,
            "QUIT" => {
                say(stream, "221 2.0.0 Bye").await?;
                return Ok(false);
            }
            "MAIL" | "RSET" | "NOOP" => say(stream, "250 2.0.0 Ok").await?,
            _ => say(stream, "502 5.5.2 Not known").await?,
        }
    }
    Ok(false)
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), line: &str) -> std::io::Result<()> {
    stream.write_all(format!("{line}\r\n").as_bytes()).await?;
    stream.flush().await
}

/// Lines of a stream, each ended by CR and LF.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    async fn next(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> std::io::Result<Option<String>> {
        loop {
            if let Some(end) = self.0.windows(2).position(|end| end == b"\r\n") {
                let line = String::from_utf8_lossy(&self.0[..end]).into_owned();
                self.0.drain(..end + 2);
                return Ok(Some(line));
            }
            let mut buffer = [0; 4_096];
            match stream.read(&mut buffer).await? {
                0 => return Ok(None),
                count => self.0.extend_from_slice(&buffer[..count]),
            }
        }
    }
}
