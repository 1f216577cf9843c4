//! Keys that change how the checks are run.

use std::time::Duration;

use super::sites::{ONCE, SIZE, Three, at, home, listing, script};
use crate::support::{Fleet, Terminal};

/// The numbers of a receipt: in flight, finished, handed over, lost, counted twice.
pub(crate) fn receipt(line: &str) -> [usize; 5] {
    let (_, account) = line.split_once(": in flight ").unwrap();
    let mut numbers = account
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok());
    std::array::from_fn(|_| {
        numbers
            .next()
            .unwrap_or_else(|| panic!("cut short: {line}"))
    })
}

#[test]
fn a_switch_finishes_what_runs_and_hands_over_what_waits() {
    const SITES: usize = 300;
    const WORKERS: usize = 100;
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"'*' = [{ gate = true }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let names: Vec<_> = (0..SITES).map(|number| format!("s{number}")).collect();
    // The second round is so far away that it cannot begin meanwhile.
    let interval = "interval = \"24h\"";
    let monitor = format!("{interval}\ntimeout = \"60s\"\nslow = \"60s\"\nworkers = {WORKERS}");
    let squirrel = home(&monitor, names.iter().map(|name| at(&server, name)));
    let mut terminal = Terminal::start(&squirrel, SIZE, []);
    let gathered = server.count.gathered(WORKERS);
    let gathered = async { tokio::time::timeout(Duration::from_secs(30), gathered).await };
    fleet.block_on(gathered).expect("as many checks as workers");
    terminal.wait_text("in flight 100, queued 200");
    terminal.press("2");
    terminal.wait_text("[2] THREADS");
    fleet.open_gate();
    let frame = terminal.wait_text("async -> threads: in flight ");
    let line = frame.line("async -> threads").unwrap();
    assert_eq!(
        receipt(line),
        [SITES, WORKERS, SITES - WORKERS, 0, 0],
        "{line}"
    );
    terminal.wait_text("● 300 UP");
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
    for name in &names {
        let path = server.count.path(&format!("/{name}"));
        assert_eq!(path.requests, 1, "{name} is asked once, whoever asks");
    }
}

#[test]
fn a_key_that_names_no_paradigm_says_which_there_are() {
    let three = Three::new(ONCE);
    let mut terminal = three.watch(SIZE);
    terminal.press("9");
    let frame = terminal.wait_text("No paradigm has the key 9");
    for name in ["[1] SERIAL", "[2] THREADS", "[6] ASYNC"] {
        assert!(frame.line("has the key 9").unwrap().contains(name));
    }
    assert!(frame.lines[0].contains("[6] ASYNC"), "{}", frame.text());
    terminal.press("6");
    terminal.wait_text("ASYNC runs the checks already");
}

#[test]
fn digits_ask_or_do_nothing_where_the_configuration_says_so() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"'*' = [{ wait = '300ms' }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let names: Vec<_> = (0..8).map(|number| format!("s{number}")).collect();
    let sites = || names.iter().map(|name| at(&server, name));
    let squirrel = home("interval = \"1s\"\nswitch = \"ask\"", sites());
    let mut terminal = Terminal::start(&squirrel, SIZE, []);
    terminal.wait_text("● 8 UP");
    terminal.press("2");
    terminal.wait_text("[2] THREADS, 16 workers");
    terminal.press("1");
    let frame = terminal.wait_text("press 1 again to switch");
    let line = frame.line("press 1 again").unwrap();
    assert!(line.contains("of 8 sites at 1s: "), "{line}");
    assert!(frame.lines[0].contains("[2] THREADS"), "{}", frame.text());
    terminal.press("1");
    terminal.wait_text("[1] SERIAL, 1 worker");

    squirrel.write(
        "sites.toml",
        listing("interval = \"1s\"\nswitch = \"off\"", sites()),
    );
    terminal.wait_text("read again: 8 sites");
    terminal.press("2");
    let frame = terminal.wait_text("digits do not switch here");
    assert!(frame.lines[0].contains("[1] SERIAL"), "{}", frame.text());
}

/// The number of workers on top.
fn workers(line: &str) -> usize {
    let (before, _) = line.split_once(" worker").unwrap();
    let number = before.rsplit(' ').next().unwrap();
    number.replace(',', "").parse().unwrap()
}

#[test]
fn plus_and_minus_change_the_number_of_workers() {
    let three = Three::new(ONCE);
    let mut terminal = three.watch(SIZE);
    terminal.press("2");
    let frame = terminal.wait_text("[2] THREADS, 16 workers");
    assert_eq!(workers(&frame.lines[0]), 16);
    terminal.press("+");
    terminal.wait("more workers", |frame| workers(&frame.lines[0]) > 16);
    terminal.press("-");
    terminal.wait("fewer workers", |frame| workers(&frame.lines[0]) < 16);
    terminal.press("1");
    terminal.wait_text("[1] SERIAL, 1 worker");
    terminal.press("+");
    terminal.wait_text("The number of workers of SERIAL cannot be changed");
}
