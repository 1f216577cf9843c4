//! The live switch: jobs go to the paradigm in use, and move to the next one with nothing
//! lost and nothing counted twice.
//!
//! Every submitted job without a result stands in one table, by site. A job that has not started
//! is handed over by withdrawing its ticket, which succeeds for exactly the jobs that no worker
//! will ever start; one that has started is finished by the old paradigm, which is kept until
//! then. The first result of a job removes it from the table, so a second one is not counted.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::{CheckResult, CheckSpec, Job, JobId, Moment, SiteId};
use crate::probe::ProberFactory;

use super::receipt::Receipt;
use super::{
    Census, Paradigm, ParadigmContext, ParadigmEntry, QueueFigures, QueueOptions, StartError,
    WorkerLoss,
};

/// How long after its timeout the result of a check of the old paradigm is awaited.
const DRAIN_MARGIN: Duration = Duration::from_secs(5);

/// The outcome of offering a check that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// The check was submitted to the paradigm.
    Submitted,
    /// The previous check of the site had not started: that one is missed, and this one takes its
    /// place in the queue.
    Renewed {
        /// The check that was missed.
        missed: JobId,
    },
    /// The previous check of the site is running; this one is not submitted.
    Busy,
}

#[derive(Debug)]
struct RunningParadigm {
    entry: &'static ParadigmEntry,
    paradigm: Box<dyn Paradigm>,
    generation: u64,
}

/// An old paradigm that finishes the checks it has started.
#[derive(Debug)]
struct DrainingParadigm {
    engine: RunningParadigm,
    receipt: Receipt,
    since: Moment,
    deadline: Moment,
    waiting: usize,
}

/// A job without a result, and the paradigm that has it.
#[derive(Debug)]
struct OutstandingJob {
    job: Job,
    generation: u64,
}

/// Submits jobs to the paradigm in use and accounts for their results.
#[derive(Debug)]
pub struct Dispatcher {
    context: ParadigmContext,
    current: RunningParadigm,
    draining: Vec<DrainingParadigm>,
    /// By site: a site has at most one job without a result.
    outstanding: Vec<Option<OutstandingJob>>,
    unanswered: usize,
    twins: u64,
}

impl Dispatcher {
    /// Starts the first paradigm with `context.workers` workers.
    ///
    /// # Errors
    /// If the paradigm cannot start.
    pub fn start(
        entry: &'static ParadigmEntry,
        context: ParadigmContext,
    ) -> Result<Self, StartError> {
        let paradigm = (entry.start)(&context)?;
        Ok(Self {
            context,
            current: RunningParadigm {
                entry,
                paradigm,
                generation: 0,
            },
            draining: Vec::new(),
            outstanding: Vec::new(),
            unanswered: 0,
            twins: 0,
        })
    }

    /// The paradigm in use.
    #[must_use]
    pub const fn entry(&self) -> &'static ParadigmEntry {
        self.current.entry
    }

    /// The factory of its probers.
    #[must_use]
    pub const fn factory(&self) -> &Arc<ProberFactory> {
        &self.context.factory
    }

    /// The load of the paradigm in use.
    #[must_use]
    pub fn census(&self) -> Census {
        self.current.paradigm.census()
    }

    /// The options of the queue, for the next switch.
    #[must_use]
    pub const fn queue_options(&self) -> &QueueOptions {
        &self.context.queue
    }

    /// Replaces the options of the queue for the next switch; returns the old ones.
    pub const fn set_queue_options(&mut self, options: QueueOptions) -> QueueOptions {
        std::mem::replace(&mut self.context.queue, options)
    }

    /// The queue between the paradigm in use and its workers; `None` if it has none.
    #[must_use]
    pub fn queue(&self) -> Option<QueueFigures> {
        self.current.paradigm.queue()
    }

    /// The workers that were lost since the last call.
    #[must_use]
    pub fn losses(&self) -> Vec<WorkerLoss> {
        let old = self.draining.iter().map(|draining| &draining.engine);
        let engines = old.chain([&self.current]);
        engines
            .flat_map(|engine| engine.paradigm.losses())
            .collect()
    }

    /// The number of jobs without a result, those of old paradigms included.
    #[must_use]
    pub const fn unanswered(&self) -> usize {
        self.unanswered
    }

    /// The check of a site that has no result yet; `None` if there is none.
    #[must_use]
    pub fn job_of(&self, site: SiteId) -> Option<JobId> {
        let outstanding = self.outstanding.get(site.index())?.as_ref()?;
        Some(JobId {
            site,
            due: outstanding.job.ticket.due(),
        })
    }

    /// The checks that wait for a worker.
    pub fn waiting(&self) -> impl Iterator<Item = JobId> {
        let some = self.outstanding.iter().flatten();
        some.filter(|outstanding| !outstanding.job.ticket.is_started())
            .map(|outstanding| JobId {
                site: outstanding.job.site,
                due: outstanding.job.ticket.due(),
            })
    }

    /// Results dropped because their job had one already.
    #[must_use]
    pub const fn twins(&self) -> u64 {
        self.twins
    }

    fn slot(&mut self, site: SiteId) -> &mut Option<OutstandingJob> {
        if self.outstanding.len() <= site.index() {
            self.outstanding.resize_with(site.index() + 1, || None);
        }
        &mut self.outstanding[site.index()]
    }

    /// Submits a check that is due, unless the site has one without a result.
    pub fn offer(&mut self, due: JobId, spec: &Arc<CheckSpec>) -> Offer {
        if let Some(outstanding) = self.slot(due.site) {
            return match outstanding.job.ticket.renew(due.due) {
                Some(missed) => Offer::Renewed {
                    missed: JobId {
                        site: due.site,
                        due: missed,
                    },
                },
                None => Offer::Busy,
            };
        }
        let job = Job::new(due, Arc::clone(spec));
        let generation = self.current.generation;
        *self.slot(due.site) = Some(OutstandingJob {
            job: job.clone(),
            generation,
        });
        self.unanswered += 1;
        self.current.paradigm.submit(job);
        Offer::Submitted
    }

    /// Whether a check of the site waits for a worker.
    #[must_use]
    pub fn waits(&self, site: SiteId) -> bool {
        let outstanding = self.outstanding.get(site.index());
        outstanding
            .and_then(Option::as_ref)
            .is_some_and(|outstanding| !outstanding.job.ticket.is_started())
    }

    /// Withdraws the check of a site that has not started; `false` if there is none.
    pub fn withdraw(&mut self, site: SiteId) -> bool {
        let slot = self.slot(site);
        let withdrawn = slot
            .as_ref()
            .is_some_and(|outstanding| outstanding.job.ticket.withdraw());
        if withdrawn {
            *slot = None;
            self.unanswered -= 1;
        }
        withdrawn
    }

    /// Accounts for a result: `true` if it counts, `false` if it is a duplicate to be dropped.
    pub fn answered(&mut self, result: &CheckResult) -> bool {
        let slot = self.slot(result.job.site);
        let fits = slot
            .as_ref()
            .is_some_and(|outstanding| outstanding.job.ticket.due() == result.job.due);
        let Some(outstanding) = slot.take_if(|_| fits) else {
            self.twins += 1;
            for draining in &mut self.draining {
                draining.receipt.twins += 1;
            }
            return false;
        };
        self.unanswered -= 1;
        if let Some(draining) = self
            .draining
            .iter_mut()
            .find(|draining| draining.engine.generation == outstanding.generation)
        {
            draining.receipt.finished += 1;
            draining.waiting -= 1;
        }
        true
    }

    /// Changes the number of workers of the paradigm in use.
    pub fn resize(&mut self, workers: usize) {
        self.context.workers = workers;
        self.current.paradigm.resize(workers);
    }

    /// Switches to another paradigm, or to the same one with another factory. The receipt follows
    /// from [`Dispatcher::receipts`] when the old one has delivered all results.
    ///
    /// # Errors
    /// If the new paradigm cannot start; the old one stays in use.
    pub fn switch(
        &mut self,
        entry: &'static ParadigmEntry,
        workers: usize,
        factory: Option<Arc<ProberFactory>>,
        now: Moment,
    ) -> Result<(), StartError> {
        let mut context = self.context.clone();
        context.workers = workers;
        context.retry_broker = false;
        if let Some(factory) = factory {
            context.factory = factory;
        }
        let started = RunningParadigm {
            entry,
            paradigm: (entry.start)(&context)?,
            generation: self.current.generation + 1,
        };
        self.context = context;
        let old = std::mem::replace(&mut self.current, started);
        let mut receipt = Receipt {
            from: old.entry.label.name,
            to: entry.label.name,
            in_flight: 0,
            finished: 0,
            handed_over: 0,
            twins: 0,
            took: Duration::ZERO,
        };
        let mut longest = Duration::ZERO;
        for outstanding in self.outstanding.iter_mut().flatten() {
            if outstanding.generation != old.generation {
                continue;
            }
            receipt.in_flight += 1;
            if outstanding.job.ticket.withdraw() {
                outstanding.hand_over(&mut self.current);
                receipt.handed_over += 1;
            } else {
                longest = longest.max(outstanding.job.spec.timeout);
            }
        }
        self.draining.push(DrainingParadigm {
            engine: old,
            waiting: receipt.in_flight - receipt.handed_over,
            receipt,
            since: now,
            deadline: now + longest + DRAIN_MARGIN,
        });
        Ok(())
    }

    /// The receipts of the switches that are complete by now. Jobs whose result is overdue at an
    /// old paradigm are handed over first, and run again.
    pub fn receipts(&mut self, now: Moment) -> Vec<Receipt> {
        for draining in &mut self.draining {
            if draining.waiting == 0 || now < draining.deadline {
                continue;
            }
            for outstanding in self.outstanding.iter_mut().flatten() {
                if outstanding.generation == draining.engine.generation {
                    outstanding.hand_over(&mut self.current);
                    draining.receipt.handed_over += 1;
                    draining.waiting -= 1;
                }
            }
        }
        self.draining
            .extract_if(.., |draining| draining.waiting == 0)
            .map(|draining| Receipt {
                took: now.since(draining.since),
                ..draining.receipt
            })
            .collect()
    }

    /// When [`Dispatcher::receipts`] has to be called at the latest; `None` if no switch is open.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Moment> {
        self.draining.iter().map(|draining| draining.deadline).min()
    }
}

impl OutstandingJob {
    /// Submits the same check under a new ticket to the paradigm `to`.
    fn hand_over(&mut self, to: &mut RunningParadigm) {
        let id = JobId {
            site: self.job.site,
            due: self.job.ticket.due(),
        };
        self.job = Job::new(id, Arc::clone(&self.job.spec));
        self.generation = to.generation;
        to.paradigm.submit(self.job.clone());
    }
}
