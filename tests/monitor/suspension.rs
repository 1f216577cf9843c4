//! A screen that changes its size, and one that is put aside for a while.

use rustix::process::Signal;

use super::sites::{ONCE, SIZE, Three, all_checked};
use crate::support::{Tape, Terminal, descendants, find, process_state, send, until};

#[test]
fn the_screen_follows_the_size_of_the_terminal() {
    let three = Three::new(ONCE);
    let mut terminal = three.watch(SIZE);
    terminal.resize((80, 24));
    let frame = terminal.wait("the small table", |frame| {
        frame.lines.len() == 24
            && frame.rows().count() == 3
            && frame.lines[23].starts_with(" ? help")
            && !frame.lines[2].contains("RAN ON")
    });
    assert!(!frame.overflows, "{}", frame.text());
    terminal.resize((200, 60));
    terminal.wait("the large table", |frame| {
        frame.lines.len() == 60 && frame.lines[2].contains("P95") && frame.rows().count() == 3
    });
    terminal.resize((40, 10));
    let frame = terminal.wait_text("need 60x16, have 40x10");
    assert!(
        frame.has("0 DOWN") && frame.has("q quits"),
        "{}",
        frame.text()
    );
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
    assert!(terminal.has_its_modes_back());
}

/// A shell with job control: it tells when it has the terminal again, and continues the
/// program when a line is typed.
const SHELL: [&str; 4] = [
    "sh",
    "-c",
    r#"set -m; "$@"; echo "back with $?"; read go; fg; echo "over with $?""#,
    "sh",
];

/// The same where the shell sets the terminal to lines when a job stops, as those do that edit
/// lines themselves.
fn lines_again() -> String {
    SHELL[2].replacen("$?", "$(stty sane)$?", 1)
}

/// Has it stopped by `ask`, and continued by the shell.
fn put_aside(ask: impl FnOnce(&mut Terminal, u32)) {
    let three = Three::new(ONCE);
    let squirrel = three.squirrel.through(SHELL);
    let mut terminal = Terminal::start(&squirrel, SIZE, []);
    terminal.wait("the table", |frame| {
        frame.rows().count() == 3 && all_checked(frame)
    });
    let children = descendants(terminal.pid());
    let [pid] = children.iter().copied().collect::<Vec<_>>()[..] else {
        panic!("the shell has one child: {children:?}");
    };
    ask(&mut terminal, pid);
    until("the process to stop", || process_state(pid) == Some('T'));
    // 128 and the number of SIGSTOP: SIGTSTP is heard by the program itself.
    let frame = terminal.wait_text("back with 147");
    assert!(!frame.alternate && !frame.cursor_hidden, "{}", frame.text());
    // While it is away the terminal has another size.
    terminal.resize((90, 30));
    terminal.press("Enter");
    let frame = terminal.wait("the screen again", |frame| {
        frame.alternate && frame.rows().count() == 3 && frame.lines[29].starts_with(" ? help")
    });
    assert!(frame.cursor_hidden, "{}", frame.text());
    assert_eq!(process_state(pid).map(|state| state == 'T'), Some(false));
    // Keys reach it again, every one of them.
    terminal.press("?");
    terminal.wait_text("─ Help:");
    terminal.press("q");
    terminal.wait("the table", |frame| frame.rows().count() == 3);
    terminal.press("q");
    let frame = terminal.wait_text("over with 0");
    assert!(!frame.alternate, "{}", frame.text());
    assert_eq!(terminal.finish(), 0);
}

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_brings_the_screen_back() {
    put_aside(|terminal, _| terminal.press("Ctrl-Z"));
}

#[test]
fn so_does_a_signal_from_outside() {
    put_aside(|_, pid| send(pid, Signal::TSTP));
}

/// A stop that no program can handle: the screen is left as it is, and the shell writes over it.
#[test]
fn after_a_stop_that_cannot_be_handled_fg_brings_the_screen_back() {
    let three = Three::new(ONCE);
    let shell = lines_again();
    let squirrel = three
        .squirrel
        .through([SHELL[0], SHELL[1], &shell, SHELL[3]]);
    let mut terminal = Terminal::start(&squirrel, SIZE, []);
    terminal.wait("the table", |frame| {
        frame.rows().count() == 3 && all_checked(frame)
    });
    let pid = *descendants(terminal.pid()).first().unwrap();
    send(pid, Signal::STOP);
    // The shell writes where the cursor of the screen happens to be.
    terminal.wait_for("the shell", |tape| {
        find(&tape.bytes, b"back with 147").is_some()
    });
    let modes = terminal.modes();
    terminal.resize((90, 30));
    terminal.press("Enter");
    let frame = terminal.wait("the screen again", |frame| {
        frame.alternate && frame.rows().count() == 3 && frame.lines[29].starts_with(" ? help")
    });
    assert!(frame.cursor_hidden, "{}", frame.text());
    assert!(!frame.has("back with"), "drawn whole:\n{}", frame.text());
    // Without raw keys this would wait for the end of a line.
    terminal.press("?");
    terminal.wait_text("─ Help:");
    terminal.press("q");
    terminal.wait("the table", |frame| frame.rows().count() == 3);
    terminal.press("q");
    let frame = terminal.wait_text("over with 0");
    assert!(!frame.alternate, "{}", frame.text());
    assert_eq!(terminal.finish(), 0);
    assert_eq!(terminal.modes(), modes, "as the shell had them");
}

/// Continued in the background, it has no terminal to give back, and is not stopped for trying.
#[test]
fn a_job_that_is_killed_while_it_is_put_aside_ends() {
    for stop in [Signal::TSTP, Signal::STOP] {
        let three = Three::new(ONCE);
        let shell = lines_again().replace("fg;", "kill %1; bg; wait %1;");
        let squirrel = three
            .squirrel
            .through([SHELL[0], SHELL[1], &shell, SHELL[3]]);
        let mut terminal = Terminal::start(&squirrel, SIZE, []);
        terminal.wait("the table", |frame| {
            frame.rows().count() == 3 && all_checked(frame)
        });
        let pid = *descendants(terminal.pid()).first().unwrap();
        send(pid, stop);
        let said =
            |word: &'static str| move |tape: &Tape| find(&tape.bytes, word.as_bytes()).is_some();
        terminal.wait_for("the shell", said("back with 147"));
        terminal.press("Enter");
        // 128 and the number of SIGTERM, which is delivered once `bg` continues it.
        terminal.wait_for("the end", said("over with 143"));
        assert_eq!(process_state(pid), None);
        assert_eq!(terminal.finish(), 0);
    }
}

/// The terminal's own process, without a shell: stopped, it would be so for ever.
#[test]
fn it_is_not_suspended_where_nobody_could_continue_it() {
    let three = Three::new(ONCE);
    let mut terminal = three.watch(SIZE);
    terminal.press("Ctrl-Z");
    terminal.wait_text("not suspended");
    assert_ne!(process_state(terminal.pid()), Some('T'));
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}
