//! What is to be known of a site beside its state: that its outage is acknowledged.

use crate::domain::clean;
use crate::monitor::SiteState;

use super::format::{minute, moment};
use super::state::UiState;
use super::view_model::ViewModel;

/// A remark on a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remark {
    /// One cell.
    pub(crate) mark: &'static str,
    /// Who or what, and when or until when.
    pub(crate) text: String,
    /// The same in the fewest words, beside the mark.
    pub(crate) brief: String,
}

/// The remark on a site; `None` where there is nothing to be known.
pub(crate) fn remark(state: &UiState, model: &ViewModel<'_>, site: &SiteState) -> Option<Remark> {
    let known = site.outage()?.acknowledged.as_ref()?;
    let (now, zone) = (state.now(model).wall, &state.options.zone);
    let note = clean(&known.note, 200);
    let text = format!("acknowledged {} {note}", moment(known.at, now, zone));
    let brief = format!("{} {note}", minute(known.at, now, zone));
    Some(Remark {
        mark: "a",
        text: text.trim_end().to_owned(),
        brief: brief.trim_end().to_owned(),
    })
}
