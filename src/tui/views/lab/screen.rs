//! Where the parts of the Lab stand, and what is drawn into each.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::domain::Moment;
use crate::lab::{Notebook, Page, fine, proportion};
use crate::tui::format::wrap;
use crate::tui::keymap::Scope;
use crate::tui::lanes::{Axis, ticks};
use crate::tui::state::State;
use crate::tui::theme::{BOLD, DIM, PLAIN};
use crate::tui::view_model::Scene;
use crate::tui::views::{View, sched};
use crate::tui::widgets::put;

use super::lanes::{Columns, Lane, span};
use super::words;

/// Its row in the table of screens.
pub(crate) const VIEW: View = View {
    title: "Lab",
    scopes: &[Scope::Always, Scope::Everywhere, Scope::Screens, Scope::Lab],
    draw,
};

/// Lines that are not lanes: facts, answer, headings, for each run its figures and two lines
/// of explanation, axis, proportion and legend.
const OTHERS: u16 = 12;

/// A cell of the close-up: half of the lock's interval.
const CLOSE: Duration = Duration::from_micros(2_500);

fn draw(state: &State, scene: &Scene<'_>, body: Rect, buffer: &mut Buffer) {
    let Some(wanted) = state.lab.experiment(scene) else {
        return;
    };
    // What runs is shown, whatever the keys have been set to meanwhile.
    let kept = scene.lab.notebook;
    let kept = kept.filter(|notebook| scene.lab.trying || notebook.is_of(&wanted));
    let fresh = Notebook::new(wanted);
    let notebook = kept.unwrap_or(&fresh);
    let mut page = FrameDiff { body, y: body.y };
    let facts = words::facts(state, scene, &notebook.experiment);
    page.line(buffer, &facts, BOLD);
    page.line(buffer, &words::answer(notebook), PLAIN);
    let columns = Columns::of(body.width);
    let whole = span(&notebook.pages);
    let close = CLOSE * u32::from(cells(columns, body));
    let span = if state.lab.close {
        whole.min(close)
    } else {
        whole
    };
    heading(buffer, page.next(), columns, (span, whole));
    let jobs = notebook.experiment.jobs;
    let room = usize::from(body.height.saturating_sub(OTHERS)) / 2;
    for run in &notebook.pages {
        draw_run(
            buffer,
            &mut page,
            notebook,
            run,
            columns,
            (jobs, room),
            span,
        );
    }
    axis(buffer, page.next(), columns, span);
    page.line(buffer, &proportion(scene.trace.store.means()), PLAIN);
    let legend = page.next();
    sched::draw_legend(buffer, legend, false, "");
}

/// The lines of the body, from top to bottom.
struct FrameDiff {
    body: Rect,
    y: u16,
}

impl FrameDiff {
    /// The next line; an empty one where there is no more room.
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

/// Cells of a lane.
const fn cells(columns: Columns, line: Rect) -> u16 {
    match line.width.saturating_sub(columns.width() + 1) {
        0 => 1,
        cells => cells,
    }
}

fn heading(buffer: &mut Buffer, line: Rect, columns: Columns, (span, whole): (Duration, Duration)) {
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
    page: &mut FrameDiff,
    notebook: &Notebook,
    run: &Page,
    columns: Columns,
    (jobs, room): (usize, usize),
    span: Duration,
) {
    let cores = notebook.experiment.question(run.gil).cores;
    let wide = page.body.width >= 100;
    page.line(buffer, &words::figures(run, cores, wide), BOLD);
    let shown = if jobs > room {
        room.saturating_sub(1)
    } else {
        jobs
    };
    for job in 0..shown {
        let line = page.next();
        if line.height == 0 {
            return;
        }
        let lane = Lane {
            experiment: &notebook.experiment,
            page: run,
            job,
            columns,
        };
        lane.draw(buffer, line, span);
    }
    if jobs > shown {
        page.line(buffer, &sched::hidden(jobs - shown, "job"), DIM);
    }
    // The explanation has its two lines even before it is there: nothing jumps.
    let text = run.explanation.as_deref().unwrap_or_default();
    let width = usize::from(page.body.width).saturating_sub(2);
    let mut lines = wrap(text, width);
    if lines.len() > 2 {
        let rest = lines.split_off(1).join(" ");
        lines.push(rest);
    }
    lines.resize(2, String::new());
    for line in lines {
        page.line(buffer, &line, PLAIN);
    }
}

fn axis(buffer: &mut Buffer, line: Rect, columns: Columns, span: Duration) {
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
