//! From what a configuration says of the queue to what its paradigm wants to know.

use std::time::Duration;

use crate::config::Config;
use crate::paradigm::QueueOptions;

/// The queue of a configuration. Without a word on it, a worker may be silent for twice as
/// long as the longest check may take, and for half a minute at least.
#[must_use]
pub fn queue_options(config: &Config) -> QueueOptions {
    let default = QueueOptions::default();
    let settings = &config.queue;
    let longest = config.sites.iter().map(|site| site.spec.timeout).max();
    let visibility = longest
        .map_or(Duration::ZERO, |longest| 2 * longest)
        .max(default.visibility_timeout);
    QueueOptions {
        broker: settings.named.clone().or_else(|| settings.broker.clone()),
        name: settings.name.clone().unwrap_or(default.name),
        expires: settings.expires.unwrap_or(default.expires),
        visibility_timeout: settings.visibility_timeout.unwrap_or(visibility),
        result_expires: settings.result_expires.unwrap_or(default.result_expires),
    }
}
