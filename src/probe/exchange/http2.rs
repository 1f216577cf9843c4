//! HTTP/2 on a connection (RFC 9113), driven by the check itself.
//!
//! hyper hands the work on an HTTP/2 connection to an executor as futures. The executor here
//! keeps them, and they are polled wherever the answer is waited for.

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll};

use hyper::Request;
use hyper::client::conn::http2;
use hyper::header::HOST;
use hyper::rt::{Executor, Read, Write};

use super::bounded::{Bound, Bounded};
use super::{Answer, AskError, Driver};

/// The bytes that the headers of an answer may take (SETTINGS_MAX_HEADER_LIST_SIZE).
const MOST_HEADERS: u32 = 16 * 1024;

/// How much of a body a server may send ahead of its reader.
const WINDOW: u32 = 64 * 1024;

/// Speaks HTTP/2 until the head of the answer is here.
pub(super) async fn talk<T>(
    io: Bounded<T>,
    bound: &Bound,
    mut request: Request<String>,
) -> Result<Answer, AskError>
where
    T: Read + Write + Unpin + Send + 'static,
{
    // `:authority` says the same (section 8.3.1).
    request.headers_mut().remove(HOST);
    let (inbox, spawned) = channel();
    let (mut sender, connection) = http2::Builder::new(Inbox(inbox))
        .max_header_list_size(MOST_HEADERS)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .handshake(io)
        .await
        .map_err(|error| bound.blame(error))?;
    let connection: Driver = Box::pin(async move {
        // What it carried says how it ended.
        let _told = connection.await;
    });
    let tasks = Tasks {
        running: vec![connection],
        spawned,
    };
    Answer::wait(Box::pin(tasks), bound, sender.send_request(request)).await
}

/// Where hyper's futures go. They hold clones of it, so that it must not hold them.
#[derive(Clone, Debug)]
struct Inbox(Sender<Driver>);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Inbox {
    fn execute(&self, future: F) {
        // Without a receiver the check is over.
        let _over = self.0.send(Box::pin(future));
    }
}

/// The futures of one connection, polled together: there are two or three.
struct Tasks {
    running: Vec<Driver>,
    spawned: Receiver<Driver>,
}

impl Future for Tasks {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut polled = 0;
        loop {
            this.running.extend(this.spawned.try_iter());
            if this.running.len() == polled {
                break;
            }
            this.running
                .retain_mut(|task| task.as_mut().poll(context).is_pending());
            polled = this.running.len();
        }
        if this.running.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}
