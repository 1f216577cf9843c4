//! The configuration of another monitor as a `sites.toml`.
//!
//! ```text
//! file -> tree (YAML, JSON) -> kuma, gatus, blackbox, upptime, list -> ImportedConfig -> names made unique -> render
//! ```
//!
//! What has a counterpart is kept; what has none stands in a comment at its site, so that
//! nothing gets lost unnoticed. The files are not trusted: their size, depth and
//! aliases are bounded, no character that a terminal acts on comes through, and no value of a
//! header, token or password is written into a comment.
//!
//! Architecture invariant: what is written is read again by [`crate::config`] before it
//! is printed. One file a format, one entry in [`ALL`].

mod blackbox;
mod conditions;
mod convert;
mod format;
mod gatus;
mod go_duration;
mod imported_site;
mod kuma;
mod kuma_tables;
mod list;
mod render;
mod status_codes;
mod table;
mod upptime;
mod yaml_tree;

pub use convert::{Converted, ImportFile, convert};
pub use format::Format;
pub use imported_site::ImportError;
pub use kuma_tables::{KUMA_TABLES, kuma_backup};
pub use table::{ALL, names, position};
