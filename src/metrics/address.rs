//! The address that the endpoint listens at: on loopback, unless one is given.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// A text that is no address to listen at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressError;

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected an address and a port such as 127.0.0.1:9115, or a port alone")
    }
}

impl std::error::Error for AddressError {}

/// Parses an IP address with a port, or a port alone (`9115` or `:9115`), which is on loopback.
///
/// # Errors
/// If the text is neither; the name of a host is not resolved.
pub fn listen_address(text: &str) -> Result<SocketAddr, AddressError> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let port = text
        .strip_prefix("localhost:")
        .or_else(|| text.strip_prefix(':'))
        .unwrap_or(text);
    // `parse` alone would take "+9115".
    if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(AddressError);
    }
    let port = port.parse().map_err(|_| AddressError)?;
    Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_host_it_is_loopback() {
        for text in ["9115", ":9115", "localhost:9115", "127.0.0.1:9115"] {
            assert_eq!(
                listen_address(text).unwrap().to_string(),
                "127.0.0.1:9115",
                "{text}"
            );
        }
    }

    #[test]
    fn an_address_is_taken_as_it_is_given() {
        for text in ["0.0.0.0:9115", "[::]:9115", "[::1]:0", "192.0.2.7:80"] {
            assert_eq!(listen_address(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            ":",
            "+9115",
            "99999",
            "example.org:9115",
            "127.0.0.1",
            "::1",
            "a",
        ] {
            assert_eq!(listen_address(text), Err(AddressError), "{text}");
        }
    }
}
