//! Race and Lab in a terminal: experiments that run beside the monitor, by every paradigm,
//! child processes included.

use super::sites::{ONCE, SIZE, Three};
use crate::support::{Terminal, children_of, until};

fn monitor() -> (Three, Terminal) {
    let three = Three::new(ONCE);
    let mut terminal = Terminal::start(&three.squirrel, SIZE, []);
    terminal.wait_text("● 2 UP");
    (three, terminal)
}

/// The least time, in milliseconds, that workers took to be ready.
fn ready(text: &str) -> f64 {
    let times = text.split("ready in ").skip(1).map(|rest| {
        let time = rest.split_whitespace().next().unwrap();
        match time.strip_suffix("ms") {
            Some(millis) => millis.parse::<f64>().unwrap(),
            None => time.trim_end_matches('s').parse::<f64>().unwrap() * 1e3,
        }
    });
    let times: Vec<f64> = times.collect();
    assert_eq!(times.len(), 2, "{text}");
    times.into_iter().fold(f64::MAX, f64::min)
}

#[test]
fn an_experiment_predicts_runs_with_and_without_the_lock_and_explains() {
    let (_three, mut terminal) = monitor();
    terminal.press("2");
    terminal.wait_text("[2] THREADS");
    terminal.press("F4");
    // Shorter workloads: 200 ms.
    terminal.press("Left");
    terminal.press("Left");
    terminal.wait_text("predicted 4 x 200ms ÷ 1 lock = 800ms");
    terminal.press("Enter");
    let frame = terminal.wait_text("No lock: each thread on a core computes");
    let text = frame.text();
    assert!(text.contains("4 threads want to run, one may"), "{text}");
    assert!(text.contains("hand-overs"), "{text}");
    assert!(text.contains("thread-4"), "{text}");
    for figures in ["LOCK ON   took", "LOCK OFF  took"] {
        assert!(text.contains(figures), "{text}");
    }
    // The monitor has gone on, and digits switch it from here too.
    terminal.press("5");
    terminal.wait_text("[5] GREEN");
    terminal.press("x");
    terminal.wait_text("predicted 4 x 200ms ÷ as many at once = 200ms");
    terminal.press("Enter");
    terminal.wait_text("The lock made no difference: waiting releases it.");
    terminal.press("Ctrl-C");
    terminal.finish();
}

#[test]
fn processes_crunch_under_locks_of_their_own_and_leave_nothing_behind() {
    let (_three, mut terminal) = monitor();
    terminal.press("4");
    terminal.wait_text("[4] PROCESSES");
    let own = || children_of(terminal.pid());
    until("the monitor's own children", || own().len() == 4);
    let before = own();
    terminal.press("F4");
    terminal.press("Left");
    terminal.press("Left");
    terminal.press("Enter");
    let frame = terminal.wait_text("Processes compute in parallel");
    let text = frame.text();
    assert!(
        text.contains("Each process has a lock of its own and waits for no other"),
        "{text}"
    );
    assert!(text.contains("process-4"), "{text}");
    let processes = ready(&text);
    until("the children of the lab are gone", || {
        children_of(terminal.pid()) == before
    });
    terminal.press("2");
    terminal.wait_text("[2] THREADS");
    terminal.press("Enter");
    let threads = ready(&terminal.wait_text("No lock: each thread on a core").text());
    assert!(processes > threads, "{processes} ms and {threads} ms");
    terminal.press("Ctrl-C");
    terminal.finish();
}

#[test]
fn a_race_over_the_sites_runs_beside_the_monitor_and_stays_on_the_screen() {
    let (three, mut terminal) = monitor();
    let before = three.well.count.requests();
    terminal.press("F3");
    terminal.wait_text("RACE over 3 sites");
    terminal.press("Enter");
    let frame = terminal.wait_text("Medians of 1 round");
    assert!(frame.line("async").is_some(), "{}", frame.text());
    // Again stops it, and what was measured stays.
    terminal.press("Enter");
    terminal.wait_text("Enter runs it again");
    assert!(three.well.count.requests() > before);
    // Two other screens, and it is still there.
    terminal.press("F1");
    terminal.wait_text("● 2 UP");
    terminal.press("F3");
    let text = terminal.wait_text("Medians of 1 round").text();
    assert!(text.contains("Stopped. "), "{text}");
    terminal.press("?");
    terminal.wait_text("concurrent, parallel");
    terminal.press("q");
    terminal.press("Ctrl-C");
    terminal.finish();
}

#[test]
fn a_race_that_is_left_ends_with_the_monitor() {
    let (_three, mut terminal) = monitor();
    terminal.press("F3");
    terminal.press("x");
    terminal.press("x");
    terminal.wait_text("over 4 crunches");
    terminal.press("Enter");
    terminal.wait_text("round 1 of 3");
    terminal.press("Ctrl-C");
    terminal.finish();
}

#[test]
fn workers_of_a_queue_crunch_under_locks_of_their_own_too() {
    let (_three, mut terminal) = monitor();
    terminal.press("7");
    terminal.wait_text("[7] CELERY");
    terminal.press("F4");
    terminal.press("Left");
    terminal.press("Left");
    terminal.wait_text("predicted 4 x 200ms ÷ 2 locks = 400ms");
    terminal.press("Enter");
    let frame = terminal.wait_text("Processes compute in parallel");
    let text = frame.text();
    assert!(
        text.contains("Each process has a lock of its own and waits for no other"),
        "{text}"
    );
    assert!(text.contains("LOCK ON   took"), "{text}");
    assert!(text.contains("celery-wo"), "{text}");
    terminal.press("Ctrl-C");
    terminal.finish();
}
