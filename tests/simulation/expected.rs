//! What has to be so at given instants of a simulated world, and at its end.

use uptime_squirrel::domain::EventKind;
use uptime_squirrel::monitor::State;

use super::events::Event;
use super::script::{Cut, FaultKind, HOUR, MINUTE, Mood, Place, SECOND, Script, WorkerFault};
use super::setting::{owner_name, site_name};
use super::truth::{Span, Truth};
use super::world::World;

/// Canaries, a worker that is busy, the check that precedes a message, and the sending.
const RUNNING_TIME: u64 = 2 * MINUTE;

/// The longest pause between two attempts of a channel that asks for none.
const LONGEST_RETRY: u64 = 16 * MINUTE;

#[derive(Clone, Debug)]
pub(super) enum Promise {
    /// The outage of a site is told to these owners.
    Told(usize, Vec<usize>),
    /// Blindness that began then is told.
    Blind(u64),
    /// That nobody checks is told; it began then.
    Unwatched(u64),
    /// What is believed of each site is so.
    Believed,
}

/// How long it takes until an outage that is in plain view is told.
pub(super) fn bound(script: &Script, site: usize) -> u64 {
    let site = &script.sites[site];
    let confirm = u64::from(site.confirm) * (site.confirm_delay + 10 * SECOND);
    site.interval + confirm + script.digest + RUNNING_TIME
}

/// Everything that is promised of this world, and when it is due.
pub(super) fn promises(script: &Script, truth: &Truth) -> Vec<(u64, Promise)> {
    let mut promises = Vec::new();
    for site in 0..script.sites.len() {
        for span in truth.in_plain_view(script, site) {
            let due = span.0 + bound(script, site);
            if due < span.1.min(end_of(script)) {
                let owners = script.sites[site].owners.iter().copied();
                let owners = owners.filter(|owner| script.owners[*owner].tells_down);
                let owners = owners.filter(|owner| is_reached(script, *owner, (span.0, due)));
                promises.push((due, Promise::Told(site, owners.collect())));
            }
        }
    }
    let interval = longest_interval(script);
    for fault in &script.faults {
        let (from, to) = (fault.at, fault.end());
        match fault.kind {
            FaultKind::Network(cut) if script.canaries && hides_all(script, cut) => {
                let due = from + 2 * interval + 5 * MINUTE + MINUTE;
                if due < to && is_alone(script, truth, (from, due)) {
                    promises.push((due, Promise::Blind(from)));
                }
            }
            FaultKind::Workers(WorkerFault::Frozen) => {
                let due = from + 3 * interval + 2 * MINUTE;
                if due < to && is_alone(script, truth, (from, due)) {
                    promises.push((due, Promise::Unwatched(from)));
                }
            }
            _ => {}
        }
    }
    let recover = script
        .sites
        .iter()
        .map(|site| u64::from(site.recover))
        .max();
    let settled = (recover.unwrap_or(1) + 1) * interval + RUNNING_TIME;
    promises.push((script.calm + settled, Promise::Believed));
    promises
}

fn longest_interval(script: &Script) -> u64 {
    let intervals = script.sites.iter().map(|site| site.interval);
    intervals.max().unwrap_or_default()
}

/// When a world has come to rest.
pub(super) fn end_of(script: &Script) -> u64 {
    let quiet = script.owners.iter().any(|owner| owner.quiet.is_some());
    script.calm + if quiet { 12 * HOUR } else { 2 * HOUR }
}

/// Whether an owner has a channel that takes messages all the time, and does not sleep.
fn is_reached(script: &Script, owner: usize, (from, to): Span) -> bool {
    // The clock of retries stands still while the machine sleeps.
    let sleeps = script.faults.iter();
    let sleeps = sleeps.filter(|fault| fault.kind == FaultKind::Sleep);
    let longest_retry = LONGEST_RETRY + sleeps.map(|fault| fault.lasts).sum::<u64>();
    let accepts = |channel: usize| {
        !script.faults.iter().any(|fault| {
            let FaultKind::Channel(who, by, mood) = fault.kind else {
                return false;
            };
            // What was refused for good is not told later, however long it goes on.
            let lasts = mood == Mood::RefusesForGood || fault.end() + longest_retry > from;
            (who, by) == (owner, channel) && fault.at < to && lasts
        })
    };
    script.owners[owner].quiet.is_none() && (0..script.owners[owner].channels).any(accepts)
}

/// Whether nothing can be seen through this cut.
fn hides_all(script: &Script, cut: Cut) -> bool {
    let mut hosts: Vec<usize> = Vec::new();
    let mut lan = false;
    for site in &script.sites {
        match site.place {
            Place::Internet => hosts.push(site.host),
            Place::Lan => lan = true,
            Place::ThisMachine => {}
        }
    }
    hosts.sort_unstable();
    hosts.dedup();
    match cut {
        Cut::All => lan || !hosts.is_empty(),
        Cut::Internet | Cut::Portal511 => !lan && !hosts.is_empty(),
        Cut::PortalRedirect => !lan && hosts.len() >= 3,
        Cut::Canaries | Cut::Family | Cut::NameServer => false,
    }
}

/// Whether nothing else happens within a span, so that it says something by itself.
fn is_alone(script: &Script, truth: &Truth, (from, to): Span) -> bool {
    let wide = (from.saturating_sub(HOUR), to + MINUTE);
    let touches = |at: u64, end: u64| at < wide.1 && wide.0 <= end;
    let others = script
        .faults
        .iter()
        .filter(|fault| touches(fault.at, fault.end()));
    let others = others.filter(|fault| {
        !matches!(
            fault.kind,
            FaultKind::Channel(..) | FaultKind::Acknowledged(_)
        )
    });
    let sites = 0..script.sites.len();
    others.count() == 1
        && !sites
            .into_iter()
            .any(|site| truth.is_down_within(site, wide))
}

impl World {
    /// Runs the world to its end; gives the first promise that was broken.
    pub(super) fn play(mut self) -> Result<Self, String> {
        let promises = promises(&self.script, &self.truth);
        for (number, (due, _)) in promises.iter().enumerate() {
            self.schedule(*due, Event::Promise(number));
        }
        let end = end_of(&self.script);
        self.run(end, &mut |world, number| world.hold(&promises[number].1));
        if self.promises.broken.is_none() {
            self.hold_at_rest();
            self.hold_ends();
            self.hold_counts();
            self.hold_uptime();
        }
        match self.promises.broken.take() {
            Some(broken) => Err(broken),
            None => Ok(self),
        }
    }

    pub(super) fn broken(&mut self, what: String) {
        let at = self.time;
        self.promises.fail(at, || what);
    }

    fn hold(&mut self, promise: &Promise) {
        match promise {
            Promise::Told(site, owners) => self.hold_told(*site, owners),
            Promise::Blind(from) => {
                if !self
                    .promises
                    .was_queued(EventKind::Blind, (*from, self.time))
                {
                    self.broken(format!("nobody was told that nothing is seen since {from}"));
                }
            }
            Promise::Unwatched(from) => {
                if !self
                    .promises
                    .was_queued(EventKind::Unwatched, (*from, self.time))
                {
                    self.broken(format!("nobody was told that nobody checks since {from}"));
                }
            }
            Promise::Believed => self.hold_believed(),
        }
    }

    fn hold_told(&mut self, site: usize, owners: &[usize]) {
        let name = site_name(site);
        let Some(engine) = &self.engine else {
            return self.broken("the process does not run".to_owned());
        };
        let state = engine.monitor().find(&name);
        let Some(since) = state.and_then(|state| Some(state.outage()?.since().wall)) else {
            let state = state.map(|state| (state.state(), state.last().cloned()));
            return self.broken(format!("the outage of {name} was not seen: {state:?}"));
        };
        for owner in owners {
            if !self.promises.is_told(&owner_name(*owner), &name, since) {
                return self.broken(format!(
                    "owner-{owner} was not told of {name}, down since {since:?}"
                ));
            }
        }
    }

    fn hold_believed(&mut self) {
        let Some(engine) = &self.engine else {
            return self.broken("the process does not run".to_owned());
        };
        let states = engine.monitor().sites().enumerate();
        let states: Vec<_> = states.map(|(site, state)| (site, state.state())).collect();
        for (site, believed) in states {
            let down = self.truth.failing(site, self.time).is_some();
            let wanted = if down { State::Down } else { State::Up };
            if believed != wanted {
                self.broken(format!(
                    "site-{site} is {wanted:?} and taken for {believed:?}"
                ));
            }
        }
    }
}
