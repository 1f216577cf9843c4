//! The configuration of a command: a file that is named or found, or URLs of the command line.

use std::io::{IsTerminal, Write as _};
use std::path::{Path, PathBuf};

use crate::config::{self, Config, Diagnostics, KnownNames, SecretUse};
use crate::domain::{MaskedUrl, error_line};
use crate::paradigm;

use super::exit::{Exit, fail, say};

/// Reads the configuration that the command line names, or that is found.
pub(super) fn load(explicit: Option<&Path>, secrets: SecretUse) -> Result<Config, Exit> {
    let path = config::find(explicit).map_err(fail)?;
    read(&path, secrets)
}

/// The configuration at `path`. Its warnings are printed.
pub(super) fn read(path: &Path, secrets: SecretUse) -> Result<Config, Exit> {
    let names = paradigm::names();
    let known = KnownNames {
        paradigms: &names,
        channels: &crate::notify::KNOWN_CHANNELS,
    };
    let config = config::load(path, &known, secrets).map_err(|mistakes| complain(&mistakes))?;
    config.warnings.iter().for_each(say);
    Ok(config)
}

/// The sites of these URLs, with the settings of the configuration that is named, if any.
pub(super) fn urls(urls: &[String], explicit: Option<&Path>) -> Result<Config, Exit> {
    let base = explicit.map(|path| read(path, SecretUse::Checks));
    let base = base.transpose()?;
    config::from_urls(urls, base.as_ref()).map_err(|mistakes| complain(&mistakes))
}

/// Refuses a configuration that lists no site: a command that does nothing without them would seem
/// to have found everything in order.
pub(super) fn with_sites(config: Config) -> Result<Config, Exit> {
    if config.sites.is_empty() {
        let source = config.path.as_deref().map_or_else(String::new, short);
        return Err(fail(format!("{source}: no site is listed")));
    }
    Ok(config)
}

/// The broker that the command line or the environment names. An error does not repeat the text,
/// which may hold a password.
pub(super) fn broker(text: &str) -> Result<MaskedUrl, Exit> {
    config::parse_broker_url(text).map_err(|why| fail(format!("--broker: {why}")))
}

/// Sets the broker of the command line, if it names one.
pub(super) fn with_broker(mut config: Config, named: Option<&str>) -> Result<Config, Exit> {
    if let Some(text) = named {
        config.named_broker = Some(broker(text)?);
    }
    Ok(config)
}

/// Prints every mistake of a configuration on standard error: `FILE:LINE:COLUMN: KEY: WHY`, and
/// at a terminal the line it stands in. Where no place in a file is meant, it is an error like
/// any other: `squirrel: FILE: WHY`.
pub(super) fn complain(mistakes: &Diagnostics) -> Exit {
    let mut stderr = std::io::stderr().lock();
    let text = if stderr.is_terminal() {
        mistakes.detailed()
    } else {
        mistakes.to_string()
    };
    let placeless = mistakes.iter().filter(|mistake| mistake.place().is_none());
    let placeless: Vec<String> = placeless.map(ToString::to_string).collect();
    for line in text.lines() {
        let is_placeless = placeless.iter().any(|placeless| placeless == line);
        let line = line.trim_end();
        let _unheard = if is_placeless {
            writeln!(stderr, "{}", error_line(line))
        } else {
            writeln!(stderr, "{line}")
        };
    }
    Exit::Mistake
}

/// A path for messages: relative to the working directory, or from `~`, if it is below them.
pub(super) fn short(path: &Path) -> String {
    let within = |folder: Option<PathBuf>, mark: &str| {
        let rest = path.strip_prefix(folder?).ok()?;
        Some(format!("{mark}{}", rest.display()))
    };
    within(std::env::current_dir().ok(), "")
        .or_else(|| within(std::env::home_dir(), "~/"))
        .unwrap_or_else(|| path.display().to_string())
}
