//! Where the system refuses files or processes, the paradigm in use goes on and the screen
//! says why.

use std::process::Command;

use rustix::process::{Resource, getrlimit};

use super::paradigms::receipt;
use super::sites::{EVERY_SECOND, SIZE, at, home, script};
use crate::support::{Fleet, Server, Terminal, until};

fn twenty(fleet: &mut Fleet) -> (Server, Vec<String>) {
    let server = fleet.serve(script(
        r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    (
        server,
        (0..20).map(|number| format!("s{number:02}")).collect(),
    )
}

#[test]
fn with_few_open_files_workers_are_fewer_and_every_switch_adds_up() {
    let mut fleet = Fleet::new();
    let (server, names) = twenty(&mut fleet);
    let sites = names.iter().map(|name| at(&server, name));
    let squirrel =
        home(EVERY_SECOND, sites).through(["sh", "-c", "ulimit -n 64; exec \"$@\"", "sh"]);
    let mut terminal = Terminal::start(&squirrel, SIZE, []);
    terminal.wait_text("● 20 UP");
    for (key, name) in [
        ("2", "threads"),
        ("4", "processes"),
        ("5", "green"),
        ("3", "futures"),
        ("6", "async"),
    ] {
        terminal.press(key);
        let frame = terminal.wait("a receipt or a refusal", |frame| {
            frame.has(&format!("-> {name}: in flight "))
                || frame.has(&format!("{name} cannot start: "))
        });
        match frame.line(&format!("-> {name}: in flight ")) {
            Some(line) => {
                let [in_flight, finished, handed_over, lost, twice] = receipt(line);
                assert_eq!(
                    (in_flight, lost, twice),
                    (finished + handed_over, 0, 0),
                    "{line}"
                );
            }
            None => {
                let line = frame.line(" cannot start: ").unwrap();
                assert!(
                    line.contains("too few open files") && line.contains("goes on"),
                    "{line}"
                );
            }
        }
    }
    let before = server.count.requests();
    until("the checks to go on", || {
        server.count.requests() > before + 40
    });
    assert!(
        terminal.frame().has("● 20 UP"),
        "{}",
        terminal.frame().text()
    );
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

#[test]
fn a_limit_is_told_before_the_receipt_of_its_switch_and_an_answer_to_a_key_at_once() {
    let mut fleet = Fleet::new();
    let (server, names) = twenty(&mut fleet);
    let sites = names.iter().map(|name| at(&server, name));
    let squirrel =
        home(EVERY_SECOND, sites).through(["sh", "-c", "ulimit -n 90; exec \"$@\"", "sh"]);
    let mut terminal = Terminal::start(&squirrel, SIZE, []);
    terminal.wait_text("● 20 UP");
    terminal.press("2");
    terminal.wait_text("workers 16 -> 8: at most 90 open files");
    terminal.wait_text("async -> threads: in flight ");
    // The receipt stands for seconds: it has to give way to each of these.
    terminal.press("+");
    terminal.wait_text("workers 9 -> 8: at most 90 open files");
    for left in [
        "7 workers",
        "6 workers",
        "5 workers",
        "4 workers",
        "3 workers",
        "2 workers",
        "1 worker",
        "1 worker is the least",
    ] {
        terminal.press("-");
        terminal.wait_text(&format!("threads: {left}"));
    }
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

/// A limit of processes does not bind the system's administrator, so the program is run as
/// nobody where the tests are run as that.
fn as_nobody(then: &str) -> [String; 4] {
    let user = nobody();

    let run = format!("chmod 777 . 2>/dev/null; exec {user} sh -c '{then} exec \"$@\"' sh \"$@\"");
    ["sh".to_owned(), "-c".to_owned(), run, "sh".to_owned()]
}

/// What stands before a command that is to be run as nobody.
fn nobody() -> &'static str {
    if rustix::process::geteuid().is_root() {
        "setpriv --reuid 54321 --clear-groups"
    } else {
        ""
    }
}

/// The limit may be reached between one thread and the next, in the middle of a start.
#[test]
fn wherever_a_thread_is_refused_the_old_paradigm_goes_on_and_the_screen_says_why() {
    let mut fleet = Fleet::new();
    let (server, names) = twenty(&mut fleet);
    let sites = names.iter().map(|name| at(&server, name));
    let squirrel = home(EVERY_SECOND, sites).through(as_nobody("").each_ref().map(String::as_str));
    let mut terminal = Terminal::start(&squirrel, SIZE, ["--paradigm", "serial"]);
    terminal.wait_text("● 20 UP");
    // A limit is changed by whoever it binds.
    let pid = terminal.pid();
    let allow = |threads: &str| {
        let command = format!("{} prlimit --pid {pid} --nproc={threads}:", nobody());
        let set = Command::new("sh").args(["-c", &command]).status();
        assert!(set.unwrap().success(), "{command}");
    };

    let check = |terminal: &mut Terminal, key: &str, name: &str| {
        terminal.press(key);
        let refused = format!("{name} cannot start: ");
        let frame = terminal.wait_text(&refused);
        let line = frame.line(&refused).unwrap();
        assert!(line.contains("no more processes and threads"), "{line}");
        assert!(line.contains("goes on"), "{line}");
    };
    allow("1");
    for (key, name) in [
        ("2", "threads"),
        ("3", "futures"),
        ("4", "processes"),
        ("5", "green"),
        ("6", "async"),
    ] {
        check(&mut terminal, key, name);
    }
    let before = server.count.requests();
    until("the checks to go on", || {
        server.count.requests() > before + 40
    });
    let usual = getrlimit(Resource::Nproc).current;
    allow(&usual.map_or("unlimited".to_owned(), |threads| threads.to_string()));
    terminal.press("6");
    terminal.wait_text("serial -> async: in flight ");
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

#[test]
fn where_no_process_may_be_started_the_old_paradigm_goes_on_and_the_screen_says_why() {
    let mut fleet = Fleet::new();
    let (server, names) = twenty(&mut fleet);
    let sites = names.iter().map(|name| at(&server, name));
    let squirrel =
        home(EVERY_SECOND, sites).through(as_nobody("ulimit -u 8;").each_ref().map(String::as_str));
    let mut terminal = Terminal::start(&squirrel, SIZE, ["--paradigm", "green"]);
    terminal.wait_text("● 20 UP");
    for (key, name) in [("2", "threads"), ("4", "processes")] {
        terminal.press(key);
        let frame = terminal.wait("a receipt or a refusal", |frame| {
            frame.has(&format!("-> {name}: in flight "))
                || frame.has(&format!("{name} cannot start: "))
        });
        if let Some(line) = frame.line(" cannot start: ") {
            assert!(line.contains("no more processes and threads"), "{line}");
            assert!(line.contains("goes on"), "{line}");
        }
    }
    let before = server.count.requests();
    until("the checks to go on", || {
        server.count.requests() > before + 40
    });
    assert!(terminal.frame().has("20 UP"), "{}", terminal.frame().text());
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}
