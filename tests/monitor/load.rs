//! Keys under load.

use super::paradigms::receipt;
use super::sites::{ONCE, SIZE, at, home, script};
use crate::support::{Fleet, Terminal, until};

#[test]
fn paradigms_are_switched_under_load_and_no_check_is_lost_or_doubled() {
    const SITES: usize = 200;
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"'*' = [{ wait = '70ms' }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let names: Vec<_> = (0..SITES).map(|number| format!("s{number}")).collect();
    let sites = names.iter().map(|name| at(&server, name));
    let squirrel = home("interval = \"1s\"\nslow = \"9s\"", sites);
    let mut terminal = Terminal::start(&squirrel, SIZE, []);
    terminal.wait_text("● 200 UP");
    // Keys, the paradigm on top, and the receipt.
    for (key, chip, switch) in [
        ("2", "[2] THREADS", "async -> threads: "),
        ("1", "[1] SERIAL", "threads -> serial: "),
        ("]", "[2] THREADS", "serial -> threads: "),
        ("]", "[3] FUTURES", "threads -> futures: "),
        ("[", "[2] THREADS", "futures -> threads: "),
        ("5", "[5] GREEN", "threads -> green: "),
        ("6", "[6] ASYNC", "green -> async: "),
    ] {
        terminal.press(key);
        terminal.wait(chip, |frame| frame.lines[0].contains(chip));
        let frame = terminal.wait(switch, |frame| frame.has(switch));
        let line = frame.line(switch).unwrap();
        let [in_flight, finished, handed_over, lost, twice] = receipt(line);
        assert_eq!(in_flight, finished + handed_over, "{line}");
        assert_eq!((lost, twice), (0, 0), "{line}");
    }
    let asked = |name: &str| server.count.path(&format!("/{name}"));
    let before: Vec<_> = names.iter().map(|name| asked(name).requests).collect();
    until("every site to be asked again: none is lost", || {
        let mut both = names.iter().zip(&before);
        both.all(|(name, before)| asked(name).requests > *before)
    });
    for name in &names {
        assert_eq!(asked(name).most, 1, "{name} was asked twice at once");
    }
    // As many checks are counted as were made, to the last one.
    terminal.press("/");
    terminal.press("s17 ");
    terminal.press("Enter");
    terminal.wait("one site", |frame| frame.selection().contains("s17"));
    terminal.press("Enter");
    terminal.wait_text("Explain s17");
    terminal.press("p");
    terminal.wait("the account of s17 to add up", |frame| {
        // One that was under way when the site was paused is nobody's any more.
        let made = asked("s17").requests;
        let counted = |checks: usize| frame.has(&format!(" {checks} checks, "));
        frame.has("PAUSED") && (counted(made) || counted(made - 1))
    });
}

#[test]
fn a_key_is_answered_while_a_sweep_floods_the_program_with_results() {
    const SITES: usize = 3_000;
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let names: Vec<_> = (0..SITES).map(|number| format!("s{number}")).collect();
    // A machine with no core to spare makes answers slow; here they are good all the same.
    let monitor = format!("{ONCE}\ntimeout = \"60s\"\nslow = \"60s\"");
    let squirrel = home(&monitor, names.iter().map(|name| at(&server, name)));
    let mut terminal = Terminal::start(&squirrel, SIZE, []);
    until("the sweep to be under way", || {
        server.count.requests() > 100
    });
    for (key, sign) in [
        ("?", "─ Help:"),
        ("q", "CODE  LATENCY"),
        ("s", "last down first"),
        ("Enter", "Explain"),
    ] {
        terminal.press(key);
        terminal.wait_text(sign);
    }
    let asked = server.count.requests();
    assert!(asked < SITES, "four keys took as long as the whole sweep");
    terminal.press("q");
    terminal.wait_text("● 3,000 UP");
    assert!(server.count.requests() >= SITES);
}
