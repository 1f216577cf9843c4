//! Entry points for `tests/fuzz.rs`: messages of the broker, read without one.

use crate::domain::{CheckResult, CheckSpec, Moment, Timestamp};

use super::event::{ControlCommand, Heartbeat};
use super::message::IncomingTask;
use super::result_backend::StoredResult;
use super::task::{self, ReceivedArguments};
use super::worker_registry::WorkerRegistry;

/// Reads an envelope as a worker does: the check in it, or why it is refused.
///
/// # Errors
/// The sentence that the worker would answer.
pub fn task(text: &[u8]) -> Result<CheckSpec, String> {
    let incoming = IncomingTask::read(text).map_err(|poison| poison.to_string())?;
    let arguments = incoming.arguments?;
    let order = ReceivedArguments::read(&arguments, None).map_err(|error| error.to_string())?;
    order.permit(true).map_err(|error| error.to_string())?;
    Ok(order.spec)
}

/// Reads a stored result as the monitor does; the result of its check, or the sentence of a
/// failure, if it has either.
#[must_use]
pub fn task_result(text: &[u8], spec: &CheckSpec) -> Option<Result<CheckResult, String>> {
    let now = (Moment::from_nanos(1 << 40), Timestamp::from_micros(1 << 50));
    let mut registry = WorkerRegistry::default();
    match StoredResult::read(std::str::from_utf8(text).ok()?)? {
        StoredResult::Done(json, done) => {
            let (result, notes) = task::report(json.get(), spec)?;
            registry.ran(&result.ran_on, done, now.0, now.1);
            let placed = notes.map(|notes| task::placed(notes, now.0, result.latency));
            let in_order =
                |notes: &crate::trace::PollLog| notes.slices.is_sorted_by_key(|slice| slice.start);
            debug_assert!(placed.is_none_or(|notes| in_order(&notes)));
            Some(Ok(result))
        }
        StoredResult::Failed(why) => Some(Err(why)),
        StoredResult::Pending(start) => {
            let start = start?;
            registry.began(&start.by, start.at, now.0, now.1);
            None
        }
        StoredResult::Expired => None,
    }
}

/// Reads an event and a command of remote control; the texts of both that are shown.
#[must_use]
pub fn task_event(text: &[u8]) -> Vec<String> {
    let mut shown = Vec::new();
    if let Some(beat) = Heartbeat::read(text) {
        let now = Moment::from_nanos(1 << 40);
        let mut registry = WorkerRegistry::default();
        registry.beat(beat, now, Timestamp::from_micros(1 << 50));
        for worker in registry.workers(now) {
            shown.extend([worker.node, worker.host, worker.software]);
        }
        registry.tidy(now);
    }
    if let Some(command) = ControlCommand::read(text) {
        let _meant = command.is_for("celery@here");
        let _tasks = command.texts("task_id");
    }
    shown
}
