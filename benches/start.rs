//! From the command to the first screen, and what the program weighs at rest.
//!
//! `cargo bench --bench start [-- --quick]`
//!
//! The real binary in a pseudo-terminal, watching 100 sites that a process of its own
//! serves. Beside it, how long the same binary takes to say its version there: what the
//! system needs to start any program of this size.

#[path = "support/median.rs"]
mod median;
#[path = "support/process.rs"]
mod process;
#[path = "support/server.rs"]
mod server;
#[path = "support/table.rs"]
mod table;

use std::error::Error;
use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use median::median;
use process::status;
use server::{uniform, urls};
use table::Table;

const SITES: usize = 100;
const SIZE: PtySize = PtySize {
    rows: 36,
    cols: 120,
    pixel_width: 0,
    pixel_height: 0,
};
/// What ends a frame: the end of the synchronized update.
const FRAME: &[u8] = b"\x1b[?2026l";
const PATIENCE: Duration = Duration::from_secs(20);

fn main() -> Result<(), Box<dyn Error>> {
    let Some(mut table) = Table::asked("Start, and rest") else {
        return Ok(());
    };
    let server = uniform(16, &["--delay", "50ms"])?;
    let home = tempfile::tempdir()?;
    let mut list = String::from("[monitor]\ninterval = \"1h\"\n");
    let urls = urls(&server.handshake.addresses);
    for (index, url) in (0..SITES).zip(urls.iter().cycle()) {
        list.push_str(&format!(
            "[[sites]]\nname = \"site {index}\"\nurl = \"{url}{index}\"\n"
        ));
    }
    std::fs::write(home.path().join("sites.toml"), list)?;

    let rounds = if table.quick { 5 } else { 25 };
    let (mut version, mut screen, mut rest, mut most) = (vec![], vec![], vec![], vec![]);
    // The first round reads the binary into the system's cache and is not counted.
    for round in 0..=rounds {
        let mut bare = Session::start(home.path(), &["--version"])?;
        let said = bare.until(|screen| !screen.contents().trim().is_empty())?;
        bare.child.wait()?;
        let mut session = Session::start(home.path(), &[])?;
        let shown = session.until_frame()?;
        if round > 0 {
            version.push(said.as_secs_f64() * 1e3);
            screen.push(shown.as_secs_f64() * 1e3);
        }
        if round + 3 > rounds {
            let all_up = format!("{SITES} UP");
            session.until(|screen| screen.contents().contains(&all_up))?;
            let process = session.process();
            rest.push(status(&process, "VmRSS")? / 1024.0 / 1024.0);
            most.push(status(&process, "VmHWM")? / 1024.0 / 1024.0);
        }
        session.end()?;
    }
    table.note(
        "squirrel --version: its first word",
        format!("{:.1} ms", median(version)),
    );
    let figure = format!("squirrel, {SITES} sites: its first frame, median of {rounds}");
    table.at_most(&figure, median(screen), 50.0, " ms");
    table.at_most("resident after the first sweep", median(rest), 25.0, " MiB");
    table.note("resident at most", format!("{:.1} MiB", median(most)));
    table.print()?;
    Ok(())
}

/// A running program and the terminal that it believes to have.
struct Session {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    /// What the program wrote, piece by piece, and when it was read.
    pieces: Receiver<(Instant, Vec<u8>)>,
    terminal: vt100::Parser,
    began: Instant,
}

impl Session {
    fn start(home: &Path, arguments: &[&str]) -> Result<Self, Box<dyn Error>> {
        let cells = |cells| NonZero::new(cells).ok_or("a terminal has cells");
        let (rows, columns) = (cells(SIZE.rows)?, cells(SIZE.cols)?);
        let pair = native_pty_system().openpty(SIZE)?;
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_squirrel"));
        command.args(arguments);
        command.cwd(home);
        command.env_clear();
        command.env("HOME", home);
        command.env("TERM", "xterm-256color");
        let mut reader = pair.master.try_clone_reader()?;
        let (sender, pieces) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 65_536];
            // The end of the program is the end of the terminal: an error, or nothing more.
            while let Ok(read @ 1..) = reader.read(&mut bytes) {
                if sender
                    .send((Instant::now(), bytes[..read].to_vec()))
                    .is_err()
                {
                    return;
                }
            }
        });
        let began = Instant::now();
        let child = pair.slave.spawn_command(command)?;
        Ok(Self {
            child,
            master: pair.master,
            pieces,
            terminal: vt100::Parser::new(rows, columns, 0),
            began,
        })
    }

    /// Reads until a frame is complete; gives how long after the start that was.
    fn until_frame(&mut self) -> Result<Duration, Box<dyn Error>> {
        let mut seen = Vec::new();
        loop {
            let (at, piece) = self.pieces.recv_timeout(PATIENCE)?;
            self.terminal.process(&piece);
            seen.extend(piece);
            if seen.windows(FRAME.len()).any(|bytes| bytes == FRAME) {
                if !self.terminal.screen().contents().contains("site 9 ") {
                    return Err("the first frame shows no sites".into());
                }
                return Ok(at - self.began);
            }
        }
    }

    /// Reads until the terminal shows what is wanted.
    fn until(
        &mut self,
        wanted: impl Fn(&vt100::Screen) -> bool,
    ) -> Result<Duration, Box<dyn Error>> {
        loop {
            let (at, piece) = self.pieces.recv_timeout(PATIENCE)?;
            self.terminal.process(&piece);
            if wanted(self.terminal.screen()) {
                return Ok(at - self.began);
            }
        }
    }

    fn process(&self) -> String {
        self.child.process_id().unwrap_or_default().to_string()
    }

    /// Presses the key that quits.
    fn end(mut self) -> Result<(), Box<dyn Error>> {
        self.master.take_writer()?.write_all(b"q")?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It has ended already, unless something went wrong.
        let _gone = self.child.kill();
    }
}
