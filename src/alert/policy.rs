//! When the owners of an open outage are told: at once, or when its silence is over and a
//! check has found it down still; again after a while; and somebody else where none of them
//! acknowledges or can.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{Moment, Now, Owner, Silence, SiteId, Timestamp};
use crate::monitor::{Monitor, SiteState};

use super::awaited::{Awaited, AwaitedSites};
use super::silence::{PARENT_WAIT, Silences, silences_children};
use super::time_windows::quiet_until;

/// How long the check is waited for that follows a silence, before the message is queued all the
/// same; a message that is old when it can be sent waits for another
/// ([`super::readiness`]).
const SILENCE_CHECK_WAIT: Duration = Duration::from_secs(60);

/// How often at least an outage is examined: the wall clock may be set.
const LONGEST_STEP: Duration = Duration::from_secs(60);

/// Open outages that are examined in one turn.
const TURN_SIZE: usize = 250;

/// What was told of an open outage; kept with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telling {
    /// When the message to its owners was queued; `None` while it is silenced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Timestamp>,
    /// The silence that was met last before its owners were told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<Silence>,
    /// The intervals of reminding that have passed: reminders so far, and those that silence left
    /// out.
    #[serde(default)]
    pub reminders: u32,
    /// Owners that were told because others did not acknowledge.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub escalated: BTreeSet<Box<str>>,
    /// Owners that were told because they were on call.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub on_call: BTreeSet<Box<str>>,
}

/// What is to be done about an open outage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlertStep {
    /// Its owners are told that it is open.
    Tell,
    /// The site is checked before its owners are told.
    Check,
    /// Its owners are reminded, for the so many-th time.
    Reminder(u32),
    /// This owner is told, because another did not acknowledge, or could not.
    Escalate {
        /// The key of the owner in `[owners]`.
        to: Box<str>,
        /// Who did not acknowledge.
        from: Box<str>,
        /// The end of that owner's quiet hours, where they are the reason.
        quiet_until: Option<Timestamp>,
    },
}

/// An open outage.
#[derive(Debug, Default)]
struct Watch {
    telling: Telling,
    /// `telling.told` on the clock of this run, and how much time had passed by then: in an
    /// earlier run, if any.
    told: Option<(Moment, Duration)>,
    /// A silence was met in this run, by maintenance or a parent that is down: a check has to
    /// follow it.
    silenced: bool,
    /// When the check was asked for that follows a silence.
    check_asked: Option<Moment>,
    /// The site that it waits for news of.
    awaits: Option<SiteId>,
    next: Moment,
}

/// The open outages.
#[derive(Debug, Default)]
pub(super) struct Policy {
    remind: Option<Duration>,
    open: BTreeMap<SiteId, Watch>,
    agenda: BTreeSet<(Moment, SiteId)>,
    awaited: AwaitedSites,
}

impl Policy {
    /// How often owners are reminded, from now on.
    pub(super) fn configure(&mut self, remind: Option<Duration>) {
        self.remind = remind.filter(|remind| !remind.is_zero());
        self.awaited.wake(self.open.keys().copied().collect());
    }

    /// An outage was confirmed, or goes on from an earlier run.
    pub(super) fn open(&mut self, site: SiteId, telling: Telling, now: Now) {
        let told = telling.told.map(|told| (now.mono, now.wall.since(told)));
        let watch = Watch {
            telling,
            told,
            next: now.mono,
            ..Watch::default()
        };
        self.agenda.insert((now.mono, site));
        if let Some(old) = self.open.insert(site, watch) {
            self.leave_agenda(site, &old);
            self.agenda.insert((now.mono, site));
        }
    }

    fn leave_agenda(&mut self, site: SiteId, watch: &Watch) {
        self.agenda.remove(&(watch.next, site));
        if let Some(other) = watch.awaits {
            self.awaited.remove(other, site);
        }
    }

    /// It ended: what was told of it.
    pub(super) fn close(&mut self, site: SiteId) -> Option<Telling> {
        let watch = self.open.remove(&site)?;
        self.leave_agenda(site, &watch);
        Some(watch.telling)
    }

    /// These owners are told of the open outage of a site because they are on call.
    pub(super) fn note_on_call(&mut self, site: SiteId, owners: &BTreeSet<Box<str>>) {
        if let Some(watch) = self.open.get_mut(&site) {
            watch.telling.on_call.extend(owners.iter().cloned());
        }
    }

    /// What was told of the open outage of a site.
    pub(super) fn telling(&self, site: SiteId) -> Option<&Telling> {
        Some(&self.open.get(&site)?.telling)
    }

    /// Something changed about the site: it is examined in the next turn.
    pub(super) fn examine_soon(&mut self, site: SiteId, now: Now) {
        if let Some(watch) = self.open.get_mut(&site) {
            self.agenda.remove(&(watch.next, site));
            watch.next = now.mono;
            self.agenda.insert((now.mono, site));
        }
    }

    /// A site was checked, paused or resumed: outages that wait for that are examined.
    pub(super) fn news(&mut self, state: &SiteState, now: Now) {
        if self.open.is_empty() {
            return;
        }
        self.awaited.news(state.id(), silences_children(state));
        let decides = |watch: &Watch| watch.told.is_none() && watch.check_asked.is_some();
        if self.open.get(&state.id()).is_some_and(decides) {
            self.examine_soon(state.id(), now);
        }
    }

    /// When an outage has to be examined next.
    pub(super) fn next_wake(&self) -> Option<Moment> {
        if !self.awaited.is_idle() {
            return Some(Moment::ZERO);
        }
        self.agenda.first().map(|(at, _)| *at)
    }

    /// What is to be done by `now`, for a bounded number of outages.
    pub(super) fn turn(
        &mut self,
        monitor: &Monitor,
        silences: &Silences,
        owners: &HashMap<Box<str>, Owner>,
        zone: &jiff::tz::TimeZone,
        now: Now,
    ) -> Vec<(SiteId, AlertStep)> {
        let mut due = Vec::new();
        for _ in 0..TURN_SIZE {
            let planned = self.agenda.first().filter(|(at, _)| *at <= now.mono);
            let planned = planned.map(|(_, site)| *site);
            let Some(site) = planned.or_else(|| self.awaited.next()) else {
                break;
            };
            self.examine(site, (monitor, silences), (owners, zone), now, &mut due);
        }
        due
    }

    /// Decides what is to be done about the outage of a site now, and when it is examined next.
    pub(super) fn examine(
        &mut self,
        site: SiteId,
        (monitor, silences): (&Monitor, &Silences),
        (owners, zone): (&HashMap<Box<str>, Owner>, &jiff::tz::TimeZone),
        now: Now,
        due: &mut Vec<(SiteId, AlertStep)>,
    ) {
        let Some(mut watch) = self.open.remove(&site) else {
            return;
        };
        self.leave_agenda(site, &watch);
        watch.awaits = None;
        let open = |state: &&SiteState| state.outage().is_some();
        let Some(state) = monitor.site(site).filter(open) else {
            return;
        };
        let (silence, by) = silences.silence(state, monitor, now).unzip();
        let next = if state.site().paused {
            LONGEST_STEP
        } else if watch.told.is_none() {
            if let Some(by) = by.flatten() {
                let awaited = match silence {
                    Some(Silence::ParentUnchecked(_)) => Awaited::Check,
                    _ => Awaited::Recovery,
                };
                self.awaited.add(by, site, awaited);
                watch.awaits = Some(by);
            }
            decide_first_message(&mut watch, state, silence.as_ref(), now, due)
        } else if silence.is_some() || state.outage().is_some_and(|it| it.acknowledged.is_some()) {
            LONGEST_STEP
        } else {
            self.remind_and_escalate(&mut watch, state, (owners, zone), now, due)
        };
        watch.next = now.mono + next.max(Duration::from_millis(1));
        self.agenda.insert((watch.next, site));
        self.open.insert(site, watch);
    }

    /// Reminders and escalations of an outage that was told and that nobody acknowledged;
    /// gives the time until the next one.
    fn remind_and_escalate(
        &self,
        watch: &mut Watch,
        state: &SiteState,
        (owners, zone): (&HashMap<Box<str>, Owner>, &jiff::tz::TimeZone),
        now: Now,
        due: &mut Vec<(SiteId, AlertStep)>,
    ) -> Duration {
        let (told, before) = watch.told.unwrap_or((now.mono, Duration::ZERO));
        let age = before + now.mono.since(told);
        let mut next = LONGEST_STEP;
        let named = &state.site().owners;
        let named_owners = named.iter().filter_map(|name| owners.get(name));
        // Who is not told of outages cannot acknowledge one.
        for owner in named_owners.filter(|owner| owner.tell.down) {
            let Some(escalation) = &owner.escalate else {
                continue;
            };
            // One who is told anyway is not told again.
            let is_told = named.contains(&escalation.to)
                && owners.get(&escalation.to).is_some_and(|to| to.tell.down);
            if is_told || watch.telling.escalated.contains(&escalation.to) {
                continue;
            }
            let quiet_until = quiet_until(owner, now.wall, zone);
            if age < escalation.after && quiet_until.is_none() {
                next = next.min(escalation.after - age);
                continue;
            }
            watch.telling.escalated.insert(escalation.to.clone());
            let escalate = AlertStep::Escalate {
                to: escalation.to.clone(),
                from: owner.name.clone(),
                quiet_until: quiet_until.filter(|_| age < escalation.after),
            };
            due.push((state.id(), escalate));
        }
        if let Some(remind) = self.remind {
            let times = u32::try_from(age.as_nanos() / remind.as_nanos()).unwrap_or(u32::MAX);
            if times > watch.telling.reminders {
                watch.telling.reminders = times;
                due.push((state.id(), AlertStep::Reminder(times)));
            }
            let after = remind.saturating_mul(times.saturating_add(1));
            next = next.min(after.saturating_sub(age));
        }
        next
    }
}

/// An outage that was not told yet; gives the time until it is examined again.
fn decide_first_message(
    watch: &mut Watch,
    state: &SiteState,
    silence: Option<&Silence>,
    now: Now,
    due: &mut Vec<(SiteId, AlertStep)>,
) -> Duration {
    if silence.is_some() {
        watch.telling.silence = silence.cloned();
    }
    match silence {
        Some(Silence::Maintenance(until)) => {
            (watch.silenced, watch.check_asked) = (true, None);
            return until.since(now.wall).min(LONGEST_STEP);
        }
        Some(Silence::Parent(_) | Silence::ParentFailing(_)) => {
            (watch.silenced, watch.check_asked) = (true, None);
            return LONGEST_STEP;
        }
        Some(Silence::ParentUnchecked(_)) => {
            let opened = state.outage().map(|outage| outage.opened());
            let waited = opened.map(|opened| now.mono.since(opened));
            return PARENT_WAIT.saturating_sub(waited.unwrap_or_default());
        }
        None => {}
    }
    if watch.silenced {
        let Some(asked) = watch.check_asked else {
            watch.check_asked = Some(now.mono);
            due.push((state.id(), AlertStep::Check));
            return SILENCE_CHECK_WAIT;
        };
        let failed = state
            .last_failure()
            .is_some_and(|last| last.started >= asked);
        let decided = failed && state.good() == 0;
        let waited = now.mono.since(asked);
        if !decided && waited < SILENCE_CHECK_WAIT {
            return SILENCE_CHECK_WAIT - waited;
        }
    }
    watch.told = Some((now.mono, Duration::ZERO));
    watch.telling.told = Some(now.wall);
    due.push((state.id(), AlertStep::Tell));
    Duration::ZERO
}
