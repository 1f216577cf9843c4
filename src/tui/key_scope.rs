//! The parts of the screen that have keys of their own.

/// The part of the screen in which a key is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Everywhere, even while text is typed.
    Always,
    /// On every screen and overlay, except while text is typed.
    Everywhere,
    /// On every screen, if there are several.
    Screens,
    /// In the table of sites.
    Sites,
    /// On every screen that shows sites: keys that act on all of them.
    All,
    /// On the Scheduling screen.
    Sched,
    /// On the Race screen.
    Race,
    /// The keys of the Lab.
    Lab,
    /// On the Outages screen.
    Outages,
    /// On the page of an outage.
    OutagePage,
    /// On the page of a site's history.
    SiteHistory,
    /// On the page of the replay under other rules.
    Replay,
    /// While the note of an acknowledgement is typed.
    Note,
    /// In the form of a site.
    SiteForm,
    /// While tags are typed.
    Tags,
    /// In front of a question.
    Question,
    /// On the selected site, in the table and in its explanation.
    Site,
    /// On the selected demo site.
    Demo,
    /// In an overlay that scrolls.
    Pager,
    /// In the explanation of a site.
    Explain,
    /// In the help.
    Help,
    /// While it is typed what is searched in the help.
    HelpFilter,
    /// While a filter is typed.
    Filter,
}

impl Scope {
    /// All of them, in the order of the help and of docs/keys.md.
    pub(crate) const ALL: [Self; 23] = [
        Self::Sites,
        Self::Site,
        Self::Demo,
        Self::All,
        Self::Sched,
        Self::Race,
        Self::Lab,
        Self::Outages,
        Self::OutagePage,
        Self::SiteHistory,
        Self::Replay,
        Self::Note,
        Self::SiteForm,
        Self::Tags,
        Self::Question,
        Self::Everywhere,
        Self::Screens,
        Self::Filter,
        Self::Help,
        Self::HelpFilter,
        Self::Explain,
        Self::Pager,
        Self::Always,
    ];

    /// The title in the help and in docs/keys.md.
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
            Self::OutagePage => "Page of an outage",
            Self::SiteHistory => "History of a site",
            Self::Replay => "Replay under other rules",
            Self::Note => "While typing a note",
            Self::SiteForm => "Form of a site",
            Self::Tags => "While typing tags",
            Self::Question => "Question",
            Self::Site => "Selected site",
            Self::Demo => "Selected site, in the demo",
            Self::Pager => "Explanation and help",
            Self::Explain => "Explanation",
            Self::Help => "Help",
            Self::HelpFilter => "While searching the help",
            Self::Filter => "While typing a filter",
        }
    }
}
