//! Stored codes of reasons: what the column `reason` of the table `results` holds.
//!
//! SQLite stores the integers 0 and 1 without a byte of payload, so these two stand for the
//! most common results.

use crate::domain::{Reason, Verdict};

/// The code of a check that found its site up.
const UP: u8 = 0;

/// Declares the codes once: the match from a reason is exhaustive, so a new reason does not
/// compile until it has a code, and the match from a code has the same pairs.
macro_rules! reason_codes {
    ($($reason:ident = $code:literal),+ $(,)?) => {
        /// Every reason with its stored code.
        pub(super) const REASONS: &[(u8, Reason)] = &[$(($code, Reason::$reason)),+];

        /// The stored code of a reason; 0 for none, which is "up".
        pub(super) const fn code(reason: Option<Reason>) -> u8 {
            match reason {
                None => UP,
                $(Some(Reason::$reason) => $code),+
            }
        }

        /// The reason of a stored code; `None` for 0, which is "up". A code that no version
        /// has written is read as [`Reason::Internal`]: what was found is not known.
        pub(super) const fn reason(code: u8) -> Option<Reason> {
            match code {
                UP => None,
                $($code => Some(Reason::$reason),)+
                _ => Some(Reason::Internal),
            }
        }
    };
}

// The codes are part of the file's format: a released one is never changed or reused. A new
// reason gets the next free code and a migration step, which writes it into `reasons` and
// makes older versions refuse the file.
reason_codes! {
    Status = 1,
    Timeout = 2,
    Dns = 3,
    Refused = 4,
    Unreachable = 5,
    Tls = 6,
    Closed = 7,
    Protocol = 8,
    Redirect = 9,
    Content = 10,
    Slow = 11,
    Certificate = 12,
    Internal = 13,
}

/// The verdict of a stored code.
pub(super) fn verdict(code: u8) -> Verdict {
    reason(code).map_or(Verdict::Up, Reason::verdict)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_code_of_its_own_and_comes_back() {
        assert_eq!((code(None), reason(0), verdict(0)), (0, None, Verdict::Up));
        for (place, (stored, known)) in REASONS.iter().enumerate() {
            assert_eq!(usize::from(*stored), place + 1);
            assert_eq!(code(Some(*known)), *stored);
            assert_eq!(reason(*stored), Some(*known));
            assert_eq!(verdict(*stored), known.verdict());
        }
    }

    #[test]
    fn a_code_of_no_version_is_not_up() {
        assert_eq!(verdict(200), Verdict::Unknown);
    }
}
