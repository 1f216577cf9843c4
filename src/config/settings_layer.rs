//! What `[monitor]` and `[[defaults]]` say alike for many sites.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{CheckOptions, ConnectionOptions, MaskedText, MethodChoice};

use super::connection_table::read_connection;
use super::monitor_settings::MonitorSettings;
use super::notify_table::SecretReader;
use super::owners_table::read_owner_names;
use super::request_table::{RequestKeys, read_body, read_request};
use super::table_reader::TableReader;
use super::value_parsers;

/// What a table says for many sites; `None` for what it leaves to the table above.
#[derive(Clone, Debug, Default)]
pub(super) struct SettingsLayer {
    interval: Option<Duration>,
    timeout: Option<Duration>,
    slow: Option<Duration>,
    confirm: Option<u32>,
    confirm_delay: Option<Duration>,
    recover: Option<u32>,
    cert_warn: Option<Duration>,
    slow_after: Option<Duration>,
    owners: Option<Arc<[Box<str>]>>,
    user_agent: Option<Arc<str>>,
    method: Option<MethodChoice>,
    max_redirects: Option<u16>,
    request: RequestKeys,
    body: Option<MaskedText>,
    connection: ConnectionOptions,
}

impl SettingsLayer {
    /// Reads what `[monitor]` and `[[defaults]]` say alike.
    pub(super) fn read(
        table: &mut TableReader<'_>,
        owners: &HashSet<&str>,
        secrets: SecretReader<'_>,
    ) -> Self {
        Self {
            interval: table.text("interval", value_parsers::interval),
            timeout: table.text("timeout", value_parsers::positive_duration),
            slow: table.text("slow", value_parsers::positive_duration),
            confirm: table.number("confirm", 1..=1_000),
            confirm_delay: table.text("confirm_delay", value_parsers::duration),
            recover: table.number("recover", 1..=1_000),
            cert_warn: table.text("cert_warn", value_parsers::duration),
            slow_after: table.text("slow_after", value_parsers::duration),
            owners: read_owner_names(table, owners),
            user_agent: table.text("user_agent", value_parsers::header_value),
            method: table.text("method", value_parsers::method),
            max_redirects: table
                .number("max_redirects", 0..=100)
                .and_then(|most| u16::try_from(most).ok()),
            request: read_request(table, secrets),
            body: read_body(table, secrets),
            connection: read_connection(table, secrets),
        }
    }

    /// Sets what is said here.
    pub(super) fn apply(&self, settings: &mut MonitorSettings) {
        fn set<T: Clone>(value: &mut T, said: Option<&T>) {
            if let Some(said) = said {
                value.clone_from(said);
            }
        }
        set(&mut settings.interval, self.interval.as_ref());
        set(&mut settings.timeout, self.timeout.as_ref());
        set(&mut settings.slow, self.slow.as_ref());
        set(&mut settings.confirm, self.confirm.as_ref());
        set(&mut settings.confirm_delay, self.confirm_delay.as_ref());
        set(&mut settings.recover, self.recover.as_ref());
        set(&mut settings.cert_warn, self.cert_warn.as_ref());
        set(&mut settings.slow_after, self.slow_after.as_ref());
        set(&mut settings.owners, self.owners.as_ref());
        set(&mut settings.user_agent, self.user_agent.as_ref());
        set(&mut settings.method, self.method.as_ref());
        set(&mut settings.max_redirects, self.max_redirects.as_ref());
        let says = self.request.headers.is_some() || self.request.authorization.is_some();
        if says || self.body.is_some() || self.connection != *ConnectionOptions::NONE {
            let mut options = settings.options().clone();
            self.request.apply(&mut options);
            if self.body.is_some() {
                options.body.clone_from(&self.body);
            }
            self.connection.apply_to(&mut options.connection);
            settings.options = (options != *CheckOptions::NONE).then(|| Arc::new(options));
        }
    }
}
