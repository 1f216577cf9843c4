//! The configuration after it was read and found valid: settings, owners and sites.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::domain::{
    MaintenanceWindows, MaskedUrl, NotifySettings, Owner, OwnerAddresses, QueueOptions, Retention,
    Site,
};

use super::files::SourceFile;
use super::monitor_settings::MonitorSettings;
use super::secret::Secret;

/// Everything that `sites.toml` and its included lists say, every default filled in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The path of `sites.toml` as it was given; `None` where the sites came from the command
    /// line.
    pub path: Option<PathBuf>,
    /// The table `[monitor]`: defaults of sites, canaries.
    pub monitor: MonitorSettings,
    /// `[workers]`: the most checks in flight at once, 1 to 1,000,000, by name of paradigm.
    pub workers: BTreeMap<Box<str>, usize>,
    /// `[owners]`, in the order of their names.
    pub owners: Vec<Owner>,
    /// The addresses of the owners, by owner and channel.
    pub addresses: OwnerAddresses<Secret>,
    /// The table `[notify]`: channels and digests.
    pub notify: NotifySettings<Secret>,
    /// The table `[history]`: file and retention.
    pub history: Retention,
    /// The table `[queue]`: broker and time limits.
    pub queue: QueueOptions,
    /// The broker of `--broker` or `SQUIRREL_BROKER`; takes precedence over `queue.broker`.
    pub named_broker: Option<MaskedUrl>,
    /// `[[maintenance]]`, and `sites[N].maintenance`.
    pub maintenance: MaintenanceWindows,
    /// `[[sites]]` in the order of the file, then those of the included lists. Names are
    /// unique.
    pub sites: Vec<Site>,
    /// The files that were read, with their content at that time; a [`Watcher`] compares
    /// against it.
    ///
    /// [`Watcher`]: super::Watcher
    pub sources: Vec<SourceFile>,
    /// Warnings: valid settings that are probably not what was meant, one line each with file,
    /// line and key.
    pub warnings: Vec<Box<str>>,
}
