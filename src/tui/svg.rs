//! The screen as an SVG document, for pictures in documents.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use super::ui::Ui;
use super::view_model::ViewModel;

/// Width and height of a cell in units of the picture.
const CELL: (usize, usize) = (9, 19);
const PAPER: &str = "#16181d";
const INK: &str = "#d5d8df";

impl Ui {
    /// A frame of `size` (columns, rows) as an SVG document with a dark background.
    #[must_use]
    pub fn svg(&self, model: &ViewModel<'_>, (columns, rows): (u16, u16)) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
        self.draw(model, &mut buffer);
        svg(&buffer)
    }
}

fn svg(buffer: &Buffer) -> String {
    let (columns, rows) = (
        usize::from(buffer.area.width),
        usize::from(buffer.area.height),
    );
    let (width, height) = ((columns + 2) * CELL.0, (rows + 1) * CELL.1);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"15\">\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{PAPER}\"/>\n"
    );
    for (y, cells) in buffer.content.chunks(columns.max(1)).enumerate() {
        let mut x = 0;
        while x < cells.len() {
            let alike = |cell: &&Cell| color_and_modifier(cell) == color_and_modifier(&cells[x]);
            let run = &cells[x..x + cells[x..].iter().take_while(alike).count()];
            write_run(&mut out, x, y, run);
            x += run.len();
        }
    }
    out.push_str("</svg>\n");
    out
}

const fn color_and_modifier(cell: &Cell) -> (Color, Modifier) {
    (cell.fg, cell.modifier)
}

/// Writes a run of cells of one style. Its length is fixed, so that columns are aligned in any
/// font.
fn write_run(out: &mut String, x: usize, y: usize, run: &[Cell]) {
    let (color, modifier) = color_and_modifier(&run[0]);
    let reversed = modifier.contains(Modifier::REVERSED);
    let mut covered = 0;
    let mut text = String::new();
    for cell in run {
        if covered == 0 {
            text.push_str(cell.symbol());
            covered = cell.symbol().width();
        }
        covered = covered.saturating_sub(1);
    }
    let (left, top) = ((x + 1) * CELL.0, y * CELL.1 + CELL.1 / 2);
    let length = run.len() * CELL.0;
    // Writing to a string cannot fail.
    if reversed {
        let height = CELL.1;
        let _ = writeln!(
            out,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{length}\" height=\"{height}\" fill=\"{}\"/>",
            hex(color)
        );
    }
    if text.trim().is_empty() {
        return;
    }
    let fill = if reversed { PAPER } else { hex(color) };
    let bold = if modifier.contains(Modifier::BOLD) {
        " font-weight=\"bold\""
    } else {
        ""
    };
    let dim = if modifier.contains(Modifier::DIM) {
        " opacity=\"0.6\""
    } else {
        ""
    };
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let base = top + 15;
    let _ = writeln!(
        out,
        "<text x=\"{left}\" y=\"{base}\" textLength=\"{length}\" xml:space=\"preserve\" \
         fill=\"{fill}\"{bold}{dim}>{text}</text>"
    );
}

/// The colour of a terminal in a common scheme with a dark background.
const fn hex(color: Color) -> &'static str {
    match color {
        Color::Red => "#f2777a",
        Color::Green => "#8fcf8f",
        Color::Yellow => "#f5cc66",
        Color::Blue => "#78a9f0",
        Color::Magenta => "#d49ae0",
        _ => INK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;

    #[test]
    fn every_run_is_as_long_as_its_cells_and_markup_is_escaped() {
        let mut buffer = Buffer::with_lines(["a<b ✗ 日"]);
        buffer.set_style(Rect::new(4, 0, 1, 1), Style::new().fg(Color::Red));
        let picture = svg(&buffer);
        assert!(
            picture.contains("textLength=\"36\" xml:space=\"preserve\" fill=\"#d5d8df\">a&lt;b <")
        );
        assert!(picture.contains("textLength=\"9\" xml:space=\"preserve\" fill=\"#f2777a\">✗<"));
        assert!(picture.contains("textLength=\"27\" xml:space=\"preserve\" fill=\"#d5d8df\"> 日<"));
    }

    #[test]
    fn the_selection_is_dark_on_light() {
        let mut buffer = Buffer::with_lines(["ab"]);
        let style = Style::new().add_modifier(Modifier::REVERSED);
        buffer.set_style(Rect::new(0, 0, 2, 1), style);
        let picture = svg(&buffer);
        assert!(picture.contains("height=\"19\" fill=\"#d5d8df\"/>"));
        assert!(picture.contains("fill=\"#16181d\">ab<"));
    }
}
