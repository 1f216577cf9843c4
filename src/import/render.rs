//! The text of `sites.toml`.

use std::fmt::Write as _;

use crate::domain::{clean, is_unsafe};

use super::draft::{Draft, Found, Haul};
use super::period::written;

/// Characters of a comment.
const LONGEST: usize = 300;

/// Writes all that was found; `from` says where it was found.
pub(super) fn render(haul: &Haul, from: &str) -> String {
    let mut out = String::new();
    comment(
        &mut out,
        &format!("Written by `squirrel import` from {from}."),
    );
    comment(
        &mut out,
        "What has no counterpart here stands in a comment that begins with \"not here:\".",
    );
    for what in &haul.without {
        comment(&mut out, &format!("not here: {what}"));
    }
    for found in &haul.found {
        match found {
            Found::Site(draft) => site(&mut out, draft),
            Found::Left { name, why } => {
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

fn site(out: &mut String, draft: &Draft) {
    out.push_str("\n[[sites]]\n");
    put(out, format_args!("name = {}\n", quoted(&draft.name)));
    put(out, format_args!("url = {}\n", quoted(draft.url.expose())));
    if !draft.tags.is_empty() {
        let tags: Vec<_> = draft.tags.iter().map(|tag| quoted(tag)).collect();
        put(out, format_args!("tags = [{}]\n", tags.join(", ")));
    }
    for (key, duration) in [
        ("interval", draft.interval),
        ("timeout", draft.timeout),
        ("slow", draft.slow),
        ("cert_warn", draft.cert_warn),
        ("confirm_delay", draft.confirm_delay),
    ] {
        if let Some(duration) = duration {
            put(out, format_args!("{key} = \"{}\"\n", written(duration)));
        }
    }
    for (key, number) in [
        ("confirm", draft.confirm),
        ("recover", draft.recover),
        ("max_redirects", draft.max_redirects),
    ] {
        if let Some(number) = number {
            put(out, format_args!("{key} = {number}\n"));
        }
    }
    for (key, text) in [
        ("expect_status", &draft.expect_status),
        ("contains", &draft.contains),
    ] {
        if let Some(text) = text {
            put(out, format_args!("{key} = {}\n", quoted(text)));
        }
    }
    if draft.paused {
        out.push_str("paused = true\n");
    }
    for what in &draft.without {
        comment(out, &format!("not here: {what}"));
    }
}

/// A basic string of TOML, in which nothing stands that a terminal acts on.
fn quoted(text: &str) -> String {
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
