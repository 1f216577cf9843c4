//! What was tried last, with the lock and without: predictions before, snapshots during,
//! measurements after. Folded from the events of the experiment by whoever shows them.

use crate::domain::Moment;
use crate::trace::CheckRecord;

use super::{
    Experiment, ExperimentEvent, Prediction, RunError, RunSnapshot, TimedRun, explain, predict,
};

/// One run, as far as it has come.
#[derive(Clone, Debug)]
pub struct ExperimentRun {
    /// With or without the lock.
    pub gil: bool,
    /// How long it was said to take.
    pub prediction: Prediction,
    /// What is to be seen while it is under way.
    snapshot: Option<RunSnapshot>,
    /// What was measured, or why nothing was.
    timed_run: Option<Result<TimedRun, RunError>>,
    /// What was seen and why.
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

    /// What was measured; `None` while it has not come to its end.
    #[must_use]
    pub const fn timed_run(&self) -> Option<&TimedRun> {
        match &self.timed_run {
            Some(Ok(timed_run)) => Some(timed_run),
            _ => None,
        }
    }

    /// Why it could not be done.
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

    /// When its jobs were due, and the moment as of which it is shown.
    #[must_use]
    pub fn stretch(&self) -> Option<(Moment, Moment)> {
        match (self.timed_run(), &self.snapshot) {
            (Some(timed_run), _) => Some((timed_run.due, timed_run.due + timed_run.sweep)),
            (None, Some(snapshot)) => Some((snapshot.due, snapshot.now)),
            (None, None) => None,
        }
    }

    /// What is on record of its jobs.
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
    /// What is tried.
    pub experiment: Experiment,
    /// With the lock, and without.
    pub runs: [ExperimentRun; 2],
}

impl ExperimentState {
    /// A new one, with predictions alone.
    #[must_use]
    pub fn new(experiment: Experiment) -> Self {
        Self {
            experiment,
            runs: [true, false].map(|gil| ExperimentRun::new(&experiment, gil)),
        }
    }

    /// Whether it is of this experiment.
    #[must_use]
    pub fn is_of(&self, other: &Experiment) -> bool {
        let own = &self.experiment;
        own.workload == other.workload
            && own.entry.label.key == other.entry.label.key
            && (own.jobs, own.length) == (other.jobs, other.length)
    }

    /// These runs are made anew.
    pub fn erase(&mut self, gils: &[bool]) {
        for run in &mut self.runs {
            if gils.contains(&run.gil) {
                *run = ExperimentRun::new(&self.experiment, run.gil);
            }
        }
    }

    /// Takes note of what has happened.
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

    /// What the lock made of it, once both runs are complete.
    #[must_use]
    pub fn comparison(&self) -> Option<String> {
        /// Less than that is noise.
        const ALIKE: f64 = 1.15;
        let [locked, free] = &self.runs;
        let (with, without) = (locked.timed_run()?.sweep, free.timed_run()?.sweep);
        let ratio = with.as_secs_f64() / without.as_secs_f64().max(1e-9);
        if ratio >= ALIKE {
            return Some(format!(
                "The lock made it {ratio:.1} times slower: whoever computes needs it."
            ));
        }
        let shape = self.experiment.parameters(true).shape;
        let why = if self.experiment.workload != super::Workload::Crunch {
            "whoever waits lets go of it"
        } else if shape.processes > 1 {
            "each process has a lock of its own"
        } else if shape.threads.min(shape.in_flight) == 1 {
            "one thread alone never waits for it"
        } else if self.experiment.cores == 1 {
            "there is one core, and one may run without it too"
        } else {
            "the machine is too busy with others to tell"
        };
        Some(format!("The lock made no difference: {why}."))
    }
}
