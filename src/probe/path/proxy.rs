//! A connection through a proxy: CONNECT over HTTP/1.1 (RFC 9110 section 9.3.6) and SOCKS
//! version 5 (RFC 1928, with the user and password of RFC 1929). The proxy is given the host as
//! the URL has it, and resolves its name.

use std::fmt::Write as _;
use std::io;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use url::Host;

use crate::domain::{Proxy, ProxyCredentials, ProxyProtocol};

/// The largest head of the answer of a proxy, in bytes.
const MOST_HEAD: usize = 16 * 1024;

/// Why a proxy made no connection.
#[derive(Debug)]
pub(in super::super) enum ProxyFault {
    /// The connection to it broke.
    Broken(io::Error),
    /// It does not speak the protocol.
    Garbled,
    /// It wants other credentials, or some at all.
    Credentials,
    /// It answered with this status.
    Status(u16),
    /// It will not, or cannot say why not: the reply of SOCKS.
    Reply(u8),
    /// The server refused the connection, says the proxy.
    Refused,
    /// There is no way to the server, says the proxy.
    Unreachable,
}

impl From<io::Error> for ProxyFault {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

/// Asks `proxy` on a connection to it for one to `port` of `host`.
pub(super) async fn tunnel(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    proxy: &Proxy,
    (host, port): (&Host<&str>, u16),
) -> Result<(), ProxyFault> {
    match proxy.protocol {
        ProxyProtocol::Http => connect(stream, proxy.credentials.as_ref(), host, port).await,
        ProxyProtocol::Socks5 => socks(stream, proxy.credentials.as_ref(), host, port).await,
    }
}

async fn connect(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    credentials: Option<&ProxyCredentials>,
    host: &Host<&str>,
    port: u16,
) -> Result<(), ProxyFault> {
    let mut head = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    if let Some(ProxyCredentials { user, password }) = credentials {
        let pair = BASE64_STANDARD.encode(format!("{user}:{}", password.expose()));
        let _never = write!(head, "Proxy-Authorization: Basic {pair}\r\n");
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.flush().await?;
    let mut answer = Vec::with_capacity(256);
    // Byte by byte: what follows the head is the server's.
    while !answer.ends_with(b"\r\n\r\n") && !answer.ends_with(b"\n\n") {
        if answer.len() == MOST_HEAD {
            return Err(ProxyFault::Garbled);
        }
        answer.push(stream.read_u8().await?);
        if !b"HTTP/1.".starts_with(&answer[..answer.len().min(7)]) {
            return Err(ProxyFault::Garbled);
        }
    }
    let line = answer
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let status = line
        .split(' ')
        .nth(1)
        .and_then(|status| status.trim().parse().ok());
    match status {
        Some(200..=299) => Ok(()),
        Some(407) => Err(ProxyFault::Credentials),
        Some(status) => Err(ProxyFault::Status(status)),
        None => Err(ProxyFault::Garbled),
    }
}

const VERSION: u8 = 5;
const NO_CREDENTIALS: u8 = 0;
const PASSWORD: u8 = 2;

async fn socks(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    credentials: Option<&ProxyCredentials>,
    host: &Host<&str>,
    port: u16,
) -> Result<(), ProxyFault> {
    let hello: &[u8] = match credentials {
        None => &[VERSION, 1, NO_CREDENTIALS],
        Some(_) => &[VERSION, 2, NO_CREDENTIALS, PASSWORD],
    };
    stream.write_all(hello).await?;
    stream.flush().await?;
    match (exactly(stream).await?, credentials) {
        ([VERSION, NO_CREDENTIALS], _) => {}
        ([VERSION, PASSWORD], Some(ProxyCredentials { user, password })) => {
            let mut words = vec![1];
            for word in [user.as_bytes(), password.expose().as_bytes()] {
                words.push(u8::try_from(word.len()).map_err(|_| ProxyFault::Credentials)?);
                words.extend_from_slice(word);
            }
            stream.write_all(&words).await?;
            stream.flush().await?;
            let [_, refused] = exactly(stream).await?;
            if refused != 0 {
                return Err(ProxyFault::Credentials);
            }
        }
        ([VERSION, _], _) => return Err(ProxyFault::Credentials),
        _ => return Err(ProxyFault::Garbled),
    }
    let mut request = vec![VERSION, 1, 0];
    match host {
        Host::Ipv4(address) => {
            request.push(1);
            request.extend_from_slice(&address.octets());
        }
        Host::Ipv6(address) => {
            request.push(4);
            request.extend_from_slice(&address.octets());
        }
        Host::Domain(name) => {
            request.push(3);
            request.push(u8::try_from(name.len()).map_err(|_| ProxyFault::Reply(8))?);
            request.extend_from_slice(name.as_bytes());
        }
    }
    request.extend_from_slice(&port.to_be_bytes());
    stream.write_all(&request).await?;
    stream.flush().await?;
    let [version, reply, _, kind] = exactly(stream).await?;
    if version != VERSION {
        return Err(ProxyFault::Garbled);
    }
    match reply {
        0 => {}
        3 | 4 | 6 => return Err(ProxyFault::Unreachable),
        5 => return Err(ProxyFault::Refused),
        reply => return Err(ProxyFault::Reply(reply)),
    }
    // The address that it connected from, which is of no use.
    let length = match kind {
        1 => 4,
        4 => 16,
        3 => usize::from(stream.read_u8().await?),
        _ => return Err(ProxyFault::Garbled),
    };
    let mut rest = [0; 257];
    stream.read_exact(&mut rest[..length + 2]).await?;
    Ok(())
}

async fn exactly<const N: usize>(
    stream: &mut (impl AsyncRead + Unpin),
) -> Result<[u8; N], ProxyFault> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}
