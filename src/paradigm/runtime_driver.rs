//! Drives a runtime, and ends its tasks when it is dropped.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;

use tokio::runtime::{Handle, Runtime};
use tokio::sync::oneshot;

use crate::runtime::thread;
use crate::trace::{self, Recorder, ThreadPresence};

thread_local! {
    // Registered until the thread ends.
    static PRESENT: RefCell<Option<ThreadPresence>> = const { RefCell::new(None) };
}

/// Registers the calling thread as one that runs checks, until it ends.
pub(super) fn enter(recorder: &Arc<Recorder>) {
    PRESENT.set(Some(recorder.enter(trace::here())));
}

/// Drives a runtime until it is dropped. Tasks that still run are then cancelled without waiting
/// for them.
#[derive(Debug)]
pub(super) struct RuntimeDriver {
    handle: Handle,
    owner: RuntimeOwner,
}

#[derive(Debug)]
enum RuntimeOwner {
    /// The runtime's own threads drive it. `None` only while this is being dropped.
    OwnThreads(Option<Runtime>),
    /// A thread of this program drives it until the sender is dropped.
    OneThread { _until: oneshot::Sender<()> },
}

impl RuntimeDriver {
    /// The driver of a runtime that has threads of its own.
    pub(super) fn own_threads(runtime: Runtime) -> Self {
        Self {
            handle: runtime.handle().clone(),
            owner: RuntimeOwner::OwnThreads(Some(runtime)),
        }
    }

    /// The driver of a runtime with one thread called `name`, which calls `began` first.
    ///
    /// # Errors
    /// If the operating system refuses the thread, or the files of the runtime.
    pub(super) fn one_thread(
        name: &str,
        began: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        let (until, dropped) = oneshot::channel::<()>();
        let (_, handle) = thread::with_runtime(name.to_owned(), move |runtime| {
            began();
            let _always_an_error = runtime.block_on(dropped);
            runtime.shutdown_background();
        })?;
        Ok(Self {
            handle,
            owner: RuntimeOwner::OneThread { _until: until },
        })
    }

    /// Runs `future` on the runtime.
    pub(super) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        // A caller that waits for its end lets the future send a message.
        let _unwatched = self.handle.spawn(future);
    }
}

impl Drop for RuntimeDriver {
    fn drop(&mut self) {
        if let RuntimeOwner::OwnThreads(runtime) = &mut self.owner
            && let Some(runtime) = runtime.take()
        {
            runtime.shutdown_background();
        }
    }
}
