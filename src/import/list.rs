//! A plain list: a URL a line, a name behind it if there is one.

use super::draft::{Draft, Haul, Wrong, http_url, shown};

/// Reads the lists.
pub(super) fn read(texts: &[&str]) -> Result<Haul, Wrong> {
    let mut haul = Haul::default();
    for text in texts {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) || line.starts_with("//") {
                continue;
            }
            let (target, name) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let name = name.trim();
            match site(target, name) {
                Some(draft) => haul.site(draft),
                None => haul.left(
                    if name.is_empty() { target } else { name },
                    format!("line {}: {} is no http(s) URL", index + 1, shown(target)),
                ),
            }
        }
    }
    Ok(haul)
}

fn site(target: &str, name: &str) -> Option<Draft> {
    if let Some(url) = http_url(target) {
        return Some(Draft::new(name, url));
    }
    // A host's name, as people write them.
    let looks_like_a_host = target.contains('.') && !target.contains("://");
    let url = http_url(&format!("https://{target}")).filter(|_| looks_like_a_host)?;
    let mut draft = Draft::new(name, url);
    draft.lacks("no scheme was given: https is taken");
    Some(draft)
}
