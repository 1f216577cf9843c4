//! Mutations that keep much of the grammar: words of it, pieces of other inputs, repetition,
//! truncation, numbers without measure, brackets without end.

use fastrand::Rng;

/// The longest input that is made.
pub(crate) const LONGEST: usize = 64 << 10;

/// Values at the ends of what a number can be.
const NUMBERS: [&str; 14] = [
    "0",
    "-1",
    "1",
    "255",
    "65536",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "99999999999999999999999999",
    "1e308",
    "1e-308",
    "0.1",
    "253402300799999999",
];

/// Brackets of all grammars.
const OPENING: [&str; 8] = ["[", "{", "(", "\"", "- ", "{\"a\":", "<", "%25"];

/// A mutation of `input`, for which pieces of `other` and `words` may be taken.
pub(crate) fn mutate(rng: &mut Rng, input: &[u8], other: &[u8], words: &[&str]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=rng.u8(..4) {
        step(rng, &mut bytes, other, words);
    }
    bytes.truncate(LONGEST);
    bytes
}

fn step(rng: &mut Rng, bytes: &mut Vec<u8>, other: &[u8], words: &[&str]) {
    let at = rng.usize(..=bytes.len());
    match rng.u8(..14) {
        0 | 1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << rng.u8(..8);
            }
        }
        2 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = rng.u8(..);
            }
        }
        3 => bytes.truncate(at),
        4 => {
            let piece = range(rng, bytes.len(), 64);
            bytes.drain(piece);
        }
        5 => {
            let piece = bytes[range(rng, bytes.len(), 256)].to_vec();
            splice(bytes, at, &piece.repeat(1 + rng.usize(..4)));
        }
        // Rarely: every repetition costs time.
        6 if rng.u8(..8) == 0 => {
            let piece = bytes[range(rng, bytes.len(), 32)].to_vec();
            let times = LONGEST.checked_div(piece.len()).unwrap_or(0);
            splice(bytes, at, &piece.repeat(rng.usize(..=times)));
        }
        6 => {
            let to = rng.usize(..=bytes.len());
            let piece: Vec<u8> = bytes.drain(at.min(to)..at.max(to)).collect();
            splice(bytes, rng.usize(..=bytes.len()), &piece);
        }
        7 | 8 => splice(bytes, at, &other[range(rng, other.len(), 512)]),
        9 | 10 => {
            if let Some(word) = rng.choice(words) {
                splice(bytes, at, word.as_bytes());
            }
        }
        11 => number(rng, bytes),
        12 => {
            let depth = if rng.u8(..8) == 0 { 2_000 } else { 4 };
            let opening = OPENING[rng.usize(..OPENING.len())];
            splice(bytes, at, opening.repeat(rng.usize(..=depth)).as_bytes());
        }
        // A whole line by another.
        _ => {
            let lines: Vec<&[u8]> = other.split_inclusive(|byte| *byte == b'\n').collect();
            let start = bytes[..at].iter().rposition(|byte| *byte == b'\n');
            if let Some(line) = rng.choice(&lines) {
                splice(bytes, start.map_or(0, |start| start + 1), line);
            }
        }
    }
}

/// Some `most` bytes of `length`.
fn range(rng: &mut Rng, length: usize, most: usize) -> std::ops::Range<usize> {
    let from = rng.usize(..=length);
    from..length.min(from + rng.usize(..=most))
}

fn splice(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    bytes.splice(at..at, piece.iter().copied());
}

/// Puts another number in the place of one.
fn number(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let digits: Vec<usize> = (0..bytes.len())
        .filter(|at| bytes[*at].is_ascii_digit())
        .collect();
    let Some(start) = rng.choice(&digits) else {
        return;
    };
    let length = bytes[*start..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let number = NUMBERS[rng.usize(..NUMBERS.len())];
    bytes.splice(*start..start + length, number.bytes());
}
