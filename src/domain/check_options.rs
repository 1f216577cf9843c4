//! The parts of a check spec that few sites have: kept apart, and shared by the sites that have
//! the same.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{Assertions, ConnectionOptions, Expected, MaskedText, StartTls};

/// What few checks ask or expect. Sites with equal options share one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CheckOptions {
    /// What is expected of an answer besides its status.
    pub assertions: Assertions,
    /// The body of the request, for methods that are sent once.
    pub body: Option<MaskedText>,
    /// Header fields of the requests, in their order; sent to the origin of the site alone.
    pub headers: Vec<RequestHeader>,
    /// The credentials of the requests, beside those of the URL; sent to the origin of the site
    /// alone.
    pub authorization: Option<Authorization>,
    /// How the server is reached.
    pub connection: ConnectionOptions,
    /// What is sent on a connection of the kind tcp.
    pub send: Option<MaskedText>,
    /// What a check of the kind tcp or dns expects.
    pub expect: Option<Expected>,
    /// How TLS begins, where it does not at once.
    pub starttls: Option<StartTls>,
}

/// A header field of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestHeader {
    /// The name of the field (RFC 9110 section 5.1).
    pub name: Box<str>,
    /// Its value: printable ASCII.
    pub value: MaskedText,
}

/// The credentials of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Authorization {
    /// A bearer token (RFC 6750).
    Bearer(MaskedText),
    /// User and password (RFC 7617).
    Basic {
        /// The user, without a colon.
        user: MaskedText,
        /// The password.
        password: MaskedText,
    },
}

impl CheckOptions {
    /// The options where a spec has none.
    pub const NONE: &'static Self = &Self {
        assertions: Assertions::NONE,
        body: None,
        headers: Vec::new(),
        authorization: None,
        connection: ConnectionOptions {
            verify: None,
            family: None,
            connect_to: None,
            resolver: None,
            client: None,
            proxy: None,
        },
        send: None,
        expect: None,
        starttls: None,
    };

    /// The longest body of a request, in bytes.
    pub const MOST_BODY: usize = 64 * 1024;

    /// The most header fields of a request.
    pub const MOST_HEADERS: usize = 50;

    /// The longest value of a header field, in bytes.
    pub const MOST_HEADER: usize = 8 * 1024;

    /// Header fields that say how a message is sent, or whither: they are not the user's to set.
    pub const OWN_HEADERS: [&'static str; 11] = [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "proxy-connection",
        "proxy-authorization",
        "te",
        "trailer",
        "upgrade",
        "expect",
    ];

    /// Whether a part of them is a secret.
    #[must_use]
    pub fn have_secrets(&self) -> bool {
        let of_authorization = match &self.authorization {
            None => false,
            Some(Authorization::Bearer(_) | Authorization::Basic { .. }) => true,
        };
        of_authorization
            || self.connection.have_secrets()
            || self.send.as_ref().is_some_and(MaskedText::is_secret)
            || self.body.as_ref().is_some_and(MaskedText::is_secret)
            || self.headers.iter().any(|header| header.value.is_secret())
    }

    /// Whether what is sent is within its bounds, wherever it came from.
    #[must_use]
    pub fn are_within_bounds(&self) -> bool {
        let fits = |text: &MaskedText| {
            let text = text.expose();
            text.len() <= Self::MOST_HEADER && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        };
        let body = self.body.as_ref().map_or("", MaskedText::expose);
        let authorization = match &self.authorization {
            None => true,
            Some(Authorization::Bearer(token)) => fits(token),
            Some(Authorization::Basic { user, password }) => {
                let long = |text: &MaskedText| text.expose().len() > Self::MOST_HEADER;
                !long(user) && !long(password)
            }
        };
        let mut names = HashSet::new();
        let is_header = |header: &RequestHeader| {
            is_field_name(&header.name)
                && fits(&header.value)
                && !is_own(&header.name)
                && names.insert(header.name.to_ascii_lowercase())
        };
        let send = self.send.as_ref().map_or("", MaskedText::expose);
        let expected = self.expect.as_ref().map_or(&[][..], Expected::texts);
        body.len() <= Self::MOST_BODY
            && send.len() <= Self::MOST_BODY
            && expected.len() <= Assertions::MOST
            && expected
                .iter()
                .all(|text| text.len() <= Assertions::MOST_TEXT)
            && authorization
            && self.connection.are_within_bounds()
            && self.headers.len() <= Self::MOST_HEADERS
            && self.headers.iter().all(is_header)
    }
}

/// Whether a text is the name of a header field (RFC 9110 section 5.1) of at most 100 bytes.
#[must_use]
pub fn is_field_name(text: &str) -> bool {
    const LONGEST: usize = 100;
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(token)
}

/// Whether a field of this name is one of [`CheckOptions::OWN_HEADERS`].
#[must_use]
pub fn is_own(name: &str) -> bool {
    let mut own = CheckOptions::OWN_HEADERS.iter();
    own.any(|own| own.eq_ignore_ascii_case(name))
}
