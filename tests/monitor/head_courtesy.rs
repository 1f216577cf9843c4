//! HEAD is a courtesy: a site whose HEAD is wrong is asked by GET at once, and it is told why.

use rustix::process::Signal;
use serde_json::Value;

use super::sites::{EVERY_SECOND, home, script};
use crate::support::{Fleet, Terminal, paradigms};

const WRONG_HEAD: &str = r"
    HEAD = ['HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n']
    GET = ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok']
";

#[test]
fn a_site_whose_head_is_wrong_is_asked_by_get_at_once_until_a_reload_under_every_paradigm() {
    for paradigm in paradigms() {
        let mut fleet = Fleet::new();
        let server = fleet.serve(script(WRONG_HEAD));
        let url = format!("http://{}/", server.authority);
        let squirrel = home(EVERY_SECOND, [("shop", url)]);
        let mut running = squirrel.start([
            "watch",
            "--history",
            "none",
            "--results",
            "--paradigm",
            paradigm,
        ]);
        let by_get = |attempts: u64| {
            move |line: &Value| {
                line["method"] == "GET" && line["attempts"] == attempts && line["verdict"] == "up"
            }
        };
        running.wait_for("a check by HEAD and GET", by_get(2));
        running.wait_for("a check by GET at once", by_get(1));
        let seen = running.lines_so_far().len();
        let again = |lines: &[Value]| lines[seen..].iter().any(by_get(2));
        running.signal(Signal::HUP);
        while !again(&running.lines_so_far()) {
            assert!(running.wait_for_line(), "{paradigm}: it ended");
        }
        running.signal(Signal::TERM);
        running.finish().assert_no_panic();
    }
}

#[test]
fn a_refusal_of_head_is_no_lie_and_the_site_is_asked_by_head_again() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"
        HEAD = ['HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n']
        GET = ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok']
        ",
    ));
    let url = format!("http://{}/", server.authority);
    let squirrel = home(EVERY_SECOND, [("shop", url)]);
    let mut running = squirrel.start(["watch", "--history", "none", "--results"]);
    let checks = |lines: &[Value]| {
        let both = |line: &&Value| line["method"] == "GET";
        let checks: Vec<_> = lines.iter().filter(both).cloned().collect();
        checks
    };
    while checks(&running.lines_so_far()).len() < 3 {
        assert!(running.wait_for_line(), "it ended");
    }
    for check in checks(&running.lines_so_far()) {
        assert_eq!(check["attempts"], 2, "{check}");
    }
    running.signal(Signal::TERM);
    running.finish().assert_no_panic();
}

#[test]
fn the_explanation_says_why_a_site_is_asked_by_get() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(WRONG_HEAD));
    let url = format!("http://{}/", server.authority);
    let squirrel = home(EVERY_SECOND, [("shop", url)]);
    let mut terminal = Terminal::start(&squirrel, (120, 60), []);
    terminal.wait("the shop up", |frame| frame.is("shop", "UP"));
    terminal.press("Enter");
    terminal.wait_text("asked by GET at once: HEAD was");
    terminal.press("q");
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}
