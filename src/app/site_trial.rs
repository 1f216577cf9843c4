//! One check of a site that is not watched yet, on a thread of its own: what is typed in the form
//! of a site is tried before it is kept.

use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::domain::{
    CertificateFile, CheckResult, CheckSpec, Clock, JobId, SiteId, SystemClock, plain_io_error,
};
use crate::probe::{ProberFactory, Start};
use crate::runtime::thread;
use crate::trace::here;

/// A check to be tried.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SiteTrial {
    /// The number of the trial, by which the screen knows its result.
    pub(super) number: u64,
    /// What to ask and expect.
    pub(super) spec: Arc<CheckSpec>,
    /// Certificates that are trusted beside the system's.
    pub(super) ca_file: Option<CertificateFile>,
}

/// The number of a trial and its result, or why it could not be made.
pub(super) type SiteTrialResult = (u64, Result<Box<CheckResult>, String>);

/// Starts trials and receives their results.
#[derive(Debug)]
pub(super) struct SiteTrials {
    outbox: UnboundedSender<SiteTrialResult>,
    inbox: UnboundedReceiver<SiteTrialResult>,
    clock: SystemClock,
}

impl SiteTrials {
    pub(super) fn new(clock: SystemClock) -> Self {
        let (outbox, inbox) = unbounded_channel();
        Self {
            outbox,
            inbox,
            clock,
        }
    }

    /// Begins a trial. It ends by the timeout of its check.
    pub(super) fn begin(&self, trial: SiteTrial) {
        let (number, outbox, clock) = (trial.number, self.outbox.clone(), self.clock);
        let started = thread::with_runtime("trial".to_owned(), move |runtime| {
            let result = runtime.block_on(check(&trial, clock));
            // The receiver is gone when the program ends.
            let _unheard = outbox.send((number, result));
            runtime.shutdown_background();
        });
        if let Err(error) = started {
            let why = format!("no thread can be started: {}", plain_io_error(&error));
            let _unheard = self.outbox.send((number, Err(why)));
        }
    }

    /// Waits for the result of a trial. Cancellation safe.
    pub(super) async fn next(&mut self) -> SiteTrialResult {
        match self.inbox.recv().await {
            Some(result) => result,
            None => std::future::pending().await,
        }
    }
}

async fn check(trial: &SiteTrial, clock: SystemClock) -> Result<Box<CheckResult>, String> {
    let factory = ProberFactory::http(trial.ca_file.as_ref()).map_err(|error| error.to_string())?;
    let now = clock.now();
    let start = Start {
        job: JobId {
            site: SiteId::from_index(0),
            due: now.mono,
        },
        moment: now.mono,
        at: now.wall,
    };
    let prober = factory.prober();
    let result = prober.check(start, &trial.spec, None, here).await;
    Ok(Box::new(result))
}
