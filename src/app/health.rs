//! What the history and the outbox say, in words for people, and what stands on top of the
//! screen while it is so.

use std::collections::BTreeMap;

use crate::history::HistoryEvent;
use crate::notify::DeliveryEvent;
use crate::tui::Tone;

use super::report::Happening;

/// What goes wrong at present, apart from sites.
#[derive(Debug, Default)]
pub(super) struct Health {
    history: Option<String>,
    /// By channel and owner: what the other side said last.
    channels: BTreeMap<(Box<str>, Box<str>), String>,
    banner: Option<String>,
}

impl Health {
    /// A sentence for as long as something is wrong.
    pub(super) fn banner(&self) -> Option<&str> {
        self.banner.as_deref()
    }

    /// Takes a word; gives what to say about it.
    pub(super) fn hear(&mut self, happening: Happening) -> Option<(Tone, String)> {
        let said = match happening {
            Happening::History(HistoryEvent::Trouble(why)) => {
                self.history = Some(format!(
                    "the history is not kept: {why}; monitoring goes on, and it is tried again"
                ));
                None
            }
            Happening::History(HistoryEvent::Mended { lost }) => {
                self.history = None;
                Some(match lost {
                    0 => (Tone::Good, "the history is kept again".to_owned()),
                    lost => (
                        Tone::Warn,
                        format!("the history is kept again; {lost} results are missing in it"),
                    ),
                })
            }
            Happening::History(HistoryEvent::PutAside(aside)) => Some((
                Tone::Bad,
                format!(
                    "the history was damaged: it is kept as {}, and a new one is begun",
                    aside.display()
                ),
            )),
            Happening::History(HistoryEvent::OutboxChanged) => None,
            Happening::Delivery(DeliveryEvent::Delivered { message, .. }) => {
                self.channels
                    .remove(&(message.channel.clone(), message.owner.clone()));
                Some((
                    Tone::Info,
                    format!(
                        "{} told by {}: {}",
                        message.owner, message.channel, message.subject
                    ),
                ))
            }
            Happening::Delivery(DeliveryEvent::Failed {
                message,
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
                    message.owner, message.channel
                );
                self.channels
                    .insert((message.channel, message.owner), text.clone());
                Some((Tone::Bad, text))
            }
            Happening::Notice(_) | Happening::Switched(_) | Happening::Lost(_) => None,
        };
        self.banner = self
            .history
            .clone()
            .or_else(|| self.channels.values().next().cloned());
        said
    }
}
