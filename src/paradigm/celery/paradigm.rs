//! `celery`: checks on a Celery queue in Redis, run by workers on any number of machines: this
//! program's own, stock Python workers, or both.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::watch;

use crate::domain::{Job, MaskedText};
use crate::paradigm::deferred_join;
use crate::paradigm::runtime_driver::RuntimeDriver;
use crate::paradigm::{
    Census, Label, Law, Paradigm, ParadigmContext, ParadigmEntry, QueueFigures, Shape, StartError,
};

use super::broker::{Broker, silent};
use super::broker_error::BrokerError;
use super::broker_health::examine;
use super::local_stack::LocalStack;
use super::producer::{
    Producer, ProducerCommand, ProducerConfig, ProducerStatus, WITHDRAW_TIMEOUT, wait_until_ready,
};
use super::subscriber::subscribe;

/// The row of this paradigm in [`ALL`](crate::paradigm::ALL).
pub(in crate::paradigm) const ENTRY: ParadigmEntry = ParadigmEntry {
    label: Label {
        key: '7',
        name: "celery",
        summary: "tasks on a Celery queue, workers on any machine",
        law: Law::Slowest,
    },
    default_workers: 1_000,
    files_for_ten_workers: 15,
    processes_per_worker: 0,
    threads_per_worker: 0,
    resizable: true,
    // That of the local stack with its two workers; other workers are not known in advance.
    shape: |workers| Shape {
        in_flight: workers,
        threads: 2,
        processes: 2,
    },
    start,
};

/// How long to wait for broker and workers of the local stack to end once they are killed.
const TERMINATION_TIMEOUT: Duration = Duration::from_secs(2);

/// How long the broker may take to show that it can be used: the screen stands still meanwhile.
const EXAMINATION_TIMEOUT: Duration = Duration::from_secs(1);

/// How long the broker of the local stack may take to be ready.
const BROKER_START_TIMEOUT: Duration = Duration::from_secs(20);

struct CeleryParadigm {
    commands: UnboundedSender<ProducerCommand>,
    status: Arc<ProducerStatus>,
    most: usize,
    /// `None` only while this is being dropped.
    teardown: Option<Teardown>,
}

/// The parts that have to be waited for at the end.
struct Teardown {
    local: Option<LocalStackHandle>,
    /// Disconnected when the producer has withdrawn its messages.
    ended: mpsc::Receiver<()>,
    _driver: RuntimeDriver,
}

impl fmt::Debug for CeleryParadigm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CeleryParadigm")
            .field("census", &self.census())
            .finish_non_exhaustive()
    }
}

/// The handle of the local stack.
struct LocalStackHandle {
    stop: watch::Sender<bool>,
    ended: mpsc::Receiver<()>,
}

fn start(context: &ParadigmContext) -> Result<Box<dyn Paradigm>, StartError> {
    let factory_config = context.factory.config().ok_or(StartError::Scripted)?;
    let mut options = context.queue.clone();
    let driver = RuntimeDriver::one_thread("celery", || {}).map_err(StartError::thread)?;
    let (broker, local) = match &options.broker {
        Some(url) => {
            let broker = Broker::at(url)?;
            match examined(&driver, &broker, &options.name) {
                Err(error) if error.is_permanent() || !context.retry_broker => {
                    return Err(error.into());
                }
                // The producer reports it, and tries again.
                Ok(()) | Err(_) => {}
            }
            (broker, None)
        }
        None => {
            // Nobody else reaches that broker; its workers get the key with their environment.
            let random = || MaskedText::secret(uuid::Uuid::new_v4().to_string());
            options.key.get_or_insert_with(random);
            let local = LocalStack::plan(&options, context.workers)?;
            (Broker::at(&local.url())?, Some(local))
        }
    };
    let (commands, received_commands) = unbounded_channel();
    let status = Arc::new(ProducerStatus::default());
    let config = ProducerConfig {
        clock: context.clock,
        results: context.results.clone(),
        broker: broker.clone(),
        recorder: Arc::clone(&context.recorder),
        factory_config: factory_config.clone(),
        options,
        most: context.workers,
        local: local.is_some(),
        status: Arc::clone(&status),
    };
    let local_handle = local.map(|local| {
        let (stop, stopped) = watch::channel(false);
        let (alive, ended) = mpsc::channel();
        driver.spawn(local.run(stopped, alive));
        LocalStackHandle { stop, ended }
    });
    let starting = local_handle.is_some();
    let (ending, ended) = mpsc::channel::<()>();
    driver.spawn(async move {
        if starting && let Err(error) = wait_until_ready(&broker, BROKER_START_TIMEOUT).await {
            // The producer reports it, and tries again.
            tracing::warn!("{error}");
        }
        let producer = Producer::new(config);
        let (events, received_events) = unbounded_channel();
        let subscription = subscribe(broker, producer.channels(), events);
        tokio::select! {
            () = subscription => {}
            () = producer.run(received_commands, received_events) => {}
        }
        drop(ending);
    });
    Ok(Box::new(CeleryParadigm {
        commands,
        status,
        most: context.workers,
        teardown: Some(Teardown {
            local: local_handle,
            ended,
            _driver: driver,
        }),
    }))
}

/// Blocks until it is known whether the broker can be used.
fn examined(driver: &RuntimeDriver, broker: &Broker, queue: &str) -> Result<(), BrokerError> {
    let (tell, told) = mpsc::channel();
    let (examined, queue) = (broker.clone(), queue.to_owned());
    driver.spawn(async move {
        let found = examine(&examined, &queue, EXAMINATION_TIMEOUT).await;
        // The receiver waits for it.
        let _unheard = tell.send(found);
    });
    // It is dropped unheard only while the program ends.
    let unanswered = || Err(broker.unreachable(silent()));
    told.recv().unwrap_or_else(|_| unanswered())
}

impl CeleryParadigm {
    fn send(&self, command: ProducerCommand) {
        self.status.unprocessed.fetch_add(1, Ordering::Relaxed);
        // Fails only when the thread has ended, which the drop of this value causes.
        let _unheard = self.commands.send(command);
    }
}

impl Paradigm for CeleryParadigm {
    fn submit(&mut self, job: Job) {
        self.send(ProducerCommand::Job(job));
    }

    fn resize(&mut self, workers: usize) {
        self.most = workers;
        self.send(ProducerCommand::Limit(workers));
    }

    fn census(&self) -> Census {
        let figures = self.status.figures();
        let (processes, threads) = figures
            .hosts
            .iter()
            .fold((0, 0), |(processes, threads), host| {
                (processes + host.processes, threads + host.threads)
            });
        let unprocessed = self.status.unprocessed.load(Ordering::Relaxed);
        Census {
            workers: self.most,
            running: self.status.running.load(Ordering::Relaxed),
            queued: self.status.queued.load(Ordering::Relaxed) + unprocessed,
            threads,
            processes,
        }
    }

    fn queue(&self) -> Option<QueueFigures> {
        Some(self.status.figures().clone())
    }
}

impl Teardown {
    /// Blocks until the local stack, or else the producer, has ended.
    fn wait(self) {
        let Some(local_handle) = &self.local else {
            // Nothing is ever sent: this ends with the producer.
            let _ended = self.ended.recv_timeout(2 * WITHDRAW_TIMEOUT);
            return;
        };
        // Nothing is ever sent: this ends with the local stack.
        if local_handle.ended.recv_timeout(TERMINATION_TIMEOUT)
            == Err(mpsc::RecvTimeoutError::Timeout)
        {
            tracing::warn!("a broker or worker is slow to end");
        }
    }
}

impl Drop for CeleryParadigm {
    fn drop(&mut self) {
        // The producer withdraws the messages that no worker holds: their results are not wanted.
        let (disconnected, _) = unbounded_channel();
        self.commands = disconnected;
        if let Some(teardown) = self.teardown.take() {
            if let Some(local_handle) = &teardown.local {
                local_handle.stop.send_replace(true);
            }
            // The loop that switches paradigms must not block.
            deferred_join::join_later(move || teardown.wait());
        }
    }
}
