//! The time of a site: how much of it was seen, and how the site was. The one definition that
//! the table, the details, reports and the history have of uptime.

use std::time::Duration;

/// The time between two records of a site, as far as it was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeenTime {
    /// Time in which the newest result was of use: not paused, missed or blind, and not older
    /// than two intervals. Planned maintenance is part of it.
    pub seen: Duration,
    /// The part of it that was planned maintenance.
    pub maintenance: Duration,
}

/// The time of a site in some span, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SiteTime {
    /// Time that was seen, planned maintenance included.
    pub seen_us: u64,
    /// Of it, planned maintenance.
    pub maintenance_us: u64,
    /// Of it, time in outages and not in maintenance.
    pub down_us: u64,
}

impl SiteTime {
    /// Time up by time seen and not in maintenance, 0 to 1; `None` if there is no such time.
    #[must_use]
    pub fn uptime(&self) -> Option<f64> {
        let judged = self.seen_us.saturating_sub(self.maintenance_us);
        let down = self.down_us.min(judged);
        (judged > 0).then(|| (judged - down) as f64 / judged as f64)
    }

    /// The part of a span that was seen, 0 to 1.
    #[must_use]
    pub fn seen_share(&self, span: Duration) -> f64 {
        let span = span.as_secs_f64();
        if span == 0.0 {
            return 0.0;
        }
        (self.seen_us as f64 / 1e6 / span).min(1.0)
    }

    /// Adds the time of another span, or of another site.
    pub const fn merge(&mut self, other: &Self) {
        self.seen_us = self.seen_us.saturating_add(other.seen_us);
        self.maintenance_us = self.maintenance_us.saturating_add(other.maintenance_us);
        self.down_us = self.down_us.saturating_add(other.down_us);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maintenance_and_what_nobody_saw_are_no_part_of_uptime() {
        let mut time = SiteTime::default();
        assert_eq!(time.uptime(), None);
        time.merge(&SiteTime {
            seen_us: 100,
            maintenance_us: 20,
            down_us: 20,
        });
        assert_eq!(time.uptime(), Some(0.75));
        assert_eq!(time.seen_share(Duration::from_micros(400)), 0.25);
        assert_eq!(time.seen_share(Duration::ZERO), 0.0);
        time.maintenance_us = 100;
        assert_eq!(time.uptime(), None);
    }
}
