//! One check while it is in flight: wraps its future and notes every poll of it.
//!
//! What lies between two polls is waiting, and the phase says for what. Where a thread runs
//! several checks, their wakers are wrapped too: from the moment it is woken until a thread
//! polls it, a check is ready.

use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::domain::{CheckObserver, Clock, JobId, Moment, Phase, RanOn, SystemClock};

use super::gil::InterpreterLock;
use super::identity::tid;
use super::open_span::OpenSpan;
use super::poll_log::{MOST_SLICES, MOST_SLICES_LOCKED, PollLog, Slice, SliceKind, Step};
use super::waker::RelayedWaker;

/// A check that is in flight, as whoever draws it sees it.
#[derive(Debug)]
pub struct InstrumentedCheck {
    job: JobId,
    started: Moment,
    clock: SystemClock,
    lock: Option<Arc<InterpreterLock>>,
    span: OpenSpan,
    log: Mutex<OpenLog>,
}

#[derive(Debug, Default)]
struct OpenLog {
    log: PollLog,
    /// The process and thread that runs it, where that is not this process.
    elsewhere: Option<RanOn>,
}

/// Whether the thread that runs a check has others to run while it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadSharing {
    /// It waits with the check: whenever that can go on, it does.
    Own,
    /// It may be busy with another when the check could go on: so that is noted as well.
    Shared,
}

/// What is known of a check in flight at one moment.
#[derive(Clone, Debug)]
pub struct InFlightCheck {
    /// Which check.
    pub job: JobId,
    /// When it was started.
    pub started: Moment,
    /// What has been noted so far; a slice that is under way ends now.
    pub log: PollLog,
    /// Who runs it, where that is another process.
    pub elsewhere: Option<RanOn>,
}

impl InstrumentedCheck {
    /// A check that starts at `started`.
    #[must_use]
    pub fn new(
        job: JobId,
        started: Moment,
        clock: SystemClock,
        lock: Option<Arc<InterpreterLock>>,
    ) -> Self {
        Self {
            job,
            started,
            clock,
            lock,
            span: OpenSpan::default(),
            log: Mutex::default(),
        }
    }

    /// Which check it is.
    #[must_use]
    pub const fn job(&self) -> JobId {
        self.job
    }

    fn open(&self) -> MutexGuard<'_, OpenLog> {
        // Every change is complete before anything could panic.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is carried out by another process, whose notes come with its answer.
    pub fn set_remote_worker(&self, who: RanOn) {
        self.open().elsewhere = Some(who);
    }

    /// What another process has noted of it.
    pub fn set_remote_log(&self, log: PollLog) {
        self.open().log = log;
    }

    /// Runs `future` and notes every poll of it. To be polled at once: the first poll begins
    /// when the check does.
    pub async fn watch<F: Future>(self: &Arc<Self>, future: F, thread: ThreadSharing) -> F::Output {
        let mut future = pin!(future);
        let mut relayed = RelayedWaker::default();
        let mut began = Some(self.started);
        std::future::poll_fn(|context| {
            let start = began.take().unwrap_or_else(|| self.clock.moment());
            match thread {
                ThreadSharing::Shared => {
                    let (waker, woken) = relayed.waker(context.waker(), self.clock);
                    self.poll(future.as_mut(), waker, woken.unwrap_or(start), start)
                }
                ThreadSharing::Own => self.poll(future.as_mut(), context.waker(), start, start),
            }
        })
        .await
    }

    fn poll<F: Future>(
        &self,
        future: Pin<&mut F>,
        waker: &Waker,
        ready: Moment,
        start: Moment,
    ) -> Poll<F::Output> {
        self.begin(ready, start);
        // Lets go of the lock and closes the slice if the poll panics, too.
        let _slice = InSlice(self);
        future.poll(&mut Context::from_waker(waker))
    }

    /// Takes the lock, if there is one, and begins a slice.
    fn begin(&self, ready: Moment, wanted: Moment) {
        let Some(lock) = &self.lock else {
            return self.span.begin(ready, wanted);
        };
        let waited = lock.acquire();
        // Read after the lock was taken, so that no two slices ever overlap by a hair.
        let start = self.clock.moment();
        if waited {
            self.note(Slice {
                ready,
                start: wanted,
                end: start,
                tid: tid(),
                doing: SliceKind::Locked,
            });
        }
        self.span.begin(if waited { start } else { ready }, start);
    }

    /// Ends the slice that is under way.
    fn end(&self) {
        if let Some(slice) = self.span.end(self.clock.moment()) {
            self.note(slice);
        }
    }

    fn note(&self, slice: Slice) {
        self.open().log.slice(slice, self.most_slices());
    }

    const fn most_slices(&self) -> usize {
        match self.lock {
            Some(_) => MOST_SLICES_LOCKED,
            None => MOST_SLICES,
        }
    }

    /// What is known of it now.
    #[must_use]
    pub fn snapshot(&self, now: Moment) -> InFlightCheck {
        let open = self.open();
        let mut log = open.log.clone();
        if let Some(slice) = self.span.slice(now) {
            log.slice(slice, self.most_slices());
        }
        InFlightCheck {
            job: self.job,
            started: self.started,
            log,
            elsewhere: open.elsewhere.clone(),
        }
    }

    /// Takes what was noted, at the end.
    #[must_use]
    pub fn take_log(&self) -> PollLog {
        std::mem::take(&mut self.open().log)
    }
}

/// A slice under way. Dropping it ends the slice and lets go of the lock.
struct InSlice<'a>(&'a InstrumentedCheck);

impl Drop for InSlice<'_> {
    fn drop(&mut self) {
        self.0.end();
        if let Some(lock) = &self.0.lock {
            lock.release();
        }
    }
}

impl CheckObserver for InstrumentedCheck {
    fn phase(&self, phase: Phase, at: Instant) {
        let at = self.clock.moment_of(at);
        self.open().log.step(Step { at, phase });
    }

    fn yield_point(&self) {
        let Some(lock) = &self.lock else { return };
        if !lock.is_asked_for() {
            return;
        }
        self.end();
        let from = self.clock.moment();
        lock.hand_over();
        let to = self.clock.moment();
        self.note(Slice {
            ready: from,
            start: from,
            end: to,
            tid: tid(),
            doing: SliceKind::Locked,
        });
        self.span.begin(to, to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SiteId;
    use std::time::Duration;

    fn job() -> JobId {
        JobId {
            site: SiteId::from_index(3),
            due: Moment::ZERO,
        }
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn every_poll_is_noted_with_its_thread_and_what_was_waited_for_in_between() {
        let clock = SystemClock::new();
        let live = Arc::new(InstrumentedCheck::new(job(), clock.moment(), clock, None));
        let observer = Arc::clone(&live);
        let value = run(live.watch(
            async move {
                observer.phase(Phase::Connect, Instant::now());
                tokio::time::sleep(Duration::from_millis(20)).await;
                observer.phase(Phase::FirstByte, Instant::now());
                tokio::time::sleep(Duration::from_millis(20)).await;
                7
            },
            ThreadSharing::Shared,
        ));
        assert_eq!(value, 7);
        let log = live.take_log();
        assert_eq!(log.slices.len(), 3, "{log:?}");
        assert!(log.slices.iter().all(|slice| slice.tid == tid()));
        let gap = log.slices[1].ready.since(log.slices[0].end);
        assert!(
            gap >= Duration::from_millis(15),
            "it was not ready while it slept: {gap:?}"
        );
        assert!(log.slices.windows(2).all(|two| two[0].end <= two[1].ready));
        assert_eq!(log.phase_at(log.slices[0].end), Some(Phase::Connect));
        assert_eq!(log.phase_at(log.slices[2].start), Some(Phase::FirstByte));
    }

    #[test]
    fn a_slice_under_way_is_seen_up_to_now() {
        let clock = SystemClock::begun(Duration::from_secs(1));
        let started = clock.moment();
        let live = Arc::new(InstrumentedCheck::new(job(), started, clock, None));
        let watched = Arc::clone(&live);
        run(live.watch(
            async move {
                let later = started + Duration::from_secs(2);
                let snapshot = watched.snapshot(later);
                assert_eq!(snapshot.log.slices.len(), 1);
                let slice = snapshot.log.slices[0];
                assert_eq!((slice.start, slice.end), (started, later));
            },
            ThreadSharing::Shared,
        ));
    }

    #[test]
    fn under_the_lock_two_threads_never_run_at_once_and_the_waiting_is_noted() {
        let clock = SystemClock::new();
        let lock = Arc::new(InterpreterLock::with_interval(Duration::from_millis(1)));
        let log: Vec<PollLog> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        let live = Arc::new(InstrumentedCheck::new(
                            job(),
                            clock.moment(),
                            clock,
                            Some(Arc::clone(&lock)),
                        ));
                        let observer = Arc::clone(&live);
                        run(live.watch(
                            async move {
                                let end = Instant::now() + Duration::from_millis(30);
                                while Instant::now() < end {
                                    observer.yield_point();
                                }
                            },
                            ThreadSharing::Own,
                        ));
                        live.take_log()
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        let of = |doing| {
            log.iter()
                .flat_map(|log| &log.slices)
                .filter(move |slice| slice.doing == doing)
        };
        let mut running: Vec<_> = of(SliceKind::Running).collect();
        running.sort_by_key(|slice| slice.start);
        assert!(
            running.windows(2).all(|two| two[0].end <= two[1].start),
            "{running:?}"
        );
        assert!(of(SliceKind::Locked).count() > 0);
    }

    #[test]
    fn a_panic_in_a_poll_lets_go_of_the_lock() {
        let clock = SystemClock::new();
        let lock = Arc::new(InterpreterLock::new());
        let live = Arc::new(InstrumentedCheck::new(
            job(),
            clock.moment(),
            clock,
            Some(Arc::clone(&lock)),
        ));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            run(live.watch(
                async { std::panic::resume_unwind(Box::new("poll")) },
                ThreadSharing::Own,
            ));
        }));
        assert!(panicked.is_err());
        assert!(!lock.acquire(), "nobody holds it");
        assert_eq!(live.take_log().slices.len(), 1);
    }
}
