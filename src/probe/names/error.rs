//! Why a name has no address here.

use std::io;

/// Why a question about a name has no answer. The later ones say more than the earlier: of
/// several name servers' failures the greatest is told.
#[derive(Debug)]
pub(in super::super) enum NameError {
    /// No name server could be reached at all.
    Unreachable,
    /// None of them answered in time.
    Silent,
    /// A name server sent something that is no DNS message.
    Garbled,
    /// The reply was cut short (TC), and the name server does not answer over TCP.
    Truncated,
    /// A name server replied with this code of RFC 1035 section 4.1.1 or its successors.
    Code(u16),
    /// The name exists and has no address (NOERROR without a record).
    NoAddress,
    /// There is no address of the family that is wanted.
    OtherFamily,
    /// The name does not exist (NXDOMAIN).
    NoSuchName,
    /// The name cannot be written as a DNS name: too long, or with an empty label.
    Unwritable,
    /// This machine lacked a file, a port or memory for asking.
    Own(io::Error),
}

/// SERVFAIL, NOTIMP and REFUSED.
pub(super) const SERVFAIL: u16 = 2;
pub(super) const NOTIMP: u16 = 4;
pub(super) const REFUSED: u16 = 5;

impl NameError {
    const fn rank(&self) -> u8 {
        match self {
            Self::Unreachable => 0,
            Self::Silent => 1,
            Self::Garbled => 2,
            Self::Truncated => 3,
            Self::Code(_) => 4,
            Self::NoAddress => 5,
            Self::OtherFamily => 6,
            Self::NoSuchName => 7,
            Self::Unwritable => 8,
            Self::Own(_) => 9,
        }
    }

    /// Of two failures the one that says more.
    pub(super) fn or(self, other: Self) -> Self {
        if other.rank() > self.rank() {
            other
        } else {
            self
        }
    }

    /// The plain sentence about it.
    pub(in super::super) fn sentence(&self) -> &'static str {
        match self {
            Self::Unreachable => "no name server can be reached",
            Self::Silent => "the name server did not answer",
            Self::Garbled => "the name server's reply cannot be read",
            Self::Truncated => {
                "the name server's reply was cut short, and it does not answer over TCP"
            }
            Self::Code(SERVFAIL) => "the name server failed (SERVFAIL)",
            Self::Code(NOTIMP) => "the name server does not know the question (NOTIMP)",
            Self::Code(REFUSED) => "the name server refused to answer (REFUSED)",
            Self::Code(_) => "the name server answered with an error",
            Self::NoAddress => "the name exists but has no address",
            Self::OtherFamily => "there is no address of the family that is wanted",
            Self::NoSuchName => "the name does not exist",
            Self::Unwritable => "the name is not a valid host name",
            Self::Own(_) => "the name could not be asked for",
        }
    }
}
