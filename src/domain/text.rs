//! Text that came from outside, made safe to show, store and send; and what a terminal can show.

use std::ffi::OsString;

/// The longest sentence of an error, in characters.
pub const MAX_SENTENCE: usize = 400;

/// Whether a character could move the cursor, colour the screen or turn the reading order.
#[must_use]
pub const fn is_unsafe(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}'            // C0, DEL, C1
        | '\u{61c}' | '\u{200e}' | '\u{200f}'                // bidirectional marks
        | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'  // embeddings, overrides, isolates
        | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// `text` without control and bidirectional characters, at most `most` characters long.
///
/// Each run of them becomes one blank; a cut is marked by "…".
#[must_use]
pub fn clean(text: &str, most: usize) -> String {
    if text.len() <= most && is_plain(text) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len().min(most * 4));
    let mut length = 0;
    let mut blank = true;
    for c in text.chars() {
        let c = if is_unsafe(c) { ' ' } else { c };
        if c == ' ' && blank {
            continue;
        }
        if length == most {
            out.pop();
            out.push('…');
            return out;
        }
        blank = c == ' ';
        out.push(c);
        length += 1;
    }
    out.truncate(out.trim_end().len());
    out
}

/// Whether a text is printable ASCII with single blanks between words: nearly all that is shown is.
fn is_plain(text: &str) -> bool {
    let mut before = b' ';
    let plain = text.bytes().all(|byte| {
        let last = std::mem::replace(&mut before, byte);
        byte.is_ascii_graphic() || (byte == b' ' && last != b' ')
    });
    plain && before != b' '
}

/// [`clean`] at the length of an error's sentence.
#[must_use]
pub fn sentence(text: &str) -> Box<str> {
    clean(text, MAX_SENTENCE).into_boxed_str()
}

/// A count with its thousands separated: "100,000".
#[must_use]
pub fn count(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or(u64::MAX).to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count and its noun: "1 site", "1,000 sites", "3 tries", "4 processes".
///
/// `noun` is the singular; it may have words before it, such as "good check".
#[must_use]
pub fn plural(number: impl TryInto<u64>, noun: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    format!("{} {}", count(number), noun_of(number, noun))
}

/// The noun of a number of things: `noun` itself of one, else its plural.
#[must_use]
pub fn noun_of(number: impl TryInto<u64>, noun: &str) -> String {
    if number.try_into().is_ok_and(|number| number == 1) {
        return noun.to_owned();
    }
    let ends = |endings: &[&str]| endings.iter().any(|ending| noun.ends_with(ending));
    match noun.strip_suffix('y') {
        Some(stem) if !ends(&["ay", "ey", "oy", "uy"]) => format!("{stem}ies"),
        _ if ends(&["s", "x", "ch", "sh"]) => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

/// Whether the locale that `environment` names has UTF-8: by the first of `LC_ALL`, `LC_CTYPE`
/// and `LANG` that is set and not empty (POSIX, "Internationalization variables"). Without any of
/// them it is the locale C, which has ASCII alone.
#[must_use]
pub fn is_utf8_locale(environment: impl Fn(&str) -> Option<OsString>) -> bool {
    let mut names = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter();
    let locale = names.find_map(|name| environment(name).filter(|value| !value.is_empty()));
    locale.is_some_and(|locale| {
        let locale = locale.to_string_lossy().to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escape_sequences_and_overrides_lose_their_power() {
        assert_eq!(clean("a\u{1b}[31mred\u{9b}0m", 99), "a [31mred 0m");
        assert_eq!(clean("abc\u{202e}gpj.exe", 99), "abc gpj.exe");
        assert_eq!(clean("  two \r\n\t lines  ", 99), "two lines");
    }

    #[test]
    fn a_noun_follows_its_number() {
        for (number, noun, text) in [
            (0, "site", "0 sites"),
            (1, "site", "1 site"),
            (2, "try", "2 tries"),
            (1, "try", "1 try"),
            (3, "day", "3 days"),
            (4, "process", "4 processes"),
            (2, "switch", "2 switches"),
            (1_000_000, "good check", "1,000,000 good checks"),
        ] {
            assert_eq!(plural(number, noun), text);
        }
        assert_eq!(count(999_u64), "999");
        assert_eq!(count(1_000_u32), "1,000");
    }

    #[test]
    fn a_cut_is_marked_and_within_the_length() {
        assert_eq!(clean("abcdef", 4), "abc…");
        assert_eq!(clean("abcd", 4), "abcd");
    }

    proptest! {
        #[test]
        fn a_plain_text_is_what_would_come_out(text in "[ -~]{0,12}") {
            let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
            prop_assert_eq!(clean(&text, 99), words.join(" "));
        }

        #[test]
        fn nothing_unsafe_and_nothing_too_long_comes_out(text in any::<String>(), most in 1_usize..500) {
            let cleaned = clean(&text, most);
            prop_assert!(cleaned.chars().count() <= most);
            prop_assert!(!cleaned.chars().any(is_unsafe));
        }
    }
}
