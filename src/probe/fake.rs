//! A fake prober: gives prescribed results without a network, for tests of the paradigms.

use std::time::Duration;

use crate::domain::{CheckSpec, JobId, Reason};

/// The result of a fake check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FakeOutcome {
    /// Up, with this status code.
    Up(u16),
    /// A failure with this reason.
    Fails(Reason),
}

/// A rule for fake checks: each takes `delay`, then has the result that `finds` gives.
#[derive(Clone, Copy, Debug)]
pub struct FakeProbe {
    /// The duration of each check.
    pub delay: Duration,
    /// The result of the check of a job.
    pub finds: fn(JobId) -> FakeOutcome,
}

impl FakeProbe {
    /// Every check takes `delay` and is up with status 200.
    #[must_use]
    pub fn up_after(delay: Duration) -> Self {
        Self {
            delay,
            finds: |_| FakeOutcome::Up(200),
        }
    }

    pub(super) async fn play(&self, job: JobId, spec: &CheckSpec) -> FakeOutcome {
        let finds = self.finds;
        if tokio::time::timeout(spec.timeout, tokio::time::sleep(self.delay))
            .await
            .is_err()
        {
            return FakeOutcome::Fails(Reason::Timeout);
        }
        finds(job)
    }
}
