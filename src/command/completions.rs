//! `squirrel completions SHELL`.

use std::io::Write;

use clap::CommandFactory;

use super::args::Cli;
use super::exit::Exit;

pub(super) fn run(shell: clap_complete::Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "squirrel", &mut script);
    // A reader that is gone needs no script.
    let _unheard = std::io::stdout().write_all(&script);
    Exit::Fine
}
