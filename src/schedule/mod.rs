//! When each site is due. Pure.
