//! The monitor inside tmux and GNU screen, the real ones: what is copied, and rows that move.

use std::path::Path;
use std::process::Command;

use super::explanation::decoded;
use super::sites::{AT_ONCE, BROKEN, ONCE, SIZE, WELL, at, home, script};
use crate::support::{Fleet, Squirrel, Terminal, until};

/// A home whose one site is answered by the server of `fleet`.
fn one_site(fleet: &mut Fleet) -> Squirrel {
    let server = fleet.serve(script(WELL));
    home(ONCE, [at(&server, "alpha")])
}

/// tmux as it comes, with a server of its own.
fn in_tmux(squirrel: Squirrel) -> Squirrel {
    let socket = squirrel.dir().join("tmux").display().to_string();
    squirrel.through(["tmux", "-S", &socket, "-f", "/dev/null", "new-session"])
}

/// What the tmux of that home says to a command.
fn tmux(home: &Path, words: &[&str]) -> String {
    let mut command = Command::new("tmux");
    command.arg("-S").arg(home.join("tmux")).args(words);
    let output = command.env_remove("TMUX").output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn in_tmux_the_curl_line_is_in_its_buffer_and_on_the_terminals_clipboard() {
    let mut fleet = Fleet::new();
    let squirrel = in_tmux(one_site(&mut fleet));
    let mut terminal = Terminal::start(&squirrel, SIZE, []);
    terminal.wait("the site (this test needs tmux)", |frame| {
        frame.is("alpha", "UP")
    });
    terminal.press("y");
    terminal.wait_text("Copied to tmux's buffer: curl -sS");
    let copied = tmux(squirrel.dir(), &["show-buffer"]);
    assert!(copied.starts_with("curl -sS "), "{copied}");
    terminal.wait_for("the clipboard", |tape| !tape.heard().clipboard.is_empty());
    let clipboard = terminal.heard(|heard| decoded(&heard.clipboard[0]));
    assert_eq!(clipboard, copied);
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

#[test]
fn where_tmux_cannot_be_asked_nothing_is_claimed() {
    let mut fleet = Fleet::new();
    let squirrel = one_site(&mut fleet);
    let nobody = ("TMUX", "/nowhere/tmux,1,0");
    let mut terminal = Terminal::start_in(&squirrel, SIZE, &[nobody], []);
    terminal.wait("the site", |frame| frame.is("alpha", "UP"));
    terminal.press("y");
    let frame = terminal.wait_text("Not in tmux's buffer (");
    assert!(
        frame.has("only sent as OSC 52: curl -sS"),
        "{}",
        frame.text()
    );
    assert!(!terminal.heard(|heard| heard.clipboard.is_empty()));
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

#[test]
fn screen_passes_the_curl_line_on_to_the_terminal() {
    let mut fleet = Fleet::new();
    let squirrel = one_site(&mut fleet);
    squirrel.write("screenrc", "startup_message off\ndefutf8 on\n");
    let sockets = squirrel.dir().join("sockets");
    std::fs::create_dir(&sockets).unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&sockets, private).unwrap();
    let sockets = format!("SCREENDIR={}", sockets.display());
    let squirrel = squirrel.through(["env", &sockets, "screen", "-U", "-c", "screenrc"]);
    let mut terminal = Terminal::start(&squirrel, SIZE, []);
    terminal.wait("the site (this test needs screen)", |frame| {
        frame.is("alpha", "UP")
    });
    terminal.press("y");
    terminal.wait_for("the clipboard", |tape| !tape.heard().clipboard.is_empty());
    let clipboard = terminal.heard(|heard| decoded(&heard.clipboard[0]));
    assert!(clipboard.starts_with("curl -sS "), "{clipboard}");
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

/// Names that begin with what terminals disagree on, and a word that they all know.
const NAMES: [(&str, &str); 10] = [
    ("\u{1f1e9}\u{1f1ea}", "berlin"),
    ("\u{1f44d}\u{1f3fd}", "thumbs"),
    (
        "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}",
        "family",
    ),
    ("\u{915}\u{94d}\u{937}\u{93f}", "indic"),
    ("\u{ba8}\u{bbf}", "tamil"),
    ("\u{2764}\u{fe0f}", "heart"),
    ("1\u{fe0f}\u{20e3}", "key"),
    ("e\u{301}", "acute"),
    ("\u{65e5}\u{672c}", "japan"),
    ("plain", "plain"),
];

/// The rows of the table in tmux's own cells.
fn rows(home: &Path) -> Vec<String> {
    let shown = tmux(home, &["capture-pane", "-p"]);
    let rows = shown.lines().filter(|line| {
        let mut words = line.split_whitespace().skip(1);
        words
            .next()
            .is_some_and(|word| word == "UP" || word == "DOWN")
    });
    rows.map(str::to_owned).collect()
}

/// Whether a row is whole: blanks alone between the site's last word and the status.
fn is_whole(row: &str) -> bool {
    let is_of = |word: &str| row.contains(&format!(" {word} "));
    let Some((_, word)) = NAMES.iter().find(|(_, word)| is_of(word)) else {
        return false;
    };
    let (_, rest) = row.rsplit_once(&format!(" {word} ")).unwrap();
    let status = rest.trim_start().split(' ').next().unwrap_or_default();
    ["200", "503"].contains(&status)
}

#[test]
fn rows_that_move_in_tmux_leave_nothing_behind() {
    let mut fleet = Fleet::new();
    let servers = NAMES.map(|_| fleet.serve(script(WELL)));
    let names = NAMES.map(|(begin, word)| format!("{begin} {word}"));
    let sites = names.iter().zip(&servers).map(|(name, server)| {
        let url = format!("http://{}/", server.authority);
        (name.as_str(), url)
    });
    let squirrel = in_tmux(home(AT_ONCE, sites));
    let mut terminal = Terminal::start(&squirrel, SIZE, []);
    let all = |down: usize| {
        let rows = rows(squirrel.dir());
        let counted = rows.iter().filter(|row| row.contains(" DOWN ")).count();
        rows.len() == NAMES.len() && counted == down
    };
    until("all sites up (this test needs tmux)", || all(0));
    for failing in [&[1][..], &[2, 3], &[4], &[0, 5], &[6, 7, 9], &[8, 3], &[]] {
        for (number, server) in servers.iter().enumerate() {
            let is_failing = failing.contains(&number);
            server.play(script(if is_failing { BROKEN } else { WELL }));
        }
        terminal.press("R");
        until("the rows to move", || all(failing.len()));
        let rows = rows(squirrel.dir());
        let spoilt: Vec<_> = rows.iter().filter(|row| !is_whole(row)).collect();
        assert!(spoilt.is_empty(), "{spoilt:#?}\nof {rows:#?}");
    }
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}
