//! Whether the broker can be used: it is a server of the right kind, and takes writes.

use std::collections::HashMap;
use std::time::Duration;

use redis::{RedisResult, Value, from_redis_value};
use tokio::time::timeout;

use super::broker::Broker;
use super::broker_connection::BrokerConnection;
use super::broker_error::{BrokerError, is_loading};
use super::keys;
use super::lua_scripts::Scripts;

/// Tests that messages can be written; leaves nothing behind.
pub(super) async fn test_write(
    scripts: &Scripts,
    commands: &mut BrokerConnection,
    queue: &str,
) -> RedisResult<()> {
    let script = scripts.test_write.key(keys::write_test(queue));
    script.invoke_async(commands).await
}

/// Checks that the broker can be used for `queue`, `within` this time. One that is still reading its
/// data can be used soon.
///
/// # Errors
/// If it does not answer, refuses the user or writes, or is a node of a Redis Cluster or a Sentinel.
pub(super) async fn examine(
    broker: &Broker,
    queue: &str,
    within: Duration,
) -> Result<(), BrokerError> {
    let mut commands = BrokerConnection::to(broker);
    let examined = async {
        // Redis before 6 does not know it, nor has users to whom it is forbidden.
        match redis::cmd("HELLO")
            .query_async::<Value>(&mut commands)
            .await
        {
            Ok(hello) => match mode(hello).as_deref() {
                Some("cluster") => return Err(BrokerError::Cluster(broker.shown().to_owned())),
                Some("sentinel") => return Err(BrokerError::Sentinel(broker.shown().to_owned())),
                _ => {}
            },
            Err(error) if error.code() == Some("ERR") => {}
            Err(error) => return Err(broker.unreachable(error)),
        }
        match test_write(&Scripts::new(), &mut commands, queue).await {
            Err(error) if !is_loading(&error) => Err(broker.unreachable(error)),
            _ => Ok(()),
        }
    };
    match timeout(within, examined).await {
        Ok(examined) => examined,
        Err(_) => Err(broker.unreachable(super::broker::silent())),
    }
}

/// The kind of server that HELLO tells: `standalone`, `sentinel` or `cluster`.
fn mode(hello: Value) -> Option<String> {
    let mut fields: HashMap<String, Value> = from_redis_value(hello).ok()?;
    from_redis_value(fields.remove("mode")?).ok()
}
