//! A scripted fake: answers by rule and without a network, for tests of whatever runs it.

use std::time::Duration;

use crate::domain::{CheckSpec, JobId, Reason};

/// What a scripted look finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FakeOutcome {
    /// A good answer with this status.
    Up(u16),
    /// A failure.
    Fails(Reason),
}

/// How scripted looks behave: each takes `delay`, then finds what `finds` says of the job.
#[derive(Clone, Copy, Debug)]
pub struct FakeProbe {
    /// How long a look takes.
    pub delay: Duration,
    /// What it finds.
    pub finds: fn(JobId) -> FakeOutcome,
}

impl FakeProbe {
    /// Every look takes `delay` and finds 200.
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
