//! A real Redis server on a private socket, to be killed and started again.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use uptime_squirrel::domain::MaskedUrl;

use super::until;

/// A server; killed when this is dropped.
pub(crate) struct Redis {
    dir: TempDir,
    child: Child,
    persistent: bool,
}

impl Redis {
    /// One whose append-only file survives a crash, but for the last second.
    pub(crate) fn new() -> Self {
        Self::start(true)
    }

    /// One that forgets everything when it is killed.
    pub(crate) fn forgetful() -> Self {
        Self::start(false)
    }

    fn start(persistent: bool) -> Self {
        let dir = tempfile::Builder::new().prefix("redis-").tempdir().unwrap();
        let child = spawn(&dir, persistent);
        let redis = Self {
            dir,
            child,
            persistent,
        };
        redis.wait();
        redis
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

    /// Starts it again on the same data.
    pub(crate) fn start_again(&mut self) {
        self.child = spawn(&self.dir, self.persistent);
        self.wait();
    }
}

fn spawn(dir: &TempDir, persistent: bool) -> Child {
    let appendonly = if persistent { "yes" } else { "no" };
    Command::new("redis-server")
        .args(["--port", "0", "--save", "", "--appendonly", appendonly])
        .arg("--unixsocket")
        .arg(dir.path().join("r.sock"))
        .arg("--dir")
        .arg(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server is needed: tests/run installs it (apt install redis-server)")
}

impl Drop for Redis {
    fn drop(&mut self) {
        // Fails only for one that was killed before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
