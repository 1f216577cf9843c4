//! What is told of a site that is up: a certificate that ends soon, and slowness that lasts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{CheckResult, Moment, Now, Reason, ServiceEvent, Site, Timestamp, Verdict};

/// Days before the end of a certificate at which its owners are told, besides `cert_warn`.
const CERTIFICATE_DAYS: [u32; 3] = [7, 3, 1];

/// The most certificates of one site that are remembered besides the last.
const MOST_CERTIFICATES: usize = 8;

const DAY: Duration = Duration::from_secs(86_400);

/// What was told of a site that is up; kept with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Episodes {
    /// The certificate that ends soon and was told of last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateEpisode>,
    /// Others that were told of before: the machines behind a name may have different ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_certificates: Vec<CertificateEpisode>,
    /// The slowness that lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow: Option<SlowEpisode>,
}

/// A certificate that ends soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateEpisode {
    /// When it ends: another certificate is another episode.
    pub not_after: Timestamp,
    /// The days of the threshold that was told last.
    pub told_days: u32,
}

/// A site that is slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlowEpisode {
    /// The first slow check of the row.
    pub since: Timestamp,
    /// Whether its owners were told.
    pub told: bool,
    /// A moment of this run, and how long it had lasted by then; `None` before the first check
    /// of this run.
    #[serde(skip)]
    counted: Option<(Moment, Duration)>,
}

impl Episodes {
    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes a result; gives what its owners are to be told, and whether anything changed
    /// that has to be kept. While maintenance silences the site, what there is to tell waits.
    pub fn observe(
        &mut self,
        site: &Site,
        result: &CheckResult,
        is_silenced: bool,
        now: Now,
    ) -> (Vec<ServiceEvent>, bool) {
        let before = self.clone();
        let mut events = Vec::new();
        if matches!(result.verdict, Verdict::Up | Verdict::Degraded) {
            if let Some(certificate) = &result.certificate {
                let warn = site.spec.cert_warn;
                events.extend(self.certificate(certificate.not_after, warn, is_silenced, now));
            }
            let slow = (result.reason == Some(Reason::Slow), is_silenced);
            events.extend(self.slow(site.slow_after, slow, now));
        } else if result.verdict == Verdict::Down {
            // An outage ends an episode of slowness.
            self.slow = None;
        }
        let changed = *self != before;
        (events, changed)
    }

    fn certificate(
        &mut self,
        not_after: Timestamp,
        warn: Duration,
        is_silenced: bool,
        now: Now,
    ) -> Option<ServiceEvent> {
        let left = not_after.since(now.wall);
        self.forget_ended(now);
        if left >= warn || is_silenced {
            return None;
        }
        let first = u32::try_from(warn.as_secs().div_ceil(DAY.as_secs())).unwrap_or(u32::MAX);
        let days = CERTIFICATE_DAYS
            .into_iter()
            .filter(|days| DAY * *days < warn && left < DAY * *days)
            .min()
            .unwrap_or(first);
        let mut told = self.certificate.iter().chain(&self.other_certificates);
        let told = told.find(|known| known.not_after == not_after);
        if told.is_some_and(|told| told.told_days <= days) {
            return None;
        }
        self.other_certificates
            .retain(|known| known.not_after != not_after);
        let before = self.certificate.replace(CertificateEpisode {
            not_after,
            told_days: days,
        });
        let others = &mut self.other_certificates;
        others.extend(before.filter(|before| before.not_after != not_after));
        if others.len() > MOST_CERTIFICATES {
            others.remove(0);
        }
        Some(ServiceEvent::Certificate { not_after, days })
    }

    /// A certificate that was replaced may still be shown by another machine, until it has ended.
    fn forget_ended(&mut self, now: Now) {
        let is_valid = |known: &CertificateEpisode| known.not_after > now.wall;
        self.certificate = self.certificate.filter(is_valid);
        self.other_certificates.retain(is_valid);
    }

    fn slow(
        &mut self,
        slow_after: Duration,
        (is_slow, is_silenced): (bool, bool),
        now: Now,
    ) -> Option<ServiceEvent> {
        if !is_slow {
            self.slow = None;
            return None;
        }
        let slow = self.slow.get_or_insert(SlowEpisode {
            since: now.wall,
            told: false,
            counted: None,
        });
        // The wall clock may be set while it lasts.
        let (from, before) = *slow
            .counted
            .get_or_insert((now.mono, now.wall.since(slow.since)));
        if slow.told || is_silenced || before + now.mono.since(from) < slow_after {
            return None;
        }
        slow.told = true;
        Some(ServiceEvent::Slow { since: slow.since })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF_AN_HOUR: Duration = Duration::from_secs(1_800);

    fn at(minute: u64, wall_minute: i64) -> Now {
        Now {
            mono: Moment::ZERO + Duration::from_secs(minute * 60),
            wall: Timestamp::from_micros(wall_minute * 60_000_000),
        }
    }

    /// The days of the threshold that is told of at a check of a certificate that ends after so
    /// many hours.
    fn told_days(episodes: &mut Episodes, now: Now, hours: i64, is_silenced: bool) -> Option<u32> {
        let not_after = Timestamp::from_micros(now.wall.as_micros() + hours * 3_600_000_000);
        match episodes.certificate(not_after, DAY * 14, is_silenced, now) {
            Some(ServiceEvent::Certificate { days, .. }) => Some(days),
            _ => None,
        }
    }

    #[test]
    fn what_maintenance_silences_is_told_when_it_is_over() {
        let now = at(10, 1_000_000);
        let mut episodes = Episodes::default();
        assert_eq!(told_days(&mut episodes, now, 60, true), None);
        assert_eq!(told_days(&mut episodes, now, 60, false), Some(3));
        assert_eq!(told_days(&mut episodes, now, 60, false), None);
        assert_eq!(episodes.slow(HALF_AN_HOUR, (true, true), now), None);
        let later = at(50, 1_000_040);
        assert_eq!(episodes.slow(HALF_AN_HOUR, (true, true), later), None);
        let told = Some(ServiceEvent::Slow { since: now.wall });
        assert_eq!(episodes.slow(HALF_AN_HOUR, (true, false), later), told);
    }

    #[test]
    fn machines_with_different_certificates_are_told_of_once_each() {
        let now = at(10, 1_000_000);
        let mut episodes = Episodes::default();
        assert_eq!(told_days(&mut episodes, now, 200, false), Some(14));
        assert_eq!(told_days(&mut episodes, now, 100, false), Some(7));
        for hours in [200, 100, 9_000, 200, 100] {
            assert_eq!(told_days(&mut episodes, now, hours, false), None, "{hours}");
        }
        let later = at(10, 1_000_000 + 60 * 60);
        assert_eq!(told_days(&mut episodes, later, 140, false), Some(7));
        assert_eq!(told_days(&mut episodes, later, 140, false), None);
    }

    #[test]
    fn slowness_lasts_as_long_as_it_does_whatever_the_clock_is_set_to() {
        let began = at(10, 1_000).wall;
        for wall_minute in [400, 1_020, 3_000] {
            let mut episodes = Episodes::default();
            assert_eq!(
                episodes.slow(HALF_AN_HOUR, (true, false), at(10, 1_000)),
                None
            );
            assert_eq!(
                episodes.slow(HALF_AN_HOUR, (true, false), at(30, wall_minute)),
                None
            );
            let told = episodes.slow(HALF_AN_HOUR, (true, false), at(40, wall_minute + 10));
            assert_eq!(told, Some(ServiceEvent::Slow { since: began }));
            assert_eq!(
                episodes.slow(HALF_AN_HOUR, (true, false), at(50, wall_minute + 20)),
                None
            );
        }
    }

    #[test]
    fn slowness_of_an_earlier_run_goes_on() {
        let mut episodes = Episodes::default();
        episodes.slow(HALF_AN_HOUR, (true, false), at(10, 1_000));
        let kept = serde_json::to_string(&episodes).unwrap();
        let mut episodes: Episodes = serde_json::from_str(&kept).unwrap();
        assert_eq!(
            episodes.slow(HALF_AN_HOUR, (true, false), at(1, 1_020)),
            None
        );
        assert!(
            episodes
                .slow(HALF_AN_HOUR, (true, false), at(11, 1_030))
                .is_some()
        );
    }
}
