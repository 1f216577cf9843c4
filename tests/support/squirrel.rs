//! Runs the real binary: clean surroundings, a hard deadline, and all that it says.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use super::peak_memory;

/// How long a run may take at most; whoever takes longer is killed, and the test fails.
const DEADLINE: Duration = Duration::from_secs(60);

/// A binary to run, with a home of its own that is removed afterwards.
pub(crate) struct Squirrel {
    home: TempDir,
    /// Words of a command that runs the binary: `["sh", "-c", "ulimit …; exec \"$@\"", "sh"]`.
    wrapper: Vec<String>,
}

impl Squirrel {
    pub(crate) fn new() -> Self {
        let home = tempfile::Builder::new()
            .prefix("squirrel-test-")
            .tempdir()
            .unwrap();
        Self {
            home,
            wrapper: Vec::new(),
        }
    }

    /// Runs the binary through another command, which must `exec` it.
    pub(crate) fn through<'a>(mut self, wrapper: impl IntoIterator<Item = &'a str>) -> Self {
        self.wrapper = wrapper.into_iter().map(str::to_owned).collect();
        self
    }

    /// Its working directory.
    pub(crate) fn dir(&self) -> &Path {
        self.home.path()
    }

    /// Writes a file into the working directory.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.dir().join(name), text).unwrap();
    }

    /// Puts a file in the place of another in one step: nobody ever reads half of it.
    pub(crate) fn replace(&self, name: &str, text: impl AsRef<[u8]>) {
        self.write("new file", text);
        std::fs::rename(self.dir().join("new file"), self.dir().join(name)).unwrap();
    }

    /// The words of the command that runs it with `args`.
    pub(crate) fn words<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let binary = env!("CARGO_BIN_EXE_squirrel").to_owned();
        let args = args.into_iter().map(str::to_owned);
        let wrapper = self.wrapper.iter().cloned();
        wrapper.chain([binary]).chain(args).collect()
    }

    /// All the environment that it has.
    pub(crate) fn surroundings(&self) -> Vec<(String, OsString)> {
        let home = self.dir();
        let mut variables = vec![
            (
                "PATH".to_owned(),
                std::env::var_os("PATH").unwrap_or_default(),
            ),
            ("LANG".to_owned(), "C.UTF-8".into()),
            ("HOME".to_owned(), home.into()),
        ];
        for kind in ["CONFIG", "STATE", "DATA", "CACHE"] {
            variables.push((format!("XDG_{kind}_HOME"), home.join(kind).into()));
        }
        variables
    }

    /// Starts it with `args`.
    pub(crate) fn start<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Running {
        let words = self.words(args);
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .current_dir(self.dir())
            .env_clear()
            .envs(self.surroundings())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Running::new(command.spawn().unwrap())
    }

    /// Runs it to its end.
    pub(crate) fn run<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Finished {
        self.start(args).finish()
    }
}

/// A binary that runs; killed when this is dropped.
pub(crate) struct Running {
    child: Child,
    started: Instant,
    lines: Receiver<Vec<u8>>,
    seen: Vec<Vec<u8>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
    peak_rss: u64,
}

impl Running {
    fn new(mut child: Child) -> Self {
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = child.stderr.take().unwrap();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let mut line = Vec::new();
            while stdout
                .read_until(b'\n', &mut line)
                .is_ok_and(|count| count > 0)
            {
                // When the receiver is gone, dropping the pipe's end is what is wanted.
                if sender.send(std::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        });
        let stderr = std::thread::spawn(move || {
            let mut all = Vec::new();
            let _ = stderr.read_to_end(&mut all);
            all
        });
        Self {
            child,
            started: Instant::now(),
            lines,
            seen: Vec::new(),
            stderr: Some(stderr),
            peak_rss: 0,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for one more line of standard output; false when there will be none.
    pub(crate) fn wait_for_line(&mut self) -> bool {
        loop {
            self.sample_memory();
            match self.lines.recv_timeout(Duration::from_millis(10)) {
                Ok(line) => {
                    self.seen.push(line);
                    return true;
                }
                Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) => self.check_deadline(),
            }
        }
    }

    /// Waits until so many lines have come.
    pub(crate) fn wait_for_lines(&mut self, count: usize) {
        while self.seen.len() < count {
            assert!(
                self.wait_for_line(),
                "only {} of {count} lines came",
                self.seen.len()
            );
        }
    }

    /// Waits for a line of JSON that `fits`, the ones before included, and gives it.
    pub(crate) fn wait_for(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let mut looked_at = 0;
        loop {
            while looked_at < self.seen.len() {
                let line = serde_json::from_slice(&self.seen[looked_at]).unwrap();
                looked_at += 1;
                if fits(&line) {
                    return line;
                }
            }
            if !self.wait_for_line() {
                let said: String = self
                    .seen
                    .iter()
                    .map(|line| String::from_utf8_lossy(line))
                    .collect();
                panic!("it ended before {what}:\n{said}");
            }
        }
    }

    /// Lines of JSON that came so far.
    pub(crate) fn lines_so_far(&self) -> Vec<Value> {
        self.seen
            .iter()
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }

    /// The most memory seen resident so far, in bytes. The system keeps the highest mark
    /// itself, so that nothing between two readings is missed while the process lives.
    pub(crate) fn peak_rss(&mut self) -> u64 {
        self.sample_memory();
        self.peak_rss
    }

    fn sample_memory(&mut self) {
        self.peak_rss = self.peak_rss.max(peak_memory(self.pid()));
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Closes our end of its standard output: its next line meets a closed pipe.
    pub(crate) fn close_stdout(&mut self) {
        let (_, nobody) = channel();
        self.lines = nobody;
    }

    fn check_deadline(&mut self) {
        if self.started.elapsed() > DEADLINE {
            let _ = self.child.kill();
            panic!(
                "still running after {DEADLINE:?}; it had printed {} lines:\n{}",
                self.seen.len(),
                self.seen
                    .iter()
                    .map(|line| String::from_utf8_lossy(line))
                    .collect::<String>()
            );
        }
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Finished {
        while self.wait_for_line() {}
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            self.check_deadline();
            std::thread::sleep(Duration::from_millis(2));
        };
        let stderr = self
            .stderr
            .take()
            .map(|thread| thread.join().unwrap_or_default());
        Finished {
            pid: self.child.id(),
            status,
            stdout: self.seen.concat(),
            stderr: String::from_utf8_lossy(&stderr.unwrap_or_default()).into_owned(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already reaped after `finish`; then both do nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a run said and how it ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) pid: u32,
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Finished {
    /// The exit status; fails with all that was said when a signal ended it.
    pub(crate) fn code(&self) -> i32 {
        let by = self.status.signal();
        self.status
            .code()
            .unwrap_or_else(|| panic!("ended by signal {by:?}: {}", self.stderr))
    }

    /// Standard output as one JSON object a line.
    pub(crate) fn objects(&self) -> Vec<Value> {
        std::str::from_utf8(&self.stdout)
            .unwrap()
            .lines()
            .map(|line| {
                serde_json::from_str(line)
                    .unwrap_or_else(|error| panic!("not JSON ({error}): {line:?}"))
            })
            .collect()
    }

    /// Fails if it panicked: no mistake of a user or a server may lead there.
    pub(crate) fn assert_no_panic(&self) {
        for sign in [
            "panicked at",
            "RUST_BACKTRACE",
            "stack backtrace",
            "internal error",
        ] {
            assert!(!self.stderr.contains(sign), "{sign}: {}", self.stderr);
        }
        assert_ne!(self.status.code(), Some(101), "{}", self.stderr);
    }
}
