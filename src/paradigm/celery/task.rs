//! The task `squirrel.check`: its argument, its result, and the limits of both.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::domain::{CheckOptions, CheckResult, CheckSpec, Clock, JobId, Moment, SystemClock};
use crate::paradigm::job_runner;
use crate::probe::{FactoryConfig, Prober, Start};
use crate::trace::{InstrumentedCheck, InterpreterLock, PollLog, Slice, ThreadSharing};

use super::connectivity::{Checked, TaskCanaries, WorkerConnectivity};
use super::sealed_options::OptionsKey;
use super::task_bounds::{bounded_result, refused_spec};
use super::task_error::TaskError;
use super::task_options;

/// The name of the task in Celery.
pub(super) const NAME: &str = "squirrel.check";

/// The argument of the task: one check, and what a worker needs to run it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct TaskArguments<'a> {
    pub(super) job: JobId,
    /// Its key is older than its name: workers of earlier versions know no other.
    #[serde(rename = "look")]
    pub(super) spec: &'a CheckSpec,
    /// The options of the spec. Beside it, because workers of earlier versions refuse what they do not
    /// know here, and pass over it there.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "task_options::what_is_said"
    )]
    pub(super) options: Option<&'a CheckOptions>,
    /// The options of the spec where they have secrets, sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sealed: Option<String>,
    /// Whether the polls are to be logged.
    pub(super) traced: bool,
    /// Whether it has to hold the emulated interpreter lock of the worker's process.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) locked: bool,
    /// The configuration of the prober factory: certificates that are trusted besides the system's, or a workload
    /// of the lab.
    pub(super) trust: &'a FactoryConfig,
    /// Who is asked by workers on other machines before a failure is believed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) canaries: Option<&'a TaskCanaries>,
}

/// [`TaskArguments`] as a worker receives them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReceivedArguments {
    pub(super) job: JobId,
    /// Its key is older than its name: workers of earlier versions know no other.
    #[serde(rename = "look")]
    pub(super) spec: CheckSpec,
    #[serde(default)]
    options: Option<Arc<CheckOptions>>,
    #[serde(default)]
    sealed: Option<String>,
    #[serde(default)]
    pub(super) traced: bool,
    #[serde(default)]
    pub(super) locked: bool,
    pub(super) trust: FactoryConfig,
    #[serde(default)]
    pub(super) canaries: Option<TaskCanaries>,
}

impl ReceivedArguments {
    /// Reads the arguments of a task, which any client of the broker may have sent.
    ///
    /// # Errors
    /// If they are not one check, its specification is out of bounds, or its options were sealed
    /// by another key.
    pub(super) fn read(
        arguments: &[Box<RawValue>],
        key: Option<&OptionsKey>,
    ) -> Result<Self, TaskError> {
        let [argument] = arguments else {
            return Err(TaskError::Arguments(arguments.len()));
        };
        let mut order: Self = serde_json::from_str(argument.get())
            .map_err(|error| TaskError::NotACheck(brief(&error)))?;
        order.spec.options = order.options.take();
        if let Some(sealed) = order.sealed.take() {
            let key = key.ok_or(TaskError::Refused(
                "it has secrets, and this worker has no key to open them: SQUIRREL_QUEUE_KEY",
            ))?;
            let opened = key.open(&sealed, &order.spec, &order.trust);
            let opened = opened.ok_or(TaskError::Refused(
                "it has secrets that the key of this worker does not open",
            ))?;
            order.spec.options = Some(Arc::new(opened));
        }
        let asked = order.canaries.as_ref();
        let why = if asked.is_none_or(TaskCanaries::are_acceptable) {
            refused_spec(&order.spec)
        } else {
            Some("its canaries are too many, or not http or https")
        };
        why.map_or(Ok(order), |why| Err(TaskError::Refused(why)))
    }
}

impl ReceivedArguments {
    /// Checks that the worker may run it; `workloads` says whether it runs workloads of the lab.
    ///
    /// # Errors
    /// If it is a workload of the lab and `workloads` is `false`, or the workload is too long.
    pub(super) fn permit(&self, workloads: bool) -> Result<(), TaskError> {
        match self.trust.workload() {
            Some(_) if !workloads => Err(TaskError::Refused(
                "it is a workload of the lab, which `squirrel worker --workloads` runs",
            )),
            Some(workload) if !workload.is_acceptable() => Err(TaskError::Refused(
                "it is a workload that would take too long",
            )),
            _ => Ok(()),
        }
    }
}

/// The kind of the error, without the position and the text, which may hold a secret.
fn brief(error: &serde_json::Error) -> &'static str {
    use serde_json::error::Category;
    match error.classify() {
        Category::Data => "a part is missing, unknown, or of the wrong kind",
        _ => "it is not JSON",
    }
}

/// The result of the task: that of the check and, if it was asked for, its log, whose moments
/// count from the start of the check.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TaskReport {
    check: CheckResult,
    notes: Option<PollLog>,
}

/// What checks of one process share.
#[derive(Debug)]
pub(super) struct CheckContext {
    /// The host in results, in place of this machine's name.
    pub(super) host: Option<Arc<str>>,
    /// The interpreter lock of this process.
    pub(super) lock: Arc<InterpreterLock>,
    /// The key by which options with secrets are opened.
    pub(super) key: Option<OptionsKey>,
    /// What is known of its network.
    pub(super) connectivity: Arc<WorkerConnectivity>,
}

impl CheckContext {
    pub(super) fn new(host: Option<Arc<str>>) -> Self {
        Self {
            host,
            lock: Arc::new(InterpreterLock::new()),
            key: OptionsKey::of_environment(),
            connectivity: Arc::default(),
        }
    }
}

/// Runs a check.
pub(super) async fn carry_out(
    prober: &Arc<Prober>,
    order: &ReceivedArguments,
    context: &CheckContext,
) -> TaskReport {
    let began = Instant::now();
    let clock = SystemClock::new();
    let now = clock.now();
    let start = Start {
        job: order.job,
        moment: now.mono,
        at: now.wall,
    };
    let lock = order.locked.then(|| Arc::clone(&context.lock));
    let live = (order.traced || order.locked)
        .then(|| Arc::new(InstrumentedCheck::new(order.job, now.mono, clock, lock)));
    let watching = live.as_ref().map(|live| (live, ThreadSharing::Shared));
    let mut check = job_runner::run_check(prober, start, &order.spec, watching).await;
    if let Some(host) = &context.host {
        check.ran_on.host = Arc::clone(host);
    }
    let notes = live.map(|live| live.take_log());
    if let Some(canaries) = &order.canaries
        && *canaries.monitor != *check.ran_on.host
    {
        let checked = Checked {
            spec: &order.spec,
            began,
            prober,
        };
        check = context.connectivity.judge(check, checked, canaries).await;
    }
    TaskReport { check, notes }
}

impl TaskReport {
    pub(super) const fn check(&self) -> &CheckResult {
        &self.check
    }
}

/// The log with its moments in order, within the check that started at `started` and lasted
/// `latency`.
pub(super) fn placed(mut notes: PollLog, started: Moment, latency: Duration) -> PollLog {
    let place = |at: Moment| started + Duration::from_nanos(at.as_nanos()).min(latency);
    notes.slices.truncate(256);
    notes.steps.truncate(64);
    let ordered = |slice: &mut Slice| slice.ready <= slice.start && slice.start <= slice.end;
    notes.slices.retain(ordered);
    for slice in &mut notes.slices {
        slice.ready = place(slice.ready);
        slice.start = place(slice.start);
        slice.end = place(slice.end);
    }
    notes.slices.sort_by_key(|slice| slice.start);
    for step in &mut notes.steps {
        step.at = place(step.at);
    }
    notes.steps.sort_by_key(|step| step.at);
    notes
}

/// Reads the result of the task, which any client of the broker may have stored: texts are
/// cleaned, times and numbers bounded. `None` if it does not have that form.
pub(super) fn report(json: &str, spec: &CheckSpec) -> Option<(CheckResult, Option<PollLog>)> {
    let report: TaskReport = serde_json::from_str(json).ok()?;
    Some((bounded_result(report.check, spec)?, report.notes))
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::task_bounds::MAX_TEXT_BYTES;
    use super::*;
    use crate::domain::{MaskedUrl, SiteId, Timestamp, Verdict};
    use crate::probe::{ProberFactory, could_not_check};
    use serde_json::{Value, json};

    pub(crate) fn spec() -> CheckSpec {
        CheckSpec {
            cert_warn: Duration::from_secs(9),
            user_agent: "agent".into(),
            ..CheckSpec::new(MaskedUrl::new("https://ann:s3cret@example.org/"))
        }
    }

    pub(crate) fn order(spec: &CheckSpec) -> Value {
        let factory = ProberFactory::http(None).unwrap();
        let order = TaskArguments {
            job: JobId {
                site: SiteId::from_index(7),
                due: Moment::from_nanos(u64::MAX),
            },
            spec,
            options: spec.options.as_deref(),
            sealed: None,
            traced: true,
            locked: false,
            trust: factory.config().unwrap(),
            canaries: None,
        };
        serde_json::to_value(&order).unwrap()
    }

    pub(crate) fn read(arguments: &[Value]) -> Result<ReceivedArguments, TaskError> {
        let raw: Vec<_> = arguments
            .iter()
            .map(|value| RawValue::from_string(value.to_string()).unwrap())
            .collect();
        ReceivedArguments::read(&raw, None)
    }

    #[test]
    fn an_order_arrives_as_it_was_sent() {
        let received = read(&[order(&spec())]).unwrap();
        assert_eq!(received.spec, spec());
        assert_eq!(received.job.site.index(), 7);
        assert_eq!(received.job.due, Moment::from_nanos(u64::MAX));
    }

    #[test]
    fn an_order_carries_what_a_check_needs_and_no_more() {
        let order = order(&spec());
        let keys =
            |value: &Value| -> Vec<_> { value.as_object().unwrap().keys().cloned().collect() };
        assert_eq!(keys(&order), ["job", "look", "traced", "trust"]);
        let spec_keys = keys(&order["look"]);
        assert_eq!(spec_keys.len(), 9, "{spec_keys:?}");
    }

    #[test]
    fn what_is_no_check_is_refused_with_a_reason() {
        let many = vec![order(&spec()); 10_000];
        let refusal = |arguments: &[Value]| read(arguments).unwrap_err().to_string();
        assert_eq!(refusal(&many), "it takes one check, not 10000");
        assert!(read(&[]).is_err());
        for nonsense in [json!(null), json!([]), json!("x"), json!({"job": 1})] {
            let why = refusal(&[nonsense]);
            assert!(why.starts_with("its argument is no check"), "{why}");
        }
        for url in [
            "file:///etc/passwd",
            "ftp://h/",
            "javascript:1",
            "",
            "http://",
        ] {
            let mut spec = spec();
            spec.url = MaskedUrl::new(url);
            assert_eq!(
                refusal(&[order(&spec)]),
                "its URL is of no kind of check",
                "{url}"
            );
        }
        let broken: [fn(&mut CheckSpec); 5] = [
            |spec| spec.timeout = Duration::ZERO,
            |spec| spec.timeout = Duration::MAX,
            |spec| spec.max_redirects = u16::MAX,
            |spec| spec.user_agent = "a\r\nHost: b".into(),
            |spec| spec.contains = Some("x".repeat(MAX_TEXT_BYTES + 1).into()),
        ];
        for change in broken {
            let mut spec = spec();
            change(&mut spec);
            assert!(read(&[order(&spec)]).is_err());
        }
    }

    #[test]
    fn a_stored_result_holds_nothing_harmful_to_a_screen() {
        let start = Start {
            job: JobId {
                site: SiteId::from_index(7),
                due: Moment::ZERO,
            },
            moment: Moment::ZERO,
            at: Timestamp::default(),
        };
        let good = could_not_check(start, &spec(), "no \u{1b}[31m", crate::trace::here());
        let mut report = json!({"check": good, "notes": null});
        let read_report = |report: &Value| super::report(&report.to_string(), &spec());
        let stored = &mut report["check"];
        stored["error"] = "e\u{202e}vil \u{1b}]0;x\u{7}".into();
        stored["latency"] = json!({"secs": u64::MAX, "nanos": 0});
        stored["ran_on"]["host"] = "h\u{9b}31m".into();
        let (read, _) = read_report(&report).unwrap();
        assert_eq!(read.error.as_deref(), Some("e vil ]0;x"));
        assert_eq!(&*read.ran_on.host, "h 31m");
        assert!(read.latency <= Duration::from_secs(70));
        assert_eq!(read.verdict, Verdict::Unknown);
        // A verdict that its reason does not lead to.
        report["check"]["verdict"] = "up".into();
        assert!(read_report(&report).is_none());
        assert!(read_report(&json!({})).is_none());
    }
    #[test]
    fn notes_are_placed_within_the_check_and_in_order() {
        let at = Moment::from_nanos;
        let slice = |ready, start, end| Slice {
            ready: at(ready),
            start: at(start),
            end: at(end),
            tid: 1,
            doing: crate::trace::SliceKind::Running,
        };
        let notes = PollLog {
            slices: smallvec::smallvec![slice(5, 6, 900), slice(0, 1, 2), slice(9, 8, 7)],
            ..PollLog::default()
        };
        let placed = placed(notes, at(1_000), Duration::from_nanos(100));
        assert_eq!(
            placed.slices.as_slice(),
            [slice(1_000, 1_001, 1_002), slice(1_005, 1_006, 1_100)]
        );
    }
}
