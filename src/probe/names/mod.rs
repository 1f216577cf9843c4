//! Names to addresses as the C library does it (resolv.conf(5), hosts(5), RFC 1035), inside the
//! check's own future: no hidden resolver threads, nothing remembered between checks.
//!
//! [`hosts_file`] and [`resolv_conf`] read the two files, [`system_files`] reads them again when
//! they change. [`resolve`] takes a host name through the hosts file and the search list to
//! addresses of both families; [`query`] asks one question of one name server after another,
//! over [`transport`].

mod error;
pub(super) mod fuzzing;
mod hosts_file;
mod query;
mod records;
mod resolv_conf;
mod resolve;
mod system_files;
mod transport;

pub(super) use error::NameError;
pub(super) use records::records;
pub(super) use resolve::{Addresses, PendingAddresses, resolve};
pub(super) use system_files::SystemFiles;
