//! The sequence that puts text on the clipboard of a terminal (xterm's control sequences, OSC 52).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::options::Multiplexer;

/// The most bytes that GNU screen passes on in one string: 768, in old versions 256.
const SCREEN_CHUNK: usize = 240;

/// The bytes that ask the terminal to copy `text`. tmux takes them for itself where its option
/// `set-clipboard` is `on`. GNU screen drops them, but passes on what stands in a device control
/// string (DCS): it gets both, because `TERM=screen` may as well be a tmux on another machine,
/// which drops the string.
pub(super) fn copy(text: &str, multiplexer: Option<Multiplexer>) -> Vec<u8> {
    let plain = format!("\x1b]52;c;{}\x07", BASE64_STANDARD.encode(text)).into_bytes();
    if multiplexer != Some(Multiplexer::Screen) {
        return plain;
    }
    let mut both = plain.clone();
    for chunk in plain.chunks(SCREEN_CHUNK) {
        both.extend_from_slice(b"\x1bP");
        both.extend_from_slice(chunk);
        both.extend_from_slice(b"\x1b\\");
    }
    both
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_sent_in_base64() {
        for inside in [None, Some(Multiplexer::Tmux)] {
            assert_eq!(copy("curl -sS", inside), b"\x1b]52;c;Y3VybCAtc1M=\x07");
        }
    }

    #[test]
    fn screen_passes_on_strings_that_are_short_enough() {
        let text = "é".repeat(500);
        let plain = copy(&text, None);
        let both = copy(&text, Some(Multiplexer::Screen));
        let strings = both.strip_prefix(&plain[..]).unwrap();
        let mut passed = Vec::new();
        for string in strings
            .split(|byte| *byte == 0x1b)
            .filter(|part| part.len() > 1)
        {
            // What follows ESC: P and a part, or ] and the first part.
            assert!(string.len() <= SCREEN_CHUNK + 1, "{}", string.len());
            passed.extend_from_slice(string.strip_prefix(b"P").unwrap_or(string));
        }
        assert_eq!(passed, &plain[1..]);
    }
}
