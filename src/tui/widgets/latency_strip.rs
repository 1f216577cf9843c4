//! The strip of a site's recent checks: one cell a check, the newest at the right.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::monitor::{RecentCheck, SiteState, State};
use crate::tui::theme;

const BLOCKS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// The glyphs of checks without a latency worth a bar: glyph, word of the legend, state.
pub(crate) const LEGEND: [(&str, &str, State); 4] = [
    ("x", "down", State::Down),
    ("!", "failing", State::Suspect),
    ("?", "unknown", State::Unknown),
    ("·", "missed", State::Missed),
];

/// The ratio of latencies between one height and the next.
const STEP: f64 = 1.3;

/// The bar of a latency, relative to the site's usual one, which is `▄`. Each step is 1.3 times
/// the one below; the full block means slower than the site's limit `slow`.
///
/// The scale is relative so that a change shows in a site of 12 ms as well as in one of 700 ms.
/// The LATENCY column has absolute figures.
pub(crate) fn block(latency: Duration, usual: Duration, slow: Duration) -> &'static str {
    if latency > slow {
        return BLOCKS[7];
    }
    // Samples are whole milliseconds: half of one added keeps the ratio of 0 and 1 finite.
    let of = |duration: Duration| duration.as_secs_f64() + 5e-4;
    let steps = (of(latency) / of(usual)).log(STEP).round();
    BLOCKS[(steps + 3.0).clamp(0.0, 6.0) as usize]
}

fn cell(sample: RecentCheck, usual: Duration, slow: Duration) -> (&'static str, Style) {
    let state = sample.state();
    let mark = LEGEND.iter().find(|(.., marked)| *marked == state);
    let glyph = mark.map_or_else(|| block(sample.latency(), usual, slow), |(glyph, ..)| glyph);
    (glyph, theme::badge(state).style)
}

/// Draws as many of the most recent checks as fit.
pub(crate) fn draw(buffer: &mut Buffer, area: Rect, site: &SiteState) {
    let slow = site.site().spec.slow;
    let usual = site
        .recent_checks()
        .quantiles()
        .map_or(slow, |(p50, _)| p50);
    let samples = site.recent_checks().iter().rev();
    for (sample, x) in samples.zip((area.left()..area.right()).rev()) {
        let (glyph, style) = cell(sample, usual, slow);
        if let Some(cell) = buffer.cell_mut((x, area.y)) {
            cell.set_symbol(glyph).set_style(style);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_latency_is_in_the_middle_and_full_means_slow() {
        let (usual, slow) = (Duration::from_millis(200), Duration::from_secs(2));
        for (millis, glyph) in [
            (0, "▁"),
            (120, "▂"),
            (150, "▃"),
            (190, "▄"),
            (200, "▄"),
            (260, "▅"),
            (340, "▆"),
            (450, "▇"),
            (2_000, "▇"),
            (2_001, "█"),
        ] {
            assert_eq!(
                block(Duration::from_millis(millis), usual, slow),
                glyph,
                "{millis}"
            );
        }
        assert_eq!(block(Duration::ZERO, Duration::ZERO, slow), "▄");
    }

    #[test]
    fn what_was_not_answered_has_a_mark_of_its_own() {
        for (glyph, _, state) in LEGEND {
            let sample = RecentCheck::new(state, Duration::from_secs(1));
            assert_eq!(
                cell(sample, Duration::ZERO, Duration::from_secs(2)).0,
                glyph
            );
        }
    }
}
