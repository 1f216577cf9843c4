//! A plain list: a URL a line, a name behind it if there is one.

use super::imported_site::{ImportError, ImportedConfig, ImportedSite, http_url, shown, site_url};

/// Reads the lists.
pub(super) fn read(texts: &[&str]) -> Result<ImportedConfig, ImportError> {
    let mut imported = ImportedConfig::default();
    for text in texts {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) || line.starts_with("//") {
                continue;
            }
            let (target, name) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let name = name.trim();
            match read_site(target, name) {
                Some(site) => imported.add_site(site),
                None => imported.add_left_out(
                    if name.is_empty() { target } else { name },
                    format!(
                        "line {}: {} is of no kind of check",
                        index + 1,
                        shown(target)
                    ),
                ),
            }
        }
    }
    Ok(imported)
}

fn read_site(target: &str, name: &str) -> Option<ImportedSite> {
    if let Some(url) = site_url(target) {
        return Some(ImportedSite::new(name, url));
    }
    // A host's name, as people write them.
    let looks_like_a_host = target.contains('.') && !target.contains("://");
    let url = http_url(&format!("https://{target}")).filter(|_| looks_like_a_host)?;
    let mut site = ImportedSite::new(name, url);
    site.add_unsupported("no scheme was given: https is taken");
    Some(site)
}
