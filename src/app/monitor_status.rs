//! How things stand with the monitor, for `squirrel status`; and what commands ask of the driver
//! that keys do not.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::control::{MonitorStatus, OpenOutage};
use crate::domain::{Silence, SiteId, TimeFormat};
use crate::engine::Input;
use crate::monitor::{SiteState, State};
use crate::paradigm::ParadigmEntry;

use super::driver::Driver;
use super::report::{ActedOn, Happening};

/// The most outages that one status lists.
const MOST_OUTAGES: usize = 10_000;

/// The most sites whose lateness is looked at: of more than that every second, third, ... one.
const MOST_LATE: usize = 20_000;

impl Driver {
    /// How things stand.
    #[must_use]
    pub fn status(&self) -> MonitorStatus {
        let totals = self.monitor().totals();
        let mut open: Vec<_> = self
            .monitor()
            .sites()
            .filter(|state| state.outage().is_some())
            .collect();
        let began = |state: &&SiteState| state.outage().map(|outage| outage.since().wall);
        open.sort_by_key(|state| std::cmp::Reverse(began(state)));
        MonitorStatus {
            paradigm: self.entry().label.name.into(),
            workers: self.census().workers,
            sites: totals.all(),
            up: totals.of(State::Up),
            degraded: totals.of(State::Degraded),
            down: totals.of(State::Down),
            unknown: totals.of(State::Unknown),
            missed: totals.of(State::Missed),
            late_p99_ms: self.late_p99(),
            blind: self.blind().is_some(),
            outages: open
                .into_iter()
                .take(MOST_OUTAGES)
                .filter_map(|state| self.open_outage(state))
                .collect(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").into(),
        }
    }

    fn open_outage(&self, state: &SiteState) -> Option<OpenOutage> {
        let outage = state.outage()?;
        let acknowledged = outage.acknowledged.as_ref();
        Some(OpenOutage {
            site: state.site().name.clone(),
            url: state.site().spec.url.shown().into(),
            since: TimeFormat::Rfc3339
                .of(outage.since().wall, &TimeZone::system())
                .into(),
            reason: outage.reason.word().into(),
            acknowledged: acknowledged.map(|by| by.note.clone()),
            silenced: self.silence(state.id()).map(|silence| match silence {
                Silence::Maintenance(_) => "maintenance".into(),
                Silence::Parent(name)
                | Silence::ParentFailing(name)
                | Silence::ParentUnchecked(name) => format!("parent {name}").into(),
            }),
        })
    }

    /// The lateness in milliseconds that 99% of the last checks did not exceed.
    fn late_p99(&self) -> Option<f64> {
        let step = self.monitor().ids().len().div_ceil(MOST_LATE).max(1);
        let sites = self.monitor().sites().step_by(step);
        let mut late: Vec<_> = sites.filter_map(|state| Some(state.last()?.late)).collect();
        let place = (late.len() * 99).div_ceil(100).checked_sub(1)?;
        let (_, late, _) = late.select_nth_unstable(place);
        Some((late.as_secs_f64() * 1e6).round() / 1e3)
    }

    /// Begins maintenance of that length at a site.
    pub(super) fn set_maintenance(&mut self, site: SiteId, lasts: Option<Duration>) {
        self.give(Input::MaintenanceFor { site, lasts });
    }

    /// Ends the maintenance that was begun by hand; `false` if there is none.
    pub(super) fn end_maintenance(&mut self, site: SiteId) -> bool {
        let now = self.now();
        let mut begun = self.engine.alerts().maintenance_by_key();
        let is_begun = begun.any(|(known, until)| known == site && until > now);
        drop(begun);
        if is_begun {
            self.set_maintenance(site, None);
        }
        is_begun
    }

    /// Chooses the number of workers of a paradigm, as far as the system permits.
    pub(super) fn choose_workers(&mut self, entry: &'static ParadigmEntry, workers: usize) {
        self.settings.workers.choose(entry, workers);
        let (number, _) = self.settings.workers.of(entry);
        self.settings.workers.choose(entry, number);
        if self.entry().label.name == entry.label.name {
            self.dispatcher.resize(number);
        }
    }

    /// Tells those who watch what somebody did.
    pub(super) fn tell_act(&mut self, act: ActedOn) {
        tracing::info!("{} by {}", act.text, act.actor);
        self.happenings.push(Happening::Acted(Box::new(act)));
    }
}
