//! Where a redirect leads.

use hyper::StatusCode;
use url::Url;

use crate::domain::{CheckSpec, Reason};

use super::super::classify::Failure;

/// Whether the answer is a redirect to follow: one that the owner did not name as expected.
pub(super) fn leads_on(status: StatusCode, spec: &CheckSpec) -> bool {
    let named = spec.expect_status.is_named() && spec.expect_status.contains(status.as_u16());
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) && !named
}

/// Whether a redirect of this status asks for the same request at another place; the others ask for a
/// GET there, as browsers do it (RFC 9110 section 15.4).
pub(super) const fn keeps_the_method(status: StatusCode) -> bool {
    matches!(status.as_u16(), 307 | 308)
}

/// The failure of a redirect that asks for the body to be sent to another server.
pub(super) fn to_a_stranger(status: StatusCode) -> Failure {
    let why = format!("answered {status}, a redirect to another server, which gets no body");
    Failure::new(Reason::Redirect, why)
}

/// The target of a redirect from `url`, by the value of its `Location` field.
pub(super) fn target(
    url: &Url,
    status: StatusCode,
    location: Option<&[u8]>,
) -> Result<Url, Failure> {
    let nowhere = |why: &str| {
        Failure::new(
            Reason::Redirect,
            format!("answered {status}, a redirect {why}"),
        )
    };
    let location = location.ok_or_else(|| nowhere("without saying where to go"))?;
    let mut next = url
        .join(&text(location))
        .map_err(|_| nowhere("with a location that is not a URL"))?;
    if next.origin() == url.origin() && next.username().is_empty() && next.password().is_none() {
        // The credentials go to the same origin only.
        let _no_host = next.set_username(url.username());
        let _no_host = next.set_password(url.password());
    }
    if !matches!(next.scheme(), "http" | "https") {
        return Err(nowhere(&format!(
            "to a {}: address, which is not followed",
            next.scheme()
        )));
    }
    Ok(next)
}

/// A location that is not UTF-8 is one of bytes, each of which is percent-encoded, as browsers
/// do it.
fn text(location: &[u8]) -> String {
    use std::fmt::Write as _;
    if let Ok(text) = std::str::from_utf8(location) {
        return text.to_owned();
    }
    let mut text = String::with_capacity(location.len() * 3);
    for byte in location {
        if byte.is_ascii() {
            text.push(char::from(*byte));
        } else {
            let _never = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_in_latin_1_is_followed_byte_by_byte() {
        let url = Url::parse("http://a.example/").unwrap();
        let next = target(&url, StatusCode::FOUND, Some(b"/caf\xe9?x=\xfc")).unwrap();
        assert_eq!(next.as_str(), "http://a.example/caf%E9?x=%FC");
        let next = target(&url, StatusCode::FOUND, Some("/café".as_bytes())).unwrap();
        assert_eq!(next.as_str(), "http://a.example/caf%C3%A9");
    }
}
