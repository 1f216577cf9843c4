//! Why owners are not told of a site at present, and why nobody was told of an outage.

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// Why owners are not told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Silence {
    /// Outages are expected until then.
    Maintenance(Timestamp),
    /// This site, which it depends on, is down.
    Parent(Box<str>),
    /// This site, which it depends on, fails, and its outage is not confirmed yet.
    ParentFailing(Box<str>),
    /// This site, which it depends on, is being checked.
    ParentUnchecked(Box<str>),
}

/// Why nobody was told of an outage: the rule that decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Untold {
    /// The site has no owner.
    NoOwner,
    /// None of its owners is to be told of outages.
    Unwanted,
    /// None of its owners is reached by a channel.
    NoChannel,
    /// The site was silenced.
    Silenced(Silence),
    /// Its checks are paused.
    Paused,
    /// Silence is over, and a check has to find the site down still; or the outage was over before that.
    NotYet,
}
