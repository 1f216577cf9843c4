//! What is looked after: messages that nobody wants any more, that nobody took, that were
//! lost.

use std::time::Duration;

use redis::RedisResult;
use uuid::Uuid;

use crate::domain::{Clock, Moment, Now, RanOn, brief};

use super::super::outstanding::{Place, Remedy, Stage};
use super::answers::refused;
use super::state::{AUDITS, BATCH, Producer, STATE_PERIOD};

/// How long a thread that ran a check stays on the picture.
const RECENT: Duration = Duration::from_secs(60);

impl Producer {
    /// Everything that has its time.
    pub(super) async fn look_after(&mut self) {
        let now = self.clock.now();
        if self.in_trouble(now.mono) {
            self.show(now.mono);
            return;
        }
        let looked = async {
            if self.trouble.is_some() || now.mono >= self.state_due {
                self.ask_how_it_is().await?;
            }
            if std::mem::take(&mut self.ask_for_all) {
                let numbers = self.outstanding.numbers();
                self.ask_for(&numbers).await?;
            }
            self.take_back(now.mono).await?;
            self.ask_who_has_what().await?;
            self.audit().await?;
            self.drop_counted().await
        }
        .await;
        self.note(looked);
        self.give_up(now);
        self.leave_the_dead(now.mono);
        self.fleet.tidy(now.mono);
        let recent = |seen: Moment| now.mono.since(seen) < RECENT;
        self.present.retain(|_, (_, seen)| recent(*seen));
        self.show(now.mono);
    }

    /// What a worker had begun that is gone is run by nobody until another takes it.
    fn leave_the_dead(&mut self, now: Moment) {
        let gone = self.fleet.gone(now);
        if gone.is_empty() {
            return;
        }
        let dead = |by: &RanOn| {
            gone.iter()
                .any(|(host, pid)| *pid == by.pid && **host == *by.host)
        };
        for number in self.outstanding.begun_by(dead) {
            if let Some(check) = self.outstanding.get_mut(number) {
                check.stage = Stage::Sent;
            }
            self.received(number, now);
        }
    }

    async fn ask_how_it_is(&mut self) -> RedisResult<()> {
        let before = self.clock.moment();
        let state = self.sender.state().await?;
        let after = self.clock.now();
        let round_trip = after.mono.since(before);
        let there = state
            .at
            .as_micros()
            .saturating_add(i64::try_from(round_trip.as_micros() / 2).unwrap_or(0));
        let offset = after.wall.as_micros().saturating_sub(there);
        self.sender.learn_offset(offset);
        self.figures.depth = Some(state.depth);
        self.figures.held = Some(state.held);
        self.figures.round_trip = Some(round_trip);
        self.figures.broker_offset_micros = Some(offset);
        self.state_due = after.mono + STATE_PERIOD;
        Ok(())
    }

    /// Asks for results that may have been told while nobody listened. Gives the numbers of
    /// those that have none.
    pub(super) async fn ask_for(&mut self, numbers: &[u64]) -> RedisResult<Vec<u64>> {
        let mut without = Vec::new();
        for some in numbers.chunks(BATCH) {
            let ids: Vec<String> = some
                .iter()
                .map(|number| self.outstanding.id(*number))
                .collect();
            let results = self.sender.results(&ids).await?;
            let now = self.clock.now();
            for (number, result) in some.iter().zip(results) {
                // One that was told meanwhile is no duplicate.
                if self.outstanding.get(*number).is_none() {
                    continue;
                }
                match result {
                    Some(text) => {
                        self.answer(*number, &text, now);
                        // Begun is not answered.
                        if self.outstanding.get(*number).is_some() {
                            without.push(*number);
                        }
                    }
                    None => without.push(*number),
                }
            }
        }
        Ok(without)
    }

    /// Takes back what nobody wants any more, and what no worker took in time.
    async fn take_back(&mut self, now: Moment) -> RedisResult<()> {
        let mut texts: Vec<String> = self
            .outstanding
            .withdrawn()
            .into_iter()
            .map(|check| check.text)
            .collect();
        for check in self.outstanding.expired(now) {
            self.figures.expired += 1;
            texts.push(check.text);
            self.waiting.push_front(check.job);
        }
        for some in texts.chunks(BATCH) {
            self.sender.take_back(some).await?;
        }
        Ok(())
    }

    async fn ask_who_has_what(&mut self) -> RedisResult<()> {
        let numbers = self.outstanding.unsure(self.clock.moment(), 1_000);
        if numbers.is_empty() {
            return Ok(());
        }
        let tags: Vec<&str> = numbers
            .iter()
            .filter_map(|number| Some(&*self.outstanding.get(*number)?.tag))
            .collect();
        let held = self.sender.held(&tags).await?;
        let now = self.clock.moment();
        for (number, held) in numbers.into_iter().zip(held) {
            if held {
                self.received(number, now);
            }
        }
        Ok(())
    }

    /// Looks for messages that should have been answered by now, and sends again what is lost.
    async fn audit(&mut self) -> RedisResult<()> {
        let now = self.clock.moment();
        let numbers = self.outstanding.to_audit(now, AUDITS);
        if numbers.is_empty() {
            return Ok(());
        }
        let messages: Vec<(&str, &str)> = numbers
            .iter()
            .filter_map(|number| self.outstanding.get(*number))
            .map(|check| (&*check.tag, &*check.text))
            .collect();
        let places = self.sender.places(&messages).await?;
        let mut missing = Vec::new();
        for (number, place) in numbers.iter().zip(places) {
            match place {
                Place::Lost => missing.push(*number),
                Place::Held | Place::Queued => {
                    if place == Place::Held {
                        self.received(*number, now);
                    }
                    self.outstanding.audited(*number, place, now);
                }
            }
        }
        // A message goes from the queue to a worker to a result: one that is in neither of
        // the first two has a result, or is lost.
        let lost = self.ask_for(&missing).await?;
        let (mut again, mut texts) = (Vec::new(), Vec::new());
        for number in lost {
            match self.outstanding.audited(number, Place::Lost, now) {
                Remedy::Wait => {}
                Remedy::Resend => again.push(number),
                Remedy::GiveUp => self.lose(number),
            }
        }
        let wall = self.clock.timestamp();
        for number in again {
            let Some(check) = self.outstanding.get(number) else {
                continue;
            };
            let (id, tag) = (self.outstanding.id(number), Uuid::new_v4().to_string());
            if let Ok(text) = self.sender.text(&check.job, &id, &tag, wall) {
                self.outstanding.resent(number, tag, text.clone());
                texts.push(text);
            }
        }
        if !texts.is_empty() {
            tracing::warn!("{} messages were lost and are sent again", texts.len());
            let texts: Vec<&str> = texts.iter().map(|text| &**text).collect();
            self.sender.push(&texts).await?;
            self.figures.resent += texts.len() as u64;
        }
        Ok(())
    }

    /// A check was lost as often as it may be.
    fn lose(&mut self, number: u64) {
        let Some(check) = self.outstanding.take(number) else {
            return;
        };
        match check.taken {
            // Nobody has begun: it begins anew.
            None => self.waiting.push_front(check.job),
            Some((id, _)) => {
                let why = format!("the broker lost it {} times", check.resends + 1);
                let _unheard = self
                    .results
                    .send(refused(id, &check, &why, self.clock.now()));
            }
        }
    }

    /// Workers have had these too long: whoever takes them seems to die.
    pub(super) fn give_up(&mut self, now: Now) {
        for check in self.outstanding.hopeless(now.mono, self.patience) {
            if let Some((id, since)) = check.taken {
                let took = brief(now.mono.since(since));
                let why = format!("a worker took it {took} ago and no answer came");
                let _unheard = self.results.send(refused(id, &check, &why, now));
            }
        }
    }

    async fn drop_counted(&mut self) -> RedisResult<()> {
        for some in self.counted.chunks(BATCH) {
            self.sender.counted(some).await?;
        }
        self.counted.clear();
        Ok(())
    }
}
