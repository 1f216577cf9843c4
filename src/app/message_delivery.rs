//! A delivery becomes the message that its channel sends: composed on the history's thread, of
//! events that are kept.

use tokio::sync::mpsc::UnboundedSender;

use crate::alert::{BeginningMessage, Delivery};
use crate::history::{Composition, History, Message, Queries, QueryError};
use crate::notify::{self, DeliveryFailure, DeliveryQueue, DeliveryResult};

use super::report::Report;

/// Composes the message of a delivery on the thread of `history`, and hands it to its channel once
/// it is kept. Its outcome, or why it was not handed over, is reported.
pub(super) fn send(
    history: &History,
    delivery: Delivery,
    queue: DeliveryQueue,
    reports: UnboundedSender<Report>,
) {
    let Delivery {
        id,
        owner,
        channel,
        short,
        ..
    } = &delivery;
    let unreported = UnreportedDelivery {
        message: Some(Message::lost(id, owner, channel)),
        reports,
    };
    let short = *short;
    history.compose(
        move |queries| composed(queries, &delivery),
        move |message| hand_over(message.flatten(), short, unreported, &queue),
    );
}

fn hand_over(
    message: Result<Option<Message>, QueryError>,
    short: bool,
    unreported: UnreportedDelivery,
    queue: &DeliveryQueue,
) {
    let failure = match message {
        Ok(Some(message)) => {
            let message = if short {
                notify::shortened(message)
            } else {
                message
            };
            if queue.send(message) {
                return unreported.sent();
            }
            DeliveryFailure::lasting("there is no such channel")
        }
        // Where the file was lost, what waits is about to be written into the new one.
        Ok(None) => DeliveryFailure::passing("the history has lost the message"),
        Err(error) => DeliveryFailure::passing(&format!("the history: {error}")),
    };
    unreported.fail(failure);
}

/// Composes the message of a delivery, and keeps it.
pub(super) fn composed(
    queries: &Queries<'_>,
    delivery: &Delivery,
) -> Result<Option<Message>, QueryError> {
    let entry = notify::ALL
        .iter()
        .find(|entry| entry.name == &*delivery.channel);
    let limit = entry.map_or(usize::MAX, |entry| entry.limit);
    let events = &delivery.events;
    let merged: Vec<Box<str>> = events
        .iter()
        .flat_map(|event| event.merged.iter().cloned())
        .collect();
    let beginning = events.iter().find_map(|event| event.beginning);
    let composition = Composition {
        id: delivery.id.clone(),
        messages: events.iter().map(|event| event.id.clone()).collect(),
        merged,
    };
    queries.compose(&composition, |parts| match parts {
        [] => None,
        [one] => {
            let note = beginning.map(note_of_beginning);
            Some(notify::with_note(one.clone(), note.unwrap_or_default()))
        }
        several => Some(notify::digest(several, limit)),
    })
}

/// What the message that a site is up again says of the one that it was down.
const fn note_of_beginning(beginning: BeginningMessage) -> &'static str {
    match beginning {
        BeginningMessage::NeverSent => "No message told before that it was down.",
        BeginningMessage::MayHaveArrived => "The message that it was down may not have arrived.",
    }
}

/// A delivery of which the engine waits to hear: it hears of it however the composing ends.
struct UnreportedDelivery {
    message: Option<Message>,
    reports: UnboundedSender<Report>,
}

impl UnreportedDelivery {
    /// Its channel reports of it.
    fn sent(mut self) {
        self.message = None;
    }

    fn fail(mut self, failure: DeliveryFailure) {
        self.report(failure);
    }

    fn report(&mut self, failure: DeliveryFailure) {
        if let Some(message) = self.message.take() {
            let result = Err(failure);
            // The receiver is gone at the end.
            let _unheard = self
                .reports
                .send(Report::Delivery(DeliveryResult { message, result }));
        }
    }
}

impl Drop for UnreportedDelivery {
    fn drop(&mut self) {
        self.report(DeliveryFailure::passing("the monitor failed to compose it"));
    }
}
