//! The server behind the metrics: what it refuses, which clients it cuts off, and where it listens.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::scraper::{address, connect, exchange, get, got, parse};
use crate::monitor::sites::{WELL, script};
use crate::support::{Fleet, Running, Server, Squirrel, Terminal, until};

/// A monitor of `count` sites on one server, which are checked once an hour.
fn monitor(server: &Server, count: usize, path: &str) -> (Squirrel, Running, SocketAddr) {
    let squirrel = Squirrel::new();
    let mut text = "[monitor]\ninterval = \"1h\"\n".to_owned();
    for index in 0..count {
        text.push_str(&format!(
            "[[sites]]\nname = \"site {index}\"\nurl = \"http://{}/{index}{path}\"\n",
            server.authority
        ));
    }
    squirrel.write("sites.toml", text);
    let mut running = squirrel.start(["watch", "--history", "none", "--metrics", "127.0.0.1:0"]);
    let address = address(&mut running);
    (squirrel, running, address)
}

/// The internet sockets of a process: its listener and its connections.
fn sockets(pid: u32) -> usize {
    let here = format!("/proc/{pid}/net/tcp");
    let inodes: BTreeSet<String> = std::fs::read_to_string(here)
        .unwrap()
        .lines()
        .filter_map(|line| line.split_whitespace().nth(9))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    std::fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .filter(|link| inodes.contains(&*link.to_string_lossy()))
        .count()
}

#[test]
fn it_answers_what_a_scraper_asks_and_nothing_else() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(WELL));
    let (_squirrel, running, address) = monitor(&server, 1, "");
    assert!(address.ip().is_loopback());
    let metrics = get(address, "/metrics");
    assert_eq!(metrics.status, 200);
    let kind = "content-type: text/plain; version=0.0.4; charset=utf-8";
    assert!(metrics.head.contains(kind), "{}", metrics.head);
    // Prometheus adds parameters where it is told to.
    assert_eq!(get(address, "/metrics?target=x").status, 200);
    let root = get(address, "/");
    assert_eq!((root.status, root.body.lines().count()), (200, 1));
    assert!(root.body.contains("<a href=\"/metrics\">"));
    let health = get(address, "/healthz");
    assert_eq!((health.status, health.body.as_str()), (200, "ok\n"));
    assert_eq!(get(address, "/metrics/").status, 404);
    assert_eq!(get(address, "/../../etc/passwd").status, 404);
    let head = got(&exchange(
        address,
        b"HEAD /metrics HTTP/1.1\r\nHost: h\r\n\r\n",
    ));
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    let post = b"POST /metrics HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello";
    let post = got(&exchange(address, post));
    assert_eq!(post.status, 405);
    assert!(post.head.contains("allow: get, head"), "{}", post.head);
    running.signal(Signal::TERM);
    assert_eq!(running.finish().code(), 0);
}

#[test]
fn garbage_is_refused_and_changes_nothing() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(WELL));
    let (_squirrel, running, address) = monitor(&server, 1, "");
    let long = format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "a".repeat(100_000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(5_000));
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"\0\0\0\0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /metrics HTTP/9.9\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nContent-Length: a\r\n\r\n",
        b"\r\n\r\n\r\n\r\n",
        long.as_bytes(),
        many.as_bytes(),
    ] {
        let answer = exchange(address, garbage);
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{garbage:?}");
        assert!(answer.len() < 1_000);
    }
    assert_eq!(get(address, "/healthz").status, 200);
    running.signal(Signal::TERM);
    let finished = running.finish();
    finished.assert_no_panic();
    assert_eq!(finished.code(), 0);
}

#[test]
fn a_slow_client_is_cut_off_and_the_next_one_is_served() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(WELL));
    // More text than the system keeps for a reader that does not read.
    let (_squirrel, mut running, address) = monitor(&server, 1_000, &"x".repeat(3_000));
    until("all sites checked", || {
        let told = get(address, "/metrics").body;
        let checks = told.matches("\nprobe_success{").count();
        checks == 1_000 && told.contains("squirrel_checks_in_flight 0\n")
    });
    until("no client is connected", || sockets(running.pid()) == 1);
    let began = Instant::now();
    let mut silent: Vec<_> = (0..6).map(|_| connect(address)).collect();
    for stream in &mut silent {
        stream.write_all(b"GET /metrics HTT").unwrap();
    }
    let mut slow: Vec<_> = (0..4).map(|_| connect(address)).collect();
    for stream in &mut slow {
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    }
    // More than there is room for at once: some wait until others have been cut off.
    let whole = get(address, "/metrics");
    let took = began.elapsed();
    assert_eq!(whole.status, 200);
    assert!(took < Duration::from_secs(25), "{took:?}");
    assert!(whole.body.contains("name=\"site 999\""));
    for stream in &mut silent {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(!rest.starts_with(b"HTTP/1.1 200"));
    }
    until("all others cut off", || sockets(running.pid()) == 1);
    for stream in &mut slow {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        let rest = String::from_utf8_lossy(&rest);
        assert!(rest.starts_with("HTTP/1.0 200"), "it was being served");
        assert!(!rest.contains("squirrel_checks_in_flight"), "all of it");
    }
    assert!(running.peak_rss() < 400 * 1_024 * 1_024);
}

#[test]
fn idle_clients_without_number_and_heads_without_end_keep_no_scraper_out() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(WELL));
    let (_squirrel, running, address) = monitor(&server, 1, "");
    until("no client is connected", || sockets(running.pid()) == 1);
    // Some say nothing, some a byte now and then.
    let mut idle: Vec<_> = (0..400).map(|_| connect(address)).collect();
    for stream in &mut idle {
        let _cut_off = stream.write_all(b"GET /met");
    }
    let began = Instant::now();
    for byte in b"rics HTTP/1.1\r\nX: y" {
        for stream in idle.iter_mut().step_by(2) {
            let _cut_off = stream.write_all(&[*byte]);
        }
        // The default timeout of Prometheus is three times as long.
        assert_eq!(get(address, "/metrics").status, 200);
        assert!(sockets(running.pid()) < 150);
        if began.elapsed() > Duration::from_secs(3) {
            break;
        }
    }
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
    until("all of them cut off", || sockets(running.pid()) == 1);
}

#[test]
fn many_readers_at_once_are_all_served() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(WELL));
    let (_squirrel, _running, address) = monitor(&server, 300, "");
    let readers: Vec<_> = (0..60)
        .map(|_| std::thread::spawn(move || get(address, "/metrics")))
        .collect();
    let mut last = String::new();
    for reader in readers {
        let got = reader.join().unwrap();
        assert_eq!(got.status, 200);
        let sites = got
            .body
            .lines()
            .filter(|line| line.starts_with("squirrel_site_state{"));
        assert_eq!(sites.count(), 300);
        last = got.body;
    }
    assert!(!parse(&last).is_empty());
}

#[test]
fn an_address_that_is_taken_is_one_sentence_before_anything_starts() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(WELL));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    let squirrel = Squirrel::new();
    let site = format!("[[sites]]\nurl = \"http://{}/\"\n", server.authority);
    squirrel.write("sites.toml", site);
    let finished = squirrel.run(["watch", "--metrics", &at]);
    assert_eq!(finished.code(), 2);
    assert!(finished.stdout.is_empty());
    let sentence = format!("squirrel: no metrics at {at}: something else listens there already\n");
    assert_eq!(finished.stderr, sentence);
    assert_eq!(server.count.connections(), 0);
    let history = squirrel.dir().join("STATE/uptime-squirrel/history.db");
    assert!(!history.exists());
    // The same before a screen is there.
    for words in [vec!["--metrics", &at], vec!["demo", "--metrics", &at]] {
        let mut terminal = Terminal::start(&squirrel, (120, 36), words);
        assert_eq!(terminal.finish(), 2);
        let tape = terminal.tape();
        let said = String::from_utf8_lossy(&tape.bytes).into_owned();
        assert_eq!(said.trim(), sentence.trim());
    }
}

#[test]
fn what_is_no_address_is_a_mistake_of_the_command_line() {
    let squirrel = Squirrel::new();
    for wrong in ["example.org:9115", "70000", "127.0.0.1", ""] {
        let finished = squirrel.run(["watch", "--metrics", wrong]);
        assert_eq!(finished.code(), 2, "{wrong}");
        assert!(
            finished.stderr.contains("expected an address and a port"),
            "{}",
            finished.stderr
        );
    }
    // An address that is not of this machine (RFC 5737).
    squirrel.write("sites.toml", "[[sites]]\nurl = \"http://127.0.0.1:1/\"\n");
    let finished = squirrel.run(["watch", "--metrics", "192.0.2.1:9115"]);
    assert_eq!(finished.code(), 2);
    assert!(
        finished
            .stderr
            .contains("this machine does not have that address"),
        "{}",
        finished.stderr
    );
}

/// Where a process listens: sockets in state 0A of proc_net(5) whose inodes are among its open files.
fn listening(pid: u32) -> Vec<SocketAddr> {
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let links = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
    let open: Vec<String> = links
        .map(|link| link.to_string_lossy().into_owned())
        .collect();
    let other = std::fs::read_to_string(format!("/proc/{pid}/net/tcp6")).unwrap();
    let tables = std::fs::read_to_string(format!("/proc/{pid}/net/tcp")).unwrap() + &other;
    let mut found = Vec::new();
    for line in tables.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if fields.get(3) != Some(&"0A") || !open.contains(&format!("socket:[{}]", fields[9])) {
            continue;
        }
        let (host, port) = fields[1].split_once(':').unwrap();
        let port = u16::from_str_radix(port, 16).unwrap();
        // An address of IPv6 is none that was asked for.
        let host = u32::from_str_radix(host, 16).expect(line);
        found.push(SocketAddr::from((host.to_ne_bytes(), port)));
    }
    found
}

#[test]
fn it_listens_at_the_address_that_was_asked_for_and_nowhere_else() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(WELL));
    let squirrel = Squirrel::new();
    let site = format!("[[sites]]\nurl = \"http://{}/\"\n", server.authority);
    squirrel.write("sites.toml", site);
    let mut running = squirrel.start(["watch", "--history", "none", "--metrics", "127.0.0.2:0"]);
    let address = address(&mut running);
    assert_eq!(address.ip().to_string(), "127.0.0.2");
    assert_eq!(get(address, "/healthz").status, 200);
    // Nothing of it listens anywhere else.
    assert_eq!(listening(running.pid()), [address]);
}
