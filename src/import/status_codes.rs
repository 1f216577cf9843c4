//! Sets of status codes, narrowed by one condition after another.

use std::ops::RangeInclusive;

/// Every code that a set of ours can name.
const ALL: RangeInclusive<u16> = 100..=999;

/// The codes that count as up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StatusCodes(Vec<u16>);

impl StatusCodes {
    /// All codes from 100 to 599.
    pub(super) fn all() -> Self {
        Self(ALL.collect())
    }

    /// Those that `fits` says yes to.
    pub(super) fn only(&mut self, fits: impl Fn(u16) -> bool) {
        self.0.retain(|code| fits(*code));
    }

    /// As `expect_status` has it; `None` for what we take for up without it, and for no code
    /// at all.
    ///
    /// A redirect that is named is not followed: where they are followed there, `redirects` is
    /// false, and codes of redirects are named only if nothing else is.
    pub(super) fn to_expect_status(&self, redirects: bool) -> Option<String> {
        let default = (100..=399).eq(self.0.iter().copied());
        let moved = |code: &u16| (300..=399).contains(code);
        let named = redirects || self.0.iter().all(moved);
        let codes = self.0.iter().copied().filter(|code| named || !moved(code));
        let mut ranges: Vec<(u16, u16)> = Vec::new();
        for code in codes {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == code => *last = code,
                _ => ranges.push((code, code)),
            }
        }
        let written = ranges.iter().map(|(first, last)| match first == last {
            true => first.to_string(),
            false => format!("{first}-{last}"),
        });
        let written = written.collect::<Vec<_>>().join(",");
        (!default && !written.is_empty()).then_some(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_narrow_the_set() {
        let mut codes = StatusCodes::all();
        assert_eq!(
            codes.to_expect_status(false).as_deref(),
            Some("100-299,400-999")
        );
        assert_eq!(codes.to_expect_status(true).as_deref(), Some("100-999"));
        codes.only(|code| code < 400);
        assert_eq!(codes.to_expect_status(false), None);
        codes.only(|code| code < 300 || code == 301);
        assert_eq!(codes.to_expect_status(false).as_deref(), Some("100-299"));
        codes.only(|code| code == 301);
        assert_eq!(codes.to_expect_status(false).as_deref(), Some("301"));
        codes.only(|_| false);
        assert_eq!(codes.to_expect_status(true), None);
    }
}
