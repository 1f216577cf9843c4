//! Reads keys, the mouse, pastes and focus from the bytes of a terminal, however they are parted.
//!
//! crossterm's parser takes what one `read` gave for a whole: a sequence that arrives in two
//! reads (ssh, tmux since 3.5, serial lines) becomes the key Esc and its rest typed text, and so
//! does an answer of the terminal that it does not know. It is private and cannot be fed;
//! termina publishes it with the same faults, and termwiz's knows only the keys of its list and
//! brings sixty crates. vtparse is the state machine of a terminal itself: it reads every
//! sequence to its end, known or not, and says whether one is under way. What a sequence means,
//! and how long its rest is waited for, is decided here. No clock is read.

use std::time::Duration;

use vtparse::{CsiParam, VTActor, VTParser};

use super::input::{InputKind, MouseInput};
use super::key::Key;
use super::key_sequences::{control, csi, ss3};
use super::options::Background;

const ESC: u8 = 0x1b;
const CTRL_C: u8 = 0x03;
/// Begins a bracketed paste, behind CSI (xterm's control sequences, "Bracketed Paste Mode").
const PASTE: i64 = 200;
/// The sequence that ends a paste.
const PASTE_END: &[u8] = b"\x1b[201~";
/// The most bytes of a paste that are kept.
const MAX_PASTE: usize = 1 << 20;
/// The most bytes of an answer that the state machine stores.
const MAX_ANSWER: usize = 1 << 12;
/// How long the rest of a sequence may be late behind an Esc that was believed.
const LATE_REST: Duration = Duration::from_secs(1);
/// How long a key that may begin such a rest waits for more of it.
const LATE_HOLD: Duration = Duration::from_millis(200);
/// How long two bytes may stand alone that begin a sequence, or are a key with Alt.
const LONE_INTRODUCER: Duration = Duration::from_secs(1);
/// How long the rest of a longer sequence is waited for.
const LATE_END: Duration = Duration::from_secs(5);

/// The parser. It is fed what was read, and told when nothing came for as long as it waits.
pub(super) struct InputParser {
    machine: VTParser,
    stage: Stage,
    /// How long an Esc waits for the rest of a sequence before it is a key.
    hold: Duration,
    inputs: Vec<InputKind>,
}

/// What the next byte belongs to.
#[derive(Debug, PartialEq)]
enum Stage {
    /// Outside of any sequence: a byte is a key.
    Ground,
    /// A key of its own, or the late rest of a sequence whose Esc was told as a key.
    Late,
    /// The byte that may begin such a rest was held back: the next one tells.
    LateHeld(u8),
    /// A character of several bytes (UTF-8).
    Character,
    /// A sequence, which the machine reads: its second byte (0 if there is none yet), the number
    /// of its bytes, and whether an Esc ends its string.
    Sequence {
        second: u8,
        length: usize,
        ends: bool,
    },
    /// A key behind ESC O (SS3).
    SingleShift,
    /// A function key of Linux's console, behind CSI [.
    Console,
    /// The button and the position of a mouse in three bytes, behind CSI M: those that came.
    Mouse(Vec<u8>),
    /// Pasted text, and how many bytes of its end have come.
    Paste { text: Vec<u8>, ended: usize },
}

impl InputParser {
    /// A parser that takes an Esc for a key if nothing follows it for `hold`.
    pub(super) fn new(hold: Duration) -> Self {
        Self {
            machine: VTParser::new(),
            stage: Stage::Ground,
            hold,
            inputs: Vec::new(),
        }
    }

    /// Reads bytes; gives the inputs that are complete.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<InputKind> {
        for byte in bytes {
            self.byte(*byte);
        }
        std::mem::take(&mut self.inputs)
    }

    /// For how long more bytes are waited for, counted from the last one, until
    /// [`timeout`](Self::timeout) has to be called; `None` for as long as it takes.
    pub(super) fn waits(&self) -> Option<Duration> {
        match self.stage {
            Stage::Ground | Stage::Paste { .. } => None,
            Stage::Late => Some(LATE_REST),
            Stage::LateHeld(_) => Some(LATE_HOLD),
            Stage::Character | Stage::Sequence { second: 0, .. } => Some(self.hold),
            Stage::Sequence {
                length: 3..,
                ends: false,
                ..
            } => Some(LATE_END),
            Stage::Sequence { .. } | Stage::SingleShift | Stage::Console | Stage::Mouse(_) => {
                Some(LONE_INTRODUCER)
            }
        }
    }

    /// Nothing has come for that long; gives what the bytes so far mean by themselves.
    pub(super) fn timeout(&mut self) -> Vec<InputKind> {
        match std::mem::replace(&mut self.stage, Stage::Ground) {
            Stage::Sequence { second: 0, .. } => {
                self.machine = VTParser::new();
                self.tell(Key::Esc);
                self.stage = Stage::Late;
            }
            Stage::LateHeld(byte) => self.byte(byte),
            Stage::Paste { text, ended } => self.stage = Stage::Paste { text, ended },
            _ => self.machine = VTParser::new(),
        }
        std::mem::take(&mut self.inputs)
    }

    fn tell(&mut self, key: Key) {
        self.inputs.push(InputKind::Key(key));
    }

    fn byte(&mut self, byte: u8) {
        match std::mem::replace(&mut self.stage, Stage::Ground) {
            Stage::Late if continues(byte, None) => self.stage = Stage::LateHeld(byte),
            Stage::Ground | Stage::Late => self.machine_reads(byte),
            Stage::LateHeld(held) => {
                if continues(held, Some(byte)) {
                    self.byte(ESC);
                }
                self.byte(held);
                self.byte(byte);
            }
            Stage::Character if !matches!(byte, 0x80..=0xbf) => {
                // The one before was no UTF-8.
                self.machine = VTParser::new();
                self.byte(byte);
            }
            Stage::Character => self.machine_reads(byte),
            Stage::Sequence { second: 0, .. } if byte == ESC => {
                self.tell(Key::Esc);
                self.machine_reads(ESC);
            }
            Stage::Sequence {
                second, length: 2, ..
            } if is_string(second) && !continues(second, Some(byte)) => {
                // A key with Alt, which has no action, and another key.
                self.machine = VTParser::new();
                self.byte(byte);
            }
            Stage::Sequence { second, .. } if is_string(second) && byte == CTRL_C => {
                // Whatever is under way, there is a way out.
                self.machine = VTParser::new();
                self.byte(byte);
            }
            Stage::Sequence {
                second,
                length,
                ends,
            } => self.sequence(byte, second, length, ends),
            Stage::SingleShift if byte < b' ' => self.byte(byte),
            // The number of a modifier may stand before the key.
            Stage::SingleShift if byte.is_ascii_digit() => self.stage = Stage::SingleShift,
            Stage::SingleShift => self.inputs.extend(ss3(byte).map(InputKind::Key)),
            Stage::Console => {
                if let b'A'..=b'E' = byte {
                    self.tell(Key::F(byte - b'A' + 1));
                }
            }
            Stage::Mouse(mut report) => {
                report.push(byte);
                match report[..] {
                    // Each is 32 more than its value.
                    [button, column, row] => {
                        let [button, column, row] =
                            [button, column, row].map(|byte| i64::from(byte) - 32);
                        let mouse = MouseInput::report(button, column, row);
                        self.inputs.extend(mouse.map(InputKind::Mouse));
                    }
                    _ => self.stage = Stage::Mouse(report),
                }
            }
            Stage::Paste { mut text, ended } => {
                let ended = match PASTE_END.get(ended) {
                    Some(next) if *next == byte => ended + 1,
                    _ => usize::from(byte == ESC),
                };
                if text.len() < MAX_PASTE {
                    text.push(byte);
                }
                if ended < PASTE_END.len() {
                    self.stage = Stage::Paste { text, ended };
                    return;
                }
                let text = text.strip_suffix(PASTE_END).unwrap_or(&text);
                let text = String::from_utf8_lossy(text).into_owned();
                self.inputs.push(InputKind::Paste(text));
            }
        }
    }

    /// A byte of a sequence that has begun.
    fn sequence(&mut self, byte: u8, second: u8, length: usize, ends: bool) {
        let (second, mut length) = match length {
            1 => (byte, 2),
            _ => (second, length + 1),
        };
        if length > MAX_ANSWER && is_string(second) {
            // The machine stores what it has read so far: it begins anew.
            self.machine = VTParser::new();
            self.machine.parse(&[ESC, second], &mut Actor::default());
            length = 3;
        }
        let ends = ends || (is_string(second) && byte == ESC);
        self.stage = Stage::Sequence {
            second,
            length,
            ends,
        };
        self.machine_reads(byte);
    }

    /// Gives the machine a byte, and takes what it made of it.
    fn machine_reads(&mut self, byte: u8) {
        let mut actor = Actor::default();
        self.machine.parse_byte(byte, &mut actor);
        if self.machine.is_ground() {
            self.stage = Stage::Ground;
        } else if byte == ESC && self.stage == Stage::Ground {
            self.stage = Stage::Sequence {
                second: 0,
                length: 1,
                ends: false,
            };
        } else if self.stage == Stage::Ground {
            self.stage = Stage::Character;
        }
        self.inputs
            .extend(actor.keys.into_iter().map(InputKind::Key));
        match actor.sequence {
            None => {}
            Some(Told::SingleShift) => self.stage = Stage::SingleShift,
            Some(Told::Background(background)) => {
                self.inputs.push(InputKind::Background(background));
            }
            Some(Told::Mouse(numbers)) => {
                if let [button, column, row] = numbers[..] {
                    let mouse = MouseInput::report(button, column, row);
                    self.inputs.extend(mouse.map(InputKind::Mouse));
                }
            }
            Some(Told::Csi(numbers, last)) => match (&numbers[..], last) {
                ([], b'[') => self.stage = Stage::Console,
                ([], b'M') => self.stage = Stage::Mouse(Vec::new()),
                ([PASTE], b'~') => {
                    self.stage = Stage::Paste {
                        text: Vec::new(),
                        ended: 0,
                    }
                }
                ([], b'I' | b'O') => self.inputs.push(InputKind::Focus(last == b'I')),
                _ => self.inputs.extend(csi(&numbers, last).map(InputKind::Key)),
            },
        }
    }
}

/// Whether a second byte begins a string, which ends with ST: DCS, SOS, OSC, PM, APC.
const fn is_string(second: u8) -> bool {
    matches!(second, b'P' | b'X' | b']' | b'^' | b'_')
}

/// Whether these may be the second and the third byte of a sequence that a terminal sends: of a
/// key, a report (CSI), or an answer (OSC, DCS, APC).
fn continues(second: u8, third: Option<u8>) -> bool {
    let Some(third) = third else {
        return matches!(second, b'[' | b'O' | b']' | b'P' | b'_');
    };
    match second {
        b'[' => matches!(third, b' '..=b'~'),
        b'O' => ss3(third).is_some() || third.is_ascii_digit(),
        b']' => third.is_ascii_digit() || matches!(third, b'l' | b'L'),
        b'P' => third.is_ascii_digit() || matches!(third, b'!' | b'>' | b'$' | b'+'),
        b'_' => third == b'G',
        _ => false,
    }
}

/// What the machine read last.
#[derive(Default)]
struct Actor {
    keys: Option<Key>,
    sequence: Option<Told>,
}

/// A sequence that has an input.
enum Told {
    /// ESC O (SS3).
    SingleShift,
    /// CSI with its numbers and its last byte.
    Csi(Vec<i64>, u8),
    /// The colour of the background (OSC 11).
    Background(Background),
    /// A button of the mouse that was pressed, and where (SGR reports, private mode 1006).
    Mouse(Vec<i64>),
}

impl VTActor for Actor {
    fn print(&mut self, character: char) {
        // What is no UTF-8 is no key.
        if character != char::REPLACEMENT_CHARACTER {
            self.keys = Some(match character {
                '\x7f' => Key::Backspace,
                character => Key::Char(character),
            });
        }
    }

    fn execute_c0_or_c1(&mut self, byte: u8) {
        self.keys = control(byte);
    }

    fn esc_dispatch(&mut self, _: &[i64], intermediates: &[u8], _: bool, byte: u8) {
        // Any other is a key with Alt, which has no action, or the end of a string.
        if (intermediates, byte) == (&[], b'O') {
            self.sequence = Some(Told::SingleShift);
        }
    }

    fn csi_dispatch(&mut self, params: &[CsiParam], truncated: bool, byte: u8) {
        // Behind `?`, `<`, `=`, `>` are the answers of terminals, and no key.
        if let ([CsiParam::P(b'<'), report @ ..], b'M', false) = (params, byte, truncated) {
            self.sequence = Some(Told::Mouse(numbers(report)));
        }
        let private = matches!(params.first(), Some(CsiParam::P(b'<'..=b'?')));
        let intermediate = matches!(params.last(), Some(CsiParam::P(b' '..=b'/')));
        if !private && !intermediate && !truncated {
            self.sequence = Some(Told::Csi(numbers(params), byte));
        }
    }

    fn dcs_hook(&mut self, _: u8, _: &[i64], _: &[u8], _: bool) {}

    fn dcs_put(&mut self, _: u8) {}

    fn dcs_unhook(&mut self) {}

    fn osc_dispatch(&mut self, params: &[&[u8]]) {
        if let [b"11", colour] = params {
            self.sequence = Background::reported(colour).map(Told::Background);
        }
    }

    fn apc_dispatch(&mut self, _: Vec<u8>) {}
}

/// The numbers between semicolons, 0 where none is given. Of several between colons the first
/// counts; `-1` in its place for the release of a key (kitty's keyboard protocol).
fn numbers(params: &[CsiParam]) -> Vec<i64> {
    if params.is_empty() {
        return Vec::new();
    }
    let parts = params.split(|param| matches!(param, CsiParam::P(b';')));
    let number = |part: &[CsiParam]| match part {
        [
            CsiParam::Integer(_),
            CsiParam::P(b':'),
            CsiParam::Integer(3),
        ] => -1,
        [CsiParam::Integer(number), ..] => *number,
        _ => 0,
    };
    parts.map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::super::input::MouseKind;
    use super::*;
    use proptest::prelude::*;

    const HOLD: Duration = Duration::from_millis(50);

    /// What is read of pieces that come with this pause between two of them.
    fn read(pieces: &[&[u8]], pause: Duration) -> Vec<InputKind> {
        let mut parser = InputParser::new(HOLD);
        let mut inputs = Vec::new();
        for piece in pieces {
            inputs.extend(parser.feed(piece));
            let mut left = pause;
            while let Some(wait) = parser.waits().filter(|wait| *wait <= left) {
                left -= wait;
                inputs.extend(parser.timeout());
            }
        }
        inputs
    }

    fn whole(bytes: &[u8]) -> Vec<InputKind> {
        read(&[bytes], 2 * LATE_REST)
    }

    fn key(name: &str) -> InputKind {
        InputKind::Key(Key::named(name).unwrap())
    }

    /// What keyboards send, and what it is.
    const KEYS: [(&str, &str); 45] = [
        ("q", "q"),
        ("\r", "Enter"),
        ("\t", "Tab"),
        ("\x7f", "Backspace"),
        ("\x08", "Ctrl-H"),
        ("\x03", "Ctrl-C"),
        ("\0", "Ctrl- "),
        ("\x1b", "Esc"),
        ("ß", "ß"),
        ("£", "£"),
        ("日", "日"),
        ("\u{1f980}", "\u{1f980}"),
        ("\x1b[A", "Up"),
        ("\x1bOA", "Up"),
        ("\x1b[1;5A", "Up"),
        ("\x1bO5A", "Up"),
        ("\x1b[a", "Up"),
        ("\x1b[B", "Down"),
        ("\x1b[C", "Right"),
        ("\x1b[D", "Left"),
        ("\x1b[H", "Home"),
        ("\x1b[1~", "Home"),
        ("\x1b[7~", "Home"),
        ("\x1bOF", "End"),
        ("\x1b[4~", "End"),
        ("\x1b[5~", "PgUp"),
        ("\x1b[6;5~", "PgDn"),
        ("\x1b[6^", "PgDn"),
        ("\x1b[3~", "Backspace"),
        ("\x1b[Z", "Shift-Tab"),
        ("\x1bOP", "F1"),
        ("\x1b[11~", "F1"),
        ("\x1b[[A", "F1"),
        ("\x1b[1;2Q", "F2"),
        ("\x1bOR", "F3"),
        ("\x1b[15~", "F5"),
        ("\x1b[[E", "F5"),
        ("\x1b[17~", "F6"),
        ("\x1b[24~", "F12"),
        ("\x1bOM", "Enter"),
        ("\x1b[27u", "Esc"),
        ("\x1b[99;5u", "Ctrl-C"),
        ("\x1b[113;1:1u", "q"),
        ("\x1b[27;5;99~", "Ctrl-C"),
        ("\x1b[9;2u", "Shift-Tab"),
    ];

    /// What terminals answer or report by themselves.
    const ANSWERS: [&str; 26] = [
        "\x1b]11;rgb:1e1e/1e1e\x1b\\",
        "\x1b]10;rgb:ffff/ffff/ffff\x07",
        "\x1b]4;1;rgb:cdcd/0000/0000\x07",
        "\x1b]52;c;cXEx\x07",
        "\x1b]lsquirrel: 1 DOWN\x1b\\",
        "\x1bP1+r5463=7878\x1b\\",
        "\x1bP>|XTerm(390)\x1b\\",
        "\x1bP!|00000000\x1b\\",
        "\x1bP1$r0 q\x1b\\",
        "\x1b_Gi=31;OK\x1b\\",
        "\x1b[12;40R",
        "\x1b[1;1R",
        "\x1b[?1;2R",
        "\x1b[?62;4;22c",
        "\x1b[>0;276;0c",
        "\x1b[=1c",
        "\x1b[0n",
        "\x1b[?997;1n",
        "\x1b[?2026;2$y",
        "\x1b[8;36;120t",
        "\x1b[?1u",
        // A release, motion, other buttons, positions that there are not, and another number of them.
        "\x1b[<0;12;7m",
        "\x1b[<32;12;7M",
        "\x1b[<2;0;0M",
        "\x1b[<0;12M",
        "\x1b[M#q1",
    ];

    #[test]
    fn a_key_is_what_is_printed_on_it() {
        for (bytes, name) in KEYS {
            assert_eq!(whole(bytes.as_bytes()), [key(name)], "{bytes:?}");
        }
    }

    #[test]
    fn keys_with_alt_releases_and_unknown_keys_have_no_action() {
        for bytes in [
            "\x1bq",
            "\x1b[",
            "\x1b]",
            "\x1bO",
            "\x1b[1;3A",
            "\x1b[113;3u",
            "\x1b[113;1:3u",
            "\x1b[1;1:3A",
            "\x1b[2~",
            "\x1b[57441u",
            "\x1b[E",
        ] {
            assert_eq!(whole(bytes.as_bytes()), [], "{bytes:?}");
        }
        assert_eq!(whole(b"\x1b]q"), [key("q")], "Alt-] and a key");
        assert_eq!(whole(b"\x1b\x1b[B"), [key("Esc"), key("Down")]);
        assert_eq!(whole(b"\x1b\x1b"), [key("Esc"), key("Esc")]);
    }

    #[test]
    fn an_answer_is_never_a_key_however_it_is_parted() {
        for answer in ANSWERS {
            let bytes = answer.as_bytes();
            assert_eq!(whole(bytes), [], "{answer:?}");
            for place in 1..bytes.len() {
                let (begin, rest) = bytes.split_at(place);
                for pause in [5, 49, 50, 100, 900] {
                    let read = read(&[begin, rest, b"q"], Duration::from_millis(pause));
                    // Of a lone Esc nothing says that it is none.
                    let expected = match (place, pause) {
                        (1, 50..) => vec![key("Esc"), key("q")],
                        _ => vec![key("q")],
                    };
                    assert_eq!(read, expected, "{answer:?} at {place}, {pause} ms");
                }
            }
        }
    }

    #[test]
    fn a_key_is_the_same_however_it_is_parted() {
        for (bytes, name) in KEYS {
            let all = bytes.as_bytes();
            for place in 1..all.len() {
                let (begin, rest) = all.split_at(place);
                for pause in [5, 49, 50, 100, 900] {
                    let mut read = read(&[begin, rest], Duration::from_millis(pause));
                    if place == 1 && pause >= 50 && all[0] == ESC {
                        assert_eq!(read.remove(0), key("Esc"));
                    } else if pause >= 50 && all[0] >= 0x80 {
                        continue;
                    }
                    assert_eq!(read, [key(name)], "{bytes:?} at {place}, {pause} ms");
                }
            }
        }
    }

    #[test]
    fn a_report_of_the_mouse_is_one_input_however_it_is_parted() {
        use MouseKind::{Click, WheelDown, WheelUp};
        for (bytes, kind, cell) in [
            (&b"\x1b[<0;12;7M"[..], Click, (11, 6)),
            (b"\x1b[<4;1;1M", Click, (0, 0)),
            (b"\x1b[<64;300;100M", WheelUp, (299, 99)),
            (b"\x1b[<65;3;2M", WheelDown, (2, 1)),
            // Terminals without SGR reports: a byte each.
            (b"\x1b[M q1", Click, (80, 16)),
            (b"\x1b[Ma!\xff", WheelDown, (0, 222)),
        ] {
            let expected = InputKind::Mouse(MouseInput { kind, cell });
            assert_eq!(whole(bytes), std::slice::from_ref(&expected), "{bytes:?}");
            for place in 1..bytes.len() {
                let (begin, rest) = bytes.split_at(place);
                for pause in [5, 49, 50, 100, 900] {
                    let mut read = read(&[begin, rest, b"q"], Duration::from_millis(pause));
                    if place == 1 && pause >= 50 {
                        assert_eq!(read.remove(0), key("Esc"));
                    }
                    let both = [expected.clone(), key("q")];
                    assert_eq!(read, both, "{bytes:?} at {place}, {pause} ms");
                }
            }
        }
    }

    #[test]
    fn the_answer_about_the_background_is_understood_however_it_is_parted() {
        for (bytes, background) in [
            ("\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\", Background::Dark),
            ("\x1b]11;rgb:fd/f6/e3\x07", Background::Light),
            ("\x1b]11;rgba:ffff/ffff/ffff/8000\x1b\\", Background::Light),
        ] {
            let all = bytes.as_bytes();
            let expected = InputKind::Background(background);
            assert_eq!(whole(all), std::slice::from_ref(&expected), "{bytes:?}");
            for place in 1..all.len() {
                let (begin, rest) = all.split_at(place);
                let read = read(&[begin, rest, b"q"], Duration::from_millis(20));
                assert_eq!(read, [expected.clone(), key("q")], "{bytes:?} at {place}");
            }
        }
        for bytes in [
            "\x1b]11;#ffffff\x07",
            "\x1b]11;rgb:fffff/0/0\x07",
            "\x1b]10;rgb:0/0/0\x07",
        ] {
            assert_eq!(whole(bytes.as_bytes()), [], "{bytes:?}");
        }
    }

    #[test]
    fn a_paste_is_one_input_however_it_is_parted() {
        let text = "12345\r[[]] q \x1b[201 \x1b é\x1b";
        let bytes = format!("\x1b[200~{text}\x1b[201~");
        let bytes = bytes.as_bytes();
        for place in 1..bytes.len() {
            let (begin, rest) = bytes.split_at(place);
            for pause in [5, 100, 900, 60_000] {
                let mut read = read(&[begin, rest], Duration::from_millis(pause));
                if place == 1 && pause >= 50 {
                    assert_eq!(read.remove(0), key("Esc"));
                }
                if place < 6 && pause > 900 {
                    continue;
                }
                let expected = InputKind::Paste(text.to_owned());
                assert_eq!(read, [expected], "at {place}, {pause} ms");
            }
        }
    }

    #[test]
    fn esc_and_another_key_are_two_keys_when_a_hand_is_between() {
        let hand = Duration::from_millis(250);
        for next in ["[", "]", "O", "P", "_", "q", "1"] {
            let read = read(&[b"\x1b", next.as_bytes(), b"1"], hand);
            assert_eq!(read, [key("Esc"), key(next), key("1")]);
        }
    }

    #[test]
    fn a_lone_esc_waits_no_longer_than_it_must() {
        let mut parser = InputParser::new(HOLD);
        assert_eq!(parser.waits(), None);
        assert_eq!(parser.feed(b"\x1b"), []);
        assert_eq!(parser.waits(), Some(HOLD));
        assert_eq!(parser.timeout(), [key("Esc")]);
    }

    #[test]
    fn an_endless_answer_takes_no_memory_and_can_be_left() {
        let mut parser = InputParser::new(HOLD);
        assert_eq!(parser.feed(b"\x1b]0;"), []);
        assert_eq!(parser.feed(&vec![b'1'; 4 << 20]), []);
        assert_eq!(parser.feed(b"\x03q"), [key("Ctrl-C"), key("q")]);
        assert_eq!(parser.feed(b"\x1b]0;"), []);
        assert_eq!(parser.feed(&vec![b'1'; 10_000]), []);
        assert_eq!(parser.feed(b"\x07q"), [key("q")]);
    }

    #[test]
    fn what_is_no_utf8_swallows_nothing() {
        assert_eq!(whole(b"\xe9q"), [key("q")]);
        assert_eq!(whole(b"\xe9\x1b[B"), [key("Down")]);
        assert_eq!(read(&[b"\xe9", b"q"], HOLD), [key("q")]);
    }

    proptest! {
        #[test]
        fn whatever_comes_the_keyboard_works_afterwards(
            pieces in prop::collection::vec(
                prop_oneof![
                    prop::collection::vec(any::<u8>(), 0..12),
                    prop::sample::select(&ANSWERS[..]).prop_map(|answer| answer.as_bytes().to_vec()),
                    prop::sample::select(&KEYS[..]).prop_map(|(key, _)| key.as_bytes().to_vec()),
                ],
                0..12,
            ),
            pause in 0_u64..300,
        ) {
            let pause = Duration::from_millis(pause);
            let mut all: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            all.push(PASTE_END);
            let mut parser = InputParser::new(HOLD);
            for piece in all {
                parser.feed(piece);
                if parser.waits().is_some_and(|wait| wait <= pause) {
                    parser.timeout();
                }
            }
            while parser.waits().is_some() {
                parser.timeout();
            }
            prop_assert_eq!(parser.feed(b"q"), [key("q")]);
        }
    }
}
