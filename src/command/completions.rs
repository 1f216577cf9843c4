//! `squirrel completions SHELL`: prints a completion script.

use clap::CommandFactory;

use super::args::Cli;
use super::exit::{Exit, print};

pub(super) fn run(shell: clap_complete::Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "squirrel", &mut script);
    print(&script)
}
