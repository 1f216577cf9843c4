//! The table of outages.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::domain::{Timestamp, clean};
use crate::history::DeliveryState;
use crate::monitor::State as SiteIs;
use crate::tui::click_targets::{ClickTarget, ClickTargets};
use crate::tui::format::{age, moment};
use crate::tui::history_view::OutageView;
use crate::tui::overlays::outage::words;
use crate::tui::site_remark::untold_in_words;
use crate::tui::sort::OutageSort;
use crate::tui::theme::{self, BOLD, DIM, PLAIN};
use crate::tui::widgets::put;

/// A column: its first cell and its width in cells.
type Column = (u16, u16);

/// The columns of a table `width` cells wide.
#[derive(Clone, Copy, Debug)]
pub(super) struct OutageColumns {
    state: Column,
    since: Column,
    lasts: Column,
    site: Column,
    why: Column,
    told: Column,
    acknowledged: Column,
}

impl OutageColumns {
    pub(super) fn of(width: u16) -> Self {
        let mut x = 1;
        let mut next = |cells: u16| {
            let column = (x, cells);
            x += cells + 1;
            column
        };
        // Columns of fixed width, the blanks between columns, and the scroll bar.
        let left = width.saturating_sub(7 + 11 + 7 + 8);
        let (state, since, lasts) = (next(7), next(11), next(7));
        let site = next((left * 26 / 100).min(40));
        let why = next(left * 22 / 100);
        let told = next(left * 30 / 100);
        let rest = left.saturating_sub(site.1 + why.1 + told.1);
        Self {
            state,
            since,
            lasts,
            site,
            why,
            told,
            acknowledged: next(rest),
        }
    }
}

/// The headings, marked where the list has the keys, with an arrow at the one it is sorted by.
pub(super) fn heading(
    (buffer, targets): (&mut Buffer, &mut ClickTargets),
    area: Rect,
    columns: &OutageColumns,
    (sort, reverse): (OutageSort, bool),
    is_front: bool,
) {
    let style = if is_front { BOLD } else { DIM };
    if is_front {
        put(buffer, area.x, area.y, 1, "›", BOLD);
    }
    let words = [
        (columns.state, "OUTAGE"),
        (columns.since, "SINCE"),
        (columns.lasts, "  LASTS"),
        (columns.site, "SITE"),
        (columns.why, "WHY"),
        (columns.told, "OWNERS TOLD"),
        (columns.acknowledged, "ACKNOWLEDGED"),
    ];
    for ((x, width), word) in words {
        put(buffer, area.x + x, area.y, width, word, style);
    }
    for ((x, width), order) in [
        (columns.state, OutageSort::Open),
        (columns.since, OutageSort::Since),
        (columns.lasts, OutageSort::Duration),
    ] {
        let turned = order == sort && !reverse;
        let area = Rect::new(area.x + x, area.y, width, 1);
        targets.note(area, ClickTarget::OutageOrder(order, turned));
    }
    let ((x, _), used) = match sort {
        OutageSort::Open => (columns.state, 6),
        OutageSort::Since => (columns.since, 6),
        OutageSort::Duration => (columns.lasts, 1),
    };
    let arrow = if reverse { "↑" } else { "↓" };
    put(buffer, area.x + x + used, area.y, 1, arrow, BOLD);
}

pub(super) fn row(
    buffer: &mut Buffer,
    line: Rect,
    columns: &OutageColumns,
    outage: &OutageView,
    (now, zone): (Timestamp, &jiff::tz::TimeZone),
) {
    let (badge, word) = if outage.row.ended.is_some() {
        (theme::badge(SiteIs::Up), "over")
    } else {
        (theme::badge(SiteIs::Down), "OPEN")
    };
    let lasts = age(outage.row.lasted(now));
    let name_style = if outage.row.ended.is_some() {
        PLAIN
    } else {
        BOLD
    };
    let (told, told_style) = told(outage, columns.told.1, (now, zone));
    let (known, known_style) = match &outage.row.acknowledged {
        None => ("-".to_owned(), DIM),
        Some(known) if known.note.is_empty() => ("yes".to_owned(), PLAIN),
        Some(known) => (clean(&known.note, 200), PLAIN),
    };
    let cells = [
        (
            columns.state,
            format!("{} {word}", badge.glyph),
            badge.style,
        ),
        (columns.since, moment(outage.row.since, now, zone), PLAIN),
        (columns.lasts, format!("{lasts:>7}"), PLAIN),
        (columns.site, clean(&outage.row.site.name, 200), name_style),
        (columns.why, why(outage, columns.why.1), PLAIN),
        (columns.told, told, told_style),
        (columns.acknowledged, known, known_style),
    ];
    for ((x, width), text, style) in cells {
        put(buffer, line.x + x, line.y, width, &text, style);
    }
}

/// The reason of the first cause, with its error text where there is room; "-" if unknown.
fn why(outage: &OutageView, width: u16) -> String {
    let Some(first) = outage.row.causes.first() else {
        return "-".to_owned();
    };
    let short = words(first);
    match &first.error {
        Some(error) if usize::from(width) > short.len() + 8 => {
            format!("{short}: {}", clean(error, 400))
        }
        _ => short,
    }
}

/// The owners told, by a failed delivery if there is one, else a pending one, else the first;
/// "+N" counts the other owners and channels.
fn told(outage: &OutageView, width: u16, at: (Timestamp, &jiff::tz::TimeZone)) -> (String, Style) {
    let told = &outage.row.messages;
    let worst = |delivery| told.iter().filter(move |one| one.delivery == delivery);
    let Some(first) = worst(DeliveryState::Failed)
        .chain(worst(DeliveryState::Retrying))
        .chain(worst(DeliveryState::Pending))
        .chain(worst(DeliveryState::Waiting))
        .next()
        .or(told.first())
    else {
        let untold = outage.row.untold.as_ref();
        return (untold_in_words(untold, usize::from(width), at), DIM);
    };
    let badge = theme::delivery(first.delivery);
    let mut text = format!("{} {}", badge.glyph, clean(&first.owner, 40));
    if width >= 24 {
        text.push_str(&format!(" {}", clean(&first.channel, 20)));
    }
    match (first.delivery, first.settled) {
        (DeliveryState::Sent, Some(settled)) => {
            text.push_str(&format!(" {}", moment(settled, at.0, at.1)));
        }
        (DeliveryState::Sent, None) => {}
        _ => text.push_str(&format!(" {}", badge.word)),
    }
    // Messages about start and end go to the same owner and channel: counted once.
    let mut others: Vec<_> = told
        .iter()
        .map(|one| (&one.owner, &one.channel))
        .filter(|one| *one != (&first.owner, &first.channel))
        .collect();
    others.sort_unstable();
    others.dedup();
    if !others.is_empty() {
        text.push_str(&format!(" +{}", others.len()));
    }
    (text, badge.style)
}
