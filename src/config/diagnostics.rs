//! The mistakes of a configuration: file, line, column, key and one sentence each, and for a
//! terminal the line itself with a caret.

use std::fmt::{self, Write as _};
use std::path::Path;

use crate::domain::clean;

/// How many mistakes are named; the rest are counted.
pub(super) const MOST_NAMED: usize = 20;

/// A place in a file, as editors count: from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
}

/// The line that holds a mistake, safe to print: no secret, no control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    pub(super) line: String,
    /// Terminal columns before the caret.
    pub(super) indent: usize,
}

/// One mistake, with its place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub(super) file: Box<str>,
    pub(super) place: Option<Place>,
    pub(super) key: Box<str>,
    pub(super) sentence: Box<str>,
    pub(super) excerpt: Option<Excerpt>,
}

impl Diagnostic {
    /// The path of the file as it was given; "command line" for an argument.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The place in the file; `None` where the file as a whole, or an argument, is wrong.
    #[must_use]
    pub const fn place(&self) -> Option<Place> {
        self.place
    }

    /// The key's path, such as `sites[3].interval`; empty where there is none.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The mistake in one sentence, without a full stop.
    #[must_use]
    pub fn sentence(&self) -> &str {
        &self.sentence
    }
}

impl fmt::Display for Diagnostic {
    /// `file:line:column: key: sentence`, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(Place { line, column }) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.sentence)
    }
}

/// All mistakes of a configuration: at least one; the first twenty in full, the others counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    named: Vec<Diagnostic>,
    count: usize,
}

impl Diagnostics {
    /// `named` in their order, of `count` in all.
    pub(super) fn new(named: Vec<Diagnostic>, count: usize) -> Self {
        Self { named, count }
    }

    /// A mistake that is about a file as a whole.
    pub(super) fn of_file(path: &Path, sentence: &str) -> Self {
        Self::new(
            vec![Diagnostic {
                file: shown_path(path),
                place: None,
                key: Box::default(),
                sentence: sentence.into(),
                excerpt: None,
            }],
            1,
        )
    }

    /// These, and then those of another file.
    pub(super) fn append(&mut self, other: Self) {
        self.count += other.count;
        self.named.extend(other.named);
        self.named.truncate(MOST_NAMED);
    }

    /// The mistakes that are named, in the order of the file; at most twenty.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.named.iter()
    }

    /// How many there are, the unnamed ones included.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// As `Display`, and under each mistake the line that holds it with a caret: for a
    /// terminal.
    #[must_use]
    pub fn detailed(&self) -> String {
        let mut out = String::new();
        for mistake in &self.named {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "{mistake}");
            if let (Some(excerpt), Some(place)) = (&mistake.excerpt, mistake.place) {
                let number = place.line.to_string();
                let _ = writeln!(out, "  {number} | {}", excerpt.line);
                let blanks = " ".repeat(number.len());
                let indent = " ".repeat(excerpt.indent);
                let _ = writeln!(out, "  {blanks} | {indent}^");
            }
        }
        if let Some(rest) = self.rest() {
            let _ = writeln!(out, "{rest}");
        }
        out.truncate(out.trim_end().len());
        out
    }

    fn rest(&self) -> Option<String> {
        match self.count.saturating_sub(self.named.len()) {
            0 => None,
            1 => Some("and 1 more mistake".to_owned()),
            more => Some(format!("and {more} more mistakes")),
        }
    }
}

impl fmt::Display for Diagnostics {
    /// One line a mistake, no newline after the last.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.named.iter().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{mistake}")?;
        }
        self.rest().map_or(Ok(()), |rest| write!(f, "\n{rest}"))
    }
}

impl std::error::Error for Diagnostics {}

/// A path as it was given, safe to print.
pub(super) fn shown_path(path: &Path) -> Box<str> {
    clean(&path.to_string_lossy(), 1_000).into_boxed_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(line: usize) -> Diagnostic {
        Diagnostic {
            file: "sites.toml".into(),
            place: Some(Place { line, column: 9 }),
            key: "sites[3].interval".into(),
            sentence: "expected a duration".into(),
            excerpt: Some(Excerpt {
                line: "interval = \"5\"".to_owned(),
                indent: 11,
            }),
        }
    }

    #[test]
    fn a_mistake_is_one_line_of_file_line_column_key_and_sentence() {
        assert_eq!(
            mistake(12).to_string(),
            "sites.toml:12:9: sites[3].interval: expected a duration"
        );
    }

    #[test]
    fn the_caret_stands_under_the_value() {
        assert_eq!(
            Diagnostics::new(vec![mistake(12)], 1).detailed(),
            "sites.toml:12:9: sites[3].interval: expected a duration\n  \
             12 | interval = \"5\"\n     |            ^"
        );
    }

    #[test]
    fn twenty_are_named_and_the_rest_counted() {
        let mut all = Diagnostics::new((1..=15).map(mistake).collect(), 15);
        all.append(Diagnostics::new((1..=15).map(mistake).collect(), 40));
        assert_eq!(all.iter().count(), 20);
        assert_eq!(all.count(), 55);
        let text = all.to_string();
        assert_eq!(text.lines().count(), 21);
        assert!(text.ends_with("\nand 35 more mistakes"));
        assert!(all.detailed().ends_with("\nand 35 more mistakes"));
    }
}
