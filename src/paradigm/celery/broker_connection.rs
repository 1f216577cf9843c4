//! A connection to the broker that is made when it is needed, and again after it breaks, to whichever
//! server is then the one to use.

use std::fmt;
use std::sync::Arc;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, Pipeline, RedisError, RedisFuture, RedisResult, Value};
use tokio::sync::Mutex;

use super::broker::{Broker, RESPONSE_TIMEOUT};
use super::broker_error::is_read_only;

/// A connection for commands. A clone shares it. A command that it breaks under fails, and whether it
/// was executed is unknown.
#[derive(Clone)]
pub(super) struct BrokerConnection {
    broker: Broker,
    current: Arc<Mutex<Current>>,
}

#[derive(Default)]
struct Current {
    connection: Option<MultiplexedConnection>,
    /// [`Broker::moves`] when it was made: it leads to a server that is not used any more if that has
    /// changed.
    moves: u64,
    /// The number of this connection, so that what broke an earlier one does not end it.
    number: u64,
}

impl fmt::Debug for BrokerConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BrokerConnection")
            .field(&self.broker)
            .finish()
    }
}

impl BrokerConnection {
    pub(super) fn to(broker: &Broker) -> Self {
        Self {
            broker: broker.clone(),
            current: Arc::default(),
        }
    }

    /// The connection and its number. Where several commands find none, one of them makes it and the
    /// others wait.
    async fn connection(&self) -> RedisResult<(MultiplexedConnection, u64)> {
        let mut current = self.current.lock().await;
        if let Some(connection) = &current.connection
            && current.moves == self.broker.moves()
        {
            return Ok((connection.clone(), current.number));
        }
        current.connection = None;
        let connection = self.broker.connect(Some(RESPONSE_TIMEOUT)).await?;
        current.moves = self.broker.moves();
        current.number += 1;
        current.connection = Some(connection.clone());
        Ok((connection, current.number))
    }

    /// Ends connection `number` if what it replied, or that it did not, tells that it broke or leads to a
    /// replica. An error of the server is a reply.
    async fn after(&self, number: u64, outcome: Result<&[Value], &RedisError>) {
        let (broken, replica) = match outcome {
            Ok(replies) => (false, replies.iter().any(is_from_replica)),
            Err(error) => (ends_connection(error), is_read_only(error)),
        };
        if broken || replica {
            let mut current = self.current.lock().await;
            if current.number == number && current.connection.take().is_some() && replica {
                self.broker.turn_away(current.moves);
            }
        }
    }
}

/// Whether a server says that it has become a replica, or was always one.
fn is_from_replica(reply: &Value) -> bool {
    match reply {
        Value::ServerError(error) => is_read_only(&RedisError::from(error.clone())),
        _ => false,
    }
}

fn ends_connection(error: &RedisError) -> bool {
    error.is_unrecoverable_error() || error.is_connection_dropped() || error.is_timeout()
}

impl ConnectionLike for BrokerConnection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let (mut connection, number) = self.connection().await?;
            let outcome = connection.req_packed_command(command).await;
            let replies = outcome.as_ref().map(std::slice::from_ref);
            self.after(number, replies).await;
            outcome
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let (mut connection, number) = self.connection().await?;
            let outcome = connection
                .req_packed_commands(commands, offset, count)
                .await;
            self.after(number, outcome.as_deref()).await;
            outcome
        })
    }

    fn get_db(&self) -> i64 {
        self.broker.database()
    }
}
