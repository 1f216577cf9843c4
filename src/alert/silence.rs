//! Why owners are not told of an outage at present: maintenance that was planned or begun by
//! a key, or the site that it depends on is down itself.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::domain::{MaintenanceWindow, MaintenanceWindows, Now, Silence, SiteId, Timestamp};
use crate::monitor::{Monitor, SiteState};

use super::time_windows::open_span;

/// The longest maintenance that a user can begin without a window in `sites.toml`: 30 days.
const LONGEST_MAINTENANCE: Duration = Duration::from_secs(30 * 86_400);

/// The length of maintenance that a key begins.
pub const MAINTENANCE_BY_KEY: Duration = Duration::from_secs(3_600);

/// How long the check of a parent is waited for that was begun after its child's first failure:
/// it is asked for when the outage opens.
pub(super) const PARENT_WAIT: Duration = Duration::from_secs(30);

/// The most sites that may depend on each other in a chain.
const LONGEST_CHAIN: usize = 16;

/// The last answer about a window, and the minute that it holds for.
type CachedWindow = Cell<Option<(i64, Option<(Timestamp, Timestamp)>)>>;

/// How long it is until `end`, by the clock that comes first; `None` if it is over.
fn left(end: Now, now: Now) -> Option<Duration> {
    let left = end.mono.since(now.mono).min(end.wall.since(now.wall));
    (!left.is_zero()).then_some(left)
}

/// Maintenance of all sites.
#[derive(Debug)]
pub(super) struct Silences {
    zone: TimeZone,
    windows: Vec<(MaintenanceWindow, CachedWindow)>,
    by_name: HashMap<Box<str>, Vec<usize>>,
    by_tag: HashMap<Box<str>, Vec<usize>>,
    /// The end of maintenance that a key began, on both clocks: it is over when either says so.
    /// The monotonic one stands still while the machine sleeps, and the other one may be set.
    by_key: BTreeMap<SiteId, Now>,
}

impl Silences {
    pub(super) fn new(zone: TimeZone) -> Self {
        Self {
            zone,
            windows: Vec::new(),
            by_name: HashMap::new(),
            by_tag: HashMap::new(),
            by_key: BTreeMap::new(),
        }
    }

    /// Takes over the windows of a changed configuration.
    pub(super) fn configure(&mut self, windows: MaintenanceWindows) {
        self.windows = Vec::new();
        (self.by_name, self.by_tag) = (HashMap::new(), HashMap::new());
        for (name, windows) in windows.of_sites {
            for window in windows {
                let place = self.add(window);
                self.by_name.entry(name.clone()).or_default().push(place);
            }
        }
        for shared in windows.shared {
            let place = self.add(shared.window);
            for name in shared.sites {
                self.by_name.entry(name).or_default().push(place);
            }
            for tag in shared.tags {
                self.by_tag.entry(tag).or_default().push(place);
            }
        }
    }

    fn add(&mut self, window: MaintenanceWindow) -> usize {
        self.windows.push((window, CachedWindow::default()));
        self.windows.len() - 1
    }

    /// Begins maintenance at a site that lasts so long, in place of what a user began before; or
    /// ends that. Gives its end, or `None` if it is over.
    pub(super) fn set(
        &mut self,
        site: SiteId,
        lasts: Option<Duration>,
        now: Now,
    ) -> Option<Timestamp> {
        self.by_key.remove(&site);
        let lasts = lasts?.min(LONGEST_MAINTENANCE);
        let wall = now.wall.after(lasts);
        let mono = now.mono + lasts;
        self.by_key.insert(site, Now { mono, wall });
        Some(wall)
    }

    /// Begins an hour of maintenance at a site, or ends the one that a key began. Gives its
    /// end, or `None` if it is over.
    pub(super) fn toggle(&mut self, site: SiteId, now: Now) -> Option<Timestamp> {
        let known = self.by_key.get(&site);
        let is_over = known.is_none_or(|end| left(*end, now).is_none());
        self.set(site, is_over.then_some(MAINTENANCE_BY_KEY), now)
    }

    /// Goes on with maintenance that a key began in an earlier run.
    pub(super) fn restore(&mut self, site: SiteId, until: Timestamp, now: Now) {
        let left = until.since(now.wall).min(LONGEST_MAINTENANCE);
        let (mono, wall) = (now.mono + left, until);
        self.by_key.insert(site, Now { mono, wall });
    }

    /// The sites whose maintenance a key began, each with its end.
    pub(super) fn by_key(&self) -> impl Iterator<Item = (SiteId, Timestamp)> {
        self.by_key.iter().map(|(site, end)| (*site, end.wall))
    }

    /// The end of the maintenance that a site is in.
    pub(super) fn maintenance(&self, state: &SiteState, now: Now) -> Option<Timestamp> {
        let key = self.by_key.get(&state.id());
        let key = key.and_then(|end| Some(now.wall.after(left(*end, now)?)));
        let planned = self.planned(state, now.wall).map(|(_, until)| until);
        key.into_iter().chain(planned).max()
    }

    /// The windows that are open for a site, each from when and until when.
    pub(super) fn planned(
        &self,
        state: &SiteState,
        now: Timestamp,
    ) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let site = state.site();
        let named = self.by_name.get(&site.name).into_iter().flatten();
        let tagged = site.tags.iter().filter_map(|tag| self.by_tag.get(tag));
        let places = named.chain(tagged.flatten());
        places.filter_map(move |place| self.open_span(*place, now))
    }

    /// Why owners are not told of an outage of the site at present, and the parent that is the
    /// reason.
    pub(super) fn silence(
        &self,
        state: &SiteState,
        monitor: &Monitor,
        now: Now,
    ) -> Option<(Silence, Option<SiteId>)> {
        if let Some(until) = self.maintenance(state, now) {
            return Some((Silence::Maintenance(until), None));
        }
        let fresh = state.outage();
        let fresh = fresh.filter(|outage| now.mono.since(outage.opened()) < PARENT_WAIT);
        let fresh = fresh.map(|outage| outage.since());
        let mut parent = state.site().parent.as_deref();
        for _ in 0..LONGEST_CHAIN {
            let above = monitor.find(parent?)?;
            parent = above.site().parent.as_deref();
            if above.site().paused {
                // Nobody checks it: it says nothing of its children.
                continue;
            }
            if silences_children(above) {
                let name = above.site().name.clone();
                let silence = if above.outage().is_some() {
                    Silence::Parent(name)
                } else {
                    Silence::ParentFailing(name)
                };
                return Some((silence, Some(above.id())));
            }
            // What was found before the outage says nothing of it; it is checked again.
            let unchecked = fresh.is_some_and(|since| {
                let last = above.last();
                last.is_none_or(|last| last.started < since.mono)
            });
            if unchecked {
                let silence = Silence::ParentUnchecked(above.site().name.clone());
                return Some((silence, Some(above.id())));
            }
        }
        None
    }

    /// Since when and until when a window is open; computed once a minute, whatever number of
    /// sites asks.
    fn open_span(&self, place: usize, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let minute = now.as_micros().div_euclid(60_000_000);
        let (window, answer) = self.windows.get(place)?;
        let span = match answer.get() {
            Some((known, span)) if known == minute => span,
            _ => {
                let span = open_span(window, now, &self.zone);
                answer.set(Some((minute, span)));
                span
            }
        };
        span.filter(|(_, until)| *until > now)
    }
}

/// Whether a site is down, or may be: then outages of those that depend on it are its own.
pub(super) fn silences_children(state: &SiteState) -> bool {
    !state.site().paused && (state.outage().is_some() || state.failures() > 0)
}
