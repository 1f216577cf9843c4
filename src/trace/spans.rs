//! The spans of a check from its due time to its end, without gaps.

use crate::domain::{Moment, Phase};

use super::check_record::CheckRecord;
use super::poll_log::SliceKind;

/// The activity of a check in a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// It is due and waits for a worker.
    Queued,
    /// It waits for the network or a timer, in this phase; `None` before the first phase.
    Waiting(Option<Phase>),
    /// It was woken, and no thread is free.
    Ready,
    /// A thread polls the check.
    Running,
    /// Its thread is blocked on the interpreter lock.
    Locked,
}

impl Activity {
    /// The activity of a check during a slice of this kind.
    #[must_use]
    pub const fn of(doing: SliceKind) -> Self {
        match doing {
            SliceKind::Running => Self::Running,
            SliceKind::Locked => Self::Locked,
        }
    }
}

/// A stretch of a check with one activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The start of the span.
    pub from: Moment,
    /// The end; never before `from`.
    pub to: Moment,
    /// The activity between the two.
    pub activity: Activity,
    /// The id of the thread that is occupied by it; `None` if none is.
    pub tid: Option<u32>,
}

/// Passes every span of a check to `each`, in the order of time, without empty ones.
pub fn spans(record: &CheckRecord, mut each: impl FnMut(Span)) {
    let mut give = |from: Moment, to: Moment, activity, tid| {
        if to > from {
            each(Span {
                from,
                to,
                activity,
                tid,
            });
        }
    };
    give(record.job.due, record.started, Activity::Queued, None);
    let mut at = record.started;
    for slice in &record.log.slices {
        wait(record, at, slice.ready, &mut give);
        give(slice.ready.max(at), slice.start, Activity::Ready, None);
        let activity = Activity::of(slice.doing);
        give(slice.start.max(at), slice.end, activity, Some(slice.tid));
        at = at.max(slice.end);
    }
    wait(record, at, record.ended, &mut give);
}

/// The waiting from `from` to `to`, split at changes of phase.
fn wait(
    record: &CheckRecord,
    mut from: Moment,
    to: Moment,
    give: &mut impl FnMut(Moment, Moment, Activity, Option<u32>),
) {
    let steps = &record.log.steps;
    let first = steps.partition_point(|step| step.at <= from);
    let mut phase = first.checked_sub(1).and_then(|last| steps.get(last));
    for step in &steps[first..] {
        if step.at >= to {
            break;
        }
        let activity = Activity::Waiting(phase.map(|step| step.phase));
        give(from, step.at, activity, None);
        (from, phase) = (step.at, Some(step));
    }
    let activity = Activity::Waiting(phase.map(|step| step.phase));
    give(from, to, activity, None);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{JobId, RanOn, SiteId};
    use crate::trace::poll_log::{PollLog, Slice, Step};
    use proptest::prelude::*;

    fn at(nanos: u64) -> Moment {
        Moment::from_nanos(nanos)
    }

    fn record(due: u64, started: u64, ended: u64, log: PollLog) -> CheckRecord {
        CheckRecord {
            job: JobId {
                site: SiteId::from_index(0),
                due: at(due),
            },
            started: at(started),
            ended: at(ended),
            ran_on: RanOn {
                host: "h".into(),
                pid: 1,
                tid: 7,
                thread: "t".into(),
            },
            log,
            found: None,
        }
    }

    fn slice(ready: u64, start: u64, end: u64) -> Slice {
        Slice {
            ready: at(ready),
            start: at(start),
            end: at(end),
            tid: 7,
            doing: SliceKind::Running,
        }
    }

    fn all(record: &CheckRecord) -> Vec<(u64, u64, Activity)> {
        let mut all = Vec::new();
        spans(record, |span| {
            all.push((span.from.as_nanos(), span.to.as_nanos(), span.activity));
        });
        all
    }

    #[test]
    fn a_check_is_queued_runs_waits_is_ready_and_runs_again() {
        let log = PollLog {
            slices: smallvec::smallvec![slice(10, 10, 12), slice(40, 45, 46)],
            steps: smallvec::smallvec![
                Step {
                    at: at(11),
                    phase: Phase::Connect,
                },
                Step {
                    at: at(30),
                    phase: Phase::Tls,
                },
            ],
            dropped: 0,
        };
        use Activity as A;
        assert_eq!(
            all(&record(5, 10, 46, log)),
            [
                (5, 10, A::Queued),
                (10, 12, A::Running),
                (12, 30, A::Waiting(Some(Phase::Connect))),
                (30, 40, A::Waiting(Some(Phase::Tls))),
                (40, 45, A::Ready),
                (45, 46, A::Running),
            ]
        );
    }

    #[test]
    fn of_a_check_without_notes_it_is_known_that_it_waited() {
        let spans = all(&record(5, 10, 46, PollLog::default()));
        assert_eq!(
            spans,
            [(5, 10, Activity::Queued), (10, 46, Activity::Waiting(None))]
        );
    }

    proptest! {
        #[test]
        fn spans_cover_the_whole_check_and_never_overlap(
            due in 0_u64..50, late in 0_u64..50,
            polls in prop::collection::vec((0_u64..20, 0_u64..5, 0_u64..20), 0..12),
            steps in prop::collection::vec(0_u64..400, 0..6), rest in 0_u64..30,
        ) {
            let started = due + late;
            let mut now = started;
            let mut log = PollLog::default();
            for (wait, ready, run) in polls {
                log.slices.push(slice(now + wait, now + wait + ready, now + wait + ready + run));
                now += wait + ready + run;
            }
            let mut steps = steps;
            steps.sort_unstable();
            log.steps = steps.iter().map(|n| Step { at: at(*n), phase: Phase::Dns }).collect();
            let all = all(&record(due, started, now + rest, log));
            let mut reached = due;
            for (from, to, _) in &all {
                prop_assert_eq!(*from, reached);
                prop_assert!(to > from);
                reached = *to;
            }
            prop_assert_eq!(reached, now + rest);
        }
    }
}
