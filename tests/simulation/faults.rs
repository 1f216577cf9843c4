//! What the faults of a simulated world do: to workers, channels, clocks and the process.

use uptime_squirrel::alert::{Delivery, DeliveryReport};
use uptime_squirrel::domain::Acknowledgement;
use uptime_squirrel::engine::{Input, Storage};

use super::events::Event;
use super::script::{FaultKind, Mood, Place, SECOND, WorkerFault};
use super::setting::{channel_name, number_of};
use super::truth::Found;
use super::world::World;

impl World {
    /// Workers that are free begin the checks that wait.
    pub(super) fn begin_checks(&mut self) {
        let fault = self.worker_fault();
        if fault == Some(WorkerFault::Frozen) || self.engine.is_none() {
            return;
        }
        while let Some(job) = self.workers.begin() {
            if fault == Some(WorkerFault::Lost) {
                self.schedule(self.time + 30 * SECOND, Event::WorkerDied(job));
                continue;
            }
            let number = self.engine.as_ref().and_then(|engine| {
                let state = engine.monitor().site(job.site)?;
                Some(number_of(&state.site().name))
            });
            let Some(number) = number else {
                self.workers.end(job, false);
                continue;
            };
            let found = self.truth.find(number, self.time);
            let millis = self.rng.u64(5..400);
            let mut result = self.maker.make(job, found, self.now(), millis);
            if fault == Some(WorkerFault::Blind) {
                let place = self.script.sites[number].place;
                let cut_off = self.rng.bool();
                let canaries = self.truth.canaries_answer(self.time);
                let lost = !matches!(found, Found::Good | Found::Failed(_)) && !canaries;
                let sees = place == Place::ThisMachine || !cut_off && !lost;
                result = self.maker.far(result, cut_off, sees);
            }
            let mut takes = u64::try_from(result.latency.as_nanos()).unwrap_or(u64::MAX);
            if let Some(WorkerFault::Slow(by)) = fault {
                takes += by;
            }
            self.schedule(self.time + takes, Event::Checked(Box::new(result)));
        }
    }

    fn worker_fault(&self) -> Option<WorkerFault> {
        let mut faults = self.script.faults.iter();
        faults.find_map(|fault| match fault.kind {
            FaultKind::Workers(kind) if (fault.at..fault.end()).contains(&self.time) => Some(kind),
            _ => None,
        })
    }

    /// Hands a delivery to its channel.
    pub(super) fn send(&mut self, delivery: Delivery) {
        let mood = self
            .script
            .faults
            .iter()
            .find_map(|fault| match fault.kind {
                FaultKind::Channel(owner, channel, mood)
                    if (fault.at..fault.end()).contains(&self.time)
                        && owner == number_of(&delivery.owner)
                        && channel_name(channel) == &*delivery.channel =>
                {
                    Some(mood)
                }
                _ => None,
            });
        let takes = self.rng.u64(SECOND / 50..SECOND);
        let failed = |seconds: u64| DeliveryReport::Failed {
            retry_after: (seconds > 0).then(|| std::time::Duration::from_secs(seconds)),
        };
        let (taken, report, later) = match mood {
            None => (true, DeliveryReport::Delivered, 0),
            Some(Mood::RefusesForNow) => (false, failed(0), 0),
            Some(Mood::AsksForAPause) => (false, failed(90), 0),
            Some(Mood::Hangs) => (false, failed(0), 30 * SECOND),
            Some(Mood::LosesTheAnswer) => (true, failed(0), 30 * SECOND),
            Some(Mood::RefusesForGood) => (false, DeliveryReport::Refused, 0),
            Some(Mood::RefusesForSize) if delivery.short => (true, DeliveryReport::Delivered, 0),
            Some(Mood::RefusesForSize) => (false, DeliveryReport::TooLarge, 0),
        };
        let at = self.time + takes;
        self.schedule(at, Event::Sent(Box::new(delivery), taken, report, later));
    }

    /// A channel took a message.
    pub(super) fn arrives(&mut self, delivery: &Delivery) {
        self.promises.arrives(delivery, self.time);
        let lost = self.script.has(|kind| match kind {
            FaultKind::Channel(owner, channel, Mood::LosesTheAnswer) => {
                *owner == number_of(&delivery.owner) && channel_name(*channel) == &*delivery.channel
            }
            _ => false,
        });
        if lost {
            self.promises.uncertain.insert(delivery.id.clone());
        }
    }

    pub(super) fn begin_fault(&mut self, number: usize) {
        let fault = self.script.faults[number];
        match fault.kind {
            FaultKind::Killed(effects) => self.kill_after(effects),
            FaultKind::Clock(by) => self.set_clock(by),
            FaultKind::Sleep if fault.end() > self.time => self.sleep(fault.end() - self.time),
            FaultKind::Paused(site) => self.pause(site, true),
            FaultKind::Acknowledged(site) => {
                if let Some(site) = self.site_id(site) {
                    let by = Some(Acknowledgement {
                        at: self.now().wall,
                        note: "known".into(),
                    });
                    self.give(Input::Acknowledge { site, by });
                }
            }
            FaultKind::Maintenance(site) => {
                if let Some(site) = self.site_id(site) {
                    self.give(Input::Maintenance(site));
                }
            }
            FaultKind::Recheck(site) => {
                if let Some(site) = self.site_id(site) {
                    self.give(Input::Recheck(site));
                }
            }
            FaultKind::Switched(workers) => {
                self.workers.switch(workers);
                self.begin_checks();
            }
            FaultKind::RecheckAll => self.give(Input::RecheckAll),
            FaultKind::Reload | FaultKind::Removed(_) => self.configure(),
            FaultKind::Replaced if self.engine.is_some() => {
                self.store.clear();
                self.promises.forgot();
                self.give(Input::Storage(Storage::Replaced));
                // Killed before the new file knew it: what was told of is known nowhere.
                if self.engine.is_none() {
                    self.promises.never_told();
                }
            }
            _ => {}
        }
    }

    pub(super) fn end_fault(&mut self, number: usize) {
        match self.script.faults[number].kind {
            FaultKind::Killed(_) => {
                // It had nothing to do meanwhile, and is killed now.
                self.kill();
                self.schedule(self.time, Event::Boot);
            }
            FaultKind::Paused(site) => self.pause(site, false),
            FaultKind::Reload | FaultKind::Removed(_) => self.configure(),
            FaultKind::Workers(_) => self.begin_checks(),
            _ => {}
        }
    }

    /// A pause is kept in the file, and so holds for the next run.
    fn pause(&mut self, site: usize, paused: bool) {
        self.paused[site] = paused;
        if let Some(site) = self.site_id(site) {
            self.give(Input::Pause { site, paused });
        }
    }
}
