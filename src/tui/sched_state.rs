//! Where the reader is on the Scheduling screen: how lanes are grouped, what stretch of time
//! is shown, and where the cursor stands.

use std::time::Duration;

use crate::domain::{JobId, Moment, SiteId};

use super::lanes::Axis;

/// What a page may show; the same in every paradigm.
const SPANS: [Duration; 10] = [
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_millis(2_500),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(20),
    Duration::from_secs(60),
    Duration::from_secs(180),
    Duration::from_secs(600),
];

/// The one that is shown unless somebody zooms: as long as sites wait for their next check,
/// between one second and ten. It depends on the list and not on the paradigm.
fn usual(interval: Option<Duration>) -> usize {
    const LEAST: usize = 2;
    const MOST: usize = 5;
    let fits = |span: &Duration| interval.is_some_and(|interval| *span >= interval);
    SPANS
        .iter()
        .position(fits)
        .map_or(MOST, |at| at.clamp(LEAST, MOST))
}

/// What the scale depends on beside the reader's place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageTime {
    /// When the newest sweep began: a page begins there.
    pub(crate) anchor: Moment,
    pub(crate) now: Moment,
    /// The display is frozen.
    pub(crate) held: bool,
    /// How often sites are checked, where all are alike.
    pub(crate) interval: Option<Duration>,
}

/// What a lane is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Grouping {
    /// A thread, grouped by process.
    #[default]
    Thread,
    /// A site.
    Site,
    /// A check, under the threads that run them.
    Task,
}

impl Grouping {
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Thread => "by thread",
            Self::Site => "by site",
            Self::Task => "by task",
        }
    }

    const fn following(self) -> Self {
        match self {
            Self::Thread => Self::Site,
            Self::Site => Self::Task,
            Self::Task => Self::Thread,
        }
    }
}

/// What a key does to the reader's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SchedAction {
    Group,
    Closer,
    Wider,
    LaneUp,
    LaneDown,
    Left,
    Right,
    Back,
    Forth,
    Oldest,
    Live,
    Follow,
    Explain,
    Record,
    Export,
}

/// The reader's place.
#[derive(Clone, Debug, Default)]
pub(crate) struct SchedState {
    pub(crate) grouping: Grouping,
    /// Steps closer than usual; below zero it is wider.
    closer: i8,
    /// Where the page ends, while it stands still.
    still: Option<Moment>,
    /// The check that the cursor is on, while there is a cursor.
    pub(crate) cursor: Option<JobId>,
    /// The lane that is selected, among all there are.
    pub(crate) lane: usize,
    /// The site that is marked in all lanes.
    pub(crate) followed: Option<SiteId>,
}

impl SchedState {
    fn step(&self, interval: Option<Duration>) -> usize {
        usual(interval)
            .saturating_add_signed(-isize::from(self.closer))
            .min(SPANS.len() - 1)
    }

    /// How long a page is, where sites are checked at this interval.
    pub(crate) fn span(&self, interval: Option<Duration>) -> Duration {
        SPANS.get(self.step(interval)).copied().unwrap_or_default()
    }

    /// By how much the page is closer than usual; below 1 it is wider.
    pub(crate) fn zoom(&self, interval: Option<Duration>) -> f64 {
        SPANS[usual(interval)].as_secs_f64() / self.span(interval).as_secs_f64()
    }

    /// Zooms in (1) or out (-1), within what there is.
    pub(crate) fn zoom_by(&mut self, steps: i8, interval: Option<Duration>) {
        let before = self.step(interval);
        self.closer += steps;
        if self.step(interval) == before {
            self.closer -= steps;
        }
    }

    pub(crate) const fn regroup(&mut self) {
        self.grouping = self.grouping.following();
        self.lane = 0;
    }

    /// Whether the page stands still.
    pub(crate) const fn is_still(&self) -> bool {
        self.still.is_some()
    }

    /// Goes with the time again.
    pub(crate) const fn live(&mut self) {
        self.still = None;
        self.cursor = None;
    }

    /// Stands still at a page that ends at `end`.
    pub(crate) const fn stand(&mut self, end: Moment) {
        self.still = Some(end);
    }

    /// The scale of a picture of `cells` cells.
    pub(crate) fn axis(&self, time: PageTime, cells: u16) -> Axis {
        let span = self.span(time.interval);
        match self.still {
            Some(end) => Axis::still(end, span, cells),
            None if time.held => Axis::still(time.now, span, cells),
            None => Axis::sweeping(time.anchor.min(time.now), time.now, span, cells),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zoom_has_two_ends_and_says_how_close_it_is() {
        let mut place = SchedState::default();
        assert_eq!(place.span(None), Duration::from_secs(10));
        assert!((place.zoom(None) - 1.0).abs() < 1e-9);
        place.zoom_by(1, None);
        assert!((place.zoom(None) - 2.0).abs() < 1e-9);
        for _ in 0..40 {
            place.zoom_by(-1, None);
        }
        assert_eq!(place.span(None), Duration::from_secs(600));
        for _ in 0..40 {
            place.zoom_by(1, None);
        }
        assert_eq!(place.span(None), Duration::from_millis(100));
    }

    #[test]
    fn a_page_is_as_long_as_the_interval_within_bounds() {
        let span = |millis| SchedState::default().span(Some(Duration::from_millis(millis)));
        assert_eq!(span(300_000), Duration::from_secs(10));
        assert_eq!(span(5_000), Duration::from_secs(5));
        assert_eq!(span(3_000), Duration::from_secs(5));
        assert_eq!(span(200), Duration::from_secs(1));
    }

    #[test]
    fn every_grouping_is_reached_and_the_first_comes_again() {
        let mut place = SchedState::default();
        let mut seen = vec![place.grouping];
        for _ in 0..2 {
            place.regroup();
            assert!(!seen.contains(&place.grouping));
            seen.push(place.grouping);
        }
        place.regroup();
        assert_eq!(place.grouping, seen[0]);
    }
}
