//! What concurrency is worth, measured: the toy workloads, predictions, and the race.
//!
//! ```text
//! JobList (what is run) --+
//! RunSetup (who runs it)  --+-> TimedRun: one paradigm over the list of jobs, once, measured
//!                             |                                  |
//!        Race: every paradigm, several rounds, medians     ExperimentHandle: lock on, then off,
//!                             |                            with every poll and a prediction
//!                           RaceState ---- sentence
//! ```
//!
//! Both run on a thread of their own and tell how they get on through a channel, so that a
//! screen can show them and end them at any time. `predict` says before a run how long it
//! will take and by which formula, `explain` after it what was seen and why.
//!
//! Architecture invariant: nothing here matches on a paradigm's name. What there is to say
//! follows from its shape: how many checks, threads and processes.

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
pub use race_summary::race_summary;
pub use timed_run::{RunError, RunSetup, TimedRun, run};
pub use workload::Workload;
