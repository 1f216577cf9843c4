//! The time axis of a lane: maps moments to cells and back.
//!
//! Lanes never scroll, because scrolling would redraw every cell. Instead the page stands
//! still, a hand sweeps over it from left to right, and the cells right of the hand still
//! show the page before.

use std::time::Duration;

use crate::domain::Moment;

/// Cells that the hand passes while the previous page is dimmed, part by part.
const FADING: usize = 24;

/// Parts of a line that are dimmed separately, so that a full line does not change at once.
const PARTS: usize = 3;

/// Cells kept empty right of the hand, which separate the new page from the old one.
const GAP: usize = 2;

/// A page of the axis: a stretch of time and the cells that show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AxisPage {
    /// The moment at the left edge of cell 0.
    pub(super) origin: Moment,
    /// The first cell that shows this page.
    first: usize,
    /// The last cell that shows this page, included.
    pub(super) last: usize,
    /// The end of the page's data: nothing is recorded after it yet.
    end: Moment,
    /// The earliest moment that is shown.
    pub(super) left: Moment,
    /// The latest moment that is shown.
    pub(super) right: Moment,
}

impl AxisPage {
    fn of(origin: Moment, cell: u64, (first, last): (usize, usize), end: Moment) -> Self {
        Self {
            origin,
            first,
            last,
            end,
            left: left(origin, cell, first),
            right: left(origin, cell, last + 1).min(end),
        }
    }
}

/// The scale that all lanes of a screen are drawn to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    cells: usize,
    /// Nanoseconds in a cell.
    cell: u64,
    /// The newest page first; the second is the page before, where any of it is still shown.
    pages: [Option<AxisPage>; 2],
    /// The cell of the present; `None` on a page that stands still.
    hand: Option<usize>,
}

impl Axis {
    /// A fixed page of `span`, which ends at `to`.
    pub(crate) fn still(to: Moment, span: Duration, cells: u16) -> Self {
        let (cells, cell) = Self::scale(span, cells);
        let span = Duration::from_nanos(cell * cells as u64);
        // Before the clock's zero there is nothing: the page begins there at the earliest.
        let origin = to - span;
        Self {
            cells,
            cell,
            pages: [Some(AxisPage::of(origin, cell, (0, cells - 1), to)), None],
            hand: None,
        }
    }

    /// The page of `span` that `now` falls on, where pages are laid end to end from `anchor`;
    /// the hand is at `now`.
    pub(crate) fn sweeping(anchor: Moment, now: Moment, span: Duration, cells: u16) -> Self {
        let (cells, cell) = Self::scale(span, cells);
        let page = cell * cells as u64;
        let since = u64::try_from(now.since(anchor).as_nanos()).unwrap_or(u64::MAX);
        let origin = anchor + Duration::from_nanos(since / page * page);
        let hand = ((now.nanos_since(origin) / cell) as usize).min(cells - 1);
        let newest = AxisPage::of(origin, cell, (0, hand), now);
        let older = origin - Duration::from_nanos(page);
        let before = AxisPage::of(older, cell, (hand + 1 + GAP, cells - 1), origin);
        // The first page has none before it.
        let shown = origin > anchor && before.first <= before.last;
        Self {
            cells,
            cell,
            pages: [Some(newest), shown.then_some(before)],
            hand: Some(hand),
        }
    }

    fn scale(span: Duration, cells: u16) -> (usize, u64) {
        let cells = usize::from(cells.max(1));
        let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        (cells, (nanos / cells as u64).max(1))
    }

    /// The number of cells.
    pub(crate) const fn cells(&self) -> usize {
        self.cells
    }

    /// The duration of one cell.
    pub(crate) const fn cell(&self) -> Duration {
        Duration::from_nanos(self.cell)
    }

    /// The duration of one cell in nanoseconds. Converting a `Duration` goes by way of seconds,
    /// too slow for tens of thousands of spans.
    pub(super) const fn nanos(&self) -> u64 {
        self.cell
    }

    /// The cell of the present; `None` on a page that stands still.
    pub(crate) const fn hand(&self) -> Option<usize> {
        self.hand
    }

    /// Whether a cell shows the page before.
    pub(crate) fn is_old(&self, cell: usize) -> bool {
        self.hand.is_some_and(|hand| cell > hand)
    }

    /// Whether a cell of this line is drawn dim, as old. Parts of lines turn dim one after
    /// another while the hand passes its first cells, so that no frame redraws them all.
    pub(crate) fn is_faded(&self, line: u16, cell: usize) -> bool {
        let part = cell * PARTS / self.cells;
        let turn = (usize::from(line) + part * FADING / PARTS) % FADING;
        self.is_old(cell) && self.hand.is_some_and(|hand| hand >= turn)
    }

    /// The moment at the left edge of the newest page.
    pub(crate) fn origin(&self) -> Moment {
        self.pages[0].map_or(Moment::ZERO, |page| page.origin)
    }

    /// The earliest and the latest moment that are shown.
    pub(crate) fn range(&self) -> (Moment, Moment) {
        let pages = self.pages.iter().flatten();
        let from = pages.clone().map(|page| page.left).min();
        let to = pages.map(|page| page.end).max();
        (from.unwrap_or_default(), to.unwrap_or_default())
    }

    /// The pages that are at least partly shown, the newest first.
    pub(super) fn pages(&self) -> impl Iterator<Item = &AxisPage> {
        self.pages.iter().flatten()
    }

    /// The moment at the left edge of a cell.
    pub(super) const fn left(&self, page: &AxisPage, cell: usize) -> Moment {
        left(page.origin, self.cell, cell)
    }

    /// The moment in the middle of a cell; `None` for a cell that no page is shown in.
    pub(crate) fn moment(&self, cell: usize) -> Option<Moment> {
        let page = self
            .pages
            .iter()
            .flatten()
            .find(|page| (page.first..=page.last).contains(&cell))?;
        Some(self.left(page, cell) + Duration::from_nanos(self.cell / 2))
    }

    /// The cell that shows a moment; `None` if it is not shown.
    pub(crate) fn place(&self, at: Moment) -> Option<usize> {
        self.pages.iter().flatten().find_map(|page| {
            if at < page.origin || at > page.end {
                return None;
            }
            let cell = usize::try_from(at.nanos_since(page.origin) / self.cell).ok()?;
            // The very end belongs to the last cell.
            let cell = if cell == self.cells { cell - 1 } else { cell };
            (page.first..=page.last).contains(&cell).then_some(cell)
        })
    }
}

/// The moment at the left edge of a cell, where cell 0 begins at `origin`.
const fn left(origin: Moment, cell: u64, index: usize) -> Moment {
    let nanos = cell.saturating_mul(index as u64);
    Moment::from_nanos(origin.as_nanos().saturating_add(nanos))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: u64) -> Moment {
        Moment::ZERO + Duration::from_millis(millis)
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_hand_sweeps_over_the_page_before() {
        let first = Axis::sweeping(at(500), at(800), SECOND, 10);
        assert_eq!(first.hand(), Some(3));
        assert_eq!(first.place(at(500)), Some(0));
        assert_eq!(first.place(at(799)), Some(2));
        assert_eq!(first.place(at(900)), None, "not yet");
        assert_eq!(first.moment(7), None, "the first page begins clean");
        let second = Axis::sweeping(at(500), at(1_700), SECOND, 10);
        assert_eq!(second.hand(), Some(2));
        assert_eq!(second.place(at(1_650)), Some(1));
        assert_eq!(second.place(at(1_350)), Some(8), "of the page before");
        assert_eq!(second.place(at(900)), None, "below the gap");
        assert!(second.is_old(8) && !second.is_old(2));
        assert_eq!(second.range(), (at(1_000), at(1_700)));
    }

    #[test]
    fn a_page_that_stands_still_ends_where_it_should() {
        let axis = Axis::still(at(5_000), SECOND, 10);
        assert_eq!(axis.place(at(4_000)), Some(0));
        assert_eq!(axis.place(at(5_000)), Some(9));
        assert_eq!(axis.place(at(5_001)), None);
        assert_eq!(axis.moment(0), Some(at(4_050)));
        assert_eq!(axis.hand(), None);
    }

    proptest! {
        #[test]
        fn a_cell_is_where_its_own_middle_stands(
            anchor in 0_u64..5_000, since in 0_u64..20_000, span in 1_u64..4_000, cells in 1_u16..200,
        ) {
            let now = at(anchor + since);
            let span = Duration::from_millis(span);
            for axis in [Axis::sweeping(at(anchor), now, span, cells), Axis::still(now, span, cells)] {
                for cell in 0..axis.cells() {
                    if let Some(moment) = axis.moment(cell).filter(|moment| *moment <= now) {
                        prop_assert_eq!(axis.place(moment), Some(cell));
                    }
                }
            }
        }
    }
}
