//! Checks of the canaries, on a thread of their own: the workers may all be busy with sites
//! that do not answer.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::config::Config;
use crate::domain::{CheckSpec, Clock, QueueOptions, SystemClock};
use crate::engine::Round;
use crate::probe::{CanaryResult, ProberFactory, ask_canaries, canary_spec};
use crate::runtime::thread;
use crate::trace::here;

/// The handle of the thread that checks canaries; the thread ends when this is dropped.
#[derive(Debug)]
pub(super) struct Canaries {
    requests: Sender<Vec<Arc<CheckSpec>>>,
}

impl Canaries {
    /// Starts the thread. `tell` is called on it with the result of each round.
    ///
    /// # Errors
    /// If the system refuses the thread.
    pub(super) fn start(
        factory: Arc<ProberFactory>,
        clock: SystemClock,
        tell: impl Fn(Round) + Send + 'static,
    ) -> io::Result<Self> {
        let (requests, inbox) = channel();
        thread::with_runtime("canaries".to_owned(), move |runtime| {
            runtime.block_on(async { serve(&inbox, &factory, clock, tell).await });
            runtime.shutdown_background();
        })?;
        Ok(Self { requests })
    }

    /// Begins a round: one check of each of these.
    pub(super) fn ask(&self, specs: Vec<Arc<CheckSpec>>) {
        // The thread lives as long as this handle.
        let _gone = self.requests.send(specs);
    }
}

/// The check specs of the canaries of `config`.
pub(super) fn canary_specs(config: &Config) -> Vec<Arc<CheckSpec>> {
    let monitor = &config.monitor;
    let spec = |url| Arc::new(canary_spec(url, &monitor.user_agent));
    monitor.canaries.iter().map(spec).collect()
}

/// The queue of `config`, whose workers ask the canaries as well.
pub(super) fn queue_options(config: &Config) -> QueueOptions {
    QueueOptions {
        canaries: config.monitor.canaries.clone(),
        ..config.queue_options()
    }
}

async fn serve(
    inbox: &Receiver<Vec<Arc<CheckSpec>>>,
    factory: &ProberFactory,
    clock: SystemClock,
    tell: impl Fn(Round),
) {
    let prober = factory.prober();
    while let Ok(specs) = inbox.recv() {
        let asked = clock.moment();
        let CanaryResult { answered, why } = ask_canaries(&prober, &specs, here).await;
        tell(Round {
            asked,
            answered,
            why,
        });
    }
}
