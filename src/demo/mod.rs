//! The sites that `squirrel demo` serves on loopback from a process of its own.
//!
//! ```text
//! the monitor's process                        the process of the demo sites
//! DemoProcess   -- "break shop", "mend pay" -->  serve: a port a site
//!               <-- one line: sites.toml, CA --
//! ```
//!
//! `sites` is the table: a new demo site is one line there. `response` decides, from the
//! table and the time alone, how a request is answered; `serve` does it. `load_server` is the
//! server for measurements: all responses alike, very many connections at once. Either server
//! ends when its standard input does, so it never outlives the process that started it.
//!
//! Architecture invariant: it listens on 127.0.0.1 alone, and nothing that it does reaches
//! beyond this machine.

mod certificates;
mod client;
mod command;
mod connection_limits;
mod http;
mod load_server;
mod ready_line;
mod response;
mod serve;
mod sites;
mod sites_toml;

pub use client::{DemoProcess, remove_files};
pub use load_server::{LoadServer, serve_load};
pub use ready_line::{DemoReady, LoadServerReady};
pub use serve::serve;
pub use sites::{Behaviour, CertificateKind, DemoSite, Pace, SITES, When};
