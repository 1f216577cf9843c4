//! The cells of the table of sites: their text and style.

use std::time::Duration;

use ratatui::style::Style;

use crate::domain::{Now, RanOn, Reason, brief, clean};
use crate::monitor::State as SiteIs;
use crate::tui::format::{age, cut, is_late, lateness, percent};
use crate::tui::state::SiteRow;
use crate::tui::theme::{self, BOLD, DIM, PLAIN};
use crate::tui::view_model::Tone;

use super::site_columns::SiteColumn;

/// Host, process and thread that ran a check, in `width` cells. The host is cut first, so that
/// the process id stays whole.
fn ran_far(on: &RanOn, width: usize) -> String {
    let pid = format!("/{}", on.pid);
    let host = cut(&clean(&on.host, 60), width.saturating_sub(pid.len()).max(3));
    cut(&format!("{host}{pid}/{}", clean(&on.thread, 60)), width)
}

/// Text and style of one cell of the table. `far`: checks run on other hosts.
pub(super) fn cell(
    column: SiteColumn,
    width: u16,
    row: &SiteRow<'_>,
    (now, far): (Now, bool),
) -> (String, Style) {
    let site = row.site;
    let last = site.last();
    let badge = theme::site_badge(site);
    let none = || ("-".to_owned(), DIM);
    match column {
        SiteColumn::State => {
            let mut text = format!("{} {}", badge.glyph, badge.word);
            if site.state() <= SiteIs::Missed {
                text.push_str(&format!(" {}", age(site.lasting(now.mono))));
            }
            (text, badge.style)
        }
        SiteColumn::Site => {
            let style = if site.state() == SiteIs::Down {
                BOLD
            } else {
                PLAIN
            };
            (clean(&site.site().name, 200), style)
        }
        SiteColumn::Code => last
            .and_then(|last| last.status)
            .map_or_else(none, |status| (status.to_string(), PLAIN)),
        SiteColumn::Latency => last.map_or_else(none, |last| {
            // A failed check shows its reason instead of a time; a bad status is in CODE.
            match last.reason {
                Some(Reason::Status | Reason::Slow | Reason::Certificate) | None => {
                    (brief(last.latency), PLAIN)
                }
                Some(reason) => (reason.word().to_owned(), badge.style),
            }
        }),
        SiteColumn::Checks => none(),
        SiteColumn::P50 => quantile(row, |(p50, _)| p50),
        SiteColumn::P95 => quantile(row, |(_, p95)| p95),
        SiteColumn::Uptime => site
            .uptime()
            .map_or_else(none, |share| (percent(share), PLAIN)),
        SiteColumn::Next if site.state() == SiteIs::Paused => none(),
        SiteColumn::Next => match row.due {
            Some(due) if due > now.mono => {
                // Rounded up, so that "now" appears when the check is due, not a second before.
                let rest = due.since(now.mono) + Duration::from_millis(999);
                (age(rest), PLAIN)
            }
            Some(_) => ("now".to_owned(), PLAIN),
            None => none(),
        },
        SiteColumn::RanOn => last.map_or_else(none, |last| {
            let on = &last.ran_on;
            if far && width < 24 {
                return (ran_far(on, usize::from(width)), PLAIN);
            }
            let tail = if width >= 16 {
                format!("/{}", on.tid)
            } else {
                String::new()
            };
            let head = if width >= 24 {
                format!("{}/{} ", clean(&on.host, 60), on.pid)
            } else {
                String::new()
            };
            // A long name is cut before the ids are.
            let room = usize::from(width).saturating_sub(tail.len());
            let name = clean(&on.thread, 60);
            (cut(&format!("{head}{name}"), room) + &tail, PLAIN)
        }),
        SiteColumn::Late => last.map_or_else(none, |last| {
            let style = if is_late(last.late) {
                theme::tone(Tone::Warn)
            } else {
                PLAIN
            };
            (lateness(last.late), style)
        }),
        SiteColumn::Tags => {
            let tags = site.site().tags.iter().map(|tag| clean(tag, 60));
            let owners = site
                .site()
                .owners
                .iter()
                .map(|owner| format!("@{}", clean(owner, 60)));
            (tags.chain(owners).collect::<Vec<_>>().join(" "), PLAIN)
        }
    }
}

fn quantile(row: &SiteRow<'_>, which: fn((Duration, Duration)) -> Duration) -> (String, Style) {
    row.site
        .recent_checks()
        .quantiles()
        .map_or_else(|| ("-".to_owned(), DIM), |both| (brief(which(both)), PLAIN))
}
