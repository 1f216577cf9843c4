//! What a site is shown as.

/// What a site is shown as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum State {
    /// Confirmed down: an outage is open.
    Down,
    /// Failing, not yet confirmed, or recovering, not yet believed.
    Suspect,
    /// The last look could not be taken through a fault of ours.
    Unknown,
    /// Its last check could not be started before it was due again.
    Missed,
    /// Up, but slow or with a certificate about to end.
    Degraded,
    /// Not checked yet.
    Pending,
    /// Up.
    Up,
    /// Not checked until it is resumed.
    Paused,
}

impl State {
    /// Every state, worst first: the order of a table that shows failing sites first.
    pub const ALL: [Self; 8] = [
        Self::Down,
        Self::Suspect,
        Self::Unknown,
        Self::Missed,
        Self::Degraded,
        Self::Pending,
        Self::Up,
        Self::Paused,
    ];
}
