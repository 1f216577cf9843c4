//! A stock Python worker, and Celery's own tools.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::support::{Redis, send};

/// A command of Celery, with our tasks and this broker.
pub(crate) fn tool(name: &str, redis: &Redis) -> Command {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let program = root.join("target/celery/bin").join(name);
    assert!(
        program.exists(),
        "{} is needed: tests/run makes it",
        program.display()
    );
    let mut command = Command::new(program);
    command
        .current_dir(root.join("contrib/celery"))
        .env("SQUIRREL_BROKER", redis.url().expose())
        .env("SQUIRREL_BIN", env!("CARGO_BIN_EXE_squirrel"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null());
    command
}

/// A stock worker with our tasks; killed with its pool when this is dropped.
pub(crate) struct Stock(Child);

impl Stock {
    /// The node `py@stock` with so many processes.
    pub(crate) fn start(redis: &Redis, concurrency: usize) -> Self {
        Self::start_in(redis, concurrency, &[])
    }

    /// The same in an environment with these variables.
    pub(crate) fn start_in(redis: &Redis, concurrency: usize, with: &[(&str, &str)]) -> Self {
        let concurrency = concurrency.to_string();
        let mut command = tool("celery", redis);
        command.envs(with.iter().copied());
        command
            .args([
                "--app",
                "squirrel_tasks",
                "worker",
                "--hostname",
                "py@stock",
            ])
            .args(["--concurrency", &concurrency, "--loglevel", "warning"])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Ends it at once, its pool with it.
    pub(crate) fn kill(&mut self) {
        for child in crate::support::descendants(self.0.id()) {
            send(child, Signal::KILL);
        }
        self.0.kill().unwrap();
    }
}

impl Drop for Stock {
    fn drop(&mut self) {
        // The second signal is the end of a worker that still has something to do.
        for _ in 0..2 {
            if self.0.try_wait().unwrap().is_none() {
                send(self.0.id(), Signal::TERM);
                let began = std::time::Instant::now();
                while began.elapsed() < Duration::from_millis(300)
                    && self.0.try_wait().unwrap().is_none()
                {
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
        }
        for child in crate::support::descendants(self.0.id()) {
            send(child, Signal::KILL);
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
