//! Reasons as small numbers: what a column of a row in `results` holds.
//!
//! SQLite keeps 0 and 1 in no byte at all, so these stand for what is most common.

use crate::domain::{Reason, Verdict};

/// Every reason by its number, from 1 on; 0 is "up". The numbers are part of the file's
/// format: a new one goes to the end.
pub(super) const REASONS: [Reason; 13] = [
    Reason::Status,
    Reason::Timeout,
    Reason::Dns,
    Reason::Refused,
    Reason::Unreachable,
    Reason::Tls,
    Reason::Closed,
    Reason::Protocol,
    Reason::Redirect,
    Reason::Content,
    Reason::Slow,
    Reason::Certificate,
    Reason::Internal,
];

/// The number of a reason; 0 for none.
pub(super) fn code(reason: Option<Reason>) -> u8 {
    reason
        .and_then(|reason| REASONS.iter().position(|known| *known == reason))
        .and_then(|place| u8::try_from(place + 1).ok())
        .unwrap_or(0)
}

/// What a number says of a look.
pub(super) fn verdict(code: u8) -> Verdict {
    reason(code).map_or(Verdict::Up, Reason::verdict)
}

/// The reason of a number; `None` for "up" and for numbers of the future.
pub(super) fn reason(code: u8) -> Option<Reason> {
    REASONS.get(usize::from(code).checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_number_and_comes_back() {
        assert_eq!(code(None), 0);
        for known in REASONS {
            assert_eq!(reason(code(Some(known))), Some(known));
            assert_eq!(verdict(code(Some(known))), known.verdict());
        }
        assert_eq!(verdict(0), Verdict::Up);
        assert_eq!(reason(200), None);
    }
}
