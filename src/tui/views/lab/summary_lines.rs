//! The lines of text above the lanes: settings, comparison or prediction, figures of each run.

use crate::domain::plural;
use crate::lab::{Experiment, ExperimentRun, ExperimentState, Workload, fine};
use crate::tui::state::UiState;
use crate::tui::view_model::ViewModel;

/// The line of settings: paradigm, jobs, cores, and what Enter does.
pub(super) fn facts(state: &UiState, model: &ViewModel<'_>, experiment: &Experiment) -> String {
    let label = experiment.entry.label;
    let cores = experiment.parameters(false).cores;
    let todo = if model.lab.trying {
        "Enter stops".to_owned()
    } else {
        format!("{} | Enter runs", state.lab.locks.words())
    };
    format!(
        "[{}] {} | {} x {} of {} | {} | {todo}",
        label.key,
        label.name.to_uppercase(),
        experiment.jobs,
        experiment.workload.word(),
        fine(experiment.length),
        plural(cores, "core"),
    )
}

/// The comparison of both runs, else the progress of the run under way, else the prediction.
pub(super) fn answer(experiment_state: &ExperimentState) -> String {
    if let Some(comparison) = experiment_state.comparison() {
        return comparison;
    }
    if let Some(run) = experiment_state.runs.iter().find(|run| run.is_under_way()) {
        let so_far = run.stretch().map(|(due, now)| now.since(due));
        let lock = if run.gil {
            "with the lock"
        } else {
            "without the lock"
        };
        return format!(
            "Running {lock}: {} of {} predicted.",
            fine(so_far.unwrap_or_default()),
            fine(run.prediction.time)
        );
    }
    let [locked, free] = &experiment_state.runs;
    let (with, without) = (locked.prediction.time, free.prediction.time);
    let what = match experiment_state.experiment.workload {
        Workload::Crunch => "compute",
        Workload::Sleep | Workload::Http => "wait",
    };
    if with == without {
        format!(
            "They only {what}. Predicted: {} with the lock and without it.",
            fine(with)
        )
    } else {
        format!(
            "They only {what}. Predicted: {} with the lock, {} without it.",
            fine(with),
            fine(without)
        )
    }
}

/// The measured duration of a run beside the predicted one; `wide`: with cores and start time.
pub(super) fn figures(run: &ExperimentRun, cores: usize, wide: bool) -> String {
    let name = if run.gil { "LOCK ON" } else { "LOCK OFF" };
    let prediction = &run.prediction;
    if let Some(error) = run.error() {
        return format!("{name:<9} {error}");
    }
    let Some(timed_run) = run.timed_run() else {
        return format!("{name:<9} predicted {prediction}");
    };
    let off = timed_run.sweep.as_secs_f64() / prediction.time.as_secs_f64().max(1e-9) - 1.0;
    let used =
        timed_run.cpu.unwrap_or_default().as_secs_f64() / timed_run.sweep.as_secs_f64().max(1e-9);
    let used = used.min(cores as f64);
    // Other programs can only make it longer.
    let busy = if off > 0.15 && wide {
        ": a busy machine"
    } else {
        ""
    };
    let mut text = format!(
        "{name:<9} took {}, predicted {prediction} ({:+.0}%{busy})",
        fine(timed_run.sweep),
        off * 100.0
    );
    if wide {
        text.push_str(&format!(
            ", {used:.1} of {}, ready in {}",
            plural(cores, "core"),
            fine(timed_run.ready)
        ));
    }
    text
}
