//! Assertions on a body, in bounded memory: texts are looked for while it comes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::{Assertions, CheckSpec, Reason, TextPattern, clean, plural};

use super::super::classify::{self, Failure};
use super::super::phase_timings::PhaseTimings;
use super::assertion_cache::CompiledAssertions;
use super::body_buffer::BodyBuffer;
use super::body_reader::BodyReader;
use super::decode::{Coding, Decoder};
use super::exchange::{Answer, Exchange};
use super::fields::{Field, Fields};
use super::head_memory::Room;
use super::json;
use super::text_reader::{Sought, TextReader, meanings};

/// The most of a body that is searched, uncompressed: piece by piece, and as a whole where
/// `max_body` allows no more.
const MOST_SEARCHED: usize = Assertions::MOST_BODY as usize;
const MOST_WHOLE: usize = 1 << 20;

/// The part of a whole body that takes no room in the memory for large ones.
const SMALL: usize = 16 * 1024;

/// The part of the field `Content-Type` that is read.
const MOST_CONTENT_TYPE: usize = 1_024;

/// The most characters of a body that are shown.
const MOST_SHOWN: usize = 200;

/// Reads until the assertions are judged. Keeps no more than a chunk of the body and a text's length,
/// unless they are about it as a whole. A body that was compressed though nobody asked for that is
/// uncompressed; one in another charset than UTF-8 is read as such.
pub(super) async fn judge(
    mut answer: Answer,
    spec: &CheckSpec,
    exchange: Exchange<'_>,
    timings: &Arc<PhaseTimings>,
) -> Result<(), Failure> {
    let assertions = spec.assertions();
    let compiled = exchange.shared.assertions.compiled(assertions)?;
    let (coding, unknown) = Coding::of(answer.fields.all(Field::ContentEncoding));
    let length = length(&answer.fields).filter(|_| coding == Coding::None);
    if let (Some(most), Some(length)) = (assertions.max_body, length)
        && length > u64::from(most)
    {
        return Err(too_long(most, &length.to_string()));
    }
    let whole = assertions.need_the_whole();
    let searched = if whole { MOST_WHOLE } else { MOST_SEARCHED };
    // One byte more shows that it is longer.
    let most = assertions.max_body.map_or(searched, |most| most as usize)
        + usize::from(whole || assertions.max_body.is_some());
    let memory = Memory {
        length,
        most: if whole { most } else { 0 },
        exchange,
        timings,
    };
    let mut room = memory.at_the_beginning(coding).await;
    // Its beginning says the charset.
    let content_type = answer.fields.first(Field::ContentType);
    let content_type: Option<Box<[u8]>> =
        content_type.map(|value| value[..value.len().min(MOST_CONTENT_TYPE)].into());
    let content_type = content_type.as_deref();
    let texts = TextReader::new(sought(spec), content_type);
    let to_the_end = whole || assertions.max_body.is_some();
    let pool = &exchange.shared.bodies;
    let kept = whole.then(|| match &room {
        Some(_) => BodyBuffer::default().enlarged(memory.kept(), pool),
        None => BodyBuffer::default(),
    });
    let reader = BodyReader::new(texts, most, kept, to_the_end);
    let mut decoder = Decoder::new(coding, reader);
    // What a large head leaves is not kept while the body comes.
    answer.fields = Fields::default();
    let mut damaged = false;
    loop {
        let chunk = answer
            .chunk()
            .await
            .map_err(|error| classify::body(&error))?;
        let Some(chunk) = chunk else { break };
        // A body that comes faster than it is searched must not keep the deadline waiting.
        // Where nothing counts a budget, it is kept to here.
        if Instant::now() >= exchange.deadline {
            tokio::task::yield_now().await;
        }
        tokio::task::consume_budget().await;
        let written = decoder.write(&chunk);
        let Some(reader) = decoder.reader() else {
            break;
        };
        if reader.is_decided() || reader.is_full() {
            break;
        }
        if written.is_err() {
            damaged = true;
            break;
        }
        if room.is_none()
            && let Some(kept) = reader.whole.take()
        {
            if kept.bytes().len() > SMALL {
                room = memory.room().await;
                reader.whole = Some(kept.enlarged(memory.kept(), pool));
            } else {
                reader.whole = Some(kept);
            }
        }
    }
    damaged |= decoder.finish();
    let Some(reader) = decoder.reader() else {
        return Ok(());
    };
    if let Some((text, found)) = reader.texts.unwanted() {
        let text = clean(text, 60);
        let context = shown(&found.context, content_type);
        let why = format!(
            "the body holds \"{text}\", at byte {}: \"{context}\"",
            found.at
        );
        return Err(Failure::new(Reason::Content, why));
    }
    if let Some(most) = assertions.max_body
        && reader.read > most as usize
    {
        return Err(too_long(most, "more"));
    }
    let Some(text) = reader.texts.missing() else {
        if !to_the_end {
            return Ok(());
        }
        if damaged {
            return Err(damaged_body(coding));
        }
        let whole = reader.whole.take().unwrap_or_default();
        let whole = whole.bytes();
        let is_cut = whole.len() > MOST_WHOLE && assertions.max_body.is_none();
        let deadline = exchange.deadline;
        let matched = match_all(
            whole,
            is_cut,
            content_type,
            (assertions, &compiled),
            deadline,
        );
        matched.await?;
        return judge_json(whole, is_cut, content_type, assertions, &compiled);
    };
    if damaged {
        return Err(damaged_body(coding));
    }
    if let Some(name) = unknown {
        let name = clean(&name, 20);
        let why = format!("the body came compressed in a way that is not known ({name})");
        return Err(Failure::new(Reason::Content, why));
    }
    let (wanted, read) = (clean(text, 60), reader.read);
    let missing = if read >= searched {
        format!(
            "the first {} MiB of the body do not hold \"{wanted}\"",
            searched >> 20
        )
    } else {
        format!(
            "the body ({}) does not hold \"{wanted}\"",
            plural(read, "byte")
        )
    };
    Err(Failure::new(
        Reason::Content,
        beginning(missing, &reader.begun, content_type),
    ))
}

/// Whether all patterns match. A search that takes too long is broken off, which says nothing of the
/// site.
async fn match_all(
    body: &[u8],
    is_cut: bool,
    content_type: Option<&[u8]>,
    (assertions, compiled): (&Assertions, &CompiledAssertions),
    deadline: Instant,
) -> Result<(), Failure> {
    if assertions.matches.is_empty() {
        return Ok(());
    }
    let now = Instant::now();
    let until = now + deadline.saturating_duration_since(now) / 2;
    let meanings = meanings(body, content_type);
    for (text, pattern) in assertions.matches.iter().zip(&compiled.patterns) {
        let mut matched = false;
        for meaning in &meanings {
            matched = matched
                || search(pattern, meaning, until).await.ok_or_else(|| {
                    let why = format!("the search for \"{}\" takes too long", clean(text, 60));
                    Failure::new(Reason::Internal, why)
                })?;
        }
        if !matched {
            let text = clean(text, 60);
            let missing = if is_cut {
                format!(
                    "the first {} MiB of the body do not match \"{text}\"",
                    MOST_WHOLE >> 20
                )
            } else {
                format!(
                    "the body ({}) does not match \"{text}\"",
                    plural(body.len(), "byte")
                )
            };
            let sentence = beginning(missing, body, content_type);
            return Err(Failure::new(Reason::Content, sentence));
        }
    }
    Ok(())
}

/// Whether the pattern matches; `None` if that is not known in time.
async fn search(pattern: &TextPattern, text: &str, until: Instant) -> Option<bool> {
    /// Takes a microsecond, and many milliseconds with a pattern that means harm.
    const PIECE: usize = 512;
    const TURN: Duration = Duration::from_millis(1);
    let mut search = pattern.search();
    for piece in text.as_bytes().chunks(PIECE) {
        let began = Instant::now();
        if !search.take(piece) {
            break;
        }
        let now = Instant::now();
        if now > until {
            return None;
        }
        // Others on the same thread have their turn.
        if now - began > TURN {
            tokio::task::yield_now().await;
        }
    }
    Some(search.finish())
}

fn judge_json(
    body: &[u8],
    is_cut: bool,
    content_type: Option<&[u8]>,
    assertions: &Assertions,
    compiled: &CompiledAssertions,
) -> Result<(), Failure> {
    if assertions.json.is_empty() {
        return Ok(());
    }
    let failure = |why: String| Failure::new(Reason::Content, why);
    if is_cut {
        let most = MOST_WHOLE >> 20;
        let why =
            format!("the body is longer than {most} MiB: max_body allows more to be read as JSON");
        return Err(failure(why));
    }
    // JSON is UTF-8 (RFC 8259 section 8.1), whatever is said of it.
    let meanings = meanings(body, content_type);
    let text = meanings.first().map_or("", |text| text);
    json::judge(text, &assertions.json, &compiled.paths).map_err(failure)
}

/// What the spec wants to be looked for.
fn sought(spec: &CheckSpec) -> Vec<Sought<'_>> {
    let wanted = spec.texts().map(|text| Sought { text, wanted: true });
    let unwanted = spec.assertions().contains_not.iter();
    let unwanted = unwanted.map(|text| Sought {
        text,
        wanted: false,
    });
    wanted.chain(unwanted).collect()
}

/// What `Content-Length` says.
fn length(fields: &Fields) -> Option<u64> {
    let value = std::str::from_utf8(fields.first(Field::ContentLength)?).ok()?;
    value.trim().parse().ok()
}

fn too_long(most: u32, length: &str) -> Failure {
    let why = format!(
        "the body may have {} (max_body) and has {length}",
        plural(most, "byte")
    );
    Failure::new(Reason::Content, why)
}

fn damaged_body(coding: Coding) -> Failure {
    let why = format!(
        "the body came compressed ({}) and is damaged",
        coding.word()
    );
    Failure::new(Reason::Content, why)
}

/// The sentence, and how the body begins.
fn beginning(sentence: String, begun: &[u8], content_type: Option<&[u8]>) -> String {
    match shown(begun, content_type) {
        nothing if nothing.is_empty() => sentence,
        shown => format!("{sentence}: it begins \"{shown}\""),
    }
}

/// The first characters of a part of the body.
fn shown(part: &[u8], content_type: Option<&[u8]>) -> String {
    let part = &part[..part.len().min(4 * MOST_SHOWN)];
    let part = match std::str::from_utf8(part) {
        // A character may be cut at the end.
        Err(error) if error.error_len().is_none() => &part[..error.valid_up_to()],
        _ => part,
    };
    let meanings = meanings(part, content_type);
    clean(meanings.first().map_or("", |text| text), MOST_SHOWN)
}

/// The memory that the body as a whole takes.
struct Memory<'a> {
    length: Option<u64>,
    /// The most that is kept of it.
    most: usize,
    exchange: Exchange<'a>,
    timings: &'a Arc<PhaseTimings>,
}

impl Memory<'_> {
    /// The room that is known to be needed before anything has come. All of it at once: who
    /// held some and waited for more could wait for ever.
    async fn at_the_beginning(&self, coding: Coding) -> Option<Room> {
        let window = if coding.needs_room() { 16 << 20 } else { 0 };
        let is_small = self.length.is_some_and(|length| length <= SMALL as u64);
        let is_known = self.length.is_some() || coding != Coding::None;
        if window == 0 && (is_small || self.most == 0 || !is_known) {
            return None;
        }
        self.take(window + self.whole()).await
    }

    /// The room for a body that turned out to be large.
    async fn room(&self) -> Option<Room> {
        self.take(self.whole()).await
    }

    /// The most that comes of the body.
    fn kept(&self) -> usize {
        let length = self.length.and_then(|length| usize::try_from(length).ok());
        length.map_or(self.most, |length| length.min(self.most))
    }

    /// What the whole takes, with what is made of it, and what the allocator keeps of that for each
    /// thread.
    fn whole(&self) -> usize {
        4 * self.kept()
    }

    async fn take(&self, bytes: usize) -> Option<Room> {
        let memory = self.exchange.shared.heads.clone();
        memory.room_for(bytes, Arc::clone(self.timings)).await
    }
}
