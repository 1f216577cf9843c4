//! The Scheduling screen, driven as a reader would: what it says is what the servers saw.

use std::fs;
use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::Value;

use super::sites::{ONCE, SIZE, Three, at, home, script};
use crate::support::{Fleet, Frame, Squirrel, Terminal, children_of, send, tasks_of, until};

const SMALL: (u16, u16) = (80, 24);

/// Sixteen sites, each of which takes so long, checked at once.
fn sixteen(fleet: &mut Fleet, wait: &str) -> Squirrel {
    let server = fleet.serve(script(&format!(
        r"'*' = [{{ wait = '{wait}' }}, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']"
    )));
    let names: Vec<_> = (0..16).map(|number| format!("s{number:02}")).collect();
    home(ONCE, names.iter().map(|name| at(&server, name)))
}

/// Whether the first sweep over sixteen sites is over, and the screen knows it.
fn swept(frame: &Frame) -> bool {
    frame.has("running 0 of 16 | queue 0 | sweep of 16 in ")
}

#[test]
fn threads_are_lanes_and_the_lines_on_top_say_how_many_and_who_was_late() {
    let mut fleet = Fleet::new();
    let squirrel = sixteen(&mut fleet, "200ms");
    let args = ["--paradigm", "threads", "--workers", "4"];
    let mut terminal = Terminal::start(&squirrel, SIZE, args);
    terminal.press("\t");
    let frame = terminal.wait("the sweep to be over", |frame| {
        swept(frame) && frame.has("1 process, 4 threads | running") && frame.has("NET IDLE")
    });
    let cause = &frame.lines[3];
    assert!(cause.contains("late: behind s"), "{cause}");
    assert!(cause.contains("more checks on 4 workers."), "{cause}");
    // The lanes are the kernel's own threads.
    let threads = tasks_of(terminal.pid());
    let threads: Vec<_> = threads
        .iter()
        .filter(|task| task.name.starts_with("thread-"))
        .collect();
    assert_eq!(threads.len(), 4);
    for task in threads {
        assert!(
            frame.has(&format!("{} {}", task.name, task.tid)),
            "{}",
            frame.text()
        );
    }
    assert!(
        frame.has("│ start") && frame.has("─ network"),
        "{}",
        frame.text()
    );
    terminal.press("v");
    let frame = terminal.wait_text("by site");
    assert!(
        frame.lines.iter().any(|line| line.contains(" s00 ")),
        "{}",
        frame.text()
    );
    terminal.press("v");
    terminal.wait_text("by task");
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

#[test]
fn a_small_screen_keeps_the_answers() {
    let mut fleet = Fleet::new();
    let squirrel = sixteen(&mut fleet, "100ms");
    let args = ["--paradigm", "serial"];
    let mut terminal = Terminal::start(&squirrel, SMALL, args);
    terminal.press("\t");
    let frame = terminal.wait("the sweep to be over", |frame| {
        frame.has("1 process, 1 thread | running 0 of 16 | queue 0 | sweep 16: ")
    });
    assert!(frame.lines[2].contains("worst"), "{}", frame.text());
    assert!(
        frame.lines[3].contains("on the one worker"),
        "{}",
        frame.text()
    );
    assert!(frame.lines.iter().all(|line| line.chars().count() <= 80));
}

#[test]
fn the_cursor_names_the_check_under_it_and_enter_explains_its_site() {
    let mut fleet = Fleet::new();
    let squirrel = sixteen(&mut fleet, "50ms");
    let args = ["--paradigm", "threads", "--workers", "2"];
    let mut terminal = Terminal::start(&squirrel, SIZE, args);
    terminal.press("\t");
    terminal.wait("the sweep to be over", swept);
    terminal.press("h");
    let frame = terminal.wait_text("polls ran ");
    let detail = frame.line(" UP: began ").unwrap().to_owned();
    assert!(detail.contains(", on thread-"), "{detail}");
    assert!(
        detail.contains(&format!("pid {}", terminal.pid())),
        "{detail}"
    );
    assert!(
        frame.has("waited for connect") || frame.has("first byte"),
        "{}",
        frame.text()
    );
    terminal.press("h");
    let other = terminal.wait("another check", |frame| {
        frame.line(" UP: began ").is_some_and(|line| line != detail)
    });
    let name = other
        .line(" UP: began ")
        .unwrap()
        .trim()
        .split(' ')
        .next()
        .unwrap()
        .to_owned();
    terminal.press("Enter");
    terminal.wait_text(&format!("Explain {name}"));
    terminal.press("q");
    terminal.wait_text("stands at ");
    terminal.press("Esc");
    terminal.wait("the hand again", |frame| {
        frame.has("^now") && !frame.has("stands at ")
    });
}

fn written(squirrel: &Squirrel) -> Vec<PathBuf> {
    let entries = fs::read_dir(squirrel.dir()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    paths
        .filter(|path| name(path).starts_with("squirrel-trace-"))
        .collect()
}

#[test]
fn what_is_on_record_is_written_by_a_key_and_told() {
    let mut fleet = Fleet::new();
    let squirrel = sixteen(&mut fleet, "10ms");
    let mut terminal = Terminal::start(&squirrel, SIZE, ["--paradigm", "green"]);
    terminal.press("\t");
    terminal.wait("the sweep to be over", swept);
    terminal.press("e");
    terminal.wait_text("16 checks written to squirrel-trace-");
    let [path] = &written(&squirrel)[..] else {
        panic!("not one file");
    };
    let trace: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let begun = events.iter().filter(|event| event["ph"] == "b");
    let sites = begun.filter(|event| event["name"].as_str().unwrap().starts_with('s'));
    assert_eq!(sites.count(), 16);
    let names = events.iter().filter(|event| event["name"] == "thread_name");
    assert!(names.clone().any(|event| event["args"]["name"] == "green"));
}

#[test]
fn a_worker_process_that_is_killed_is_replaced_and_told_of() {
    let mut fleet = Fleet::new();
    let squirrel = sixteen(&mut fleet, "0ms");
    let mut terminal = Terminal::start(&squirrel, SIZE, ["--paradigm", "processes"]);
    terminal.wait_text("● 16 UP");
    let children = children_of(terminal.pid());
    let killed = *children.first().unwrap();
    send(killed, Signal::KILL);
    let frame = terminal.wait_text("was replaced: killed by signal 9");
    let line = frame.line("was replaced").unwrap();
    assert!(line.contains(&format!("(pid {killed})")), "{line}");
    until("another in its place", || {
        let now = children_of(terminal.pid());
        now.len() == children.len() && !now.contains(&killed)
    });
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

#[test]
fn recording_can_be_off_and_says_so() {
    let three = Three::new(ONCE);
    let mut terminal = three.watch(SIZE);
    terminal.press("\t");
    terminal.wait_text("by thread");
    terminal.press("T");
    terminal.wait_text("Recording is off: T switches it on.");
    terminal.press("T");
    terminal.wait("on again", |frame: &Frame| !frame.has("Recording is off"));
}

#[test]
fn what_a_paradigm_cannot_hold_is_said_on_top() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"'*' = [{ wait = '200ms' }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let names: Vec<_> = (0..20).map(|number| format!("s{number:02}")).collect();
    let sites = names.iter().map(|name| at(&server, name));
    let squirrel = home("interval = \"2s\"", sites);
    let mut terminal = Terminal::start(&squirrel, SIZE, ["--paradigm", "serial"]);
    // One after another, 200 ms each, make 10 in 2 s at the best.
    let frame = terminal.wait("what it holds", |frame| {
        frame
            .line("serial holds ")
            .is_some_and(|line| line.contains(" of 20 sites at 2s: "))
    });
    let line = frame.line("serial holds ").unwrap();
    let holds = line
        .split("serial holds ")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    let holds: usize = holds.parse().unwrap();
    assert!((5..=10).contains(&holds), "{line}");
    terminal.press("6");
    terminal.wait("async to hold all of them", |frame| {
        frame.has("load ") && !frame.has(" holds ")
    });
}
