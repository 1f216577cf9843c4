//! The owners who are told: those of a site, and whoever is on call for them.

use std::collections::BTreeSet;

use crate::domain::{Now, Owner, SiteId, Tell};
use crate::monitor::SiteState;

use super::alerts::Alerts;
use super::rotation::on_call;

impl Alerts {
    /// The owners of a site who are told of some kind of event.
    pub(super) fn told_of(
        &self,
        state: &SiteState,
        wanted: fn(Tell) -> bool,
    ) -> BTreeSet<Box<str>> {
        let wanted = |owner: &&Owner| wanted(owner.tell);
        let name = |owner: &Owner| owner.name.clone();
        if self.rules.everybody {
            return self.owners.values().filter(wanted).map(name).collect();
        }
        let own = state.site().owners.iter();
        let own = own.filter_map(|name| self.owners.get(name));
        own.filter(wanted).map(name).collect()
    }

    /// Who is on call for these owners.
    pub(super) fn on_call_for(&self, owners: &BTreeSet<Box<str>>, now: Now) -> BTreeSet<Box<str>> {
        let owners = owners.iter().filter_map(|name| self.owners.get(name));
        let rotations = owners.filter_map(|owner| owner.rotation.as_ref());
        let members = rotations.filter_map(|rotation| on_call(rotation, now.wall, &self.zone));
        members.map(Box::from).collect()
    }

    /// These owners, and who is on call for them, who is told of the end of the outage as well.
    pub(super) fn told_on_call(
        &mut self,
        site: SiteId,
        mut owners: BTreeSet<Box<str>>,
        now: Now,
    ) -> BTreeSet<Box<str>> {
        let members = self.on_call_for(&owners, now);
        if !members.is_empty() {
            self.policy.note_on_call(site, &members);
            owners.extend(members);
        }
        owners
    }

    /// Who is on call at present: each owner with a rotation, and whose turn it is; by name.
    #[must_use]
    pub fn on_call(&self, now: Now) -> Vec<(Box<str>, Box<str>)> {
        let turns = self.owners.values().filter_map(|owner| {
            let rotation = owner.rotation.as_ref()?;
            let member = on_call(rotation, now.wall, &self.zone)?;
            Some((owner.name.clone(), Box::from(member)))
        });
        let mut turns: Vec<_> = turns.collect();
        turns.sort();
        turns
    }
}
