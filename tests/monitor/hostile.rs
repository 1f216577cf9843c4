//! What servers send never reaches the terminal as it is.

use super::sites::{AT_ONCE, at, home, script};
use crate::support::{Fleet, Terminal, find, unsafe_characters};

/// A title, a colour that the screen never uses, a C1 control, and a turned reading order.
const EVIL: &str = r"\e]0;pwned\x07\e[95mred\xc2\x9b31m\xe2\x80\xaetxt.exe\x9b2J";

#[test]
fn hostile_text_of_servers_is_shown_and_never_obeyed() {
    let mut fleet = Fleet::new();
    let evil = format!(
        r"
        '* /reason' = ['HTTP/1.1 503 No {EVIL}\r\nContent-Length: 0\r\n\r\n']
        '* /location' = ['HTTP/1.1 302 Found\r\nLocation: http://{{main}}/{EVIL}\r\nContent-Length: 0\r\n\r\n']
        '* /scheme' = ['HTTP/1.1 302 Found\r\nLocation: {EVIL}:x\r\nContent-Length: 0\r\n\r\n']
        '* /garbage' = ['{EVIL} {EVIL}\r\n\r\n']
        '*' = ['HTTP/1.1 404 {EVIL}\r\nContent-Length: 0\r\n\r\n']
        "
    );
    let server = fleet.serve(script(&evil));
    let tls = fleet.serve(script("tls = 'hostile-names'"));
    let names = ["reason", "location", "scheme", "garbage"];
    let monitor = format!("{AT_ONCE}\nca_file = \"ca.pem\"");
    let sites = names.map(|name| at(&server, name)).into_iter();
    let certificate = ("certificate", format!("https://{}/", tls.authority));
    let squirrel = home(&monitor, sites.chain([certificate]));
    squirrel.write("ca.pem", fleet.certificates().ca_pem());
    let mut terminal = Terminal::start(&squirrel, (120, 60), []);
    terminal.wait("all down", |frame| {
        frame.rows().count() == 5 && frame.rows().all(|row| row.contains("DOWN"))
    });
    for name in names.into_iter().chain(["certificate"]) {
        terminal.press("/");
        terminal.press("Ctrl-U");
        terminal.press(name);
        terminal.press("Enter");
        terminal.wait(name, |frame| {
            frame.rows().count() == 1 && frame.row(name).is_some()
        });
        terminal.press("Enter");
        let frame = terminal.wait_text(&format!("Explain {name}"));
        assert!(frame.has("down ("), "{}", frame.text());
        terminal.press("q");
        terminal.wait("the table", |frame| !frame.has("Explain"));
    }
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
    let tape = terminal.tape();
    let sent = std::str::from_utf8(&tape.bytes).expect("nothing but UTF-8 is sent");
    for raw in ["\x1b]0;", "\x1b[95m", "\x1b[2J2J"] {
        assert_eq!(find(&tape.bytes, raw.as_bytes()), None, "{raw:?} was sent");
    }
    for frame in &tape.frames {
        let unsafe_characters = unsafe_characters(&frame.text());
        assert!(
            unsafe_characters.is_empty(),
            "{unsafe_characters:?}\n{}",
            frame.text()
        );
        assert!(frame.title.is_empty() || frame.title.starts_with("squirrel: "));
    }
    let beyond = sent
        .chars()
        .filter(|c| uptime_squirrel::domain::is_unsafe(*c));
    let beyond: Vec<_> = beyond.filter(|c| !c.is_ascii()).collect();
    assert_eq!(
        beyond,
        Vec::<char>::new(),
        "C1 and bidirectional characters"
    );
    tape.heard().notes.iter().for_each(|note| {
        assert!(unsafe_characters(note).is_empty(), "{note:?}");
    });
}
