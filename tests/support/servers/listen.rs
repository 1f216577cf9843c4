//! Ports that take connections, refuse them, or leave them hanging.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::super::scenario::Listen;

/// A port of our own, held until it is dropped.
pub(super) enum Port {
    /// Takes connections.
    Open(TcpListener),
    /// Bound, so that nobody else can take it, and not listened on: refuses.
    Bound(#[expect(dead_code, reason = "held for the port it occupies")] TcpSocket),
    /// Listened on, its queue full: the system drops who else would connect.
    Full(
        #[expect(dead_code, reason = "held for the queue that is full")] TcpListener,
        #[expect(dead_code, reason = "held because they fill the queue")] Vec<TcpStream>,
    ),
}

/// Takes a free port on `host` in the manner of `listen`. Must run inside the runtime.
pub(super) async fn take(host: &str, listen: Listen) -> (Port, SocketAddr) {
    let ip = match host {
        "[::1]" => "[::1]:0",
        "127.0.0.1" | "localhost" => "127.0.0.1:0",
        other => panic!("servers listen on loopback, not on {other}"),
    };
    let any: SocketAddr = ip.parse().unwrap();
    let socket = if any.is_ipv6() {
        TcpSocket::new_v6()
    } else {
        TcpSocket::new_v4()
    }
    .unwrap();
    socket.bind(any).unwrap();
    let address = socket.local_addr().unwrap();
    let port = match listen {
        Listen::Accept => Port::Open(socket.listen(1_024).unwrap()),
        Listen::Refuse => Port::Bound(socket),
        Listen::Blackhole => {
            let listener = socket.listen(1).unwrap();
            let held = fill_queue(address).await;
            Port::Full(listener, held)
        }
    };
    (port, address)
}

/// Connects until the system lets no more in: from then on a handshake is not answered.
async fn fill_queue(address: SocketAddr) -> Vec<TcpStream> {
    const MOST: usize = 64;
    const PATIENCE: std::time::Duration = std::time::Duration::from_millis(150);
    let mut held = Vec::new();
    while held.len() < MOST {
        match tokio::time::timeout(PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => held.push(stream),
            Ok(Err(error)) => panic!("the queue could not be filled: {error}"),
            Err(_elapsed) => return held,
        }
    }
    panic!("a listener with a queue of 1 took {MOST} connections");
}
