//! Serves the socket on a thread of its own: one request a connection, bounded in number, bytes
//! and time, so that nobody who connects can delay the monitor.

use std::collections::VecDeque;
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _,
};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Mode, OFlags, fchmod};
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with,
};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

use crate::domain::plain_io_error;
use crate::runtime::thread;

use super::actor::Actor;
use super::message::{ControlReply, Envelope, MOST_REQUEST, MonitorCommand, PROTOCOL};
use super::socket_path::SocketPath;

/// The most connections at once; one more ends the oldest.
const MOST_CONNECTIONS: usize = 32;

/// The most requests that may wait for the loop.
const MOST_REQUESTS: usize = 16;

/// The longest time of a connection.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);

/// The delay after a connection that could not be accepted.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);

/// The user number that stands for all whom a namespace of users does not know (nobody).
const NOBODY: u32 = 65_534;

/// A command that waits for the loop's reply.
#[derive(Debug)]
pub struct ControlRequest {
    /// What is to be done.
    pub command: MonitorCommand,
    /// Who asks.
    pub actor: Actor,
    /// Where the reply goes. The connection may be closed already.
    pub reply: oneshot::Sender<ControlReply>,
}

/// A socket that is bound and not yet served. Its file goes when this is dropped.
#[derive(Debug)]
pub struct ControlServer {
    listener: Option<UnixListener>,
    path: PathBuf,
    /// Whether the file's mode alone decides who may connect.
    shared: bool,
    /// Locked for as long as the socket is served.
    _lock: File,
}

/// Why no commands can be taken.
#[derive(Debug)]
pub struct SocketError {
    path: PathBuf,
    cause: SocketCause,
}

#[derive(Debug)]
enum SocketCause {
    /// Another monitor serves it.
    Taken,
    /// What has its name is no socket.
    NoSocket,
    Io(io::Error),
}

impl fmt::Display for SocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no commands are taken at {}: ", self.path.display())?;
        match &self.cause {
            SocketCause::Taken => f.write_str("another monitor takes them there"),
            SocketCause::NoSocket => f.write_str("what has that name is no socket"),
            SocketCause::Io(error) => f.write_str(&plain_io_error(error)),
        }
    }
}

impl std::error::Error for SocketError {}

impl ControlServer {
    /// Binds the socket. One that a killed monitor left is replaced.
    ///
    /// # Errors
    /// If another monitor serves it, something else has its name, or the system does not permit
    /// it.
    pub fn bind(place: &SocketPath) -> Result<Self, SocketError> {
        let path = place.own();
        let failed = |cause| SocketError {
            path: path.to_owned(),
            cause,
        };
        if let Some(folder) = path.parent()
            && !folder.as_os_str().is_empty()
        {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.map_err(|error| failed(SocketCause::Io(error)))?;
        }
        let lock = lock(path).map_err(|error| failed(SocketCause::Io(error)))?;
        let lock = lock.ok_or_else(|| failed(SocketCause::Taken))?;
        match fs::symlink_metadata(path) {
            Ok(file) if file.file_type().is_socket() => {
                fs::remove_file(path).map_err(|error| failed(SocketCause::Io(error)))?;
            }
            Ok(_) => return Err(failed(SocketCause::NoSocket)),
            Err(_) => {}
        }
        let mode = if place.shared {
            Mode::from_raw_mode(0o660)
        } else {
            Mode::from_raw_mode(0o600)
        };
        let listener = listen_at(path, mode).map_err(|error| failed(SocketCause::Io(error)))?;
        Ok(Self {
            listener: Some(listener),
            path: path.to_owned(),
            shared: place.shared,
            _lock: lock,
        })
    }

    /// Serves on a thread of its own, which ends when the receiver is dropped. Gives the requests.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn serve(&mut self) -> io::Result<mpsc::Receiver<ControlRequest>> {
        let (sender, requests) = mpsc::channel(MOST_REQUESTS);
        let shared = self.shared;
        if let Some(listener) = self.listener.take() {
            thread::with_runtime("control".to_owned(), move |runtime| {
                if let Err(error) = runtime.block_on(serve(listener, shared, sender)) {
                    tracing::error!("no commands are taken: {error}");
                }
            })?;
        }
        Ok(requests)
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        // Both are this monitor's: the lock is held still.
        let _gone = fs::remove_file(&self.path);
        let _gone = fs::remove_file(lock_path(&self.path));
    }
}

/// The lock beside the socket; `None` if another process holds it.
fn lock(socket: &Path) -> io::Result<Option<File>> {
    let path = lock_path(socket);
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    loop {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(flags.bits().cast_signed())
            .open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // A monitor that ends removes its lock: what was locked may be no file any more.
        let locked = file.metadata()?;
        let is_there = fs::symlink_metadata(&path)
            .is_ok_and(|there| (there.dev(), there.ino()) == (locked.dev(), locked.ino()));
        if is_there {
            return Ok(Some(file));
        }
    }
}

fn lock_path(socket: &Path) -> PathBuf {
    let mut name = socket.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

/// A listener whose file has its mode from the first moment on: Linux takes that of the socket.
fn listen_at(path: &Path, mode: Mode) -> io::Result<UnixListener> {
    let socket = socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        None,
    )?;
    fchmod(&socket, mode)?;
    bind(&socket, &SocketAddrUnix::new(path)?)?;
    // A umask may have taken the group's rights.
    fs::set_permissions(
        path,
        std::os::unix::fs::PermissionsExt::from_mode(mode.as_raw_mode()),
    )?;
    listen(&socket, 128)?;
    Ok(socket.into())
}

async fn serve(
    listener: UnixListener,
    shared: bool,
    loops: mpsc::Sender<ControlRequest>,
) -> io::Result<()> {
    let listener = tokio::net::UnixListener::from_std(listener)?;
    let mut clients = JoinSet::new();
    // The oldest first: whoever connects and says nothing keeps nobody out.
    let mut oldest: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        tokio::select! {
            () = loops.closed() => return Ok(()),
            Some(_) = clients.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    oldest.retain(|client| !client.is_finished());
                    if oldest.len() >= MOST_CONNECTIONS
                        && let Some(client) = oldest.pop_front()
                    {
                        client.abort();
                    }
                    let loops = loops.clone();
                    let client = clients.spawn(async move {
                        let attended = attend(stream, shared, &loops);
                        let _late = timeout(CONNECTION_TIMEOUT, attended).await;
                    });
                    oldest.push_back(client);
                }
                Err(error) => {
                    tracing::debug!("a command could not be let in: {error}");
                    tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                }
            },
        }
    }
}

async fn attend(
    mut stream: UnixStream,
    shared: bool,
    loops: &mpsc::Sender<ControlRequest>,
) -> io::Result<()> {
    let user = stream.peer_cred()?.uid();
    let own = rustix::process::geteuid().as_raw();
    let reply = if may_ask(user, own, shared) {
        let mut line = Vec::new();
        let (reader, _) = stream.split();
        let mut reader = BufReader::new(reader.take(MOST_REQUEST));
        reader.read_until(b'\n', &mut line).await?;
        asked(&line, user, loops).await
    } else {
        ControlReply::Refused("the monitor belongs to another user".into())
    };
    let mut line = serde_json::to_vec(&reply)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    stream.shutdown().await
}

/// Whether a user may ask the monitor of user `own`. Where the socket is `shared`, its mode has
/// decided that already.
const fn may_ask(user: u32, own: u32, shared: bool) -> bool {
    shared || user == own || user == 0
}

/// The reply to a line, of the loop or at once.
async fn asked(line: &[u8], user: u32, loops: &mpsc::Sender<ControlRequest>) -> ControlReply {
    let refused = |why: &str| ControlReply::Refused(why.into());
    let Ok(envelope) = serde_json::from_slice::<Envelope>(line) else {
        return refused("the request is none of this program");
    };
    if envelope.protocol != PROTOCOL {
        let version = env!("CARGO_PKG_VERSION");
        let text = format!("the monitor is version {version} and takes other requests: restart it");
        return refused(&text);
    }
    let Ok(command) = serde_json::from_value(envelope.command) else {
        return refused("the monitor does not know that command");
    };
    let actor = known(envelope.actor.cleaned(), user);
    let (reply, answered) = oneshot::channel();
    let request = ControlRequest {
        command,
        actor,
        reply,
    };
    let sent = loops.send(request).await.is_ok();
    match answered.await {
        Ok(reply) if sent => reply,
        _ => refused("the monitor is about to end"),
    }
}

/// The actor under the name that the system has for the user, where it has one.
fn known(actor: Actor, user: u32) -> Actor {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(user)).then_some(name)
    });
    match name.filter(|_| user != NOBODY) {
        Some(name) => Actor {
            user: name.into(),
            ..actor
        }
        .cleaned(),
        None if actor.user.is_empty() => Actor {
            user: format!("user {user}").into(),
            ..actor
        },
        None => actor,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_monitors_own_user_root_and_a_group_by_the_mode_may_ask() {
        assert!(may_ask(1_000, 1_000, false) && may_ask(0, 1_000, false));
        assert!(!may_ask(1_001, 1_000, false));
        assert!(may_ask(1_001, 1_000, true));
    }

    #[test]
    fn users_have_the_name_that_the_system_knows_and_nobody_elses() {
        let claimed = Actor {
            user: "somebody else".into(),
            ..Actor::default()
        };
        assert_eq!(&*known(claimed.clone(), 0).user, "root");
        // Whom a namespace does not know keeps what it calls itself.
        assert_eq!(&*known(claimed, NOBODY).user, "somebody else");
        assert_eq!(
            &*known(Actor::default(), u32::MAX - 7).user,
            "user 4294967288"
        );
    }
}
