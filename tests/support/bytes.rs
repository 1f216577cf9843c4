//! Bytes as the scenario files write them, and a compressed bomb.

/// Reads `\r \n \t \e \0 \\` and `\xNN` in `text`; everything else stands for its UTF-8.
///
/// Scenario files use TOML's literal strings, so that any byte at all can be written, which
/// TOML's own escapes cannot do.
pub(crate) fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        out.push(match chars.next() {
            Some('r') => b'\r',
            Some('n') => b'\n',
            Some('t') => b'\t',
            Some('e') => 0x1b,
            Some('0') => 0,
            Some('\\') => b'\\',
            Some('x') => {
                let digits: String = chars.by_ref().take(2).collect();
                u8::from_str_radix(&digits, 16).map_err(|_| format!("bad \\x{digits} in {text}"))?
            }
            other => return Err(format!("unknown escape \\{other:?} in {text}")),
        });
    }
    Ok(out)
}

/// Length and distance of a run of 258 zeros under deflate's fixed Huffman code: the literal
/// 0 is 8 bits, every further run 13 bits (RFC 1951, 3.2.6).
const RUN: usize = 258;

/// A gzip file of about `mebibytes` MiB that unpacks to 158 times as many zeros.
pub(crate) fn gzip_bomb(mebibytes: usize) -> Vec<u8> {
    // Eight runs are 104 bits, so 13 bytes: the pattern then repeats on byte boundaries.
    let repeats = mebibytes * 1024 * 1024 / 13;
    let mut bits = Bits::default();
    bits.out
        .extend_from_slice(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    bits.low_first(0b1, 1); // The last block ...
    bits.low_first(0b01, 2); // ... in the fixed code.
    bits.high_first(0b0011_0000, 8); // The literal 0.
    let before = bits.out.len();
    for _ in 0..8 {
        bits.run();
    }
    let period = bits.out[before..].to_vec();
    for _ in 1..repeats {
        bits.out.extend_from_slice(&period);
    }
    bits.high_first(0, 7); // End of block.
    bits.low_first(0, 7);
    bits.out
        .extend_from_slice(&crc_of_zeros(1 + repeats * 8 * RUN).to_le_bytes());
    let length = u32::try_from((1 + repeats * 8 * RUN) % (1 << 32)).unwrap();
    bits.out.extend_from_slice(&length.to_le_bytes());
    bits.out
}

#[derive(Default)]
struct Bits {
    out: Vec<u8>,
    partial: u8,
    held: u32,
}

impl Bits {
    fn bit(&mut self, bit: u32) {
        self.partial |= u8::try_from(bit & 1).unwrap() << self.held;
        self.held += 1;
        if self.held == 8 {
            self.out.push(self.partial);
            self.partial = 0;
            self.held = 0;
        }
    }

    fn low_first(&mut self, value: u32, count: u32) {
        for index in 0..count {
            self.bit(value >> index);
        }
    }

    fn high_first(&mut self, value: u32, count: u32) {
        for index in (0..count).rev() {
            self.bit(value >> index);
        }
    }

    fn run(&mut self) {
        self.high_first(0b1100_0101, 8); // Length 258, symbol 285.
        self.high_first(0, 5); // Distance 1.
    }
}

/// CRC-32 of `length` zero bytes (RFC 1952).
///
/// A zero byte changes the register linearly over GF(2), so that its effect, kept as 32
/// columns, is raised to the power of `length` by squaring.
fn crc_of_zeros(length: usize) -> u32 {
    let apply = |columns: &[u32; 32], register: u32| {
        (0..32)
            .filter(|bit| register >> bit & 1 == 1)
            .fold(0, |sum, bit| sum ^ columns[bit])
    };
    let mut step = [0_u32; 32];
    for (bit, column) in step.iter_mut().enumerate() {
        *column = (0..8).fold(1 << bit, |c: u32, _| {
            if c & 1 == 1 {
                0xedb8_8320 ^ (c >> 1)
            } else {
                c >> 1
            }
        });
    }
    let mut register = u32::MAX;
    let mut left = length;
    while left > 0 {
        if left & 1 == 1 {
            register = apply(&step, register);
        }
        step = step.map(|column| apply(&step, column));
        left >>= 1;
    }
    !register
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn any_byte_can_be_written() {
        assert_eq!(
            unescape(r"a\r\n\x9b\e[0mü\\").unwrap(),
            b"a\r\n\x9b\x1b[0m\xc3\xbc\\"
        );
        assert!(unescape(r"\q").is_err() && unescape(r"\xz1").is_err());
    }

    #[test]
    fn the_bomb_is_a_gzip_file_that_unpacks_158_fold() {
        let bomb = gzip_bomb(1);
        assert!(bomb.len() < 1_100_000);
        let mut gzip = Command::new("gzip")
            .arg("-dc")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("install gzip");
        let mut stdin = gzip.stdin.take().unwrap();
        let writer = std::thread::spawn(move || stdin.write_all(&bomb));
        let mut stdout = gzip.stdout.take().unwrap();
        let unpacked = std::io::copy(&mut stdout, &mut std::io::sink()).unwrap();
        writer.join().unwrap().unwrap();
        assert!(
            gzip.wait().unwrap().success(),
            "gzip found the checksum wrong"
        );
        assert!(unpacked > 158 * 1024 * 1024, "{unpacked}");
    }
}
