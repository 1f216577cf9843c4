//! What is heard: answers and heartbeats.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::{CheckResult, JobId, Moment, Now, RanOn, Timestamp};
use crate::probe::could_not_check;
use crate::trace::{self, PollLog};

use super::super::event::Heartbeat;
use super::super::in_flight::{SentCheck, Stage};
use super::super::result_backend::{self, StoredResult, TaskStart};
use super::super::subscriber::SubscriptionEvent;
use super::super::task;
use super::state::{Producer, RECONCILE_PERIOD};

/// Threads that are kept on the picture at once.
const MAX_THREADS: usize = 1_000;

impl Producer {
    pub(super) fn handle_event(&mut self, events: SubscriptionEvent, now: Now) {
        match events {
            SubscriptionEvent::Subscribed => {
                self.fetch_all = true;
                self.in_flight.audit_all(now.mono + RECONCILE_PERIOD);
            }
            SubscriptionEvent::Message { channel, text } => {
                if let Some(id) = channel.strip_prefix(result_backend::PREFIX) {
                    if let Some(number) = self.in_flight.number(id) {
                        self.handle_result(number, &text, now);
                    }
                } else if let Some(beat) = Heartbeat::read(&text) {
                    self.registry.beat(beat, now.mono, now.wall);
                }
            }
        }
    }

    /// A task has an answer, perhaps not for the first time.
    pub(super) fn handle_result(&mut self, number: u64, text: &[u8], now: Now) {
        let answer = std::str::from_utf8(text).ok().and_then(StoredResult::read);
        if let Some(StoredResult::Pending(start)) = answer {
            match start {
                Some(start) => self.handle_start(number, &start, now),
                None => self.received(number, now.mono),
            }
            return;
        }
        let Some(mut check) = self.in_flight.take(number) else {
            self.figures.duplicates += 1;
            return;
        };
        self.counted.push(self.in_flight.id(number));
        if matches!(answer, Some(StoredResult::Expired)) {
            self.figures.expired += 1;
            match check.taken {
                None => self.waiting.push_front(check.job),
                // Seen with a worker that was too slow to begin: it counts as begun, so that
                // nobody can withdraw it any more, and is sent anew.
                Some(taken) => self.resend_first.push((check.job, taken)),
            }
            return;
        }
        let Some(id) = claim(&check) else {
            // Withdrawn, or handed over.
            self.figures.duplicates += 1;
            return;
        };
        self.figures.answered += 1;
        // Off the picture before it comes onto the record.
        check.stage = Stage::Sent;
        let result = match answer {
            Some(StoredResult::Done(json, done)) => {
                task::report(json.get(), &check.job.spec).map(|(result, notes)| {
                    let result = self.on_our_clocks(result, id, &check, done, now);
                    self.record(&result, notes, now);
                    result
                })
            }
            Some(StoredResult::Failed(why)) => Some(unknown_result(
                id,
                &check,
                &format!("a worker did not run it: {why}"),
                now,
            )),
            Some(StoredResult::Expired | StoredResult::Pending(_)) | None => None,
        };
        let result = result.unwrap_or_else(|| {
            unknown_result(id, &check, "what its worker answered cannot be read", now)
        });
        // Nobody listens any more when the program is on its way out.
        let _unheard = self.results.send(result);
    }

    /// A worker has a check. Whether it has begun with it is told apart, if it says so.
    pub(super) fn received(&mut self, number: u64, now: Moment) {
        // Who does not want it any more is found at the next tick.
        if !self.in_flight.mark_taken(number, now) {
            return;
        }
        if let Some(check) = self.in_flight.get_mut(number)
            && matches!(check.stage, Stage::Sent)
            && let Some((id, _)) = check.taken
            && let Some(seen) = self.recorder.receive(id)
        {
            check.stage = Stage::Received { _seen: seen };
        }
    }

    /// A worker has begun with a check: it stands in its lane from now on.
    fn handle_start(&mut self, number: u64, start: &TaskStart, now: Now) {
        self.received(number, now.mono);
        let offset = self.registry.began(&start.by, start.at, now.mono, now.wall);
        let Some(check) = self.in_flight.get_mut(number) else {
            return;
        };
        let Some((id, _)) = check.taken else {
            return;
        };
        let ago = start.at.map_or(Duration::ZERO, |at| {
            let theirs = at.as_micros().saturating_add(offset);
            let ago = now.wall.as_micros().saturating_sub(theirs);
            Duration::from_micros(u64::try_from(ago).unwrap_or(0))
        });
        let started = (now.mono - ago).clamp(check.sent, now.mono);
        // The old one leaves first: a check is in one lane.
        check.stage = Stage::Sent;
        if let Some(seen) = self.recorder.begin(id, started, self.clock) {
            seen.live().set_remote_worker(start.by.clone());
            check.stage = Stage::Started {
                by: start.by.clone(),
                _seen: seen,
            };
        }
        self.mark_present(&start.by, now.mono);
    }

    /// A thread runs checks: it has a lane for a while.
    fn mark_present(&mut self, who: &RanOn, now: Moment) {
        let seat = (Arc::clone(&who.host), who.pid, who.tid);
        if self.present.len() < MAX_THREADS || self.present.contains_key(&seat) {
            let enter = || (self.recorder.enter(who.clone()), now);
            self.present.entry(seat).or_insert_with(enter).1 = now;
        }
    }

    /// Notes what was done elsewhere, as if it had been done here.
    fn record(&mut self, result: &CheckResult, notes: Option<PollLog>, now: Now) {
        self.mark_present(&result.ran_on, now.mono);
        let Some(watched) = self.recorder.begin(result.job, result.started, self.clock) else {
            return;
        };
        watched.live().set_remote_worker(result.ran_on.clone());
        if let Some(notes) = notes {
            let notes = task::placed(notes, result.started, result.latency);
            watched.live().set_remote_log(notes);
        }
        watched.end(result);
    }

    /// Puts a result in terms of our clocks.
    fn on_our_clocks(
        &mut self,
        mut result: CheckResult,
        id: JobId,
        check: &SentCheck,
        done: Option<Timestamp>,
        now: Now,
    ) -> CheckResult {
        let offset = self.registry.ran(&result.ran_on, done, now.mono, now.wall);
        let theirs = result.started_at.as_micros().saturating_add(offset);
        let ago = Duration::from_micros(
            u64::try_from(now.wall.as_micros().saturating_sub(theirs)).unwrap_or(0),
        );
        // Whatever the clocks say: it was sent before it was started, and took its time.
        let latest = (now.mono - result.latency).max(check.sent);
        let started = (now.mono - ago).clamp(check.sent, latest);
        let ago = i64::try_from(now.mono.since(started).as_micros()).unwrap_or(0);
        result.job = id;
        result.started = started;
        result.started_at = Timestamp::from_micros(now.wall.as_micros().saturating_sub(ago));
        result.late = started.since(id.due);
        result
    }
}

/// The check that an answer counts for; `None` if nobody waits for it here any more.
fn claim(check: &SentCheck) -> Option<JobId> {
    check.taken.map(|(id, _)| id).or_else(|| check.job.claim())
}

pub(super) fn unknown_result(id: JobId, check: &SentCheck, why: &str, now: Now) -> CheckResult {
    let start = crate::probe::Start {
        job: id,
        moment: now.mono,
        at: now.wall,
    };
    could_not_check(start, &check.job.spec, why, trace::here())
}
