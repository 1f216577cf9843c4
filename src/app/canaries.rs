//! Checks of the canaries, on a thread of their own: the workers may all be busy with sites
//! that do not answer.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use futures_util::future::join_all;

use crate::config::Config;
use crate::domain::{
    CheckResult, CheckSpec, Clock, JobId, MaskedUrl, Moment, Reason, SiteId, SystemClock, Verdict,
};
use crate::engine::{Round, is_doubtful};
use crate::probe::{ProberFactory, Start};
use crate::runtime::thread;
use crate::trace::here;

/// The timeout of a check of a canary.
const TIMEOUT: Duration = Duration::from_secs(5);

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
    let spec = |url: &MaskedUrl| {
        Arc::new(CheckSpec {
            timeout: TIMEOUT,
            slow: TIMEOUT,
            cert_warn: Duration::ZERO,
            max_redirects: 0,
            user_agent: Arc::clone(&config.monitor.user_agent),
            ..CheckSpec::new(url.clone())
        })
    };
    config.monitor.canaries.iter().map(spec).collect()
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
        let results = join_all(specs.iter().enumerate().map(|(index, spec)| {
            let start = Start {
                job: JobId {
                    site: SiteId::from_index(index),
                    due: Moment::ZERO,
                },
                moment: asked,
                at: clock.timestamp(),
            };
            prober.check(start, spec, None, here)
        }))
        .await;
        tell(found(asked, &results));
    }
}

/// The result of a round. Any answer counts, whatever its status: the network works.
fn found(asked: Moment, results: &[CheckResult]) -> Round {
    let mute = |result: &&CheckResult| result.verdict == Verdict::Unknown || is_doubtful(result);
    let silent: Vec<_> = results.iter().filter(mute).collect();
    let mut reasons: Vec<&str> = silent
        .iter()
        .map(|result| result.reason.unwrap_or(Reason::Internal).word())
        .collect();
    reasons.sort_unstable();
    reasons.dedup();
    let why = match silent.len() {
        1 => format!("the canary does not answer either ({})", reasons.join(", ")),
        number => format!(
            "{number} canaries do not answer either ({})",
            reasons.join(", ")
        ),
    };
    Round {
        asked,
        answered: silent.len() < results.len(),
        why: why.into(),
    }
}
