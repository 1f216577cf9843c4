//! Who is told of an outage, and when: nobody during maintenance or while the site that it
//! depends on is down, somebody else where nobody acknowledges, and everybody again after a
//! while. Decides and keeps what it decided; writes and sends nothing.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::config::Config;
use crate::domain::{MaintenanceWindow, SharedWindow};
use crate::domain::{Moment, Now, Owner, SiteId, Timestamp};
use crate::monitor::{Monitor, SiteState};

use crate::alert::open_until;

/// How long maintenance lasts that a key began.
pub(super) const BY_KEY: Duration = Duration::from_secs(3_600);

/// How often open outages are looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// For so long the look at a parent is waited for that was begun after the outage.
const UNSURE: Duration = Duration::from_secs(30);

/// Sites that stand above each other at most.
const MOST_PARENTS: usize = 16;

/// Why nobody is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Until then outages are expected.
    Maintenance(Timestamp),
    /// This site, which it depends on, is down or fails, or is just looked at.
    Parent(Box<str>),
}

/// What is to be told now of an open outage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// That it is open: the silence is over.
    Down,
    /// That it is still open, for the so many-th time.
    Reminder(u32),
    /// To this owner, because nobody acknowledged.
    Escalation(Box<str>),
}

/// An open outage.
#[derive(Clone, Debug, Default)]
struct Watch {
    told: Option<Moment>,
    reminded: u32,
    /// Owners that were told because others did not acknowledge.
    escalated: BTreeSet<Box<str>>,
}

/// What a configuration says of it.
#[derive(Debug)]
pub(super) struct Rules {
    maintenance: BTreeMap<Box<str>, Vec<MaintenanceWindow>>,
    common: Vec<SharedWindow>,
    remind: Option<Duration>,
}

impl From<&Config> for Rules {
    fn from(config: &Config) -> Self {
        Self {
            maintenance: config.maintenance.clone(),
            common: config.shared_maintenance.clone(),
            remind: config.notify.remind,
        }
    }
}

/// The answer about a window, and the minute that it was reckoned for.
type Known = Cell<Option<(i64, Option<Timestamp>)>>;

/// The rules, and the outages that are open.
#[derive(Debug)]
pub(super) struct Vigil {
    zone: TimeZone,
    /// With the minute that was asked for last, and until when it is open.
    windows: Vec<(MaintenanceWindow, Known)>,
    by_name: HashMap<Box<str>, Vec<usize>>,
    by_tag: HashMap<Box<str>, Vec<usize>>,
    by_key: BTreeMap<SiteId, Timestamp>,
    remind: Option<Duration>,
    open: BTreeMap<SiteId, Watch>,
    looked: Moment,
}

impl Vigil {
    pub(super) fn new(rules: Rules, zone: &TimeZone) -> Self {
        let mut vigil = Self {
            zone: zone.clone(),
            windows: Vec::new(),
            by_name: HashMap::new(),
            by_tag: HashMap::new(),
            by_key: BTreeMap::new(),
            remind: None,
            open: BTreeMap::new(),
            looked: Moment::ZERO,
        };
        vigil.configure(rules);
        vigil
    }

    /// Takes over a changed configuration; what is open stays so.
    pub(super) fn configure(&mut self, rules: Rules) {
        self.windows = Vec::new();
        (self.by_name, self.by_tag) = (HashMap::new(), HashMap::new());
        for (name, windows) in rules.maintenance {
            for window in windows {
                let place = self.add(window);
                self.by_name.entry(name.clone()).or_default().push(place);
            }
        }
        for common in rules.common {
            let place = self.add(common.window);
            for name in common.sites {
                self.by_name.entry(name).or_default().push(place);
            }
            for tag in common.tags {
                self.by_tag.entry(tag).or_default().push(place);
            }
        }
        self.remind = rules.remind;
    }

    fn add(&mut self, window: MaintenanceWindow) -> usize {
        self.windows.push((window, Known::default()));
        self.windows.len() - 1
    }

    /// Begins an hour of maintenance at a site, or ends the one that a key began. Gives until
    /// when.
    pub(super) fn by_key(&mut self, site: SiteId, now: Timestamp) -> Option<Timestamp> {
        if self.by_key.remove(&site).is_some_and(|until| until > now) {
            return None;
        }
        let length = i64::try_from(BY_KEY.as_micros()).unwrap_or(i64::MAX);
        let until = Timestamp::from_micros(now.as_micros().saturating_add(length));
        self.by_key.insert(site, until);
        Some(until)
    }

    /// Maintenance that a key began in an earlier run goes on.
    pub(super) fn maintained(&mut self, site: SiteId, until: Timestamp) {
        self.by_key.insert(site, until);
    }

    /// Why nobody is told of the site at present, if that is so.
    pub(super) fn silence(
        &self,
        state: &SiteState,
        monitor: &Monitor,
        now: Timestamp,
    ) -> Option<Silence> {
        if let Some(until) = self.by_key.get(&state.id()).filter(|until| **until > now) {
            return Some(Silence::Maintenance(*until));
        }
        let site = state.site();
        let named = self.by_name.get(&site.name).into_iter().flatten();
        let tagged = site.tags.iter().filter_map(|tag| self.by_tag.get(tag));
        let places: Vec<usize> = named.chain(tagged.flatten()).copied().collect();
        let until = places
            .into_iter()
            .filter_map(|place| self.until(place, now));
        if let Some(until) = until.max() {
            return Some(Silence::Maintenance(until));
        }
        let since = state.outage().map(|outage| outage.since());
        let fresh = since.filter(|since| now.since(since.wall) < UNSURE);
        let mut parent = site.parent.as_deref();
        for _ in 0..MOST_PARENTS {
            let above = monitor.find(parent?)?;
            // What was seen before the outage says nothing of it; it is looked at again.
            let unsure = fresh.is_some_and(|since| {
                let last = above.last();
                !above.site().paused && last.is_none_or(|last| last.started < since.mono)
            });
            if above.outage().is_some() || above.failures() > 0 || unsure {
                return Some(Silence::Parent(above.site().name.clone()));
            }
            parent = above.site().parent.as_deref();
        }
        None
    }

    /// Until when a window is open; reckoned once a minute, whatever number of sites asks.
    fn until(&self, place: usize, now: Timestamp) -> Option<Timestamp> {
        let minute = now.as_micros().div_euclid(60_000_000);
        let (window, known) = self.windows.get(place)?;
        let until = match known.get() {
            Some((known, until)) if known == minute => until,
            _ => {
                let until = open_until(window, now, &self.zone);
                known.set(Some((minute, until)));
                until
            }
        };
        until.filter(|until| *until > now)
    }

    /// An outage was confirmed. Gives whether its owners are told at once.
    pub(super) fn opened(&mut self, state: &SiteState, monitor: &Monitor, now: Now) -> bool {
        let silent = self.silence(state, monitor, now.wall).is_some();
        self.open.insert(
            state.id(),
            Watch {
                told: (!silent).then_some(now.mono),
                ..Watch::default()
            },
        );
        !silent
    }

    /// An outage of an earlier run goes on. For whoever was told, the time to acknowledge it
    /// begins anew.
    pub(super) fn restored(&mut self, site: SiteId, told: Option<Moment>) {
        let watch = Watch {
            told,
            ..Watch::default()
        };
        self.open.insert(site, watch);
    }

    /// It ended. Gives the owners beside the site's own that know of it, or `None` if nobody
    /// does.
    pub(super) fn ended(&mut self, site: SiteId) -> Option<BTreeSet<Box<str>>> {
        let watch = self.open.remove(&site)?;
        watch.told.map(|_| watch.escalated)
    }

    /// What is due by now of the open outages, once a second at most.
    pub(super) fn due(
        &mut self,
        monitor: &Monitor,
        owners: &[Owner],
        now: Now,
    ) -> Vec<(SiteId, Due)> {
        if self.open.is_empty() || now.mono.since(self.looked) < PERIOD {
            return Vec::new();
        }
        self.looked = now.mono;
        let mut due = Vec::new();
        for (site, mut watch) in std::mem::take(&mut self.open) {
            let Some(state) = monitor.site(site) else {
                continue;
            };
            let Some(outage) = state.outage() else {
                continue;
            };
            if self.silence(state, monitor, now.wall).is_none() {
                match watch.told {
                    None => {
                        watch.told = Some(now.mono);
                        due.push((site, Due::Down));
                    }
                    Some(told) if outage.acknowledged.is_none() => {
                        self.press(state, owners, now.mono.since(told), &mut watch, &mut due);
                    }
                    Some(_) => {}
                }
            }
            self.open.insert(site, watch);
        }
        due
    }

    /// Nobody has acknowledged for `since`.
    fn press(
        &self,
        state: &SiteState,
        owners: &[Owner],
        since: Duration,
        watch: &mut Watch,
        due: &mut Vec<(SiteId, Due)>,
    ) {
        let named = &state.site().owners;
        let owners = owners.iter().filter(|owner| named.contains(&owner.name));
        for escalation in owners.filter_map(|owner| owner.escalate.as_ref()) {
            let known = named.contains(&escalation.to);
            if since >= escalation.after && !known && watch.escalated.insert(escalation.to.clone())
            {
                due.push((state.id(), Due::Escalation(escalation.to.clone())));
            }
        }
        let Some(remind) = self.remind.filter(|remind| !remind.is_zero()) else {
            return;
        };
        let times = u32::try_from(since.as_nanos() / remind.as_nanos()).unwrap_or(u32::MAX);
        if times > watch.reminded {
            watch.reminded = times;
            due.push((state.id(), Due::Reminder(times)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{KnownNames, parse};
    use crate::domain::{Acknowledgement, JobId, Outcome, Verdict};
    use crate::monitor::{Notice, look};
    use proptest::prelude::*;
    use std::path::Path;
    use std::sync::Arc;

    /// A gateway, a shop behind it, and a blog with an hour of maintenance at six.
    const SITES: &str = r#"
[owners.ops]
push = "ops"
escalate = "boss"
escalate_after = "10m"
[owners.boss]
push = "boss"
[notify]
remind = "1h"
[[maintenance]]
sites = ["blog"]
cron = "0 6 * * *"
lasts = "1h"
zone = "UTC"
[monitor]
confirm = 1
recover = 1
[[sites]]
name = "gate"
url = "http://gate.invalid"
owners = ["ops"]
[[sites]]
name = "shop"
url = "http://shop.invalid"
owners = ["ops"]
parent = "gate"
[[sites]]
name = "blog"
url = "http://blog.invalid"
owners = ["ops"]
"#;

    struct Life {
        vigil: Vigil,
        monitor: Monitor,
        owners: Vec<Owner>,
        now: Now,
        /// Site, what was told of it, and when (seconds).
        told: Vec<(usize, String, u64)>,
    }

    impl Life {
        fn new() -> Self {
            let config = parse(
                SITES,
                Path::new("sites.toml"),
                &KnownNames { paradigms: &[] },
            )
            .unwrap();
            let mut monitor = Monitor::new();
            let now = Now::default();
            monitor.configure(config.sites.clone(), now);
            Self {
                vigil: Vigil::new(Rules::from(&config), &TimeZone::UTC),
                monitor,
                owners: config.owners,
                now,
                told: Vec::new(),
            }
        }

        fn pass(&mut self, seconds: u64) {
            self.now.mono = self.now.mono + Duration::from_secs(seconds);
            let wall = self.now.wall.as_micros() + seconds as i64 * 1_000_000;
            self.now.wall = Timestamp::from_micros(wall);
            self.tend();
        }

        fn seconds(&self) -> u64 {
            self.now.mono.as_nanos() / 1_000_000_000
        }

        fn note(&mut self, site: SiteId, what: impl Into<String>) {
            let at = self.seconds();
            self.told.push((site.index(), what.into(), at));
        }

        fn tend(&mut self) {
            for (site, due) in self.vigil.due(&self.monitor, &self.owners, self.now) {
                let what = match due {
                    Due::Down => "down".to_owned(),
                    Due::Reminder(number) => format!("reminder {number}"),
                    Due::Escalation(to) => format!("to {to}"),
                };
                self.note(site, what);
            }
        }

        fn look(&mut self, site: usize, verdict: Verdict) {
            let site = SiteId::from_index(site);
            let job = JobId {
                site,
                due: self.now.mono,
            };
            let mut notices = Vec::new();
            let outcome = Outcome::Checked(Arc::new(look(job, verdict)));
            self.monitor.observe(&outcome, self.now, &mut notices);
            for notice in notices {
                match notice {
                    Notice::Down { site } => {
                        let state = self.monitor.site(site).unwrap();
                        if self.vigil.opened(state, &self.monitor, self.now) {
                            self.note(site, "down");
                        }
                    }
                    Notice::Recovered { site, .. } if self.vigil.ended(site).is_some() => {
                        self.note(site, "recovered");
                    }
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn during_the_window_nobody_is_told_and_at_its_end_what_is_open_is() {
        let mut life = Life::new();
        life.pass(6 * 3_600 + 60);
        life.look(2, Verdict::Down);
        for _ in 0..59 {
            life.pass(59);
        }
        assert_eq!(life.told, []);
        life.pass(60);
        assert_eq!(life.told.len(), 1, "{:?}", life.told);
        assert_eq!(life.told[0].1, "down");
        assert!(life.told[0].2 >= 7 * 3_600);
    }

    #[test]
    fn whoever_was_not_told_that_it_began_is_not_told_that_it_ended() {
        let mut life = Life::new();
        life.pass(6 * 3_600 + 60);
        life.look(2, Verdict::Down);
        life.pass(600);
        life.look(2, Verdict::Up);
        life.pass(7_200);
        assert_eq!(life.told, []);
    }

    #[test]
    fn an_acknowledgement_ends_reminders_and_escalation() {
        let mut life = Life::new();
        life.look(0, Verdict::Down);
        life.pass(599);
        let known = Acknowledgement {
            at: life.now.wall,
            note: "on it".into(),
        };
        life.monitor.acknowledge(SiteId::from_index(0), Some(known));
        for _ in 0..10 {
            life.pass(3_600);
        }
        assert_eq!(life.told, [(0, "down".to_owned(), 0)]);
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Look(usize, bool),
        Key(usize),
        Pass(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0_usize..3, any::<bool>()).prop_map(|(site, up)| Step::Look(site, up)),
            1 => (0_usize..3).prop_map(Step::Key),
            3 => (1_u64..4_000).prop_map(Step::Pass),
        ]
    }

    proptest! {
        /// Whatever happens: of one outage nobody is told twice, and whatever is open for long
        /// enough without a silence is told.
        #[test]
        fn each_outage_is_told_once_and_none_is_forgotten(
            steps in prop::collection::vec(step(), 1..80)
        ) {
            let mut life = Life::new();
            for step in steps {
                match step {
                    Step::Look(site, true) => life.look(site, Verdict::Up),
                    Step::Look(site, false) => life.look(site, Verdict::Down),
                    Step::Key(site) => {
                        life.vigil.by_key(SiteId::from_index(site), life.now.wall);
                    }
                    Step::Pass(seconds) => life.pass(seconds),
                }
            }
            // The gateway is well at last, every window is over, and time passes.
            life.pass(3_601);
            life.look(0, Verdict::Up);
            for _ in 0..3 {
                life.pass(3_601);
            }
            for site in 0..3 {
                let of_site = life.told.iter().filter(|(told, ..)| *told == site);
                let words: Vec<&str> = of_site
                    .map(|(_, what, _)| &**what)
                    .filter(|what| matches!(*what, "down" | "recovered"))
                    .collect();
                for (place, word) in words.iter().enumerate() {
                    let expected = if place % 2 == 0 { "down" } else { "recovered" };
                    prop_assert_eq!(*word, expected, "{}: {:?}", site, life.told);
                }
                let open = life.monitor.site(SiteId::from_index(site)).unwrap().outage().is_some();
                prop_assert_eq!(words.len() % 2 == 1, open, "{}: {:?}", site, life.told);
            }
            // Reminders and escalations of one outage come once each.
            for pair in life.told.windows(2) {
                prop_assert_ne!(&pair[0], &pair[1]);
            }
        }
    }
}
