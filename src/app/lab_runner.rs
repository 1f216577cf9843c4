//! Races and experiments that somebody started on the screen: each runs on a thread of its
//! own, and what it tells is gathered here.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{Moment, plain_io_error};
use crate::lab::{
    Contender, Experiment, ExperimentHandle, ExperimentState, JobList, Race, RacePlan, RaceState,
    Workload,
};
use crate::paradigm::ALL;
use crate::tui::{self, LabRequest};

use super::driver::Driver;

/// How often a race or an experiment is listened to.
const PERIOD: Duration = Duration::from_millis(90);

/// Toys of a race, and how long each takes by itself.
const TOYS: usize = 4;
const LENGTH: Duration = Duration::from_secs(1);

/// How often everybody runs.
const ROUNDS: usize = 3;

/// Why a race or an experiment cannot begin.
#[derive(Debug)]
pub(super) enum LabError {
    /// Every site is paused.
    NoSite,
    /// No thread can be started.
    Thread(io::Error),
}

impl fmt::Display for LabError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSite => f.write_str("there is no site to race over: all are paused"),
            Self::Thread(error) => {
                write!(f, "no thread can be started: {}", plain_io_error(error))
            }
        }
    }
}

impl std::error::Error for LabError {}

/// The last race and the last experiment.
#[derive(Debug, Default)]
pub(super) struct LabRunner {
    race: Option<Race>,
    race_state: Option<RaceState>,
    experiment_handle: Option<ExperimentHandle>,
    experiment_state: Option<ExperimentState>,
    revision: u64,
}

impl LabRunner {
    /// Takes in what they have told. Costs nothing where none is on.
    pub(super) fn absorb(&mut self) {
        if let (Some(race), Some(race_state)) = (&mut self.race, &mut self.race_state) {
            while let Ok(event) = race.events.try_recv() {
                race_state.apply(event);
                self.revision += 1;
            }
            if race_state.over.is_some() {
                self.race = None;
            }
        }
        if let (Some(experiment_handle), Some(experiment_state)) =
            (&mut self.experiment_handle, &mut self.experiment_state)
        {
            let mut over = false;
            while let Ok(event) = experiment_handle.events.try_recv() {
                over |= matches!(event, crate::lab::ExperimentEvent::Over);
                experiment_state.apply(event);
                self.revision += 1;
            }
            if over {
                self.experiment_handle = None;
            }
        }
    }

    /// Whether any is on.
    pub(super) const fn is_busy(&self) -> bool {
        self.race.is_some() || self.experiment_handle.is_some()
    }

    /// When to listen again, if any is on.
    pub(super) fn next_wake(&self, now: Moment) -> Option<Moment> {
        self.is_busy().then(|| now + PERIOD)
    }

    /// As the screen sees it.
    pub(super) fn seen(&self) -> tui::LabView<'_> {
        tui::LabView {
            race_state: self.race_state.as_ref(),
            experiment_state: self.experiment_state.as_ref(),
            racing: self.race.is_some(),
            trying: self.experiment_handle.is_some(),
            cores: cores(),
            revision: self.revision,
        }
    }

    /// Does what the reader wants; an error is what to say about it.
    pub(super) fn fulfil(&mut self, wish: LabRequest, driver: &Driver) -> Result<(), LabError> {
        self.revision += 1;
        match wish {
            LabRequest::Race { workload, gil } => {
                let plan = plan(driver, workload, gil);
                if plan.job_list.jobs() == 0 {
                    return Err(LabError::NoSite);
                }
                self.race_state = Some(RaceState::of(&plan));
                self.race = Some(Race::start(plan).map_err(LabError::Thread)?);
            }
            LabRequest::StopRace => {
                if let Some(race) = &self.race {
                    race.stop();
                }
            }
            LabRequest::Experiment {
                workload,
                jobs,
                length,
                gils,
            } => {
                let experiment = Experiment {
                    workload,
                    entry: driver.entry(),
                    jobs,
                    length,
                    cores: cores(),
                };
                // The other run of the same experiment stays.
                let kept = self.experiment_state.take();
                let mut experiment_state = kept
                    .filter(|experiment_state| experiment_state.is_of(&experiment))
                    .unwrap_or_else(|| ExperimentState::new(experiment));
                experiment_state.erase(&gils);
                self.experiment_state = Some(experiment_state);
                self.experiment_handle =
                    Some(ExperimentHandle::start(experiment, gils).map_err(LabError::Thread)?);
            }
            LabRequest::StopExperiment => {
                if let Some(experiment_handle) = &self.experiment_handle {
                    experiment_handle.stop();
                }
            }
        }
        Ok(())
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn plan(driver: &Driver, workload: Workload, gil: bool) -> RacePlan {
    let mut job_list = match workload {
        Workload::Sleep => JobList::sleep(TOYS, LENGTH),
        Workload::Crunch => JobList::crunch(TOYS, LENGTH),
        Workload::Http => {
            let (factory, ..) = driver.means(driver.entry());
            let sites = driver.monitor().sites().map(|state| state.site());
            let sites = sites.filter(|site| !site.paused);
            JobList::sites(
                Arc::clone(factory),
                sites.map(|site| (site.name.clone(), Arc::clone(&site.spec))),
            )
        }
    };
    job_list.queue = driver.means(driver.entry()).1.clone();
    let contender = |entry| {
        let (.., workers) = driver.means(entry);
        let workers = match workload {
            Workload::Http => workers,
            // As many as there are toys, where the number can be chosen.
            Workload::Sleep | Workload::Crunch if entry.resizable => job_list.jobs(),
            Workload::Sleep | Workload::Crunch => entry.default_workers,
        };
        Contender {
            entry,
            workers,
            listed: true,
        }
    };
    RacePlan {
        contenders: ALL.iter().map(contender).collect(),
        job_list,
        rounds: ROUNDS,
        gil,
        traced: false,
    }
}
