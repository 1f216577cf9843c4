//! Every screen, in the order of the header. A new one is a file beside this and a row here.

use super::{View, lab, outages, race, sched, sites};

/// All screens, in the order of the header's tabs and of the keys F1 to F5.
pub(crate) const VIEWS: [View; 5] = [
    sites::VIEW,
    sched::VIEW,
    race::VIEW,
    lab::VIEW,
    outages::VIEW,
];
