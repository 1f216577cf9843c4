//! `[queue]`: the broker between the monitor and Celery workers. The keys and their defaults
//! are those of [`QueueOptions`].

use crate::domain::{QueueOptions, Site, plural};

use super::configuration::Config;
use super::diagnostic_sink::DiagnosticSink;
use super::notify_table::SecretReader;
use super::table_reader::TableReader;
use super::value_parsers;

/// Reads `[queue]`. Unknown keys may hold passwords, so their values are not shown.
pub(super) fn read_queue(table: TableReader<'_>, secrets: SecretReader<'_>) -> QueueOptions {
    let default = QueueOptions::default();
    let mut table = table.private();
    let options = QueueOptions {
        broker: table.text("broker", value_parsers::broker_url),
        name: table
            .text("name", value_parsers::queue_name)
            .unwrap_or(default.name),
        expires: table
            .text("expires", value_parsers::positive_duration)
            .unwrap_or(default.expires),
        visibility_timeout: table.text("visibility_timeout", value_parsers::positive_duration),
        result_expires: table
            .text("result_expires", value_parsers::positive_duration)
            .unwrap_or(default.result_expires),
        canaries: default.canaries,
        key: secrets.read_text(&mut table, "key", &|_| Ok(())),
    };
    table.finish();
    options
}

/// Warns of checks that the broker of the file would not get.
pub(super) fn warn_of_secrets(config: &Config, queue_at: usize, sink: &mut DiagnosticSink) {
    if config.queue.broker.is_none() || config.queue.key.is_some() {
        return;
    }
    let secret = |site: &&Site| site.spec.options().have_secrets();
    let count = config.sites.iter().filter(secret).count();
    if count > 0 {
        let sentence = format!(
            "{} with secrets, and no key to seal them: under celery they are not checked",
            plural(count, "site")
        );
        sink.warning(queue_at, &"queue.key", &sentence);
    }
}

impl Config {
    /// The queue as it is used: the broker of the command line takes precedence over the one
    /// of the file, and the visibility timeout is chosen by the longest timeout of a site.
    #[must_use]
    pub fn queue_options(&self) -> QueueOptions {
        let longest = self.sites.iter().map(|site| site.spec.timeout).max();
        let mut options = self
            .queue
            .clone()
            .for_checks_of(longest.unwrap_or_default());
        options.broker = self.named_broker.clone().or(options.broker);
        options
    }
}
