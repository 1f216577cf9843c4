//! Waits for paradigms that are being ended, on threads of their own, so that the loop that
//! switches paradigms does not block.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// The threads that wait.
static JOINING: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());

/// Runs `wait` on a thread of its own, or on this one if the system refuses a thread.
pub(super) fn join_later(wait: impl FnOnce() + Send + 'static) {
    // Shared, so that it is not lost with the closure if no thread can be started.
    let wait = Arc::new(Mutex::new(Some(wait)));
    let handed = Arc::clone(&wait);
    let take =
        |place: &Mutex<Option<_>>| place.lock().unwrap_or_else(PoisonError::into_inner).take();
    let waiting = thread::Builder::new()
        .name("deferred-join".to_owned())
        .spawn(move || {
            if let Some(wait) = take(&handed) {
                wait();
            }
        });
    match waiting {
        Ok(waiting) => {
            let mut all = JOINING.lock().unwrap_or_else(PoisonError::into_inner);
            all.retain(|waiting| !waiting.is_finished());
            all.push(waiting);
        }
        Err(_) => {
            if let Some(wait) = take(&wait) {
                wait();
            }
        }
    }
}

/// Blocks until all deferred waits are over. To be called before the program ends, so that no
/// child process is left behind.
pub fn join_deferred() {
    let waiting = mem::take(&mut *JOINING.lock().unwrap_or_else(PoisonError::into_inner));
    for thread in waiting {
        // A thread that panicked has nothing left to wait for.
        let _panicked = thread.join();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

    #[test]
    fn the_end_is_waited_for_when_the_program_ends() {
        let (go, wait) = mpsc::channel::<()>();
        let gone = Arc::new(AtomicBool::new(false));
        let tell = Arc::clone(&gone);
        join_later(move || {
            let _ends = wait.recv();
            tell.store(true, Ordering::SeqCst);
        });
        assert!(!gone.load(Ordering::SeqCst), "it waits aside");
        drop(go);
        join_deferred();
        assert!(gone.load(Ordering::SeqCst));
    }
}
