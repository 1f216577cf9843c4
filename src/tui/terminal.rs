//! The guard of the terminal: it enters raw mode and the alternate screen, draws, and restores
//! the terminal on every way out, panics included.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::panic::PanicHookInfo;
use std::sync::{Mutex, Once, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

use crate::domain::clean;

use super::click_targets::ClickTargets;
use super::clipboard;
use super::downgrade::ascii_text;
use super::frame_diff::FrameDiff;
use super::options::{Multiplexer, Options};
use super::suspend;
use super::terminal_modes::{self, enter_raw, forget_raw, is_in_background, leave_raw};
use super::terminal_writer::TerminalWriter;
use super::ui::Ui;
use super::view_model::ViewModel;

/// How long the end of the program waits for the terminal to take the last frame.
const LAST_FRAME_TIMEOUT: Duration = Duration::from_millis(500);
/// Takes the terminal: the alternate screen, the cursor hidden, bracketed pastes, the report of
/// focus, and no new line at the end of one, where a character may be wider than it should be
/// (xterm's private modes 1049, 25, 2004, 1004 and 7).
const TAKE: &str = "\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?1004h\x1b[?7l";
/// Gives it back: ends a frame that was begun (private mode 2026) and the style, and what
/// [`TAKE`] and [`TAKE_MOUSE`] set in reverse.
const GIVE_BACK: &str =
    "\x1b[?2026l\x1b[?1006l\x1b[?1000l\x1b[?7h\x1b[?1004l\x1b[?2004l\x1b[0m\x1b[?1049l\x1b[?25h";
/// Asks for reports of the mouse's buttons and wheel, with numbers of any size (xterm's private
/// modes 1000 and 1006). Motion is not reported.
const TAKE_MOUSE: &str = "\x1b[?1000h\x1b[?1006h";
/// Asks for the colour of the background (OSC 11), by which colours are chosen that can be read on it.
/// Nothing waits for the answer.
const ASK_BACKGROUND: &str = "\x1b]11;?\x1b\\";
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
    /// The newest bell with its notification, and text for the clipboard, that the terminal could
    /// not take yet: however long it takes nothing, no more of them wait.
    call: Option<Vec<u8>>,
    clipboard: Option<Vec<u8>>,
    /// Titles and notifications are in ASCII as well: to a terminal without UTF-8 the bytes of
    /// other characters may be control characters.
    ascii: bool,
    /// The mouse is reported.
    mouse: bool,
    /// The terminal is asked for its background.
    asks_background: bool,
}

impl Terminal {
    /// Takes the terminal: raw mode, the alternate screen, a hidden cursor, bracketed pastes and
    /// focus events; `options` say whether it gets ASCII alone and whether the mouse is reported.
    ///
    /// # Errors
    /// Standard output is not a terminal, or the terminal refuses.
    pub fn enter(options: &Options) -> io::Result<Self> {
        let stdout = io::stdout();
        if !stdout.is_terminal() {
            return Err(io::Error::other(
                "standard output is not a terminal (without a screen: squirrel check)",
            ));
        }
        let mut terminal = Self {
            out: TerminalWriter::start(File::from(stdout.as_fd().try_clone_to_owned()?))?,
            sheet: FrameDiff::new(),
            title: String::new(),
            call: None,
            clipboard: None,
            ascii: options.ascii,
            mouse: options.mouse,
            asks_background: options.asks_background,
        };
        install_hook();
        terminal.take()?;
        Ok(terminal)
    }

    fn take(&mut self) -> io::Result<()> {
        enter_raw()?;
        let title = guard(|guard| {
            guard.owner = Some(std::thread::current().id());
            let is_saved = std::mem::replace(&mut guard.title_saved, true);
            if is_saved { "" } else { PUSH_TITLE }
        });
        self.sheet.forget();
        self.title.clear();
        let mouse = if self.mouse { TAKE_MOUSE } else { "" };
        let ask = if self.asks_background {
            ASK_BACKGROUND
        } else {
            ""
        };
        let taken = format!("{title}{TAKE}{mouse}{ask}");
        self.out.send(taken.into_bytes())
    }

    /// Takes the terminal again after this process was stopped: the next frame is drawn whole.
    /// `false` in the background, where another job has it.
    ///
    /// # Errors
    /// The terminal refuses.
    pub fn resume(&mut self) -> io::Result<bool> {
        if is_in_background() {
            abandon();
            return Ok(false);
        }
        self.take()?;
        Ok(true)
    }

    /// Whether the terminal is given back, until it is taken again.
    #[must_use]
    pub fn is_given_back(&self) -> bool {
        guard(|guard| guard.owner.is_none())
    }

    /// The size in columns and rows.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        terminal_modes::size()
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
        let mut bytes = self.take_waiting();
        bytes.extend_from_slice(self.sheet.advance(ui, model, size)?);
        if !bytes.is_empty() {
            self.out.send(bytes)?;
        }
        Ok(true)
    }

    /// What a click means in the frame that was drawn last.
    #[must_use]
    pub fn targets(&self) -> ClickTargets {
        self.sheet.targets()
    }

    /// Draws the next frame whole, because another program has written on the terminal.
    pub fn redraw(&mut self) {
        self.sheet.forget();
    }

    /// Gives the terminal back and stops this process; returns when it is continued, which is the
    /// time to [`resume`](Self::resume). `false` if it did not stop, because no shell could
    /// continue it. No [`InputStream`](super::InputStream) may exist meanwhile, and the size may
    /// have changed afterwards.
    ///
    /// # Errors
    /// The terminal cannot be restored, or the system refuses to stop the process.
    pub fn suspend(&mut self) -> io::Result<bool> {
        if !suspend::has_job_control() {
            return Ok(false);
        }
        self.give_back()?;
        suspend::stop()?;
        Ok(true)
    }

    /// Stops this process, which needs the terminal and is still in the background, as the system
    /// does with one that takes it all the same.
    ///
    /// # Errors
    /// No shell could continue it, or the system refuses.
    pub fn wait_for_front(&self) -> io::Result<()> {
        if !suspend::has_job_control() {
            return Err(rustix::io::Errno::IO.into());
        }
        suspend::stop()
    }

    /// Restores the terminal after it has taken all output. Where it takes none any more, only the
    /// modes are restored: another write would block for ever.
    fn give_back(&mut self) -> io::Result<()> {
        if is_in_background() {
            abandon();
            return Ok(());
        }
        if self.out.drain(LAST_FRAME_TIMEOUT) {
            return restore(&mut File::from(io::stdout().as_fd().try_clone_to_owned()?));
        }
        guard(|guard| guard.owner = None);
        leave_raw()
    }

    /// Asks the terminal to put text on its clipboard (OSC 52), over ssh as well. Whether it does
    /// is not told. While the terminal takes nothing, only the newest waits.
    ///
    /// # Errors
    /// An earlier write to the terminal failed.
    pub fn copy(&mut self, text: &str, multiplexer: Option<Multiplexer>) -> io::Result<()> {
        self.clipboard = Some(clipboard::copy(text, multiplexer));
        self.send_waiting().map(|_| ())
    }

    /// Rings the bell and shows a desktop notification (OSC 9), where the terminal supports it.
    /// While the terminal takes nothing, only the newest waits.
    ///
    /// # Errors
    /// An earlier write to the terminal failed.
    pub fn call(&mut self, title: &str, body: &str) -> io::Result<()> {
        let notification = self.shown(notification(title, body));
        self.call = Some(format!("\x07{notification}").into_bytes());
        self.send_waiting().map(|_| ())
    }

    /// Sends what waits, if the terminal has taken everything else; `false` if it has not.
    ///
    /// # Errors
    /// An earlier write to the terminal failed.
    pub fn send_waiting(&mut self) -> io::Result<bool> {
        if self.call.is_none() && self.clipboard.is_none() {
            return Ok(true);
        }
        if self.out.is_behind() {
            return Ok(false);
        }
        let bytes = self.take_waiting();
        self.out.send(bytes)?;
        Ok(true)
    }

    /// The text as this terminal can show it.
    fn shown(&self, text: String) -> String {
        if self.ascii { ascii_text(&text) } else { text }
    }

    fn take_waiting(&mut self) -> Vec<u8> {
        let waiting = [self.call.take(), self.clipboard.take()];
        waiting.into_iter().flatten().flatten().collect()
    }

    /// Sets the title of the window.
    ///
    /// # Errors
    /// An earlier write to the terminal failed.
    pub fn set_title(&mut self, title: &str) -> io::Result<()> {
        let title = self.shown(clean(title, 100));
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

/// Leaves the terminal to the job that has it now, as it is: it is not ours to change, and the
/// system would stop whoever tries (SIGTTOU).
fn abandon() {
    guard(|guard| guard.owner = None);
    forget_raw();
}

/// Restores the terminal; does nothing the second time.
fn restore(out: &mut File) -> io::Result<()> {
    let owned = guard(|guard| guard.owner.take()).is_some();
    if !owned {
        return Ok(());
    }
    guard(|guard| guard.title_saved = false);
    let written = out.write_all(format!("{GIVE_BACK}{POP_TITLE}").as_bytes());
    // The modes are restored even if the write fails.
    leave_raw().and(written)
}

/// The thread that holds the terminal, and panics of others, for the panic hook.
struct Guard {
    owner: Option<ThreadId>,
    /// The window's title is saved on the terminal's stack.
    title_saved: bool,
    panics: Vec<String>,
}

/// The most panics that are kept, so that a flood does not fill the memory.
const MAX_PANICS: usize = 100;

fn guard<T>(change: impl FnOnce(&mut Guard) -> T) -> T {
    static GUARD: Mutex<Guard> = Mutex::new(Guard {
        owner: None,
        title_saved: false,
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
