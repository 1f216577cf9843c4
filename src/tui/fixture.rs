//! Sites for tests: real monitors, driven by results as checks would give them.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{
    Certificate, CheckResult, CheckSpec, Clock, ConnectCause, FailedConnect, JobId, ManualClock,
    MaskedUrl, Method, Moment, Now, Outcome, Phases, RanOn, Reason, RequestRecord, Site, SiteId,
    Timestamp,
};
use crate::monitor::Monitor;
use crate::paradigm::{Census, Label, Law};

use crate::trace::{ProcStats, TraceStore};

use super::history_view::HistoryView;
use super::replay_state::ReplayState;
use super::view_model::{LabView, ProcessStats, SiteFormView, TraceView, ViewModel};

/// 2025-11-22 13:57:00 UTC.
const EPOCH: Timestamp = Timestamp::from_micros(1_763_819_820_000_000);

/// The paradigms of the examples.
pub(crate) const PARADIGMS: [Label; 3] = [
    Label {
        key: '1',
        name: "serial",
        summary: "one thread, one check at a time",
        law: Law::Sum,
    },
    Label {
        key: '2',
        name: "threads",
        summary: "N threads pull checks from one queue",
        law: Law::SumByWorkers,
    },
    Label {
        key: '6',
        name: "async",
        summary: "tasks on a work-stealing scheduler",
        law: Law::Slowest,
    },
];

/// The names of the sixteen sites, with a typical latency in milliseconds.
const NAMES: [(&str, u64); 16] = [
    ("www.example", 80),
    ("api.example/health", 240),
    ("auth.example", 300),
    ("pay.example/charge", 310),
    ("blog.example", 420),
    ("mail.example", 540),
    ("shop.example", 260),
    ("img.example", 35),
    ("wiki.example", 610),
    ("news.example", 480),
    ("git.example", 220),
    ("jobs.example", 150),
    ("maps.example", 95),
    ("cdn.example", 12),
    ("docs.example/a/very/long/path/that/goes/on", 130),
    ("日本語サイト.example", 700),
];

/// The number of sites of [`Fixture::mixed`].
pub(crate) const MIXED: usize = NAMES.len();

/// A monitor with the clock that times its results.
#[derive(Debug)]
pub(crate) struct Fixture {
    pub(crate) monitor: Monitor,
    pub(crate) store: TraceStore,
    kernel: ProcStats,
    pub(crate) history: HistoryView,
    pub(crate) replay: ReplayState,
    clock: ManualClock,
}

pub(crate) fn spec(url: &str) -> CheckSpec {
    CheckSpec {
        user_agent: "UptimeSquirrel/0.1.0".into(),
        ..CheckSpec::new(MaskedUrl::new(url))
    }
}

pub(crate) fn site(name: &str) -> Site {
    Site {
        name: name.into(),
        spec: Arc::new(spec(&format!("https://{name}"))),
        interval: Duration::from_secs(5),
        confirm: 2,
        recover: 2,
        confirm_delay: Duration::from_secs(10),
        slow_after: Duration::from_secs(600),
        owners: Arc::default(),
        tags: Vec::new(),
        parent: None,
        paused: false,
    }
}

/// Every site is due three to five seconds after the last check of [`Fixture::mixed`].
pub(crate) fn next_due(site: SiteId) -> Option<Moment> {
    Some(Moment::ZERO + Duration::from_secs(314 + site.index() as u64 % 3))
}

impl Fixture {
    /// Sites without a check so far.
    pub(crate) fn new(sites: Vec<Site>) -> Self {
        let clock = ManualClock::new(EPOCH);
        let mut monitor = Monitor::new();
        monitor.configure(sites, clock.now());
        Self {
            monitor,
            store: TraceStore::new(),
            kernel: ProcStats::default(),
            history: HistoryView::default(),
            replay: ReplayState::default(),
            clock,
        }
    }

    /// The sixteen sites of the drawings, as they are at the start.
    pub(crate) fn fresh() -> Self {
        let mut sites: Vec<_> = NAMES.iter().map(|(name, _)| site(name)).collect();
        for index in [3, 6] {
            sites[index].tags = vec!["shop".into()];
            sites[index].owners = Arc::from(["ops".into()]);
        }
        sites[0].owners = Arc::from(["web".into()]);
        Self::new(sites)
    }

    /// The sixteen sites after five minutes: one is down, one is slow, one has an old
    /// certificate, one is failing, one was missed, one is paused.
    pub(crate) fn mixed() -> Self {
        let mut fixture = Self::fresh();
        for round in 0..60_u64 {
            for (index, (name, usual)) in NAMES.iter().enumerate() {
                // A jitter that is the same in every run.
                let jitter = (round * 7 + index as u64 * 13) % 11 * usual / 18;
                let latency = usual + jitter;
                match (*name, round) {
                    ("pay.example/charge", 9..) => fixture.time_out(name),
                    ("mail.example", 58..) => fixture.pass(name, 2_400),
                    ("auth.example", 20..22) => fixture.miss(name),
                    ("jobs.example", 59) => fixture.miss(name),
                    ("news.example", 59) => fixture.fail(name, 502),
                    ("wiki.example", 30) | ("git.example", 59) => fixture.blind(name),
                    _ => fixture.pass(name, latency),
                }
            }
            fixture.advance(Duration::from_millis(5_183));
        }
        let maps = fixture.id("maps.example");
        fixture.monitor.set_paused(maps, true, fixture.clock.now());
        fixture
    }

    /// So many sites of which every thousandth is down.
    pub(crate) fn many(sites: usize) -> Self {
        let name = |index| site(&format!("site-{index:06}.example"));
        let mut fixture = Self::new((0..sites).map(name).collect());
        for index in (0..sites).step_by(1_000) {
            let id = SiteId::from_index(index);
            for _ in 0..2 {
                let result = fixture.result(id, Some(Reason::Refused), None, 3);
                fixture.observe(&Outcome::Checked(Arc::new(result)));
            }
        }
        fixture
    }

    pub(crate) fn now(&self) -> Now {
        self.clock.now()
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
    }

    pub(crate) fn id(&self, name: &str) -> SiteId {
        self.monitor.find(name).unwrap().id()
    }

    fn observe(&mut self, outcome: &Outcome) {
        self.monitor
            .observe(outcome, self.clock.now(), &mut Vec::new());
    }

    fn checked(&mut self, name: &str, reason: Option<Reason>, status: Option<u16>, millis: u64) {
        let result = self.result(self.id(name), reason, status, millis);
        self.observe(&Outcome::Checked(Arc::new(result)));
    }

    pub(crate) fn pass(&mut self, name: &str, millis: u64) {
        let slow = millis > 2_000;
        let status = if name == "auth.example" { 204 } else { 200 };
        let aged = name == "shop.example";
        let reason = match (slow, aged) {
            (true, _) => Some(Reason::Slow),
            (_, true) => Some(Reason::Certificate),
            _ => None,
        };
        self.checked(name, reason, Some(status), millis);
    }

    pub(crate) fn fail(&mut self, name: &str, status: u16) {
        let status = if status < 100 { 500 } else { status };
        self.checked(name, Some(Reason::Status), Some(status), 90);
    }

    pub(crate) fn time_out(&mut self, name: &str) {
        self.checked(name, Some(Reason::Timeout), None, 10_000);
    }

    pub(crate) fn blind(&mut self, name: &str) {
        self.checked(name, Some(Reason::Internal), None, 0);
    }

    /// A good check that was started `late` milliseconds after it was due.
    pub(crate) fn pass_late(&mut self, name: &str, late: u64) {
        let mut result = self.result(self.id(name), None, Some(200), 80);
        result.late = Duration::from_millis(late);
        self.observe(&Outcome::Checked(Arc::new(result)));
    }

    pub(crate) fn miss(&mut self, name: &str) {
        let job = JobId {
            site: self.id(name),
            due: self.now().mono,
        };
        self.observe(&Outcome::Missed(job));
    }

    /// What a check of that kind gives.
    pub(crate) fn result(
        &self,
        id: SiteId,
        reason: Option<Reason>,
        status: Option<u16>,
        millis: u64,
    ) -> CheckResult {
        let now = self.now();
        let latency = Duration::from_millis(millis);
        let site = self.monitor.site(id).unwrap().site();
        let part = |share: u32| Some(latency * share / 100);
        let answered = status.is_some();
        let phases = Phases {
            dns: part(5)
                .filter(|_| reason != Some(Reason::Dns))
                .map(|dns| dns.min(Duration::from_millis(12))),
            connect: if answered {
                part(15)
            } else {
                Some(Duration::from_millis(30))
            },
            tls: part(30).filter(|_| answered),
            first_byte: part(50).filter(|_| answered),
        };
        let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10 + (id.index() % 200) as u8));
        let refused = reason == Some(Reason::Refused);
        let attempt = |address, millis, cause| FailedConnect {
            address,
            took: Duration::from_millis(millis),
            cause,
        };
        let failed_connects = if refused {
            vec![
                attempt("2001:db8::10".parse().unwrap(), 1, ConnectCause::NoRoute),
                attempt(address, 30, ConnectCause::Refused),
            ]
        } else {
            Vec::new()
        };
        let request = |method, status: Option<u16>, note: &str, took| RequestRecord {
            method,
            url: site.spec.url.shown().into(),
            address: (!refused).then_some(address),
            resolved: vec![address, "2001:db8::10".parse().unwrap()],
            failed_connects: failed_connects.clone(),
            status,
            phases,
            took,
            note: note.into(),
        };
        let mut requests = Vec::new();
        let retried = id.index() % 4 == 1 && answered;
        if retried {
            requests.push(request(
                Method::Head,
                Some(405),
                "HEAD is refused, asked again by GET",
                latency / 2,
            ));
        }
        let method = if retried { Method::Get } else { Method::Head };
        requests.push(request(method, status, "", latency));
        CheckResult {
            job: JobId {
                site: id,
                due: now.mono,
            },
            verdict: reason.map_or(crate::domain::Verdict::Up, Reason::verdict),
            reason,
            error: reason.filter(|_| !answered).map(|reason| match reason {
                Reason::Timeout => {
                    "no answer within 10s: the server took the connection and then said nothing"
                        .into()
                }
                _ => "the connection was refused".into(),
            }),
            status,
            started_at: now.wall,
            started: now.mono,
            latency,
            late: Duration::from_millis(id.index() as u64 % 5 * 10),
            phases,
            method,
            attempts: 1 + u16::from(retried),
            redirects: 0,
            certificate: answered.then(|| Certificate {
                not_after: Timestamp::from_micros(
                    now.wall.as_micros()
                        + if reason == Some(Reason::Certificate) {
                            9
                        } else {
                            61
                        } * 86_400_000_000,
                ),
                subject: format!("CN={}", site.name).into(),
                issuer: "CN=R11,O=Let's Encrypt,C=US".into(),
            }),
            requests,
            ran_on: RanOn {
                host: "web-1".into(),
                pid: 4100,
                tid: 4101 + (id.index() % 4) as u32,
                thread: format!("squirrel-w{}", id.index() % 4 + 1).into(),
            },
        }
    }

    /// The view model of these sites, with the paradigm `async`.
    pub(crate) fn model(&self) -> ViewModel<'_> {
        ViewModel {
            monitor: &self.monitor,
            now: self.now(),
            paradigms: &PARADIGMS,
            active: 2,
            census: Census {
                workers: 1_000,
                running: 3,
                queued: 0,
                threads: 2,
                processes: 1,
            },
            resizable: true,
            trace: TraceView {
                store: &self.store,
                kernel: &self.kernel,
                capacity: None,
                interval: None,
                on: true,
                pid: 4_100,
                queue: None,
            },
            history: &self.history,
            replay: &self.replay,
            process: ProcessStats {
                cpu: Some(0.03),
                rss: Some(14 << 20),
            },
            lab: LabView {
                cores: 2,
                ..LabView::default()
            },
            next_due: &next_due,
            silence: &|_| None,
            on_call: &[],
            form: SiteFormView::ALONE,
            message: None,
            messages: &[],
            banner: None,
            config_path: "sites.toml",
            demo: false,
        }
    }
}
