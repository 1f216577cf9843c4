//! What has to be so at the end of a simulated world: nothing waits, everybody knows what they
//! have to, and what was counted is what there was.

use super::expected::bound;
use super::script::{Cut, FaultKind, HOUR, MINUTE, Place, SECOND, WorkerFault, cuts_off};
use super::setting::{channel_name, owner_name, site_name};
use super::truth::{Span, subtract};
use super::world::World;

impl World {
    /// Nothing waits any more, and whatever is open was told to all.
    pub(super) fn hold_at_rest(&mut self) {
        let Some(engine) = &self.engine else {
            return self.broken("the process does not run".to_owned());
        };
        let now = self.now();
        let waiting = engine.alerts().outbox().waiting();
        let late = waiting.iter().find(|(.., event)| {
            let from = event
                .quiet_until
                .unwrap_or(event.at.wall)
                .max(event.at.wall);
            now.wall.since(from) > std::time::Duration::from_secs(300)
        });
        if let Some(late) = late.cloned() {
            return self.broken(format!("still waits: {late:?}"));
        }
        let kept = self.store.unsettled();
        if waiting.is_empty() && engine.alerts().outbox().is_empty() && !kept.is_empty() {
            let kept = format!("messages are kept that nobody sends: {kept:?}");
            return self.broken(kept);
        }
        let mut untold = None;
        for (site, script) in self.script.sites.iter().enumerate() {
            let name = site_name(site);
            let Some(state) = engine.monitor().find(&name) else {
                continue;
            };
            let told = engine.alerts().of_site(state.id()).outage;
            let told = told.is_some_and(|outage| outage.told.is_some());
            let Some(outage) = state.outage().filter(|_| told) else {
                continue;
            };
            let since = outage.since().wall;
            let owners = script.owners.iter();
            for owner in owners.filter(|owner| self.script.owners[**owner].tells_down) {
                for channel in 0..self.script.owners[*owner].channels {
                    let names = (owner_name(*owner), channel_name(channel));
                    let waits = waiting.iter().any(|(owner, channel, event)| {
                        **owner == *names.0 && &**channel == names.1 && event.outage == Some(since)
                    });
                    if !waits && !self.promises.lane_is_done(&names.0, names.1, &name, since) {
                        untold = Some(format!("{names:?} was never told of {name}"));
                    }
                }
            }
        }
        if let Some(untold) = untold {
            self.broken(untold);
        }
    }

    /// Whoever was told of an outage is told of its end.
    pub(super) fn hold_ends(&mut self) {
        let Some(engine) = &self.engine else {
            return;
        };
        let forgets = |kind: &FaultKind| matches!(kind, FaultKind::Removed(_));
        if self.script.has(forgets) {
            return;
        }
        let waiting = engine.alerts().outbox().waiting();
        let missing = self
            .promises
            .without_end()
            .find(|((owner, channel), name, since)| {
                let state = engine.monitor().find(name);
                let open = state.and_then(|state| Some(state.outage()?.since().wall));
                let waits = waiting.iter().any(|(to, by, event)| {
                    (to, by, event.outage) == (owner, channel, Some(*since))
                });
                open != Some(*since) && !waits
            });
        if let Some(missing) = missing {
            let missing = format!("never told of the end: {missing:?}");
            self.broken(missing);
        }
    }

    /// The share of time that each site is up is that of the truth, as far as nothing hides it:
    /// as the table has it, and as it follows from what is kept.
    pub(super) fn hold_uptime(&mut self) {
        let strange = |kind: &FaultKind| {
            !matches!(
                kind,
                FaultKind::Site(..)
                    | FaultKind::Host(..)
                    | FaultKind::Channel(..)
                    | FaultKind::Acknowledged(_)
                    | FaultKind::Maintenance(_)
                    | FaultKind::Recheck(_)
                    | FaultKind::RecheckAll
            )
        };
        let Some(engine) = self.engine.as_ref().filter(|_| !self.script.has(strange)) else {
            return;
        };
        let mut wrong = None;
        for (site, script) in self.script.sites.iter().enumerate() {
            let outages = self.truth.outages(site);
            let maintenance = self.maintenance(site);
            let length = |spans: &[Span]| {
                let spans = spans.iter();
                let lengths =
                    spans.map(|(from, to)| to.min(&self.time).saturating_sub(*from) as f64);
                lengths.sum::<f64>()
            };
            let down: Vec<Span> = outages
                .iter()
                .flat_map(|span| subtract(*span, &maintenance))
                .collect();
            let total = self.time as f64 - length(&maintenance);
            let truth = 1.0 - length(&down) / total.max(1.0);
            // Each end of an outage is seen up to an interval late; a short one may not be.
            let ends = (outages.len() + maintenance.len()) as u64;
            let most = ends * (script.interval + MINUTE) + MINUTE;
            let share = most as f64 / total.max(1.0);
            let state = engine.monitor().find(&site_name(site));
            let believed = state.and_then(|state| state.uptime());
            let key = state.and_then(|state| super::store::key_of(engine.monitor(), state.id()));
            let kept = key.map(|key| self.store.time(&key)).unwrap_or_default();
            // Both end with the last check.
            let late = 2.0 * (script.interval + MINUTE) as f64 / total.max(1.0);
            for (what, said, share) in [
                ("believed", believed, share + late),
                ("kept", kept.uptime(), share + late),
            ] {
                let said = said.unwrap_or(truth);
                if (said - truth).abs() > share {
                    wrong = Some(format!(
                        "site-{site} was up {truth:.4} and is {what} to be {said:.4}"
                    ));
                }
            }
            // One definition: the table has what the history has.
            let (table, past) = (believed.unwrap_or(truth), kept.uptime().unwrap_or(truth));
            if (table - past).abs() > 1e-4 {
                let text =
                    format!("site-{site} is up {table} in the table and {past} in the history");
                wrong = Some(text);
            }
            let seen = kept.seen_us as f64 * 1e3;
            if (seen - self.time as f64).abs() > (2 * script.interval + MINUTE) as f64 {
                wrong = Some(format!(
                    "site-{site} was seen for {seen} ns of {}",
                    self.time
                ));
            }
            let kept = kept.maintenance_us as f64 * 1e3;
            if (kept - length(&maintenance)).abs() > (2 * script.interval + MINUTE) as f64 {
                wrong = Some(format!(
                    "site-{site} was in maintenance for {kept} ns, and {maintenance:?}"
                ));
            }
        }
        if let Some(wrong) = wrong {
            self.broken(wrong);
        }
    }

    /// When a site was in maintenance that a key began: for an hour, or until the next key.
    fn maintenance(&self, site: usize) -> Vec<Span> {
        let mut keys: Vec<u64> = self
            .script
            .faults
            .iter()
            .filter(|fault| fault.kind == FaultKind::Maintenance(site) && fault.at <= self.time)
            .map(|fault| fault.at)
            .collect();
        keys.sort_unstable();
        let mut spans: Vec<Span> = Vec::new();
        for at in keys {
            match spans.last_mut() {
                Some((_, until)) if *until > at => *until = at,
                _ => spans.push((at, at + HOUR)),
            }
        }
        spans
    }

    /// The outages that were counted are those that there were.
    pub(super) fn hold_counts(&mut self) {
        let strange = |kind: &FaultKind| {
            matches!(
                kind,
                FaultKind::Clock(_) | FaultKind::Replaced | FaultKind::Sleep
            )
        };
        if self.script.has(strange) {
            return;
        }
        for site in 0..self.script.sites.len() {
            let Err(broken) = self.counts_hold(site) else {
                continue;
            };
            return self.broken(broken);
        }
    }

    fn counts_hold(&self, site: usize) -> Result<(), String> {
        let script = &self.script.sites[site];
        let Some(engine) = &self.engine else {
            return Ok(());
        };
        let state = engine.monitor().find(&site_name(site));
        let key = state.and_then(|state| super::store::key_of(engine.monitor(), state.id()));
        let counted = key.map_or(&[][..], |key| self.store.outages(&key));
        let counted: Vec<Span> = counted
            .iter()
            .map(|known| {
                let until = known.until.map_or(u64::MAX, |until| self.time_of(until));
                (self.time_of(known.since), until)
            })
            .collect();
        let outages = self.truth.outages(site);
        let unseen = self.truth.unseen(&self.script, site);
        let slack = script.interval + MINUTE;
        for (from, to) in &outages {
            let wide = (
                from.saturating_sub(2 * script.interval),
                to + 3 * script.interval + MINUTE,
            );
            let touches = |span: &&Span| span.0 < wide.1 && wide.0 < span.1;
            let alone = outages.iter().filter(touches).count() == 1;
            let lasts = to - from > bound(&self.script, site);
            if !lasts || !alone || unseen.iter().any(|span| touches(&span)) || wide.1 > self.time {
                continue;
            }
            let found = counted
                .iter()
                .filter(|span| span.0 < to + slack && *from < span.1);
            let found: Vec<_> = found.collect();
            let right = match found[..] {
                [(since, until)] => {
                    (*from..=from + slack).contains(since) && (*to..=to + slack).contains(until)
                }
                _ => false,
            };
            if !right {
                return Err(format!(
                    "site-{site} was down from {from} to {to}, and counted as {found:?}"
                ));
            }
        }
        for (since, _) in &counted {
            if self.is_phantom(site, *since) {
                return Err(format!(
                    "site-{site} was up at {since}, and counted as down"
                ));
            }
        }
        Ok(())
    }

    /// Whether a site was up, and plainly so, when an outage of it was counted from.
    fn is_phantom(&self, site: usize, since: u64) -> bool {
        let slow = self
            .script
            .faults
            .iter()
            .any(|fault| matches!(fault.kind, FaultKind::Workers(WorkerFault::Slow(_))));
        let before = if slow { 10 * MINUTE } else { 15 * SECOND };
        if self
            .truth
            .is_down_within(site, (since.saturating_sub(before), since + 1))
        {
            return false;
        }
        // Canaries that were silent already are no measure, where nobody else can be asked: for as
        // long as no site was checked since they answer again.
        let interval = self.script.sites.iter().map(|site| site.interval).max();
        let silent = self.script.faults.iter().any(|fault| {
            matches!(
                fault.kind,
                FaultKind::Network(Cut::Canaries | Cut::PortalRedirect)
            ) && (fault.at..fault.end() + interval.unwrap_or_default() + 2 * MINUTE + before)
                .contains(&since)
        });
        let lan = self
            .script
            .sites
            .iter()
            .any(|site| site.place == Place::Lan);
        !self.script.faults.iter().any(|fault| match fault.kind {
            // A cut that ended before anybody else was asked is taken for the site's own fault.
            FaultKind::Network(cut @ (Cut::Family | Cut::NameServer)) => {
                let script = &self.script.sites[site];
                cuts_off(cut, script.place, script.host)
                    && (fault.at..fault.end() + before).contains(&since)
            }
            FaultKind::Network(cut) => {
                let seen_through = !self.script.canaries || silent || (lan && cut != Cut::All);
                let near = fault.at <= since && since < fault.end() + before;
                near && (seen_through || since + 5 * MINUTE > fault.end())
            }
            _ => false,
        })
    }
}
