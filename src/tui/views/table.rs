//! Every screen, in the order of the header. A new one is a file beside this and a row here.

use super::{View, outages, sched, sites};

/// All screens.
pub(crate) const VIEWS: [View; 3] = [sites::VIEW, sched::VIEW, outages::VIEW];
