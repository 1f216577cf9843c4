//! Handles what arrives from the broker: results, starts and heartbeats.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::{CheckResult, Job, JobId, Moment, Now, RanOn, Timestamp, brief, clean};
use crate::probe::could_not_check;
use crate::trace::{self, PollLog};

use super::super::event::Heartbeat;
use super::super::in_flight::{SentCheck, Stage};
use super::super::result_backend::{self, StoredResult, TaskStart};
use super::super::subscriber::SubscriptionEvent;
use super::super::task;
use super::state::{Producer, RECONCILE_PERIOD};

/// The most remote threads that have a lane at once.
const MAX_THREADS: usize = 1_000;

impl Producer {
    pub(super) fn handle_event(&mut self, events: SubscriptionEvent, now: Now) {
        match events {
            SubscriptionEvent::Failed(error) => {
                let since = self.deaf.as_ref().map_or(now.mono, |(_, since)| *since);
                self.deaf = Some((error, since));
            }
            SubscriptionEvent::Subscribed => {
                self.deaf = None;
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

    /// Handles the state of a task: a start, or a result, which may be a duplicate.
    pub(super) fn handle_result(&mut self, number: u64, text: &[u8], now: Now) {
        let answer = std::str::from_utf8(text).ok().and_then(StoredResult::read);
        if let Some(StoredResult::Pending(start)) = answer {
            match start {
                Some(start) => self.handle_start(number, &start, now),
                None => self.received(number, now.mono),
            }
            return;
        }
        let expired = matches!(answer, Some(StoredResult::Expired));
        if expired && self.in_flight.discard(number, now.mono) {
            self.figures.expired += 1;
            self.note_discard(now.mono);
            return;
        }
        let Some(mut check) = self.in_flight.take(number) else {
            self.figures.duplicates += 1;
            return;
        };
        self.counted.push(self.in_flight.id(number));
        if expired {
            self.figures.expired += 1;
            match check.taken {
                None => self.waiting.push_front(check.job),
                // A worker held it and was too slow to start it: its ticket is claimed, so that it
                // cannot be withdrawn any more, and it is sent anew.
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
        // It leaves the checks in flight before its record is added.
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
        // The receiver is gone only while the program ends.
        let _unheard = self.results.send(result);
    }

    /// Whether the stored result `text` says no more than that a message was discarded, after which
    /// the check was sent again.
    pub(super) fn is_old_discard(&self, number: u64, text: &[u8]) -> bool {
        let discarded = |check: &SentCheck| check.discards > 0;
        let answer = std::str::from_utf8(text).ok().and_then(StoredResult::read);
        matches!(answer, Some(StoredResult::Expired))
            && self.in_flight.get(number).is_some_and(discarded)
    }

    /// A worker has discarded a message that had time left: by its clock the message had expired.
    fn note_discard(&mut self, now: Moment) {
        let fastest = self.registry.fastest_clock(now);
        let fastest = fastest.filter(|(_, ahead)| *ahead >= self.lifetime / 2);
        let why = match fastest {
            Some((node, ahead)) => format!(
                "{} discards checks as expired: its clock is {} ahead",
                clean(node, 64),
                brief(ahead)
            ),
            None => "a worker discards checks as expired that are not: its clock may be ahead"
                .to_owned(),
        };
        self.discarding = Some((why, now));
    }

    /// A worker holds a check; its start is published separately, if at all.
    pub(super) fn received(&mut self, number: u64, now: Moment) {
        // A check that was withdrawn is removed at the next tick.
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

    /// A worker has started a check, which is in its lane from now on.
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
        // The old guard is dropped first: a check is in one lane.
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

    /// Gives a remote thread a lane, or keeps it for another minute.
    fn mark_present(&mut self, who: &RanOn, now: Moment) {
        let seat = (Arc::clone(&who.host), who.pid, who.tid);
        if self.present.len() < MAX_THREADS || self.present.contains_key(&seat) {
            let enter = || (self.recorder.enter(who.clone()), now);
            self.present.entry(seat).or_insert_with(enter).1 = now;
        }
    }

    /// Records a check that a remote thread has run.
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

    /// The result with its times by the clocks of this machine.
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
        // Whatever the clocks say, it started after it was sent and before its result.
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

/// The check that a result counts for; `None` if it was withdrawn or handed over.
fn claim(check: &SentCheck) -> Option<JobId> {
    check.taken.map(|(id, _)| id).or_else(|| check.job.claim())
}

pub(super) fn unknown_result(id: JobId, check: &SentCheck, why: &str, now: Now) -> CheckResult {
    unsent_result(id, &check.job, why, now)
}

/// The result of a check that no worker was asked for.
pub(super) fn unsent_result(id: JobId, job: &Job, why: &str, now: Now) -> CheckResult {
    let start = crate::probe::Start {
        job: id,
        moment: now.mono,
        at: now.wall,
    };
    could_not_check(start, &job.spec, why, trace::here())
}
