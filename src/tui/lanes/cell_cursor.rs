//! Finds the cells of one span of time after another.

use crate::domain::Moment;

use super::Axis;
use super::axis::AxisPage;

/// The cell that the last span began in.
#[derive(Clone, Copy, Debug, Default)]
struct CursorCell {
    /// Its index on the axis.
    cell: usize,
    /// The moment at its left edge, shown or not.
    edge: Moment,
    /// The part of it that is shown, from here
    from: Moment,
    /// The end of the span, excluded.
    to: Moment,
    /// The page's last cell.
    last: usize,
    /// The latest moment that its page shows.
    right: Moment,
}

/// The part of a span that one page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clip {
    /// The first cell that it touches.
    pub(crate) first: usize,
    /// Its start, in nanoseconds from that cell's left edge; less than a cell's duration.
    pub(crate) from: u64,
    /// Its end, in nanoseconds from the same edge.
    pub(crate) to: u64,
    /// The page's last cell.
    pub(crate) last: usize,
}

/// Maps spans to the cells of an axis. Most of a page's polls, tens of thousands, fall into the
/// cell of the poll before: the cursor keeps that cell, and divides only when a span leaves it.
#[derive(Clone, Debug)]
pub(crate) struct CellCursor<'a> {
    axis: &'a Axis,
    at_cell: CursorCell,
}

impl<'a> CellCursor<'a> {
    pub(crate) fn new(axis: &'a Axis) -> Self {
        Self {
            axis,
            at_cell: CursorCell::default(),
        }
    }

    /// The duration of a cell in nanoseconds.
    pub(crate) const fn width(&self) -> u64 {
        self.axis.nanos()
    }

    /// Calls `each` with the part of the span that each page shows; not at all for an empty
    /// span, or one that is not shown.
    #[inline]
    pub(crate) fn clip(&mut self, from: Moment, to: Moment, mut each: impl FnMut(Clip)) {
        // Common: a check that never waited in the queue has an empty span there.
        if to <= from {
            return;
        }
        if from >= self.at_cell.from && from < self.at_cell.to && to <= self.at_cell.right {
            each(self.at_cell.clip(from, to));
            return;
        }
        let axis = self.axis;
        for page in axis.pages() {
            let (from, to) = (from.max(page.left), to.min(page.right));
            if to <= from {
                continue;
            }
            // No moment is on both pages, so a cell that contains it belongs to this page.
            if !(self.at_cell.from..self.at_cell.to).contains(&from) {
                self.at_cell = self.find(page, from);
            }
            each(self.at_cell.clip(from, to));
        }
    }

    /// The cell that contains the whole span; `None` if it touches several, or is not shown.
    pub(crate) fn within(&mut self, from: Moment, to: Moment) -> Option<usize> {
        if from < self.at_cell.from || from >= self.at_cell.to {
            let page = self
                .axis
                .pages()
                .find(|page| from >= page.left && from < page.right)?;
            self.at_cell = self.find(page, from);
        }
        (to <= self.at_cell.to).then_some(self.at_cell.cell)
    }

    fn find(&self, page: &AxisPage, at: Moment) -> CursorCell {
        let cell = (at.nanos_since(page.origin) / self.width()) as usize;
        let edge = self.axis.left(page, cell);
        CursorCell {
            cell,
            edge,
            from: edge.max(page.left),
            to: self.axis.left(page, cell + 1).min(page.right),
            last: page.last,
            right: page.right,
        }
    }
}

impl CursorCell {
    const fn clip(&self, from: Moment, to: Moment) -> Clip {
        Clip {
            first: self.cell,
            from: from.nanos_since(self.edge),
            to: to.nanos_since(self.edge),
            last: self.last,
        }
    }
}

impl Clip {
    /// The last cell that it touches, where a cell lasts `width` nanoseconds.
    pub(crate) const fn end(&self, width: u64) -> usize {
        // Few spans touch more than two cells, and the division is the slow part.
        if self.to <= width {
            self.first
        } else if self.to - width <= width {
            self.first + 1
        } else {
            self.first + ((self.to - 1) / width) as usize
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn at(millis: u64) -> Moment {
        Moment::ZERO + Duration::from_millis(millis)
    }

    proptest! {
        #[test]
        fn what_is_clipped_stays_on_its_page_and_nothing_of_it_is_lost(
            since in 0_u64..20_000, span in 100_u64..4_000, cells in 1_u16..200,
            stretches in prop::collection::vec((0_u64..20_000, prop_oneof![0_u64..50, 0_u64..9_000]), 1..30),
        ) {
            let axis = Axis::sweeping(at(0), at(since), Duration::from_millis(span), cells);
            let width = axis.nanos();
            let mut cursor = CellCursor::new(&axis);
            for (from, length) in stretches {
                let (from, to) = (at(from), at(from + length));
                let (mut clipped, mut alone) = (Vec::new(), Vec::new());
                cursor.clip(from, to, |clip| clipped.push(clip));
                // The remembered cell never changes the result.
                CellCursor::new(&axis).clip(from, to, |clip| alone.push(clip));
                prop_assert_eq!(&clipped, &alone);
                for clip in &clipped {
                    prop_assert!(clip.from < clip.to && clip.from < width);
                    prop_assert_eq!(clip.end(width), clip.first + ((clip.to - 1) / width) as usize);
                    prop_assert!(clip.end(width) <= clip.last, "{clip:?}");
                }
                let pages = axis.pages();
                let shown = pages.map(|page| to.min(page.right).nanos_since(from.max(page.left)));
                let sum: u64 = clipped.iter().map(|clip| clip.to - clip.from).sum();
                prop_assert_eq!(sum, shown.sum::<u64>());
            }
        }
    }
}
