//! The queue between the monitor and Celery workers: its options and their defaults.

use std::time::Duration;

use super::{MaskedText, MaskedUrl};

/// The options of the queue: `[queue]` of `sites.toml`, and what the paradigm `celery` uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueOptions {
    /// The URL of the broker; `None` starts a broker on a private socket of this machine.
    pub broker: Option<MaskedUrl>,
    /// The name of the queue: the Redis list that holds waiting checks.
    pub name: Box<str>,
    /// A check that no worker took within this time is discarded and sent again.
    pub expires: Duration,
    /// A worker that is silent about a check for this long has lost it: another takes it.
    /// `None`: [`QueueOptions::for_checks_of`] chooses.
    pub visibility_timeout: Option<Duration>,
    /// How long workers keep results in Redis; the monitor deletes its own once it has read
    /// them.
    pub result_expires: Duration,
    /// Whom workers on other machines ask before they report a failure; none: all are reported.
    pub canaries: Vec<MaskedUrl>,
    /// The key by which the secrets of checks are sealed on their way; `None`: checks with secrets
    /// are not sent.
    pub key: Option<MaskedText>,
}

impl QueueOptions {
    /// The visibility timeout of a worker that was given none, and the least that is chosen
    /// for a list of sites.
    pub const MIN_VISIBILITY_TIMEOUT: Duration = Duration::from_secs(30);

    /// These options with a visibility timeout for checks that take at most `timeout`: twice
    /// that, and at least [`Self::MIN_VISIBILITY_TIMEOUT`]. A configured one stays.
    #[must_use]
    pub fn for_checks_of(mut self, timeout: Duration) -> Self {
        let chosen = Self::MIN_VISIBILITY_TIMEOUT.max(2 * timeout);
        self.visibility_timeout.get_or_insert(chosen);
        self
    }

    /// The visibility timeout in force.
    #[must_use]
    pub fn visibility_timeout(&self) -> Duration {
        self.visibility_timeout
            .unwrap_or(Self::MIN_VISIBILITY_TIMEOUT)
    }
}

impl Default for QueueOptions {
    fn default() -> Self {
        Self {
            broker: None,
            name: "celery".into(),
            expires: Duration::from_secs(300),
            visibility_timeout: None,
            result_expires: Duration::from_secs(86_400),
            canaries: Vec::new(),
            key: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visibility_timeout_is_twice_the_longest_check_unless_it_is_configured() {
        let seconds = Duration::from_secs;
        let chosen = |timeout| {
            QueueOptions::default()
                .for_checks_of(seconds(timeout))
                .visibility_timeout()
        };
        assert_eq!(chosen(0), seconds(30));
        assert_eq!(chosen(15), seconds(30));
        assert_eq!(chosen(60), seconds(120));
        let configured = QueueOptions {
            visibility_timeout: Some(seconds(3)),
            ..QueueOptions::default()
        };
        let configured = configured.for_checks_of(seconds(60));
        assert_eq!(configured.visibility_timeout(), seconds(3));
    }
}
