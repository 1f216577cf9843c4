//! What drives a runtime, and ends all that runs there when it is dropped.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;

use tokio::runtime::{Handle, Runtime};
use tokio::sync::oneshot;

use crate::runtime::thread;
use crate::trace::{self, Recorder, ThreadPresence};

thread_local! {
    // Told of for as long as the thread lives.
    static PRESENT: RefCell<Option<ThreadPresence>> = const { RefCell::new(None) };
}

/// The calling thread runs checks from now on, until it ends.
pub(super) fn enter(recorder: &Arc<Recorder>) {
    PRESENT.set(Some(recorder.enter(trace::here())));
}

/// Drives a runtime until it is dropped; what still runs there then ends where it stands,
/// and nobody waits for it.
#[derive(Debug)]
pub(super) struct RuntimeDriver {
    handle: Handle,
    owner: RuntimeOwner,
}

#[derive(Debug)]
enum RuntimeOwner {
    /// The runtime's own threads do it. `None` only while this is being dropped.
    OwnThreads(Option<Runtime>),
    /// A thread of ours does it for as long as nobody drops this.
    OneThread { _until: oneshot::Sender<()> },
}

impl RuntimeDriver {
    /// A runtime that has threads of its own.
    pub(super) fn own_threads(runtime: Runtime) -> Self {
        Self {
            handle: runtime.handle().clone(),
            owner: RuntimeOwner::OwnThreads(Some(runtime)),
        }
    }

    /// A runtime that is driven by one thread called `name`, and by no other. `began` is
    /// called on it first.
    ///
    /// # Errors
    /// If the system refuses the thread, or the files of the runtime.
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

    /// Runs `future` there.
    pub(super) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        // Whoever wants to know its end has it say so.
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
