//! The actions of keys on the Race and Lab screens.

use crate::lab::Workload;

use super::keymap::Scope;
use super::lab_settings::{LabAction, LabSettings};
use super::state::UiState;
use super::view_model::{Intent, LabRequest, ViewModel};
use super::views::VIEWS;

/// Performs the action; gives the request to the app, if it needs one.
pub(super) fn act(state: &mut UiState, tweak: LabAction, model: &ViewModel<'_>) -> Option<Intent> {
    let in_lab = VIEWS[state.view].scopes.contains(&Scope::Lab);
    let settings = &mut state.lab;
    match tweak {
        LabAction::Run => return Some(Intent::Lab(run(settings, in_lab, model))),
        LabAction::Work if in_lab => {
            settings.work = match settings.work {
                Workload::Crunch => Workload::Sleep,
                Workload::Sleep | Workload::Http => Workload::Crunch,
            };
        }
        LabAction::Work => {
            let place = Workload::ALL.iter().position(|work| *work == settings.race);
            let next = place.map_or(0, |place| (place + 1) % Workload::ALL.len());
            settings.race = Workload::ALL[next];
        }
        LabAction::Lock if in_lab => settings.locks = settings.locks.following(),
        LabAction::Lock => settings.race_gil = !settings.race_gil,
        LabAction::More => settings.more(),
        LabAction::Fewer => settings.fewer(),
        LabAction::Longer => settings.longer(),
        LabAction::Close => settings.close = !settings.close,
        LabAction::Shorter => settings.shorter(),
    }
    None
}

fn run(settings: &LabSettings, in_lab: bool, model: &ViewModel<'_>) -> LabRequest {
    let shop = model.lab;
    if !in_lab {
        return if shop.racing {
            LabRequest::StopRace
        } else {
            LabRequest::Race {
                workload: settings.race,
                gil: settings.race_gil,
            }
        };
    }
    // Another experiment than the one that runs takes its place.
    let wanted = settings.experiment(model);
    let same = shop.experiment_state.zip(wanted.as_ref());
    let same = same.is_some_and(|(experiment_state, wanted)| experiment_state.is_of(wanted));
    if shop.trying && same {
        return LabRequest::StopExperiment;
    }
    LabRequest::Experiment {
        workload: settings.work,
        jobs: settings.jobs,
        length: settings.length(),
        gils: settings.locks.gils(),
    }
}
