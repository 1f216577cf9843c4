//! The loop itself.

use crate::domain::Clock;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{MissedTickBehavior, interval, timeout};
use uuid::Uuid;

use super::super::broker::{self, Broker};
use super::super::listen::News;
use super::state::{BATCH, Producer, TICK, Word};

/// How long it may take at the end to take back what was sent.
pub(in crate::paradigm::celery) const TAKE_BACK_WITHIN: Duration = Duration::from_millis(200);

impl Producer {
    /// Sends and receives until nobody talks to it any more.
    pub(in crate::paradigm::celery) async fn run(
        mut self,
        mut words: UnboundedReceiver<Word>,
        mut news: UnboundedReceiver<News>,
    ) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut said, mut told) = (Vec::new(), Vec::new());
        loop {
            tokio::select! {
                number = words.recv_many(&mut said, 4_096) => {
                    if number == 0 {
                        return self.end().await;
                    }
                    for word in said.drain(..) {
                        match word {
                            Word::Job(job) => self.waiting.push(job),
                            Word::Most(most) => self.most = most,
                        }
                    }
                    self.board.unheard.fetch_sub(number, Ordering::Relaxed);
                }
                _ = news.recv_many(&mut told, 1_024) => {
                    let now = self.clock.now();
                    for one in told.drain(..) {
                        self.hear(one, now);
                    }
                }
                _ = tick.tick() => self.look_after().await,
            }
            self.send().await;
            self.show_census();
        }
    }

    /// Nobody wants answers any more: takes back what no worker has, if that is quickly done.
    async fn end(mut self) {
        if self.trouble.is_some() || self.figures.local {
            return;
        }
        let texts = self.outstanding.untaken();
        let taken = async {
            for some in texts.chunks(BATCH) {
                self.sender.take_back(some).await?;
            }
            redis::RedisResult::Ok(())
        };
        if !matches!(timeout(TAKE_BACK_WITHIN, taken).await, Ok(Ok(()))) {
            tracing::debug!("some messages stay on the queue until they expire");
        }
    }

    /// Sends what may be sent.
    async fn send(&mut self) {
        while self.trouble.is_none() && self.outstanding.len() < self.most {
            let room = (self.most - self.outstanding.len()).min(BATCH);
            let now = self.clock.now();
            let mut numbers = Vec::new();
            let anew = room.min(self.again.len());
            let again = self.again.drain(..anew);
            let again = again.map(|(job, taken)| (job, Some(taken)));
            let waiting = std::iter::from_fn(|| Some((self.waiting.next()?, None)));
            for (job, taken) in again.chain(waiting).take(room) {
                let number = self.outstanding.issue();
                let (id, tag) = (self.outstanding.id(number), Uuid::new_v4().to_string());
                match self.sender.text(&job, &id, &tag, now.wall) {
                    Ok(text) => {
                        let message = (tag, text);
                        self.outstanding
                            .sent(number, job, message, now.mono, self.lifetime);
                        if let Some(taken) = taken {
                            self.outstanding.keep(number, taken);
                        }
                        numbers.push(number);
                    }
                    Err(error) => tracing::error!("a check cannot be sent: {error}"),
                }
            }
            if numbers.is_empty() {
                return;
            }
            let texts: Vec<&str> = numbers
                .iter()
                .filter_map(|number| Some(&*self.outstanding.get(*number)?.text))
                .collect();
            // Whether they arrived is not known if this fails: they are looked for then.
            let pushed = self.sender.push(&texts).await;
            self.note(pushed);
        }
    }
}

/// Whether a broker that has just been started is ready, or will never be.
pub(in crate::paradigm::celery) async fn ready(
    broker: &Broker,
    within: Duration,
) -> Result<(), String> {
    let mut commands = broker
        .commands()
        .map_err(|error| broker.unreachable(&error))?;
    let deadline = tokio::time::Instant::now() + within;
    loop {
        match redis::cmd("PING")
            .query_async::<String>(&mut commands)
            .await
        {
            Ok(_) => return Ok(()),
            Err(error) if tokio::time::Instant::now() < deadline || broker::is_loading(&error) => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(error) => return Err(broker.unreachable(&error)),
        }
    }
}
