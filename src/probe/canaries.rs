//! Checks of the canaries: whether any of some hosts that nearly always answer can be reached.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use crate::domain::{
    CheckResult, CheckSpec, Clock, JobId, MaskedUrl, Moment, RanOn, Reason, SiteId, SystemClock,
    Verdict, plural,
};

use super::prober::Prober;
use super::verdict::Start;

/// The timeout of a check of a canary.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What a round of asking the canaries found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanaryResult {
    /// Whether any canary answered.
    pub answered: bool,
    /// What the canaries said otherwise: "3 canaries do not answer either (dns)".
    pub why: Box<str>,
}

/// The check spec of a canary.
#[must_use]
pub fn canary_spec(url: &MaskedUrl, user_agent: &Arc<str>) -> CheckSpec {
    CheckSpec {
        timeout: TIMEOUT,
        slow: TIMEOUT,
        cert_warn: Duration::ZERO,
        max_redirects: 0,
        user_agent: Arc::clone(user_agent),
        ..CheckSpec::new(url.clone())
    }
}

/// Checks each of these once, all at the same time. `who` names the thread.
pub async fn ask_canaries(
    prober: &Prober,
    specs: &[Arc<CheckSpec>],
    who: impl FnOnce() -> RanOn + Copy,
) -> CanaryResult {
    let now = SystemClock::new().now();
    let results = join_all(specs.iter().enumerate().map(|(index, spec)| {
        let start = Start {
            job: JobId {
                site: SiteId::from_index(index),
                due: Moment::ZERO,
            },
            moment: now.mono,
            at: now.wall,
        };
        prober.check(start, spec, None, who)
    }))
    .await;
    found(&results)
}

/// The result of a round. Any answer counts, whatever its status: the network works.
fn found(results: &[CheckResult]) -> CanaryResult {
    let mute = |result: &&CheckResult| result.verdict == Verdict::Unknown || result.is_doubtful();
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
            "{} do not answer either ({})",
            plural(number, "canary"),
            reasons.join(", ")
        ),
    };
    CanaryResult {
        answered: silent.len() < results.len(),
        why: why.into(),
    }
}
