//! Regular expressions that a body is searched for, in the syntax of the crate `regex`, whose parts
//! these are. They are matched piece by piece, so that a search can be broken off.

use std::fmt;

use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Builder, Cache, DFA};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::start;
use regex_syntax::hir::{Capture, Hir, HirKind, Look, Repetition};

use super::plural;

/// The longest one, in bytes.
const MOST_BYTES: usize = 4 * 1024;

/// The most memory that one takes when it is compiled, and while it searches, in bytes.
const MOST_COMPILED: usize = 1 << 20;
const MOST_SEARCHING: usize = 256 * 1024;

/// A compiled regular expression.
pub struct TextPattern(DFA);

impl fmt::Debug for TextPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TextPattern")
    }
}

impl TextPattern {
    /// Compiles a regular expression. The ends of words (`\b`) are those of ASCII.
    ///
    /// # Errors
    /// A sentence about what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MOST_BYTES {
            return Err(format!(
                "a regular expression has at most {}",
                plural(MOST_BYTES, "byte")
            ));
        }
        let hir = regex_syntax::parse(text).map_err(|error| {
            let why = match error {
                regex_syntax::Error::Parse(error) => error.kind().to_string(),
                regex_syntax::Error::Translate(error) => error.kind().to_string(),
                _ => "it cannot be read".to_owned(),
            };
            format!("this is no regular expression: {why}")
        })?;
        let limits = thompson::Config::new()
            .nfa_size_limit(Some(MOST_COMPILED))
            .which_captures(WhichCaptures::None);
        let too_large = || {
            let most = MOST_COMPILED >> 10;
            format!("this regular expression takes more than {most} KiB")
        };
        let nfa = thompson::Compiler::new()
            .configure(limits)
            .build_from_hir(&with_ascii_words(hir))
            .map_err(|_| too_large())?;
        let searching = DFA::config()
            .cache_capacity(MOST_SEARCHING)
            .skip_cache_capacity_check(true);
        let dfa = Builder::new().configure(searching).build_from_nfa(nfa);
        dfa.map(Self).map_err(|_| too_large())
    }

    /// Begins a search.
    #[must_use]
    pub fn search(&self) -> PatternSearch<'_> {
        let mut cache = self.0.create_cache();
        let begin = start::Config::new();
        let state = self.0.start_state(&mut cache, &begin).ok();
        PatternSearch {
            dfa: &self.0,
            cache,
            state,
            matched: false,
        }
    }
}

/// The search for a pattern in a text that is given piece by piece.
pub struct PatternSearch<'a> {
    dfa: &'a DFA,
    cache: Cache,
    /// `None` once no more has to be seen.
    state: Option<LazyStateID>,
    matched: bool,
}

impl PatternSearch<'_> {
    /// Takes the next piece. Whether another may change what is found.
    pub fn take(&mut self, piece: &[u8]) -> bool {
        for byte in piece {
            let Some(state) = self.state else {
                return false;
            };
            let next = self.dfa.next_state(&mut self.cache, state, *byte).ok();
            self.state = next;
            self.judge();
        }
        self.state.is_some()
    }

    /// Whether the text that was given, as a whole, has a match.
    #[must_use]
    pub fn finish(mut self) -> bool {
        if let Some(state) = self.state {
            self.state = self.dfa.next_eoi_state(&mut self.cache, state).ok();
            self.judge();
        }
        self.matched
    }

    fn judge(&mut self) {
        let Some(state) = self.state.filter(|state| state.is_tagged()) else {
            return;
        };
        if state.is_match() {
            self.matched = true;
            self.state = None;
        } else if state.is_dead() || state.is_quit() {
            self.state = None;
        }
    }
}

/// The same with ends of words as in ASCII: those of Unicode cannot be found state by state.
fn with_ascii_words(hir: Hir) -> Hir {
    let all = |parts: Vec<Hir>| parts.into_iter().map(with_ascii_words).collect();
    match hir.into_kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(class) => Hir::class(class),
        HirKind::Look(look) => Hir::look(match look {
            Look::WordUnicode => Look::WordAscii,
            Look::WordUnicodeNegate => Look::WordAsciiNegate,
            Look::WordStartUnicode => Look::WordStartAscii,
            Look::WordEndUnicode => Look::WordEndAscii,
            Look::WordStartHalfUnicode => Look::WordStartHalfAscii,
            Look::WordEndHalfUnicode => Look::WordEndHalfAscii,
            other => other,
        }),
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            sub: Box::new(with_ascii_words(*repetition.sub)),
            ..repetition
        }),
        HirKind::Capture(capture) => Hir::capture(Capture {
            sub: Box::new(with_ascii_words(*capture.sub)),
            ..capture
        }),
        HirKind::Concat(parts) => Hir::concat(all(parts)),
        HirKind::Alternation(parts) => Hir::alternation(all(parts)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_match(pattern: &str, text: &str) -> bool {
        let pattern = TextPattern::parse(pattern).unwrap();
        let whole = {
            let mut search = pattern.search();
            search.take(text.as_bytes());
            search.finish()
        };
        let mut search = pattern.search();
        let mut pieces = text.as_bytes().chunks(3);
        let _more = pieces.all(|piece| search.take(piece));
        assert_eq!(search.finish(), whole);
        whole
    }

    #[test]
    fn a_pattern_is_found_however_the_text_is_cut() {
        for (pattern, text, found) in [
            (r"v\d+\.\d+", "hay v1.2", true),
            (r"v\d+\.\d+", "hay v1x2", false),
            ("", "", true),
            ("^$", "a", false),
            ("(?m)^b$", "a\nb\nc", true),
            ("a$", "ba", true),
            ("(?i)ÖL", "öl", true),
            (r"^\w{4}$", "öläü", true),
            (r"\bcat\b", "a cat.", true),
            (r"\bcat\b", "concat", false),
            (r"x|yy*$", "ayyy", true),
            ("(?s)a.b", "a\nb", true),
            ("[^a]", "aaa", false),
        ] {
            assert_eq!(is_match(pattern, text), found, "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_no_pattern_or_too_large_is_refused() {
        let long = "a".repeat(5_000);
        for (wrong, why) in [
            ("(", "no regular expression: unclosed group"),
            (r"(a)\1", "backreferences"),
            (r"\p{nothing}", "Unicode property not found"),
            ("((a{999}){999}){999}", "more than 1024 KiB"),
            (&long, "at most 4,096 bytes"),
        ] {
            let said = TextPattern::parse(wrong).unwrap_err();
            assert!(said.contains(why), "{wrong}: {said}");
        }
    }
}
