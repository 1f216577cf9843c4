//! The Lab screen as a whole: the area of each part, and what is drawn into it.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::domain::Moment;
use crate::lab::{ExperimentRun, ExperimentState, fine, proportion};
use crate::tui::click_targets::ClickTargets;
use crate::tui::format::wrap;
use crate::tui::keymap::Scope;
use crate::tui::lanes::{Axis, ticks};
use crate::tui::state::UiState;
use crate::tui::theme::{BOLD, DIM, PLAIN};
use crate::tui::view_model::ViewModel;
use crate::tui::views::{View, sched};
use crate::tui::widgets::put;

use super::job_lanes::{JobColumns, JobLane, span};
use super::summary_lines;

/// The screen's row in the table `VIEWS`.
pub(crate) const VIEW: View = View {
    title: "Lab",
    scopes: &[Scope::Always, Scope::Everywhere, Scope::Screens, Scope::Lab],
    draw,
};

/// Lines that are not lanes: facts, answer, headings, for each run its figures and two lines
/// of explanation, axis, proportion and legend.
const OTHER_LINES: u16 = 12;

/// The duration of a cell in the close-up: half of the lock's switch interval.
const CLOSE_UP_CELL: Duration = Duration::from_micros(2_500);

fn draw(
    state: &UiState,
    model: &ViewModel<'_>,
    body: Rect,
    (buffer, _): (&mut Buffer, &mut ClickTargets),
) {
    let Some(wanted) = state.lab.experiment(model) else {
        return;
    };
    // An experiment under way is shown even after the settings for the next one were changed.
    let kept = model.lab.experiment_state;
    let kept = kept.filter(|experiment_state| model.lab.trying || experiment_state.is_of(&wanted));
    let fresh = ExperimentState::new(wanted);
    let experiment_state = kept.unwrap_or(&fresh);
    let mut lines = BodyLines { body, y: body.y };
    let facts = summary_lines::facts(state, model, &experiment_state.experiment);
    lines.line(buffer, &facts, BOLD);
    lines.line(buffer, &summary_lines::answer(experiment_state), PLAIN);
    let columns = JobColumns::of(body.width);
    let whole = span(&experiment_state.runs);
    let close = CLOSE_UP_CELL * u32::from(cells(columns, body));
    let span = if state.lab.close {
        whole.min(close)
    } else {
        whole
    };
    heading(buffer, lines.next(), columns, (span, whole));
    let jobs = experiment_state.experiment.jobs;
    let room = usize::from(body.height.saturating_sub(OTHER_LINES)) / 2;
    for run in &experiment_state.runs {
        draw_run(
            buffer,
            &mut lines,
            experiment_state,
            run,
            columns,
            (jobs, room),
            span,
        );
    }
    axis(buffer, lines.next(), columns, span);
    lines.line(buffer, &proportion(model.trace.store.means()), PLAIN);
    let legend = lines.next();
    sched::draw_legend(buffer, legend, false, "");
}

/// Hands out the lines of the body, from top to bottom.
struct BodyLines {
    body: Rect,
    y: u16,
}

impl BodyLines {
    /// The next line; of height 0 below the body.
    fn next(&mut self) -> Rect {
        let line = Rect {
            y: self.y.min(self.body.bottom()),
            height: u16::from(self.y < self.body.bottom()),
            ..self.body
        };
        self.y += 1;
        line
    }

    fn line(&mut self, buffer: &mut Buffer, text: &str, style: Style) {
        let line = self.next();
        if line.height > 0 {
            put(buffer, line.x + 1, line.y, line.width - 2, text, style);
        }
    }
}

/// The width of a lane, in cells.
const fn cells(columns: JobColumns, line: Rect) -> u16 {
    match line.width.saturating_sub(columns.width() + 1) {
        0 => 1,
        cells => cells,
    }
}

fn heading(
    buffer: &mut Buffer,
    line: Rect,
    columns: JobColumns,
    (span, whole): (Duration, Duration),
) {
    if line.height == 0 {
        return;
    }
    put(buffer, line.x + 1, line.y, columns.name, "JOB", DIM);
    columns.write(buffer, line, str::to_owned, DIM);
    let left = line.x + columns.width();
    let cells = cells(columns, line);
    let text = if span < whole {
        format!("close-up: the first {} of {}", fine(span), fine(whole))
    } else {
        let cell = fine(span / u32::from(cells));
        format!("one scale for both, {cell} a cell")
    };
    put(buffer, left, line.y, cells, &text, DIM);
}

fn draw_run(
    buffer: &mut Buffer,
    lines: &mut BodyLines,
    experiment_state: &ExperimentState,
    run: &ExperimentRun,
    columns: JobColumns,
    (jobs, room): (usize, usize),
    span: Duration,
) {
    let cores = experiment_state.experiment.parameters(run.gil).cores;
    let wide = lines.body.width >= 100;
    lines.line(buffer, &summary_lines::figures(run, cores, wide), BOLD);
    let shown = if jobs > room {
        room.saturating_sub(1)
    } else {
        jobs
    };
    for job in 0..shown {
        let line = lines.next();
        if line.height == 0 {
            return;
        }
        let lane = JobLane {
            experiment: &experiment_state.experiment,
            run,
            job,
            columns,
        };
        lane.draw(buffer, line, span);
    }
    if jobs > shown {
        lines.line(buffer, &sched::hidden(jobs - shown, "job"), DIM);
    }
    // Two lines are kept for the explanation, so that lanes do not move when it appears.
    let text = run.explanation.as_deref().unwrap_or_default();
    let width = usize::from(lines.body.width).saturating_sub(2);
    let mut texts = wrap(text, width);
    if texts.len() > 2 {
        let rest = texts.split_off(1).join(" ");
        texts.push(rest);
    }
    texts.resize(2, String::new());
    for line in texts {
        lines.line(buffer, &line, PLAIN);
    }
}

fn axis(buffer: &mut Buffer, line: Rect, columns: JobColumns, span: Duration) {
    if line.height == 0 {
        return;
    }
    put(buffer, line.x + 1, line.y, columns.name, "seconds", DIM);
    let left = line.x + columns.width();
    let cells = cells(columns, line);
    let axis = Axis::still(Moment::ZERO + span, span, cells);
    for (index, text) in ticks(&axis) {
        put(
            buffer,
            left + index as u16,
            line.y,
            text.len() as u16,
            &text,
            DIM,
        );
    }
}
