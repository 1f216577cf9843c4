//! Changes of a frame as a terminal reads them: where to, in which style, and what.

use std::io::{self, Write};

use ratatui::buffer::{Cell, CellWidth as _};
use ratatui::style::{Color, Modifier};

/// A cell that changed: its column, its row and what it holds now.
pub(super) type Change<'a> = (u16, u16, &'a Cell);

/// How a cell is drawn.
pub(super) type Look = (Color, Color, Modifier);

/// As the terminal is before anything is said of style.
pub(super) const PLAIN: Look = (Color::Reset, Color::Reset, Modifier::empty());

/// How a cell is drawn.
pub(super) const fn look(cell: &Cell) -> Look {
    (cell.fg, cell.bg, cell.modifier)
}

/// Whether a cell shows nothing in this look nor in its own, and so looks the same in both.
pub(super) fn is_bare(cell: &Cell, (_, bg, modifier): Look) -> bool {
    let drawn = Modifier::REVERSED | Modifier::UNDERLINED | Modifier::CROSSED_OUT;
    cell.symbol() == " " && cell.bg == bg && !(modifier | cell.modifier).intersects(drawn)
}

/// Writes the changes in the order in which they are given, and leaves the terminal plain. A
/// lane changes in several places a frame: a column alone takes three bytes fewer than a row
/// and a column, and a style in one piece a third of what its parts take.
pub(super) fn write(bytes: &mut Vec<u8>, changes: &[Change<'_>]) -> io::Result<()> {
    let mut shown = PLAIN;
    let mut at = None;
    for (x, y, cell) in changes {
        match at {
            Some((column, row)) if (column, row) == (*x, *y) => {}
            // Not so many columns on: where a glyph is wider than it should be, all that
            // follows would be astray.
            Some((_, row)) if row == *y => write!(bytes, "\x1b[{}G", x + 1)?,
            _ => write!(bytes, "\x1b[{};{}H", y + 1, x + 1)?,
        }
        if look(cell) != shown && !is_bare(cell, shown) {
            shown = look(cell);
            style(bytes, shown)?;
        }
        bytes.extend_from_slice(cell.symbol().as_bytes());
        at = Some((x + cell.cell_width().max(1), *y));
    }
    if shown != PLAIN {
        style(bytes, PLAIN)?;
    }
    Ok(())
}

/// Forgets the style before, and takes this one.
fn style(bytes: &mut Vec<u8>, (fg, bg, modifier): Look) -> io::Result<()> {
    /// The numbers of ECMA-48 for what may be added to a colour.
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

/// A colour; `ground` is added to its number where it is the ground that is coloured.
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
