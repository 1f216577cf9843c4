//! The sites that `squirrel demo` serves on loopback from a process of its own.
//!
//! ```text
//! the monitor's process                        the fleet's process
//! FleetProcess  -- "break shop", "mend pay" -->  serve: a port a site
//!               <-- one line: sites.toml, CA --
//! ```
//!
//! `sites` is the table: a new demo site is one line there. `answer` decides, from the
//! table and the time alone, what a request gets; `serve` does it. `uniform` is the plain
//! fleet for measurements: every answer alike, very many at once. A fleet ends with the
//! input that it takes its commands from, so it never outlives the process that asked for
//! it, however that one ended.
//!
//! Architecture invariant: it listens on 127.0.0.1 alone, and nothing that it does reaches
//! beyond this machine.

mod answer;
mod certificates;
mod client;
mod command;
mod handshake;
mod limits;
mod listing;
mod serve;
mod sites;
mod uniform;
mod wire;

pub use client::{FleetProcess, remove_files};
pub use handshake::{Handshake, UniformHandshake};
pub use serve::serve;
pub use sites::{Behaviour, Entry, Identity, Pace, SITES, When};
pub use uniform::{Uniform, serve_uniform};
