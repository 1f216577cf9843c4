//! What was noted of one check: every poll of it, and what it waited for in between.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::domain::{Moment, Phase};

/// The most polls that are noted of one check: a server that drips its answer a byte at a
/// time is polled thousands of times.
pub(super) const MOST_SLICES: usize = 256;

/// The same under the interpreter lock, which parts a check that computes two hundred times a
/// second. No server has a say in that.
pub(super) const MOST_SLICES_LOCKED: usize = 8_192;

/// The most changes of phase that are noted of one check.
pub(super) const MOST_STEPS: usize = 64;

/// What a thread did in a slice of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SliceKind {
    /// It ran the check: wall time from the beginning to the end of a poll, which includes
    /// being preempted.
    Running,
    /// It waited for the interpreter lock, and could do nothing else.
    Locked,
}

/// A stretch of time in which a thread was busy with a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// When the check was woken for it: from then to `start` it was ready, and no thread was
    /// free. Equals `start` where nothing of it is known.
    pub ready: Moment,
    /// When it began.
    pub start: Moment,
    /// When it ended.
    pub end: Moment,
    /// The thread, by the operating system's id.
    pub tid: u32,
    /// What it did.
    pub doing: SliceKind,
}

/// From when on a check waited for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Since when.
    pub at: Moment,
    /// For what.
    pub phase: Phase,
}

/// Slices, and steps, for which notes have room of their own. Most checks need no more; those
/// are noted, kept and drawn without a search through the heap.
const ROOM: usize = 6;

/// All that was noted of one check, in the order of time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollLog {
    /// Every stretch in which a thread was busy with it.
    pub slices: SmallVec<[Slice; ROOM]>,
    /// What it waited for in between.
    pub steps: SmallVec<[Step; ROOM]>,
    /// Slices and steps that were not kept, because there were too many.
    pub dropped: u32,
}

impl PollLog {
    pub(super) fn slice(&mut self, slice: Slice, most: usize) {
        if self.slices.len() < most {
            self.slices.push(slice);
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    pub(super) fn step(&mut self, step: Step) {
        if self.steps.len() < MOST_STEPS {
            self.steps.push(step);
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// What the check waited for at `at`, as far as that is known.
    #[must_use]
    pub fn phase_at(&self, at: Moment) -> Option<Phase> {
        let after = self.steps.partition_point(|step| step.at <= at);
        Some(self.steps.get(after.checked_sub(1)?)?.phase)
    }

    /// Bytes that these notes take beyond themselves.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let slices = self.slices.spilled().then(|| self.slices.capacity());
        let steps = self.steps.spilled().then(|| self.steps.capacity());
        slices.unwrap_or(0) * size_of::<Slice>() + steps.unwrap_or(0) * size_of::<Step>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: u64) -> Moment {
        Moment::from_nanos(nanos)
    }

    #[test]
    fn what_was_waited_for_is_known_between_the_steps() {
        let mut log = PollLog::default();
        for (nanos, phase) in [
            (10, Phase::Dns),
            (20, Phase::Connect),
            (30, Phase::FirstByte),
        ] {
            log.step(Step {
                at: at(nanos),
                phase,
            });
        }
        assert_eq!(log.phase_at(at(9)), None);
        assert_eq!(log.phase_at(at(10)), Some(Phase::Dns));
        assert_eq!(log.phase_at(at(29)), Some(Phase::Connect));
        assert_eq!(log.phase_at(at(900)), Some(Phase::FirstByte));
    }

    #[test]
    fn a_check_without_end_takes_bounded_memory_and_what_is_left_out_is_counted() {
        let mut log = PollLog::default();
        for nanos in 0..1_000 {
            let slice = Slice {
                ready: at(nanos),
                start: at(nanos),
                end: at(nanos + 1),
                tid: 1,
                doing: SliceKind::Running,
            };
            log.slice(slice, MOST_SLICES);
        }
        assert_eq!(log.slices.len(), MOST_SLICES);
        assert_eq!(log.dropped, 1_000 - MOST_SLICES as u32);
        assert!(log.heap_bytes() < 20 << 10);
    }
}
