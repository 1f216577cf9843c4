//! The state of an experiment: for each of its two runs a prediction, then snapshots, then
//! measurements. The owner of the events applies them to it.

use crate::domain::Moment;
use crate::trace::CheckRecord;

use super::{
    Experiment, ExperimentEvent, Prediction, RunError, RunSnapshot, TimedRun, explain, predict,
};

/// One run of an experiment: predicted, under way, or ended.
#[derive(Clone, Debug)]
pub struct ExperimentRun {
    /// Whether it is the run with the lock.
    pub gil: bool,
    /// The predicted duration.
    pub prediction: Prediction,
    /// The newest snapshot; `None` unless it is under way.
    snapshot: Option<RunSnapshot>,
    /// The measurements or the error; `None` until it has ended.
    timed_run: Option<Result<TimedRun, RunError>>,
    /// The explanation of what was measured; `None` until it has ended without error.
    pub explanation: Option<String>,
}

impl ExperimentRun {
    fn new(experiment: &Experiment, gil: bool) -> Self {
        Self {
            gil,
            prediction: predict(experiment.parameters(gil)),
            snapshot: None,
            timed_run: None,
            explanation: None,
        }
    }

    /// The measurements; `None` until it has ended, and after an error.
    #[must_use]
    pub const fn timed_run(&self) -> Option<&TimedRun> {
        match &self.timed_run {
            Some(Ok(timed_run)) => Some(timed_run),
            _ => None,
        }
    }

    /// Why it failed; `None` unless it did.
    #[must_use]
    pub const fn error(&self) -> Option<&RunError> {
        match &self.timed_run {
            Some(Err(error)) => Some(error),
            _ => None,
        }
    }

    /// Whether it is under way.
    #[must_use]
    pub const fn is_under_way(&self) -> bool {
        self.timed_run.is_none() && self.snapshot.is_some()
    }

    /// The moment its jobs were due, and its end or the moment of the newest snapshot; `None`
    /// before it has started.
    #[must_use]
    pub fn stretch(&self) -> Option<(Moment, Moment)> {
        match (self.timed_run(), &self.snapshot) {
            (Some(timed_run), _) => Some((timed_run.due, timed_run.due + timed_run.sweep)),
            (None, Some(snapshot)) => Some((snapshot.due, snapshot.now)),
            (None, None) => None,
        }
    }

    /// The records of its jobs so far.
    #[must_use]
    pub fn records(&self) -> &[CheckRecord] {
        match (self.timed_run(), &self.snapshot) {
            (Some(timed_run), _) => &timed_run.records,
            (None, Some(snapshot)) => &snapshot.records,
            (None, None) => &[],
        }
    }
}

/// An experiment and its two runs.
#[derive(Clone, Debug)]
pub struct ExperimentState {
    /// What is run: workload, paradigm and jobs.
    pub experiment: Experiment,
    /// The run with the lock, and the one without.
    pub runs: [ExperimentRun; 2],
}

impl ExperimentState {
    /// A new state, of predictions only.
    #[must_use]
    pub fn new(experiment: Experiment) -> Self {
        Self {
            experiment,
            runs: [true, false].map(|gil| ExperimentRun::new(&experiment, gil)),
        }
    }

    /// Whether it is the state of an experiment like `other`.
    #[must_use]
    pub fn is_of(&self, other: &Experiment) -> bool {
        let own = &self.experiment;
        own.workload == other.workload
            && own.entry.label.key == other.entry.label.key
            && (own.jobs, own.length) == (other.jobs, other.length)
    }

    /// Resets the runs with and without the lock that `gils` names, before they are repeated.
    pub fn erase(&mut self, gils: &[bool]) {
        for run in &mut self.runs {
            if gils.contains(&run.gil) {
                *run = ExperimentRun::new(&self.experiment, run.gil);
            }
        }
    }

    /// Applies an event.
    pub fn apply(&mut self, event: ExperimentEvent) {
        let parameters = |gil| self.experiment.parameters(gil);
        match event {
            ExperimentEvent::UnderWay { gil, snapshot } => {
                if let Some(run) = self.runs.iter_mut().find(|run| run.gil == gil) {
                    run.snapshot = Some(*snapshot);
                }
            }
            ExperimentEvent::Done { gil, timed_run } => {
                let explained = timed_run.as_ref().as_ref().ok();
                let explained = explained.map(|timed_run| explain(parameters(gil), timed_run));
                if let Some(run) = self.runs.iter_mut().find(|run| run.gil == gil) {
                    run.explanation = explained;
                    run.timed_run = Some(*timed_run);
                    run.snapshot = None;
                }
            }
            ExperimentEvent::Over => {}
        }
    }

    /// A sentence that compares the runs; `None` until both have ended without error.
    #[must_use]
    pub fn comparison(&self) -> Option<String> {
        /// The ratio of durations below which a difference counts as noise.
        const NOISE_RATIO: f64 = 1.15;
        let [locked, free] = &self.runs;
        let (with, without) = (locked.timed_run()?.sweep, free.timed_run()?.sweep);
        let ratio = with.as_secs_f64() / without.as_secs_f64().max(1e-9);
        if ratio >= NOISE_RATIO {
            return Some(format!(
                "The lock made it {ratio:.1} times slower: computing needs it."
            ));
        }
        let shape = self.experiment.parameters(true).shape;
        let why = if self.experiment.workload != super::Workload::Crunch {
            "waiting releases it"
        } else if shape.processes > 1 {
            "each process has a lock of its own"
        } else if shape.threads.min(shape.in_flight) == 1 {
            "one thread alone never waits for it"
        } else if self.experiment.cores == 1 {
            "there is one core, and one may run without it too"
        } else {
            "the machine is too busy to tell"
        };
        Some(format!("The lock made no difference: {why}."))
    }
}
