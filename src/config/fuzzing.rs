//! Entry points for `tests/fuzz.rs`: texts of this room, read without a file.

use std::path::Path;
use std::sync::Arc;

use crate::domain::{SiteEdit, SiteValues};

use super::configuration::Config;
use super::diagnostic_sink::{DiagnosticSink, Language};
use super::diagnostics::Diagnostics;
use super::edit::edit;
use super::files::SourceFile;
use super::include;
use super::known_names::KnownNames;
use super::load::{assemble, read_main};
use super::monitor_settings::MonitorSettings;
use super::secret::SecretUse;
use super::site_registry::SiteRegistry;

/// Reads a `sites.toml` without its included lists: their globs name files of this machine.
///
/// # Errors
/// The mistakes in it.
pub fn parse_alone(text: &str, known: &KnownNames<'_>) -> Result<Config, Diagnostics> {
    let path = Path::new("sites.toml");
    let source = SourceFile::of_text(path, text);
    let mut main = read_main(text, path, known, SecretUse::Unused);
    main.include.clear();
    assemble(main, text, path, source)
}

/// The text with the site at `index` of `config` paused, and then resumed; `None` where it was
/// not edited.
#[must_use]
pub fn pause_and_resume(
    text: &str,
    config: &Config,
    index: usize,
    known: &KnownNames<'_>,
) -> Option<(String, String)> {
    let path = Path::new("sites.toml");
    let site = Arc::new(config.sites.get(index)?.clone());
    let pause = |paused| SiteEdit::Pause(vec![Arc::clone(&site)], paused);
    let paused = edit(text, path, &pause(true), known).ok()?;
    let resumed = edit(&paused, path, &pause(false), known).ok()?;
    Some((paused, resumed))
}

/// The text with a site added that has these values, and what it is when that site is deleted
/// again; `None` where it was not edited.
#[must_use]
pub fn add_and_delete(
    text: &str,
    fields: SiteValues,
    known: &KnownNames<'_>,
) -> Option<(String, String)> {
    let path = Path::new("sites.toml");
    let added = edit(text, path, &SiteEdit::Add(fields), known).ok()?;
    let config = parse_alone(&added, known).ok()?;
    let site = Arc::new(config.sites.last()?.clone());
    let deleted = edit(&added, path, &SiteEdit::Delete(vec![site]), known).ok()?;
    Some((added, deleted))
}

/// Reads a plain list; the number of its sites.
///
/// # Errors
/// The mistakes in it.
pub fn parse_list(text: &str) -> Result<usize, Diagnostics> {
    let mut registry = SiteRegistry::default();
    let mut sink = DiagnosticSink::new(Language::List);
    let of = (
        &super::include_table::IncludedLists::default(),
        &MonitorSettings::default(),
    );
    include::read_list(text, of, &mut registry, &mut sink);
    let sites = registry.into_sites().len();
    sink.finish("list.txt", text).map_or(Ok(sites), Err)
}
