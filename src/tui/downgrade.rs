//! The last pass over a frame: it replaces glyphs by ASCII, removes colours, and takes those that can
//! be read on the terminal's background, as the options say, so that no view has to.

use ratatui::buffer::Buffer;
use ratatui::style::Color;

use super::options::{Background, Options};
use super::theme;

/// The glyphs of the screen and what replaces each in ASCII.
const ASCII: [(&str, &str); 37] = [
    ("‹", "<"),
    ("›", ">"),
    ("↑", "^"),
    ("↓", "v"),
    ("▒", "!"),
    ("┴", "'"),
    ("÷", "/"),
    ("✗", "x"),
    ("●", "*"),
    ("▲", "^"),
    ("○", "o"),
    ("‖", "="),
    ("·", "."),
    ("…", "~"),
    ("▁", "1"),
    ("▂", "2"),
    ("▃", "3"),
    ("▄", "4"),
    ("▅", "5"),
    ("▆", "6"),
    ("▇", "7"),
    ("█", "#"),
    ("▐", "#"),
    ("━", "="),
    ("─", "-"),
    ("│", "|"),
    ("┌", "+"),
    ("┐", "+"),
    ("└", "+"),
    ("┘", "+"),
    ("├", "+"),
    ("┤", "+"),
    ("▏", "_"),
    ("→", ">"),
    ("×", "x"),
    ("≥", ">"),
    ("—", "-"),
];

/// The glyph or character in ASCII.
fn ascii(symbol: &str) -> &'static str {
    let known = ASCII.iter().find(|(glyph, _)| *glyph == symbol);
    known.map_or("?", |(_, ascii)| ascii)
}

/// A text in ASCII, character by character.
pub(super) fn ascii_text(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() {
            plain.push(character);
        } else {
            plain.push_str(ascii(character.encode_utf8(&mut [0; 4])));
        }
    }
    plain
}

/// Reduces a frame to what the terminal can show by `options`.
pub(crate) fn downgrade(buffer: &mut Buffer, options: &Options) {
    if options.color && !options.ascii && options.background == Background::Unknown {
        return;
    }
    let width = usize::from(buffer.area.width).max(1);
    let mut covered = 0;
    for (index, cell) in buffer.content.iter_mut().enumerate() {
        if !options.color {
            cell.fg = Color::Reset;
            cell.bg = Color::Reset;
        }
        cell.fg = theme::legible(cell.fg, options.background);
        if index % width == 0 {
            covered = 0;
        }
        if !options.ascii {
            continue;
        }
        if covered > 0 {
            // The right half of a wide character that became one narrow mark.
            covered -= 1;
            cell.set_symbol(" ");
        } else if !cell.symbol().is_ascii() {
            covered = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
            cell.set_symbol(ascii(cell.symbol()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;
    use ratatui::layout::Rect;
    use ratatui::style::{Modifier, Style};

    fn options(color: bool, ascii: bool) -> Options {
        Options {
            color,
            ascii,
            remote: false,
            multiplexer: None,
            mouse: true,
            background: Background::Unknown,
            asks_background: false,
            zone: TimeZone::UTC,
        }
    }

    #[test]
    fn ascii_keeps_the_cells_where_they_are() {
        let mut buffer = Buffer::with_lines(["✗ 日本 ▃█… ü"]);
        downgrade(&mut buffer, &options(true, true));
        assert_eq!(buffer, Buffer::with_lines(["x ? ?  3#~ ?"]));
    }

    #[test]
    fn without_colours_the_selection_stays() {
        let mut buffer = Buffer::with_lines(["ab"]);
        let style = Style::new().fg(Color::Red).add_modifier(Modifier::REVERSED);
        buffer.set_style(Rect::new(0, 0, 1, 1), style);
        downgrade(&mut buffer, &options(false, false));
        assert_eq!(buffer[(0, 0)].fg, Color::Reset);
        assert!(buffer[(0, 0)].modifier.contains(Modifier::REVERSED));
    }

    #[test]
    fn on_a_light_background_no_colour_is_left_that_is_faint_there() {
        let colors = [
            Color::Red,
            Color::Green,
            Color::Yellow,
            Color::Blue,
            Color::Magenta,
        ];
        let drawn = |background| {
            let mut buffer = Buffer::with_lines(["abcde"]);
            for (x, color) in (0..).zip(colors) {
                buffer.set_style(Rect::new(x, 0, 1, 1), Style::new().fg(color));
            }
            let options = Options {
                background,
                ..options(true, false)
            };
            downgrade(&mut buffer, &options);
            [0, 1, 2, 3, 4].map(|x| buffer[(x, 0)].fg)
        };
        assert_eq!(drawn(Background::Unknown), colors);
        let blue = Color::Blue;
        let light = [Color::Red, Color::Reset, Color::Reset, blue, blue];
        assert_eq!(drawn(Background::Light), light);
        let (green, cyan) = (Color::Green, Color::Cyan);
        let dark = [Color::LightRed, green, Color::LightYellow, cyan, cyan];
        assert_eq!(drawn(Background::Dark), dark);
    }

    proptest! {
        #[test]
        fn ascii_is_ascii_whatever_was_written(text in "\\PC{0,60}") {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 40, 2));
            buffer.set_stringn(1, 0, &text, 39, Style::new());
            downgrade(&mut buffer, &options(true, true));
            prop_assert!(buffer.content.iter().all(|cell| cell.symbol().is_ascii()));
        }
    }
}
