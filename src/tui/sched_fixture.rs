//! Simulated sweeps for tests: the trace as a paradigm would have recorded it.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::{JobId, Moment, Phase, RanOn, Reason, SiteId, Verdict};
use crate::monitor::Monitor;
use crate::paradigm::Census;
use crate::trace::{
    CheckRecord, Fetched, PollLog, RecordedVerdict, Recorder, Slice, SliceKind, Step,
    ThreadPresence, TraceStore, here,
};

/// The workers of a simulated paradigm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crew {
    /// One process, so many threads, each with a check at a time.
    Threads(usize),
    /// So many processes, each with a check at a time.
    Processes(usize),
    /// One thread, all checks at once.
    Green,
    /// A worker on each of these hosts, with one thread and a check at a time.
    Hosts(&'static [&'static str]),
}

/// How long each site takes, in milliseconds; the fourth does not answer.
const WAITS: [u64; 16] = [
    200, 300, 310, 1_500, 420, 540, 260, 35, 610, 480, 220, 150, 95, 12, 130, 700,
];
/// The index of the site that does not answer.
const HANGS: usize = 3;

/// The trace of a sweep that began at `due`, as it is `after` later.
pub(crate) struct SchedFixture {
    pub(crate) store: TraceStore,
    pub(crate) census: Census,
    _present: Vec<ThreadPresence>,
}

impl SchedFixture {
    pub(crate) fn new(crew: Crew, monitor: &Monitor, due: Moment, after: Duration) -> Self {
        let now = due + after;
        let recorder = Recorder::new();
        let lanes: Vec<RanOn> = lanes(crew);
        let present = lanes
            .iter()
            .map(|who| recorder.enter(who.clone()))
            .collect();
        let all: Vec<SiteId> = monitor.ids().to_vec();
        let many = crew == Crew::Green;
        let mut free = vec![due; lanes.len()];
        let (mut ended, mut waiting, mut running) = (Vec::new(), Vec::new(), 0);
        for (place, site) in all.iter().enumerate() {
            let lane = (0..lanes.len()).min_by_key(|lane| free[*lane]).unwrap();
            // One task after another is begun, which takes a little.
            let start = if many {
                due + Duration::from_micros(150) * place as u32
            } else {
                free[lane]
            };
            let job = JobId { site: *site, due };
            if start > now {
                waiting.push(job);
                continue;
            }
            let wait = Duration::from_millis(WAITS[place % WAITS.len()]);
            let end = start + wait;
            free[lane] = end;
            let record = record(job, start, end, &lanes[lane], place % WAITS.len() == HANGS);
            if end > now {
                running += 1;
            }
            // One in flight is as good as one that will have ended.
            ended.push(record);
        }
        let mut store = TraceStore::new();
        store.set_workers(lanes.len().max(if many { 1_000 } else { 0 }), due);
        ended.sort_by_key(|record| record.ended);
        let over = ended.iter().filter(|record| record.ended <= now).cloned();
        store.absorb(Fetched {
            ended: over.collect(),
            dropped: 0,
        });
        let census = Census {
            workers: if many { 1_000 } else { lanes.len() },
            running,
            queued: waiting.len(),
            threads: lanes.len(),
            processes: match crew {
                Crew::Processes(number) => number,
                Crew::Hosts(hosts) => hosts.len(),
                _ => 1,
            },
        };
        store.update(&recorder, waiting, all.len(), now);
        store.set_in_flight(ended.into_iter().filter(|record| record.ended > now), now);
        Self {
            store,
            census,
            _present: present,
        }
    }
}

fn lanes(crew: Crew) -> Vec<RanOn> {
    let host: Arc<str> = here().host;
    let who = |pid, tid, thread: String| RanOn {
        host: Arc::clone(&host),
        pid,
        tid,
        thread: thread.into(),
    };
    match crew {
        Crew::Threads(1) => vec![who(4_100, 4_101, "serial".to_owned())],
        Crew::Threads(number) => (1..=number as u32)
            .map(|n| who(4_100, 4_100 + n, format!("thread-{n}")))
            .collect(),
        Crew::Processes(number) => (1..=number as u32)
            .map(|n| who(4_110 + n, 4_110 + n, format!("process-{n}")))
            .collect(),
        Crew::Green => vec![who(4_100, 4_101, "green".to_owned())],
        Crew::Hosts(hosts) => (911..)
            .zip(hosts)
            .map(|(pid, name)| RanOn {
                host: (*name).into(),
                ..who(pid, pid, "celery-worker".to_owned())
            })
            .collect(),
    }
}

fn record(job: JobId, start: Moment, end: Moment, who: &RanOn, hangs: bool) -> CheckRecord {
    let slice = |at: Moment, micros| Slice {
        ready: at,
        start: at,
        end: at + Duration::from_micros(micros),
        tid: who.tid,
        doing: SliceKind::Running,
    };
    let connected = start + end.since(start) / 10;
    let step = |at, phase| Step { at, phase };
    CheckRecord {
        job,
        started: start,
        ended: end,
        ran_on: who.clone(),
        log: PollLog {
            slices: smallvec::smallvec![
                slice(start, 120),
                slice(connected, 60),
                slice(end - Duration::from_micros(80), 80),
            ],
            steps: smallvec::smallvec![
                step(start, Phase::Connect),
                step(connected, Phase::FirstByte),
            ],
            dropped: 0,
        },
        found: Some(RecordedVerdict {
            verdict: if hangs { Verdict::Down } else { Verdict::Up },
            reason: hangs.then_some(Reason::Timeout),
        }),
    }
}
