//! The Unix socket by which commands reach the running monitor: `squirrel status`, `ack`,
//! `pause` and the like.
//!
//! ```text
//! squirrel ack SITE -> client -> socket -> server (its own thread) -> request -> the loop
//!                                                                  <- reply   <-
//! ```
//!
//! One request a connection: a line of JSON each way. Who may connect is decided by the file's
//! mode and by the peer's credentials.
//!
//! Architecture invariant: nothing here knows a site's state; the loop decides.

mod actor;
mod client;
mod message;
mod server;
mod socket_path;

pub use actor::Actor;
pub use client::{ControlError, ask};
pub use message::{ControlReply, MonitorCommand, MonitorStatus, OpenOutage};
pub use server::{ControlRequest, ControlServer, SocketError};
pub use socket_path::SocketPath;
