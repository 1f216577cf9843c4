//! What was tried last, with the lock and without: predictions before, pictures during,
//! measurements after. Folded from the events of the trials by whoever shows them.

use crate::domain::Moment;
use crate::trace::CheckRecord;

use super::{Experiment, Lap, LapError, Picture, Prediction, TrialEvent, explain, predict};

/// One run, as far as it has come.
#[derive(Clone, Debug)]
pub struct Page {
    /// With or without the lock.
    pub gil: bool,
    /// How long it was said to take.
    pub prediction: Prediction,
    /// What is to be seen while it is under way.
    picture: Option<Picture>,
    /// What was measured, or why nothing was.
    lap: Option<Result<Lap, LapError>>,
    /// What was seen and why.
    pub explanation: Option<String>,
}

impl Page {
    fn new(experiment: &Experiment, gil: bool) -> Self {
        Self {
            gil,
            prediction: predict(experiment.question(gil)),
            picture: None,
            lap: None,
            explanation: None,
        }
    }

    /// What was measured; `None` while it has not come to its end.
    #[must_use]
    pub const fn lap(&self) -> Option<&Lap> {
        match &self.lap {
            Some(Ok(lap)) => Some(lap),
            _ => None,
        }
    }

    /// Why it could not be done.
    #[must_use]
    pub const fn error(&self) -> Option<&LapError> {
        match &self.lap {
            Some(Err(error)) => Some(error),
            _ => None,
        }
    }

    /// Whether it is under way.
    #[must_use]
    pub const fn is_under_way(&self) -> bool {
        self.lap.is_none() && self.picture.is_some()
    }

    /// When its jobs were due, and the moment as of which it is shown.
    #[must_use]
    pub fn stretch(&self) -> Option<(Moment, Moment)> {
        match (self.lap(), &self.picture) {
            (Some(lap), _) => Some((lap.due, lap.due + lap.sweep)),
            (None, Some(picture)) => Some((picture.due, picture.now)),
            (None, None) => None,
        }
    }

    /// What is on record of its jobs.
    #[must_use]
    pub fn records(&self) -> &[CheckRecord] {
        match (self.lap(), &self.picture) {
            (Some(lap), _) => &lap.records,
            (None, Some(picture)) => &picture.records,
            (None, None) => &[],
        }
    }
}

/// An experiment and its two runs.
#[derive(Clone, Debug)]
pub struct Notebook {
    /// What is tried.
    pub experiment: Experiment,
    /// With the lock, and without.
    pub pages: [Page; 2],
}

impl Notebook {
    /// A new one, with predictions alone.
    #[must_use]
    pub fn new(experiment: Experiment) -> Self {
        Self {
            experiment,
            pages: [true, false].map(|gil| Page::new(&experiment, gil)),
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
        for page in &mut self.pages {
            if gils.contains(&page.gil) {
                *page = Page::new(&self.experiment, page.gil);
            }
        }
    }

    /// Takes note of what has happened.
    pub fn apply(&mut self, event: TrialEvent) {
        let question = |gil| self.experiment.question(gil);
        match event {
            TrialEvent::UnderWay { gil, picture } => {
                if let Some(page) = self.pages.iter_mut().find(|page| page.gil == gil) {
                    page.picture = Some(*picture);
                }
            }
            TrialEvent::Done { gil, lap } => {
                let explained = lap.as_ref().as_ref().ok();
                let explained = explained.map(|lap| explain(question(gil), lap));
                if let Some(page) = self.pages.iter_mut().find(|page| page.gil == gil) {
                    page.explanation = explained;
                    page.lap = Some(*lap);
                    page.picture = None;
                }
            }
            TrialEvent::Over => {}
        }
    }

    /// What the lock made of it, once both runs are complete.
    #[must_use]
    pub fn comparison(&self) -> Option<String> {
        /// Less than that is noise.
        const ALIKE: f64 = 1.15;
        let [locked, free] = &self.pages;
        let (with, without) = (locked.lap()?.sweep, free.lap()?.sweep);
        let ratio = with.as_secs_f64() / without.as_secs_f64().max(1e-9);
        if ratio >= ALIKE {
            return Some(format!(
                "The lock made it {ratio:.1} times slower: whoever computes needs it."
            ));
        }
        let shape = self.experiment.question(true).shape;
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
