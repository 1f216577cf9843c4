//! An HTTP server that takes what is posted, keeps it, and answers as it is told: Twilio's,
//! ntfy's and a webhook's side.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::Fleet;

/// Something that was posted.
#[derive(Clone, Debug)]
pub(crate) struct Posted {
    pub(crate) path: String,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Posted {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head
            .split("\r\n")
            .filter_map(|line| line.split_once(": "))
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// What the server answers.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A status line's end, headers if any, and a body: "201 Created", "", "{}".
    Says(&'static str, &'static str, &'static str),
    /// A status line's end and the beginning of a body, which goes on for ever, a byte at a time.
    NeverEnds(&'static str, &'static str),
    /// A head that goes on for ever, as fast as it is read.
    EndlessHead,
    /// These bytes, and the end.
    Raw(&'static str),
    /// Closes the connection.
    Nothing,
}

struct Desk {
    posted: Mutex<Vec<Posted>>,
    /// The last one stays.
    answers: Mutex<VecDeque<Answer>>,
}

/// A server that runs until its fleet ends.
pub(crate) struct PostServer {
    pub(crate) address: SocketAddr,
    desk: Arc<Desk>,
}

impl PostServer {
    pub(crate) fn start(fleet: &Fleet, answers: impl IntoIterator<Item = Answer>) -> Self {
        let desk = Arc::new(Desk {
            posted: Mutex::default(),
            answers: Mutex::new(answers.into_iter().collect()),
        });
        let shared = Arc::clone(&desk);
        let address = fleet.block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let desk = Arc::clone(&shared);
                    tokio::spawn(async move {
                        // A client that goes away is no fault of the server.
                        let _ = serve(&desk, stream).await;
                    });
                }
            });
            address
        });
        Self { address, desk }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn posted(&self) -> Vec<Posted> {
        self.desk.posted.lock().unwrap().clone()
    }
}

async fn serve(desk: &Desk, mut stream: TcpStream) -> std::io::Result<()> {
    loop {
        let mut bytes = Vec::new();
        let head_end = loop {
            if let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
                break end;
            }
            let mut buffer = [0; 4_096];
            match stream.read(&mut buffer).await? {
                0 => return Ok(()),
                count => bytes.extend_from_slice(&buffer[..count]),
            }
        };
        let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
        let mut posted = Posted {
            path: head.split(' ').nth(1).unwrap_or_default().to_owned(),
            head,
            body: String::new(),
        };
        let length: usize = posted
            .header("content-length")
            .map_or(0, |length| length.parse().unwrap());
        let mut body = bytes[head_end + 4..].to_vec();
        while body.len() < length {
            let mut buffer = [0; 4_096];
            match stream.read(&mut buffer).await? {
                0 => return Ok(()),
                count => body.extend_from_slice(&buffer[..count]),
            }
        }
        posted.body = String::from_utf8(body).unwrap();
        desk.posted.lock().unwrap().push(posted);
        let answer = {
            let mut answers = desk.answers.lock().unwrap();
            if answers.len() > 1 {
                answers.pop_front()
            } else {
                answers.front().cloned()
            }
        };
        match answer {
            Some(Answer::Says(status, headers, body)) => {
                let text = format!(
                    "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(text.as_bytes()).await?;
            }
            Some(Answer::NeverEnds(status, body)) => {
                let text = format!("HTTP/1.1 {status}\r\n\r\n{body}");
                stream.write_all(text.as_bytes()).await?;
                loop {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    stream.write_all(b" ").await?;
                }
            }
            Some(Answer::EndlessHead) => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
                loop {
                    stream.write_all(b"X-More: more\r\n").await?;
                }
            }
            Some(Answer::Raw(text)) => return stream.write_all(text.as_bytes()).await,
            Some(Answer::Nothing) | None => return Ok(()),
        }
    }
}
