//! What takes the keys: a screen, or an overlay or line in front of it.

use super::key_scope::Scope;
use Scope as S;

/// The part of the screen that takes the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A screen, with the scopes of its entry in the table of screens.
    Screen(&'static [Scope]),
    /// The explanation of a site.
    Explain,
    /// A page with no keys of its own.
    Page,
    /// The help.
    Help,
    /// The line in which it is typed what is searched in the help.
    HelpFilter,
    /// The line in which a filter is typed.
    Filter,
    /// The line in which a note to an acknowledgement is typed.
    Note,
    /// The form of a site.
    SiteForm,
    /// The line in which tags are typed.
    Tags,
    /// A question that is answered by a key.
    Question,
    /// The page of an outage.
    Outage,
    /// The page of a site's history.
    SiteHistory,
    /// The page of the replay under other rules.
    Replay,
}

impl Mode {
    /// The scopes whose keys are active.
    pub(crate) const fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Screen(scopes) => scopes,
            Self::Explain => &[
                S::Always,
                S::Everywhere,
                S::Pager,
                S::Explain,
                S::Site,
                S::All,
                S::Demo,
            ],
            Self::Page => &[S::Always, S::Everywhere, S::Pager],
            Self::Help => &[S::Always, S::Everywhere, S::Pager, S::Help],
            Self::HelpFilter => &[S::Always, S::HelpFilter],
            Self::Outage => &[S::Always, S::Everywhere, S::Pager, S::OutagePage],
            Self::Filter => &[S::Always, S::Filter],
            Self::Note => &[S::Always, S::Note],
            Self::SiteForm => &[S::Always, S::SiteForm],
            Self::Tags => &[S::Always, S::Tags],
            Self::Question => &[S::Always, S::Question],
            Self::SiteHistory => &[S::Always, S::Everywhere, S::Pager, S::SiteHistory],
            Self::Replay => &[S::Always, S::Everywhere, S::Pager, S::Replay],
        }
    }
}
