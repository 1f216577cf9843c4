//! Where a key counts: the parts of the screen that have keys of their own.

/// Where a key counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Even while text is typed.
    Always,
    /// On every screen and overlay.
    Everywhere,
    /// Between screens, once there are several.
    Screens,
    /// In the table of sites.
    Sites,
    /// On all sites, wherever they are seen.
    All,
    /// On the Scheduling screen.
    Sched,
    /// On the Race screen.
    Race,
    /// In the Lab.
    Lab,
    /// On the Outages screen.
    Outages,
    /// On the page of a site's past.
    SiteHistory,
    /// On the page of the past under other rules.
    Replay,
    /// While a note is typed.
    Note,
    /// On the selected site, in the table and in its explanation.
    Site,
    /// On the selected site of the demonstration fleet.
    Demo,
    /// In a text longer than the screen.
    Pager,
    /// In the explanation of a site.
    Explain,
    /// While a filter is typed.
    Filter,
}

impl Scope {
    /// The order of help and README.
    pub(crate) const ALL: [Self; 17] = [
        Self::Sites,
        Self::Site,
        Self::Demo,
        Self::All,
        Self::Sched,
        Self::Race,
        Self::Lab,
        Self::Outages,
        Self::SiteHistory,
        Self::Replay,
        Self::Note,
        Self::Everywhere,
        Self::Screens,
        Self::Filter,
        Self::Explain,
        Self::Pager,
        Self::Always,
    ];

    /// The heading in help and README.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::Everywhere => "Everywhere",
            Self::Screens => "Screens",
            Self::Sites => "Table of sites",
            Self::All => "All sites",
            Self::Sched => "Scheduling",
            Self::Race => "Race",
            Self::Lab => "Lab",
            Self::Outages => "Outages",
            Self::SiteHistory => "Past of a site",
            Self::Replay => "The past under other rules",
            Self::Note => "While typing a note",
            Self::Site => "Selected site",
            Self::Demo => "Selected site, in the demo",
            Self::Pager => "Explanation and help",
            Self::Explain => "Explanation",
            Self::Filter => "While typing a filter",
        }
    }
}
