//! A real Redis server on a private socket, to be killed and started again.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use uptime_squirrel::domain::MaskedUrl;

use super::until;

/// A server; killed when this is dropped.
pub(crate) struct Redis {
    dir: TempDir,
    child: Child,
    program: PathBuf,
    options: Vec<String>,
}

impl Redis {
    /// One whose append-only file survives a crash, but for the last second.
    pub(crate) fn new() -> Self {
        Self::with(&["--appendonly", "yes"])
    }

    /// One that forgets everything when it is killed.
    pub(crate) fn forgetful() -> Self {
        Self::with(&[])
    }

    /// One with further options of the command line.
    pub(crate) fn with(options: &[&str]) -> Self {
        Self::run("redis-server", options)
    }

    /// One run by this program, with further options of the command line.
    pub(crate) fn run(program: impl Into<PathBuf>, options: &[&str]) -> Self {
        let dir = tempfile::Builder::new().prefix("redis-").tempdir().unwrap();
        let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
        let program = program.into();
        let child = spawn(&program, &dir, &options);
        let redis = Self {
            dir,
            child,
            program,
            options,
        };
        redis.wait();
        redis
    }

    /// A Sentinel with these lines of configuration.
    pub(crate) fn sentinel(lines: &[&str]) -> Self {
        let options: Vec<&str> = std::iter::once("--sentinel")
            .chain(lines.iter().copied())
            .collect();
        Self::with(&options)
    }

    /// The folder of its data.
    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn wait(&self) {
        until("Redis is ready", || {
            let connection = self.client().get_connection();
            connection.is_ok_and(|mut connection| {
                redis::cmd("PING").query::<String>(&mut connection).is_ok()
            })
        });
    }

    pub(crate) fn url(&self) -> MaskedUrl {
        MaskedUrl::new(format!("redis+socket://{}", self.socket()))
    }

    pub(crate) fn socket(&self) -> String {
        self.dir.path().join("r.sock").display().to_string()
    }

    fn client(&self) -> redis::Client {
        redis::Client::open(format!("unix://{}", self.socket())).unwrap()
    }

    pub(crate) fn connection(&self) -> redis::Connection {
        let connection = self.client().get_connection().unwrap();
        connection
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        connection
    }

    /// Runs a command: its words, blank-separated texts apart.
    pub(crate) fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let mut command = redis::cmd(words[0]);
        for word in &words[1..] {
            command.arg(*word);
        }
        command.query(&mut self.connection()).unwrap()
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it as its keeper would.
    pub(crate) fn shut_down(&mut self) {
        // It closes the connection instead of answering.
        let _ = redis::cmd("SHUTDOWN").query::<()>(&mut self.connection());
        self.child.wait().unwrap();
    }

    /// Starts it again on the same data, and does not wait until it is ready.
    pub(crate) fn begin_again(&mut self, more: &[&str]) {
        let mut options = self.options.clone();
        options.extend(more.iter().map(|&option| option.to_owned()));
        self.child = spawn(&self.program, &self.dir, &options);
    }

    /// Starts it again on the same data.
    pub(crate) fn start_again(&mut self) {
        self.child = spawn(&self.program, &self.dir, &self.options);
        self.wait();
    }
}

fn spawn(program: &Path, dir: &TempDir, options: &[String]) -> Child {
    let data = dir.path().join("data");
    // It exists after the first start.
    let _ = std::fs::create_dir(&data);
    let socket = dir.path().join("r.sock");
    let mut command = Command::new(program);
    match options.split_first() {
        Some((sentinel, lines)) if sentinel == "--sentinel" => {
            let file = data.join("sentinel.conf");
            let socket = socket.display();
            let text = format!("unixsocket {socket}\n{}\n", lines.join("\n"));
            std::fs::write(&file, text).unwrap();
            command.arg(file).arg(sentinel);
        }
        _ => {
            command.args(["--port", "0", "--save", "", "--dir"]);
            command.arg(data).arg("--unixsocket").arg(socket);
            command.args(options);
        }
    }
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| {
            let program = program.display();
            panic!("{program} is needed: tests/run installs it: {error}")
        })
}

impl Drop for Redis {
    fn drop(&mut self) {
        // Fails only for one that was killed before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
