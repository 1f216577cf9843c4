//! What befalls the socket: a monitor that was killed, another monitor, clients that say nothing
//! or rubbish.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use rustix::process::Signal;

use crate::monitor::sites::{AT_ONCE, WELL, at, home, script};
use crate::owners::sites::is;
use crate::support::{Fleet, Running, Server, Squirrel};

/// A site that is well, a home with it, and where the socket of its monitor is.
fn one() -> (Fleet, Server, Squirrel, PathBuf) {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(WELL));
    let squirrel = home(AT_ONCE, [at(&server, "shop")]);
    let socket = squirrel.dir().join("a.sock");
    (fleet, server, squirrel, socket)
}

fn watch(squirrel: &Squirrel, history: &str) -> Running {
    let mut running = squirrel.start(["watch", "--history", history, "--socket", "a.sock"]);
    running.wait_for("the start", is("started"));
    running
}

fn status(squirrel: &Squirrel) -> i32 {
    squirrel.run(["status", "--socket", "a.sock"]).code()
}

#[test]
fn the_socket_of_a_killed_monitor_is_replaced_and_belongs_to_its_user_alone() {
    let (_fleet, _server, squirrel, socket) = one();
    let running = watch(&squirrel, "a.db");
    let metadata = std::fs::symlink_metadata(&socket).unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    running.signal(Signal::KILL);
    running.finish();
    assert!(socket.exists());
    assert_eq!(status(&squirrel), 3);
    let running = watch(&squirrel, "a.db");
    assert_eq!(status(&squirrel), 0);
    running.signal(Signal::TERM);
    assert_eq!(running.finish().code(), 0);
    // Neither the socket nor its lock is left.
    assert!(!socket.exists() && !socket.with_extension("sock.lock").exists());
}

#[test]
fn of_two_monitors_the_first_keeps_the_socket_and_the_other_says_that_it_has_none() {
    let (_fleet, _server, squirrel, socket) = one();
    let first = watch(&squirrel, "a.db");
    let second = watch(&squirrel, "b.db");
    let told = squirrel.run(["status", "--socket", "a.sock", "--format", "json"]);
    assert_eq!(told.objects()[0]["pid"], first.pid());
    second.signal(Signal::TERM);
    let second = second.finish();
    assert!(
        second.stderr.contains("another monitor takes them there"),
        "{}",
        second.stderr
    );
    assert_eq!(status(&squirrel), 0);
    first.signal(Signal::TERM);
    assert_eq!(first.finish().code(), 0);
    // A file of that name is somebody's, and stays.
    std::fs::write(&socket, "precious").unwrap();
    let third = watch(&squirrel, "a.db");
    third.signal(Signal::TERM);
    assert!(third.finish().stderr.contains("is no socket"));
    assert_eq!(std::fs::read_to_string(&socket).unwrap(), "precious");
}

#[test]
fn clients_that_say_nothing_rubbish_or_without_end_keep_nobody_out() {
    let (_fleet, _server, squirrel, socket) = one();
    let running = watch(&squirrel, "a.db");
    let connect = || UnixStream::connect(&socket).unwrap();
    let _silent: Vec<_> = (0..200).map(|_| connect()).collect();
    assert_eq!(status(&squirrel), 0);
    for rubbish in [
        &b"\n"[..],
        b"GET / HTTP/1.1\r\n\r\n",
        b"{}\n",
        b"{\"protocol\":1,\"command\":{\"unheard\":{}}}\n",
        b"{\"protocol\":1,\"command\":{\"pause\":{\"site\":\"\\u001b[2J\",\"paused\":true}}}\n",
        b"{\"protocol\":99,\"command\":null}\n",
    ] {
        let mut client = connect();
        client.write_all(rubbish).unwrap();
        let mut reply = String::new();
        client.read_to_string(&mut reply).unwrap();
        let reply: serde_json::Value = serde_json::from_str(&reply).unwrap();
        let why = reply.get("refused").or_else(|| reply.get("nothing"));
        let why = why.and_then(serde_json::Value::as_str).unwrap();
        assert!(!why.contains('\u{1b}'), "{why:?}");
    }
    // No line that ever ends: it is cut off.
    let mut client = connect();
    let mut sent = 0;
    while sent < 1 << 20 && client.write_all(&[b'x'; 4_096]).is_ok() {
        sent += 4_096;
    }
    assert!(sent < 1 << 20, "{sent} bytes were taken");
    assert_eq!(status(&squirrel), 0);
    running.signal(Signal::TERM);
    assert_eq!(running.finish().code(), 0);
}
