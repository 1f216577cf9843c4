//! The jobs of a run: checks of sites, sleeps or crunches.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::{CheckSpec, MaskedUrl};
use crate::paradigm::QueueOptions;
use crate::probe::{Halt, ProberFactory, WorkloadSpec};

use super::Workload;

/// A list of jobs, the same for every paradigm that runs it.
#[derive(Clone, Debug)]
pub struct JobList {
    /// The work that each job does.
    pub workload: Workload,
    /// The name of each job.
    pub names: Vec<Box<str>>,
    /// The duration of one sleep or crunch alone; `None` for real checks.
    pub length: Option<Duration>,
    /// Options of the queue, used by the paradigm that has one.
    pub queue: QueueOptions,
    pub(super) specs: Vec<Arc<CheckSpec>>,
    work: Work,
}

#[derive(Clone, Debug)]
enum Work {
    Sites(Arc<ProberFactory>),
    Synthetic(WorkloadSpec),
}

impl JobList {
    /// Checks of sites: for each its name and its check spec.
    #[must_use]
    pub fn sites(
        factory: Arc<ProberFactory>,
        sites: impl IntoIterator<Item = (Box<str>, Arc<CheckSpec>)>,
    ) -> Self {
        let (names, specs) = sites.into_iter().unzip();
        Self {
            workload: Workload::Http,
            names,
            length: None,
            queue: QueueOptions::default(),
            specs,
            work: Work::Sites(factory),
        }
    }

    /// `jobs` sleeps of `length`.
    #[must_use]
    pub fn sleep(jobs: usize, length: Duration) -> Self {
        Self::synthetic(Workload::Sleep, WorkloadSpec::sleep(length), jobs, length)
    }

    /// `jobs` crunches, each of which takes a core of this machine about `length`. The first call
    /// measures the core's speed, which takes about 50 ms.
    #[must_use]
    pub fn crunch(jobs: usize, length: Duration) -> Self {
        Self::synthetic(Workload::Crunch, WorkloadSpec::crunch(length), jobs, length)
    }

    fn synthetic(workload: Workload, job: WorkloadSpec, jobs: usize, length: Duration) -> Self {
        let waves = u32::try_from(jobs).unwrap_or(u32::MAX);
        let spec = Arc::new(CheckSpec {
            // Enough for all jobs one after another on a busy machine.
            timeout: length
                .saturating_mul(waves)
                .saturating_mul(8)
                .saturating_add(Duration::from_secs(30)),
            slow: Duration::MAX,
            user_agent: "".into(),
            ..CheckSpec::new(MaskedUrl::new(format!(
                "http://{}.invalid/",
                workload.word()
            )))
        });
        let name = |number| format!("{} {number}", workload.word()).into_boxed_str();
        Self {
            workload,
            names: (1..=jobs).map(name).collect(),
            length: Some(length),
            queue: QueueOptions::default(),
            specs: vec![spec; jobs],
            work: Work::Synthetic(job),
        }
    }

    /// The number of jobs.
    #[must_use]
    pub fn jobs(&self) -> usize {
        self.specs.len()
    }

    /// The factory of the jobs' probers, and the switch that ends crunches under way.
    pub(super) fn factory(&self) -> (Arc<ProberFactory>, Halt) {
        let halt = Halt::default();
        let factory = match &self.work {
            Work::Sites(factory) => Arc::clone(factory),
            Work::Synthetic(job) => Arc::new(ProberFactory::workload(*job, halt.clone())),
        };
        (factory, halt)
    }

    /// The longest timeout of a job.
    pub(super) fn longest(&self) -> Duration {
        let timeouts = self.specs.iter().map(|spec| spec.timeout);
        timeouts.max().unwrap_or_default()
    }
}
