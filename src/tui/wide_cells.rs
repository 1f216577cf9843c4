//! Cells whose width terminals do not agree on: flags, skin tones, joined emoji, Indic clusters.
//!
//! A terminal may give such a cell fewer columns than we do, down to one, or as many as its code
//! points take one by one. So its columns are blanked before it is written, the cursor is set by
//! column behind it, and whatever stands as far as it may reach is written anew after it.

use ratatui::buffer::{Buffer, Cell, CellWidth};
use unicode_width::UnicodeWidthChar;

/// A changed cell: column, row and new content.
pub(super) type Change<'a> = (u16, u16, &'a Cell);

/// A change, and whether it has to be written right after the one before it.
pub(super) type TiedChange<'a> = (Change<'a>, bool);

/// Whether terminals may differ in the width of this cell: several code points, or a wide one
/// that is none of the scripts of East Asia, whose widths are older than terminals.
pub(super) fn is_uncertain(cell: &Cell) -> bool {
    let mut points = cell.symbol().chars();
    let Some(first) = points.next() else {
        return false;
    };
    let is_script = matches!(first,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ffe6}'
        | '\u{20000}'..='\u{3fffd}');
    points.next().is_some() || (first.width() == Some(2) && !is_script)
}

/// The most columns that a terminal may give a cell: none makes two of an accent, but several do
/// of what is one for us.
fn reach(cell: &Cell) -> usize {
    let apart: usize = cell
        .symbol()
        .chars()
        .map(|point| point.width().unwrap_or(0))
        .sum();
    apart.max(cell.cell_width().into()).max(2)
}

/// The changes from `shown` to `next`, with the cells that those of uncertain width may spoil.
pub(super) fn changes<'a>(shown: &Buffer, next: &'a Buffer) -> Vec<TiedChange<'a>> {
    let all: Vec<Change<'a>> = shown.diff_iter(next).collect();
    let mut tied = Vec::with_capacity(all.len());
    for row in all.chunk_by(|one, other| one.1 == other.1) {
        let y = row[0].1;
        let (before, after) = (row_of(shown, y), row_of(next, y));
        if before.iter().chain(after).any(is_uncertain) {
            tied.extend(row_with_spoilt(row, y, before, after));
        } else {
            tied.extend(row.iter().map(|change| (*change, false)));
        }
    }
    tied
}

/// The cells of a row.
fn row_of(buffer: &Buffer, y: u16) -> &[Cell] {
    let width = usize::from(buffer.area.width);
    let start = usize::from(y - buffer.area.y) * width;
    buffer.content.get(start..start + width).unwrap_or_default()
}

/// The changes of a row with cells of uncertain width, and what they may spoil.
fn row_with_spoilt<'a>(
    changes: &[Change<'a>],
    y: u16,
    before: &[Cell],
    after: &'a [Cell],
) -> Vec<TiedChange<'a>> {
    let mut written = vec![false; after.len()];
    let mut spoilt = vec![false; after.len()];
    for (x, _, _) in changes {
        written[usize::from(*x)] = true;
    }
    for x in 0..after.len() {
        if written[x] {
            // What stood in the other half of a wide cell is overwritten as well.
            let end = (x + usize::from(after[x].cell_width().max(1))).min(after.len());
            written[x..end].fill(true);
        }
        for cell in [before.get(x), after.get(x)].into_iter().flatten() {
            if is_uncertain(cell) && written[x] {
                let end = (x + reach(cell)).min(after.len());
                written[x..end].fill(true);
                spoilt[x + 1..end].fill(true);
            }
        }
    }
    let mut tied = Vec::new();
    let mut x = 0;
    while let Some(cell) = after.get(x) {
        if let (true, Ok(column)) = (written[x], u16::try_from(x)) {
            tied.push(((column, y, cell), spoilt[x]));
        }
        // The columns that a wide cell covers hold nothing of their own.
        x += usize::from(cell.cell_width().max(1));
    }
    tied
}
