//! The strips below the lanes: the mean number of checks in each cell.

use crate::domain::Moment;

use super::Axis;
use super::cell_cursor::CellCursor;

const BLOCKS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Counts spans of time that overlap, cell by cell.
#[derive(Clone, Debug)]
pub(crate) struct LoadStrip<'a> {
    cursor: CellCursor<'a>,
    /// For each cell, nanoseconds of the spans that cover a part of it.
    parts: Vec<u64>,
    /// For each cell, by how much the number of spans that cover it wholly changes there.
    changes: Vec<i64>,
}

impl<'a> LoadStrip<'a> {
    pub(crate) fn new(axis: &'a Axis) -> Self {
        Self {
            cursor: CellCursor::new(axis),
            parts: vec![0; axis.cells()],
            changes: vec![0; axis.cells() + 1],
        }
    }

    /// Counts one span, from `from` to `to`.
    pub(crate) fn add(&mut self, from: Moment, to: Moment) {
        let Self {
            cursor,
            parts,
            changes,
        } = self;
        let width = cursor.width();
        let mut part = |cell: usize, nanos: u64| {
            if let Some(part) = parts.get_mut(cell) {
                *part += nanos;
            }
        };
        let mut change = |cell: usize, by: i64| {
            if let Some(change) = changes.get_mut(cell) {
                *change += by;
            }
        };
        cursor.clip(from, to, |clip| {
            let last = clip.end(width);
            if last == clip.first {
                part(last, clip.to - clip.from);
                return;
            }
            part(clip.first, width - clip.from);
            part(last, clip.to - (last - clip.first) as u64 * width);
            // The cells between the first and the last are covered wholly.
            if last > clip.first + 1 {
                change(clip.first + 1, 1);
                change(last, -1);
            }
        });
    }

    /// The mean number of spans in each cell, over the cell's duration.
    pub(crate) fn means(&self) -> Vec<f64> {
        let width = self.cursor.width() as f64;
        let whole = self.changes.iter().scan(0, |sum, change| {
            *sum += change;
            Some(*sum)
        });
        self.parts
            .iter()
            .zip(whole)
            .map(|(part, whole)| *part as f64 / width + whole as f64)
            .collect()
    }
}

/// The block character for `number` on a scale from 0 to `most`; `None` below a thousandth.
pub(crate) fn block(number: f64, most: usize) -> Option<&'static str> {
    if number < 1e-3 {
        return None;
    }
    let eighths = (number / most.max(1) as f64 * 8.0).ceil() as usize;
    BLOCKS.get(eighths.clamp(1, 8) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn at(nanos: u64) -> Moment {
        Moment::from_nanos(nanos)
    }

    #[test]
    fn one_after_another_is_one_and_not_several() {
        let axis = Axis::still(at(1_000), Duration::from_nanos(1_000), 10);
        let mut load = LoadStrip::new(&axis);
        for start in (0..1_000).step_by(20) {
            load.add(at(start), at(start + 20));
        }
        assert!(load.means().iter().all(|mean| (mean - 1.0).abs() < 1e-9));
    }

    #[test]
    fn little_is_seen_and_nothing_is_not() {
        assert_eq!(block(0.0, 1_000), None);
        assert_eq!(block(0.1, 1_000), Some("▁"));
        assert_eq!(block(500.0, 1_000), Some("▄"));
        assert_eq!(block(1_000.0, 1_000), Some("█"));
        assert_eq!(block(9.0, 4), Some("█"));
    }

    proptest! {
        #[test]
        fn the_mean_is_the_time_over_the_cell(
            stretches in prop::collection::vec((0_u64..1_200, 1_u64..900), 0..20), cells in 1_u16..40,
        ) {
            let axis = Axis::still(at(1_000), Duration::from_nanos(1_000), cells);
            let mut load = LoadStrip::new(&axis);
            let (first, last) = axis.range();
            let mut expected = 0.0;
            for (from, length) in stretches {
                load.add(at(from), at(from + length));
                let shown = at(from + length).min(last).since(at(from).max(first));
                expected += shown.as_nanos() as f64 / axis.cell().as_nanos() as f64;
            }
            let sum: f64 = load.means().iter().sum();
            prop_assert!((sum - expected).abs() < 1e-6, "{sum} {expected}");
        }
    }
}
