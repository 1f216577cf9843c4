//! What the screen costs while nothing happens.

use std::time::Instant;

use super::sites::{ONCE, SIZE, WELL, at, home, script};
use crate::support::{Fleet, Frame, Squirrel, Terminal, read_calls, wake_ups};

/// The clock at the end of the first line.
fn clock(frame: &Frame) -> Option<String> {
    let (_, clock) = frame.lines[0].rsplit_once(' ')?;
    clock.contains(':').then(|| clock.to_owned())
}

/// Waits until the clock has gone on since `before`.
fn tick(terminal: &mut Terminal, before: Option<&String>) -> Option<String> {
    let frame = terminal.wait("the clock to go on", |frame| {
        let now = clock(frame);
        now.is_some() && now.as_ref() != before
    });
    clock(&frame)
}

/// Spans of three seconds that a screen may take to come to rest: what was begun before ends in them.
const SPANS: usize = 5;

/// Presses keys, waits for the screen that they open, and holds what it costs once it is at rest.
fn costs_little(terminal: &mut Terminal, screen: &str, keys: &[&str]) {
    keys.iter().for_each(|key| terminal.press(key));
    let frame = terminal.wait_text(screen);
    let mut now = tick(terminal, clock(&frame).as_ref());
    let mut costs = Vec::new();
    for _ in 0..SPANS {
        let (wakes, reads) = cost(terminal, &mut now);
        if wakes <= 30.0 && reads <= 90.0 {
            return;
        }
        costs.push((wakes, reads));
    }
    panic!("{screen}: wake-ups and reads a second, three seconds each: {costs:?}");
}

/// Wake-ups and reads a second while three seconds pass.
fn cost(terminal: &mut Terminal, now: &mut Option<String>) -> (f64, f64) {
    let pid = terminal.pid();
    let (began, wakes, reads) = (Instant::now(), wake_ups(pid), read_calls(pid));
    for _ in 0..3 {
        *now = tick(terminal, now.as_ref());
    }
    // From one tick to the third behind it, by the clock of this machine.
    let seconds = began.elapsed().as_secs_f64().max(2.5);
    let wakes = (wake_ups(pid) - wakes) as f64 / seconds;
    let reads = (read_calls(pid) - reads) as f64 / seconds;
    (wakes, reads)
}

/// Thirty sites that were checked once, by that paradigm.
fn at_rest(fleet: &mut Fleet, paradigm: &str) -> (Squirrel, Terminal) {
    let server = fleet.serve(script(WELL));
    let names: Vec<_> = (0..30).map(|number| format!("s{number}")).collect();
    let squirrel = home(ONCE, names.iter().map(|name| at(&server, name)));
    let mut terminal = Terminal::start(&squirrel, SIZE, ["--paradigm", paradigm]);
    terminal.wait_text("● 30 UP");
    (squirrel, terminal)
}

#[test]
fn at_rest_every_screen_wakes_at_most_thirty_times_a_second_and_reads_little() {
    let mut fleet = Fleet::new();
    let (_home, mut terminal) = at_rest(&mut fleet, "async");
    for (screen, keys) in [
        ("[Sites]", &["F1"][..]),
        ("─ Explain", &["Enter"]),
        ("─ History of", &["d"]),
        ("[Sched]", &["q", "q", "F2"]),
        ("[Race]", &["F3"]),
        ("[Lab]", &["F4"]),
        ("[Outages]", &["F5"]),
        ("─ Help", &["?"]),
    ] {
        costs_little(&mut terminal, screen, keys);
    }
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

/// With lanes for many threads, with child processes, and with a broker that is asked.
#[test]
fn so_does_every_paradigm() {
    for paradigm in ["threads", "processes", "celery"] {
        let mut fleet = Fleet::new();
        let (_home, mut terminal) = at_rest(&mut fleet, paradigm);
        costs_little(&mut terminal, "[Sites]", &[]);
        costs_little(&mut terminal, "[Sched]", &["F2"]);
        terminal.press("Ctrl-C");
        assert_eq!(terminal.finish(), 0);
    }
}
