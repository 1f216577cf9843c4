//! The columns of the table of sites that fit on a screen, and their positions.

use crate::tui::sort::Sort;

/// A column of the table of sites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum SiteColumn {
    State,
    Site,
    Code,
    Latency,
    Checks,
    P50,
    P95,
    Uptime,
    Next,
    RanOn,
    Late,
    Tags,
}

impl SiteColumn {
    /// The column by which that order sorts.
    pub(super) const fn sorted(sort: Sort) -> Self {
        match sort {
            Sort::Failing | Sort::DownSince | Sort::Duration => Self::State,
            Sort::Name => Self::Site,
            Sort::Latency => Self::Latency,
            Sort::Uptime => Self::Uptime,
            Sort::Lateness => Self::Late,
            Sort::Next => Self::Next,
        }
    }

    /// The order by this column; `None` for one that no order goes by.
    pub(super) const fn order(self) -> Option<Sort> {
        Some(match self {
            Self::State => Sort::Failing,
            Self::Site => Sort::Name,
            Self::Latency => Sort::Latency,
            Self::Uptime => Sort::Uptime,
            Self::Late => Sort::Lateness,
            Self::Next => Sort::Next,
            Self::Code | Self::Checks | Self::P50 | Self::P95 | Self::RanOn | Self::Tags => {
                return None;
            }
        })
    }

    /// Whether its text is aligned right, as numbers are.
    pub(super) const fn is_right(self) -> bool {
        matches!(
            self,
            Self::Code
                | Self::Latency
                | Self::P50
                | Self::P95
                | Self::Uptime
                | Self::Next
                | Self::Late
        )
    }

    /// The heading of a column of `width` cells. `far`: checks run on other hosts.
    pub(super) fn heading(self, width: u16, far: bool) -> String {
        match self {
            Self::State => "STATE".into(),
            Self::Site => "SITE".into(),
            Self::Code => "CODE".into(),
            Self::Latency => "LATENCY".into(),
            Self::Checks if width >= 44 => {
                format!("LAST {width} CHECKS: height=latency, ▄=usual")
            }
            Self::Checks => format!("LAST {width} CHECKS"),
            Self::P50 => "P50".into(),
            Self::P95 => "P95".into(),
            Self::Uptime => "UP%".into(),
            Self::Next => "NEXT".into(),
            Self::RanOn if width >= 24 => "RAN ON host/pid thread/tid".into(),
            Self::RanOn if far && width >= 15 => "RAN ON host/pid".into(),
            Self::RanOn if width >= 16 => "RAN ON thread/tid".into(),
            Self::RanOn => "RAN ON".into(),
            Self::Late => "LATE".into(),
            Self::Tags => "TAGS @OWNERS".into(),
        }
    }
}

/// A column and its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PlacedColumn {
    pub(super) column: SiteColumn,
    /// Cells from the left edge of the table.
    pub(super) x: u16,
    pub(super) width: u16,
}

/// The columns of a table `width` cells wide, left to right. With `late`, the column LATE is
/// shown on a narrow screen too.
pub(super) fn columns(width: u16, late: bool) -> Vec<PlacedColumn> {
    use SiteColumn as C;
    // Column, width in cells (0: stretches), and the width of the table that it needs.
    let fixed: [(SiteColumn, u16, u16); 11] = [
        (C::State, 15, 0),
        (C::Site, 0, 0),
        (C::Code, 4, 0),
        (C::Latency, if width >= 150 { 11 } else { 8 }, 0),
        (C::Checks, 0, 0),
        (C::P50, 6, 150),
        (C::P95, 6, 150),
        (C::Uptime, 5, 90),
        (C::Next, 6, 90),
        (C::RanOn, ran_on(width), 100),
        (C::Late, 6, if late { 0 } else { 110 }),
    ];
    let shown: Vec<_> = fixed
        .into_iter()
        .filter(|(_, _, from)| width >= *from)
        .collect();
    // One cell before each column, a second one before the strip, and the scroll bar.
    let taken: u16 = shown.iter().map(|(_, cells, _)| cells + 1).sum::<u16>() + 2;
    let mut left = width.saturating_sub(taken);
    let tags = if width >= 180 { left / 6 } else { 0 };
    left -= tags;
    let site = match left {
        0..=46 => left * 22 / 46,
        47.. => (22 + (left - 46) / 3).min(48),
    };
    let checks = (left - site).min(crate::monitor::RECENT_CHECKS as u16);
    let mut x = 1;
    let mut placed = Vec::new();
    for (column, cells, _) in shown
        .into_iter()
        .chain((tags > 2).then(|| (C::Tags, tags - 1, 0)))
    {
        let width = match column {
            C::Site => site,
            C::Checks => checks,
            _ => cells,
        };
        // A second cell separates the reason in LATENCY from the strip.
        x += u16::from(column == C::Checks);
        placed.push(PlacedColumn { column, x, width });
        x += width + 1;
    }
    placed
}

const fn ran_on(width: u16) -> u16 {
    match width {
        0..120 => 9,
        120..160 => 17,
        _ => 30,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn width_of(width: u16, column: SiteColumn) -> Option<u16> {
        let placed = columns(width, false);
        placed
            .iter()
            .find(|placed| placed.column == column)
            .map(|placed| placed.width)
    }

    #[test]
    fn eighty_cells_hold_what_matters_most() {
        let shown: Vec<_> = columns(80, false)
            .iter()
            .map(|placed| placed.column)
            .collect();
        use SiteColumn as C;
        assert_eq!(shown, [C::State, C::Site, C::Code, C::Latency, C::Checks]);
        assert_eq!(width_of(80, C::Site), Some(22));
        assert_eq!(width_of(80, C::Checks), Some(24));
    }

    #[test]
    fn wide_screens_show_everything() {
        let shown = columns(200, false);
        assert_eq!(shown.len(), 12);
        assert!(width_of(200, SiteColumn::Site) > width_of(120, SiteColumn::Site));
        assert!(width_of(200, SiteColumn::Checks) > width_of(120, SiteColumn::Checks));
    }

    proptest! {
        #[test]
        fn columns_stand_side_by_side_and_within_the_table(width in 60_u16..400, late: bool) {
            let placed = columns(width, late);
            for two in placed.windows(2) {
                prop_assert!(two[0].x + two[0].width < two[1].x);
            }
            let last = placed.last().unwrap();
            prop_assert!(last.x + last.width < width, "{last:?}");
            prop_assert!(placed.iter().all(|placed| placed.width >= 4), "{placed:?}");
        }
    }
}
