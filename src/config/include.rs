//! Plain lists for very many sites: which files the globs of `include` mean, and what a
//! line of such a file says.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use glob::{MatchOptions, Pattern};

use crate::domain::plain_io_error;

use super::diagnostic_sink::DiagnosticSink;
use super::include_table::IncludedLists;
use super::key_path::KeyPath;
use super::kind_values;
use super::monitor_settings::MonitorSettings;
use super::site_registry::{SiteRegistry, taken};
use super::sites_table::plain_site;
use super::value_parsers::{self, quoted};

/// What a list that was read says about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ListCount {
    /// Sites that it added.
    pub(super) added: usize,
    /// URLs that a list had already.
    pub(super) repeated: usize,
}

/// Whether a pattern can mean several files, or none; otherwise it is a file's name.
pub(super) fn is_glob(pattern: &str) -> bool {
    pattern.contains(['*', '?', '['])
}

/// The files that `pattern` means, relative to `folder`, sorted.
///
/// # Errors
/// A sentence, for a bad pattern or a folder that cannot be read.
pub(super) fn expand(folder: &Path, pattern: &str) -> Result<Vec<PathBuf>, String> {
    let mut files = find(folder, pattern)?;
    if is_glob(pattern) {
        // A dangling link stays in: that a list is missing must be noticed.
        files.retain(|path| path.metadata().map_or(true, |metadata| metadata.is_file()));
        files.sort();
    }
    Ok(files)
}

/// What `pattern` finds, whether it is a file or not. Hidden files and editors' temporary files
/// (`.list.txt.swp`) are not found unless the pattern says so.
///
/// # Errors
/// As [`expand`].
pub(super) fn find(folder: &Path, pattern: &str) -> Result<Vec<PathBuf>, String> {
    if !is_glob(pattern) {
        return Ok(vec![folder.join(pattern)]);
    }
    Pattern::new(pattern)
        .map_err(|error| format!("bad pattern {}: {}", quoted(pattern), error.msg))?;
    let folder = folder
        .to_str()
        .ok_or("the name of the file's folder is not UTF-8 text")?;
    // The folder's own name may hold characters that mean something in a pattern.
    let whole = Path::new(&Pattern::escape(folder)).join(pattern);
    let options = MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let found = glob::glob_with(&whole.to_string_lossy(), options)
        .map_err(|error| format!("bad pattern {}: {}", quoted(pattern), error.msg))?;
    let mut files = Vec::new();
    for path in found {
        let path = path.map_err(|error| {
            let folder = quoted(&error.path().to_string_lossy());
            format!(
                "the folder {folder} cannot be read: {}",
                plain_io_error(error.error())
            )
        })?;
        files.push(path);
    }
    Ok(files)
}

/// Adds the sites of a list to `registry`: a URL a line, a name behind it if it has one,
/// `#` for comments. A URL that is there already is not added again.
pub(super) fn read_list(
    text: &str,
    (lists, monitor): (&IncludedLists, &MonitorSettings),
    registry: &mut SiteRegistry,
    sink: &mut DiagnosticSink,
) -> ListCount {
    let mut count = ListCount::default();
    let site = |name: Box<str>, url| {
        let mut site = plain_site(name, url, monitor);
        if let Some(owners) = &lists.owners {
            site.owners = Arc::clone(owners);
        }
        site.tags.clone_from(&lists.tags);
        site
    };
    let mut line_start = 0;
    for line in text.split_inclusive('\n') {
        let start = line_start + (line.len() - line.trim_start().len());
        line_start += line.len();
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let (url, rest) = content
            .split_once(char::is_whitespace)
            .unwrap_or((content, ""));
        let url = match kind_values::site_url(url) {
            Ok(url) => url,
            Err(fault) => {
                sink.error(start, &KeyPath::Root, &fault.about(url));
                continue;
            }
        };
        let rest = rest.trim_start();
        let name_at = start + content.len() - rest.len();
        let name = if rest.is_empty() || rest.starts_with('#') {
            None
        } else {
            match value_parsers::label(rest) {
                Ok(name) => Some(name),
                Err(fault) => {
                    sink.error(name_at, &KeyPath::Root, &fault.about(rest));
                    continue;
                }
            }
        };
        if registry.has_url(url.expose()) {
            count.repeated += usize::from(!registry.has_own_url(url.expose()));
            continue;
        }
        count.added += 1;
        match name {
            None => {
                let name = url.host_and_path().into();
                registry.add_unnamed(site(name, url));
            }
            Some(name) => {
                if !registry.add_named(site(name, url)) {
                    sink.error(name_at, &KeyPath::Root, &taken(rest));
                }
            }
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::super::diagnostic_sink::Language;
    use super::*;

    fn read(text: &str) -> (Vec<(String, String)>, String) {
        let mut registry = SiteRegistry::default();
        let mut sink = DiagnosticSink::new(Language::List);
        let of = (&IncludedLists::default(), &MonitorSettings::default());
        read_list(text, of, &mut registry, &mut sink);
        let sites = registry.into_sites().into_iter();
        let sites = sites.map(|site| (site.name.into_string(), site.spec.url.to_string()));
        let mistakes = sink.finish("l.txt", text);
        (
            sites.collect(),
            mistakes.map_or_else(String::new, |mistakes| mistakes.to_string()),
        )
    }

    #[test]
    fn a_line_is_a_url_and_perhaps_a_name() {
        let (sites, mistakes) = read(
            "# shops\r\n\r\nhttps://a.example\r\n  https://b.example/x#y  Our  shop \t\r\n\
             https://c.example # the third\r\nhttps://a.example/\n",
        );
        assert_eq!(mistakes, "");
        let expected = [
            ("a.example", "https://a.example/"),
            ("Our shop", "https://b.example/x"),
            ("c.example", "https://c.example/"),
        ];
        assert_eq!(
            sites,
            expected.map(|(name, url)| (name.to_owned(), url.to_owned()))
        );
    }

    #[test]
    fn mistakes_of_a_list_carry_their_line() {
        let (_, mistakes) =
            read("https://a One\n\n  ftp://u:pw@b\nhttps://c One\nhttps://d \u{1b}[1m\n");
        assert_eq!(
            mistakes,
            "l.txt:3:3: expected an http or https URL such as \"https://example.org\", \
             got \"ftp://u:***@b\"\n\
             l.txt:4:11: the name \"One\" is taken already\n\
             l.txt:5:11: expected a text without control characters, got \"[1m\""
        );
    }

    #[test]
    fn globs_mean_files_in_order_and_leave_out_what_is_hidden() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("a[1]*");
        std::fs::create_dir_all(root.join("lists/deep.txt")).unwrap();
        for name in ["b.txt", "a.txt", ".a.txt.swp", ".c.txt", "d.md"] {
            std::fs::write(root.join("lists").join(name), "").unwrap();
        }
        let lists = root.join("lists");
        assert_eq!(
            expand(&root, "lists/*.txt").unwrap(),
            [lists.join("a.txt"), lists.join("b.txt")]
        );
        assert!(expand(&root, "none/*.txt").unwrap().is_empty());
        assert_eq!(expand(&root, "x.txt").unwrap(), [root.join("x.txt")]);
        assert!(
            expand(&root, "lists/[")
                .unwrap_err()
                .starts_with("bad pattern")
        );
        assert!(expand(&root, "***").unwrap_err().starts_with("bad pattern"));
    }
}
