//! The connection breaks in the middle of a reply.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::sender::{Sender, Worker};
use crate::support::{Fleet, Redis, Script};
use uptime_squirrel::domain::MaskedUrl;
use uptime_squirrel::paradigm::QueueOptions;

/// Stands between a broker and those who talk to it, and cuts a connection in the middle of
/// what the broker says, after so many bytes.
struct Cutter {
    dir: tempfile::TempDir,
    cuts: Arc<AtomicUsize>,
    /// Bytes that the next connections may carry, the last one first; then all.
    _allowances: Arc<Mutex<Vec<usize>>>,
}

impl Cutter {
    fn new(redis: &Redis, allowances: Vec<usize>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(dir.path().join("c.sock")).unwrap();
        let target = PathBuf::from(redis.socket());
        let cuts = Arc::new(AtomicUsize::new(0));
        let allowances = Arc::new(Mutex::new(allowances));
        let (counted, left) = (Arc::clone(&cuts), Arc::clone(&allowances));
        // Ends with the process of the test; no test connects after that.
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, UnixStream::connect(&target)) else {
                    return;
                };
                let allowance = left.lock().unwrap().pop();
                let (to_server, from_client) =
                    (server.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || pass(from_client, to_server, None));
                let counted = Arc::clone(&counted);
                std::thread::spawn(move || {
                    if pass(server, client, allowance) {
                        counted.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        Self {
            dir,
            cuts,
            _allowances: allowances,
        }
    }

    fn url(&self) -> MaskedUrl {
        let socket = self.dir.path().join("c.sock");
        MaskedUrl::new(format!("redis+socket://{}", socket.display()))
    }
}

/// Passes bytes on until either side ends, or the allowance is used up: then true.
fn pass(mut from: UnixStream, mut to: UnixStream, allowance: Option<usize>) -> bool {
    let mut buffer = [0; 4_096];
    let mut left = allowance.unwrap_or(usize::MAX);
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let passed = count.min(left);
        if to.write_all(&buffer[..passed]).is_err() {
            break;
        }
        left -= passed;
        if passed < count {
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
            return true;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
    false
}

#[test]
fn connections_cut_in_the_middle_of_a_reply_lose_nothing_on_either_side() {
    let redis = Redis::new();
    let mut fleet = Fleet::new();
    let script: Script = toml::from_str(
        r"'*' = [{ wait = '20ms' }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    )
    .unwrap();
    let server = fleet.serve(script);
    // Odd numbers, so that cuts fall within replies: of commands, of scripts, of messages.
    let allowances = |seed: usize| (0..12).map(|n| 611 + 1_337 * n * seed).collect();
    let (near, far) = (
        Cutter::new(&redis, allowances(3)),
        Cutter::new(&redis, allowances(7)),
    );
    let worker = Worker::at(far.url().expose(), "cut", &["--concurrency", "50"]);
    let queue = QueueOptions {
        broker: Some(near.url()),
        ..QueueOptions::default()
    };
    let mut sender = Sender::start(queue, 500).unwrap();
    sender.offer(&server.authority, 500);
    sender.assert_all_up_once(500);
    assert!(near.cuts.load(Ordering::SeqCst) >= 3);
    assert!(far.cuts.load(Ordering::SeqCst) >= 3);
    drop(worker);
}
