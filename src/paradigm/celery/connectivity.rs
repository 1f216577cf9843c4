//! "Is it us?", asked by a worker on another machine than the monitor: the monitor's own canaries
//! say nothing of the worker's network, so the worker asks them itself before it reports a failure.
//!
//! As in the monitor, one answer of another machine that was asked after the failure is proof that
//! the network works: of a canary, of a site that is checked meanwhile, or of one that was good
//! lately. While nobody answers the worker is blind: what fails is unknown, and takes as long as a
//! round of asking does, and others come first to what is on the queue, so that a blind worker does
//! not empty it.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep_until};

use crate::domain::{CheckResult, CheckSpec, MaskedUrl, Verdict};
use crate::probe::{CanaryResult, Prober, ask_canaries, canary_spec};
use crate::trace::here;

/// Canaries are not asked more often.
const ROUND_PAUSE: Duration = Duration::from_secs(1);

/// The pause between two rounds while nobody answers.
const BLIND_ROUND_PAUSE: Duration = Duration::from_secs(5);

/// The least time between two rounds of canaries that have never answered, while sites do.
const MEASURE_PAUSE: Duration = Duration::from_secs(60);

/// Sites that were good lately and are asked where canaries are silent.
const MOST_WITNESSES: usize = 3;

/// The longest that one of them is waited for.
const WITNESS_TIMEOUT: Duration = Duration::from_secs(5);

/// Failing sites that are remembered: canaries are asked about the first failure of a site, not about
/// all that follow.
const MOST_FAILING: usize = 4_096;

/// The most canaries of a task.
const MOST_CANARIES: usize = 16;

/// The status of captive portals (RFC 6585, section 6): never the site's own.
const NETWORK_AUTHENTICATION_REQUIRED: u16 = 511;

/// The canaries of a task, for workers on other machines than its monitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TaskCanaries {
    /// The name of the monitor's machine: what runs there is judged by the monitor.
    pub(super) monitor: Box<str>,
    pub(super) urls: Vec<MaskedUrl>,
}

impl TaskCanaries {
    /// Whether a worker may ask them.
    pub(super) fn are_acceptable(&self) -> bool {
        let is_web = |url: &MaskedUrl| {
            let url = url::Url::parse(url.expose());
            url.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        };
        self.urls.len() <= MOST_CANARIES && self.urls.iter().all(is_web)
    }
}

/// What a worker knows of its own network.
#[derive(Debug, Default)]
pub(super) struct WorkerConnectivity {
    evidence: Mutex<Evidence>,
    /// The last round of asking; held while one is under way.
    round: tokio::sync::Mutex<Option<Round>>,
}

/// A round of questions to the canaries.
#[derive(Clone, Debug)]
struct Round {
    began: Instant,
    sees: bool,
    why: Box<str>,
}

#[derive(Debug, Default)]
struct Evidence {
    /// The latest start of a check that another machine answered.
    heard: Option<Instant>,
    /// Sites that were good lately, of different hosts, the newest last.
    witnesses: VecDeque<Arc<CheckSpec>>,
    /// URLs of sites whose failure was believed, and that have not been good since.
    failing: HashSet<Box<str>>,
    /// A canary has answered.
    is_measure: bool,
    /// No canary has answered, though a site did at the time.
    away: bool,
    measured: Option<Instant>,
    /// Since when nobody answers, and what that rests on.
    blind: Option<(Instant, Box<str>)>,
    /// When it could see again, and what blindness had rested on.
    was_blind: Option<(Instant, Box<str>)>,
}

impl Evidence {
    /// What blindness rested on that ended after a check had begun.
    fn was_blind_at(&self, began: Instant) -> Option<&str> {
        let was = self.was_blind.as_ref().filter(|(until, _)| began < *until);
        was.map(|(_, why)| &**why)
    }

    /// A site on another machine answered a check that began then.
    fn answered(&mut self, spec: &CheckSpec, began: Instant) {
        self.heard = self.heard.max(Some(began));
        self.failing.remove(spec.url.expose());
        let host = spec.url.host();
        self.witnesses.retain(|known| known.url.host() != host);
        if self.witnesses.len() == MOST_WITNESSES {
            self.witnesses.pop_front();
        }
        self.witnesses.push_back(Arc::new(spec.clone()));
        if self
            .blind
            .as_ref()
            .is_some_and(|(since, _)| began >= *since)
        {
            self.sees();
        }
    }

    fn failed(&mut self, spec: &CheckSpec) {
        let host = spec.url.host();
        self.witnesses.retain(|known| known.url.host() != host);
    }

    fn sees(&mut self) {
        if let Some((_, why)) = self.blind.take() {
            self.was_blind = Some((Instant::now(), why));
        }
    }

    /// Takes what a round of asking found.
    fn ruled(&mut self, round: &Round) {
        if round.sees {
            self.sees();
        } else if self.blind.is_none() {
            self.blind = Some((round.began, round.why.clone()));
        }
    }

    /// A failure of the site is its own.
    fn believe(&mut self, spec: &CheckSpec) {
        if self.failing.len() >= MOST_FAILING {
            self.failing.clear();
        }
        self.failing.insert(spec.url.expose().into());
    }
}

/// A check that was run: what, when it began, and by what it can be run again.
pub(super) struct Checked<'a> {
    pub(super) spec: &'a CheckSpec,
    pub(super) began: Instant,
    pub(super) prober: &'a Arc<Prober>,
}

impl WorkerConnectivity {
    fn evidence(&self) -> MutexGuard<'_, Evidence> {
        self.evidence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody answered when others were asked last.
    pub(super) fn is_blind(&self) -> bool {
        self.evidence().blind.is_some()
    }

    /// Gives a result back as it is, or as one that saw nothing; asks the canaries before that if
    /// need be.
    pub(super) async fn judge(
        self: &Arc<Self>,
        result: CheckResult,
        checked: Checked<'_>,
        canaries: &TaskCanaries,
    ) -> CheckResult {
        let Checked {
            spec,
            began,
            prober,
        } = checked;
        if result.verdict == Verdict::Unknown || result.is_local(spec.url.host()) {
            return result;
        }
        if result.status == Some(NETWORK_AUTHENTICATION_REQUIRED) {
            return result.unseen("a captive portal answered in the site's place (511)");
        }
        let asked = canaries.urls.iter();
        let asked: Vec<_> = asked
            .map(|url| Arc::new(canary_spec(url, &spec.user_agent)))
            .collect();
        if !result.is_doubtful() {
            self.evidence().answered(spec, began);
            self.measure(prober, asked);
            return result;
        }
        let ended = Instant::now();
        let blind = {
            let mut evidence = self.evidence();
            evidence.failed(spec);
            let blind = evidence.blind.as_ref().map(|(_, why)| why.clone());
            if blind.is_none() {
                if let Some(why) = evidence.was_blind_at(began) {
                    return result.unseen(why);
                }
                if evidence.failing.contains(spec.url.expose()) {
                    return result;
                }
            }
            blind
        };
        let round = self.round_after(ended, prober, &asked).await;
        if let Some(why) = blind {
            return result.unseen(&why);
        }
        if !round.sees {
            return result.unseen(&round.why);
        }
        self.evidence().believe(spec);
        result
    }

    /// While a site answers, canaries that never did show whether they are a measure for this
    /// network.
    fn measure(self: &Arc<Self>, prober: &Arc<Prober>, canaries: Vec<Arc<CheckSpec>>) {
        {
            let mut evidence = self.evidence();
            let now = Instant::now();
            let lately = |then: Instant| now.duration_since(then) < MEASURE_PAUSE;
            if evidence.is_measure || evidence.measured.is_some_and(lately) {
                return;
            }
            evidence.measured = Some(now);
        }
        let (this, prober) = (Arc::clone(self), Arc::clone(prober));
        tokio::spawn(async move {
            let found = ask_canaries(&prober, &canaries, here).await;
            let mut evidence = this.evidence();
            evidence.is_measure |= found.answered;
            evidence.away = !evidence.is_measure;
        });
    }

    /// A round of asking that began after `ended`: one for all that wait.
    async fn round_after(
        &self,
        ended: Instant,
        prober: &Arc<Prober>,
        canaries: &[Arc<CheckSpec>],
    ) -> Round {
        let mut last = self.round.lock().await;
        if let Some(last) = &*last {
            if last.began >= ended {
                return last.clone();
            }
            let pause = if last.sees {
                ROUND_PAUSE
            } else {
                BLIND_ROUND_PAUSE
            };
            sleep_until(last.began + pause).await;
        }
        let began = Instant::now();
        let CanaryResult { answered, why } = ask_canaries(prober, canaries, here).await;
        let sees = answered || self.others_answer(began, prober).await;
        let mut evidence = self.evidence();
        evidence.is_measure |= answered;
        // Canaries that were never reached from here, even while a site was, are no measure.
        let sees = sees || (evidence.away && !evidence.is_measure && evidence.witnesses.is_empty());
        let round = Round { began, sees, why };
        evidence.ruled(&round);
        drop(evidence);
        last.insert(round).clone()
    }

    /// Whether sites answer while canaries do not: the canaries are away then, not we.
    async fn others_answer(&self, asked: Instant, prober: &Arc<Prober>) -> bool {
        let witnesses: Vec<Arc<CheckSpec>> = {
            let evidence = self.evidence();
            if evidence.heard.is_some_and(|heard| heard >= asked) {
                return true;
            }
            let witnesses = evidence.witnesses.iter();
            let hurried = |spec: &Arc<CheckSpec>| CheckSpec {
                timeout: spec.timeout.min(WITNESS_TIMEOUT),
                ..CheckSpec::clone(spec)
            };
            witnesses.map(hurried).map(Arc::new).collect()
        };
        ask_canaries(prober, &witnesses, here).await.answered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canaries_of_a_task_are_few_and_of_the_web() {
        let acceptable = |urls: Vec<&str>| {
            let order = serde_json::json!({"monitor": "m", "urls": urls});
            let canaries: TaskCanaries = serde_json::from_value(order).unwrap();
            canaries.are_acceptable()
        };
        assert!(acceptable(Vec::new()));
        assert!(acceptable(vec!["https://a.example/"; MOST_CANARIES]));
        assert!(!acceptable(vec!["https://a.example/"; MOST_CANARIES + 1]));
        for url in ["file:///etc/passwd", "ftp://h/", ""] {
            assert!(!acceptable(vec![url]), "{url}");
        }
    }

    #[test]
    fn what_began_before_a_worker_could_see_again_saw_nothing() {
        let spec = |host: &str| CheckSpec::new(MaskedUrl::new(format!("http://{host}/")));
        let mut evidence = Evidence::default();
        let began = Instant::now();
        let round = |sees| Round {
            began: Instant::now(),
            sees,
            why: "silent".into(),
        };
        evidence.ruled(&round(false));
        // It was begun before: no proof.
        evidence.answered(&spec("a.example"), began);
        assert!(evidence.blind.is_some());
        evidence.answered(&spec("b.example"), Instant::now());
        assert!(evidence.blind.is_none());
        assert_eq!(evidence.was_blind_at(began), Some("silent"));
        assert_eq!(evidence.was_blind_at(Instant::now()), None);
        // One site of each host, the latest, and none that fails now.
        for host in ["c.example", "d.example", "d.example", "e.example"] {
            evidence.answered(&spec(host), Instant::now());
        }
        evidence.failed(&spec("d.example"));
        let hosts = evidence.witnesses.iter();
        let hosts: Vec<_> = hosts.map(|spec| spec.url.host()).collect();
        assert_eq!(hosts, ["c.example", "e.example"]);
    }
}
