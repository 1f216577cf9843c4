//! The lab: measures what concurrency gains, with real checks, sleeps and crunches.
//!
//! ```text
//! JobList (what is run)       --+
//! RunSetup (how it is run)    --+-> TimedRun: one paradigm over the jobs, once, measured
//!                                    |                       |
//!        Race: every paradigm, several rounds, medians   Experiment: lock on, lock off, traced,
//!                                    |                       |       with a prediction
//!                               RaceState              ExperimentState
//!                                    |                       |
//!                               race_summary              explain
//! ```
//!
//! Race and experiment run on a thread of their own and send events through a channel, so that a
//! screen can show their progress and stop them at any time. `predict` computes the duration of
//! a run before it starts, `explain` interprets its measurements.
//!
//! Architecture invariant: nothing here matches on a paradigm's name. Texts follow from its
//! shape: the numbers of checks in flight, threads and processes.

mod experiment;
mod experiment_state;
mod explain;
mod glossary;
mod job_list;
mod medians;
mod predict;
mod race;
mod race_state;
mod race_summary;
mod resource_usage;
mod timed_run;
mod workload;

pub use experiment::{Experiment, ExperimentEvent, ExperimentHandle, RunSnapshot};
pub use experiment_state::{ExperimentRun, ExperimentState};
pub use explain::{explain, proportion};
pub use glossary::{GLOSSARY, Term};
pub use job_list::JobList;
pub use medians::{Medians, fine};
pub use predict::{Prediction, RunParameters, predict};
pub use race::{Contender, Race, RaceEvent, RacePlan};
pub use race_state::{RaceProgress, RaceRow, RaceState};
pub use race_summary::{TIE_RATIO, race_summary};
pub use timed_run::{RunError, RunSetup, TimedRun, run};
pub use workload::Workload;
