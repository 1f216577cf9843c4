//! The Scheduling screen under each kind of crew: what a reader can tell from one picture.

use std::time::Duration;

use insta::assert_snapshot;

use crate::domain::Timestamp;
use crate::paradigm::{HostFigures, Label, Law, QueueFigures, WorkerFigures};
use crate::trace::{Capacity, Demand, WorkerResources};
use crate::tui::fixture::Fixture;
use crate::tui::options::Options;
use crate::tui::sched_fixture::{Crew, SchedFixture};
use crate::tui::ui::Ui;
use crate::tui::view_model::{Intent, TraceView, ViewModel};

use super::harness::{LARGE, MEDIUM, SMALL, draw, lines, options, press, shot};

pub(super) const SERIAL: Label = label('1', "serial", Law::Sum);
pub(super) const THREADS: Label = label('2', "threads", Law::SumByWorkers);
const PROCESSES: Label = label('4', "processes", Law::SumByWorkers);
const GREEN: Label = label('5', "green", Law::Slowest);
const CELERY: Label = label('7', "celery", Law::Slowest);

const fn label(key: char, name: &'static str, law: Law) -> Label {
    Label {
        key,
        name,
        summary: "",
        law,
    }
}

/// A sweep over the sixteen sites of the fixture, as it is `millis` after its beginning.
pub(super) fn sweep(fixture: &Fixture, crew: Crew, millis: u64) -> SchedFixture {
    let after = Duration::from_millis(millis);
    SchedFixture::new(crew, &fixture.monitor, fixture.now().mono, after)
}

pub(super) fn model<'a>(
    fixture: &'a Fixture,
    work: &'a SchedFixture,
    labels: &'a [Label],
    millis: u64,
) -> ViewModel<'a> {
    let model = fixture.model();
    let mut now = fixture.now();
    now.mono = now.mono + Duration::from_millis(millis);
    now.wall = Timestamp::from_micros(now.wall.as_micros() + millis as i64 * 1_000);
    ViewModel {
        now,
        paradigms: labels,
        active: 0,
        census: work.census,
        trace: TraceView {
            store: &work.store,
            ..model.trace
        },
        ..model
    }
}

pub(super) fn watching(model: &ViewModel<'_>, size: (u16, u16), keys: &str) -> Ui {
    let mut ui = Ui::new(options(), size);
    ui.tick(model);
    press(&mut ui, model, "Tab");
    if !keys.is_empty() {
        press(&mut ui, model, keys);
    }
    ui
}

pub(super) fn text(model: &ViewModel<'_>, size: (u16, u16), keys: &str) -> Vec<String> {
    lines(&draw(&watching(model, size, keys), model, size))
}

#[test]
fn each_paradigm_has_a_picture_of_its_own() {
    let fixture = Fixture::fresh();
    for (label, crew, keys) in [
        (SERIAL, Crew::Threads(1), "v"),
        (THREADS, Crew::Threads(4), ""),
        (PROCESSES, Crew::Processes(4), ""),
        (GREEN, Crew::Green, "v v"),
    ] {
        let work = sweep(&fixture, crew, 6_500);
        let labels = [label];
        let model = model(&fixture, &work, &labels, 6_500);
        for size in [SMALL, MEDIUM, LARGE] {
            let ui = watching(&model, size, keys);
            let name = format!("sched_{}_{}", label.name, size.0);
            assert_snapshot!(name, shot(&draw(&ui, &model, size)));
        }
    }
}

#[test]
fn where_one_site_is_slow_it_is_named_with_the_others() {
    let fixture = Fixture::fresh();
    let work = sweep(&fixture, Crew::Green, 2_000);
    let model = model(&fixture, &work, &[GREEN], 2_000);
    let lines = text(&model, MEDIUM, "");
    assert!(lines[3].contains("Nothing is late"), "{}", lines[3]);
    assert!(
        lines[4].contains("sweep = the SLOWEST wait: pay.example/charge 1.5s, other"),
        "{}",
        lines[4]
    );
    assert!(
        lines[2].contains("1 process, 1 thread | running 0 of 16"),
        "{}",
        lines[2]
    );
}

#[test]
fn a_list_that_cannot_be_held_is_said_with_its_figures() {
    let fixture = Fixture::fresh();
    let work = sweep(&fixture, Crew::Threads(1), 6_500);
    let labels = [SERIAL];
    let model = model(&fixture, &work, &labels, 6_500);
    let demand = Demand::of(vec![Duration::from_secs(2); 16]);
    let crew = WorkerResources {
        workers: 1,
        threads: 1,
        cores: 2,
    };
    let means = work.store.means().unwrap();
    let capacity = Capacity::measure(demand, means, crew);
    let model = ViewModel {
        trace: TraceView {
            capacity: Some(capacity),
            ..model.trace
        },
        ..model
    };
    let lines = text(&model, LARGE, "");
    let holds = "serial holds 5 of 16 sites at 2s: 11 late";
    assert!(lines[1].contains(holds), "{}", lines[1]);
    assert!(lines[3].contains(holds), "{}", lines[3]);
    let narrow = text(&model, SMALL, "");
    assert!(narrow[1].contains(holds), "{}", narrow[1]);
}

#[test]
fn the_cursor_goes_from_check_to_check_and_tells_what_it_did() {
    let fixture = Fixture::fresh();
    let work = sweep(&fixture, Crew::Threads(4), 2_000);
    let model = model(&fixture, &work, &[THREADS], 2_000);
    let mut ui = watching(&model, MEDIUM, "Left");
    let frame = draw(&ui, &model, MEDIUM);
    let newest = lines(&frame);
    assert!(
        newest[33].contains("日本語サイト.example UP: began 13:57:01"),
        "{}",
        newest[33]
    );
    assert!(
        newest[34].contains("3 polls ran 0.26ms; waited for connect 69ms, first byte 629ms"),
        "{}",
        newest[34]
    );
    press(&mut ui, &model, "Left");
    let before = lines(&draw(&ui, &model, MEDIUM));
    assert_ne!(before[33], newest[33]);
    press(&mut ui, &model, "Right Up Up Up");
    let above = lines(&draw(&ui, &model, MEDIUM));
    assert!(above[33].contains("on thread-1"), "{}", above[33]);
    assert_eq!(press(&mut ui, &model, "Enter"), []);
    let explained = lines(&draw(&ui, &model, MEDIUM)).join("\n");
    assert!(explained.contains("Explain"), "{explained}");
    press(&mut ui, &model, "q Esc");
    let live = lines(&draw(&ui, &model, MEDIUM)).join("\n");
    assert!(
        live.contains("^now") && live.contains("─ network"),
        "{live}"
    );
}

#[test]
fn zoom_pan_and_freeze_say_what_is_shown() {
    let fixture = Fixture::fresh();
    let work = sweep(&fixture, Crew::Threads(4), 6_000);
    let model = model(&fixture, &work, &[THREADS], 6_000);
    let heading = |keys: &str| text(&model, MEDIUM, keys)[4].clone();
    assert!(heading("").contains("by thread, 10s a page"));
    assert!(heading("z z").contains("2500ms a page") || heading("z z").contains("2.5s a page"));
    assert!(heading("z").contains("zoom 2x"));
    assert!(heading("Z").contains("zoom 1/2"));
    assert!(heading("z PgUp").contains("stands at "));
    assert!(text(&model, MEDIUM, "z PgUp G").join("\n").contains("^now"));
    let frozen = text(&model, MEDIUM, "Space").join("\n");
    assert!(
        frozen.contains("FROZEN") && !frozen.contains("^now"),
        "{frozen}"
    );
}

#[test]
fn a_thousand_tasks_collapse_and_nothing_is_left_out_silently() {
    let fixture = Fixture::many(1_000);
    let work = sweep(&fixture, Crew::Green, 20);
    let labels = [GREEN];
    let model = model(&fixture, &work, &labels, 20);
    for size in [SMALL, MEDIUM] {
        let lines = text(&model, size, "v v z z z z");
        let all = lines.join("\n");
        let tasks = lines
            .iter()
            .filter(|line| line.starts_with(" site-"))
            .count();
        // Those that have not begun are no tasks yet.
        let begun = 1_000 - work.census.queued;
        let hidden = format!("…{} more checks, not shown", begun - tasks);
        assert!(all.contains(&hidden), "{all}");
        let queue = format!("queue {}", work.census.queued);
        let flight = format!("in flight {}", work.census.running);
        assert!(all.contains(&queue) && all.contains(&flight), "{all}");
    }
    let ui = watching(&model, MEDIUM, "v v z z z z");
    assert_snapshot!("sched_thousand_120", shot(&draw(&ui, &model, MEDIUM)));
}

#[test]
fn in_ascii_and_without_colour_every_mark_is_its_own() {
    let fixture = Fixture::fresh();
    let work = sweep(&fixture, Crew::Threads(4), 6_500);
    let labels = [THREADS];
    let model = model(&fixture, &work, &labels, 6_500);
    let plain = Options {
        ascii: true,
        color: false,
        ..options()
    };
    let mut ui = Ui::new(plain, SMALL);
    ui.tick(&model);
    press(&mut ui, &model, "Tab");
    let frame = draw(&ui, &model, SMALL);
    assert!(frame.content.iter().all(|cell| cell.symbol().is_ascii()));
    assert_snapshot!("sched_ascii_80", shot(&frame));
}

#[test]
fn recording_is_switched_and_exported_by_key() {
    let fixture = Fixture::fresh();
    let work = sweep(&fixture, Crew::Threads(4), 500);
    let on = model(&fixture, &work, &[THREADS], 500);
    let mut ui = watching(&on, MEDIUM, "");
    assert_eq!(
        press(&mut ui, &on, "T e"),
        [Intent::Record(false), Intent::Export]
    );
    let off = ViewModel {
        trace: TraceView {
            on: false,
            ..on.trace
        },
        ..on
    };
    let cause = lines(&draw(&ui, &off, MEDIUM))[3].clone();
    assert!(cause.contains("Recording is off"), "{cause}");
}

/// Workers on oslo and lima, one on rome that idles and one on bern that is gone.
fn queue() -> QueueFigures {
    let worker = |host: &str, pid, active, alive| WorkerFigures {
        node: format!("celery@{host}"),
        host: host.to_owned(),
        pid,
        alive,
        active,
        processed: 812,
        silent_for: Duration::from_millis(4_700),
        concurrency: Some(1),
        software: "squirrel 0.1.0".to_owned(),
    };
    let host = |host: &str, micros| HostFigures {
        host: host.into(),
        clock_offset_micros: Some(micros),
        processes: 1,
        threads: 1,
        checks: 812,
    };
    QueueFigures {
        broker: "redis://:***@10.0.0.1:6379/0".to_owned(),
        depth: Some(12),
        round_trip: Some(Duration::from_micros(2_040)),
        workers: vec![
            worker("bern", 1, 0, false),
            worker("lima", 912, 1, true),
            worker("oslo", 911, 1, true),
            worker("rome", 377, 0, true),
        ],
        hosts: vec![host("lima", -412), host("oslo", 1_250_000)],
        resent: 3,
        duplicates: 1,
        ..QueueFigures::default()
    }
}

#[test]
fn under_celery_the_broker_has_a_row_and_workers_stand_by_host() {
    let fixture = Fixture::fresh();
    let work = sweep(&fixture, Crew::Hosts(&["oslo", "lima"]), 1_800);
    let labels = [CELERY];
    let queue = queue();
    let model = model(&fixture, &work, &labels, 1_800);
    let model = ViewModel {
        trace: TraceView {
            queue: Some(&queue),
            ..model.trace
        },
        ..model
    };
    for size in [SMALL, MEDIUM] {
        let ui = watching(&model, size, "");
        let frame = draw(&ui, &model, size);
        assert_snapshot!(format!("sched_celery_{}", size.0), shot(&frame));
        let all = lines(&frame).join("\n");
        for said in [
            "10.0.0.1:6379/0 | r",
            "2.0ms | ",
            "depth 12",
            "sent again 3",
            "host lima, clock 0.4ms ahead",
            "host oslo, clock 1.2s behind",
            "worker celery@oslo, pid 911: 1 of 1 in flight, 812 done",
            "worker celery@bern, pid 1: GONE, last heard of 4.7s ago",
        ] {
            assert!(all.contains(said), "{said}: {all}");
        }
        for pid in [911, 912, 377] {
            assert!(all.contains(&format!(" pid {pid} ")), "{pid}: {all}");
        }
    }
}

#[test]
fn under_celery_the_table_says_host_and_process_where_it_is_not_wide() {
    let fixture = Fixture::mixed();
    let queue = queue();
    let model = fixture.model();
    let trace = TraceView {
        queue: Some(&queue),
        ..model.trace
    };
    let model = ViewModel { trace, ..model };
    let mut ui = Ui::new(options(), MEDIUM);
    ui.tick(&model);
    let all = lines(&draw(&ui, &model, MEDIUM)).join("\n");
    assert!(all.contains("RAN ON host/pid"), "{all}");
    assert!(all.contains("web-1/4100/squir"), "{all}");
}
