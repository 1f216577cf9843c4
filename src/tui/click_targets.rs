//! What a click means: the areas of a frame, noted by what drew them.

use ratatui::layout::{Position, Rect};

use crate::domain::{Moment, SiteId};

use super::lanes::Axis;
use super::outages_state::OutageKey;
use super::sort::{OutageSort, Sort};

/// What stands in an area of the screen.
#[derive(Clone, Debug)]
pub(crate) enum ClickTarget {
    /// The title of a screen, by its index in the table of screens.
    Tab(usize),
    /// The row of a site.
    Site(SiteId),
    /// The heading of a column of the sites, and the order that a click asks for.
    SiteOrder(Sort, bool),
    /// The row of an outage.
    Outage(OutageKey),
    /// The heading of a column of the outages, and the order that a click asks for.
    OutageOrder(OutageSort, bool),
    /// The row of a message of the outbox, by its identifier.
    Message(Box<str>),
    /// The list of outages, beside its rows.
    Outages,
    /// The outbox, beside its rows.
    Outbox,
    /// A lane of the schedule, by its index, and the axis that its cells stand on.
    Lane(usize, Axis),
}

/// The areas of a frame that mean something to a click. What was noted later lies in front.
#[derive(Clone, Debug, Default)]
pub struct ClickTargets(Vec<(Rect, ClickTarget)>);

impl ClickTargets {
    /// Notes what was drawn in an area.
    pub(crate) fn note(&mut self, area: Rect, target: ClickTarget) {
        self.0.push((area, target));
    }

    /// What stands in a cell.
    pub(crate) fn at(&self, (column, row): (u16, u16)) -> Option<&ClickTarget> {
        self.find((column, row)).map(|(_, target)| target)
    }

    /// The moment that a cell of a lane stands for; `None` where no time has come yet.
    pub(crate) fn moment_at(&self, (column, row): (u16, u16)) -> Option<Moment> {
        match self.find((column, row))? {
            (area, ClickTarget::Lane(_, axis)) => axis.moment(usize::from(column - area.x)),
            _ => None,
        }
    }

    fn find(&self, (column, row): (u16, u16)) -> Option<&(Rect, ClickTarget)> {
        let cell = Position::new(column, row);
        self.0.iter().rfind(|(area, _)| area.contains(cell))
    }
}
