//! What is heard: answers and heartbeats.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::{CheckResult, JobId, Moment, Now, RanOn, Timestamp};
use crate::probe::could_not_check;
use crate::trace::{self, PollLog};

use super::super::event::Heartbeat;
use super::super::listen::News;
use super::super::meta::{self, Answer, Start};
use super::super::outstanding::{Check, Stage};
use super::super::task;
use super::state::{Producer, TICK};

/// Threads that are kept on the picture at once.
const MOST_THREADS: usize = 1_000;

impl Producer {
    pub(super) fn hear(&mut self, news: News, now: Now) {
        match news {
            News::Subscribed => {
                self.ask_for_all = true;
                self.outstanding.suspect_all(now.mono + TICK);
            }
            News::Told { channel, text } => {
                if let Some(id) = channel.strip_prefix(meta::PREFIX) {
                    if let Some(number) = self.outstanding.number(id) {
                        self.answer(number, &text, now);
                    }
                } else if let Some(beat) = Heartbeat::read(&text) {
                    self.fleet.beat(beat, now.mono, now.wall);
                }
            }
        }
    }

    /// A task has an answer, perhaps not for the first time.
    pub(super) fn answer(&mut self, number: u64, text: &[u8], now: Now) {
        let answer = std::str::from_utf8(text).ok().and_then(Answer::read);
        if let Some(Answer::Pending(start)) = answer {
            match start {
                Some(start) => self.begun(number, &start, now),
                None => self.received(number, now.mono),
            }
            return;
        }
        let Some(mut check) = self.outstanding.take(number) else {
            self.figures.duplicates += 1;
            return;
        };
        self.counted.push(self.outstanding.id(number));
        if matches!(answer, Some(Answer::Expired)) {
            self.figures.expired += 1;
            match check.taken {
                None => self.waiting.push_front(check.job),
                // Seen with a worker that was too slow to begin: it counts as begun, so that
                // nobody can withdraw it any more, and is sent anew.
                Some(taken) => self.again.push((check.job, taken)),
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
            Some(Answer::Done(json, done)) => {
                task::report(json.get(), &check.job.spec).map(|(result, notes)| {
                    let result = self.settle(result, id, &check, done, now);
                    self.record(&result, notes, now);
                    result
                })
            }
            Some(Answer::Failed(why)) => Some(refused(
                id,
                &check,
                &format!("a worker did not run it: {why}"),
                now,
            )),
            Some(Answer::Expired | Answer::Pending(_)) | None => None,
        };
        let result = result
            .unwrap_or_else(|| refused(id, &check, "what its worker answered cannot be read", now));
        // Nobody listens any more when the program is on its way out.
        let _unheard = self.results.send(result);
    }

    /// A worker has a check. Whether it has begun with it is told apart, if it says so.
    pub(super) fn received(&mut self, number: u64, now: Moment) {
        // Who does not want it any more is found at the next tick.
        if !self.outstanding.hold(number, now) {
            return;
        }
        if let Some(check) = self.outstanding.get_mut(number)
            && matches!(check.stage, Stage::Sent)
            && let Some((id, _)) = check.taken
            && let Some(seen) = self.recorder.receive(id)
        {
            check.stage = Stage::Received { _seen: seen };
        }
    }

    /// A worker has begun with a check: it stands in its lane from now on.
    fn begun(&mut self, number: u64, start: &Start, now: Now) {
        self.received(number, now.mono);
        let offset = self.fleet.began(&start.by, start.at, now.mono, now.wall);
        let Some(check) = self.outstanding.get_mut(number) else {
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
            check.stage = Stage::Begun {
                by: start.by.clone(),
                _seen: seen,
            };
        }
        self.meet(&start.by, now.mono);
    }

    /// A thread runs checks: it has a lane for a while.
    fn meet(&mut self, who: &RanOn, now: Moment) {
        let seat = (Arc::clone(&who.host), who.pid, who.tid);
        if self.present.len() < MOST_THREADS || self.present.contains_key(&seat) {
            let enter = || (self.recorder.enter(who.clone()), now);
            self.present.entry(seat).or_insert_with(enter).1 = now;
        }
    }

    /// Notes what was done elsewhere, as if it had been done here.
    fn record(&mut self, result: &CheckResult, notes: Option<PollLog>, now: Now) {
        self.meet(&result.ran_on, now.mono);
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
    fn settle(
        &mut self,
        mut result: CheckResult,
        id: JobId,
        check: &Check,
        done: Option<Timestamp>,
        now: Now,
    ) -> CheckResult {
        let offset = self.fleet.ran(&result.ran_on, done, now.mono, now.wall);
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
fn claim(check: &Check) -> Option<JobId> {
    check.taken.map(|(id, _)| id).or_else(|| check.job.claim())
}

pub(super) fn refused(id: JobId, check: &Check, why: &str, now: Now) -> CheckResult {
    let start = crate::probe::Start {
        job: id,
        moment: now.mono,
        at: now.wall,
    };
    could_not_check(start, &check.job.spec, why, trace::here())
}
