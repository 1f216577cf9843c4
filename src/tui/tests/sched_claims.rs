//! What the Scheduling screen says in words and numbers, and what it does not claim.

use std::time::Duration;

use ratatui::style::Modifier;

use crate::tui::fixture::Fixture;
use crate::tui::sched_fixture::{Crew, SchedFixture};

use super::harness::{LARGE, MEDIUM, SMALL, draw, lines};
use super::sched::{SERIAL, THREADS, model, sweep, text, watching};

#[test]
fn the_cause_blames_the_culprit_and_not_the_victim() {
    let fixture = Fixture::fresh();
    let work = sweep(&fixture, Crew::Threads(1), 6_500);
    let model = model(&fixture, &work, &[SERIAL], 6_500);
    let lines = text(&model, LARGE, "");
    let (cause, law) = (&lines[3], &lines[4]);
    assert!(
        cause.contains("日本語サイト.example started 5.3s late"),
        "{cause}"
    );
    let behind = "behind pay.example/charge 1.5s and 14 more checks on the one worker.";
    assert!(cause.contains(behind), "{cause}");
    assert!(law.contains("sweep = SUM of all waits = 5.9s"), "{law}");
}

#[test]
fn a_sweep_that_another_paradigm_ran_says_nothing_of_this_one() {
    let fixture = Fixture::fresh();
    let mut work = sweep(&fixture, Crew::Threads(4), 6_500);
    work.store
        .switched(fixture.now().mono + Duration::from_millis(6_000));
    let model = model(&fixture, &work, &[THREADS], 6_500);
    let lines = text(&model, LARGE, "");
    let (facts, law) = (&lines[2], &lines[4]);
    assert!(
        facts.contains("before the switch a sweep of 16 in"),
        "{facts}"
    );
    let unmeasured = "a sweep is about the SUM of all waits ÷ 4";
    assert!(law.contains(unmeasured), "{law}");
}

#[test]
fn a_pool_that_may_still_grow_is_drawn_as_one_that_has_grown() {
    let fixture = Fixture::fresh();
    let mut work = sweep(&fixture, Crew::Threads(4), 700);
    let labels = [THREADS];
    let lanes = |work: &SchedFixture| {
        let model = model(&fixture, work, &labels, 700);
        let lines = text(&model, MEDIUM, "");
        let lanes = lines.into_iter().filter(|line| line.contains("thread-"));
        lanes.collect::<Vec<_>>()
    };
    let grown = lanes(&work);
    work.census.workers = 16;
    assert_eq!(lanes(&work), grown);
    assert_eq!(grown.len(), 4);
}

#[test]
fn while_nothing_is_recorded_nothing_is_claimed() {
    let fixture = Fixture::fresh();
    let work = sweep(&fixture, Crew::Threads(4), 6_500);
    let labels = [THREADS];
    let mut model = model(&fixture, &work, &labels, 6_500);
    model.trace.on = false;
    let lines = text(&model, MEDIUM, "");
    assert!(lines[2].contains("worst late shown -"), "{}", lines[2]);
    let lanes = lines.iter().filter(|line| line.contains("thread-"));
    for lane in lanes {
        assert!(!lane.contains('%') && !lane.contains('_'), "{lane}");
    }
}

#[test]
fn among_tasks_the_cursor_stands_in_the_row_of_its_check() {
    let fixture = Fixture::fresh();
    let work = sweep(&fixture, Crew::Threads(4), 6_500);
    let labels = [THREADS];
    let model = model(&fixture, &work, &labels, 6_500);
    for size in [SMALL, MEDIUM] {
        let ui = watching(&model, size, "v v Left");
        let frame = draw(&ui, &model, size);
        let shown = lines(&frame);
        let reversed = |row: &usize| {
            let cells = (0..size.0).filter_map(|x| frame.cell((x, *row as u16)));
            let mut cells = cells.filter(|cell| cell.modifier.contains(Modifier::REVERSED));
            // The names of lanes, and not the screens in the first line.
            cells.next().is_some() && *row > 1
        };
        let selected: Vec<_> = (0..shown.len()).filter(reversed).collect();
        assert_eq!(selected.len(), 1, "{shown:#?}");
        let name = shown[selected[0]].split_whitespace().next().unwrap();
        let name = name.trim_end_matches('…');
        let detail = shown.iter().find(|line| line.contains(": began ")).unwrap();
        assert!(detail.trim_start().starts_with(name), "{name}: {detail}");
    }
}

#[test]
fn while_a_sweep_runs_the_facts_say_how_far_it_is() {
    let fixture = Fixture::fresh();
    let work = sweep(&fixture, Crew::Threads(4), 700);
    let model = model(&fixture, &work, &[THREADS], 700);
    let wide = &text(&model, MEDIUM, "")[2];
    let facts = "1 process, 4 threads | running 4 of 16 | queue 6 | sweep 6 of 16 in 700ms | worst late shown 0.7s";
    assert!(wide.contains(facts), "{wide}");
    let narrow = &text(&model, SMALL, "")[2];
    assert!(
        narrow.contains("queue 6 | sweep 700ms… | worst 0.7s"),
        "{narrow}"
    );
}
