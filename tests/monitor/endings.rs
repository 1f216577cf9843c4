//! Every way out leaves the terminal as it was, and no process behind.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::sites::SIZE;
use crate::support::{Squirrel, Terminal, descendants, find, process_state, send, until};

const AT_MOST: Duration = Duration::from_secs(2);

/// The demonstration, which has a child process, ended in that way.
fn ended(leave: impl FnOnce(&mut Terminal)) -> (Terminal, u32) {
    let squirrel = Squirrel::new();
    let mut terminal = Terminal::start(&squirrel, SIZE, ["demo"]);
    terminal.wait("the table", |frame| frame.rows().count() > 10);
    let children = descendants(terminal.pid());
    assert!(!children.is_empty(), "the fleet is a process of its own");
    assert!(!terminal.has_its_modes_back(), "the screen needs raw keys");
    let leaving = Instant::now();
    leave(&mut terminal);
    let status = terminal.finish();
    let took = leaving.elapsed();
    assert!(took < AT_MOST, "{took:?}");
    for child in children {
        assert_eq!(process_state(child), None, "{child} is left behind");
    }
    (terminal, status)
}

/// The same, where the terminal survives.
fn sane_after(leave: impl FnOnce(&mut Terminal)) -> u32 {
    let (terminal, status) = ended(leave);
    assert!(terminal.has_its_modes_back(), "the modes are as they were");
    let tape = terminal.tape();
    for sequence in [
        "\x1b[?1049l",
        "\x1b[?25h",
        "\x1b[?2004l",
        "\x1b[?1004l",
        "\x1b[?1000l",
        "\x1b[?1006l",
        "\x1b[23;0t",
    ] {
        let sent = find(&tape.bytes, sequence.as_bytes());
        assert!(sent.is_some(), "{sequence:?} is missing");
    }
    let last = tape.frames.last().unwrap();
    assert!(!last.alternate && !last.cursor_hidden, "{}", last.text());
    assert_eq!(last.text().trim(), "", "nothing is left on the screen");
    status
}

#[test]
fn q_ends_it_in_order() {
    assert_eq!(sane_after(|terminal| terminal.press("q")), 0);
}

#[test]
fn ctrl_c_ends_it_in_order_even_while_a_filter_is_typed() {
    let status = sane_after(|terminal| {
        terminal.press("/");
        terminal.press("qqq");
        terminal.press("Ctrl-C");
    });
    assert_eq!(status, 0);
}

/// Those that people, scripts, limits and supervisors send, and whose default would leave the
/// terminal as it is on the screen.
#[test]
fn every_signal_that_ends_it_does_so_in_order_with_its_number() {
    for signal in [
        Signal::TERM,
        Signal::INT,
        Signal::HUP,
        Signal::QUIT,
        Signal::ABORT,
        Signal::USR1,
        Signal::USR2,
        Signal::ALARM,
        Signal::VTALARM,
        Signal::PROF,
        Signal::XCPU,
        Signal::IO,
        Signal::POWER,
        Signal::STKFLT,
        Signal::TRAP,
        Signal::SYS,
    ] {
        let status = sane_after(|terminal| terminal.signal(signal));
        let expected = 128 + u32::try_from(signal.as_raw()).unwrap();
        assert_eq!(status, expected, "{signal:?}");
    }
}

/// Some of those without a name of their own, which are numbers.
#[test]
fn so_do_real_time_signals() {
    for number in [35, 50, 64] {
        let status = sane_after(|terminal| {
            let command = format!("kill -{number} {}", terminal.pid());
            let sent = std::process::Command::new("sh")
                .args(["-c", &command])
                .status();
            assert!(sent.unwrap().success(), "{command}");
        });
        assert_eq!(status, 128 + number);
    }
}

#[test]
fn a_terminal_that_is_closed_ends_it_too() {
    // Whether the signal or the hang-up itself is noticed first is the system's choice.
    let (_, status) = ended(Terminal::close);
    assert!([0, 128 + 1].contains(&status), "{status}");
}

/// The files of the demonstration in the directory for temporary ones.
fn demo_files(pid: u32) -> usize {
    let ours = format!("squirrel-demo-{pid}-");
    let all = std::fs::read_dir("/tmp").unwrap();
    let names = all.map(|entry| entry.unwrap().file_name());
    names
        .filter(|name| name.to_string_lossy().starts_with(&ours))
        .count()
}

#[test]
fn a_demo_that_is_killed_leaves_neither_its_fleet_nor_its_files_behind() {
    let shell = ["sh", "-c", r#""$@"; echo "ended with $?""#, "sh"];
    let mut terminal = Terminal::start(&Squirrel::new().through(shell), SIZE, ["demo"]);
    terminal.wait("the table", |frame| frame.rows().count() > 10);
    let all = descendants(terminal.pid());
    let ours: Vec<u32> = all
        .iter()
        .copied()
        .filter(|pid| demo_files(*pid) == 1)
        .collect();
    let [pid] = ours[..] else {
        panic!("one of {all:?} has the files: {ours:?}");
    };
    send(pid, Signal::KILL);
    terminal.wait_for("the shell's word", |tape| {
        find(&tape.bytes, b"ended with 137").is_some()
    });
    until("the fleet is gone", || {
        all.iter().all(|one| process_state(*one).is_none())
    });
    assert_eq!(demo_files(pid), 0);
    assert_eq!(terminal.finish(), 0);
}

#[test]
fn a_demo_whose_own_server_dies_says_that_it_was_the_server() {
    let mut terminal = Terminal::start(&Squirrel::new(), (80, 24), ["demo"]);
    terminal.wait("the table", |frame| frame.rows().count() > 10);
    let servers = descendants(terminal.pid()).into_iter().filter(|pid| {
        let words = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
        words.contains("demo-sites")
    });
    let servers: Vec<u32> = servers.collect();
    let [server] = servers[..] else {
        panic!("{servers:?}");
    };
    send(server, Signal::KILL);
    let frame = terminal.wait("the banner", |frame| frame.has("THE DEMO'S SITES ARE GONE"));
    assert!(frame.has("lost (killed by"), "{}", frame.text());
    assert!(frame.has("signal 9)"), "{}", frame.text());
    // It stays, whatever else is said.
    terminal.press("/");
    terminal.press("pay");
    terminal.press("Enter");
    terminal.press("b");
    terminal.wait("the key in vain", |frame| {
        frame.has("pay not broken") && frame.has("THE DEMO'S SITES ARE GONE")
    });
    terminal.press("q");
    assert_eq!(terminal.finish(), 0);
}
