//! The parts of a check spec that few sites have: kept apart, and shared by the sites that have
//! the same.

use serde::{Deserialize, Serialize};

use super::Assertions;

/// What few checks ask or expect. Sites with equal options share one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CheckOptions {
    /// What is expected of an answer besides its status.
    pub assertions: Assertions,
    /// The body of the request, for methods that are sent once.
    pub body: Option<Box<str>>,
}

impl CheckOptions {
    /// The options where a spec has none.
    pub const NONE: &'static Self = &Self {
        assertions: Assertions::NONE,
        body: None,
    };

    /// The longest body of a request, in bytes.
    pub const MOST_BODY: usize = 64 * 1024;
}
