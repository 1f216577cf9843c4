//! The `squirrel` binary: everything is in the library.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A check allocates some eighty times, ten of them more than a kilobyte, nearly all of it in
/// the libraries that carry it out: the system's allocator took a twentieth of its processor
/// time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    uptime_squirrel::command::run()
}
