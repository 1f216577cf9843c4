//! The runtime of a command that waits for the network or for signals.

use tokio::runtime::{Builder, Runtime};

use crate::domain::plain_io_error;

use super::exit::{Exit, fail};

/// A runtime of this thread alone; its refusal by the system is printed.
pub(super) fn current_thread() -> Result<Runtime, Exit> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| {
        let why = plain_io_error(&error);
        fail(format!("the program cannot start: {why}"))
    })
}
