//! What happens in a simulated world, in order.

use uptime_squirrel::alert::{Delivery, DeliveryReport};
use uptime_squirrel::domain::{CheckResult, JobId};
use uptime_squirrel::engine::Round;

#[derive(Clone, Debug)]
pub(super) enum Event {
    /// The process starts.
    Boot,
    Checked(Box<CheckResult>),
    WorkerDied(JobId),
    Canaries(Round),
    /// A channel takes a message, or does not; what is heard of it comes later.
    Sent(Box<Delivery>, bool, DeliveryReport, u64),
    Heard(Box<Delivery>, DeliveryReport),
    Fault(usize),
    FaultEnds(usize),
    /// The promise with this number is due.
    Promise(usize),
}

impl Event {
    /// Whether it happens to the process, and not to the world.
    pub(super) const fn is_of_process(&self) -> bool {
        !matches!(
            self,
            Self::Boot | Self::Fault(_) | Self::FaultEnds(_) | Self::Promise(_)
        )
    }
}

#[derive(Debug)]
pub(super) struct Scheduled {
    pub(super) at: u64,
    pub(super) number: u64,
    pub(super) event: Event,
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.number) == (other.at, other.number)
    }
}

impl Eq for Scheduled {}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}
