//! The layout of the screen.
//!
//! ```text
//! header    UptimeSquirrel  [Sites]  [6] ASYNC, 1,000 workers              live 14:02:11
//!           ✗ 1 DOWN  ● 14 UP   late 0.0s   p50 300ms p95 1.5s     threads 4  cpu 3%
//! notices   sites.toml:12: …                            (only while there is trouble)
//! body      the screen, or the overlay in front of it
//! footer    ? help  q quit  …
//! ```

use ratatui::layout::Rect;

use crate::domain::clean;

use super::format::{cut, wrap};
use super::state::UiState;
use super::view_model::ViewModel;

/// The smallest size, in columns and rows, at which the screen is drawn.
pub(crate) const MIN_SIZE: (u16, u16) = (60, 16);

/// The parts of the screen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Areas {
    pub(crate) header: Rect,
    pub(crate) notices: Rect,
    pub(crate) body: Rect,
    pub(crate) footer: Rect,
}

/// The lasting problem in at most two lines, cut where it is longer.
pub(crate) fn banner(text: &str, width: u16) -> Vec<String> {
    let width = usize::from(width).saturating_sub(2);
    let text = clean(text, 1_000);
    let mut lines = wrap(&text, width);
    if lines.len() > 2 {
        let rest = lines.split_off(1).join(" ");
        lines.push(cut(&rest, width));
    }
    lines
}

/// The parts of a screen of size `area`; `None` if it is too small.
pub(crate) fn areas(area: Rect, state: &UiState, model: &ViewModel<'_>) -> Option<Areas> {
    if area.width < MIN_SIZE.0 || area.height < MIN_SIZE.1 {
        return None;
    }
    let banner = model
        .banner
        .map_or(0, |text| banner(text, area.width).len());
    let notices = banner as u16 + u16::from(state.frozen.is_some());
    let rows = |y, height| Rect {
        y: area.y + y,
        height,
        ..area
    };
    Some(Areas {
        header: rows(0, 2),
        notices: rows(2, notices),
        body: rows(2 + notices, area.height - 3 - notices),
        footer: rows(area.height - 1, 1),
    })
}

/// The body at the size that the terminal reported last.
pub(crate) fn body(state: &UiState, model: &ViewModel<'_>) -> Rect {
    let area = Rect::new(0, 0, state.size.0, state.size.1);
    areas(area, state, model).map_or(Rect::ZERO, |areas| areas.body)
}

/// The number of table rows that the body has room for, without heading and bottom line.
pub(crate) fn page(state: &UiState, model: &ViewModel<'_>) -> usize {
    usize::from(body(state, model).height.saturating_sub(2)).max(1)
}
