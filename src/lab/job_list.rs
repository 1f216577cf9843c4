//! What is run: a list of jobs, and what makes their probers.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::{CheckSpec, MaskedUrl, StatusSet};
use crate::paradigm::QueueOptions;
use crate::probe::{Halt, Kit, Toy};

use super::Workload;

/// The jobs that every paradigm gets.
#[derive(Clone, Debug)]
pub struct JobList {
    /// What they do.
    pub workload: Workload,
    /// What a job is called, one name a job.
    pub names: Vec<Box<str>>,
    /// How long one toy takes by itself; `None` for real checks.
    pub length: Option<Duration>,
    /// The queue, for the paradigm that has one.
    pub queue: QueueOptions,
    pub(super) specs: Vec<Arc<CheckSpec>>,
    work: Work,
}

#[derive(Clone, Debug)]
enum Work {
    Sites(Arc<Kit>),
    Toy(Toy),
}

impl JobList {
    /// Real checks of these sites.
    #[must_use]
    pub fn sites(
        kit: Arc<Kit>,
        sites: impl IntoIterator<Item = (Box<str>, Arc<CheckSpec>)>,
    ) -> Self {
        let (names, specs) = sites.into_iter().unzip();
        Self {
            workload: Workload::Http,
            names,
            length: None,
            queue: QueueOptions::default(),
            specs,
            work: Work::Sites(kit),
        }
    }

    /// So many sleeps of this length.
    #[must_use]
    pub fn sleep(jobs: usize, length: Duration) -> Self {
        Self::toy(Workload::Sleep, Toy::sleep(length), jobs, length)
    }

    /// So many crunches, each of which takes a core of this machine about this long. The
    /// first one measures how fast that core is, which takes some fifty milliseconds.
    #[must_use]
    pub fn crunch(jobs: usize, length: Duration) -> Self {
        Self::toy(Workload::Crunch, Toy::crunch(length), jobs, length)
    }

    fn toy(workload: Workload, toy: Toy, jobs: usize, length: Duration) -> Self {
        let waves = u32::try_from(jobs).unwrap_or(u32::MAX);
        let spec = Arc::new(CheckSpec {
            url: MaskedUrl::new(format!("http://{}.invalid/", workload.word())),
            // All after one another, on a machine that does a lot besides.
            timeout: length
                .saturating_mul(waves)
                .saturating_mul(8)
                .saturating_add(Duration::from_secs(30)),
            slow: Duration::MAX,
            cert_warn: Duration::ZERO,
            expect_status: StatusSet::default(),
            contains: None,
            max_redirects: 0,
            user_agent: "".into(),
        });
        let name = |number| format!("{} {number}", workload.word()).into_boxed_str();
        Self {
            workload,
            names: (1..=jobs).map(name).collect(),
            length: Some(length),
            queue: QueueOptions::default(),
            specs: vec![spec; jobs],
            work: Work::Toy(toy),
        }
    }

    /// How many jobs it has.
    #[must_use]
    pub fn jobs(&self) -> usize {
        self.specs.len()
    }

    /// What makes the probers, and what ends those that compute.
    pub(super) fn kit(&self) -> (Arc<Kit>, Halt) {
        let halt = Halt::default();
        let kit = match &self.work {
            Work::Sites(kit) => Arc::clone(kit),
            Work::Toy(toy) => Arc::new(Kit::toy(*toy, halt.clone())),
        };
        (kit, halt)
    }

    /// The longest time that one job may take.
    pub(super) fn longest(&self) -> Duration {
        let timeouts = self.specs.iter().map(|spec| spec.timeout);
        timeouts.max().unwrap_or_default()
    }
}
