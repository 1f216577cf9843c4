//! What lies over a screen: an overlay, a question, or a line in which text is typed.

use crate::domain::SiteId;

use super::history_view::CheckSpan;
use super::outages_state::OutageKey;
use super::site_form::SiteForm;

/// An overlay, or a line in which text is typed. The last layer takes the keys; `scroll` is
/// the number of the first visible line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    /// The help overlay.
    Help { scroll: usize },
    /// The line over the help in which it is typed what is searched.
    HelpFilter,
    /// The explanation of a site's verdict.
    Explain { site: SiteId, scroll: usize },
    /// The line in which a filter is typed.
    Filter,
    /// The line in which the note of an acknowledgement is typed: of the outages of these sites,
    /// which `about` names.
    Note {
        /// The site that the key meant.
        meant: SiteId,
        /// Whether the whole group is acknowledged.
        whole: bool,
        sites: Vec<SiteId>,
        about: String,
        text: String,
    },
    /// The form of a site.
    SiteForm(SiteForm),
    /// The line in which the tags of these sites are typed, which `about` names.
    Tags {
        sites: Vec<SiteId>,
        about: String,
        text: String,
    },
    /// The question whether to delete these sites, which `about` names.
    Delete { sites: Vec<SiteId>, about: String },
    /// The details of an outage.
    Outage { outage: OutageKey, scroll: usize },
    /// A message of the outbox, by its identifier.
    Message { id: Box<str>, scroll: usize },
    /// The last messages of the status line.
    RecentMessages { scroll: usize },
    /// The messages about an outage.
    OutageMessages { outage: OutageKey, scroll: usize },
    /// The checks of a site, one by one.
    SiteChecks {
        site: SiteId,
        span: CheckSpan,
        scroll: usize,
    },
    /// The history of a site.
    SiteHistory { site: SiteId, scroll: usize },
    /// The replay under other rules.
    Replay { scroll: usize },
}
