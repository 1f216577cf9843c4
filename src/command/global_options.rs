//! Options of the program that stand before the subcommand are moved behind it, where the
//! subcommand's own grammar takes or refuses them.
//!
//! clap's own global options would be accepted, and ignored, by every subcommand: `squirrel
//! --ascii check` is a mistake instead, and clap's message names the subcommand that has no such
//! option.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

/// The words of a command line with every option of the program behind the last subcommand. What
/// this cannot read is left as it is, so that the program's grammar explains what is wrong.
pub(super) fn behind_subcommand(program: &Command, mut words: Vec<OsString>) -> Vec<OsString> {
    let options = options_alone(program);
    let mut path = words.drain(..words.len().min(1)).collect::<Vec<_>>();
    let mut moved = Vec::new();
    let mut grammar = program;
    let mut rest = words;
    while grammar.has_subcommands() {
        let Some((before, name, behind)) = split(&options, &path, &rest) else {
            break;
        };
        let Some(next) = grammar.find_subcommand(&name) else {
            break;
        };
        moved.extend(before);
        path.push(name);
        rest = behind;
        grammar = next;
    }
    path.into_iter().chain(moved).chain(rest).collect()
}

/// A grammar of the program's options, with any values, in front of any word.
fn options_alone(program: &Command) -> Command {
    let options = program.get_arguments().map(|option| {
        let option = option.clone().global(false);
        match option.get_action() {
            // One that is given twice is the subcommand's to refuse.
            ArgAction::Set => option
                .value_parser(value_parser!(OsString))
                .action(ArgAction::Append),
            _ => option,
        }
    });
    Command::new("options")
        .args(options.collect::<Vec<_>>())
        .allow_external_subcommands(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
}

/// The options at the beginning of `words`, the word that follows them, and what is behind it;
/// `None` where no such word follows.
fn split(
    options: &Command,
    path: &[OsString],
    words: &[OsString],
) -> Option<(Vec<OsString>, OsString, Vec<OsString>)> {
    let program = path.first().cloned().unwrap_or_default();
    let line = std::iter::once(program).chain(words.iter().cloned());
    let matches = options.clone().try_get_matches_from(line).ok()?;
    let (name, rest) = matches.subcommand()?;
    let behind = rest.get_many::<OsString>("").unwrap_or_default();
    Some((
        written(options, &matches),
        name.into(),
        behind.cloned().collect(),
    ))
}

/// The options that the command line gave, as words.
fn written(options: &Command, matches: &ArgMatches) -> Vec<OsString> {
    let given = |option: &&Arg| {
        let source = matches.value_source(option.get_id().as_str());
        source == Some(ValueSource::CommandLine)
    };
    let words = options.get_arguments().filter(given).flat_map(|option| {
        let name = format!("--{}", option.get_long().unwrap_or_default());
        let values = matches.get_raw(option.get_id().as_str());
        let takes_values = matches!(option.get_action(), ArgAction::Append);
        let values = values.into_iter().flatten().map(|value| {
            let mut word = OsString::from(&name);
            if takes_values {
                word.push("=");
                word.push(value);
            }
            word
        });
        values.collect::<Vec<_>>()
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::super::args::Cli;
    use super::*;
    use clap::CommandFactory;

    fn moved(line: &str) -> String {
        let words = line.split(' ').map(OsString::from).collect();
        let words = behind_subcommand(&Cli::command(), words);
        let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    }

    #[test]
    fn every_option_of_the_program_may_stand_before_a_subcommand() {
        for option in Cli::command().get_arguments() {
            let long = option.get_long().unwrap();
            assert!(!option.is_positional());
            let (before, behind) = match option.get_action() {
                ArgAction::SetTrue => (format!("--{long}"), format!("--{long}")),
                _ => (format!("--{long} X,Y"), format!("--{long}=X,Y")),
            };
            let line = moved(&format!("squirrel {before} check -f json -- a"));
            assert_eq!(line, format!("squirrel check {behind} -f json -- a"));
        }
    }

    #[test]
    fn of_two_subcommands_it_stands_behind_the_last() {
        assert_eq!(
            moved("squirrel -c a.toml config --log-level=debug check"),
            "squirrel config check --config=a.toml --log-level=debug"
        );
    }

    #[test]
    fn what_is_no_option_of_the_program_stays_where_it_is() {
        for line in [
            "squirrel",
            "squirrel --config a.toml",
            "squirrel --help check",
            "squirrel --format json check",
            "squirrel --config a.toml nonsense",
            "squirrel check --config a.toml race",
            "squirrel config",
        ] {
            assert_eq!(moved(line), line);
        }
    }
}
