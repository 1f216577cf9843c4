//! What keys do in Race and Lab.

use crate::lab::Workload;

use super::keymap::Scope;
use super::lab_settings::{Settings, Tweak};
use super::state::State;
use super::view_model::{Intent, Scene, Wish};
use super::views::VIEWS;

/// Performs it.
pub(super) fn act(state: &mut State, tweak: Tweak, scene: &Scene<'_>) -> Option<Intent> {
    let in_lab = VIEWS[state.view].scopes.contains(&Scope::Lab);
    let settings = &mut state.trial;
    match tweak {
        Tweak::Run => return Some(Intent::Workshop(run(settings, in_lab, scene))),
        Tweak::Work if in_lab => {
            settings.work = match settings.work {
                Workload::Crunch => Workload::Sleep,
                Workload::Sleep | Workload::Http => Workload::Crunch,
            };
        }
        Tweak::Work => {
            let place = Workload::ALL.iter().position(|work| *work == settings.race);
            let next = place.map_or(0, |place| (place + 1) % Workload::ALL.len());
            settings.race = Workload::ALL[next];
        }
        Tweak::Lock if in_lab => settings.locks = settings.locks.following(),
        Tweak::Lock => settings.race_gil = !settings.race_gil,
        Tweak::More => settings.more(),
        Tweak::Fewer => settings.fewer(),
        Tweak::Longer => settings.longer(),
        Tweak::Close => settings.close = !settings.close,
        Tweak::Shorter => settings.shorter(),
    }
    None
}

fn run(settings: &Settings, in_lab: bool, scene: &Scene<'_>) -> Wish {
    let shop = scene.workshop;
    if !in_lab {
        return if shop.racing {
            Wish::StopRace
        } else {
            Wish::Race {
                workload: settings.race,
                gil: settings.race_gil,
            }
        };
    }
    // Another experiment than the one that runs takes its place.
    let wanted = settings.experiment(scene);
    let same = shop.notebook.zip(wanted.as_ref());
    let same = same.is_some_and(|(notebook, wanted)| notebook.is_of(wanted));
    if shop.trying && same {
        return Wish::StopTry;
    }
    Wish::Try {
        workload: settings.work,
        jobs: settings.jobs,
        length: settings.length(),
        gils: settings.locks.gils(),
    }
}
