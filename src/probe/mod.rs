//! One look at one site.

/// placeholder
#[derive(Debug)]
pub struct Kit;
