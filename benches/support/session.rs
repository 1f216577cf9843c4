//! A program in a pseudo-terminal, and what it writes there.

use std::error::Error;
use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

const SIZE: PtySize = PtySize {
    rows: 36,
    cols: 120,
    pixel_width: 0,
    pixel_height: 0,
};
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A running program and the terminal that it believes to have.
pub(crate) struct Session {
    pub(crate) child: Box<dyn Child + Send + Sync>,
    /// The terminal ends with it.
    _master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    /// What the program wrote, piece by piece, and when it was read.
    pub(crate) pieces: Receiver<(Instant, Vec<u8>)>,
    pub(crate) terminal: vt100::Parser,
    pub(crate) began: Instant,
}

impl Session {
    /// Starts `program`, which is at home in the folder `home`.
    pub(crate) fn start(
        program: &str,
        home: &Path,
        arguments: &[&str],
    ) -> Result<Self, Box<dyn Error>> {
        let cells = |cells| NonZero::new(cells).ok_or("a terminal has cells");
        let (rows, columns) = (cells(SIZE.rows)?, cells(SIZE.cols)?);
        let pair = native_pty_system().openpty(SIZE)?;
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.cwd(home);
        command.env_clear();
        command.env("HOME", home);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("LANG", "C.UTF-8");
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
            writer: pair.master.take_writer()?,
            _master: pair.master,
            pieces,
            terminal: vt100::Parser::new(rows, columns, 0),
            began,
        })
    }

    /// Reads until the terminal shows what is wanted.
    pub(crate) fn until(
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

    /// Presses keys, given as what a keyboard sends.
    pub(crate) fn press(&mut self, keys: &str) -> Result<(), Box<dyn Error>> {
        Ok(self.writer.write_all(keys.as_bytes())?)
    }

    /// The process id, as `/proc` writes it.
    pub(crate) fn process(&self) -> String {
        self.child.process_id().unwrap_or_default().to_string()
    }

    /// Presses the key that quits.
    pub(crate) fn end(mut self) -> Result<(), Box<dyn Error>> {
        self.press("\x03")?;
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
