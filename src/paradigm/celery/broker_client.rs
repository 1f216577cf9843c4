//! The producer's commands to the broker, each in as few round trips as possible.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::{RedisResult, Value, pipe};

use crate::domain::{Job, MaskedUrl, Timestamp, clean};
use crate::paradigm::QueueOptions;
use crate::probe::FactoryConfig;
use crate::trace::Recorder;

use super::broker::Broker;
use super::broker_connection::BrokerConnection;
use super::broker_health::test_write;
use super::connectivity::TaskCanaries;
use super::in_flight::MessagePlace;
use super::lua_scripts::Scripts;
use super::message::OutgoingTask;
use super::sealed_options::OptionsKey;
use super::task::{self, TaskArguments};
use super::{keys, result_backend};

/// How long a counted result stays in Redis, in seconds: so that the worker of a late duplicate
/// finds it and drops the duplicate.
const COUNTED_RESULT_EXPIRY_SECONDS: i64 = 10;

/// The producer's connection to the broker.
pub(super) struct BrokerClient {
    commands: BrokerConnection,
    scripts: Scripts,
    queue: Box<str>,
    lifetime: Duration,
    factory_config: FactoryConfig,
    canaries: Option<TaskCanaries>,
    recorder: Arc<Recorder>,
    origin: String,
    /// Microseconds to add to the broker's clock to get this machine's; `None` if unknown yet.
    offset_micros: Option<i64>,
    /// The key by which options with secrets are sealed.
    key: Option<OptionsKey>,
}

/// Why a check cannot be sent.
#[derive(Debug)]
pub(super) enum UnsendableCheck {
    /// It has secrets, and there is no key by which they could be sealed.
    NoKey,
    /// Its secrets cannot be sealed.
    NotSealed,
    /// It has no form in JSON.
    Json(serde_json::Error),
}

impl fmt::Display for UnsendableCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey => {
                f.write_str("its secrets are not sent over the queue unsealed: [queue] has no key")
            }
            Self::NotSealed => f.write_str("its secrets cannot be sealed"),
            Self::Json(error) => write!(f, "it cannot be written as JSON: {error}"),
        }
    }
}

impl std::error::Error for UnsendableCheck {}

/// The state of the broker.
#[derive(Clone, Copy, Debug)]
pub(super) struct BrokerState {
    pub(super) depth: u64,
    pub(super) held: u64,
    /// Messages that were handed to waiting workers and are not claimed.
    pub(super) handed: u64,
    pub(super) at: Timestamp,
}

impl BrokerClient {
    pub(super) fn new(
        broker: &Broker,
        options: &QueueOptions,
        factory_config: FactoryConfig,
        recorder: Arc<Recorder>,
    ) -> Self {
        let here = crate::trace::here();
        Self {
            commands: BrokerConnection::to(broker),
            scripts: Scripts::new(),
            queue: options.name.clone(),
            lifetime: options.expires,
            canaries: (!options.canaries.is_empty()).then(|| TaskCanaries {
                monitor: (*here.host).into(),
                urls: options.canaries.clone(),
            }),
            factory_config,
            recorder,
            origin: format!("squirrel-{}@{}", here.pid, here.host),
            offset_micros: None,
            key: options.key.as_ref().and_then(OptionsKey::of),
        }
    }

    pub(super) fn learn_offset(&mut self, micros: i64) {
        self.offset_micros = Some(micros);
    }

    /// Whether the broker's clock is known, by which messages expire.
    pub(super) const fn knows_time(&self) -> bool {
        self.offset_micros.is_some()
    }

    /// The text of a job's message; its expiry is by the broker's clock.
    ///
    /// # Errors
    /// If the check has secrets and there is no key for them, or cannot be written as JSON.
    pub(super) fn text(
        &self,
        job: &Job,
        id: &str,
        tag: &str,
        now: Timestamp,
    ) -> Result<String, UnsendableCheck> {
        let has_secrets = job.spec.options().have_secrets();
        let sealed = match &self.key {
            _ if !has_secrets => None,
            None => return Err(UnsendableCheck::NoKey),
            Some(key) => {
                let sealed = key.seal(&job.spec, &self.factory_config);
                Some(sealed.ok_or(UnsendableCheck::NotSealed)?)
            }
        };
        let options = job.spec.options.as_deref();
        let arguments = TaskArguments {
            job: crate::domain::JobId {
                site: job.site,
                due: job.ticket.due(),
            },
            spec: &job.spec,
            options: options.filter(|_| sealed.is_none()),
            sealed,
            traced: self.recorder.is_on(),
            locked: self.recorder.interpreter_lock().is_some(),
            trust: &self.factory_config,
            canaries: self.canaries.as_ref(),
        };
        let micros = i64::try_from(self.lifetime.as_micros()).unwrap_or(i64::MAX);
        let now = now
            .as_micros()
            .saturating_sub(self.offset_micros.unwrap_or(0));
        let host = job.spec.url.host_and_path();
        // The query may hold a secret.
        let host = host.split(['?', '#']).next().unwrap_or_default();
        OutgoingTask {
            task: task::NAME,
            id,
            tag,
            queue: &self.queue,
            argument: &arguments,
            shown: &clean(MaskedUrl::new(format!("('{host}',)")).shown(), 200),
            expires: Timestamp::from_micros(now.saturating_add(micros)),
            origin: &self.origin,
        }
        .encode()
        .map_err(UnsendableCheck::Json)
    }

    pub(super) async fn push(&mut self, texts: &[&str]) -> RedisResult<()> {
        redis::cmd("LPUSH")
            .arg(&*self.queue)
            .arg(texts)
            .exec_async(&mut self.commands)
            .await
    }

    /// Removes messages from the queue that no worker has taken.
    pub(super) async fn withdraw(&mut self, texts: &[String]) -> RedisResult<()> {
        let mut batch = pipe();
        for text in texts {
            batch
                .cmd("LREM")
                .arg(&*self.queue)
                .arg(-1)
                .arg(text)
                .ignore();
        }
        batch.exec_async(&mut self.commands).await
    }

    /// The results of tasks, in the order of `ids`; `None` for a task without one.
    pub(super) async fn results(&mut self, ids: &[String]) -> RedisResult<Vec<Option<Vec<u8>>>> {
        let keys: Vec<String> = ids.iter().map(|id| result_backend::key(id)).collect();
        redis::cmd("MGET")
            .arg(keys)
            .query_async(&mut self.commands)
            .await
    }

    /// Lets the results of these tasks expire soon: they are counted.
    pub(super) async fn counted(&mut self, ids: &[String]) -> RedisResult<()> {
        let mut batch = pipe();
        for id in ids {
            batch
                .cmd("EXPIRE")
                .arg(result_backend::key(id))
                .arg(COUNTED_RESULT_EXPIRY_SECONDS)
                .ignore();
        }
        batch.exec_async(&mut self.commands).await
    }

    /// Whether workers hold the messages, in the order of `tags`.
    pub(super) async fn held(&mut self, tags: &[&str]) -> RedisResult<Vec<bool>> {
        self.scripts
            .held
            .key(keys::UNACKED)
            .arg(tags)
            .invoke_async(&mut self.commands)
            .await
    }

    /// The places of messages, given by tag and text.
    pub(super) async fn places(
        &mut self,
        messages: &[(&str, &str)],
    ) -> RedisResult<Vec<MessagePlace>> {
        let mut audit = self.scripts.audit.key(keys::UNACKED);
        audit.key(&*self.queue).key(keys::handoff(&self.queue));
        for (tag, text) in messages {
            audit.arg(*tag).arg(*text);
        }
        let places: Vec<u8> = audit
            .invoke_async::<Vec<Value>>(&mut self.commands)
            .await
            .map(|values| {
                values
                    .into_iter()
                    .map(|value| {
                        u8::from(value == Value::Int(1)) + 2 * u8::from(value == Value::Int(2))
                    })
                    .collect()
            })?;
        Ok(places
            .into_iter()
            .map(|place| match place {
                2 => MessagePlace::Held,
                1 => MessagePlace::Queued,
                _ => MessagePlace::Lost,
            })
            .collect())
    }

    /// Puts messages back on the queue that were handed to workers and not claimed: those workers
    /// have ended.
    pub(super) async fn put_back(&mut self) -> RedisResult<usize> {
        let mut script = self.scripts.put_back.key(keys::handoff(&self.queue));
        let script = script.key(&*self.queue);
        script.invoke_async(&mut self.commands).await
    }

    /// Tests that the broker takes messages.
    pub(super) async fn test_write(&mut self) -> RedisResult<()> {
        test_write(&self.scripts, &mut self.commands, &self.queue).await
    }

    /// The depth of the queue, the number of held messages, and the broker's time.
    pub(super) async fn state(&mut self) -> RedisResult<BrokerState> {
        let (depth, handed, held, (seconds, micros)): (u64, u64, u64, (i64, i64)) = pipe()
            .cmd("LLEN")
            .arg(&*self.queue)
            .cmd("LLEN")
            .arg(keys::handoff(&self.queue))
            .cmd("HLEN")
            .arg(keys::UNACKED)
            .cmd("TIME")
            .query_async(&mut self.commands)
            .await?;
        Ok(BrokerState {
            depth,
            held,
            handed,
            at: Timestamp::from_micros(seconds.saturating_mul(1_000_000).saturating_add(micros)),
        })
    }
}
