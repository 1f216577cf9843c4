//! A program of the owner: it gets the event as JSON on its standard input, has the time of a
//! delivery, and no shell. Its process group is ended with it.

use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use crate::domain::{AddressField, FieldKind, clean, plain_io_error};

use super::address_fields::{field, ranged, value};
use super::channel::{Channel, DeliveryFailure, DeliveryFuture, OutgoingMessage, Sent};
use super::channel_entry::ChannelEntry;
use super::event_variables::variables;

/// What a program is expected to read; pipes hold less, so that one that reads nothing is not
/// waited for.
const LIMIT: usize = 1 << 20;

/// The most bytes of an output that are kept; the rest is read and dropped.
const MOST_OUTPUT: usize = 4_096;

/// The most characters of an output that are shown.
const MOST_SHOWN: usize = 300;

pub(super) const ENTRY: ChannelEntry = ChannelEntry {
    name: "exec",
    form: value(
        &COMMAND,
        "a program that gets the event as JSON on its standard input",
    ),
    shown: |address| {
        address
            .words("command")
            .first()
            .cloned()
            .unwrap_or_default()
    },
    ready: |_| true,
    limit: LIMIT,
    make: |_| Ok(Box::new(Exec)),
};

const COMMAND: [AddressField; 1] = [ranged(
    field(
        "command",
        FieldKind::Words,
        word,
        "the program and its arguments",
    ),
    "a program and its arguments; no shell, 30 s",
    "",
)];

fn word(text: &str) -> Result<(), String> {
    if text.contains('\0') {
        return Err("expected a text without a zero byte".to_owned());
    }
    Ok(())
}

struct Exec;

/// Ends every process of the group when it goes.
struct ProcessGroup(Option<Pid>);

impl ProcessGroup {
    fn end(&mut self) {
        if let Some(group) = self.0.take() {
            // Nobody is left in it.
            let _ended = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.end();
    }
}

async fn run(message: &OutgoingMessage) -> Result<Sent, DeliveryFailure> {
    let (program, arguments) = message
        .to
        .words("command")
        .split_first()
        .ok_or_else(|| DeliveryFailure::lasting("there is no program"))?;
    let input = serde_json::Value::Object(variables(message)).to_string();
    let spawned = Command::new(&**program)
        .args(arguments.iter().map(|word| &**word))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn();
    let mut child = spawned.map_err(|error| {
        DeliveryFailure::passing(&format!("{program}: {}", plain_io_error(&error)))
    })?;
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    let mut group = ProcessGroup(id.and_then(Pid::from_raw));
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (mut said, mut complained) = (Vec::new(), Vec::new());
    let feed = async {
        if let Some(mut stdin) = stdin {
            // A program need not read what it gets.
            let _unread = stdin.write_all(input.as_bytes()).await;
        }
    };
    let status = {
        let streams = async {
            tokio::join!(
                feed,
                keep_beginning(stdout, &mut said),
                keep_beginning(stderr, &mut complained)
            )
        };
        tokio::pin!(streams);
        let mut open = true;
        let status = loop {
            tokio::select! {
                status = child.wait() => break status,
                _ = &mut streams, if open => open = false,
            }
        };
        // Children of the program may hold its output open.
        group.end();
        if open {
            let patience = std::time::Duration::from_secs(1);
            let _left = tokio::time::timeout(patience, streams).await;
        }
        status
    };
    let status = status.map_err(|error| DeliveryFailure::passing(&plain_io_error(&error)))?;
    let text = |bytes: &[u8]| clean(String::from_utf8_lossy(bytes).trim(), MOST_SHOWN);
    if status.success() {
        let said = text(&said);
        let said = if said.is_empty() {
            "done".to_owned()
        } else {
            said
        };
        return Ok(Sent(said.into()));
    }
    let said = text(if complained.is_empty() {
        &said
    } else {
        &complained
    });
    Err(DeliveryFailure::passing(&format!(
        "{}: {said}",
        end_of(status)
    )))
}

/// How a program ended, in words.
fn end_of(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended with status {code}"),
        (None, Some(signal)) => format!("signal {signal} ended it"),
        (None, None) => "it ended".to_owned(),
    }
}

/// Reads to the end, and keeps the beginning.
async fn keep_beginning(stream: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Some(mut stream) = stream else { return };
    let mut buffer = [0; 16_384];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        let room = MOST_OUTPUT.saturating_sub(kept.len());
        kept.extend_from_slice(&buffer[..count.min(room)]);
    }
}

impl Channel for Exec {
    fn deliver<'a>(&'a self, message: &'a OutgoingMessage) -> DeliveryFuture<'a> {
        Box::pin(run(message))
    }
}
