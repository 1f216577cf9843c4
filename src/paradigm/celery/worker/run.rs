//! Runs a worker from its start to its end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::super::broker::Broker;
use super::super::broker_connection::BrokerConnection;
use super::super::broker_error::BrokerError;
use super::super::broker_health::examine;
use super::super::redis_server::die_with;
use super::broker_watch::watch_broker;
use super::consumer::consume;
use super::event_publisher::EventPublisher;
use super::execute::TaskExecutor;
use super::lease::{give_back, put_back, renew_leases};
use super::options::WorkerOptions;
use super::print::Printer;
use super::remote_control::serve_commands;
use super::state::{WorkerPhase, WorkerState};
use crate::domain::plural;

/// How long a broker may take to show that it is one.
const EXAMINATION_TIMEOUT: Duration = Duration::from_secs(5);

/// Runs a worker until SIGTERM, SIGINT, SIGHUP or remote control ends it: it then finishes the
/// tasks it holds; a second signal makes it restore them to the queue.
///
/// # Errors
/// If the broker's URL is invalid, what it names is no broker but a Redis Cluster or a Sentinel, or the
/// operating system refuses a resource. A broker that cannot be used is waited for; standard error says
/// why, and when it can be used again.
pub fn work_for_broker(options: WorkerOptions) -> io::Result<()> {
    if let Some(parent) = options.parent {
        die_with(parent)?;
    }
    // The name of the only thread in `ps` and `top`.
    rustix::thread::set_name(c"celery-worker").map_err(io::Error::from)?;
    // TLS to the broker needs the same set-up as the probes.
    crate::probe::ProberFactory::http(None).map_err(io::Error::other)?;
    let broker = Broker::at(&options.broker).map_err(io::Error::other)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let state = Arc::new(WorkerState::new(options, broker));
    let ended = runtime.block_on(work(&state));
    runtime.shutdown_background();
    ended
}

async fn work(state: &Arc<WorkerState>) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let commands = || BrokerConnection::to(&state.broker);
    let (publisher, events) = EventPublisher::new(state);
    let printer = Printer::new(state.options.lines);
    let executor = TaskExecutor::new(state, commands(), publisher.clone(), printer);
    tokio::spawn(publisher.clone().publish_events(commands(), events));
    tokio::spawn(publisher.clone().send_heartbeats(commands()));
    tokio::spawn(renew_leases(Arc::clone(state), commands()));
    tokio::spawn(serve_commands(
        Arc::clone(state),
        commands(),
        publisher.clone(),
    ));
    tokio::spawn(watch_broker(Arc::clone(state), commands()));
    tokio::spawn(consume(Arc::clone(state), commands(), executor));

    let mut occupancy = state.occupancy.subscribe();
    let idle = async {
        state.reached(WorkerPhase::WarmShutdown).await;
        // The sender lives as long as `state`.
        let _ = occupancy.wait_for(|occupancy| occupancy.held == 0).await;
    };
    tokio::pin!(idle);
    let queue = &state.options.queue;
    let examined = examine(&state.broker, queue, EXAMINATION_TIMEOUT);
    tokio::pin!(examined);
    let mut is_examined = false;
    loop {
        tokio::select! {
            found = &mut examined, if !is_examined => {
                is_examined = true;
                match found {
                    Err(error @ (BrokerError::Cluster(_) | BrokerError::Sentinel(_))) => {
                        return Err(io::Error::other(error));
                    }
                    Err(error) => state.report.tell(&error),
                    Ok(()) => {}
                }
            }
            () = &mut idle => break,
            () = state.reached(WorkerPhase::ColdShutdown) => break,
            _ = terminate.recv() => next_phase(state),
            _ = interrupt.recv() => next_phase(state),
            _ = hangup.recv() => next_phase(state),
        }
    }
    let mut last = commands();
    if let Err(error) = put_back(state, &mut last).await {
        // Another worker claims it, or the producer puts it back.
        tracing::debug!("what was handed over could not be put back: {error}");
    }
    let held = state.held_tasks();
    if !held.is_empty() {
        let tags: Vec<String> = held.into_iter().map(|(_, task)| task.tag).collect();
        match give_back(state, &mut last, &tags).await {
            Ok(number) => tracing::warn!("returned to the queue: {}", plural(number, "task")),
            // Other workers restore them after the visibility timeout.
            Err(error) => tracing::warn!("tasks could not be returned to the queue: {error}"),
        }
    }
    if let Err(error) = publisher.worker(&mut last, "worker-offline").await {
        tracing::debug!("the end could not be published: {error}");
    }
    Ok(())
}

fn next_phase(state: &WorkerState) {
    let now = *state.phase.borrow();
    state.advance(match now {
        WorkerPhase::Working => WorkerPhase::WarmShutdown,
        WorkerPhase::WarmShutdown | WorkerPhase::ColdShutdown => WorkerPhase::ColdShutdown,
    });
}
