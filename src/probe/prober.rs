//! The prober: the one `async fn` that checks a site, under every paradigm.

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use crate::domain::{CheckKind, CheckObserver, CheckResult, CheckSpec, RanOn};

use super::classify::{self, Failure};
use super::fake::{FakeOutcome, FakeProbe};
use super::http;
use super::kinds;
use super::request_log::RequestLog;
use super::shared::Shared;
use super::thread_wait;
use super::timer::TimerAnchor;
use super::verdict::{self, Start};
use super::workload::WorkloadRunner;

/// Checks sites. Belongs to the runtime that polls its checks.
#[derive(Debug)]
pub struct Prober(Inner);

#[derive(Debug)]
enum Inner {
    Network(Shared, TimerAnchor),
    Fake(Arc<FakeProbe>),
    Workload(WorkloadRunner),
}

impl Prober {
    pub(super) fn network(shared: &Shared) -> Self {
        Self(Inner::Network(shared.clone(), TimerAnchor::default()))
    }

    pub(super) const fn fake(fake: Arc<FakeProbe>) -> Self {
        Self(Inner::Fake(fake))
    }

    pub(super) const fn workload(runner: WorkloadRunner) -> Self {
        Self(Inner::Workload(runner))
    }

    /// Checks a site within its timeout. `observer` receives the progress. `who` names the
    /// thread; it is called at the end, on the thread that polled the last step.
    pub async fn check(
        &self,
        start: Start,
        spec: &CheckSpec,
        observer: Option<Arc<dyn CheckObserver>>,
        who: impl FnOnce() -> RanOn,
    ) -> CheckResult {
        let began = Instant::now();
        let mut log = RequestLog::new(spec, observer.clone());
        let judged = match &self.0 {
            Inner::Workload(runner) => runner.play(spec, observer.as_deref()).await,
            Inner::Network(shared, anchor) => {
                if !thread_wait::is_own() {
                    anchor.hold();
                }
                within_its_timeout(shared, spec, began, &mut log).await
            }
            Inner::Fake(fake) => match fake.play(start.job, spec).await {
                FakeOutcome::Up(status) => {
                    log.status = Some(status);
                    Ok(())
                }
                FakeOutcome::Fails(reason) => Err(Failure::new(reason, "as the fake says")),
            },
        };
        verdict::result(start, spec, log, judged, began.elapsed(), who())
    }
}

/// The check of a site over the network, which its timeout ends whatever it waits for.
async fn within_its_timeout(
    shared: &Shared,
    spec: &CheckSpec,
    began: Instant,
    log: &mut RequestLog,
) -> Result<(), Failure> {
    let deadline = began + spec.timeout;
    let checked = {
        if spec.kind() == CheckKind::Http {
            // It is large: pinned here, it is not moved again.
            let check = pin!(http::check(shared, spec, deadline, log));
            thread_wait::before(deadline, check).await
        } else {
            let check = pin!(kinds::check(shared, spec, deadline, log));
            thread_wait::before(deadline, check).await
        }
    };
    checked.unwrap_or_else(|| {
        let timings = log.open_timings();
        let failure = classify::out_of_time(timings.as_deref(), spec.timeout);
        log.end_all(&failure.error);
        Err(failure)
    })
}
