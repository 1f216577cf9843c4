//! Searching a body for a text while it arrives, in bounded memory.

use std::sync::Arc;

use crate::domain::{Reason, clean, plural};

use super::super::classify::{self, Failure};
use super::super::phase_timings::PhaseTimings;
use super::decode::{Coding, Decoder, Finished};
use super::exchange::{Answer, Exchange};
use super::fields::{Field, Fields};
use super::text_reader::{MOST_BYTES, TextReader};

/// Reads until `text` was seen. Keeps no more than a chunk and a text's length of it. A body
/// that was compressed though nobody asked for that is uncompressed; one in another charset
/// than UTF-8 is read as such.
pub(super) async fn must_contain(
    mut answer: Answer,
    text: &str,
    exchange: Exchange<'_>,
    timings: &Arc<PhaseTimings>,
) -> Result<(), Failure> {
    let (coding, unknown) = Coding::of(answer.fields.all(Field::ContentEncoding));
    let _room = if coding.needs_room() {
        let memory = exchange.shared.heads.clone();
        memory.room_for_a_window(Arc::clone(timings)).await
    } else {
        None
    };
    let content_type = answer.fields.first(Field::ContentType);
    let mut decoder = Decoder::new(coding, TextReader::new(text, content_type));
    // What a large head leaves is not kept while the body comes.
    answer.fields = Fields::default();
    loop {
        let chunk = answer
            .chunk()
            .await
            .map_err(|error| classify::body(&error))?;
        let Some(chunk) = chunk else { break };
        // A body that comes faster than it is searched must not keep the deadline waiting.
        tokio::task::consume_budget().await;
        let written = decoder.write(&chunk);
        let reader = decoder.reader();
        if reader.found {
            return Ok(());
        }
        if reader.is_full() {
            break;
        }
        if written.is_err() {
            return Err(damaged(coding));
        }
    }
    let Finished {
        found,
        read,
        damaged: is_damaged,
    } = decoder.finish();
    if found {
        return Ok(());
    }
    if is_damaged {
        return Err(damaged(coding));
    }
    if let Some(name) = unknown {
        let name = clean(&name, 20);
        let why = format!("the body came compressed in a way that is not known ({name})");
        return Err(Failure::new(Reason::Content, why));
    }
    let shown = clean(text, 60);
    let missing = if read >= MOST_BYTES {
        format!(
            "the first {} MiB of the body do not hold \"{shown}\"",
            MOST_BYTES >> 20
        )
    } else {
        format!(
            "the body ({}) does not hold \"{shown}\"",
            plural(read, "byte")
        )
    };
    Err(Failure::new(Reason::Content, missing))
}

fn damaged(coding: Coding) -> Failure {
    let why = format!(
        "the body came compressed ({}) and is damaged",
        coding.word()
    );
    Failure::new(Reason::Content, why)
}
