//! What the screen costs while nothing happens.

use std::time::Instant;

use super::sites::{ONCE, SIZE, WELL, at, home, script};
use crate::support::{Fleet, Frame, Terminal, read_calls, wake_ups};

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

#[test]
fn at_rest_every_screen_wakes_at_most_thirty_times_a_second_and_reads_little() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(WELL));
    let names: Vec<_> = (0..30).map(|number| format!("s{number}")).collect();
    let squirrel = home(ONCE, names.iter().map(|name| at(&server, name)));
    let mut terminal = Terminal::start(&squirrel, SIZE, []);
    terminal.wait_text("● 30 UP");
    let pid = terminal.pid();
    for (screen, key) in [
        ("[Sites]", "F1"),
        ("[Sched]", "\x1bOQ"),
        ("[Race]", "F3"),
        ("[Lab]", "F4"),
        ("[Outages]", "F5"),
        ("─ Help", "?"),
    ] {
        terminal.press(key);
        let frame = terminal.wait_text(screen);
        let mut now = tick(&mut terminal, clock(&frame).as_ref());
        let (began, wakes, reads) = (Instant::now(), wake_ups(pid), read_calls(pid));
        for _ in 0..3 {
            now = tick(&mut terminal, now.as_ref());
        }
        // From one tick to the third behind it, by the clock of this machine.
        let seconds = began.elapsed().as_secs_f64().max(2.5);
        let wakes = (wake_ups(pid) - wakes) as f64 / seconds;
        let reads = (read_calls(pid) - reads) as f64 / seconds;
        assert!(wakes <= 30.0, "{screen}: {wakes:.0} wake-ups a second");
        assert!(reads <= 60.0, "{screen}: {reads:.0} reads a second");
    }
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}
