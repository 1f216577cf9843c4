//! Every screen, in the order of the header. A new one is a file beside this and a row here.

use super::{View, sched, sites};

/// All screens.
pub(crate) const VIEWS: [View; 2] = [sites::VIEW, sched::VIEW];
