//! Collects the mistakes of one file while it is read: the first twenty in the order of the
//! file, whatever the order in which they were found, and the number of the others. Warnings,
//! with which a file is still valid, are kept beside them.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::Range;

use unicode_width::UnicodeWidthChar;

use crate::domain::clean;

use super::diagnostics::{Diagnostic, Diagnostics, Excerpt, MOST_NAMED, Place};
use super::redact::{STARS, hidden_in_list, hidden_in_toml, merge, section_of};

/// The columns of a line that are shown of a longer one.
const WIDEST: usize = 100;

/// What language a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    /// The configuration itself, in TOML.
    Toml,
    /// A plain list of URLs.
    List,
}

/// The mistakes of one file so far.
#[derive(Debug)]
pub(super) struct DiagnosticSink {
    language: Language,
    /// By place in the file, then in the order in which they were found.
    kept: BTreeMap<(usize, usize), (String, String)>,
    count: usize,
    /// What is in order and yet worth a word: where, key and sentence.
    warnings: Vec<(usize, String, String)>,
    /// Lines that do not even parse; what else is wrong in them is not worth saying.
    broken: Vec<Range<usize>>,
    /// A table's header does not parse: its keys were taken for those of another table.
    header_lost: bool,
    /// The byte ranges of values that must not be shown.
    secrets: Vec<Range<usize>>,
}

impl DiagnosticSink {
    pub(super) const fn new(language: Language) -> Self {
        Self {
            language,
            kept: BTreeMap::new(),
            count: 0,
            warnings: Vec::new(),
            broken: Vec::new(),
            header_lost: false,
            secrets: Vec::new(),
        }
    }

    /// The file is not even well-formed at `offset`. Once a line: what follows in the line
    /// is mostly the parser's confusion.
    pub(super) fn syntax(&mut self, text: &str, offset: usize, sentence: &str) {
        if self.is_broken(offset) {
            return;
        }
        let line = line_at(text, offset);
        self.header_lost |= text[line.clone()].trim_start().starts_with('[');
        // Enough to name: a file of garbage must not take the square of its lines.
        if self.broken.len() < 4 * MOST_NAMED {
            self.broken.push(line);
        }
        self.keep(offset, &"", &sentence);
    }

    /// What `key` holds is wrong; `offset` is the byte where the value begins.
    pub(super) fn error(&mut self, offset: usize, key: &dyn Display, sentence: &dyn Display) {
        if !self.is_broken(offset) {
            self.keep(offset, key, sentence);
        }
    }

    /// As [`DiagnosticSink::error`], for a key that its table does not know.
    pub(super) fn unknown(&mut self, offset: usize, key: &dyn Display, sentence: &dyn Display) {
        if !self.header_lost {
            self.error(offset, key, sentence);
        }
    }

    /// As [`DiagnosticSink::error`], for something that is missing. Not believed of a file that is
    /// not well-formed: what is missing may stand in the part that could not be read.
    pub(super) fn missing(&mut self, offset: usize, key: &dyn Display, sentence: &dyn Display) {
        if self.broken.is_empty() {
            self.keep(offset, key, sentence);
        }
    }

    /// What `key` holds is in order, but may not do what was meant.
    pub(super) fn warning(&mut self, offset: usize, key: &dyn Display, sentence: &dyn Display) {
        if self.warnings.len() < MOST_NAMED {
            self.warnings
                .push((offset, key.to_string(), sentence.to_string()));
        }
    }

    /// The warnings with their places in `text`, which is that of the file `name`.
    pub(super) fn warnings(&self, name: &str, text: &str) -> Vec<Diagnostic> {
        let warnings = self.warnings.iter();
        warnings
            .map(|(offset, key, sentence)| self.placed(name, text, *offset, key, sentence))
            .collect()
    }

    /// The value at `range` must not be seen.
    pub(super) fn secret(&mut self, range: Range<usize>) {
        self.secrets.push(range);
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn is_broken(&self, offset: usize) -> bool {
        let mut broken = self.broken.iter();
        broken.any(|line| line.start <= offset && offset <= line.end)
    }

    fn keep(&mut self, offset: usize, key: &dyn Display, sentence: &dyn Display) {
        self.count += 1;
        let place = (offset, self.count);
        if self.kept.len() == MOST_NAMED {
            match self.kept.last_key_value() {
                Some((last, _)) if place < *last => {
                    self.kept.pop_last();
                }
                _ => return,
            }
        }
        self.kept
            .insert(place, (key.to_string(), sentence.to_string()));
    }

    /// The mistakes with their places in `text`, which is that of the file `name`; `None` if
    /// there are none.
    pub(super) fn finish(self, name: &str, text: &str) -> Option<Diagnostics> {
        if self.is_empty() {
            return None;
        }
        let named = self
            .kept
            .iter()
            .map(|((offset, _), (key, sentence))| self.placed(name, text, *offset, key, sentence))
            .collect();
        Some(Diagnostics::new(named, self.count))
    }

    fn placed(
        &self,
        name: &str,
        text: &str,
        offset: usize,
        key: &str,
        sentence: &str,
    ) -> Diagnostic {
        let offset = floor(text, offset);
        let line = line_at(text, offset);
        Diagnostic {
            file: name.into(),
            place: Some(Place {
                line: text[..line.start].matches('\n').count() + 1,
                column: text[line.start..offset.min(line.end)].chars().count() + 1,
            }),
            key: clean(key, 200).into_boxed_str(),
            // What a name of the file is repeated in.
            sentence: clean(sentence, 1_000).into_boxed_str(),
            excerpt: Some(self.excerpt(text, line, offset)),
        }
    }

    fn excerpt(&self, text: &str, range: Range<usize>, offset: usize) -> Excerpt {
        let line = &text[range.clone()];
        let mut hidden = match self.language {
            Language::Toml => {
                let header = text[..range.start]
                    .lines()
                    .rev()
                    .find(|line| line.trim_start().starts_with('['));
                hidden_in_toml(line, &header.map(section_of).unwrap_or_default())
            }
            Language::List => hidden_in_list(line),
        };
        hidden.extend(self.secrets.iter().filter_map(|secret| {
            let start = floor(text, secret.start.max(range.start));
            let end = floor(text, secret.end.min(range.end));
            (start < end).then(|| start - range.start..end - range.start)
        }));
        excerpt(line, offset - range.start, &merge(hidden))
    }
}

/// The greatest character boundary of `text` that is not after `offset`.
fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// The line that holds `offset`, without its line end. The end of a text that ends with a
/// newline belongs to the line before, which exists in an editor.
fn line_at(text: &str, offset: usize) -> Range<usize> {
    let mut offset = floor(text, offset);
    if offset == text.len() && text.ends_with('\n') {
        offset -= 1;
    }
    let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let end = text[offset..]
        .find('\n')
        .map_or(text.len(), |at| offset + at);
    let end = if text[start..end].ends_with('\r') {
        end - 1
    } else {
        end
    };
    start..end
}

/// One character as it is shown, or the stars of something hidden.
struct Cell {
    shown: char,
    width: usize,
}

/// `line` made safe to print, with the terminal columns before the byte `offset`; a window
/// around it where the line is long.
fn excerpt(line: &str, offset: usize, hidden: &[Range<usize>]) -> Excerpt {
    // No more of the line than could be in the window, however long it is; something hidden
    // that the cut goes through is hidden as a whole.
    const REACH: usize = WIDEST * 4;
    let mut first = floor(line, offset.saturating_sub(REACH));
    if let Some(range) = hidden.iter().find(|range| range.contains(&first)) {
        first = range.start;
    }
    let last = floor(line, offset.saturating_add(REACH));
    let mut cells = Vec::new();
    let mut caret = None;
    for (at, c) in line[first..last].char_indices() {
        let at = first + at;
        let inside = hidden.iter().find(|range| range.contains(&at));
        if at >= offset && caret.is_none() && inside.is_none_or(|range| range.start == at) {
            caret = Some(cells.len());
        }
        match inside {
            Some(range) if range.start == at => {
                if range.contains(&offset) {
                    caret = Some(cells.len());
                }
                cells.extend(STARS.chars().map(|shown| Cell { shown, width: 1 }));
            }
            Some(_) => {}
            None if c == '\t' => {
                cells.extend((0..4).map(|_| Cell {
                    shown: ' ',
                    width: 1,
                }));
            }
            None => cells.push(visible(c)),
        }
    }
    let caret = caret.unwrap_or(cells.len());
    let from = if first == 0 && cells.len() <= WIDEST {
        0
    } else {
        caret.saturating_sub(WIDEST / 2)
    };
    let mut out = String::new();
    let mut indent = 0;
    if first > 0 || from > 0 {
        out.push('…');
        indent = 1;
    }
    for (index, cell) in cells.iter().enumerate().skip(from).take(WIDEST) {
        if index < caret {
            indent += cell.width;
        }
        out.push(cell.shown);
    }
    if last < line.len() || from + WIDEST < cells.len() {
        out.push('…');
    }
    Excerpt { line: out, indent }
}

/// A character as a terminal may have it: what could move the cursor or turn the reading
/// order becomes a visible mark.
fn visible(c: char) -> Cell {
    let mut utf8 = [0; 4];
    if c != ' ' && clean(c.encode_utf8(&mut utf8), 2).is_empty() {
        return Cell {
            shown: '\u{fffd}',
            width: 1,
        };
    }
    Cell {
        shown: c,
        width: c.width().unwrap_or(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str, offset: usize) -> Diagnostics {
        let mut sink = DiagnosticSink::new(Language::Toml);
        sink.error(offset, &"key", &"wrong");
        sink.finish("f", text).unwrap()
    }

    fn place(text: &str, offset: usize) -> (usize, usize) {
        let mistakes = one(text, offset);
        let place = mistakes.iter().next().unwrap().place().unwrap();
        (place.line, place.column)
    }

    #[test]
    fn lines_and_columns_count_from_one_and_in_characters() {
        assert_eq!(place("", 0), (1, 1));
        assert_eq!(place("a = 1", 4), (1, 5));
        assert_eq!(place("ü = 1", 5), (1, 5));
        assert_eq!(place("a\r\nb = 1\r\n", 7), (2, 5));
        assert_eq!(place("a\n", 2), (1, 2));
        assert_eq!(place("a\r\n", 99), (1, 2));
        assert_eq!(place("ü", 1), (1, 1));
    }

    #[test]
    fn the_caret_knows_tabs_wide_and_control_characters() {
        let line = "\t犬\u{1b}[31m = 1";
        let detailed = one(line, line.find('=').unwrap()).detailed();
        let lines: Vec<&str> = detailed.lines().collect();
        assert_eq!(lines[1], "  1 |     犬\u{fffd}[31m = 1");
        let columns: usize = lines[1]
            .chars()
            .take_while(|c| *c != '=')
            .map(|c| c.width().unwrap())
            .sum();
        assert_eq!(lines[2].find('^'), Some(columns));
    }

    #[test]
    fn a_long_line_is_shown_around_its_mistake() {
        let line = format!("{}X{}", "a".repeat(5_000), "b".repeat(5_000));
        let detailed = one(&line, 5_000).detailed();
        let lines: Vec<&str> = detailed.lines().collect();
        assert!(lines[1].chars().count() < 120);
        let caret = lines[2].chars().position(|c| c == '^').unwrap();
        assert_eq!(lines[1].chars().nth(caret), Some('X'));
    }

    #[test]
    fn a_caret_inside_a_secret_stands_at_its_stars() {
        let text = "[notify.push]\ntoken = \"hunter2\"";
        for offset in [22, 25] {
            let detailed = one(text, offset).detailed();
            let lines: Vec<&str> = detailed.lines().collect();
            assert_eq!(lines[1], "  2 | token = ***");
            assert_eq!(lines[2].find('^'), lines[1].find('*'));
        }
    }

    #[test]
    fn marked_secrets_are_hidden_on_every_line_they_span() {
        let text = "x = \"\"\"\nhunter2\n\"\"\"";
        let mut sink = DiagnosticSink::new(Language::Toml);
        sink.secret(4..text.len());
        sink.error(10, &"", &"wrong");
        let detailed = sink.finish("f", text).unwrap().detailed();
        assert!(!detailed.contains("hunter2"), "{detailed}");
    }

    #[test]
    fn the_first_twenty_by_place_are_named_however_they_were_found() {
        let text = "a\n".repeat(100);
        let mut sink = DiagnosticSink::new(Language::Toml);
        for line in (0..100).rev() {
            sink.error(line * 2, &"k", &"wrong");
        }
        let mistakes = sink.finish("f", &text).unwrap();
        let lines: Vec<usize> = mistakes.iter().map(|m| m.place().unwrap().line).collect();
        assert_eq!(lines, (1..=20).collect::<Vec<_>>());
        assert_eq!(mistakes.count(), 100);
    }

    #[test]
    fn a_line_that_does_not_parse_is_named_once() {
        let text = "a = = 1\nb = 2\n";
        let mut sink = DiagnosticSink::new(Language::Toml);
        sink.syntax(text, 4, "extra `=`");
        sink.syntax(text, 6, "nonsense");
        sink.error(6, &"a", &"wrong type");
        sink.missing(8, &"c", &"missing");
        sink.error(12, &"b", &"wrong");
        assert_eq!(
            sink.finish("f", text).unwrap().to_string(),
            "f:1:5: extra `=`\nf:2:5: b: wrong"
        );
    }
}
