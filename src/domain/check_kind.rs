//! The kinds of check: what is asked at a URL, by its scheme.

use serde::{Deserialize, Serialize};

use super::MaskedUrl;

/// What a check does, by the scheme of its URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CheckKind {
    /// `http://`, `https://`: requests over HTTP.
    Http,
    /// `tcp://HOST:PORT`: a connection; a text may be sent, and one expected.
    Tcp,
    /// `tls://HOST:PORT`: a TLS handshake and the certificate of the server.
    Tls,
    /// `dns://NAME?type=A`: the records of a name.
    Dns,
    /// `ping://HOST`: an ICMP echo.
    Ping,
}

impl CheckKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Http, Self::Tcp, Self::Tls, Self::Dns, Self::Ping];

    /// The word in JSON and on screens.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Dns => "dns",
            Self::Ping => "ping",
        }
    }

    /// A URL of this kind, for messages.
    #[must_use]
    pub const fn example(self) -> &'static str {
        match self {
            Self::Http => "https://example.org",
            Self::Tcp => "tcp://db.example.org:5432",
            Self::Tls => "tls://mail.example.org:993",
            Self::Dns => "dns://example.org?type=MX",
            Self::Ping => "ping://gateway.example.org",
        }
    }

    /// The keys of a site that only some kinds have, and this one among them.
    #[must_use]
    pub const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Http => &[
                "method",
                "headers",
                "bearer",
                "basic_auth",
                "body",
                "expect_status",
                "contains",
                "contains_not",
                "matches",
                "json",
                "header",
                "max_body",
                "max_redirects",
                "user_agent",
                "verify",
                "family",
                "connect_to",
                "resolver",
                "client_cert",
                "client_key",
                "proxy",
            ],
            Self::Tcp => &[
                "send",
                "expect",
                "family",
                "connect_to",
                "resolver",
                "proxy",
            ],
            Self::Tls => &[
                "starttls",
                "verify",
                "family",
                "connect_to",
                "resolver",
                "client_cert",
                "client_key",
                "proxy",
            ],
            Self::Dns => &["expect", "resolver"],
            Self::Ping => &["family", "resolver"],
        }
    }

    /// The kind of a URL; every scheme that is no other kind's is taken for http.
    #[must_use]
    pub fn of(url: &MaskedUrl) -> Self {
        let scheme = url.expose().split("://").next().unwrap_or_default();
        let mut others = Self::ALL.into_iter().skip(1);
        others
            .find(|kind| kind.word() == scheme)
            .unwrap_or(Self::Http)
    }
}

/// The protocol in which a server is asked to begin TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StartTls {
    /// SMTP (RFC 3207).
    Smtp,
    /// IMAP (RFC 9051 section 6.2.1).
    Imap,
    /// POP3 (RFC 2595 section 4).
    Pop3,
    /// PostgreSQL's `SSLRequest`.
    Postgres,
    /// XMPP (RFC 6120 section 5).
    Xmpp,
    /// LDAP (RFC 4511 section 4.14).
    Ldap,
}

impl StartTls {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Smtp,
        Self::Imap,
        Self::Pop3,
        Self::Postgres,
        Self::Xmpp,
        Self::Ldap,
    ];

    /// The value of the key `starttls`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::Postgres => "postgres",
            Self::Xmpp => "xmpp",
            Self::Ldap => "ldap",
        }
    }
}

/// What a check of a kind other than http expects.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expected {
    /// A text: part of what came, or one of the records.
    One(Box<str>),
    /// Texts: all of them part of what came, or exactly the records.
    All(Vec<Box<str>>),
}

impl Expected {
    /// The texts.
    #[must_use]
    pub fn texts(&self) -> &[Box<str>] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::All(texts) => texts,
        }
    }
}
