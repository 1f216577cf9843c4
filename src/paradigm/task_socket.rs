//! The socket by which a child process is given its tasks: message by message, so that those
//! that wait in it can be taken back.

use std::cell::RefCell;
use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvFlags, SendFlags, SocketFlags, SocketType, recv,
    recvmsg, send, socketpair,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::probe::wire::{self, WireError};

/// The most bytes that are sent at once; longer messages are sent in several parts.
const PART: usize = 32 * 1024;

/// The parent's end.
#[derive(Debug)]
pub(super) struct TaskSender {
    socket: OwnedFd,
    /// The child's end, from which tasks are taken back.
    childs: OwnedFd,
}

/// The child's end.
#[derive(Debug)]
pub(super) struct TaskReceiver {
    socket: OwnedFd,
    /// Where parts are read into.
    part: RefCell<Vec<u8>>,
}

impl TaskSender {
    /// A socket, and its end for the child.
    pub(super) fn pair() -> io::Result<(Self, OwnedFd)> {
        let flags = SocketFlags::CLOEXEC;
        let (socket, childs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        let theirs = childs.try_clone()?;
        Ok((Self { socket, childs }, theirs))
    }

    /// Sends one message, however long it takes the child to make room for it.
    pub(super) async fn send(&self, message: &impl Serialize) -> Result<(), WireError> {
        let frame = wire::frame(message)?;
        for part in frame.chunks(PART) {
            while !self.try_part(part)? {
                let socket = UnixStream::from(self.socket.try_clone()?);
                socket.set_nonblocking(true)?;
                tokio::net::UnixStream::from_std(socket)?.writable().await?;
            }
        }
        Ok(())
    }

    /// Sends one message if there is room for it at once, and it is sent in one part.
    pub(super) fn try_send(&self, message: &impl Serialize) -> Result<bool, WireError> {
        let frame = wire::frame(message)?;
        Ok(frame.len() <= PART && self.try_part(&frame)?)
    }

    fn try_part(&self, part: &[u8]) -> io::Result<bool> {
        match send(
            &self.socket,
            part,
            SendFlags::DONTWAIT | SendFlags::NOSIGNAL,
        ) {
            Ok(_) => Ok(true),
            Err(Errno::AGAIN | Errno::INTR | Errno::NOBUFS) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The first message that the child has not received.
    pub(super) fn first<T: DeserializeOwned>(&self) -> Option<T> {
        let mut part = vec![0; PART];
        let flags = RecvFlags::DONTWAIT | RecvFlags::PEEK;
        let (length, _) = recv(&self.childs, &mut part[..], flags).ok()?;
        wire::read_frame(&part[..length]).ok()
    }

    /// Takes back the messages of one part that the child has not received. It may receive one
    /// of them in between, whichever that is.
    pub(super) fn take_back<T: DeserializeOwned>(&self) -> Vec<T> {
        let mut taken = Vec::new();
        let mut part = vec![0; PART];
        while let Ok((length, _)) = recv(&self.childs, &mut part[..], RecvFlags::DONTWAIT)
            && length > 0
        {
            taken.extend(wire::read_frame(&part[..length]).ok());
        }
        taken
    }
}

impl TaskReceiver {
    pub(super) fn new(socket: impl AsFd) -> io::Result<Self> {
        Ok(Self {
            socket: socket.as_fd().try_clone_to_owned()?,
            part: RefCell::new(vec![0; PART]),
        })
    }

    /// Waits for the next message.
    pub(super) fn receive<T: DeserializeOwned>(&self) -> Result<T, WireError> {
        loop {
            self.wait()?;
            if let Some(message) = self.try_receive()? {
                return Ok(message);
            }
        }
    }

    fn wait(&self) -> io::Result<()> {
        match poll(&mut [PollFd::new(&self.socket, PollFlags::IN)], None) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The next message if there is one.
    pub(super) fn try_receive<T: DeserializeOwned>(&self) -> Result<Option<T>, WireError> {
        let mut part = self.part.borrow_mut();
        let Some(length) = self.part(&mut part)? else {
            return Ok(None);
        };
        let first = &part[..length];
        let whole = wire::frame_length(first)?;
        if whole == length {
            return wire::read_frame(first).map(Some);
        }
        let mut frame = first.to_vec();
        while frame.len() < whole {
            self.wait()?;
            if let Some(length) = self.part(&mut part)? {
                frame.extend_from_slice(&part[..length]);
            }
        }
        wire::read_frame(&frame).map(Some)
    }

    /// One part; `None` if there is none.
    fn part(&self, part: &mut [u8]) -> io::Result<Option<usize>> {
        let mut part = [IoSliceMut::new(part)];
        let mut nothing_besides = RecvAncillaryBuffer::default();
        match recvmsg(
            &self.socket,
            &mut part,
            &mut nothing_besides,
            RecvFlags::DONTWAIT,
        ) {
            Ok(message) if message.bytes == 0 => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(message) => Ok(Some(message.bytes)),
            Err(Errno::AGAIN | Errno::INTR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn messages_arrive_in_their_order_and_those_that_wait_can_be_taken_back() {
        let (sender, childs) = TaskSender::pair().unwrap();
        let receiver = TaskReceiver::new(childs).unwrap();
        for number in 0..5_u32 {
            assert!(sender.try_send(&number).unwrap());
        }
        assert_eq!(receiver.receive::<u32>().unwrap(), 0);
        assert_eq!(receiver.try_receive::<u32>().unwrap(), Some(1));
        assert_eq!(sender.first::<u32>(), Some(2));
        assert_eq!(sender.take_back::<u32>(), [2, 3, 4]);
        assert_eq!(sender.first::<u32>(), None);
        assert_eq!(receiver.try_receive::<u32>().unwrap(), None);
        drop(sender);
        assert!(matches!(receiver.receive::<u32>(), Err(WireError::Io(_))));
    }

    #[test]
    fn a_long_message_is_sent_in_parts_and_waits_for_room() {
        let (sender, childs) = TaskSender::pair().unwrap();
        let long = "x".repeat(1 << 20);
        assert!(!sender.try_send(&long).unwrap());
        let receiving = std::thread::spawn(move || {
            let receiver = TaskReceiver::new(childs).unwrap();
            receiver.receive::<String>().unwrap()
        });
        run(async { sender.send(&long).await.unwrap() });
        assert_eq!(receiving.join().unwrap(), long);
    }

    #[test]
    fn what_is_no_message_is_told_from_one() {
        let (sender, childs) = TaskSender::pair().unwrap();
        let receiver = TaskReceiver::new(childs).unwrap();
        for bytes in [&b"abc"[..], b"\xff\xff\xff\xff", b"\x01\0\0\0zz"] {
            assert!(sender.try_part(bytes).unwrap());
            assert!(matches!(receiver.receive::<u32>(), Err(WireError::Garbled)));
        }
    }
}
