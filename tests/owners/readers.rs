//! Readers of `watch` that stall or go away: checks, messages and signals go on without them.

use std::fs::File;
use std::io::{BufRead as _, BufReader, PipeReader, PipeWriter, Read as _, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::Signal;
use serde_json::Value;
use uptime_squirrel::domain::plural;

use super::sites::{BROKEN, WELL, home, home_of, is};
use crate::monitor::sites::script;
use crate::support::{Answer, Fleet, PostServer, Server, Squirrel, send, until};

/// A `watch` whose output the test reads, or does not; killed when this is dropped.
struct Watched(Child);

impl Watched {
    fn start(squirrel: &Squirrel, args: &[&str], out: Stdio, err: Stdio) -> Self {
        let words = squirrel.words([&["watch"], args].concat());
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .current_dir(squirrel.dir())
            .env_clear()
            .envs(squirrel.surroundings())
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err);
        Self(command.spawn().unwrap())
    }

    /// Ends it by SIGTERM, and waits for that.
    fn terminate(&mut self) -> ExitStatus {
        send(self.0.id(), Signal::TERM);
        let mut status = None;
        until("the end", || {
            status = self.0.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // Already reaped after `terminate`; then both do nothing.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A pipe that is full already.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    fcntl_setfl(&writer, OFlags::NONBLOCK).unwrap();
    while writer.write(&[b'\n'; 64]).is_ok() {}
    fcntl_setfl(&writer, OFlags::empty()).unwrap();
    (reader, writer)
}

/// Makes the URLs so long that a check is a line of some six thousand bytes.
fn lengthen(squirrel: &Squirrel, site: &Server) {
    let sites = std::fs::read_to_string(squirrel.dir().join("sites.toml")).unwrap();
    let short = format!("{}/", site.authority);
    let long = format!("{short}{}", "x".repeat(6_000));
    squirrel.write("sites.toml", sites.replace(&short, &long));
}

#[test]
fn a_reader_that_stalls_stops_no_check_no_message_and_no_signal() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let names: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    let sites: Vec<_> = names.iter().map(|name| (name.as_str(), &site)).collect();
    let squirrel = home_of(&fleet, &sites, &format!("webhook = \"{}\"", hook.url()), "");
    lengthen(&squirrel, &site);
    let (reader, writer) = std::io::pipe().unwrap();
    let args = ["--history", "none", "--results"];
    let mut watched = Watched::start(&squirrel, &args, writer.into(), Stdio::null());
    // Far more than pipe and room hold.
    until("many checks", || site.count.requests() > 800);
    site.play(script(BROKEN));
    until("the message", || !hook.posted().is_empty());
    // The reader goes on, and learns what it missed.
    let mut lines = BufReader::new(reader).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["event"], "started");
    let trouble = loop {
        let line = next();
        if is("trouble")(&line) {
            break line;
        }
    };
    let lost = trouble["lost"].as_u64().unwrap();
    assert!(lost > 50, "{trouble}");
    let sentence = format!(
        "standard output was not read: {} missing",
        plural(lost, "line")
    );
    assert_eq!(trouble["error"], sentence);
    while next()["verdict"] != "down" {}
    // It stalls again, and that is no reason not to end.
    assert_eq!(watched.terminate().code(), Some(0));
}

#[test]
fn a_reader_of_standard_error_that_stalls_stops_nothing_either() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let squirrel = home(&fleet, &site, "", "");
    // A file where the folder should be: the history cannot be kept, and that is said there.
    squirrel.write("state", "");
    let (mut errors, writer) = full_pipe();
    let args = ["--history", "state/history.db", "--results"];
    let out = File::create(squirrel.dir().join("out")).unwrap();
    let mut watched = Watched::start(&squirrel, &args, out.into(), writer.into());
    until("checks", || site.count.requests() > 2);
    assert_eq!(watched.terminate().code(), Some(0));
    let out = std::fs::read_to_string(squirrel.dir().join("out")).unwrap();
    let mut lines = out.lines().map(|line| serde_json::from_str(line).unwrap());
    let trouble: Value = lines.find(is("trouble")).unwrap();
    let why = trouble["error"].as_str().unwrap();
    assert!(why.starts_with("the history is not kept: "), "{why}");
    drop(watched);
    let mut said = String::new();
    errors.read_to_string(&mut said).unwrap();
    assert_eq!(said.trim(), "", "it was full");
}

#[test]
fn a_reader_that_goes_away_ends_it_with_a_status_that_is_restarted() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let squirrel = home(&fleet, &site, "", "");
    let mut running = squirrel.start(["watch", "--history", "none", "--results"]);
    running.wait_for("the start", is("started"));
    running.close_stdout();
    let finished = running.finish();
    assert_eq!(finished.code(), 74, "{}", finished.stderr);
    assert_eq!(finished.stderr, "");
    let unit = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/contrib/systemd/squirrel.service"
    );
    let unit = std::fs::read_to_string(unit).unwrap();
    let settings: Vec<&str> = unit
        .lines()
        .filter(|line| line.starts_with("Restart"))
        .collect();
    let wanted = [
        "Restart=on-failure",
        "RestartSec=5s",
        "RestartPreventExitStatus=2",
    ];
    assert_eq!(settings, wanted, "which restarts it");
}

/// A folder `disk` that holds very little, in a file system of its own.
const SMALL_DISK: &str = r#"
mkdir disk && mount -t tmpfs -o size=16k none disk || exit 90
exec "$@" > disk/out
"#;

#[test]
fn output_into_a_file_on_a_full_disk_stops_no_check() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let plain = home(&fleet, &site, "", "");
    let squirrel = Squirrel::new().through([
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        SMALL_DISK,
        "sh",
    ]);
    lengthen(&plain, &site);
    for name in ["ca.pem", "sites.toml"] {
        let text = std::fs::read(plain.dir().join(name)).unwrap();
        squirrel.write(name, text);
    }
    let running = squirrel.start(["watch", "--history", "none", "--results"]);
    until(
        "checks after the disk was full (this test needs unshare of util-linux)",
        || site.count.requests() > 6,
    );
    running.signal(Signal::TERM);
    let finished = running.finish();
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    let sentence =
        "squirrel: standard output: cannot be written: the disk is full; it is tried again\n";
    assert_eq!(finished.stderr, sentence);
}
