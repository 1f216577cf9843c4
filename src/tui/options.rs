//! The options of the terminal, read once at the start.

use std::ffi::OsString;

use jiff::tz::TimeZone;

use crate::domain::is_utf8_locale;

/// A program between this one and the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Multiplexer {
    /// tmux, whose server is reached from here.
    Tmux,
    /// GNU screen, or something that calls itself so.
    Screen,
}

/// The options that the environment and the command line set.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether colours are used.
    pub color: bool,
    /// Whether only ASCII characters are drawn.
    pub ascii: bool,
    /// Whether the terminal is reached over ssh, so that fewer frames are drawn.
    pub remote: bool,
    /// What stands between the program and the terminal, as far as it is known.
    pub multiplexer: Option<Multiplexer>,
    /// Whether the terminal is asked to report the mouse.
    pub mouse: bool,
    /// The time zone of the times on the screen.
    pub zone: TimeZone,
}

impl Options {
    /// Reads `NO_COLOR`, `TERM`, `SSH_CONNECTION`, `TMUX`, `STY` and the locale through
    /// `environment`; `ascii` is the option `--ascii` of the command line.
    #[must_use]
    pub fn new(
        ascii: bool,
        zone: TimeZone,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Self {
        let set = |name| environment(name).is_some_and(|value| !value.is_empty());
        let term = environment("TERM").unwrap_or_default();
        let dumb = term == "dumb";
        let is_screen = set("STY") || term.as_encoded_bytes().starts_with(b"screen");
        let multiplexer = if set("TMUX") {
            Some(Multiplexer::Tmux)
        } else {
            is_screen.then_some(Multiplexer::Screen)
        };
        Self {
            color: !set("NO_COLOR") && !dumb,
            ascii: ascii || dumb || !is_utf8_locale(&environment),
            remote: set("SSH_CONNECTION"),
            multiplexer,
            mouse: !dumb,
            zone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Options {
        Options::new(false, TimeZone::UTC, |name| {
            variables
                .iter()
                .find(|(variable, _)| *variable == name)
                .map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn an_ordinary_terminal_gets_everything() {
        let options = with(&[("TERM", "xterm-256color"), ("LANG", "en_US.UTF-8")]);
        assert!(options.color && !options.ascii && !options.remote);
        assert_eq!(options.multiplexer, None);
    }

    #[test]
    fn no_color_counts_only_when_it_is_not_empty() {
        assert!(!with(&[("NO_COLOR", "1")]).color);
        assert!(with(&[("NO_COLOR", "")]).color);
    }

    #[test]
    fn a_locale_without_utf_8_gets_ascii() {
        for variables in [
            &[][..],
            &[("LANG", "C")],
            &[("LANG", "de_DE.ISO-8859-1")],
            &[("LANG", "C.UTF-8"), ("LC_ALL", "POSIX")],
            &[("LANG", "C.UTF-8"), ("LC_CTYPE", "ja_JP.eucJP")],
        ] {
            assert!(with(variables).ascii, "{variables:?}");
        }
        for variables in [
            &[("LANG", "C.utf8")][..],
            &[("LANG", "C"), ("LC_ALL", ""), ("LC_CTYPE", "UTF-8")],
            &[("LANG", "C"), ("LC_CTYPE", "C"), ("LC_ALL", "C.UTF-8")],
        ] {
            assert!(!with(variables).ascii, "{variables:?}");
        }
    }

    #[test]
    fn what_stands_before_the_terminal_is_known_by_its_variables() {
        let tmux = [("TMUX", "/tmp/tmux-0/default,1,0"), ("TERM", "screen")];
        assert_eq!(with(&tmux).multiplexer, Some(Multiplexer::Tmux));
        for screen in [("STY", "1.pts-0.host"), ("TERM", "screen.xterm-256color")] {
            assert_eq!(with(&[screen]).multiplexer, Some(Multiplexer::Screen));
        }
    }

    #[test]
    fn a_dumb_terminal_gets_plain_ascii() {
        let options = with(&[("TERM", "dumb"), ("SSH_CONNECTION", "a 1 b 2")]);
        assert!(!options.color && options.ascii && options.remote);
    }
}
