//! The state of the Scheduling screen: the grouping of lanes, the shown stretch of time and the
//! cursor.

use std::time::Duration;

use crate::domain::{JobId, Moment, SiteId};

use super::lanes::Axis;

/// The durations that a page can show; the same for every paradigm, so that pictures compare.
const PAGE_SPANS: [Duration; 10] = [
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

/// The index of the span without zoom: the interval of the sites, between one second and ten.
/// It depends on the list of sites and not on the paradigm.
fn usual(interval: Option<Duration>) -> usize {
    const SHORTEST: usize = 2;
    const LONGEST: usize = 5;
    let fits = |span: &Duration| interval.is_some_and(|interval| *span >= interval);
    PAGE_SPANS
        .iter()
        .position(fits)
        .map_or(LONGEST, |at| at.clamp(SHORTEST, LONGEST))
}

/// The times that a page depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageTime {
    /// The begin of the newest sweep, where a page begins.
    pub(crate) anchor: Moment,
    pub(crate) now: Moment,
    /// The display is frozen.
    pub(crate) held: bool,
    /// The interval of the sites, where all have the same.
    pub(crate) interval: Option<Duration>,
}

/// The grouping of the lanes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Grouping {
    /// A lane a thread, grouped by process.
    #[default]
    Thread,
    /// One lane for each site.
    Site,
    /// A lane a check, below the threads that run them.
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

/// The actions of the keys of the Scheduling screen.
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

/// The state of the Scheduling screen.
#[derive(Clone, Debug, Default)]
pub(crate) struct SchedState {
    pub(crate) grouping: Grouping,
    /// The zoom in steps: above zero a page shows less time than without zoom.
    closer: i8,
    /// The end of the page while it stands still; `None` while it is live.
    still: Option<Moment>,
    /// The check under the cursor, if there is a cursor.
    pub(crate) cursor: Option<JobId>,
    /// The index of the selected lane.
    pub(crate) lane: usize,
    /// The site that is marked in all lanes.
    pub(crate) followed: Option<SiteId>,
}

impl SchedState {
    fn step(&self, interval: Option<Duration>) -> usize {
        usual(interval)
            .saturating_add_signed(-isize::from(self.closer))
            .min(PAGE_SPANS.len() - 1)
    }

    /// The duration of a page, for sites with this interval.
    pub(crate) fn span(&self, interval: Option<Duration>) -> Duration {
        PAGE_SPANS
            .get(self.step(interval))
            .copied()
            .unwrap_or_default()
    }

    /// The zoom factor: 1 without zoom, below 1 where a page shows more time.
    pub(crate) fn zoom(&self, interval: Option<Duration>) -> f64 {
        PAGE_SPANS[usual(interval)].as_secs_f64() / self.span(interval).as_secs_f64()
    }

    /// Zooms in (1) or out (-1), within [`PAGE_SPANS`].
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

    /// Makes the page follow the time again, without a cursor.
    pub(crate) const fn live(&mut self) {
        self.still = None;
        self.cursor = None;
    }

    /// Stops at the page that ends at `end`.
    pub(crate) const fn stand(&mut self, end: Moment) {
        self.still = Some(end);
    }

    /// The time axis of a picture of `cells` cells.
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
