//! How the time of each cell was spent.

use crate::domain::Moment;
use crate::trace::{Activity, Bundle, Span};

use super::Axis;
use super::cell_cursor::CellCursor;

/// Nanoseconds of a cell, by activity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CellTimes {
    pub(crate) queued: u64,
    pub(crate) waiting: u64,
    pub(crate) ready: u64,
    pub(crate) running: u64,
    pub(crate) locked: u64,
}

impl CellTimes {
    const fn of(&mut self, activity: Activity) -> &mut u64 {
        match activity {
            Activity::Queued => &mut self.queued,
            Activity::Waiting(_) => &mut self.waiting,
            Activity::Ready => &mut self.ready,
            Activity::Running => &mut self.running,
            Activity::Locked => &mut self.locked,
        }
    }
}

/// The cells of one lane.
#[derive(Clone, Debug)]
pub(crate) struct Raster<'a> {
    cursor: CellCursor<'a>,
    cells: Vec<CellTimes>,
}

impl<'a> Raster<'a> {
    pub(crate) fn new(axis: &'a Axis) -> Self {
        Self {
            cursor: CellCursor::new(axis),
            cells: vec![CellTimes::default(); axis.cells()],
        }
    }

    /// Adds a span of a check.
    pub(crate) fn add(&mut self, span: &Span) {
        self.fill(span.from, span.to, span.activity);
    }

    /// Adds `activity` from `from` to `to`.
    pub(crate) fn fill(&mut self, from: Moment, to: Moment, activity: Activity) {
        let Self { cursor, cells } = self;
        let width = cursor.width();
        cursor.clip(from, to, |clip| {
            let (mut from, mut place) = (clip.from, clip.first);
            let mut edge = width;
            while from < clip.to
                && let Some(cell) = cells.get_mut(place)
            {
                let to = edge.min(clip.to);
                *cell.of(activity) += to - from;
                (from, place, edge) = (to, place + 1, edge + width);
            }
        });
    }

    /// Adds a bundle of spans. Returns false, and adds nothing, if it holds several spans that
    /// are not all in one cell: the caller then adds them one by one.
    pub(crate) fn pour(&mut self, bundle: &Bundle, activity: Activity) -> bool {
        if bundle.of == 1 {
            self.fill(bundle.from, bundle.to, activity);
            return true;
        }
        let cell = self.cursor.within(bundle.from, bundle.to);
        if let Some(cell) = cell.and_then(|cell| self.cells.get_mut(cell)) {
            *cell.of(activity) += bundle.nanos;
            return true;
        }
        false
    }

    /// Reduces waiting by the time spent running, locked and ready, for spans of waiting that
    /// were added whole, the rest included.
    pub(crate) fn subtract_from_waiting(&mut self) {
        for cell in &mut self.cells {
            let rest = cell.running + cell.locked + cell.ready;
            cell.waiting = cell.waiting.saturating_sub(rest);
        }
    }

    pub(crate) fn cells(&self) -> &[CellTimes] {
        &self.cells
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn at(nanos: u64) -> Moment {
        Moment::from_nanos(nanos)
    }

    proptest! {
        #[test]
        fn time_is_neither_lost_nor_doubled(
            stretches in prop::collection::vec((0_u64..3_000, prop_oneof![0_u64..9, 0_u64..3_000]), 1..40),
            cells in 1_u16..50, since in 0_u64..3_000,
        ) {
            let page = Duration::from_nanos(1_000);
            for axis in [
                Axis::still(at(2_000), page, cells),
                Axis::sweeping(at(0), at(since), page, cells),
            ] {
                let mut raster = Raster::new(&axis);
                for (from, length) in &stretches {
                    raster.fill(at(*from), at(from + length), Activity::Running);
                }
                let (.., now) = axis.range();
                for (index, cell) in raster.cells().iter().enumerate() {
                    let shown = axis.moment(index).map(|middle| middle - axis.cell() / 2);
                    let within = |(from, length): &(u64, u64)| {
                        shown.map_or(0, |left| {
                            let right = (left + axis.cell()).min(now);
                            right.min(at(from + length)).nanos_since(left.max(at(*from)))
                        })
                    };
                    prop_assert_eq!(cell.running, stretches.iter().map(within).sum::<u64>());
                }
            }
        }

        #[test]
        fn together_or_one_by_one_stretches_fill_the_same_cells(
            stretches in prop::collection::vec((0_u64..60, 0_u64..60), 1..12),
            first in 0_u64..2_500, cells in 1_u16..30, since in 0_u64..3_000,
        ) {
            let axis = Axis::sweeping(at(0), at(since), Duration::from_nanos(1_000), cells);
            let stretches: Vec<_> = stretches
                .into_iter()
                .map(|(start, length)| (at(first + start), at(first + start + length)))
                .collect();
            let bundle = Bundle {
                from: stretches.iter().map(|(start, _)| *start).min().unwrap(),
                to: stretches.iter().map(|(_, end)| *end).max().unwrap(),
                nanos: stretches.iter().map(|(start, end)| end.nanos_since(*start)).sum(),
                of: stretches.len(),
            };
            let (mut together, mut apart) = (Raster::new(&axis), Raster::new(&axis));
            for (start, end) in &stretches {
                apart.fill(*start, *end, Activity::Running);
            }
            if together.pour(&bundle, Activity::Running) {
                prop_assert_eq!(together.cells(), apart.cells());
            } else {
                prop_assert!(together.cells().iter().all(|cell| *cell == CellTimes::default()));
            }
        }
    }
}
