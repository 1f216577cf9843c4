//! Searching a body for a text while it arrives, in bounded memory.

use memchr::memmem::Finder;

use crate::domain::{Reason, clean};

use super::classify::{self, Failure};
use super::exchange::Answer;

/// The most of a body that is read.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Reads until `text` was seen. Keeps no more than a chunk and a text's length of it.
pub(super) async fn must_contain(
    mut answer: Answer,
    text: &str,
    encoding: Option<&str>,
) -> Result<(), Failure> {
    let mut search = Search::new(text);
    let mut read = 0;
    loop {
        let chunk = answer
            .chunk()
            .await
            .map_err(|error| classify::body(&error))?;
        let Some(chunk) = chunk else { break };
        // A body that comes faster than it is searched must not keep the deadline waiting.
        tokio::task::consume_budget().await;
        if search.found_in(&chunk) {
            return Ok(());
        }
        read += chunk.len();
        if read >= MOST_BYTES {
            break;
        }
    }
    let shown = clean(text, 60);
    let missing = if read >= MOST_BYTES {
        format!(
            "the first {} MiB of the body do not hold \"{shown}\"",
            MOST_BYTES >> 20
        )
    } else {
        format!("the body ({read} bytes) does not hold \"{shown}\"")
    };
    let why = encoding.map_or(String::new(), |encoding| {
        format!(
            "; it came compressed ({}) though it was asked for as it is",
            clean(encoding, 20)
        )
    });
    Err(Failure::new(Reason::Content, missing + &why))
}

/// A search over pieces that finds what spans two of them.
struct Search<'a> {
    finder: Finder<'a>,
    /// The last bytes seen: one fewer than the text has.
    tail: Vec<u8>,
}

impl<'a> Search<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            finder: Finder::new(text),
            tail: Vec::new(),
        }
    }

    fn found_in(&mut self, piece: &[u8]) -> bool {
        let overlap = self.finder.needle().len().saturating_sub(1);
        // The seam: the tail, and as much of the piece as a text across it can reach.
        let reach = overlap.min(piece.len());
        self.tail.extend_from_slice(&piece[..reach]);
        if self.finder.find(&self.tail).is_some() || self.finder.find(piece).is_some() {
            return true;
        }
        if piece.len() > overlap {
            self.tail.clear();
            self.tail.extend_from_slice(&piece[piece.len() - overlap..]);
        } else {
            let surplus = self.tail.len().saturating_sub(overlap);
            self.tail.drain(..surplus);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_is_found_however_the_body_is_cut(
            body in "[ab]{0,40}",
            text in "[ab]{1,6}",
            cuts in proptest::collection::vec(1_usize..7, 0..20),
        ) {
            let mut search = Search::new(&text);
            let mut rest = body.as_bytes();
            let mut found = false;
            let mut cuts = cuts.into_iter();
            while !rest.is_empty() {
                let length = cuts.next().unwrap_or(3).min(rest.len());
                let (piece, after) = rest.split_at(length);
                found |= search.found_in(piece);
                rest = after;
            }
            prop_assert_eq!(found, body.contains(&text));
        }
    }
}
