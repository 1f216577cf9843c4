//! A connection that was not made: one address of a host, and why nothing came of it.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::brief;

/// An attempt to connect to one address of a host (RFC 8305 section 5) that gave no connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedConnect {
    /// The address.
    pub address: IpAddr,
    /// How long the attempt lasted.
    pub took: Duration,
    /// Why there was no connection.
    pub cause: ConnectCause,
}

/// Why an attempt to connect gave no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectCause {
    /// Nothing listens there (ECONNREFUSED).
    Refused,
    /// This machine has no way to addresses of that network or family.
    NoRoute,
    /// A router, or the last network, has no way to that host.
    Unreachable,
    /// A firewall forbids it (EPERM, EACCES).
    Forbidden,
    /// Nobody answered: the system gave up, or the attempt had not ended when the request did.
    NoAnswer,
    /// The connection broke before it was used.
    Broken,
    /// This machine was out of files, memory or ports.
    OwnFault,
}

impl ConnectCause {
    /// How much it says about the site. What the other side said counts more than that this
    /// machine has no way to an address of that family; that it could not try counts most.
    #[must_use]
    pub const fn weight(self) -> u8 {
        match self {
            Self::NoRoute => 0,
            Self::Unreachable | Self::Forbidden | Self::NoAnswer => 1,
            Self::Refused | Self::Broken => 2,
            Self::OwnFault => 3,
        }
    }

    /// The cause in a few words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::NoRoute => "no way to it",
            Self::Unreachable => "unreachable",
            Self::Forbidden => "forbidden by a firewall",
            Self::NoAnswer => "no answer",
            Self::Broken => "broken off",
            Self::OwnFault => "not tried for want of means",
        }
    }
}

/// The attempts that are named in a sentence; of more only the number.
const MOST_NAMED: usize = 3;

/// Several attempts in words: `::1 refused, 192.0.2.7 no answer in 9.7s`; `None` for fewer than
/// two, of which the error says enough.
#[must_use]
pub fn failed_connects_in_words(attempts: &[FailedConnect]) -> Option<String> {
    if attempts.len() < 2 {
        return None;
    }
    let mut words = attempts
        .iter()
        .take(MOST_NAMED)
        .map(FailedConnect::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    if let more @ 1.. = attempts.len().saturating_sub(MOST_NAMED) {
        words.push_str(&format!(" and {more} more"));
    }
    Some(words)
}

impl std::fmt::Display for FailedConnect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.address, self.cause.words())?;
        if self.cause == ConnectCause::NoAnswer {
            write!(f, " in {}", brief(self.took))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(address: &str, cause: ConnectCause) -> FailedConnect {
        FailedConnect {
            address: address.parse().unwrap(),
            took: Duration::from_millis(9_700),
            cause,
        }
    }

    #[test]
    fn several_attempts_are_named_and_many_are_counted() {
        let mut attempts = vec![attempt("::1", ConnectCause::Refused)];
        assert_eq!(failed_connects_in_words(&attempts), None);
        attempts.push(attempt("192.0.2.7", ConnectCause::NoAnswer));
        assert_eq!(
            failed_connects_in_words(&attempts).unwrap(),
            "::1 refused, 192.0.2.7 no answer in 9.7s"
        );
        attempts.extend(
            [9, 10, 11].map(|last| attempt(&format!("192.0.2.{last}"), ConnectCause::NoRoute)),
        );
        assert_eq!(
            failed_connects_in_words(&attempts).unwrap(),
            "::1 refused, 192.0.2.7 no answer in 9.7s, 192.0.2.9 no way to it and 2 more"
        );
    }
}
