//! The state of a site.

/// The state of a site, as the screen shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum State {
    /// Confirmed down: an outage is open until `recover` good checks.
    Down,
    /// Failing, not yet confirmed.
    Suspect,
    /// The last check could not be carried out, through a fault of this program or its machine.
    Unknown,
    /// The last check had not started when the site was due again.
    Missed,
    /// Up, but slow or with a certificate that expires soon.
    Degraded,
    /// No result yet since the start of the program.
    Pending,
    /// The last check was good, and no outage is open.
    Up,
    /// Checks are suspended until the site is resumed.
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
