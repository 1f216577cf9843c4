//! The keys of the keyboard and their names in the help.

use std::fmt;

/// One key, alone or with Ctrl.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Char(char),
    Ctrl(char),
    Enter,
    Esc,
    Tab,
    BackTab,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    Backspace,
    F(u8),
}

const NAMED: [(Key, &str); 14] = [
    (Key::Char(' '), "Space"),
    (Key::Enter, "Enter"),
    (Key::Esc, "Esc"),
    (Key::Tab, "Tab"),
    (Key::BackTab, "Shift-Tab"),
    (Key::Up, "Up"),
    (Key::Down, "Down"),
    (Key::Left, "Left"),
    (Key::Right, "Right"),
    (Key::PageUp, "PgUp"),
    (Key::PageDown, "PgDn"),
    (Key::Home, "Home"),
    (Key::End, "End"),
    (Key::Backspace, "Backspace"),
];

/// The keys of the paradigms.
pub(crate) const DIGITS: [Key; 9] = [
    Key::Char('1'),
    Key::Char('2'),
    Key::Char('3'),
    Key::Char('4'),
    Key::Char('5'),
    Key::Char('6'),
    Key::Char('7'),
    Key::Char('8'),
    Key::Char('9'),
];

/// The keys of the screens.
pub(crate) const FUNCTION: [Key; 9] = [
    Key::F(1),
    Key::F(2),
    Key::F(3),
    Key::F(4),
    Key::F(5),
    Key::F(6),
    Key::F(7),
    Key::F(8),
    Key::F(9),
];

impl Key {
    /// The key with this name, as [`fmt::Display`] writes it; `None` for an unknown name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        if let Some((key, _)) = NAMED.iter().find(|(_, known)| *known == name) {
            return Some(*key);
        }
        let mut rest = name.chars();
        match (rest.next(), rest.next()) {
            (Some(only), None) => return Some(Self::Char(only)),
            (Some('F'), Some(_)) => return name[1..].parse().ok().map(Self::F),
            _ => {}
        }
        let mut chars = name.strip_prefix("Ctrl-")?.chars();
        match (chars.next(), chars.next()) {
            (Some(only), None) => Some(Self::Ctrl(only.to_ascii_lowercase())),
            _ => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((_, name)) = NAMED.iter().find(|(key, _)| key == self) {
            return f.write_str(name);
        }
        match self {
            Self::Ctrl(char) => write!(f, "Ctrl-{}", char.to_ascii_uppercase()),
            Self::F(number) => write!(f, "F{number}"),
            Self::Char(c) => write!(f, "{c}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_by_the_name_it_prints() {
        let keys = NAMED.iter().map(|(key, _)| *key).chain([
            Key::Char('q'),
            Key::Char('F'),
            Key::Ctrl('c'),
            Key::F(12),
            Key::Char('ß'),
        ]);
        for key in keys {
            assert_eq!(Key::named(&key.to_string()), Some(key));
        }
        assert_eq!(Key::named("Ctrl-"), None);
        assert_eq!(Key::named("Fx"), None);
        assert_eq!(Key::named(""), None);
    }
}
