//! Texts that fit into what a service takes: cut at the end of a line, and what is left out is
//! counted.

use crate::domain::plural;

/// Room for "and N more lines".
const ROOM: usize = 40;

/// As many whole lines of `text` as fit into `most` bytes, and how many do not.
pub(super) fn bounded(text: &str, most: usize) -> String {
    let text = text.trim_end();
    if text.len() <= most {
        return text.to_owned();
    }
    let most = most.saturating_sub(ROOM);
    let mut end = 0;
    for (at, _) in text.match_indices('\n') {
        if at > most {
            break;
        }
        end = at;
    }
    if end == 0 {
        // One long line.
        let whole = (0..=most.min(text.len())).rev();
        end = whole
            .into_iter()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        return format!("{}…", &text[..end]);
    }
    let more = text[end..].trim_start().lines().count();
    format!("{}\n… and {}", &text[..end], plural(more, "more line"))
}

/// The text with each of these characters written as its escape.
pub(super) fn escaped(text: &str, escapes: &[(char, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match escapes.iter().find(|(known, _)| *known == c) {
            Some((_, escape)) => out.push_str(escape),
            None => out.push(c),
        }
    }
    out
}

/// The escapes of Markdown as chats read it: nothing in a name or an error is a link, a mention
/// or a format.
pub(super) const MARKDOWN: [(char, &str); 12] = [
    ('\\', "\\\\"),
    ('*', "\\*"),
    ('_', "\\_"),
    ('~', "\\~"),
    ('`', "\\`"),
    ('|', "\\|"),
    ('[', "\\["),
    (']', "\\]"),
    ('<', "\\<"),
    ('>', "\\>"),
    ('#', "\\#"),
    // A zero-width space behind it: a mention that reaches nobody.
    ('@', "@\u{200b}"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_lines_are_kept_and_the_rest_is_counted() {
        let text: String = (0..100).map(|line| format!("line {line}\n")).collect();
        let short = bounded(&text, 200);
        assert!(
            short.len() <= 200 && short.starts_with("line 0\nline 1\n"),
            "{short}"
        );
        let kept = short.lines().count() - 1;
        assert!(
            short.ends_with(&format!("… and {} more lines", 100 - kept)),
            "{short}"
        );
        assert_eq!(bounded("a\nb\n", 10), "a\nb");
        let one = bounded(&"é".repeat(100), 61);
        assert!(one.len() <= 61 && one.ends_with('…'), "{one}");
    }
}
