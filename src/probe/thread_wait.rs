//! How a check waits on a thread that has nothing else to do: in poll(2), for its own sockets and
//! deadlines, and not by a runtime that watches many.
//!
//! [`block_on`] polls the check and lets its sockets ([`for_socket`]) and timers ([`until`]) say
//! what they wait for; the thread then sleeps in one call of the system. What waits for anything
//! else says so ([`elsewhere`]), or says nothing: then the thread's runtime waits.
//! Everywhere else the same sockets and timers are the runtime's.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::OwnedFd;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use smallvec::SmallVec;
use tokio::runtime::Runtime;
use tokio::time::Sleep;

thread_local! {
    /// Whether this thread is polling a check that has it for itself.
    static OWN: Cell<bool> = const { Cell::new(false) };
    static WAITS: RefCell<Waits> = const { RefCell::new(Waits::none()) };
    static WOKEN: Arc<Woken> = Arc::new(Woken::default());
}

/// What a check waits for.
#[derive(Debug)]
struct Waits {
    /// Weak, because a check that gives a socket up closes it, and may wait for what comes of that.
    sockets: SmallVec<[(Weak<OwnedFd>, PollFlags); 2]>,
    /// The first of its deadlines.
    deadline: Option<Instant>,
    /// Whether it waits for something that only the runtime knows.
    elsewhere: bool,
}

impl Waits {
    const fn none() -> Self {
        Self {
            sockets: SmallVec::new_const(),
            deadline: None,
            elsewhere: false,
        }
    }

    /// The sockets that the check still has.
    fn open(&self) -> impl Iterator<Item = (Arc<OwnedFd>, PollFlags)> {
        let open = |(socket, flags): &(Weak<OwnedFd>, PollFlags)| Some((socket.upgrade()?, *flags));
        self.sockets.iter().filter_map(open)
    }

    /// Whether the runtime has to wait for some of it.
    fn need_runtime(&self) -> bool {
        self.elsewhere || self.open().next().is_none()
    }

    /// Sleeps until a socket is ready or the deadline is over, or this other moment.
    fn sleep(&self, other: Option<Instant>) -> io::Result<()> {
        let first = [self.deadline, other].into_iter().flatten().min();
        let timeout = first.and_then(|deadline| {
            let left = deadline.saturating_duration_since(Instant::now());
            Timespec::try_from(left).ok()
        });
        // At most two requests of one check are open.
        let open: SmallVec<[(Arc<OwnedFd>, PollFlags); 2]> = self.open().collect();
        let mut sockets = SmallVec::<[PollFd<'_>; 2]>::new();
        for (socket, flags) in &open {
            sockets.push(PollFd::new(&**socket, *flags));
        }
        match poll(&mut sockets, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether the check that is being polled has its thread for itself.
pub(super) fn is_own() -> bool {
    OWN.get()
}

/// The check waits until its socket is ready for `flags`. Only where [`is_own`].
pub(super) fn for_socket(socket: &Arc<OwnedFd>, flags: PollFlags) {
    WAITS.with_borrow_mut(|waits| waits.sockets.push((Arc::downgrade(socket), flags)));
}

/// The check waits for something that only the runtime knows.
pub(super) fn for_runtime() {
    if is_own() {
        WAITS.with_borrow_mut(|waits| waits.elsewhere = true);
    }
}

/// A future that waits for other things than sockets and timers of this file.
pub(super) async fn elsewhere<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        let polled = future.as_mut().poll(context);
        if polled.is_pending() {
            for_runtime();
        }
        polled
    })
    .await
}

/// Waits until this moment.
pub(super) async fn until(deadline: Instant) {
    let mut timer = pin!(None::<Sleep>);
    poll_fn(|context| {
        if is_own() {
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            WAITS.with_borrow_mut(|waits| {
                let first = waits.deadline.map_or(deadline, |first| first.min(deadline));
                waits.deadline = Some(first);
            });
            return Poll::Pending;
        }
        if timer.is_none() {
            timer.set(Some(tokio::time::sleep_until(deadline.into())));
        }
        match timer.as_mut().as_pin_mut() {
            Some(timer) => timer.poll(context),
            None => Poll::Pending,
        }
    })
    .await;
}

/// The output of `future`; `None` if the deadline comes first.
pub(super) async fn before<F: Future>(
    deadline: Instant,
    mut future: Pin<&mut F>,
) -> Option<F::Output> {
    // A check that has used up its turn is over as well as any other.
    let mut over = pin!(tokio::task::unconstrained(until(deadline)));
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        over.as_mut().poll(context).map(|()| None)
    })
    .await
}

/// Notes that a check was woken while it was polled.
#[derive(Debug, Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// Polls once as a check that has its thread for itself, and says what it waits for then.
fn poll_own<F: Future>(future: Pin<&mut F>, context: &mut Context<'_>) -> Result<F::Output, Waits> {
    /// Ends the poll when it panics, too.
    struct Polling;
    impl Drop for Polling {
        fn drop(&mut self) {
            OWN.set(false);
        }
    }
    WAITS.set(Waits::none());
    OWN.set(true);
    let _polling = Polling;
    match future.poll(context) {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => Err(WAITS.replace(Waits::none())),
    }
}

/// Runs `future`, which holds one check, to its end on the calling thread, whose runtime `runtime`
/// is.
pub fn block_on<F: Future>(runtime: &Runtime, future: F) -> F::Output {
    block_on_and(runtime, future, |_| None)
}

/// The same; whenever the check waits, `also` is called first and says when it is to be called
/// again at the latest. It is told by `true` that it cannot be, because the runtime waits.
pub fn block_on_and<F: Future>(
    runtime: &Runtime,
    future: F,
    mut also: impl FnMut(bool) -> Option<Instant>,
) -> F::Output {
    let mut future = pin!(future);
    let woken = WOKEN.with(Arc::clone);
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    let _entered = runtime.enter();
    loop {
        let waits = match poll_own(future.as_mut(), &mut context) {
            Ok(output) => return output,
            Err(waits) => waits,
        };
        if woken.0.swap(false, Ordering::Acquire) {
            continue;
        }
        // The runtime takes over where poll(2) cannot be had, too.
        if !waits.need_runtime() {
            let other = also(false);
            if waits.sleep(other).is_ok() {
                continue;
            }
        }
        let _cannot = also(true);
        if let Some(output) = runtime.block_on(by_runtime(future.as_mut(), waits)) {
            return output;
        }
    }
}

/// Lets the runtime wait until nothing is left that only it knows; `None` then. Once the check
/// waits for its sockets as well, they are the runtime's to the end.
async fn by_runtime<F: Future>(mut future: Pin<&mut F>, waits: Waits) -> Option<F::Output> {
    let mut deadline = waits.deadline;
    let mut all_of_it = waits.open().next().is_some();
    drop(waits);
    let mut timer = pin!(None::<Sleep>);
    poll_fn(|context| {
        loop {
            if all_of_it {
                return future.as_mut().poll(context).map(Some);
            }
            let waits = match poll_own(future.as_mut(), context) {
                Ok(output) => return Poll::Ready(Some(output)),
                Err(waits) => waits,
            };
            if !waits.need_runtime() {
                return Poll::Ready(None);
            }
            if waits.open().next().is_some() {
                all_of_it = true;
                continue;
            }
            if timer.is_none() || deadline != waits.deadline {
                deadline = waits.deadline;
                timer.set(deadline.map(|deadline| tokio::time::sleep_until(deadline.into())));
            }
            let timer = timer.as_mut().as_pin_mut();
            let over = timer.is_some_and(|timer| timer.poll(context).is_ready());
            // The check sees itself that its deadline is over.
            if !over {
                return Poll::Pending;
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn runtime() -> Runtime {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    }

    fn pipe() -> (Arc<OwnedFd>, OwnedFd) {
        let (read, write) = rustix::pipe::pipe().unwrap();
        (Arc::new(read), write)
    }

    /// A future that is ready when its pipe can be read.
    async fn readable(pipe: &Arc<OwnedFd>) {
        poll_fn(|_| {
            let mut sockets = [PollFd::new(&**pipe, PollFlags::IN)];
            assert!(is_own(), "no runtime is needed");
            if poll(&mut sockets, Some(&Timespec::default())).unwrap() > 0 {
                return Poll::Ready(());
            }
            for_socket(pipe, PollFlags::IN);
            Poll::Pending
        })
        .await;
    }

    #[test]
    fn a_thread_waits_for_a_socket_and_for_a_deadline_by_itself() {
        let runtime = runtime();
        let (reader, writer) = pipe();
        let soon = Instant::now() + Duration::from_millis(30);
        let waiting = block_on(&runtime, async {
            before(soon, pin!(readable(&reader))).await
        });
        assert_eq!((waiting, Instant::now() >= soon), (None, true));
        let writing = std::thread::spawn(move || rustix::io::write(&writer, b"x").unwrap());
        block_on(&runtime, readable(&reader));
        writing.join().unwrap();
        assert!(!is_own());
    }

    #[test]
    fn the_runtime_waits_for_what_only_it_knows_and_gives_the_thread_back() {
        let runtime = runtime();
        let (reader, writer) = pipe();
        let (tell, told) = tokio::sync::oneshot::channel::<()>();
        let telling = std::thread::spawn(move || {
            let _heard = tell.send(());
            rustix::io::write(&writer, b"x").unwrap();
        });
        block_on(&runtime, async {
            told.await.unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
            readable(&reader).await;
        });
        telling.join().unwrap();
        let late = Instant::now() + Duration::from_millis(20);
        let never = block_on(&runtime, async {
            before(late, pin!(std::future::pending::<()>())).await
        });
        assert_eq!((never, Instant::now() >= late), (None, true));
    }

    #[test]
    fn a_socket_that_the_check_gave_up_is_closed_while_it_waits() {
        let (reader, writer) = pipe();
        let mut given_up = Some(Arc::new(writer));
        let late = Instant::now() + Duration::from_secs(20);
        let closed = block_on(&runtime(), async {
            let closed = async {
                if let Some(writer) = given_up.take() {
                    for_socket(&writer, PollFlags::OUT);
                }
                readable(&reader).await;
            };
            before(late, pin!(closed)).await
        });
        assert_eq!(
            closed,
            Some(()),
            "its other end is waited for, and is never told"
        );
    }

    #[test]
    fn a_check_that_uses_up_all_its_turns_is_over_at_its_deadline() {
        let began = Instant::now();
        let busy = async {
            while began.elapsed() < Duration::from_secs(20) {
                tokio::task::consume_budget().await;
            }
        };
        let deadline = began + Duration::from_millis(20);
        let ended = runtime().block_on(async { before(deadline, pin!(busy)).await });
        assert_eq!(ended, None);
    }

    #[test]
    fn a_check_that_is_woken_by_itself_is_polled_again() {
        let mut left = 3;
        block_on(
            &runtime(),
            poll_fn(|context| {
                left -= 1;
                context.waker().wake_by_ref();
                if left == 0 {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            }),
        );
        assert_eq!(left, 0);
    }

    #[test]
    fn both_kinds_of_waits_at_once_are_the_runtimes() {
        let runtime = runtime();
        let (reader, _writer) = pipe();
        let mut polls = 0;
        block_on(&runtime, async {
            let mut timer = pin!(elsewhere(tokio::time::sleep(Duration::from_millis(20))));
            poll_fn(|context| {
                polls += 1;
                if is_own() {
                    for_socket(&reader, PollFlags::IN);
                }
                timer.as_mut().poll(context)
            })
            .await;
        });
        assert!(polls < 9, "{polls} polls: it did not sleep");
    }
}
