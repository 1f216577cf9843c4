//! The configuration of a simulated world, and the results of its checks, as the engine is
//! given them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use uptime_squirrel::alert::AlertRules;
use uptime_squirrel::domain::{
    CheckResult, CheckSpec, Escalation, JobId, MaskedUrl, Method, MethodChoice, Moment, Now, Owner,
    Phases, Quiet, RanOn, Reason, RequestRecord, Site, StatusSet, Tell, Verdict,
};
use uptime_squirrel::engine::EngineConfig;

use super::script::{Failing, FaultKind, Place, Script, SiteScript};
use super::truth::Found;

/// The name of the machine that the monitor runs on.
pub(super) const HERE: &str = "here";

const CHANNELS: [&str; 2] = ["email", "webhook"];

pub(super) fn site_name(number: usize) -> String {
    format!("site-{number}")
}

pub(super) fn owner_name(number: usize) -> String {
    format!("owner-{number}")
}

pub(super) const fn channel_name(number: usize) -> &'static str {
    CHANNELS[number]
}

/// The number of an owner or site, by its name.
pub(super) fn number_of(name: &str) -> usize {
    let digits = name.rsplit('-').next().unwrap_or_default();
    digits.parse().unwrap_or_default()
}

fn url(site: &SiteScript, number: usize) -> String {
    let host = site.host;
    match site.place {
        Place::Internet => format!("http://www.host{host}.example/{number}"),
        Place::Lan => format!("http://192.168.0.{host}/{number}"),
        Place::ThisMachine => format!("http://127.0.0.1:{}/{number}", 8000 + host),
    }
}

/// The configuration at `time`; the other one is like it, with shorter intervals and digests.
pub(super) fn configuration(script: &Script, time: u64, paused: &[bool]) -> EngineConfig {
    let holds = |kind: FaultKind| {
        let mut faults = script.faults.iter();
        faults.any(|fault| fault.kind == kind && (fault.at..fault.end()).contains(&time))
    };
    let other = holds(FaultKind::Reload);
    let user_agent: Arc<str> = "simulation".into();
    let sites = script.sites.iter().enumerate();
    let sites = sites.filter(|(number, _)| !holds(FaultKind::Removed(*number)));
    let sites = sites.map(|(number, site)| Site {
        name: site_name(number).into(),
        spec: Arc::new(CheckSpec {
            url: MaskedUrl::new(url(site, number)),
            timeout: Duration::from_secs(10),
            slow: Duration::from_secs(3),
            cert_warn: Duration::from_secs(14 * 86_400),
            expect_status: StatusSet::default(),
            contains: None,
            max_redirects: 10,
            user_agent: Arc::clone(&user_agent),
            method: MethodChoice::Auto,
            options: None,
        }),
        interval: Duration::from_nanos(if other {
            site.interval / 2
        } else {
            site.interval
        }),
        confirm: site.confirm,
        recover: site.recover,
        confirm_delay: Duration::from_nanos(site.confirm_delay),
        slow_after: Duration::from_secs(600),
        owners: site
            .owners
            .iter()
            .map(|owner| owner_name(*owner).into())
            .collect(),
        tags: Vec::new(),
        parent: site.parent.map(|parent| site_name(parent).into()),
        paused: paused[number],
    });
    let owners = script
        .owners
        .iter()
        .enumerate()
        .map(|(number, owner)| Owner {
            only: Vec::new(),
            rotation: None,
            zone: Some("UTC".into()),
            name: owner_name(number).into(),
            quiet: owner.quiet.map(|(from, to)| Quiet { from, to }),
            escalate: owner.escalate.map(|(to, after)| Escalation {
                to: owner_name(to).into(),
                after: Duration::from_nanos(after),
            }),
            tell: Tell {
                down: owner.tells_down,
                ..Tell::default()
            },
        });
    let channels: HashMap<_, _> = script
        .owners
        .iter()
        .enumerate()
        .map(|(number, owner)| {
            let channels = CHANNELS[..owner.channels].iter();
            (
                owner_name(number).into(),
                channels.map(|name| (*name).into()).collect(),
            )
        })
        .collect();
    EngineConfig {
        sites: sites.collect(),
        alerts: AlertRules {
            owners: owners.collect(),
            channels,
            last_resort: vec![owner_name(0).into()],
            remind: script.remind.map(Duration::from_nanos),
            digest: Duration::from_nanos(if other {
                script.digest / 2
            } else {
                script.digest
            }),
            ..AlertRules::default()
        },
        canaries: script.canaries,
    }
}

/// Results in the making: what all of them share.
#[derive(Debug)]
pub(super) struct ResultMaker {
    ran_on: RanOn,
    /// Two workers on other machines: one that sees, and one that is cut off.
    far: [RanOn; 2],
}

impl ResultMaker {
    pub(super) fn new() -> Self {
        let on = |host: &str| RanOn {
            host: host.into(),
            pid: 1,
            tid: 1,
            thread: "worker".into(),
        };
        Self {
            ran_on: on(HERE),
            far: ["far", "cut off"].map(on),
        }
    }

    /// The same result of a worker on another machine, the one that is `cut_off` or the other;
    /// where it sees nothing it asks canaries for as long as a round takes.
    pub(super) fn far(&self, mut result: CheckResult, cut_off: bool, sees: bool) -> CheckResult {
        result.ran_on = self.far[usize::from(cut_off)].clone();
        if !sees {
            result.latency = Duration::from_secs(5);
            result = result.unseen("its canaries do not answer");
        }
        result
    }

    /// The result of a check that began at `now`.
    pub(super) fn make(&self, job: JobId, found: Found, now: Now, millis: u64) -> CheckResult {
        let (verdict, reason, status) = match found {
            Found::Good | Found::PortalRedirect => (Verdict::Up, None, Some(200)),
            Found::Portal511 => (Verdict::Down, Some(Reason::Status), Some(511)),
            Found::Failed(Failing::Status) => (Verdict::Down, Some(Reason::Status), Some(500)),
            Found::Failed(Failing::Refused) => (Verdict::Down, Some(Reason::Refused), None),
            Found::Failed(Failing::Timeout) => (Verdict::Down, Some(Reason::Timeout), None),
            Found::Cut => (Verdict::Down, Some(Reason::Dns), None),
        };
        let latency = match found {
            Found::Failed(Failing::Timeout) => Duration::from_secs(10),
            _ => Duration::from_millis(millis),
        };
        let requests = if found == Found::PortalRedirect {
            vec![
                request("http://asked.invalid/", 302),
                request("http://portal.invalid/login", 200),
            ]
        } else {
            Vec::new()
        };
        CheckResult {
            job,
            verdict,
            reason,
            error: None,
            status,
            started_at: now.wall,
            started: now.mono,
            latency,
            late: now.mono.since(job.due.min(now.mono)),
            phases: Phases::default(),
            method: Method::Head,
            attempts: 1,
            redirects: 0,
            certificate: None,
            requests,
            ran_on: self.ran_on.clone(),
        }
    }
}

fn request(url: &str, status: u16) -> RequestRecord {
    RequestRecord {
        method: Method::Head,
        url: url.into(),
        address: None,
        resolved: Vec::new(),
        failed_connects: Vec::new(),
        status: Some(status),
        phases: Phases::default(),
        took: Duration::ZERO,
        note: "".into(),
    }
}

/// A moment on a clock that shows `nanos`.
pub(super) const fn moment(nanos: u64) -> Moment {
    Moment::from_nanos(nanos)
}
