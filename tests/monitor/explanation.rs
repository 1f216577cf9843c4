//! The explanation of a verdict.

use super::sites::{AT_ONCE, SIZE, Three, home, script};
use crate::support::{Fleet, Terminal};

/// Reads base64 (RFC 4648).
pub(super) fn decoded(text: &str) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut out) = (0_u32, 0, Vec::new());
    for byte in text.trim_end_matches('=').bytes() {
        let digit = DIGITS.iter().position(|digit| *digit == byte).unwrap();
        bits = bits << 6 | u32::try_from(digit).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 0xff) as u8);
        }
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn a_verdict_is_explained_by_every_request_phase_certificate_and_thread() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"
        tls = 'good'
        '* /start' = ['HTTP/1.1 302 Found\r\nLocation: /end\r\nContent-Length: 0\r\n\r\n']
        'HEAD /end' = ['HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n']
        'GET /end' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']
        ",
    ));
    let url = format!("https://{}/start", server.authority);
    let monitor = format!("{AT_ONCE}\nca_file = \"ca.pem\"");
    let squirrel = home(&monitor, [("shop", url.clone())]);
    squirrel.write("ca.pem", fleet.certificates().ca_pem());
    let mut terminal = Terminal::start(&squirrel, (120, 60), []);
    terminal.wait("the shop up", |frame| frame.is("shop", "UP"));
    terminal.press("Enter");
    let frame = terminal.wait_text("Explain shop");
    let pid = terminal.pid();
    for part in [
        "● UP since",
        "status 200",
        "2 attempts, 1 redirect",
        "status 200 counts as up",
        &format!("Request 1    HEAD {url}: status 302"),
        "/end: status 405",
        "GET https://",
        "127.0.0.1",
        "connect ",
        "TLS ",
        "first byte ",
        "squirrel test server",
        "in 90 days",
        "thread async-",
        &format!("of process {pid} on"),
        "every 1h",
        "1 check, 0 missed, UP% 100",
    ] {
        assert!(frame.has(part), "{part}\n{}", frame.text());
    }
    terminal.press("y");
    terminal.wait_for("something on the clipboard", |tape| {
        !tape.heard().clipboard.is_empty()
    });
    let line = terminal.heard(|heard| decoded(&heard.clipboard[0]));
    assert!(line.starts_with("curl -sS "), "{line}");
    assert!(line.ends_with(&format!("'{url}'")), "{line}");
    let said = terminal.wait_text("Sent to the terminal for its clipboard (OSC 52): curl -sS");
    assert!(said.has("Explain shop"), "{}", said.text());
}

#[test]
fn a_failure_is_explained_by_its_rule_and_the_next_site_is_a_key_away() {
    let three = Three::new(AT_ONCE);
    let mut terminal = three.watch(SIZE);
    terminal.wait("beta first", |frame| frame.selection().contains("beta"));
    terminal.press("Enter");
    let frame = terminal.wait_text("Explain beta");
    for part in [
        "✗ DOWN since",
        "1 failure in a row, confirm = 1: an outage",
        "status 503 is 400 or more",
        "down (status)",
    ] {
        assert!(frame.has(part), "{part}\n{}", frame.text());
    }
    terminal.press("n");
    terminal.wait_text("Explain alpha");
    terminal.press("N");
    terminal.wait_text("Explain beta");
    // A check can be asked for from here, too.
    terminal.press("r");
    terminal.wait_text("2 checks, 0 missed");
    terminal.press("q");
    let frame = terminal.wait("the table", |frame| frame.rows().count() == 3);
    assert!(frame.selection().contains("beta"), "{}", frame.text());
}
