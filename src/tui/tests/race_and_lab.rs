//! Race and Lab: what a reader can tell from one screen, and what the keys ask for.

use std::time::Duration;

use insta::assert_snapshot;

use crate::domain::{JobId, Moment, Phase, RanOn, SiteId};
use crate::lab::{
    Contender, Experiment, ExperimentEvent, ExperimentState, JobList, RaceEvent, RacePlan,
    RaceState, RunSnapshot, TimedRun, Workload,
};
use crate::paradigm::{ALL, position};
use crate::trace::{CheckRecord, PollLog, Slice, SliceKind, Step};
use crate::tui::fixture::Fixture;
use crate::tui::ui::Ui;
use crate::tui::view_model::{Intent, LabRequest, LabView, ViewModel};

use super::harness::{LARGE, MEDIUM, SMALL, draw, lines, options, press, shot};

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn at(time: u64) -> Moment {
    Moment::ZERO + millis(10_000 + time)
}

/// A run of four jobs that took `sweep` milliseconds.
fn timed_run(sweep: u64, threads: usize, processes: usize) -> TimedRun {
    TimedRun {
        sweep: millis(sweep),
        ready: Duration::from_micros(180 * threads as u64),
        late: [0, 1, 2, sweep / 2].map(millis).to_vec(),
        slowest: (3, millis(1_000)),
        unknown: 0,
        why: None,
        threads,
        processes,
        cpu: Some(millis(40 + 10 * processes as u64)),
        switches: Some(120),
        peak_rss: Some((10 + 2 * processes as u64) << 20),
        due: at(0),
        records: Vec::new(),
        handovers: 0,
    }
}

/// A race over four sleeps, as it is after `runs` runs.
fn race(timed_runs: usize) -> RaceState {
    let contender = |entry| Contender {
        entry,
        workers: 4,
        listed: true,
    };
    let plan = RacePlan {
        job_list: JobList::sleep(4, millis(1_000)),
        contenders: ALL.iter().take(6).map(contender).collect(),
        rounds: 1,
        gil: false,
        traced: false,
    };
    let mut race_state = RaceState::of(&plan);
    race_state.cores = 2;
    let sweeps = [
        (4_003, 1, 1),
        (1_004, 4, 1),
        (1_006, 4, 1),
        (1_012, 5, 5),
        (1_001, 1, 1),
        (1_001, 2, 1),
    ];
    for (place, (sweep, threads, processes)) in sweeps.into_iter().take(timed_runs).enumerate() {
        let timed_run = Box::new(timed_run(sweep, threads, processes));
        race_state.apply(RaceEvent::RunDone { place, timed_run });
    }
    if timed_runs < 6 {
        race_state.apply(RaceEvent::UnderWay {
            place: timed_runs,
            round: 1,
            done: 1,
            elapsed: millis(700),
        });
    } else {
        race_state.apply(RaceEvent::Over { stopped: false });
    }
    race_state
}

fn record(job: usize, from: u64, to: u64, slices: Vec<Slice>) -> CheckRecord {
    CheckRecord {
        job: JobId {
            site: SiteId::from_index(job),
            due: at(0),
        },
        started: at(from),
        ended: at(to),
        ran_on: RanOn {
            host: "h".into(),
            pid: 4_100,
            tid: 4_101 + job as u32,
            thread: format!("thread-{}", job + 1).into(),
        },
        log: PollLog {
            slices: slices.into(),
            steps: smallvec::smallvec![Step {
                at: at(from),
                phase: Phase::FirstByte,
            }],
            dropped: 0,
        },
        found: None,
    }
}

fn slice(job: usize, doing: SliceKind, from: u64, to: u64) -> Slice {
    Slice {
        ready: at(from),
        start: at(from),
        end: at(to),
        tid: 4_101 + job as u32,
        doing,
    }
}

/// Four threads that crunch 100 ms each: in turns of 5 ms under the lock, at once without.
fn crunched(gil: bool) -> TimedRun {
    const TURN: u64 = 5;
    let records = (0..4).map(|job| {
        if !gil {
            return record(job, 0, 200, vec![slice(job, SliceKind::Running, 0, 200)]);
        }
        let mut slices = Vec::new();
        for turn in 0..20 {
            let from = (turn * 4 + job as u64) * TURN;
            let waited = slices
                .last()
                .map_or(0, |last: &Slice| (last.end.since(at(0)).as_millis()) as u64);
            slices.push(slice(job, SliceKind::Locked, waited, from));
            slices.push(slice(job, SliceKind::Running, from, from + TURN));
        }
        let end = (19 * 4 + job as u64 + 1) * TURN;
        record(job, 0, end, slices)
    });
    let records: Vec<_> = records.collect();
    let sweep = if gil { 400 } else { 200 };
    TimedRun {
        records,
        cpu: Some(millis(400)),
        handovers: if gil { 79 } else { 0 },
        ..timed_run(sweep, 4, 1)
    }
}

fn experiment() -> Experiment {
    Experiment {
        workload: Workload::Crunch,
        entry: &ALL[position("threads").unwrap()],
        jobs: 4,
        length: millis(100),
        cores: 2,
    }
}

fn tried() -> ExperimentState {
    let mut experiment_state = ExperimentState::new(experiment());
    for gil in [true, false] {
        let timed_run = Box::new(Ok(crunched(gil)));
        experiment_state.apply(ExperimentEvent::Done { gil, timed_run });
    }
    experiment_state
}

/// The view model with `threads` in use and this race and experiment.
fn model<'a>(fixture: &'a Fixture, lab: LabView<'a>) -> ViewModel<'a> {
    ViewModel {
        active: 1,
        lab: LabView { cores: 2, ..lab },
        ..fixture.model()
    }
}

fn screen(model: &ViewModel<'_>, size: (u16, u16), keys: &str) -> Ui {
    let mut ui = Ui::new(options(), size);
    ui.tick(model);
    press(&mut ui, model, keys);
    ui
}

fn text(model: &ViewModel<'_>, size: (u16, u16), keys: &str) -> String {
    lines(&draw(&screen(model, size, keys), model, size)).join("\n")
}

#[test]
fn a_race_is_bars_on_one_scale_and_says_who_won_and_why() {
    let fixture = Fixture::fresh();
    for (name, timed_runs) in [("race_under_way", 3), ("race_over", 6)] {
        let race_state = race(timed_runs);
        let shop = LabView {
            race_state: Some(&race_state),
            racing: timed_runs < 6,
            ..LabView::default()
        };
        let model = model(&fixture, shop);
        for size in [SMALL, MEDIUM] {
            let ui = screen(&model, size, "F3");
            assert_snapshot!(format!("{name}_{}", size.0), shot(&draw(&ui, &model, size)));
        }
    }
}

#[test]
fn one_that_cannot_run_says_why_in_its_row() {
    let fixture = Fixture::fresh();
    let mut race_state = race(6);
    let why = "no broker answers at redis://127.0.0.1:6379".to_owned();
    race_state.apply(RaceEvent::CannotRun { place: 4, why });
    let shop = LabView {
        race_state: Some(&race_state),
        ..LabView::default()
    };
    for size in [SMALL, MEDIUM, LARGE] {
        let text = text(&model(&fixture, shop), size, "F3");
        assert!(text.contains("cannot run: no broker answers at"), "{text}");
        assert!(text.contains("async"), "{text}");
    }
}

#[test]
fn before_the_first_race_the_screen_says_what_one_is() {
    let fixture = Fixture::fresh();
    let text = text(&model(&fixture, LabView::default()), SMALL, "F3");
    assert!(
        text.contains("RACE over 16 sites, lock off | Enter starts it"),
        "{text}"
    );
    assert!(text.contains("one after another"), "{text}");
}

#[test]
fn the_lab_shows_both_runs_on_one_scale_beside_their_predictions() {
    let fixture = Fixture::fresh();
    let experiment_state = tried();
    let shop = LabView {
        experiment_state: Some(&experiment_state),
        ..LabView::default()
    };
    let model = model(&fixture, shop);
    // From a second down to 100 ms.
    const LENGTH: &str = "F4 Left Left Left";
    for size in [SMALL, MEDIUM] {
        let ui = screen(&model, size, LENGTH);
        assert_snapshot!(format!("lab_{}", size.0), shot(&draw(&ui, &model, size)));
    }
    let close = text(&model, SMALL, &format!("{LENGTH} z"));
    assert!(close.contains("close-up: the first 142ms"), "{close}");
    assert!(close.contains("of 408ms"), "{close}");
}

/// Under the lock no two threads run in the same column, at any zoom.
#[test]
fn look_down_any_column_and_there_is_one_that_runs() {
    let fixture = Fixture::fresh();
    let experiment_state = tried();
    let shop = LabView {
        experiment_state: Some(&experiment_state),
        ..LabView::default()
    };
    let model = model(&fixture, shop);
    let ui = screen(&model, SMALL, "F4 Left Left Left z");
    let frame = draw(&ui, &model, SMALL);
    let all = lines(&frame);
    let first = all
        .iter()
        .position(|line| line.contains("LOCK ON"))
        .unwrap() as u16
        + 1;
    for x in 23..79 {
        let full = (first..first + 4)
            .filter(|y| frame[(x, *y)].symbol() == "█")
            .count();
        assert!(full <= 1, "column {x}: {}", all.join("\n"));
    }
}

#[test]
fn before_a_run_there_is_a_prediction_with_its_formula() {
    let fixture = Fixture::fresh();
    let model = model(&fixture, LabView::default());
    let text = |keys| text(&model, SMALL, keys);
    let crunch = text("F4");
    assert!(
        crunch.contains("predicted 4 x 1.00s ÷ 1 lock = 4.00s"),
        "{crunch}"
    );
    assert!(
        crunch.contains("predicted 4 x 1.00s ÷ 2 cores = 2.00s"),
        "{crunch}"
    );
    let sleep = text("F4 x");
    assert!(
        sleep.contains("4.00s") || sleep.contains("as many at once = 1.00s"),
        "{sleep}"
    );
    let more = text("F4 Up Up Right");
    assert!(more.contains("6 x crunch of 2.00s"), "{more}");
    assert!(text("F4 G").contains("| lock on | Enter runs"));
    assert!(text("F4 G G").contains("| lock off | Enter runs"));
}

#[test]
fn a_run_under_way_is_seen_growing() {
    let fixture = Fixture::fresh();
    let mut experiment_state = ExperimentState::new(experiment());
    let snapshot = Box::new(RunSnapshot {
        due: at(0),
        now: at(150),
        records: crunched(true).records,
    });
    experiment_state.apply(ExperimentEvent::UnderWay {
        gil: true,
        snapshot,
    });
    let shop = LabView {
        experiment_state: Some(&experiment_state),
        trying: true,
        ..LabView::default()
    };
    let text = text(&model(&fixture, shop), SMALL, "F4");
    assert!(
        text.contains("Running with the lock: 150ms of 400ms predicted."),
        "{text}"
    );
    assert!(text.contains("Enter stops"), "{text}");
}

#[test]
fn keys_ask_for_what_the_screen_says() {
    let fixture = Fixture::fresh();
    let idle = model(&fixture, LabView::default());
    let mut ui = screen(&idle, SMALL, "F3");
    let wish = |wish| vec![Intent::Lab(wish)];
    let race = |workload, gil| wish(LabRequest::Race { workload, gil });
    assert_eq!(press(&mut ui, &idle, "Enter"), race(Workload::Http, false));
    assert_eq!(
        press(&mut ui, &idle, "x G Enter"),
        race(Workload::Sleep, true)
    );
    assert_eq!(
        press(&mut ui, &idle, "x x x Enter"),
        race(Workload::Sleep, true)
    );
    let tried = press(&mut ui, &idle, "F4 x Up Left Enter");
    let wanted = LabRequest::Experiment {
        workload: Workload::Sleep,
        jobs: 5,
        length: millis(500),
        gils: vec![true, false],
    };
    assert_eq!(tried, wish(wanted));
    // Digits go on switching paradigms.
    assert_eq!(press(&mut ui, &idle, "1"), [Intent::Paradigm(0)]);
    let experiment_state = ExperimentState::new(experiment());
    let busy = model(
        &fixture,
        LabView {
            experiment_state: Some(&experiment_state),
            racing: true,
            trying: true,
            ..LabView::default()
        },
    );
    let mut ui = screen(&busy, SMALL, "F3");
    assert_eq!(press(&mut ui, &busy, "Enter"), wish(LabRequest::StopRace));
    let stop = press(&mut ui, &busy, "F4 Left Left Left Enter");
    assert_eq!(stop, wish(LabRequest::StopExperiment));
    let other = press(&mut ui, &busy, "Up Enter");
    assert!(
        matches!(
            &other[..],
            [Intent::Lab(LabRequest::Experiment { jobs: 5, .. })]
        ),
        "{other:?}"
    );
}

#[test]
fn help_has_the_terms_of_concurrency_right_below_the_keys_there() {
    let fixture = Fixture::fresh();
    let model = model(&fixture, LabView::default());
    for screen in ["F3", "F4"] {
        let text = text(&model, SMALL, &format!("{screen} ?"));
        assert!(
            text.contains("TERMS") && text.contains("concurrent, parallel"),
            "{text}"
        );
    }
    assert!(!text(&model, SMALL, "?").contains("TERMS"));
}
