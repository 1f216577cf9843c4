//! The keys that escape sequences and control characters stand for (xterm's control sequences,
//! "Function keys"; console_codes(4); rxvt; modifyOtherKeys; CSI u).
//!
//! Ctrl and Shift count only with characters; a key with Alt has no action.

use super::key::Key;

/// The bits of a modifier, whose number is one more than their sum.
const SHIFT: i64 = 1;
const ALT: i64 = 2;
const CTRL: i64 = 4;

/// The key of a control character (C0); `None` for one that no keyboard sends.
pub(super) fn control(byte: u8) -> Option<Key> {
    Some(match byte {
        b'\r' => Key::Enter,
        b'\t' => Key::Tab,
        0 => Key::Ctrl(' '),
        1..=26 => Key::Ctrl(char::from(byte - 1 + b'a')),
        28..=31 => Key::Ctrl(char::from(byte - 28 + b'4')),
        _ => return None,
    })
}

/// The key behind SS3.
pub(super) fn ss3(byte: u8) -> Option<Key> {
    match byte {
        b'M' => Some(Key::Enter),
        b'P'..=b'S' => Some(Key::F(byte - b'P' + 1)),
        _ => cursor(byte),
    }
}

/// The key that a last byte alone names.
fn cursor(byte: u8) -> Option<Key> {
    Some(match byte {
        // rxvt writes them small with Shift or Ctrl.
        b'A' | b'a' => Key::Up,
        b'B' | b'b' => Key::Down,
        b'C' | b'c' => Key::Right,
        b'D' | b'd' => Key::Left,
        b'F' => Key::End,
        b'H' => Key::Home,
        _ => return None,
    })
}

/// The key of a sequence behind CSI with these numbers and this last byte; `None` for the
/// reports and answers of a terminal.
pub(super) fn csi(numbers: &[i64], last: u8) -> Option<Key> {
    let number = |place: usize| numbers.get(place).copied().unwrap_or(0);
    let (first, second) = (number(0), number(1));
    let key = match last {
        b'u' => return character(first, second),
        // modifyOtherKeys
        b'~' if first == 27 => return character(number(2), second),
        // rxvt ends with ^ for Ctrl, with @ for both.
        b'~' | b'^' | b'@' => numbered(first)?,
        b'Z' => Key::BackTab,
        // The same with numbers is the position of the cursor (CPR).
        b'R' if numbers.is_empty() => Key::F(3),
        b'P' | b'Q' | b'S' if first <= 1 => Key::F(last - b'P' + 1),
        // Answers end like that as well, with other numbers.
        _ if first <= 1 && numbers.len() <= 2 => cursor(last)?,
        _ => return None,
    };
    (second >= 0 && (second - 1).max(0) & ALT == 0).then_some(key)
}

/// The key of a sequence that ends with `~`.
fn numbered(number: i64) -> Option<Key> {
    Some(match number {
        1 | 7 => Key::Home,
        3 => Key::Backspace,
        4 | 8 => Key::End,
        5 => Key::PageUp,
        6 => Key::PageDown,
        _ => {
            let place = FUNCTION_KEYS.iter().position(|known| *known == number)?;
            Key::F(u8::try_from(place + 1).ok()?)
        }
    })
}

/// The numbers of F1 to F20: DEC's keyboard has gaps between them.
const FUNCTION_KEYS: [i64; 20] = [
    11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 23, 24, 25, 26, 28, 29, 31, 32, 33, 34,
];

/// The key of a character with modifiers.
fn character(code: i64, modifier: i64) -> Option<Key> {
    let has = |bit| (modifier - 1).max(0) & bit != 0;
    if modifier < 0 || has(ALT) {
        return None;
    }
    let character = char::from_u32(u32::try_from(code).ok()?)?;
    Some(match character {
        '\x1b' => Key::Esc,
        '\t' if has(SHIFT) => Key::BackTab,
        '\t' => Key::Tab,
        '\r' => Key::Enter,
        '\x7f' | '\x08' => Key::Backspace,
        _ if character.is_control() => return None,
        // Where kitty keeps keys that are no characters.
        '\u{e000}'..='\u{f8ff}' => return None,
        _ if has(CTRL) => Key::Ctrl(character.to_ascii_lowercase()),
        _ if has(SHIFT) => Key::Char(character.to_ascii_uppercase()),
        _ => Key::Char(character),
    })
}
