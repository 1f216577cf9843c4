//! The log of one check: every poll, and the phase that it waited in.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::domain::{Moment, Phase};

/// The most slices that are logged of one check: a server that sends one byte at a time causes
/// thousands of polls.
pub(super) const MOST_SLICES: usize = 256;

/// The same under the interpreter lock, which interrupts a check that computes two hundred times
/// a second.
pub(super) const MOST_SLICES_LOCKED: usize = 8_192;

/// The most changes of phase that are logged of one check.
pub(super) const MOST_STEPS: usize = 64;

/// The activity of a thread in a slice of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SliceKind {
    /// It polled the check: wall time from the start to the end of the poll, preemption included.
    Running,
    /// It was blocked on the interpreter lock.
    Locked,
}

/// A stretch of time in which a thread was occupied by a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// When the check was woken; from then to `start` it was ready and no thread was free. Equal
    /// to `start` if the moment is unknown.
    pub ready: Moment,
    /// The start of the slice.
    pub start: Moment,
    /// The end of the slice.
    pub end: Moment,
    /// The thread id of the operating system.
    pub tid: u32,
    /// The activity of the thread.
    pub doing: SliceKind,
}

/// A change of phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The start of the phase.
    pub at: Moment,
    /// The phase that starts.
    pub phase: Phase,
}

/// Slices and steps that are stored inline. Most checks need no more, so that they are logged,
/// kept and drawn without the heap.
const ROOM: usize = 6;

/// The polls and phases of one check, in the order of time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollLog {
    /// The slices: stretches in which a thread was occupied by it.
    pub slices: SmallVec<[Slice; ROOM]>,
    /// The phases that it waited in.
    pub steps: SmallVec<[Step; ROOM]>,
    /// Slices and steps beyond the limits, which were not kept.
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

    /// The phase at the moment `at`; `None` before the first phase.
    #[must_use]
    pub fn phase_at(&self, at: Moment) -> Option<Phase> {
        let after = self.steps.partition_point(|step| step.at <= at);
        Some(self.steps.get(after.checked_sub(1)?)?.phase)
    }

    /// Bytes on the heap, beyond the size of this value.
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
