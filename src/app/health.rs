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
            Happening::History(event) => match &event {
                HistoryEvent::Trouble(_) => {
                    self.history = Some(format!(
                        "{event}; monitoring goes on, and it is tried again"
                    ));
                    None
                }
                HistoryEvent::Mended { lost } => {
                    self.history = None;
                    let tone = if *lost == 0 { Tone::Good } else { Tone::Warn };
                    Some((tone, event.to_string()))
                }
                HistoryEvent::PutAside(_) | HistoryEvent::Moved(_) | HistoryEvent::Failed(_) => {
                    Some((Tone::Bad, event.to_string()))
                }
                HistoryEvent::StateWanted | HistoryEvent::OutboxChanged => None,
            },
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
            Happening::Notice(_)
            | Happening::Acted(_)
            | Happening::Switched(_)
            | Happening::Lost(_) => None,
        };
        self.banner = self
            .history
            .clone()
            .or_else(|| self.channels.values().next().cloned());
        said
    }
}
