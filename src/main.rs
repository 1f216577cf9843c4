//! The `squirrel` binary: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    uptime_squirrel::command::run()
}
