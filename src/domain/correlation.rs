//! Groups of outages with a trait in common, so that many at once read as one: the parent
//! site, the IP address, the issuer of the certificate, or the way in which they fail.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Cause, CheckResult, Reason, Site};

/// The traits of one outage that other outages may have as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutageTraits<'a> {
    /// The name of its site's parent site.
    pub parent: Option<&'a str>,
    /// The IP address that the last failed check asked.
    pub address: Option<&'a str>,
    /// The issuer of the certificate; `None` unless the outage is about a certificate.
    pub issuer: Option<&'a str>,
    /// The code of the reason, followed by the HTTP status if there is one.
    pub failure: &'a str,
}

/// The traits of an outage that suggest a common cause when several outages share one, apart
/// from the way in which it fails.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedTraits {
    /// The name of the site that its site depends on (`parent`).
    pub parent: Option<Box<str>>,
    /// The IP address that the last failed check asked.
    pub address: Option<Box<str>>,
    /// The issuer of the certificate that the outage is about, as a distinguished name.
    pub issuer: Option<Box<str>>,
}

impl SharedTraits {
    /// The traits of an outage of `site` with these causes, as far as the last failed check
    /// tells. An outage is about a certificate if it began with a failure of trust; then it is
    /// about the one that the last failed check was shown.
    #[must_use]
    pub fn of(site: &Site, causes: &[Cause], last_failure: Option<&CheckResult>) -> Self {
        let about_trust = causes
            .first()
            .is_some_and(|cause| matches!(cause.reason, Reason::Tls | Reason::Certificate));
        let certificate = last_failure
            .filter(|_| about_trust)
            .and_then(|last| last.certificate.as_ref());
        let address = last_failure.and_then(|last| last.asked(&site.spec.url));
        Self {
            parent: site.parent.clone(),
            address: address.map(|address| address.to_string().into()),
            issuer: certificate.map(|certificate| certificate.issuer.clone()),
        }
    }

    /// The same together with the way in which the outage fails.
    #[must_use]
    pub fn with<'a>(&'a self, failure: &'a str) -> OutageTraits<'a> {
        OutageTraits {
            parent: self.parent.as_deref(),
            address: self.address.as_deref(),
            issuer: self.issuer.as_deref(),
            failure,
        }
    }
}

/// A trait that all outages of a group have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CommonTrait<'a> {
    /// Their sites have this parent site.
    Parent(&'a str),
    /// Their last failed checks asked this IP address.
    Address(&'a str),
    /// Their certificates come from this issuer.
    Issuer(&'a str),
    /// They fail for this reason, with this status.
    Failure(&'a str),
}

impl fmt::Display for CommonTrait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parent(name) => write!(f, "behind {name}"),
            Self::Address(address) => write!(f, "on {address}"),
            Self::Issuer(name) => write!(f, "with a certificate of {name}"),
            Self::Failure(failure) => f.write_str(failure),
        }
    }
}

/// Outages with a trait in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorrelatedGroup<'a> {
    /// The common trait; `None` for the group of outages that have none.
    pub common: Option<CommonTrait<'a>>,
    /// The outages, as indices into the argument of [`correlate`].
    pub members: Vec<usize>,
}

/// Divides outages into groups with a common trait, largest first; between groups of equal
/// size the order is that of [`CommonTrait`], which begins with the likeliest cause. Outages
/// without a common trait form the last group. Every outage is in exactly one group.
#[must_use]
pub fn correlate<'a>(outages: &[OutageTraits<'a>]) -> Vec<CorrelatedGroup<'a>> {
    let mut by: BTreeMap<CommonTrait<'a>, Vec<usize>> = BTreeMap::new();
    for (place, traits) in outages.iter().enumerate() {
        let common = [
            traits.parent.map(CommonTrait::Parent),
            traits.address.map(CommonTrait::Address),
            traits.issuer.map(CommonTrait::Issuer),
            Some(CommonTrait::Failure(traits.failure)),
        ];
        for common in common.into_iter().flatten() {
            by.entry(common).or_default().push(place);
        }
    }
    let mut candidates: Vec<_> = by.into_iter().filter(|(_, all)| all.len() > 1).collect();
    // The order of `CommonTrait` is kept among those that are as large.
    candidates.sort_by_key(|(_, all)| std::cmp::Reverse(all.len()));
    let mut taken = vec![false; outages.len()];
    let mut groups = Vec::new();
    for (common, all) in candidates {
        let left: Vec<usize> = all.into_iter().filter(|place| !taken[*place]).collect();
        if left.len() < 2 {
            continue;
        }
        for place in &left {
            taken[*place] = true;
        }
        groups.push(CorrelatedGroup {
            common: Some(common),
            members: left,
        });
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.members.len()));
    let alone: Vec<usize> = (0..outages.len()).filter(|place| !taken[*place]).collect();
    if !alone.is_empty() {
        groups.push(CorrelatedGroup {
            common: None,
            members: alone,
        });
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn traits<'a>(address: Option<&'a str>, failure: &'a str) -> OutageTraits<'a> {
        OutageTraits {
            address,
            failure,
            ..OutageTraits::default()
        }
    }

    #[test]
    fn the_address_says_more_than_the_error() {
        let outages = [traits(Some("203.0.113.7"), "refused"); 14];
        let groups = correlate(&outages);
        assert_eq!(groups.len(), 1);
        assert_eq!(groups[0].common.unwrap().to_string(), "on 203.0.113.7");
    }

    #[test]
    fn whoever_shares_nothing_stands_alone() {
        let outages = [
            traits(Some("a"), "refused"),
            traits(Some("b"), "timeout"),
            traits(Some("a"), "timeout"),
            traits(Some("c"), "dns"),
        ];
        let groups = correlate(&outages);
        assert_eq!(groups[0].common, Some(CommonTrait::Address("a")));
        assert_eq!(groups[0].members, [0, 2]);
        assert_eq!((groups[1].common, &groups[1].members), (None, &vec![1, 3]));
    }

    proptest! {
        #[test]
        fn everybody_is_in_one_group_whose_trait_is_theirs(
            outages in prop::collection::vec((0_usize..4, 0_usize..4, 0_usize..3), 0..60)
        ) {
            const NAMES: [&str; 4] = ["a", "b", "c", "d"];
            let outages: Vec<_> = outages.iter().map(|(parent, address, failure)| OutageTraits {
                parent: NAMES.get(*parent).copied().filter(|_| *parent < 2),
                address: NAMES.get(*address).copied().filter(|_| *address < 3),
                issuer: None,
                failure: NAMES[*failure],
            }).collect();
            let groups = correlate(&outages);
            let mut all: Vec<usize> = groups.iter().flat_map(|group| group.members.clone()).collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..outages.len()).collect::<Vec<_>>());
            for group in groups {
                for member in group.members {
                    let traits = outages[member];
                    match group.common {
                        Some(CommonTrait::Parent(name)) => prop_assert_eq!(traits.parent, Some(name)),
                        Some(CommonTrait::Address(name)) => prop_assert_eq!(traits.address, Some(name)),
                        Some(CommonTrait::Issuer(name)) => prop_assert_eq!(traits.issuer, Some(name)),
                        Some(CommonTrait::Failure(name)) => prop_assert_eq!(traits.failure, name),
                        None => {}
                    }
                }
            }
        }
    }
}
