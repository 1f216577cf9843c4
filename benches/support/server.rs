//! A server in a process of its own, so that its processor time is not taken for the
//! client's. It listens on loopback and ends with the pipe that holds its standard input.

use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use serde::de::DeserializeOwned;
use uptime_squirrel::demo::LoadServerReady;

/// The server and what it said when it was ready.
pub(crate) struct Server<T> {
    child: Child,
    pub(crate) handshake: T,
}

impl<T: DeserializeOwned> Server<T> {
    /// Starts `program` and waits for its one line of JSON.
    pub(crate) fn start(mut program: Command) -> io::Result<Self> {
        let mut child = program
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(said) = child.stdout.as_mut() {
            BufReader::new(said).read_line(&mut line)?;
        }
        match serde_json::from_str(&line) {
            Ok(handshake) => Ok(Self { child, handshake }),
            Err(error) => {
                // It has failed already: its own words are on standard error.
                child.kill()?;
                child.wait()?;
                Err(error.into())
            }
        }
    }
}

impl<T> Drop for Server<T> {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // There is no one to report to if it did not end.
        let _ended = self.child.wait();
    }
}

/// Sites that all answer alike, on `listeners` ports.
pub(crate) fn uniform(listeners: u16, how: &[&str]) -> io::Result<Server<LoadServerReady>> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_squirrel"));
    program
        .args(["demo-sites", "--uniform", &listeners.to_string()])
        .args(how);
    Server::start(program)
}

/// The URLs of these addresses.
pub(crate) fn urls(addresses: &[SocketAddr]) -> Vec<String> {
    let url = |address| format!("http://{address}/");
    addresses.iter().map(url).collect()
}
