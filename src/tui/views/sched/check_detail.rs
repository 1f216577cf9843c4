//! The two lines about the check under the cursor.

use std::time::Duration;

use crate::domain::{Moment, Phase, brief, clean};
use crate::trace::{Activity, CheckRecord, SliceKind, spans};
use crate::tui::format::{clock, plural};
use crate::tui::state::UiState;
use crate::tui::view_model::ViewModel;

/// A duration, below 10 ms with enough digits to compare polls: "0.31ms", "1.5s".
fn fine(duration: Duration) -> String {
    if duration < Duration::from_millis(10) {
        format!("{:.2}ms", duration.as_secs_f64() * 1e3)
    } else {
        brief(duration)
    }
}

/// First line: verdict, start, time in the queue, duration, thread. Second line: number of
/// polls, time spent running, and the phases that it waited for.
pub(crate) fn lines(record: &CheckRecord, state: &UiState, model: &ViewModel<'_>) -> [String; 2] {
    let name = model.monitor.site(record.site()).map_or_else(
        || record.site().to_string(),
        |site| clean(&site.site().name, 40),
    );
    let verdict = match record.found {
        None => "in flight".to_owned(),
        Some(found) => {
            let reason = found.reason.map_or("", |reason| reason.word());
            format!("{} {reason}", found.verdict.word().to_uppercase())
                .trim_end()
                .to_owned()
        }
    };
    let who = &record.ran_on;
    let at = wall(record.started, model);
    let first = format!(
        "{name} {verdict}: began {}, queued {}, took {}, on {} (pid {} tid {})",
        clock(at, &state.options.zone),
        brief(record.late()),
        brief(record.took()),
        if who.thread.is_empty() {
            "a thread"
        } else {
            &who.thread
        },
        who.pid,
        who.tid
    );
    [first, waits(record)]
}

fn wall(at: Moment, model: &ViewModel<'_>) -> crate::domain::Timestamp {
    let ago = i64::try_from(model.now.mono.since(at).as_micros()).unwrap_or(i64::MAX);
    crate::domain::Timestamp::from_micros(model.now.wall.as_micros().saturating_sub(ago))
}

fn waits(record: &CheckRecord) -> String {
    let polls = record.log.slices.iter();
    let polls = polls
        .filter(|slice| slice.doing == SliceKind::Running)
        .count();
    if polls == 0 {
        return "runs in another process, which sends the details with the result".to_owned();
    }
    let mut text = format!(
        "{} ran {}",
        plural(polls, "poll"),
        fine(record.busy(SliceKind::Running))
    );
    let locked = record.busy(SliceKind::Locked);
    if locked > Duration::ZERO {
        text.push_str(&format!(", lock {}", fine(locked)));
    }
    let ready = record.ready();
    if ready > Duration::ZERO {
        text.push_str(&format!(", ready {}", fine(ready)));
    }
    let phases = [
        (Phase::Dns, "dns"),
        (Phase::Connect, "connect"),
        (Phase::Tls, "tls"),
        (Phase::FirstByte, "first byte"),
        (Phase::Body, "body"),
    ];
    let mut waited = Vec::new();
    for (phase, word) in phases {
        let mut sum = Duration::ZERO;
        spans(record, |span| {
            if span.activity == Activity::Waiting(Some(phase)) {
                sum += span.to.since(span.from);
            }
        });
        if sum > Duration::ZERO {
            waited.push(format!("{word} {}", fine(sum)));
        }
    }
    if !waited.is_empty() {
        text.push_str(&format!("; waited for {}", waited.join(", ")));
    }
    if record.log.dropped > 0 {
        text.push_str(&format!(
            "; {} not kept",
            plural(record.log.dropped, "more poll")
        ));
    }
    text
}
