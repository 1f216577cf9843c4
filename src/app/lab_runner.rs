//! Races and experiments that were started on the screen. Each runs on a thread of its own; its
//! events are gathered here.

use std::fmt;
use std::io;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crate::domain::{Moment, plain_io_error};
use crate::lab::{
    Contender, Experiment, ExperimentHandle, ExperimentState, JobList, Race, RacePlan, RaceState,
    Workload,
};
use crate::paradigm::ALL;
use crate::tui::{self, LabRequest};

use super::driver::Driver;

/// How often the events of a race or an experiment are read.
const EVENT_PERIOD: Duration = Duration::from_millis(90);

/// The number of jobs of a race without sites, and how long each takes by itself.
const JOBS: usize = 4;
const LENGTH: Duration = Duration::from_secs(1);

/// The number of rounds of each paradigm.
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
    /// Takes in the events since the last call.
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

    /// Whether a race or an experiment is running.
    pub(super) const fn is_busy(&self) -> bool {
        self.race.is_some() || self.experiment_handle.is_some()
    }

    /// When to read events next; `None` if nothing runs.
    pub(super) fn next_wake(&self, now: Moment) -> Option<Moment> {
        self.is_busy().then(|| now + EVENT_PERIOD)
    }

    /// The state for the screen.
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

    /// Carries out a request of the screen.
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

/// The number of cores, which the system is asked for once: it reads a dozen files each time.
fn cores() -> usize {
    static CORES: LazyLock<usize> =
        LazyLock::new(|| std::thread::available_parallelism().map_or(1, usize::from));
    *CORES
}

fn plan(driver: &Driver, workload: Workload, gil: bool) -> RacePlan {
    let mut job_list = match workload {
        Workload::Sleep => JobList::sleep(JOBS, LENGTH),
        Workload::Crunch => JobList::crunch(JOBS, LENGTH),
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
            // One worker for each job, where the number can be chosen.
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
