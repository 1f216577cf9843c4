//! The delivery plan of a configuration: its owners and channels, with their secrets read.

use crate::config::{Config, Secret};
use crate::notify::{ChannelSettings, Credential, NotifyPlan};

/// The owners and channels of a configuration, with their secrets read.
#[must_use]
pub fn plan(config: &Config) -> NotifyPlan {
    let read = |secret: &Secret| Credential(secret.read().map_err(|error| error.to_string()));
    NotifyPlan {
        owners: config.owners.clone(),
        addresses: config
            .addresses
            .iter()
            .map(|(owner, channels)| {
                let channels = channels.iter();
                let read = channels.map(|(name, address)| (*name, address.map_secrets(read)));
                (owner.clone(), read.collect())
            })
            .collect(),
        settings: ChannelSettings {
            notify: config.notify.map_secrets(read),
            ca_file: config.monitor.ca_file.clone(),
        },
    }
}
