//! Copies text into tmux's buffer, without waiting: a server that does not answer delays nothing.
//!
//! Inside tmux OSC 52 is dropped unless `set-clipboard` is `on`, which it is not by default;
//! `load-buffer -w` (tmux 3.2) fills the buffer and sends it to the terminal's clipboard.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use crate::domain::{clean, plain_io_error};
use crate::tui::Tone;

use super::session_state::SessionState;

/// How long tmux may take.
const TMUX_TIMEOUT: Duration = Duration::from_secs(2);

/// The most characters of tmux's complaint that are shown.
const MAX_COMPLAINT: usize = 60;

/// A text, and why tmux has not taken it, if so.
pub(super) type Copied = (String, Result<(), String>);

/// Starts copies, and receives what came of them.
#[derive(Debug)]
pub(super) struct TmuxBuffer {
    outbox: UnboundedSender<Copied>,
    inbox: UnboundedReceiver<Copied>,
}

impl TmuxBuffer {
    pub(super) fn new() -> Self {
        let (outbox, inbox) = unbounded_channel();
        Self { outbox, inbox }
    }

    /// Begins to copy `text`. To be called within a runtime.
    pub(super) fn copy(&self, text: String) {
        let outbox = self.outbox.clone();
        tokio::spawn(async move {
            let copied = match timeout(TMUX_TIMEOUT, load(&text)).await {
                Ok(copied) => copied,
                Err(_) => Err("it does not answer".to_owned()),
            };
            // The receiver is gone when the program ends.
            let _unheard = outbox.send((text, copied));
        });
    }

    /// The next copy that has ended. Cancellation safe.
    pub(super) async fn next(&mut self) -> Copied {
        match self.inbox.recv().await {
            Some(copied) => copied,
            None => std::future::pending().await,
        }
    }
}

async fn load(text: &str) -> Result<(), String> {
    let why = match run(&["load-buffer", "-w", "-"], text).await? {
        Ok(()) => return Ok(()),
        Err(why) => why,
    };
    // Older than 3.2 it has only a buffer of its own.
    run(&["load-buffer", "-"], text).await?.map_err(|_| why)
}

/// Runs tmux with `text` as its input; gives its complaint if it fails.
///
/// # Errors
/// It cannot be started.
async fn run(arguments: &[&str], text: &str) -> Result<Result<(), String>, String> {
    let cannot = |error: io::Error| format!("it cannot be run: {}", plain_io_error(&error));
    let mut tmux = Command::new("tmux");
    tmux.args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = tmux.spawn().map_err(cannot)?;
    if let Some(mut input) = child.stdin.take() {
        // One that has ended already takes nothing: its status tells.
        let _not_taken = input.write_all(text.as_bytes()).await;
    }
    let output = child.wait_with_output().await.map_err(cannot)?;
    if output.status.success() {
        return Ok(Ok(()));
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = clean(said.lines().next().unwrap_or_default(), MAX_COMPLAINT);
    Ok(Err(if said.is_empty() {
        "it fails".to_owned()
    } else {
        said
    }))
}

impl SessionState {
    /// Says where a text was copied to, as far as it is known. The sequence for the terminal has
    /// no answer.
    pub(super) fn copied(&mut self, text: &str, tmux: Option<Result<(), String>>) {
        match tmux {
            Some(Ok(())) => self.answer(Tone::Good, format!("Copied to tmux's buffer: {text}")),
            Some(Err(why)) => {
                let text = format!("Not in tmux's buffer ({why}), only sent as OSC 52: {text}");
                self.answer(Tone::Warn, text);
            }
            None => {
                let text = format!("Sent to the terminal for its clipboard (OSC 52): {text}");
                self.answer(Tone::Info, text);
            }
        }
    }
}
