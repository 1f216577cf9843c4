//! What answers where a broker is expected, when the client can make nothing of it: it is asked
//! once more, in plain text.

use std::io;
use std::path::Path;
use std::time::Duration;

use redis::{Client, ConnectionAddr, ErrorKind, RedisError};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::broker_cause::BrokerCause;
use super::broker_refusal::TOO_MANY_CLIENTS;

/// How long to wait for what a server says unasked: one that wants no more clients does.
const GREETING_TIMEOUT: Duration = Duration::from_millis(300);

/// How long all of it may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// The first bytes of a TLS record that holds an alert (RFC 8446, section 5.1).
const TLS_ALERT: [u8; 2] = [21, 3];

/// The error that says why a connection to `client` failed with `error`, as far as it can be found
/// out.
pub(super) async fn explained(client: &Client, error: RedisError) -> RedisError {
    let address = client.get_connection_info().addr();
    let cause = BrokerCause::of(&error);
    if let (ConnectionAddr::Unix(path), BrokerCause::ConnectionRefused) = (address, &cause) {
        return not_a_socket(path).map_or(error, Into::into);
    }
    let secure = matches!(address, ConnectionAddr::TcpTls { .. });
    let is_open = match cause {
        BrokerCause::Broken | BrokerCause::NotRedis | BrokerCause::Silent => true,
        BrokerCause::Handshake => secure,
        _ => false,
    };
    if !is_open {
        return error;
    }
    let asked = match address {
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
            timeout(ANSWER_TIMEOUT, async {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                answer(stream).await
            })
            .await
        }
        ConnectionAddr::Unix(path) => {
            timeout(ANSWER_TIMEOUT, async {
                answer(UnixStream::connect(path).await?).await
            })
            .await
        }
        _ => return error,
    };
    let Ok(Ok(answer)) = asked else {
        return error;
    };
    match &*answer {
        said if String::from_utf8_lossy(said).contains(TOO_MANY_CLIENTS) => {
            (ErrorKind::Client, "refused", TOO_MANY_CLIENTS.to_owned()).into()
        }
        said if said.starts_with(b"HTTP/") => BrokerCause::Http.into(),
        said if !secure && said.starts_with(&TLS_ALERT) => BrokerCause::OnlyTls.into(),
        [b'+' | b'-', ..] if secure => BrokerCause::NoTls.into(),
        _ => error,
    }
}

/// What is said on a new connection, unasked or to a PING.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<Vec<u8>> {
    let mut said = [0; 128];
    // One that closes the connection at once has said all, and would lose it if it were written to.
    if let Ok(length) = timeout(GREETING_TIMEOUT, stream.read(&mut said)).await {
        return Ok(said[..length?].to_vec());
    }
    stream.write_all(b"PING\r\n\r\n").await?;
    let length = stream.read(&mut said).await?;
    Ok(said[..length].to_vec())
}

/// What is at the path of a socket, if it is none.
fn not_a_socket(path: &Path) -> Option<BrokerCause> {
    use std::os::unix::fs::FileTypeExt as _;
    let found = std::fs::metadata(path).ok()?.file_type();
    let folder = found.is_dir();
    (!found.is_socket()).then_some(BrokerCause::NotASocket { folder })
}
