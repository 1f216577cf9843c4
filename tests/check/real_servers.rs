//! Servers that people run: nginx, Apache, HAProxy, Caddy and OpenSSL, each with what it is known
//! to puzzle monitors with.
//!
//! Behaviour is data: `tests/scenarios/real/*.toml`.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use crate::support::{
    CertKind, Certificates, Expect, Squirrel, check_line, mismatches, paradigms, scenarios_dir,
};

/// Servers that are tried at once.
const AT_ONCE: usize = 4;

/// How long a server may take to listen.
const START: Duration = Duration::from_secs(20);

/// How long it may take to end.
const END: Duration = Duration::from_secs(5);

/// A server, and what a check of it must say. In all texts `{port}` and `{tls_port}` are its
/// ports on loopback, `{dir}` is its folder.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RealServer {
    name: String,
    /// Its program and arguments; it stays in the foreground.
    run: Vec<String>,
    /// What a shell does before that, in its folder.
    #[serde(default)]
    prepare: String,
    /// Its files, by their names.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Whether it listens on `{port}`; else it does on `{tls_port}` alone.
    #[serde(default = "yes")]
    plain: bool,
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    url: String,
    #[serde(default)]
    site: toml::Table,
    expect: Expect,
}

#[derive(Deserialize)]
struct File {
    server: Vec<RealServer>,
}

const fn yes() -> bool {
    true
}

fn servers() -> Vec<RealServer> {
    let mut files: Vec<_> = std::fs::read_dir(scenarios_dir().join("real"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let read = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        let file: File =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        file.server
    };
    files.iter().flat_map(read).collect()
}

/// A server that runs; ended when this is dropped.
struct Served {
    child: Child,
    squirrel: Squirrel,
    ports: [u16; 2],
}

impl Served {
    fn start(server: &RealServer, certificates: &Certificates) -> Self {
        let squirrel = Squirrel::new();
        // Held until both are known, so that they differ.
        let held = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
        let ports = held.each_ref().map(|one| one.local_addr().unwrap().port());
        drop(held);
        let dir = squirrel.dir().display().to_string();
        squirrel.write("good.pem", certificates.pem(CertKind::Good));
        for (name, text) in &server.files {
            squirrel.write(name, filled(text, ports, &dir));
        }
        let prepared = Command::new("sh")
            .args(["-ec", &filled(&server.prepare, ports, &dir)])
            .current_dir(squirrel.dir())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&prepared.stderr);
        assert!(prepared.status.success(), "{}: {said}", server.name);
        let words: Vec<_> = server
            .run
            .iter()
            .map(|word| filled(word, ports, &dir))
            .collect();
        let log = std::fs::File::create(squirrel.dir().join("server.log")).unwrap();
        let child = Command::new(&words[0])
            .args(&words[1..])
            .current_dir(squirrel.dir())
            .env("HOME", squirrel.dir())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{} (tests/run installs it): {error}", words[0]));
        let mut served = Self {
            child,
            squirrel,
            ports,
        };
        served.wait(server);
        served
    }

    fn wait(&mut self, server: &RealServer) {
        let port = self.ports[usize::from(!server.plain)];
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let log = || std::fs::read_to_string(self.squirrel.dir().join("server.log"));
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && began.elapsed() < START,
                "{}: {ended:?}: {}",
                server.name,
                log().unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn filled(&self, text: &str) -> String {
        filled(text, self.ports, &self.squirrel.dir().display().to_string())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Apache ends its children when it is asked to; it is gone already if it failed.
        let pid = Pid::from_child(&self.child);
        let _gone = kill_process(pid, Signal::TERM);
        let began = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && began.elapsed() < END {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

fn filled(text: &str, [plain, secure]: [u16; 2], dir: &str) -> String {
    text.replace("{port}", &plain.to_string())
        .replace("{tls_port}", &secure.to_string())
        .replace("{dir}", dir)
}

/// What is wrong with what is said about a server.
fn mistakes(server: &RealServer, certificates: &Certificates) -> Vec<String> {
    let mut wrong = Vec::new();
    let served = Served::start(server, certificates);
    // What the server made for itself, and is to be trusted.
    let own = std::fs::read_to_string(served.squirrel.dir().join("trusted.pem"));
    let trusted = certificates.ca_pem() + &own.unwrap_or_default();
    served.squirrel.write("ca.pem", trusted);
    let mut list = "[monitor]\ntimeout = \"8s\"\nslow = \"7s\"\nca_file = \"ca.pem\"\n".to_owned();
    for case in &server.case {
        let mut site = case.site.clone();
        site.insert("url".to_owned(), served.filled(&case.url).into());
        site.insert("name".to_owned(), case.url.clone().into());
        list.push_str(&format!("[[sites]]\n{}", toml::to_string(&site).unwrap()));
    }
    served.squirrel.write("sites.toml", list);
    for paradigm in paradigms() {
        let words = ["check", "--format", "json", "--config", "sites.toml"];
        let words = words.into_iter().chain(["--paradigm", paradigm]);
        let finished = served.squirrel.run(words);
        finished.assert_no_panic();
        let lines = finished.objects();
        for case in &server.case {
            let place = format!("{paradigm}: {}: {}", server.name, case.url);
            let Some(line) = lines.iter().find(|line| line["name"] == *case.url) else {
                wrong.push(format!("{place}: no line; it said {}", finished.stderr));
                continue;
            };
            let mut found = check_line(line);
            let url = served.filled(&case.url);
            let timeout = Duration::from_secs(8);
            found.extend(mismatches(&case.expect, line, &url, timeout));
            if !found.is_empty() {
                wrong.push(format!("{place}: {}\n    {line}", found.join("; ")));
            }
        }
    }
    wrong
}

#[test]
fn servers_that_people_run_are_seen_as_visitors_see_them_under_every_paradigm() {
    let certificates = Certificates::new();
    let servers = servers();
    assert!(servers.len() >= 8, "{} servers", servers.len());
    // They mostly wait.
    let next = AtomicUsize::new(0);
    let work = || {
        let mut wrong = Vec::new();
        while let Some(server) = servers.get(next.fetch_add(1, Ordering::Relaxed)) {
            wrong.extend(mistakes(server, &certificates));
        }
        wrong
    };
    let wrong: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        let done = workers.into_iter().map(|worker| worker.join().unwrap());
        done.flatten().collect()
    });
    assert!(
        wrong.is_empty(),
        "{} mistakes:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
