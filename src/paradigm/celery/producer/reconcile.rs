//! The periodic comparison with the broker: withdraws messages that are not wanted any more or
//! have expired, and sends lost ones again.

use std::time::Duration;

use redis::RedisResult;
use uuid::Uuid;

use crate::domain::{Clock, Moment, Now, RanOn, brief, plural};

use super::super::in_flight::{AuditAction, MessagePlace, Stage};
use super::incoming::unknown_result;
use super::state::{AUDIT_BATCH, BATCH_SIZE, BROKER_POLL_PERIOD, Producer};

/// How long a remote thread that ran a check keeps its lane.
const RECENT_WINDOW: Duration = Duration::from_secs(60);

impl Producer {
    /// All periodic work, at every tick.
    pub(super) async fn reconcile(&mut self) {
        let now = self.clock.now();
        if self.is_waiting_to_retry(now.mono) {
            self.publish_figures(now.mono);
            return;
        }
        let outcome = async {
            if self.failure.is_some() {
                // Reads succeed where writes are refused.
                self.client.test_write().await?;
            }
            if self.failure.is_some() || now.mono >= self.state_due {
                self.poll_broker().await?;
                self.fetch_all |= self.deaf.is_some();
            }
            if std::mem::take(&mut self.fetch_all) {
                let numbers = self.in_flight.numbers();
                self.fetch_results(&numbers).await?;
            }
            self.withdraw(now.mono).await?;
            let others = self
                .registry
                .has_worker_in_time(now.mono, self.lifetime / 2);
            let discarded = self.in_flight.take_discarded(now.mono, others);
            self.send_again(&discarded).await?;
            self.poll_held().await?;
            self.audit().await?;
            self.expire_counted().await
        }
        .await;
        self.note(outcome);
        self.time_out(now);
        self.release_lost_workers(now.mono);
        self.registry.tidy(now.mono);
        let recent = |seen: Moment| now.mono.since(seen) < RECENT_WINDOW;
        self.present.retain(|_, (_, seen)| recent(*seen));
        self.publish_figures(now.mono);
    }

    /// Returns the checks that lost workers had started to the stage of being received.
    fn release_lost_workers(&mut self, now: Moment) {
        let gone = self.registry.gone(now);
        if gone.is_empty() {
            return;
        }
        let dead = |by: &RanOn| {
            gone.iter()
                .any(|(host, pid)| *pid == by.pid && **host == *by.host)
        };
        for number in self.in_flight.started_by(dead) {
            if let Some(check) = self.in_flight.get_mut(number) {
                check.stage = Stage::Sent;
            }
            self.received(number, now);
        }
    }

    async fn poll_broker(&mut self) -> RedisResult<()> {
        let before = self.clock.moment();
        let state = self.client.state().await?;
        let after = self.clock.now();
        let round_trip = after.mono.since(before);
        let there = state
            .at
            .as_micros()
            .saturating_add(i64::try_from(round_trip.as_micros() / 2).unwrap_or(0));
        let offset = after.wall.as_micros().saturating_sub(there);
        self.client.learn_offset(offset);
        // A worker claims what it was handed at once, unless it has ended.
        let handed_before = std::mem::replace(&mut self.handed, state.handed > 0);
        if handed_before && self.handed {
            self.client.put_back().await?;
        }
        self.figures.depth = Some(state.depth + state.handed);
        self.figures.held = Some(state.held);
        self.figures.round_trip = Some(round_trip);
        self.figures.broker_offset_micros = Some(offset);
        self.state_due = after.mono + BROKER_POLL_PERIOD;
        Ok(())
    }

    /// Fetches results that may have been published while there was no subscription. Returns the
    /// numbers of the checks without one.
    pub(super) async fn fetch_results(&mut self, numbers: &[u64]) -> RedisResult<Vec<u64>> {
        let mut without = Vec::new();
        for some in numbers.chunks(BATCH_SIZE) {
            let ids: Vec<String> = some
                .iter()
                .map(|number| self.in_flight.id(*number))
                .collect();
            let results = self.client.results(&ids).await?;
            let now = self.clock.now();
            for (number, result) in some.iter().zip(results) {
                // A result that arrived in between is not a duplicate.
                if self.in_flight.get(*number).is_none() {
                    continue;
                }
                match result {
                    Some(text) if self.is_old_discard(*number, &text) => without.push(*number),
                    Some(text) => {
                        self.handle_result(*number, &text, now);
                        // A start is not a result.
                        if self.in_flight.get(*number).is_some() {
                            without.push(*number);
                        }
                    }
                    None => without.push(*number),
                }
            }
        }
        Ok(without)
    }

    /// Withdraws the messages of withdrawn jobs, and those that expired before a worker took them.
    async fn withdraw(&mut self, now: Moment) -> RedisResult<()> {
        let mut texts: Vec<String> = self
            .in_flight
            .withdrawn()
            .into_iter()
            .map(|check| check.text)
            .collect();
        for check in self.in_flight.expired(now) {
            self.figures.expired += 1;
            texts.push(check.text);
            self.waiting.push_front(check.job);
        }
        for some in texts.chunks(BATCH_SIZE) {
            self.client.withdraw(some).await?;
        }
        Ok(())
    }

    async fn poll_held(&mut self) -> RedisResult<()> {
        let numbers = self.in_flight.unconfirmed(self.clock.moment(), 1_000);
        if numbers.is_empty() {
            return Ok(());
        }
        let tags: Vec<&str> = numbers
            .iter()
            .filter_map(|number| Some(&*self.in_flight.get(*number)?.tag))
            .collect();
        let held = self.client.held(&tags).await?;
        let now = self.clock.moment();
        for (number, held) in numbers.into_iter().zip(held) {
            if held {
                self.received(number, now);
            }
        }
        Ok(())
    }

    /// Audits the messages whose result is overdue, and sends lost ones again.
    async fn audit(&mut self) -> RedisResult<()> {
        let now = self.clock.moment();
        let numbers = self.in_flight.to_audit(now, AUDIT_BATCH);
        if numbers.is_empty() {
            return Ok(());
        }
        let messages: Vec<(&str, &str)> = numbers
            .iter()
            .filter_map(|number| self.in_flight.get(*number))
            .map(|check| (&*check.tag, &*check.text))
            .collect();
        let places = self.client.places(&messages).await?;
        let mut missing = Vec::new();
        for (number, place) in numbers.iter().zip(places) {
            match place {
                MessagePlace::Lost => missing.push(*number),
                MessagePlace::Held | MessagePlace::Queued => {
                    if place == MessagePlace::Held {
                        self.received(*number, now);
                    }
                    self.in_flight.audited(*number, place, now);
                }
            }
        }
        // A message goes from the queue to a worker to a result: one that is in neither of
        // the first two has a result, or is lost.
        let lost = self.fetch_results(&missing).await?;
        let mut resend_first = Vec::new();
        for number in lost {
            match self.in_flight.audited(number, MessagePlace::Lost, now) {
                AuditAction::Wait => {}
                AuditAction::Resend => resend_first.push(number),
                AuditAction::GiveUp => self.abandon(number),
            }
        }
        let lost = self.send_again(&resend_first).await?;
        if lost > 0 {
            tracing::warn!("lost and sent again: {}", plural(lost, "message"));
            self.figures.resent += lost as u64;
        }
        Ok(())
    }

    /// Sends the messages of checks again, with the same ids: whichever of a check's messages leads to
    /// a result first counts. Returns how many.
    async fn send_again(&mut self, numbers: &[u64]) -> RedisResult<usize> {
        let wall = self.clock.timestamp();
        let mut texts = Vec::new();
        for number in numbers {
            let Some(check) = self.in_flight.get(*number) else {
                continue;
            };
            let (id, tag) = (self.in_flight.id(*number), Uuid::new_v4().to_string());
            if let Ok(text) = self.client.text(&check.job, &id, &tag, wall) {
                self.in_flight.resent(*number, tag, text.clone());
                texts.push(text);
            }
        }
        if !texts.is_empty() {
            let texts: Vec<&str> = texts.iter().map(|text| &**text).collect();
            self.client.push(&texts).await?;
        }
        Ok(texts.len())
    }

    /// Gives up the message of a check that was lost too often.
    fn abandon(&mut self, number: u64) {
        let Some(check) = self.in_flight.take(number) else {
            return;
        };
        match check.taken {
            // No worker held it: it is sent as a new message.
            None => self.waiting.push_front(check.job),
            Some((id, _)) => {
                let why = format!(
                    "the broker lost it, {} over",
                    plural(check.resends + 1, "time")
                );
                let _unheard =
                    self.results
                        .send(unknown_result(id, &check, &why, self.clock.now()));
            }
        }
    }

    /// Delivers `unknown` for checks that workers have held too long: their workers seem to die.
    pub(super) fn time_out(&mut self, now: Now) {
        for check in self.in_flight.overdue(now.mono, self.overdue_after) {
            if let Some((id, since)) = check.taken {
                let why = match &self.discarding {
                    Some((why, _)) if check.discards > 0 => why.clone(),
                    _ => {
                        let took = brief(now.mono.since(since));
                        format!("a worker took it {took} ago and no answer came")
                    }
                };
                let _unheard = self.results.send(unknown_result(id, &check, &why, now));
            }
        }
    }

    async fn expire_counted(&mut self) -> RedisResult<()> {
        for some in self.counted.chunks(BATCH_SIZE) {
            self.client.counted(some).await?;
        }
        self.counted.clear();
        Ok(())
    }
}
