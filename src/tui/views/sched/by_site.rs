//! Sorts checks by site.

use crate::trace::CheckSummary;

/// The checks ordered by site, those of one site in their previous order. A stable radix sort
/// of the site's index: for ten thousand checks faster than a sort by comparison.
pub(super) fn by_site<'a>(checks: &[&'a CheckSummary]) -> Vec<&'a CheckSummary> {
    const BITS: usize = 11;
    let mut order = checks.to_vec();
    let most = checks.iter().map(|check| check.site.index()).max();
    let mut shift = 0;
    while shift < usize::BITS as usize && most.is_some_and(|most| most >> shift > 0) {
        let digit = |check: &CheckSummary| check.site.index() >> shift & ((1 << BITS) - 1);
        let mut places = [0; 1 << BITS];
        for check in &order {
            places[digit(check)] += 1;
        }
        let mut next = 0;
        for place in &mut places {
            next += std::mem::replace(place, next);
        }
        let mut sorted = order.clone();
        for check in &order {
            let place = &mut places[digit(check)];
            sorted[*place] = *check;
            *place += 1;
        }
        order = sorted;
        shift += BITS;
    }
    order
}
