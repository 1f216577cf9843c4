//! One look at one site.
