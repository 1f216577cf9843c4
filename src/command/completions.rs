//! `squirrel completions SHELL`: prints a completion script, which asks the program for candidates;
//! and the answer to it. Names of owners, sites and tags are those of the configuration.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::{Command, CommandFactory};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::Shells;

use crate::config::{self, Config, KnownNames, SecretUse};
use crate::notify::KNOWN_CHANNELS;
use crate::paradigm;

use super::args::Cli;
use super::exit::{Exit, OutputError, fail, print};

/// The environment variable by which the script asks; it names the shell.
const VARIABLE: &str = "SQUIRREL_COMPLETE";

/// The most candidates of one answer.
const MOST_CANDIDATES: usize = 1_000;

pub(super) fn run(shell: clap_complete::Shell) -> Exit {
    match script(&shell.to_string()) {
        Ok(script) => print(&script),
        Err(error) => fail(OutputError(error)),
    }
}

fn script(shell: &str) -> std::io::Result<Vec<u8>> {
    let mut script = Vec::new();
    let shells = Shells::builtins();
    if let Some(completer) = shells.completer(shell) {
        completer.write_registration(VARIABLE, "squirrel", "squirrel", "squirrel", &mut script)?;
    }
    if shell == "zsh" {
        // A file of zsh's function path is run by the first completion, which it has to answer.
        script.extend_from_slice(
            b"if [[ $funcstack[1] == _squirrel ]]; then\n    \
              _clap_dynamic_completer_squirrel \"$@\"\nfi\n",
        );
    }
    Ok(script)
}

/// Answers a completion script; whether one has asked.
pub(super) fn answer() -> clap::error::Result<bool> {
    let shell = std::env::var_os(VARIABLE);
    // bash puts a candidate into the command line as it is.
    let is_bash = shell.is_some_and(|shell| shell == "bash");
    CompleteEnv::with_factory(move || with_names(Cli::command(), is_bash))
        .var(VARIABLE)
        .try_complete(std::env::args_os(), std::env::current_dir().ok().as_deref())
}

/// The grammar whose arguments know the names of the configuration, by what they are called.
fn with_names(grammar: Command, escaped: bool) -> Command {
    grammar
        .mut_args(|argument| {
            let named = argument.get_value_names().and_then(<[_]>::first);
            let names: fn(&Config) -> Vec<String> = match named.map(AsRef::as_ref) {
                Some("OWNER") => owners,
                Some("SITE") => sites,
                Some("SITE|tag:T") => sites_and_tags,
                Some("TAG") => tags,
                Some("URL") if argument.is_positional() => urls,
                _ => return argument,
            };
            let candidates = move |begun: &OsStr| candidates(names, begun, escaped);
            argument.add(ArgValueCompleter::new(candidates))
        })
        .mut_subcommands(|command| with_names(command, escaped))
}

fn owners(config: &Config) -> Vec<String> {
    config
        .owners
        .iter()
        .map(|owner| owner.name.to_string())
        .collect()
}

fn sites(config: &Config) -> Vec<String> {
    config
        .sites
        .iter()
        .map(|site| site.name.to_string())
        .collect()
}

fn tags(config: &Config) -> Vec<String> {
    let tags = config.sites.iter().flat_map(|site| site.tags.iter());
    tags.map(|tag| tag.to_string()).collect()
}

fn sites_and_tags(config: &Config) -> Vec<String> {
    let tags = tags(config).into_iter().map(|tag| format!("tag:{tag}"));
    sites(config).into_iter().chain(tags).collect()
}

/// The URLs of sites that have no secret in them.
fn urls(config: &Config) -> Vec<String> {
    let urls = config.sites.iter().map(|site| site.spec.url.shown());
    urls.filter(|url| !url.contains("***"))
        .map(str::to_owned)
        .collect()
}

/// The names that go on as the word begun does. A configuration that cannot be read has none: a
/// completion is no place for its mistakes.
fn candidates(
    names: fn(&Config) -> Vec<String>,
    begun: &OsStr,
    escaped: bool,
) -> Vec<CompletionCandidate> {
    let Some((config, begun)) = configuration().zip(begun.to_str()) else {
        return Vec::new();
    };
    let mut names = names(&config);
    names.retain(|name| name.starts_with(begun));
    names.sort_unstable();
    names.dedup();
    names.truncate(MOST_CANDIDATES);
    let names = names.into_iter();
    names
        .map(|name| CompletionCandidate::new(if escaped { escape(&name) } else { name }))
        .collect()
}

/// The configuration that the command line under way names, else the one that is found.
fn configuration() -> Option<Config> {
    let words: Vec<_> = std::env::args_os().collect();
    let named = words.iter().zip(words.iter().skip(1));
    let mut named = named.filter_map(|(word, next)| match word.to_str()? {
        "--config" | "-c" => Some(PathBuf::from(next)),
        word => word.strip_prefix("--config=").map(PathBuf::from),
    });
    let path = config::find(named.next().as_deref()).ok()?;
    let paradigms = paradigm::names();
    let known = KnownNames {
        paradigms: &paradigms,
        channels: &KNOWN_CHANNELS,
    };
    config::load(&path, &known, SecretUse::Unused).ok()
}

/// A word of bash: every character that could mean anything to it has a backslash in front.
fn escape(name: &str) -> String {
    let mut word = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_ascii() && !c.is_ascii_alphanumeric() && !"-_./:@%+,".contains(c) {
            word.push('\\');
        }
        word.push(c);
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of values that a completion of names knows.
    fn known(grammar: &Command, found: &mut Vec<String>) {
        let arguments = grammar.get_arguments();
        let known = arguments.filter(|argument| argument.get::<ArgValueCompleter>().is_some());
        found.extend(known.filter_map(|known| {
            let name = known.get_value_names()?.first()?;
            Some(format!("{} {name}", grammar.get_name()))
        }));
        for command in grammar.get_subcommands() {
            self::known(command, found);
        }
    }

    #[test]
    fn every_argument_that_is_a_name_of_the_configuration_knows_them() {
        let mut found = Vec::new();
        known(&with_names(Cli::command(), false), &mut found);
        let expected = [
            "check URL",
            "race URL",
            "ack SITE",
            "unack SITE",
            "pause SITE",
            "resume SITE",
            "recheck SITE",
            "maintenance SITE|tag:T",
            "report SITE",
            "report TAG",
            "report OWNER",
            "test OWNER",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_word_of_bash_is_taken_as_it_is() {
        assert_eq!(escape("shop.example/a-b"), "shop.example/a-b");
        assert_eq!(escape("My $(shop) *"), r"My\ \$\(shop\)\ \*");
    }
}
