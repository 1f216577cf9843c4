//! Entry points for `tests/fuzz.rs`: what child processes and Celery's workers send.

use crate::domain::CheckResult;
use crate::probe::wire::{self, WireError};

use super::child_reply::ChildReply;

pub use super::celery::fuzzing::{task, task_event, task_result};

/// Reads the reply of a child process to a check.
///
/// # Errors
/// If the bytes are no such frame.
pub async fn child_reply(mut bytes: &[u8]) -> Result<CheckResult, WireError> {
    let ChildReply { result, .. } = wire::receive(&mut bytes).await?;
    Ok(result)
}
