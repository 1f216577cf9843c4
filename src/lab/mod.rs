//! What concurrency is worth, measured: the toy workloads, predictions, and the race.
//!
//! ```text
//! Course (what is run) --+
//! Setup (who runs it)  --+-> Lap: one paradigm over the course, once, measured
//!                             |                                  |
//!        Race: every paradigm, several rounds, medians     Trials: lock on, then off,
//!                             |                            with every poll and a prediction
//!                           Board ---- sentence
//! ```
//!
//! Both run on a thread of their own and tell how they get on through a channel, so that a
//! screen can show them and end them at any time. `predict` says before a run how long it
//! will take and by which formula, `explain` after it what was seen and why.
//!
//! Architecture invariant: nothing here matches on a paradigm's name. What there is to say
//! follows from its shape: how many checks, threads and processes.

mod board;
mod course;
mod explain;
mod figures;
mod glossary;
mod lap;
mod meter;
mod notebook;
mod predict;
mod race;
mod trials;
mod verdict;
mod workload;

pub use board::{Board, Progress, Row};
pub use course::Course;
pub use explain::{explain, proportion};
pub use figures::{Figures, fine};
pub use glossary::{GLOSSARY, Term};
pub use lap::{Lap, LapError, Setup, run};
pub use notebook::{Notebook, Page};
pub use predict::{Prediction, Question, predict};
pub use race::{Contender, Event, Plan, Race};
pub use trials::{Experiment, Picture, TrialEvent, Trials};
pub use verdict::verdict;
pub use workload::Workload;
