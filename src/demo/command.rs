//! The commands that the monitor sends to the demo server, one a line.

use std::fmt;

/// One command to the demo server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DemoCommand<'a> {
    /// Let a site fail.
    Break(&'a str),
    /// Make a site well, whatever it was.
    Mend(&'a str),
}

impl<'a> DemoCommand<'a> {
    /// Reads "break NAME" or "mend NAME"; `None` for anything else.
    pub(super) fn parse(line: &'a str) -> Option<Self> {
        let (verb, name) = line.trim().split_once(' ')?;
        match (verb, name.trim()) {
            (_, "") => None,
            ("break", name) => Some(Self::Break(name)),
            ("mend", name) => Some(Self::Mend(name)),
            _ => None,
        }
    }
}

impl fmt::Display for DemoCommand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Break(name) => write!(f, "break {name}"),
            Self::Mend(name) => write!(f, "mend {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_read_as_they_are_written() {
        for command in [DemoCommand::Break("shop"), DemoCommand::Mend("my site")] {
            assert_eq!(DemoCommand::parse(&command.to_string()), Some(command));
        }
        assert_eq!(
            DemoCommand::parse("mend pay\r\n"),
            Some(DemoCommand::Mend("pay"))
        );
        for bad in ["", "break", "break ", "burn shop", "shop"] {
            assert_eq!(DemoCommand::parse(bad), None, "{bad}");
        }
    }
}
