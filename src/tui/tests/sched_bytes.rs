//! The Scheduling screen under a thousand checks a second: what a frame writes.

use std::time::Duration;

use crate::domain::{JobId, Moment, Phase, RanOn, SiteId, Timestamp, Verdict};
use crate::paradigm::Census;
use crate::trace::{
    CheckRecord, Fetched, PollLog, RecordedVerdict, Recorder, Slice, SliceKind, Step, TraceStore,
    here,
};
use crate::tui::fixture::{Fixture, site};
use crate::tui::frame_diff::FrameDiff;
use crate::tui::ui::Ui;
use crate::tui::view_model::{TraceView, ViewModel};

use super::harness::{MEDIUM, options, press};

/// Every one is due every second.
const SITES: usize = 1_000;

/// A check of the `number`th thread of so many, which waits for the network twice.
fn record(site: usize, round: u64, threads: u64, began: Moment) -> CheckRecord {
    let number = round * SITES as u64 + site as u64;
    let micros = |micros| Duration::from_micros(micros);
    let due = began + micros(number * 1_000);
    let started = due + micros(60 + number * 7 % 90);
    let answered = started + Duration::from_millis(100) + micros(number * 31 % 2_700);
    let tid = 4_101 + (number % threads) as u32;
    let slice = |start: Moment, length| Slice {
        ready: start,
        start,
        end: start + micros(length),
        tid,
        doing: SliceKind::Running,
    };
    CheckRecord {
        job: JobId {
            site: SiteId::from_index(site),
            due,
        },
        started,
        ended: answered + micros(90),
        ran_on: RanOn {
            host: here().host,
            pid: 4_100,
            tid,
            thread: format!("worker-{}", number % threads).into(),
        },
        log: PollLog {
            slices: [(started, 70), (started + micros(400), 40), (answered, 90)]
                .map(|(start, length)| slice(start, length))
                .into_iter()
                .collect(),
            steps: [
                (started, Phase::Connect),
                (started + micros(430), Phase::FirstByte),
            ]
            .map(|(at, phase)| Step { at, phase })
            .into_iter()
            .collect(),
            dropped: 0,
        },
        found: Some(RecordedVerdict {
            verdict: Verdict::Up,
            reason: None,
        }),
    }
}

/// The bytes of each frame after the first page, up to the third one's middle.
fn written(threads: u64, many: bool, keys: &str) -> Vec<usize> {
    const FRAME: Duration = Duration::from_millis(100);
    const PAGE: u64 = 10;
    let name = |index| site(&format!("127.0.0.1:40{:03}/{index}", index % 16));
    let fixture = Fixture::new((0..SITES).map(name).collect());
    let began = fixture.now().mono + Duration::from_secs(3);
    let recorder = Recorder::new();
    let mut store = TraceStore::new();
    let _present: Vec<_> = (0..threads)
        .map(|number| recorder.enter(record(number as usize, 0, threads, began).ran_on))
        .collect();
    store.set_workers(if many { 4_096 } else { threads as usize }, began);
    let mut all = (0..3 * PAGE).flat_map(|round| (0..SITES).map(move |site| (site, round)));
    let mut open: Vec<CheckRecord> = Vec::new();
    let (mut ui, mut sheet) = (Ui::new(options(), MEDIUM), FrameDiff::new());
    let mut bytes = Vec::new();
    for frame in 1..PAGE * 25 {
        let now = began + FRAME * frame as u32;
        while open.last().is_none_or(|last| last.started <= now) {
            let (site, round) = all.next().unwrap();
            open.push(record(site, round, threads, began));
        }
        let mut ended: Vec<_> = open.extract_if(.., |record| record.ended <= now).collect();
        ended.sort_by_key(|record| record.ended);
        store.absorb(Fetched { ended, dropped: 0 });
        store.update(&recorder, Vec::new(), SITES, now);
        let flying = open.iter().filter(|record| record.started <= now);
        store.set_in_flight(flying.cloned(), now);
        let model = fixture.model();
        let mut time = fixture.now();
        let passed = now.since(time.mono);
        time.mono = now;
        time.wall = Timestamp::from_micros(time.wall.as_micros() + passed.as_micros() as i64);
        let model = ViewModel {
            now: time,
            census: Census {
                workers: if many { 4_096 } else { threads as usize },
                running: store.running().count(),
                queued: 0,
                threads: threads as usize,
                processes: 1,
            },
            trace: TraceView {
                store: &store,
                ..model.trace
            },
            ..model
        };
        if frame == 1 {
            ui.tick(&model);
            press(&mut ui, &model, keys);
        }
        ui.tick(&model);
        bytes.push(sheet.advance(&ui, &model, MEDIUM).unwrap().len());
        ui.drawn(&model);
    }
    bytes.split_off(PAGE as usize * 10)
}

#[test]
fn a_frame_takes_less_than_two_kibibytes_also_where_a_page_is_turned() {
    for (threads, many) in [(2, true), (128, false)] {
        for keys in ["Tab", "Tab v", "Tab v v"] {
            let bytes = written(threads, many, keys);
            let most = bytes.iter().max();
            assert!(most < Some(&1_900), "{threads} threads, {keys}: {bytes:?}");
        }
    }
}
