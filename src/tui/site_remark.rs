//! What is to be known of a site beside its state: maintenance, silence, an acknowledgement; and why
//! nobody was told of an outage.

use jiff::tz::TimeZone;
use unicode_width::UnicodeWidthStr as _;

use crate::domain::{Silence, Timestamp, Untold, clean};
use crate::monitor::SiteState;

use super::format::{minute, moment};
use super::state::UiState;
use super::view_model::ViewModel;

/// A remark on a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remark {
    /// The mark, of one cell.
    pub(crate) mark: &'static str,
    /// Who or what, and when or until when.
    pub(crate) text: String,
    /// The same in the fewest words, beside the mark.
    pub(crate) brief: String,
}

/// What is to be known of a site whose certificate is not verified.
pub(crate) const UNVERIFIED: &str = "certificate not verified";

/// The remark on a site; `None` where there is nothing to be known.
pub(crate) fn remark(state: &UiState, model: &ViewModel<'_>, site: &SiteState) -> Option<Remark> {
    let (now, zone) = (state.now(model).wall, &state.options.zone);
    let silence = (model.silence)(site.id());
    let outage = site.outage();
    let known = outage.and_then(|outage| outage.acknowledged.as_ref());
    let verifies = site.site().spec.options().connection.verifies();
    let (mark, brief) = match (&silence, known) {
        (Some(Silence::Maintenance(until)), _) => {
            ("m", format!("until {}", minute(*until, now, zone)))
        }
        (
            Some(
                Silence::Parent(name)
                | Silence::ParentFailing(name)
                | Silence::ParentUnchecked(name),
            ),
            _,
        ) => ("s", format!("by {}", clean(name, 60))),
        (None, Some(known)) => {
            let note = clean(&known.note, 200);
            ("a", format!("{} {note}", minute(known.at, now, zone)))
        }
        (None, None) if !verifies => ("!", UNVERIFIED.to_owned()),
        (None, None) => return None,
    };
    let known = known.map(|known| {
        let at = moment(known.at, now, zone);
        let text = format!("acknowledged {at} {}", clean(&known.note, 200));
        text.trim_end().to_owned()
    });
    let silence = silence.map(|silence| silence_in_words(&silence, now, zone));
    let unverified = (!verifies).then(|| format!("{UNVERIFIED} (verify = false)"));
    let texts = silence.into_iter().chain(known).chain(unverified);
    let texts: Vec<String> = texts.collect();
    Some(Remark {
        mark,
        text: texts.join("; "),
        brief: brief.trim_end().to_owned(),
    })
}

/// Why nobody is told of a site, and until when, if that is known.
pub(crate) fn silence_in_words(silence: &Silence, now: Timestamp, zone: &TimeZone) -> String {
    match silence {
        Silence::Maintenance(until) => {
            format!("silenced: maintenance until {}", minute(*until, now, zone))
        }
        Silence::Parent(name) => format!("silenced: parent {} is down", clean(name, 60)),
        Silence::ParentFailing(name) => format!("silenced: parent {} fails", clean(name, 60)),
        Silence::ParentUnchecked(name) => {
            format!("silenced: parent {} is being checked", clean(name, 60))
        }
    }
}

/// Why nobody was told of an outage, in at most `width` cells where that is possible.
pub(crate) fn untold_in_words(
    untold: Option<&Untold>,
    width: usize,
    (now, zone): (Timestamp, &TimeZone),
) -> String {
    let (whole, short) = match untold {
        Some(Untold::NoOwner) => return "no owner".to_owned(),
        Some(Untold::Paused) => return "paused".to_owned(),
        Some(Untold::NotYet) => return "not yet".to_owned(),
        // An earlier version wrote it, or what was told is not kept any longer.
        None => return "not known".to_owned(),
        Some(Untold::Unwanted) => ("no owner is told of outages".to_owned(), "unwanted"),
        Some(Untold::NoChannel) => ("no owner has a channel".to_owned(), "no channel"),
        Some(Untold::Silenced(silence)) => {
            let short = match silence {
                Silence::Maintenance(_) => "maintenance",
                _ => "by its parent",
            };
            (silence_in_words(silence, now, zone), short)
        }
    };
    // A date makes the end of a maintenance longer; the end says more than the word before it.
    let without_rule = whole.strip_prefix("silenced: ").unwrap_or(&whole);
    let fitting = [&whole, without_rule]
        .into_iter()
        .find(|text| text.width() <= width);
    fitting.unwrap_or(short).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_maintenance_is_said_wherever_it_fits() {
        let now = Timestamp::from_micros(1_764_540_000_000_000);
        let untold_until = |hours: i64| {
            let until = Timestamp::from_micros(now.as_micros() + hours * 3_600_000_000);
            Untold::Silenced(Silence::Maintenance(until))
        };
        let says = |hours, width| {
            untold_in_words(Some(&untold_until(hours)), width, (now, &TimeZone::UTC))
        };
        assert_eq!(says(1, 39), "silenced: maintenance until 23:00");
        assert_eq!(says(2, 39), "silenced: maintenance until 12-01 00:00");
        assert_eq!(says(2, 38), "maintenance until 12-01 00:00");
        assert_eq!(says(2, 28), "maintenance");
        assert_eq!(says(1, 23), "maintenance until 23:00");
    }
}
