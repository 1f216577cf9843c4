//! The text of `sites.toml`.

use std::fmt::Write as _;

use crate::domain::{CheckKind, clean, exact_duration, is_unsafe};

use super::imported_site::{Finding, ImportedConfig, ImportedSite};

/// Characters of a comment.
const LONGEST: usize = 300;

/// Writes all that was found; `from` says where it was found.
pub(super) fn render(imported: &ImportedConfig, from: &str) -> String {
    let mut out = String::new();
    comment(
        &mut out,
        &format!("Written by `squirrel import` from {from}."),
    );
    comment(
        &mut out,
        "What has no counterpart here stands in a comment that begins with \"not here:\".",
    );
    for what in &imported.unsupported {
        comment(&mut out, &format!("not here: {what}"));
    }
    for found in &imported.found {
        match found {
            Finding::Site(site) => write_site(&mut out, site),
            Finding::LeftOut { name, why } => {
                out.push('\n');
                comment(&mut out, &format!("left out: {name}: {why}"));
            }
        }
    }
    out
}

fn comment(out: &mut String, text: &str) {
    put(out, format_args!("# {}\n", clean(text, LONGEST)));
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into a text cannot fail.
    let _written = out.write_fmt(text);
}

fn write_site(out: &mut String, site: &ImportedSite) {
    out.push_str("\n[[sites]]\n");
    put(out, format_args!("name = {}\n", quoted(&site.name)));
    put(out, format_args!("url = {}\n", quoted(site.url.expose())));
    if !site.tags.is_empty() {
        let tags: Vec<_> = site.tags.iter().map(|tag| quoted(tag)).collect();
        put(out, format_args!("tags = [{}]\n", tags.join(", ")));
    }
    for (key, duration) in [
        ("interval", site.interval),
        ("timeout", site.timeout),
        ("slow", site.slow),
        ("cert_warn", site.cert_warn),
        ("confirm_delay", site.confirm_delay),
    ] {
        if let Some(duration) = duration {
            put(
                out,
                format_args!("{key} = \"{}\"\n", exact_duration(duration)),
            );
        }
    }
    let kind = CheckKind::of(&site.url);
    let is_web = kind == CheckKind::Http;
    for (key, number) in [
        ("confirm", site.confirm),
        ("recover", site.recover),
        ("max_redirects", site.max_redirects.filter(|_| is_web)),
    ] {
        if let Some(number) = number {
            put(out, format_args!("{key} = {number}\n"));
        }
    }
    for (key, text) in [
        ("expect_status", &site.expect_status),
        ("contains", &site.contains),
    ] {
        if let Some(text) = text.as_ref().filter(|_| is_web) {
            put(out, format_args!("{key} = {}\n", quoted(text)));
        }
    }
    // A text in the body is looked for by GET in any case.
    let reads = site.contains.is_some() || site.more.iter().any(|(key, _)| READING.contains(key));
    let method = site
        .method
        .filter(|method| is_web && !(reads && ["GET", "HEAD"].contains(method)));
    if let Some(method) = method {
        put(out, format_args!("method = {}\n", quoted(method)));
    }
    if let Some(body) = site.body.as_ref().filter(|_| is_web) {
        put(out, format_args!("body = {}\n", quoted(body)));
    }
    if is_web && !site.headers.is_empty() {
        let fields = site.headers.iter();
        let fields = fields.map(|(name, value)| format!("{} = {}", quoted(name), quoted(value)));
        let fields: Vec<_> = fields.collect();
        put(out, format_args!("headers = {{ {} }}\n", fields.join(", ")));
    }
    for (key, value) in &site.more {
        if kind.keys().contains(key) {
            put(out, format_args!("{key} = {value}\n"));
        } else {
            comment(out, &format!("not here: {key}"));
        }
    }
    if site.paused {
        out.push_str("paused = true\n");
    }
    for what in &site.unsupported {
        comment(out, &format!("not here: {what}"));
    }
}

/// The keys that are judged on the body.
const READING: [&str; 3] = ["contains_not", "matches", "json"];

/// A basic string of TOML, in which nothing stands that a terminal acts on.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            // All of them stand in the basic plane.
            c if is_unsafe(c) => put(&mut out, format_args!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_text_comes_back_and_no_terminal_is_moved(text in any::<String>()) {
            let line = format!("a = {}", quoted(&text));
            prop_assert!(!line.chars().any(is_unsafe));
            let table: toml::Table = toml::from_str(&line).unwrap();
            prop_assert_eq!(table["a"].as_str(), Some(&*text));
        }
    }
}
