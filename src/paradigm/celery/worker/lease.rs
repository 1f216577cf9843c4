//! The leases of held messages: renewed while this worker runs their tasks; messages whose lease
//! of any worker is over are restored to the queue.

use std::sync::Arc;
use std::time::Duration;

use redis::RedisResult;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::super::broker_connection::BrokerConnection;
use super::super::keys;
use super::state::WorkerState;
use crate::domain::plural;

/// How often messages of lost workers are restored, at most; a quarter of a shorter timeout.
const RESTORE_PERIOD: Duration = Duration::from_secs(1);

/// How often the leases are renewed, at the least: a worker with a shorter visibility timeout than this
/// one's restores what was not renewed for that time.
const MAX_RENEWAL_PERIOD: Duration = Duration::from_secs(1);

/// Renews the leases of this worker at a third of the visibility timeout or oftener, and restores messages
/// that were not renewed for all of it.
pub(super) async fn renew_leases(state: Arc<WorkerState>, mut commands: BrokerConnection) {
    let timeout = state.options.visibility_timeout;
    let renewal = MAX_RENEWAL_PERIOD.min(timeout / 3);
    let mut period = interval(
        RESTORE_PERIOD
            .min(timeout / 4)
            .max(Duration::from_millis(100)),
    );
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut touched = Instant::now();
    loop {
        period.tick().await;
        if touched.elapsed() >= renewal.saturating_sub(RESTORE_PERIOD.min(timeout / 12)) {
            touched = Instant::now();
            if let Err(error) = touch(&state, &mut commands).await {
                tracing::debug!("what is held could not be touched: {error}");
                touched -= renewal;
            }
        }
        match restore(&state, &mut commands).await {
            Ok(0) => {}
            Ok(restored) => {
                let tasks = plural(restored, "task");
                tracing::warn!("back on the queue: {tasks} of dead workers");
            }
            Err(error) => tracing::debug!("the queue could not be swept: {error}"),
        }
    }
}

async fn touch(state: &WorkerState, commands: &mut BrokerConnection) -> RedisResult<()> {
    let tags: Vec<String> = state
        .held_tasks()
        .into_iter()
        .map(|(_, task)| task.tag)
        .collect();
    for some in tags.chunks(500) {
        let _touched: usize = state
            .scripts
            .touch
            .key(keys::UNACKED_INDEX)
            .arg(some)
            .invoke_async(commands)
            .await?;
    }
    Ok(())
}

async fn restore(state: &WorkerState, commands: &mut BrokerConnection) -> RedisResult<usize> {
    state
        .scripts
        .restore
        .key(keys::UNACKED)
        .key(keys::UNACKED_INDEX)
        .key(keys::UNACKED_MUTEX)
        .key(&*state.options.queue)
        .arg(state.options.visibility_timeout.as_secs_f64())
        .invoke_async(commands)
        .await
}

/// Restores messages that this worker holds to the queue, given by their tags.
pub(super) async fn give_back(
    state: &WorkerState,
    commands: &mut BrokerConnection,
    tags: &[String],
) -> RedisResult<usize> {
    let mut restored = 0;
    for some in tags.chunks(500) {
        let mut restore = state.scripts.restore.key(keys::UNACKED);
        restore
            .key(keys::UNACKED_INDEX)
            .key(keys::UNACKED_MUTEX)
            .key(&*state.options.queue)
            .arg(0)
            .arg(some);
        restored += restore.invoke_async::<usize>(commands).await?;
    }
    Ok(restored)
}

/// Puts back what the broker has handed to waiting workers and none has claimed.
pub(super) async fn put_back(
    state: &WorkerState,
    commands: &mut BrokerConnection,
) -> RedisResult<usize> {
    let queue = &*state.options.queue;
    let mut script = state.scripts.put_back.key(keys::handoff(queue));
    script.key(queue).invoke_async(commands).await
}
