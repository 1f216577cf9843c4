//! The changes of a frame as ANSI escape sequences (ECMA-48): cursor moves, styles and text.

use std::io::{self, Write};

use ratatui::buffer::{Cell, CellWidth as _};
use ratatui::style::{Color, Modifier};

use super::wide_cells::{Change, is_uncertain};

/// Foreground, background and modifiers of a cell.
pub(super) type CellStyle = (Color, Color, Modifier);

/// The style of a terminal after a reset.
pub(super) const PLAIN: CellStyle = (Color::Reset, Color::Reset, Modifier::empty());

/// The style of a cell.
pub(super) const fn style_of(cell: &Cell) -> CellStyle {
    (cell.fg, cell.bg, cell.modifier)
}

/// Whether a cell is blank in this style and in its own, so that both show the same.
pub(super) fn is_bare(cell: &Cell, (_, bg, modifier): CellStyle) -> bool {
    let drawn = Modifier::REVERSED | Modifier::UNDERLINED | Modifier::CROSSED_OUT;
    cell.symbol() == " " && cell.bg == bg && !(modifier | cell.modifier).intersects(drawn)
}

/// Writes the changes in the given order and resets the style at the end. Within a row the cursor
/// moves by the column alone (CHA), which is three bytes shorter than row and column (CUP); a
/// style is one sequence, a third of the length of its parts.
pub(super) fn write(bytes: &mut Vec<u8>, changes: &[Change<'_>]) -> io::Result<()> {
    let mut shown = PLAIN;
    let mut at = None;
    for (x, y, cell) in changes {
        match at {
            Some((column, row)) if (column, row) == (*x, *y) => {}
            // An absolute column: after a relative move, a glyph that is wider than expected
            // would displace everything behind it.
            Some((_, row)) if row == *y => write!(bytes, "\x1b[{}G", x + 1)?,
            _ => write!(bytes, "\x1b[{};{}H", y + 1, x + 1)?,
        }
        if style_of(cell) != shown && !is_bare(cell, shown) {
            shown = style_of(cell);
            style(bytes, shown)?;
        }
        let width = cell.cell_width().max(1);
        if is_uncertain(cell) {
            bytes.extend(std::iter::repeat_n(b' ', width.into()));
            write!(bytes, "\x1b[{}G", x + 1)?;
        }
        bytes.extend_from_slice(cell.symbol().as_bytes());
        // Behind a cell of uncertain width nobody knows where the cursor is.
        at = Some(match is_uncertain(cell) {
            true => (u16::MAX, *y),
            false => (x + width, *y),
        });
    }
    if shown != PLAIN {
        style(bytes, PLAIN)?;
    }
    Ok(())
}

/// Replaces the current style by this one (SGR).
fn style(bytes: &mut Vec<u8>, (fg, bg, modifier): CellStyle) -> io::Result<()> {
    /// The parameters of SGR (ECMA-48, 8.3.117) for the modifiers.
    const ADDED: [(Modifier, u8); 9] = [
        (Modifier::BOLD, 1),
        (Modifier::DIM, 2),
        (Modifier::ITALIC, 3),
        (Modifier::UNDERLINED, 4),
        (Modifier::SLOW_BLINK, 5),
        (Modifier::RAPID_BLINK, 6),
        (Modifier::REVERSED, 7),
        (Modifier::HIDDEN, 8),
        (Modifier::CROSSED_OUT, 9),
    ];
    bytes.extend_from_slice(b"\x1b[");
    for (_, number) in ADDED.iter().filter(|(added, _)| modifier.contains(*added)) {
        write!(bytes, ";{number}")?;
    }
    colour(bytes, fg, 0)?;
    colour(bytes, bg, 10)?;
    bytes.push(b'm');
    Ok(())
}

/// The SGR parameter of a colour; `ground` is 0 for the foreground and 10 for the background.
fn colour(bytes: &mut Vec<u8>, colour: Color, ground: u8) -> io::Result<()> {
    let number = match colour {
        Color::Reset => return Ok(()),
        Color::Black => 30,
        Color::Red => 31,
        Color::Green => 32,
        Color::Yellow => 33,
        Color::Blue => 34,
        Color::Magenta => 35,
        Color::Cyan => 36,
        Color::Gray => 37,
        Color::DarkGray => 90,
        Color::LightRed => 91,
        Color::LightGreen => 92,
        Color::LightYellow => 93,
        Color::LightBlue => 94,
        Color::LightMagenta => 95,
        Color::LightCyan => 96,
        Color::White => 97,
        Color::Indexed(index) => return write!(bytes, ";{};5;{index}", 38 + ground),
        Color::Rgb(red, green, blue) => {
            return write!(bytes, ";{};2;{red};{green};{blue}", 38 + ground);
        }
    };
    write!(bytes, ";{}", number + ground)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::style::Style;

    const COLUMNS: u16 = 9;
    const ROWS: u16 = 3;

    fn cells() -> impl Strategy<Value = Cell> {
        let colours = || {
            prop::sample::select(vec![
                Color::Reset,
                Color::Red,
                Color::DarkGray,
                Color::LightBlue,
                Color::Indexed(200),
                Color::Rgb(1, 20, 255),
            ])
        };
        let bits = Modifier::BOLD | Modifier::DIM | Modifier::REVERSED | Modifier::UNDERLINED;
        let symbol = prop::sample::select(vec![" ", " ", "a", "─", "█"]);
        (symbol, colours(), colours(), any::<u16>(), any::<bool>()).prop_map(
            move |(symbol, fg, bg, modifier, grounded)| {
                let mut cell = Cell::default();
                let bg = if grounded { bg } else { Color::Reset };
                let style = Style::new().fg(fg).bg(bg);
                cell.set_symbol(symbol).set_style(style);
                cell.modifier = Modifier::from_bits_truncate(modifier) & bits;
                // The terminal of the test knows one of the two at a time.
                if cell.modifier.contains(Modifier::BOLD) {
                    cell.modifier.remove(Modifier::DIM);
                }
                cell
            },
        )
    }

    fn seen(colour: Color) -> vt100::Color {
        match colour {
            Color::Red => vt100::Color::Idx(1),
            Color::DarkGray => vt100::Color::Idx(8),
            Color::LightBlue => vt100::Color::Idx(12),
            Color::Indexed(index) => vt100::Color::Idx(index),
            Color::Rgb(red, green, blue) => vt100::Color::Rgb(red, green, blue),
            _ => vt100::Color::Default,
        }
    }

    proptest! {
        #[test]
        fn a_terminal_shows_what_was_written_where_it_was_meant(
            written in prop::collection::vec((0..COLUMNS, 0..ROWS, cells()), 0..60),
        ) {
            let changes: Vec<_> = written.iter().map(|(x, y, cell)| (*x, *y, cell)).collect();
            let mut bytes = Vec::new();
            write(&mut bytes, &changes).unwrap();
            bytes.extend_from_slice(b"\x1b[3;10Hz");
            let size = |cells: u16| cells.try_into().unwrap();
            let mut terminal = vt100::Parser::new(size(ROWS), size(COLUMNS + 1), 0);
            terminal.process(&bytes);
            for (place, (x, y, cell)) in written.iter().enumerate() {
                let later = &written[place + 1..];
                if later.iter().any(|(column, row, _)| (column, row) == (x, y)) {
                    continue;
                }
                let shown = terminal.screen().cell(*y, *x).unwrap();
                prop_assert_eq!(shown.contents().trim(), cell.symbol().trim());
                prop_assert_eq!(shown.bgcolor(), seen(cell.bg));
                let has = |modifier| cell.modifier.contains(modifier);
                prop_assert_eq!(shown.inverse(), has(Modifier::REVERSED));
                prop_assert_eq!(shown.underline(), has(Modifier::UNDERLINED));
                if cell.symbol() != " " || has(Modifier::REVERSED) {
                    prop_assert_eq!(shown.fgcolor(), seen(cell.fg));
                    prop_assert_eq!(shown.bold(), has(Modifier::BOLD));
                    prop_assert_eq!(shown.dim(), has(Modifier::DIM));
                }
            }
            let after = terminal.screen().cell(ROWS - 1, COLUMNS).unwrap();
            prop_assert_eq!(after.fgcolor(), vt100::Color::Default, "it is left plain");
            prop_assert!(!after.bold() && !after.inverse());
        }
    }
}
