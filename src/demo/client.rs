//! The monitor's side: starts the process of the demo sites, keeps its files, ends it.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{self, Child, ChildStdin, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::oneshot;

use super::command::DemoCommand;
use super::ready_line::{CA_FILE, CONFIG_FILE, DemoReady};

/// The time that the demo server has to print its ready line.
const READY_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest ready line that is read, in bytes.
const MOST_READY_LINE: u64 = 1 << 20;

/// The running demo server, and a directory with the `sites.toml` that leads to it.
///
/// Dropping it ends the process, waits for its end and removes the directory. Should this
/// process end without that, the server sees its input end, removes the files and ends.
#[derive(Debug)]
pub struct DemoProcess {
    child: Child,
    commands: ChildStdin,
    directory: PrivateDirectory,
    /// Completes when the process closes its output: it ends. `None` once that was told.
    output_end: Option<oneshot::Receiver<()>>,
}

impl DemoProcess {
    /// Starts the hidden subcommand `demo-sites` of `program`, which is this one.
    ///
    /// # Errors
    /// When it cannot be started, is not ready in five seconds or says something else, or
    /// when its files cannot be written.
    pub fn start(mut program: process::Command) -> io::Result<Self> {
        program.args(["demo-sites", "--directory"]);
        Self::start_from(program, &std::env::temp_dir(), READY_TIMEOUT)
    }

    /// Starts `program`, which must speak as [`serve`](super::serve()) does, and keeps its
    /// files in a new directory under `parent`, which is the program's last argument.
    fn start_from(
        mut program: process::Command,
        parent: &Path,
        ready_within: Duration,
    ) -> io::Result<Self> {
        let directory = PrivateDirectory::create_in(parent)?;
        let mut child = program
            .arg(&directory.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Keys pressed at the terminal are meant for the monitor alone.
            .process_group(0)
            .spawn()?;
        let streams = child.stdin.take().zip(child.stdout.take());
        let Some((commands, answers)) = streams else {
            end(&mut child);
            return Err(io::Error::other(
                "the process that serves the demo sites has no pipes",
            ));
        };
        let (ending, output_end) = oneshot::channel();
        // From here on, whatever fails, dropping `demo` cleans up.
        let demo = Self {
            child,
            commands,
            directory,
            output_end: Some(output_end),
        };
        let ready = read_ready_line(answers, ready_within, ending)?;
        fs::write(demo.directory.0.join(CA_FILE), ready.ca_pem)?;
        fs::write(demo.config_path(), ready.sites_toml)?;
        Ok(demo)
    }

    /// The configuration that watches the demo sites.
    #[must_use]
    pub fn config_path(&self) -> PathBuf {
        self.directory.0.join(CONFIG_FILE)
    }

    /// The process id of the demo server.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the server has ended by itself, and says how: "killed by signal 9". Told once.
    pub async fn ended(&mut self) -> String {
        let Some(output_end) = &mut self.output_end else {
            return std::future::pending().await;
        };
        // The other end is dropped, whether or not it has said anything.
        let _ = output_end.await;
        self.output_end = None;
        // It has left, or serves nobody any more.
        let _ = self.child.kill();
        match self
            .child
            .wait()
            .map(|status| (status.signal(), status.code()))
        {
            Ok((Some(signal), _)) => format!("killed by signal {signal}"),
            Ok((None, Some(code))) => format!("it ended with status {code}"),
            _ => "it ended".to_owned(),
        }
    }

    /// Lets the site called `name` fail; an unknown name changes nothing.
    ///
    /// # Errors
    /// The server has ended, or the name holds a line break.
    pub fn break_site(&self, name: &str) -> io::Result<()> {
        self.send(DemoCommand::Break(name))
    }

    /// Makes the site called `name` answer well, whatever it did before.
    ///
    /// # Errors
    /// As for [`break_site`](Self::break_site).
    pub fn mend(&self, name: &str) -> io::Result<()> {
        self.send(DemoCommand::Mend(name))
    }

    fn send(&self, command: DemoCommand<'_>) -> io::Result<()> {
        let line = command.to_string();
        if line.contains(['\n', '\r']) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        (&self.commands).write_all(format!("{line}\n").as_bytes())
    }
}

impl Drop for DemoProcess {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Ends a child and waits for its end. Both fail only when it has ended already.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Reads the ready line, the first that the server prints; `ending` is dropped at the end of what it
/// prints, which comes with its own.
fn read_ready_line(
    answers: process::ChildStdout,
    within: Duration,
    ending: oneshot::Sender<()>,
) -> io::Result<DemoReady> {
    // A pipe has no deadline of its own. The thread ends with the child, which does not outlive a
    // failure here.
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("demo-ready".to_owned())
        .spawn(move || {
            let mut line = String::new();
            let mut answers = BufReader::new(answers.take(MOST_READY_LINE));
            let read = answers.read_line(&mut line);
            let _ = sender.send(read.map(|_| line));
            let mut rest = answers.into_inner().into_inner();
            let _ = io::copy(&mut rest, &mut io::sink());
            drop(ending);
        })?;
    let line = receiver.recv_timeout(within).map_err(|_| {
        io::Error::new(
            io::ErrorKind::TimedOut,
            "the demo's sites did not start in time",
        )
    })??;
    serde_json::from_str(&line).map_err(|_| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "the demo's sites did not start as they should",
        )
    })
}

/// A directory that only this user can read, removed when it is dropped.
#[derive(Debug)]
struct PrivateDirectory(PathBuf);

impl PrivateDirectory {
    fn create_in(parent: &Path) -> io::Result<Self> {
        let nanos = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_nanos());
        let name = format!("squirrel-demo-{}-{nanos}", process::id());
        let path = parent.join(name);
        // Fails if it is there already, so no other user can have prepared it.
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for PrivateDirectory {
    fn drop(&mut self) {
        let path: &Path = &self.0;
        if let Err(error) = fs::remove_dir_all(path) {
            tracing::debug!(path = %path.display(), %error, "the demo's directory stays");
        }
    }
}

/// Removes what [`DemoProcess`] wrote into its directory, for a server whose monitor ended
/// without doing so, and the directory if nothing else is in it.
///
/// # Errors
/// Whatever is there and cannot be removed.
pub fn remove_files(directory: &Path) -> io::Result<()> {
    for file in [CA_FILE, CONFIG_FILE] {
        match fs::remove_file(directory.join(file)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    match fs::remove_dir(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Instant;

    fn shell(script: &str) -> process::Command {
        let mut program = process::Command::new("sh");
        program.args(["-c", script]);
        program
    }

    fn is_alive(pid: u32) -> bool {
        let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
        rustix::process::test_kill_process(pid).is_ok()
    }

    fn entries(directory: &Path) -> usize {
        fs::read_dir(directory).unwrap().count()
    }

    #[test]
    fn a_demo_gets_its_files_hears_commands_and_leaves_nothing_behind() {
        let parent = tempfile::tempdir().unwrap();
        let heard = tempfile::NamedTempFile::new().unwrap();
        let mut program = shell(
            r#"printf '%s\n' '{"sites_toml":"[monitor]\n","ca_pem":"PEM"}'; exec cat > "$HEARD""#,
        );
        program.env("HEARD", heard.path());
        let demo = DemoProcess::start_from(program, parent.path(), READY_TIMEOUT).unwrap();

        let config = demo.config_path();
        let directory = config.parent().unwrap().to_owned();
        assert_eq!(fs::read_to_string(&config).unwrap(), "[monitor]\n");
        assert_eq!(
            fs::read_to_string(directory.join("demo-ca.pem")).unwrap(),
            "PEM"
        );
        let mode = fs::metadata(&directory).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);

        demo.break_site("shop").unwrap();
        demo.mend("pay").unwrap();
        assert!(demo.break_site("a\nmend b").is_err());
        let deadline = Instant::now() + Duration::from_secs(10);
        while fs::read_to_string(heard.path()).unwrap() != "break shop\nmend pay\n" {
            assert!(Instant::now() < deadline, "the commands never arrived");
            thread::yield_now();
        }

        let pid = demo.pid();
        assert!(is_alive(pid));
        drop(demo);
        assert!(!is_alive(pid));
        assert_eq!(entries(parent.path()), 0);
    }

    #[test]
    fn a_demo_that_is_silent_gone_or_talks_nonsense_is_an_error_and_leaves_nothing() {
        for (script, kind) in [
            ("exec sleep 600", io::ErrorKind::TimedOut),
            ("exit 0", io::ErrorKind::InvalidData),
            ("echo hello", io::ErrorKind::InvalidData),
        ] {
            let parent = tempfile::tempdir().unwrap();
            // Only the silent one waits for the end of it.
            let within = match kind {
                io::ErrorKind::TimedOut => Duration::from_millis(100),
                _ => Duration::from_secs(60),
            };
            let error = DemoProcess::start_from(shell(script), parent.path(), within);
            assert_eq!(error.unwrap_err().kind(), kind, "{script}");
            assert_eq!(entries(parent.path()), 0, "{script}");
        }
    }

    #[test]
    fn only_our_own_files_are_removed() {
        let parent = tempfile::tempdir().unwrap();
        let ours = parent.path().join("demo");
        fs::create_dir(&ours).unwrap();
        for file in [CA_FILE, CONFIG_FILE, "precious"] {
            fs::write(ours.join(file), "x").unwrap();
        }
        assert!(remove_files(&ours).is_err());
        assert_eq!(entries(&ours), 1);
        fs::remove_file(ours.join("precious")).unwrap();
        remove_files(&ours).unwrap();
        assert_eq!(entries(parent.path()), 0);
        // Nothing is left to remove, which is as well.
        remove_files(&ours).unwrap();
    }
}
