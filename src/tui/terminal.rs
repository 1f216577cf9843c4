//! The guard of the terminal: it enters raw mode and the alternate screen, draws, and restores
//! the terminal on every way out, panics included.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::panic::PanicHookInfo;
use std::sync::{Mutex, Once, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange,
};
use crossterm::style::{Colored, Print, ResetColor, SetAttribute};
use crossterm::terminal::{
    EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use crossterm::{cursor, queue};

use crate::domain::clean;

use super::clipboard;
use super::frame_diff::FrameDiff;
use super::options::Multiplexer;
use super::suspend;
use super::terminal_writer::TerminalWriter;
use super::ui::Ui;
use super::view_model::ViewModel;

/// Columns and rows of a terminal that does not report its size.
const FALLBACK: (u16, u16) = (80, 24);
/// How long the end of the program waits for the terminal to take the last frame.
const LAST_FRAME_TIMEOUT: Duration = Duration::from_millis(500);
/// Saves the title of the window on the terminal's stack (XTWINOPS 22).
const PUSH_TITLE: &str = "\x1b[22;0t";
/// Restores it (XTWINOPS 23).
const POP_TITLE: &str = "\x1b[23;0t";

/// The terminal while the program draws on it. Dropping it restores the terminal.
#[derive(Debug)]
pub struct Terminal {
    /// Standard output, without the standard library's buffer: a frame is one write.
    out: TerminalWriter,
    sheet: FrameDiff,
    title: String,
}

impl Terminal {
    /// Takes the terminal: raw mode, the alternate screen, a hidden cursor, bracketed pastes and
    /// focus events.
    ///
    /// # Errors
    /// Standard output is not a terminal, or the terminal refuses.
    pub fn enter() -> io::Result<Self> {
        let stdout = io::stdout();
        if !stdout.is_terminal() {
            return Err(io::Error::other(
                "standard output is not a terminal (without a screen: squirrel check)",
            ));
        }
        // crossterm obeys NO_COLOR by dropping attributes too, and with them the reversed
        // selection. Colours are taken out of the frame instead.
        Colored::set_ansi_color_disabled(false);
        let mut terminal = Self {
            out: TerminalWriter::start(File::from(stdout.as_fd().try_clone_to_owned()?))?,
            sheet: FrameDiff::new(),
            title: String::new(),
        };
        install_hook();
        terminal.take()?;
        Ok(terminal)
    }

    fn take(&mut self) -> io::Result<()> {
        enable_raw_mode()?;
        guard(|guard| guard.owner = Some(std::thread::current().id()));
        let mut bytes = Vec::new();
        queue!(
            bytes,
            Print(PUSH_TITLE),
            EnterAlternateScreen,
            cursor::Hide,
            EnableBracketedPaste,
            EnableFocusChange,
        )?;
        self.sheet.forget();
        self.title.clear();
        self.out.send(bytes)
    }

    /// The size in columns and rows.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        match rustix::termios::tcgetwinsize(io::stdout()) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
            _ => FALLBACK,
        }
    }

    /// Draws a frame by one write, or by none where nothing changed; `false` if the frame was
    /// left out because the terminal has not taken the last one yet.
    ///
    /// # Errors
    /// An earlier write to the terminal failed.
    pub fn draw(&mut self, ui: &Ui, model: &ViewModel<'_>) -> io::Result<bool> {
        if self.out.is_behind() {
            return Ok(false);
        }
        let size = self.size();
        let bytes = self.sheet.advance(ui, model, size)?;
        if !bytes.is_empty() {
            self.out.send(bytes.to_vec())?;
        }
        Ok(true)
    }

    /// Draws the next frame whole, because another program has written on the terminal.
    pub fn redraw(&mut self) {
        self.sheet.forget();
    }

    /// Restores the terminal and stops this process; returns when it is continued. `false` if it
    /// did not stop, because no shell could continue it. No [`InputStream`](super::InputStream)
    /// may exist meanwhile, and the size may have changed afterwards.
    ///
    /// # Errors
    /// The terminal cannot be restored or taken again, or the system refuses to stop the process.
    pub fn suspend(&mut self) -> io::Result<bool> {
        if !suspend::has_job_control() {
            return Ok(false);
        }
        self.give_back()?;
        suspend::stop()?;
        self.take()?;
        Ok(true)
    }

    /// Restores the terminal after it has taken all output. Where it takes none any more, only the
    /// modes are restored: another write would block for ever.
    fn give_back(&mut self) -> io::Result<()> {
        if self.out.drain(LAST_FRAME_TIMEOUT) {
            return restore(&mut File::from(io::stdout().as_fd().try_clone_to_owned()?));
        }
        guard(|guard| guard.owner = None);
        disable_raw_mode()
    }

    /// Asks the terminal to put text on its clipboard (OSC 52), over ssh as well. Whether it does
    /// is not told.
    ///
    /// # Errors
    /// An earlier write to the terminal failed.
    pub fn copy(&mut self, text: &str, multiplexer: Option<Multiplexer>) -> io::Result<()> {
        self.out.send(clipboard::copy(text, multiplexer))
    }

    /// Rings the bell.
    ///
    /// # Errors
    /// An earlier write to the terminal failed.
    pub fn bell(&mut self) -> io::Result<()> {
        self.out.send(b"\x07".to_vec())
    }

    /// Shows a desktop notification (OSC 9), where the terminal supports it.
    ///
    /// # Errors
    /// An earlier write to the terminal failed.
    pub fn notify(&mut self, title: &str, body: &str) -> io::Result<()> {
        self.out.send(notification(title, body).into_bytes())
    }

    /// Sets the title of the window.
    ///
    /// # Errors
    /// An earlier write to the terminal failed.
    pub fn set_title(&mut self, title: &str) -> io::Result<()> {
        let title = clean(title, 100);
        if title == self.title {
            return Ok(());
        }
        self.out.send(format!("\x1b]2;{title}\x07").into_bytes())?;
        self.title = title;
        Ok(())
    }

    /// The panics of other threads since the last call, a line each, at most 100. They were kept
    /// off the screen and belong into the log.
    #[must_use]
    pub fn take_panics() -> Vec<String> {
        guard(|guard| std::mem::take(&mut guard.panics))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A closed terminal cannot be restored, and the error has no reader.
        let _ = self.give_back();
    }
}

/// The sequence OSC 9 with title and body. The title comes first, because a leading digit would
/// be read as another command.
fn notification(title: &str, body: &str) -> String {
    format!("\x1b]9;{}: {}\x07", clean(title, 100), clean(body, 400))
}

/// Restores the terminal; does nothing the second time.
fn restore(out: &mut File) -> io::Result<()> {
    let owned = guard(|guard| guard.owner.take()).is_some();
    if !owned {
        return Ok(());
    }
    let mut bytes = Vec::new();
    queue!(
        bytes,
        EndSynchronizedUpdate,
        DisableFocusChange,
        DisableBracketedPaste,
        ResetColor,
        SetAttribute(crossterm::style::Attribute::Reset),
        LeaveAlternateScreen,
        cursor::Show,
        Print(POP_TITLE),
    )?;
    let written = out.write_all(&bytes);
    // The modes are restored even if the write fails.
    disable_raw_mode().and(written)
}

/// The thread that holds the terminal, and panics of others, for the panic hook.
struct Guard {
    owner: Option<ThreadId>,
    panics: Vec<String>,
}

/// The most panics that are kept, so that a flood does not fill the memory.
const MAX_PANICS: usize = 100;

fn guard<T>(change: impl FnOnce(&mut Guard) -> T) -> T {
    static GUARD: Mutex<Guard> = Mutex::new(Guard {
        owner: None,
        panics: Vec::new(),
    });
    change(&mut GUARD.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Installs a panic hook: a panic of the drawing thread restores the terminal first, so that its
/// message can be read; a panic of another thread is kept for the log and off the screen.
fn install_hook() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if goes_to_stderr(info) {
                before(info);
            }
        }));
    });
}

fn goes_to_stderr(info: &PanicHookInfo<'_>) -> bool {
    let thread = std::thread::current();
    let ours = guard(|guard| match guard.owner {
        None => None,
        Some(owner) if owner == thread.id() => Some(true),
        Some(_) => {
            if guard.panics.len() < MAX_PANICS {
                let name = thread.name().unwrap_or("unnamed");
                guard
                    .panics
                    .push(clean(&format!("thread {name}: {info}"), 400));
            }
            Some(false)
        }
    });
    match ours {
        None => true,
        Some(true) => {
            if let Ok(out) = io::stdout().as_fd().try_clone_to_owned() {
                let _ = restore(&mut File::from(out));
            }
            true
        }
        // Standard error may be a file, which takes the message without spoiling the screen.
        Some(false) => !io::stderr().is_terminal(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_holds_no_control_character_but_its_own() {
        assert_eq!(
            notification("squirrel", "pay\x07\x1b]0;gone\x07 DOWN"),
            "\x1b]9;squirrel: pay ]0;gone DOWN\x07"
        );
    }

    #[test]
    fn a_workers_panic_is_kept_for_the_log_and_the_screen_is_not_left() {
        install_hook();
        guard(|guard| guard.owner = Some(std::thread::current().id()));
        let worker = std::thread::Builder::new().name("w1".into());
        let died = worker.spawn(|| panic!("out of \x1b[31mcheese")).unwrap();
        assert!(died.join().is_err());
        let owner = guard(|guard| guard.owner.take());
        assert_eq!(owner, Some(std::thread::current().id()));
        let panics = Terminal::take_panics();
        assert!(panics[0].starts_with("thread w1: "), "{panics:?}");
        assert!(panics[0].contains("cheese") && !panics[0].contains('\x1b'));
    }
}
