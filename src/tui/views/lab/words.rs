//! What is said above the lanes: facts, the prediction or the answer, and each run's figures.

use crate::lab::{Experiment, Notebook, Page, Workload, fine};
use crate::tui::state::State;
use crate::tui::view_model::Scene;

/// What is tried, by whom, and what Enter does.
pub(super) fn facts(state: &State, scene: &Scene<'_>, experiment: &Experiment) -> String {
    let label = experiment.entry.label;
    let cores = experiment.question(false).cores;
    let todo = if scene.lab.trying {
        "Enter stops".to_owned()
    } else {
        format!("{} | Enter runs", state.lab.locks.words())
    };
    format!(
        "[{}] {} | {} x {} of {} | {cores} {} | {todo}",
        label.key,
        label.name.to_uppercase(),
        experiment.jobs,
        experiment.workload.word(),
        fine(experiment.length),
        if cores == 1 { "core" } else { "cores" },
    )
}

/// What the two runs say together, or what they are going to.
pub(super) fn answer(notebook: &Notebook) -> String {
    if let Some(comparison) = notebook.comparison() {
        return comparison;
    }
    if let Some(page) = notebook.pages.iter().find(|page| page.is_under_way()) {
        let so_far = page.stretch().map(|(due, now)| now.since(due));
        let lock = if page.gil {
            "with the lock"
        } else {
            "without the lock"
        };
        return format!(
            "Running {lock}: {} of {} predicted.",
            fine(so_far.unwrap_or_default()),
            fine(page.prediction.time)
        );
    }
    let [locked, free] = &notebook.pages;
    let (with, without) = (locked.prediction.time, free.prediction.time);
    let what = match notebook.experiment.workload {
        Workload::Crunch => "compute",
        Workload::Sleep | Workload::Http => "wait",
    };
    if with == without {
        format!(
            "They only {what}. Predicted: {} with the lock and without. Is it true?",
            fine(with)
        )
    } else {
        format!(
            "They only {what}. Predicted: {} with the lock, {} without. Is it true?",
            fine(with),
            fine(without)
        )
    }
}

/// What a run took, beside what was predicted.
pub(super) fn figures(page: &Page, cores: usize, wide: bool) -> String {
    let name = if page.gil { "LOCK ON" } else { "LOCK OFF" };
    let prediction = &page.prediction;
    if let Some(error) = page.error() {
        return format!("{name:<9} {error}");
    }
    let Some(lap) = page.lap() else {
        return format!("{name:<9} predicted {prediction}");
    };
    let off = lap.sweep.as_secs_f64() / prediction.time.as_secs_f64().max(1e-9) - 1.0;
    let used = lap.cpu.unwrap_or_default().as_secs_f64() / lap.sweep.as_secs_f64().max(1e-9);
    let used = used.min(cores as f64);
    // Other programs only ever make it longer.
    let busy = if off > 0.15 && wide {
        ": a busy machine"
    } else {
        ""
    };
    let mut text = format!(
        "{name:<9} took {}, predicted {prediction} ({:+.0}%{busy})",
        fine(lap.sweep),
        off * 100.0
    );
    if wide {
        text.push_str(&format!(
            ", {used:.1} of {cores} cores, ready in {}",
            fine(lap.ready)
        ));
    }
    text
}
