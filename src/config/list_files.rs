//! Reading the lists that `include` means: their files, each once, and what is warned of.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::domain::{plain_io_error, plural};

use super::configuration::Config;
use super::diagnostic_sink::{DiagnosticSink, Language};
use super::diagnostics::{Diagnostics, shown_path};
use super::files;
use super::include::{self, ListCount};
use super::include_table::IncludedLists;
use super::site_defaults::SiteDefaults;
use super::site_registry::SiteRegistry;
use super::table_values::Element;
use super::value_parsers::quoted;

/// The files that the elements of `include` mean, each once, with the first element that means
/// it.
pub(super) fn find_lists<'a>(
    folder: &Path,
    include: &'a [Element<IncludedLists>],
    sink: &mut DiagnosticSink,
) -> Vec<(PathBuf, &'a Element<IncludedLists>)> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    for element in include {
        let pattern = &*element.value.pattern;
        let files = include::expand(folder, pattern).and_then(|files| {
            // A file that is named must be there; a glob may match nothing yet.
            if !include::is_glob(pattern)
                && let Some(error) = files.iter().find_map(|file| file.metadata().err())
            {
                let file = quoted(&files[0].to_string_lossy());
                let why = plain_io_error(&error);
                return Err(format!("the file {file} cannot be read: {why}"));
            }
            Ok(files)
        });
        let key = key_of(element);
        match files {
            // No mistake, for a folder of lists may be empty at first; but a slip of the pen
            // would leave sites unwatched without a word.
            Ok(files) if files.is_empty() => {
                let sentence = format!("no file matches {}", quoted(pattern));
                sink.warning(element.offset, &key, &sentence);
            }
            Ok(files) => {
                let new = files.into_iter().filter(|file| seen.insert(file.clone()));
                found.extend(new.map(|file| (file, element)));
            }
            Err(sentence) => sink.error(element.offset, &key, &sentence),
        }
    }
    found
}

fn key_of(element: &Element<IncludedLists>) -> String {
    format!("monitor.include[{}]", element.index)
}

pub(super) fn read_list(
    path: &Path,
    (lists, defaults): (&IncludedLists, &SiteDefaults),
    config: &mut Config,
    registry: &mut SiteRegistry,
) -> Result<ListCount, Diagnostics> {
    let files::LoadedFile { text, source } = files::read_regular(path)?;
    config.sources.push(source);
    let mut sink = DiagnosticSink::new(Language::List);
    let count = include::read_list(
        &text,
        (lists, &defaults.for_tags(&lists.tags)),
        registry,
        &mut sink,
    );
    sink.finish(&shown_path(path), &text).map_or(Ok(count), Err)
}

/// Warns of the sites of a list that nobody is told of though there are owners, and of URLs that
/// are watched already.
pub(super) fn warn_of_list(
    path: &Path,
    element: &Element<IncludedLists>,
    count: ListCount,
    config: &Config,
    sink: &mut DiagnosticSink,
) {
    let list = quoted(&path.file_name().unwrap_or_default().to_string_lossy());
    let lists = &element.value;
    let owners = lists.owners.as_ref().unwrap_or(&config.monitor.owners);
    if count.added > 0 && owners.is_empty() && !config.owners.is_empty() {
        let sentence = match count.added {
            1 => format!("nobody is told of the site of {list}: it has no owner"),
            sites => format!(
                "nobody is told of the {} of {list}: they have no owner",
                plural(sites, "site")
            ),
        };
        sink.warning(element.offset, &key_of(element), &sentence);
    }
    if count.repeated > 0 {
        let sentence = match count.repeated {
            1 => format!("1 URL of {list} is watched already"),
            urls => format!("{} of {list} are watched already", plural(urls, "URL")),
        };
        sink.warning(element.offset, &key_of(element), &sentence);
    }
}
