//! Threads with a runtime of their own.

use std::io;
use std::sync::mpsc::{SendError, channel};
use std::thread::JoinHandle;

use tokio::runtime::{Builder, Handle, Runtime};

/// Starts a thread called `name` and gives it a runtime that no other thread drives.
///
/// A runtime must not be dropped where another is being driven, which is where most threads are
/// started. So it moves there once the thread runs; where the system refuses the thread, it
/// ends here without being waited for.
///
/// # Errors
/// If the system refuses the thread, or the files of the runtime.
pub fn with_runtime(
    name: String,
    run: impl FnOnce(Runtime) + Send + 'static,
) -> io::Result<(JoinHandle<()>, Handle)> {
    // Made here, so that the caller learns of a lack of open files.
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    let (give, taken) = channel();
    let thread = std::thread::Builder::new().name(name).spawn(move || {
        if let Ok(runtime) = taken.recv() {
            run(runtime);
        }
    });
    match thread {
        Ok(thread) => {
            if let Err(SendError(runtime)) = give.send(runtime) {
                runtime.shutdown_background();
            }
            Ok((thread, handle))
        }
        Err(error) => {
            runtime.shutdown_background();
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_called_as_asked_and_drives_its_own_runtime_wherever_it_was_started() {
        let around = Builder::new_current_thread().build().unwrap();
        let name = around.block_on(async {
            let (tell, told) = channel();
            let (thread, handle) = with_runtime("clerk".to_owned(), move |runtime| {
                runtime.block_on(async {
                    let thread = std::thread::current();
                    let _heard = tell.send(thread.name().map(str::to_owned));
                });
            })
            .unwrap();
            thread.join().unwrap();
            drop(handle);
            told.recv().unwrap()
        });
        assert_eq!(name.as_deref(), Some("clerk"));
    }
}
