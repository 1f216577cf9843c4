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

/// The background of the terminal, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Background {
    /// The terminal has not said.
    #[default]
    Unknown,
    /// Light text stands on it.
    Dark,
    /// Dark text stands on it.
    Light,
}

impl Background {
    /// By the components of its colour, from 0 to 1: dark where white text is read better on it than
    /// black text (WCAG 2.2, "relative luminance").
    fn of([red, green, blue]: [f64; 3]) -> Self {
        /// Both texts have the same contrast there.
        const MIDDLE: f64 = 0.179;
        let linear = |part: f64| match part {
            ..=0.04045 => part / 12.92,
            part => ((part + 0.055) / 1.055).powf(2.4),
        };
        let luminance = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
        if luminance > MIDDLE {
            Self::Light
        } else {
            Self::Dark
        }
    }

    /// By its colour as XParseColor(3) writes it: `rgb:` or `rgba:` and one to four hexadecimal digits
    /// for each part.
    pub(super) fn reported(colour: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(colour).ok()?;
        let parts = text.strip_prefix("rgb:").or(text.strip_prefix("rgba:"))?;
        let mut parts = parts.split('/').map(|part| {
            let most = match part.len() {
                digits @ 1..=4 => (1_u32 << (4 * digits)) - 1,
                _ => return None,
            };
            let part = u32::from_str_radix(part, 16).ok()?;
            Some(f64::from(part) / f64::from(most))
        });
        let mut next = || parts.next().flatten();
        Some(Self::of([next()?, next()?, next()?]))
    }

    /// By `COLORFGBG`, which rxvt and Konsole set: numbers of colours, that of the background last.
    fn named(variable: &str) -> Self {
        match variable.rsplit(';').next().map(str::parse) {
            Some(Ok(0..=6 | 8_u8)) => Self::Dark,
            Some(Ok(7 | 9..=15)) => Self::Light,
            _ => Self::Unknown,
        }
    }
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
    /// The background that the environment names, and then the one that the terminal reports.
    pub background: Background,
    /// Whether the terminal is asked for its background.
    pub asks_background: bool,
    /// Whether the terminal is asked to report the mouse.
    pub mouse: bool,
    /// The time zone of the times on the screen.
    pub zone: TimeZone,
}

impl Options {
    /// Reads `NO_COLOR`, `TERM`, `COLORFGBG`, `SSH_CONNECTION`, `TMUX`, `STY` and the locale through
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
        // Linux's own console has no other background, and older ones show what they are asked.
        let console = term == "linux";
        let background = match environment("COLORFGBG") {
            Some(named) => Background::named(&named.to_string_lossy()),
            None if console => Background::Dark,
            None => Background::Unknown,
        };
        let is_screen = set("STY") || term.as_encoded_bytes().starts_with(b"screen");
        let multiplexer = if set("TMUX") {
            Some(Multiplexer::Tmux)
        } else {
            is_screen.then_some(Multiplexer::Screen)
        };
        let color = !set("NO_COLOR") && !dumb;
        Self {
            color,
            background,
            asks_background: color && !console,
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
    fn a_background_is_known_where_the_environment_names_it() {
        for (variables, background) in [
            (&[][..], Background::Unknown),
            (&[("COLORFGBG", "15;0")], Background::Dark),
            (&[("COLORFGBG", "0;default;15")], Background::Light),
            (&[("COLORFGBG", "default;default")], Background::Unknown),
            (&[("TERM", "linux")], Background::Dark),
        ] {
            assert_eq!(with(variables).background, background, "{variables:?}");
        }
        assert!(with(&[("TERM", "xterm")]).asks_background);
        for variables in [("TERM", "linux"), ("TERM", "dumb"), ("NO_COLOR", "1")] {
            assert!(!with(&[variables]).asks_background, "{variables:?}");
        }
    }

    #[test]
    fn a_background_is_dark_where_white_text_is_read_better() {
        let of = |hex: u32| {
            let part = |shift: u32| f64::from((hex >> shift) & 0xff) / 255.0;
            Background::of([part(16), part(8), part(0)])
        };
        for dark in [0x00_0000, 0x00_2b36, 0x1e_1e2e, 0x30_0a24] {
            assert_eq!(of(dark), Background::Dark, "{dark:06x}");
        }
        for light in [0xff_ffff, 0xfd_f6e3, 0xff_fdf5, 0xd0_d0d0] {
            assert_eq!(of(light), Background::Light, "{light:06x}");
        }
    }

    #[test]
    fn a_dumb_terminal_gets_plain_ascii() {
        let options = with(&[("TERM", "dumb"), ("SSH_CONNECTION", "a 1 b 2")]);
        assert!(!options.color && options.ascii && options.remote);
    }
}
