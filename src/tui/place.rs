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

/// The one that is shown unless somebody zooms.
const USUAL: usize = 5;

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
pub(crate) enum Steer {
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
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) grouping: Grouping,
    zoom: usize,
    /// Where the page ends, while it stands still.
    still: Option<Moment>,
    /// The check that the cursor is on, while there is a cursor.
    pub(crate) cursor: Option<JobId>,
    /// The lane that is selected, among all there are.
    pub(crate) lane: usize,
    /// The site that is marked in all lanes.
    pub(crate) followed: Option<SiteId>,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            grouping: Grouping::default(),
            zoom: USUAL,
            still: None,
            cursor: None,
            lane: 0,
            followed: None,
        }
    }
}

impl Place {
    /// How long a page is.
    pub(crate) fn span(&self) -> Duration {
        SPANS.get(self.zoom).copied().unwrap_or(SPANS[USUAL])
    }

    /// By how much the page is closer than usual; below 1 it is wider.
    pub(crate) fn zoom(&self) -> f64 {
        SPANS[USUAL].as_secs_f64() / self.span().as_secs_f64()
    }

    pub(crate) const fn closer(&mut self) {
        self.zoom = self.zoom.saturating_sub(1);
    }

    pub(crate) const fn wider(&mut self) {
        if self.zoom + 1 < SPANS.len() {
            self.zoom += 1;
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

    /// The scale of a picture of `cells` cells, where the time is `now`, `held` if the display
    /// is frozen, and the newest sweep began at `anchor`.
    pub(crate) fn axis(&self, anchor: Moment, now: Moment, held: bool, cells: u16) -> Axis {
        match self.still {
            Some(end) => Axis::still(end, self.span(), cells),
            None if held => Axis::still(now, self.span(), cells),
            None => Axis::sweeping(anchor.min(now), now, self.span(), cells),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zoom_has_two_ends_and_says_how_close_it_is() {
        let mut place = Place::default();
        assert_eq!(place.span(), Duration::from_secs(10));
        assert!((place.zoom() - 1.0).abs() < 1e-9);
        place.closer();
        assert!((place.zoom() - 2.0).abs() < 1e-9);
        for _ in 0..40 {
            place.wider();
        }
        assert_eq!(place.span(), Duration::from_secs(600));
        for _ in 0..40 {
            place.closer();
        }
        assert_eq!(place.span(), Duration::from_millis(100));
    }

    #[test]
    fn every_grouping_is_reached_and_the_first_comes_again() {
        let mut place = Place::default();
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
