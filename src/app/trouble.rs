//! What the history and the outbox say, in words for people, and what stands on top of the
//! screen while it is so.

use std::collections::BTreeMap;

use crate::history::News;
use crate::notify::PostNews;
use crate::tui::Tone;

use super::ledger::Word;

/// What goes wrong at present, apart from sites.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    history: Option<String>,
    /// By channel and owner: what the other side said last.
    channels: BTreeMap<(Box<str>, Box<str>), String>,
    banner: Option<String>,
}

impl Trouble {
    /// A sentence for as long as something is wrong.
    pub(super) fn banner(&self) -> Option<&str> {
        self.banner.as_deref()
    }

    /// Takes a word; gives what to say about it.
    pub(super) fn hear(&mut self, word: Word) -> Option<(Tone, String)> {
        let said = match word {
            Word::History(News::Trouble(why)) => {
                self.history = Some(format!(
                    "the history is not kept: {why}; monitoring goes on, and it is tried again"
                ));
                None
            }
            Word::History(News::Mended { lost }) => {
                self.history = None;
                Some(match lost {
                    0 => (Tone::Good, "the history is kept again".to_owned()),
                    lost => (
                        Tone::Warn,
                        format!("the history is kept again; {lost} looks are missing in it"),
                    ),
                })
            }
            Word::History(News::PutAside(aside)) => Some((
                Tone::Bad,
                format!(
                    "the history was damaged: it is kept as {}, and a new one is begun",
                    aside.display()
                ),
            )),
            Word::History(News::Letters) | Word::Canaries(_) => None,
            Word::Post(PostNews::Delivered { letter, .. }) => {
                self.channels
                    .remove(&(letter.channel.clone(), letter.owner.clone()));
                Some((
                    Tone::Info,
                    format!(
                        "{} told by {}: {}",
                        letter.owner, letter.channel, letter.subject
                    ),
                ))
            }
            Word::Post(PostNews::Failed {
                letter,
                answer,
                given_up,
            }) => {
                let end = if given_up {
                    "given up"
                } else {
                    "it is tried again"
                };
                let text = format!(
                    "{} is not reached by {}: {answer}; {end}",
                    letter.owner, letter.channel
                );
                self.channels
                    .insert((letter.channel, letter.owner), text.clone());
                Some((Tone::Bad, text))
            }
        };
        self.banner = self
            .history
            .clone()
            .or_else(|| self.channels.values().next().cloned());
        said
    }
}
