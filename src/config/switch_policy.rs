//! `switch`: what a digit key does to a running monitor.

use super::value_parsers::{self, Parsed};

/// The effect of a digit key on a running monitor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SwitchPolicy {
    /// Switches to the paradigm of that digit.
    #[default]
    Free,
    /// Asks first where that paradigm cannot check all sites at their intervals.
    Ask,
    /// No paradigm can be chosen by a digit.
    Off,
}

impl SwitchPolicy {
    /// The words of `switch`.
    const WORDS: [&str; 3] = ["free", "ask", "off"];

    pub(super) fn parse(word: &str) -> Parsed<Self> {
        match word {
            "free" => Ok(Self::Free),
            "ask" => Ok(Self::Ask),
            "off" => Ok(Self::Off),
            _ => Err(value_parsers::none_of(word, &Self::WORDS)),
        }
    }
}
