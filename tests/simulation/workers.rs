//! The workers of a simulated world: who runs which check, and until when.

use std::collections::{HashMap, VecDeque};

use uptime_squirrel::domain::{JobId, Moment, SiteId};

/// What became of a check that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offer {
    Taken,
    Missed(JobId),
    Busy,
}

#[derive(Debug)]
struct Slot {
    due: Moment,
    runs: bool,
}

#[derive(Debug, Default)]
pub(super) struct Workers {
    slots: HashMap<SiteId, Slot>,
    queue: VecDeque<SiteId>,
    busy: usize,
    all: usize,
}

impl Workers {
    pub(super) fn new(all: usize) -> Self {
        Self {
            all,
            ..Self::default()
        }
    }

    pub(super) fn offer(&mut self, job: JobId, out_of_turn: bool) -> Offer {
        match self.slots.get_mut(&job.site) {
            Some(slot) if slot.runs => Offer::Busy,
            // The check that waits already is as good.
            Some(_) if out_of_turn => Offer::Taken,
            Some(slot) => {
                let due = std::mem::replace(&mut slot.due, job.due);
                Offer::Missed(JobId {
                    site: job.site,
                    due,
                })
            }
            None => {
                let slot = Slot {
                    due: job.due,
                    runs: false,
                };
                self.slots.insert(job.site, slot);
                self.queue.push_back(job.site);
                Offer::Taken
            }
        }
    }

    /// Another paradigm takes over: checks that run are carried to their end.
    pub(super) const fn switch(&mut self, workers: usize) {
        self.all = workers;
    }

    /// Takes back a check that waits.
    pub(super) fn withdraw(&mut self, site: SiteId) -> bool {
        let waits = self.slots.get(&site).is_some_and(|slot| !slot.runs);
        if waits {
            self.slots.remove(&site);
            self.queue.retain(|queued| *queued != site);
        }
        waits
    }

    /// The next check that a worker begins, if one waits and one is free.
    pub(super) fn begin(&mut self) -> Option<JobId> {
        if self.busy >= self.all {
            return None;
        }
        let site = self.queue.pop_front()?;
        let slot = self.slots.get_mut(&site)?;
        slot.runs = true;
        self.busy += 1;
        Some(JobId {
            site,
            due: slot.due,
        })
    }

    /// A check ended, or its worker died.
    pub(super) fn end(&mut self, job: JobId, died: bool) {
        self.busy -= 1;
        if !died {
            self.slots.remove(&job.site);
        } else if let Some(slot) = self.slots.get_mut(&job.site) {
            slot.runs = false;
            self.queue.push_back(job.site);
        }
    }
}
