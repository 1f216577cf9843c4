//! The Race screen: every paradigm over the same work, one after another, as bars on one scale.
//!
//! ```text
//!  RACE over 32 sites, lock off | round 2 of 3, 45% | Enter stops
//!  async and green won together with 1.50s: all waits overlap …
//!  PARADIGM     SWEEP, to one scale                 TIME  SPEED-UP THREADS PROCS   CPU
//!  serial 1     ██████████████████████████████████ 6.03s      1.00       1     1  62ms
//!  async 1,000  █████████                          1.50s      4.02       2     1  58ms
//!               │ 1.50s: the slowest check alone (pay). No sweep can take less.
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use std::time::Duration;

use crate::domain::clean;
use crate::lab::{Medians, RaceRow, RaceState, TIE_RATIO, Workload, fine, race_summary};
use crate::tui::click_targets::ClickTargets;
use crate::tui::format::{bytes, count, plural, wrap};
use crate::tui::keymap::Scope;
use crate::tui::state::UiState;
use crate::tui::theme::{self, BOLD, DIM, NETWORK, PLAIN};
use crate::tui::view_model::{Tone, ViewModel};
use crate::tui::views::View;
use crate::tui::widgets::put;

/// The screen's row in the table `VIEWS`.
pub(crate) const VIEW: View = View {
    title: "Race",
    scopes: &[
        Scope::Always,
        Scope::Everywhere,
        Scope::Screens,
        Scope::Race,
    ],
    draw,
};

const GOOD: Style = PLAIN.fg(Color::Green);

/// The width of the column of names, in cells.
const NAME_WIDTH: u16 = 15;

/// A column right of the bars: heading, width in cells, and the text of a row.
type Column = (
    &'static str,
    u16,
    fn(&RaceState, &Medians) -> Option<String>,
);

const COLUMNS: [Column; 10] = [
    ("TIME", 7, |_, medians| Some(fine(medians.sweep))),
    ("SPEED-UP", 9, |race_state, medians| {
        race_state
            .speedup(medians)
            .map(|speedup| format!("{speedup:.2}"))
    }),
    ("THREADS", 8, |_, medians| Some(count(medians.threads))),
    ("PROCS", 6, |_, medians| Some(count(medians.processes))),
    ("CPU", 7, |_, medians| medians.cpu.map(fine)),
    ("LATE", 7, |_, medians| Some(fine(medians.late_p95))),
    ("MEM", 5, |_, medians| medians.peak_rss.map(bytes)),
    ("JOBS/S", 8, |_, medians| {
        Some(format!("{:.1}", medians.per_second))
    }),
    ("SWITCH", 8, |_, medians| {
        medians.switches.map(|switches| count(switches as usize))
    }),
    ("READY", 8, |_, medians| Some(fine(medians.ready))),
];

/// The columns that fit on a screen of `width` cells, beside bars of at least `LEAST_BAR_WIDTH` cells.
fn columns(width: u16) -> &'static [Column] {
    const LEAST_BAR_WIDTH: u16 = 22;
    let mut room = width.saturating_sub(NAME_WIDTH + LEAST_BAR_WIDTH + 3);
    let fits = COLUMNS.iter().take_while(|(_, wide, _)| {
        let fits = *wide <= room;
        room = room.saturating_sub(*wide);
        fits
    });
    let fits = fits.count();
    &COLUMNS[..fits]
}

fn draw(
    state: &UiState,
    model: &ViewModel<'_>,
    body: Rect,
    (buffer, _): (&mut Buffer, &mut ClickTargets),
) {
    let room = usize::from(body.width).saturating_sub(2);
    let race_state = model.lab.race_state;
    let mut lines = vec![(head(state, model, race_state), BOLD)];
    let answers = match race_state {
        None => vec![(invitation(state, model), PLAIN)],
        Some(race_state) => answer(race_state).into_iter().collect(),
    };
    for (text, style) in answers {
        lines.extend(wrap(&text, room).into_iter().map(|line| (line, style)));
    }
    let mut y = body.y;
    let bottom = body.bottom();
    let mut line = |buffer: &mut Buffer, text: &str, style: Style| {
        if y < bottom {
            put(buffer, body.x + 1, y, body.width - 2, text, style);
        }
        y += 1;
    };
    for (text, style) in &lines {
        line(buffer, text, *style);
    }
    let Some(race_state) = race_state else { return };
    line(buffer, "", PLAIN);
    let top = y;
    let table = Table::of(race_state, body);
    let height = bottom.saturating_sub(top);
    let used = table.draw(
        buffer,
        Rect {
            y: top,
            height,
            ..body
        },
    );
    let rest = Rect {
        y: top + used,
        height: height.saturating_sub(used),
        ..body
    };
    notes(buffer, rest, race_state);
}

/// The head line: workload, progress, and what Enter does.
fn head(state: &UiState, model: &ViewModel<'_>, race_state: Option<&RaceState>) -> String {
    let lock = |gil| if gil { "lock on" } else { "lock off" };
    let next = format!(
        "{}, {}",
        over(state.lab.race, model.monitor.ids().len()),
        lock(state.lab.race_gil)
    );
    let Some(race_state) = race_state else {
        return format!("RACE {next} | Enter starts it, x and G change it");
    };
    let this = format!(
        "{}, {}",
        over(race_state.workload, race_state.names.len()),
        lock(race_state.gil)
    );
    match race_state.progress {
        Some(progress) => {
            let round = match progress.round {
                0 => "warming up".to_owned(),
                round => format!("round {round} of {}", race_state.rounds),
            };
            let share = (race_state.share() * 100.0) as usize;
            format!("RACE {this} | {round}, {share}% | Enter stops it")
        }
        None if this == next => format!("RACE {this} | Enter runs it again"),
        None => format!("RACE {this} | Enter runs it {next}"),
    }
}

fn over(workload: Workload, jobs: usize) -> String {
    match workload {
        Workload::Http => format!("over {}", plural(jobs, "site")),
        Workload::Sleep => "over 4 sleeps of 1s".to_owned(),
        Workload::Crunch => "over 4 crunches of 1s".to_owned(),
    }
}

fn invitation(state: &UiState, model: &ViewModel<'_>) -> String {
    let what = match state.lab.race {
        Workload::Http => {
            "over the sites of this list, beside the checks of the monitor, which go on"
        }
        Workload::Sleep => "over sleeps, which only wait",
        Workload::Crunch => "over crunches, which only compute",
    };
    format!(
        "Every paradigm, {} of them, runs the same work {what}: one after another, for three \
         rounds, in reverse order every other round. Figures are medians. Which is fastest, and \
         what does it cost in threads, processes, processor time and memory?",
        model.paradigms.len()
    )
}

/// The winners so far and the reason; `None` before the first figures.
fn answer(race_state: &RaceState) -> Option<(String, Style)> {
    let said = race_summary(race_state);
    match race_state.over {
        None => said.map(|said| (format!("So far: {said}"), PLAIN)),
        Some(true) => {
            let text = said.unwrap_or_else(|| "No paradigm finished a round.".to_owned());
            Some((format!("Stopped. {text}"), theme::tone(Tone::Warn)))
        }
        Some(false) => {
            let text = said.unwrap_or_else(|| "No paradigm could run.".to_owned());
            Some((text, theme::tone(Tone::Good)))
        }
    }
}

/// The table of paradigms, and the scale of its bars.
struct Table<'a> {
    race_state: &'a RaceState,
    columns: &'static [Column],
    /// The width of the longest bar, in cells.
    bar: u16,
    longest: Duration,
}

impl<'a> Table<'a> {
    fn of(race_state: &'a RaceState, body: Rect) -> Self {
        let columns = columns(body.width);
        let numbers: u16 = columns.iter().map(|(_, width, _)| width).sum();
        Self {
            race_state,
            columns,
            bar: body.width.saturating_sub(NAME_WIDTH + numbers + 3),
            longest: race_state.longest().max(Duration::from_micros(1)),
        }
    }

    fn cells(&self, time: Duration) -> u16 {
        let share = time.as_secs_f64() / self.longest.as_secs_f64();
        let cells = (share * f64::from(self.bar)).round() as u16;
        cells.clamp(1, self.bar)
    }

    /// Draws heading and rows; returns the number of lines used.
    fn draw(&self, buffer: &mut Buffer, area: Rect) -> u16 {
        let left = area.x + 1;
        put(buffer, left, area.y, NAME_WIDTH, "PARADIGM", DIM);
        put(
            buffer,
            left + NAME_WIDTH,
            area.y,
            self.bar,
            "SWEEP, to one scale",
            DIM,
        );
        self.right(
            buffer,
            area,
            area.y,
            |(heading, ..)| Some((*heading).to_owned()),
            DIM,
        );
        let mut y = area.y + 1;
        for (place, row) in self.race_state.listed() {
            if y >= area.bottom() {
                break;
            }
            self.row(buffer, area, y, place, row);
            y += 1;
        }
        y - area.y
    }

    fn row(&self, buffer: &mut Buffer, area: Rect, y: u16, place: usize, row: &RaceRow) {
        let left = area.x + 1;
        let name = format!("{} {}", row.label.name, count(row.workers));
        let running = self
            .race_state
            .progress
            .filter(|progress| progress.place == place);
        let style = if running.is_some() { BOLD } else { PLAIN };
        put(buffer, left, y, NAME_WIDTH - 1, &name, style);
        let bar = left + NAME_WIDTH;
        if let Some(error) = &row.error {
            let text = format!("cannot run: {}", clean(error, 300));
            let room = area.right().saturating_sub(bar + 1);
            put(buffer, bar, y, room, &text, theme::tone(Tone::Warn));
            return;
        }
        let medians = row.medians();
        if let Some(progress) = running {
            let text = format!(
                "{}/{} done, {}",
                progress.done,
                self.race_state.names.len(),
                fine(progress.elapsed)
            );
            self.fill(buffer, bar, y, progress.elapsed, NETWORK);
            let beside = bar + self.cells(progress.elapsed) + 1;
            let room = (bar + self.bar).saturating_sub(beside);
            if usize::from(room) >= text.len() {
                put(buffer, beside, y, room, &text, PLAIN);
            }
        } else if let Some(medians) = &medians {
            let best = self.race_state.rows.iter().filter_map(RaceRow::medians);
            let best = best.map(|medians| medians.sweep).min();
            let won = best
                .is_some_and(|best| medians.sweep.as_secs_f64() <= best.as_secs_f64() * TIE_RATIO);
            self.fill(
                buffer,
                bar,
                y,
                medians.sweep,
                if won { GOOD } else { NETWORK },
            );
            if let Some((_, floor)) = self.race_state.floor() {
                let x = bar + self.cells(floor) - 1;
                put(buffer, x, y, 1, "│", BOLD);
            }
        }
        if let Some(medians) = medians {
            let value = |(_, _, value): &Column| value(self.race_state, &medians);
            self.right(buffer, area, y, value, style);
        }
    }

    fn fill(&self, buffer: &mut Buffer, x: u16, y: u16, time: Duration, style: Style) {
        let text = "█".repeat(self.cells(time).into());
        put(buffer, x, y, self.bar, &text, style);
    }

    /// Writes the text of every column, aligned right; "-" where there is none.
    fn right(
        &self,
        buffer: &mut Buffer,
        area: Rect,
        y: u16,
        text: impl Fn(&Column) -> Option<String>,
        style: Style,
    ) {
        let mut x = area.x + 1 + NAME_WIDTH + self.bar;
        for column in self.columns {
            x += column.1;
            let text = text(column).unwrap_or_else(|| "-".to_owned());
            let width = text.chars().count() as u16;
            put(buffer, x.saturating_sub(width), y, width, &text, style);
        }
    }
}

/// The notes below the bars: the least possible sweep, and how to read the columns.
fn notes(buffer: &mut Buffer, area: Rect, race_state: &RaceState) {
    let mut texts = vec![String::new()];
    if let Some((name, floor)) = race_state.floor() {
        texts.push(match race_state.workload {
            Workload::Crunch => format!(
                "│ {}: the least time of one job alone. Computing gains by more cores: there are {}.",
                fine(floor),
                race_state.cores
            ),
            _ => format!(
                "│ {}: the slowest job alone ({}). No sweep can take less.",
                fine(floor),
                clean(name, 60)
            ),
        });
    }
    let timed_runs = race_state
        .rows
        .iter()
        .map(RaceRow::timed_runs)
        .max()
        .unwrap_or(0);
    if timed_runs > 0 {
        texts.push(format!(
            "Medians of {}. SPEED-UP: times faster than one at a time. CPU: processor time, \
             children included; waiting costs none.",
            plural(timed_runs, "round")
        ));
        if columns(area.width).len() > 5 {
            texts.push(
                "LATE: 95 of 100 jobs started at most this long after they were due. SWITCH: \
                 context switches. READY: time to start the workers."
                    .to_owned(),
            );
        }
        if race_state.workload == Workload::Http {
            texts
                .push("The monitor goes on checking meanwhile: CPU and MEM include it.".to_owned());
        }
        texts.push("? explains the words; the same as a command: squirrel race".to_owned());
    }
    let room = usize::from(area.width).saturating_sub(2);
    let lines = texts.iter().flat_map(|text| wrap(text, room));
    for (text, line) in lines.zip(area.rows()) {
        put(buffer, line.x + 1, line.y, line.width - 2, &text, DIM);
    }
}
