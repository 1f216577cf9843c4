//! Glyph, word and style of each state.
//!
//! Only the terminal's sixteen colours are used, and none as a background, so that the reader's
//! own scheme, light or dark, applies. Colour is never the only sign: each state has a glyph and
//! a word too, and yellow text, which is faint on white, is also bold. No colour of the sixteen can
//! be read on light and on dark: where the background is known, [`legible`] takes one that can.

use ratatui::style::{Color, Modifier, Style};

use crate::domain::Reason;
use crate::monitor::{SiteState, State};

use super::options::Background;
use super::view_model::Tone;
use crate::history::DeliveryState;

/// The glyph, word and style of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Badge {
    pub(crate) glyph: &'static str,
    pub(crate) word: &'static str,
    pub(crate) style: Style,
}

pub(crate) const PLAIN: Style = Style::new();
pub(crate) const BOLD: Style = PLAIN.add_modifier(Modifier::BOLD);
pub(crate) const DIM: Style = PLAIN.add_modifier(Modifier::DIM);
pub(crate) const SELECTED: Style = PLAIN.add_modifier(Modifier::REVERSED);
/// The mark of what happened since the last key.
pub(crate) const NEW: &str = "*";
/// The mark of a site that is marked.
pub(crate) const MARK: &str = ">";
const GOOD: Style = PLAIN.fg(Color::Green);
const WARN: Style = PLAIN.fg(Color::Yellow).add_modifier(Modifier::BOLD);
const BAD: Style = PLAIN.fg(Color::Red).add_modifier(Modifier::BOLD);
/// A problem of the program itself, as opposed to one of a site.
const OURS: Style = PLAIN.fg(Color::Magenta).add_modifier(Modifier::BOLD);
/// Time spent waiting for the network.
pub(crate) const NETWORK: Style = PLAIN.fg(Color::Blue);

/// The colour in the place of `color` on this background: of the sixteen the one nearest to it whose
/// contrast is 4.5 or more in the schemes of common terminals (WCAG 2.2, 1.4.3 AA), or the terminal's own
/// text colour where none has it. On an unknown background it stays.
pub(crate) const fn legible(color: Color, background: Background) -> Color {
    match (background, color) {
        (Background::Dark, Color::Red) => Color::LightRed,
        (Background::Dark, Color::Yellow) => Color::LightYellow,
        (Background::Dark, Color::Blue | Color::Magenta) => Color::Cyan,
        (Background::Light, Color::Green | Color::Yellow) => Color::Reset,
        (Background::Light, Color::Magenta) => Color::Blue,
        (_, color) => color,
    }
}

/// The badge of a state.
pub(crate) const fn badge(state: State) -> Badge {
    let (glyph, word, style) = match state {
        State::Down => ("✗", "DOWN", BAD),
        State::Suspect => ("!", "SUSPECT", WARN),
        State::Unknown => ("?", "UNKNOWN", OURS),
        State::Missed => ("·", "MISSED", OURS),
        State::Degraded => ("▲", "DEGRADED", WARN),
        State::Pending => ("○", "NEW", DIM),
        State::Up => ("●", "UP", GOOD),
        State::Paused => ("‖", "PAUSED", DIM),
    };
    Badge { glyph, word, style }
}

/// The badge of a site: that of its state, with the reason as the word where it is degraded.
pub(crate) fn site_badge(site: &SiteState) -> Badge {
    let state = site.state();
    let mut badge = badge(state);
    if state == State::Degraded {
        let reason = site.last().and_then(|last| last.reason);
        badge.word = if reason == Some(Reason::Certificate) {
            "CERT"
        } else {
            "SLOW"
        };
    }
    badge
}

/// The badge of a message's delivery.
pub(crate) const fn delivery(delivery: DeliveryState) -> Badge {
    let (glyph, word, style) = match delivery {
        DeliveryState::Waiting => ("·", "waiting", PLAIN),
        DeliveryState::Pending => ("○", "sending", PLAIN),
        DeliveryState::Retrying => ("!", "retrying", WARN),
        DeliveryState::Sent => ("●", "sent", GOOD),
        DeliveryState::Failed => ("✗", "GAVE UP", BAD),
    };
    Badge { glyph, word, style }
}

/// The style of a status message.
pub(crate) const fn tone(tone: Tone) -> Style {
    match tone {
        Tone::Info => PLAIN,
        Tone::Good => GOOD,
        Tone::Warn => WARN,
        Tone::Bad => BAD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn no_two_states_share_a_glyph_or_a_word() {
        let glyphs: HashSet<_> = State::ALL.map(|state| badge(state).glyph).into();
        let words: HashSet<_> = State::ALL.map(|state| badge(state).word).into();
        assert_eq!((glyphs.len(), words.len()), (8, 8));
        assert!(glyphs.iter().all(|glyph| glyph.width() == 1));
    }

    /// The colours 0 to 15 of a terminal, its dark and its light backgrounds, and the contrast that its
    /// scheme can have.
    struct Scheme {
        name: &'static str,
        colors: [u32; 16],
        dark: &'static [u32],
        light: &'static [u32],
        least: f64,
    }

    const SCHEMES: [Scheme; 6] = [
        // XTerm-col.ad of xterm 390; xterm -rv is white on black.
        Scheme {
            name: "xterm",
            colors: [
                0x00_0000, 0xcd_0000, 0x00_cd00, 0xcd_cd00, 0x00_00ee, 0xcd_00cd, 0x00_cdcd,
                0xe5_e5e5, 0x7f_7f7f, 0xff_0000, 0x00_ff00, 0xff_ff00, 0x5c_5cff, 0xff_00ff,
                0x00_ffff, 0xff_ffff,
            ],
            dark: &[0x00_0000],
            light: &[0xff_ffff],
            least: 4.5,
        },
        // GNOME Terminal and Console, on VTE: the palette "GNOME", and their backgrounds.
        Scheme {
            name: "VTE, GNOME",
            colors: [
                0x17_1421, 0xc0_1c28, 0x26_a269, 0xa2_734c, 0x12_488b, 0xa3_47ba, 0x2a_a1b3,
                0xd0_cfcc, 0x5e_5c64, 0xf6_6151, 0x33_da7a, 0xe9_ad0c, 0x2a_7bde, 0xc0_61cb,
                0x33_c7de, 0xff_ffff,
            ],
            dark: &[0x17_1421, 0x1d_1d20, 0x00_0000],
            light: &[0xff_ffff],
            least: 4.5,
        },
        // Windows Terminal, "Color schemes": Campbell.
        Scheme {
            name: "Campbell",
            colors: [
                0x0c_0c0c, 0xc5_0f1f, 0x13_a10e, 0xc1_9c00, 0x00_37da, 0x88_1798, 0x3a_96dd,
                0xcc_cccc, 0x76_7676, 0xe7_4856, 0x16_c60c, 0xf9_f1a5, 0x3b_78ff, 0xb4_009e,
                0x61_d6d6, 0xf2_f2f2,
            ],
            dark: &[0x0c_0c0c],
            light: &[0xff_ffff, 0xf2_f2f2],
            least: 4.5,
        },
        // default_red, default_grn and default_blu of Linux's drivers/tty/vt/vt.c.
        Scheme {
            name: "Linux console",
            colors: [
                0x00_0000, 0xaa_0000, 0x00_aa00, 0xaa_5500, 0x00_00aa, 0xaa_00aa, 0x00_aaaa,
                0xaa_aaaa, 0x55_5555, 0xff_5555, 0x55_ff55, 0xff_ff55, 0x55_55ff, 0xff_55ff,
                0x55_ffff, 0xff_ffff,
            ],
            dark: &[0x00_0000],
            light: &[],
            least: 4.5,
        },
        // Terminal.app, "Basic" and "Pro".
        Scheme {
            name: "macOS Terminal",
            colors: [
                0x00_0000, 0xc2_3621, 0x25_bc24, 0xad_ad27, 0x49_2ee1, 0xd3_38d3, 0x33_bbc8,
                0xcb_cccd, 0x81_8383, 0xfc_391f, 0x31_e722, 0xea_ec23, 0x58_33ff, 0xf9_35f8,
                0x14_f0f0, 0xe9_ebeb,
            ],
            dark: &[0x00_0000],
            light: &[0xff_ffff],
            least: 4.5,
        },
        // ethanschoonover.com/solarized. Its own text has 4.1 on its light background: of no accent
        // more can be asked than of large and bold text (AA as well).
        Scheme {
            name: "Solarized",
            colors: [
                0x07_3642, 0xdc_322f, 0x85_9900, 0xb5_8900, 0x26_8bd2, 0xd3_3682, 0x2a_a198,
                0xee_e8d5, 0x00_2b36, 0xcb_4b16, 0x58_6e75, 0x65_7b83, 0x83_9496, 0x6c_71c4,
                0x93_a1a1, 0xfd_f6e3,
            ],
            dark: &[0x00_2b36],
            light: &[0xfd_f6e3],
            least: 3.0,
        },
    ];

    /// The place of a colour among the sixteen; `None` for the terminal's own text colour.
    fn place(color: Color) -> Option<usize> {
        Some(match color {
            Color::Reset => return None,
            Color::Red => 1,
            Color::Green => 2,
            Color::Yellow => 3,
            Color::Blue => 4,
            Color::Magenta => 5,
            Color::Cyan => 6,
            Color::LightRed => 9,
            Color::LightYellow => 11,
            other => panic!("{other:?} is no colour of the theme"),
        })
    }

    /// The contrast of two colours (WCAG 2.2, "contrast ratio").
    fn contrast(one: u32, other: u32) -> f64 {
        let luminance = |color: u32| {
            let linear = |shift: u32| match f64::from((color >> shift) & 0xff) / 255.0 {
                part @ ..=0.04045 => part / 12.92,
                part => ((part + 0.055) / 1.055).powf(2.4),
            };
            0.2126 * linear(16) + 0.7152 * linear(8) + 0.0722 * linear(0)
        };
        let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
        one.max(other) / one.min(other)
    }

    #[test]
    fn contrasts_are_those_of_the_guidelines() {
        assert!((contrast(0x00_0000, 0xff_ffff) - 21.0).abs() < 1e-9);
        assert!((contrast(0x77_7777, 0xff_ffff) - 4.478).abs() < 1e-3);
    }

    /// On the plain background, and in the selected row, where both are exchanged.
    #[test]
    fn every_role_is_legible_on_dark_and_on_light_in_the_schemes_of_common_terminals() {
        let deliveries = [
            DeliveryState::Waiting,
            DeliveryState::Pending,
            DeliveryState::Sent,
            DeliveryState::Failed,
        ];
        let states = State::ALL.map(|state| badge(state).style).into_iter();
        let deliveries = deliveries.map(|state| delivery(state).style);
        let tones = [Tone::Info, Tone::Good, Tone::Warn, Tone::Bad].map(tone);
        let lanes = crate::tui::lanes::LEGEND.map(|(symbol, ..)| symbol.style);
        let roles = states.chain(deliveries).chain(tones).chain(lanes);
        let colors: HashSet<_> = roles.filter_map(|style| style.fg).collect();
        assert_eq!(colors.len(), 5, "{colors:?}");
        for scheme in SCHEMES {
            for (known, backgrounds) in [
                (Background::Dark, scheme.dark),
                (Background::Light, scheme.light),
            ] {
                for (color, ground) in colors
                    .iter()
                    .flat_map(|color| backgrounds.iter().map(move |ground| (*color, *ground)))
                {
                    let Some(drawn) = place(legible(color, known)) else {
                        continue;
                    };
                    let ink = scheme.colors[drawn];
                    for (text, under) in [(ink, ground), (ground, ink)] {
                        let ratio = contrast(text, under);
                        let what = format!("{}: {color:?} on {ground:06x}", scheme.name);
                        assert!(ratio >= scheme.least, "{what} has {ratio:.2}");
                    }
                }
            }
        }
    }

    #[test]
    fn no_style_has_a_background_and_yellow_is_bold() {
        let states = State::ALL.map(|state| badge(state).style);
        let tones = [Tone::Info, Tone::Good, Tone::Warn, Tone::Bad].map(tone);
        for style in states.into_iter().chain(tones).chain([NETWORK, SELECTED]) {
            assert_eq!(style.bg, None);
            assert!(style.fg != Some(Color::Yellow) || style.add_modifier.contains(Modifier::BOLD));
        }
    }
}
