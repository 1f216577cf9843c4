//! Starts the log and the subcommand that the command line names.

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::app::log;

use super::args::{Cli, Command, ConfigCommand, LogLevel, NotifyCommand};
use super::exit::{Exit, say, written};
use super::{
    broker, check, completions, config_check, control, demo, demo_sites, global_options, history,
    import, man, monitor, notify, race, replay, report, watch, worker,
};

/// Runs the program; gives its exit status.
#[must_use]
pub fn run() -> ExitCode {
    match completions::answer() {
        Ok(false) => {}
        Ok(true) => return Exit::Fine.into(),
        Err(error) => return ended(&error).into(),
    }
    let words = global_options::behind_subcommand(&Cli::command(), std::env::args_os().collect());
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) => return ended(&error).into(),
    };
    start_log(cli.log_level);
    let exit = match cli.command {
        None => monitor::run(&cli.monitor),
        Some(Command::Check(args)) => check::run(&args),
        Some(Command::Race(args)) => race::run(&args),
        Some(Command::Demo(args)) => demo::run(&args),
        Some(Command::Watch(args)) => watch::run(&args),
        Some(Command::Notify(NotifyCommand::Test(args))) => notify::run(&args),
        Some(Command::Config(ConfigCommand::Check { source })) => config_check::run(&source),
        Some(Command::Import(args)) => import::run(&args),
        Some(Command::Status(args)) => control::status(&args),
        Some(Command::Ack(args)) => control::acknowledge(&args),
        Some(Command::Unack(args)) => control::unacknowledge(&args),
        Some(Command::Pause(args)) => control::pause(&args, true),
        Some(Command::Resume(args)) => control::pause(&args, false),
        Some(Command::Recheck(args)) => control::recheck(&args),
        Some(Command::Maintenance(args)) => control::maintain(&args),
        Some(Command::Switch(args)) => control::switch(&args),
        Some(Command::Report(args)) => report::run(&args),
        Some(Command::History(command)) => history::run(&command),
        Some(Command::Replay(args)) => replay::run(&args),
        Some(Command::Completions { shell }) => completions::run(shell),
        Some(Command::Man(args)) => man::run(&args),
        Some(Command::DemoSites(args)) => demo_sites::run(&args),
        Some(Command::Worker(args)) => worker::run(&args),
        Some(Command::Broker(args)) => broker::run(&args),
    };
    crate::paradigm::join_deferred();
    exit.into()
}

/// Prints help, the version, or the mistake that the command line has.
fn ended(error: &clap::Error) -> Exit {
    if error.use_stderr() {
        let text = error.render().to_string();
        say(text.strip_prefix("error: ").unwrap_or(&text).trim_end());
        return Exit::Mistake;
    }
    written(error.print())
}

/// Starts the log file; the program runs without one if it cannot be written.
fn start_log(level: LogLevel) {
    if matches!(level, LogLevel::Off) {
        return;
    }
    let Some(folder) = crate::config::state_dir() else {
        return;
    };
    if let Err(error) = log::to_file(&folder, level.filter())
        && !matches!(level, LogLevel::Info)
    {
        say(error);
    }
}
