//! What of a configuration concerns the engine.

use std::collections::HashMap;

use crate::alert::AlertRules;
use crate::config::Config;
use crate::engine::EngineConfig;
use crate::notify;

use super::channel_settings::plan;

/// The engine's part of a configuration; the owners of `others`, where it is given, are told
/// of every site in place of its own.
#[must_use]
pub(super) fn engine_config(
    config: &Config,
    others: Option<&Config>,
    canaries: bool,
) -> EngineConfig {
    let plan = plan(others.unwrap_or(config));
    let channels: HashMap<Box<str>, Vec<Box<str>>> = plan
        .owners
        .iter()
        .map(|owner| {
            let channels = notify::channels_of(&plan, &owner.name);
            let channels = channels.map(|entry| Box::from(entry.name)).collect();
            (owner.name.clone(), channels)
        })
        .collect();
    EngineConfig {
        sites: config.sites.clone(),
        alerts: AlertRules {
            digest: plan.settings.notify.digest,
            remind: plan.settings.notify.remind,
            owners: plan.owners,
            channels,
            last_resort: others.unwrap_or(config).monitor.owners.to_vec(),
            everybody: others.is_some(),
            windows: config.maintenance.clone(),
        },
        canaries,
    }
}
