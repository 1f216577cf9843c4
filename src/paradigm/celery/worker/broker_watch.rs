//! Tests again and again whether the broker takes writes.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::super::broker_connection::BrokerConnection;
use super::super::broker_health::test_write;
use super::state::WorkerState;

/// How often it is tested whether a broker in trouble can be used again.
const RETRY_PERIOD: Duration = Duration::from_secs(1);

/// How often it is tested whether a broker takes writes that seems to be well: a worker without tasks
/// would not notice.
const TEST_PERIOD: Duration = Duration::from_secs(10);

/// Tests whether the broker takes writes, and has it told when that changes.
pub(super) async fn watch_broker(state: Arc<WorkerState>, mut commands: BrokerConnection) {
    let mut period = interval(RETRY_PERIOD);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut tested: Option<Instant> = None;
    loop {
        period.tick().await;
        let fresh = tested.is_some_and(|at| at.elapsed() < TEST_PERIOD);
        if fresh && !state.report.lasts() {
            continue;
        }
        tested = Some(Instant::now());
        match test_write(&state.scripts, &mut commands, &state.options.queue).await {
            Ok(()) => state.report.is_over(&state.broker),
            Err(error) => state.report.tell(&state.broker.unreachable(error)),
        }
    }
}
