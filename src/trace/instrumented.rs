//! A check in flight: wraps its future and logs every poll of it.
//!
//! The time between two polls is waiting; the phase tells for what. Where a thread runs several
//! checks, their wakers are wrapped too: a check is ready from being woken until it is polled.

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

/// A check in flight, and the log of its polls so far. Shared between the thread that runs it
/// and the one that draws.
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
    /// The thread that runs it in another process; `None` if it runs in this one.
    remote_worker: Option<RanOn>,
}

/// Whether the thread that runs a check runs others while it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadSharing {
    /// The thread blocks with the check and continues it as soon as it is woken.
    Own,
    /// The thread may be busy with another check when this one is woken: the moment of waking
    /// is logged too.
    Shared,
}

/// A snapshot of a check in flight.
#[derive(Clone, Debug)]
pub struct InFlightCheck {
    /// The check's site and due time.
    pub job: JobId,
    /// When a worker started it.
    pub started: Moment,
    /// The log so far; an open slice ends at the moment of the snapshot.
    pub log: PollLog,
    /// The thread that runs it in another process; `None` if it runs in this one.
    pub remote_worker: Option<RanOn>,
}

impl InstrumentedCheck {
    /// A check that starts at `started`, under `lock` if there is one.
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

    /// The check's site and due time.
    #[must_use]
    pub const fn job(&self) -> JobId {
        self.job
    }

    fn open(&self) -> MutexGuard<'_, OpenLog> {
        // Every change is complete before anything could panic.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another process runs it; its log comes with its result.
    pub fn set_remote_worker(&self, who: RanOn) {
        self.open().remote_worker = Some(who);
    }

    /// Takes over the log that another process has kept.
    pub fn set_remote_log(&self, log: PollLog) {
        self.open().log = log;
    }

    /// Runs `future` and logs every poll. The first poll counts from the start of the check, so
    /// the result must be polled at once.
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
        // Releases the lock and closes the slice when the poll panics, too.
        let _slice = InSlice(self);
        future.poll(&mut Context::from_waker(waker))
    }

    /// Acquires the lock, if there is one, and opens a slice.
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

    /// Closes the open slice.
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

    /// A snapshot as of `now`.
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
            remote_worker: open.remote_worker.clone(),
        }
    }

    /// Takes the log; an empty one stays behind.
    #[must_use]
    pub fn take_log(&self) -> PollLog {
        std::mem::take(&mut self.open().log)
    }
}

/// An open slice. Dropping it closes the slice and releases the lock.
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
        assert!(!lock.acquire(), "it is free");
        assert_eq!(live.take_log().slices.len(), 1);
    }
}
