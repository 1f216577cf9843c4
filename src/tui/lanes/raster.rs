//! How much time of each cell went into what.

use crate::domain::Moment;
use crate::trace::{Activity, Span};

use super::Axis;

/// Nanoseconds of a cell, by what was done in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) queued: u64,
    pub(crate) waiting: u64,
    pub(crate) ready: u64,
    pub(crate) running: u64,
    pub(crate) locked: u64,
}

impl Cell {
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

/// One lane, cell by cell.
#[derive(Clone, Debug)]
pub(crate) struct Raster<'a> {
    axis: &'a Axis,
    cells: Vec<Cell>,
}

impl<'a> Raster<'a> {
    pub(crate) fn new(axis: &'a Axis) -> Self {
        Self {
            axis,
            cells: vec![Cell::default(); axis.cells()],
        }
    }

    /// Adds a stretch of a check.
    pub(crate) fn add(&mut self, span: &Span) {
        self.fill(span.from, span.to, span.activity);
    }

    /// Adds a stretch of time.
    pub(crate) fn fill(&mut self, from: Moment, to: Moment, activity: Activity) {
        let width = self.axis.cell().as_nanos() as u64;
        for clip in self.axis.clip(from, to) {
            let (mut from, mut place) = (clip.from, clip.first);
            let mut edge = width;
            while from < clip.to
                && let Some(cell) = self.cells.get_mut(place)
            {
                let to = edge.min(clip.to);
                *cell.of(activity) += to - from;
                (from, place, edge) = (to, place + 1, edge + width);
            }
        }
    }

    pub(crate) fn cells(&self) -> &[Cell] {
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
            from in 0_u64..3_000, length in 0_u64..3_000, cells in 1_u16..50,
        ) {
            let axis = Axis::still(at(2_000), Duration::from_nanos(1_000), cells);
            let mut raster = Raster::new(&axis);
            raster.fill(at(from), at(from + length), Activity::Running);
            let filled: u64 = raster.cells().iter().map(|cell| cell.running).sum();
            let (first, last) = axis.range();
            let expected = at(from + length).min(last).since(at(from).max(first));
            prop_assert_eq!(u128::from(filled), expected.as_nanos());
            let most = axis.cell().as_nanos() as u64;
            prop_assert!(raster.cells().iter().all(|cell| cell.running <= most));
        }
    }
}
