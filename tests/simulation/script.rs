//! What happens in a simulated world: its sites, owners and channels, and every fault, all
//! made from one seed. Faults can be left out one by one, to find those that matter.

use fastrand::Rng;

pub(super) const SECOND: u64 = 1_000_000_000;
pub(super) const MINUTE: u64 = 60 * SECOND;
pub(super) const HOUR: u64 = 60 * MINUTE;

/// From this seed on worlds have faults of one family of addresses, and switches.
const NEWER_SEEDS: u64 = 1 << 48;

/// From this seed on worlds have all kinds of faults.
pub(crate) const NEWEST_SEEDS: u64 = 1 << 49;

/// Where a site is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Internet,
    Lan,
    ThisMachine,
}

#[derive(Clone, Debug)]
pub(super) struct SiteScript {
    pub(super) host: usize,
    pub(super) place: Place,
    pub(super) parent: Option<usize>,
    pub(super) owners: Vec<usize>,
    pub(super) interval: u64,
    pub(super) confirm: u32,
    pub(super) recover: u32,
    pub(super) confirm_delay: u64,
}

#[derive(Clone, Debug)]
pub(super) struct OwnerScript {
    pub(super) channels: usize,
    /// `tell` has outages.
    pub(super) tells_down: bool,
    /// Minutes of the day.
    pub(super) quiet: Option<(u16, u16)>,
    /// Another owner, after so long.
    pub(super) escalate: Option<(usize, u64)>,
}

/// How a site fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failing {
    Refused,
    Timeout,
    Status,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    All,
    Internet,
    Canaries,
    /// A captive portal answers 511.
    Portal511,
    /// A captive portal redirects every site to itself.
    PortalRedirect,
    /// One family of addresses: hosts that have no other are cut off, and from here nothing tells
    /// that from an outage of theirs.
    Family,
    /// A name server: some names are not found, and neither from here.
    NameServer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WorkerFault {
    /// Nothing begins.
    Frozen,
    /// A worker is busy for so much longer than its check takes.
    Slow(u64),
    /// Whoever begins a check dies of it, and it is begun again half a minute later.
    Lost,
    /// One of two workers on other machines is cut off: its checks see nothing.
    Blind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    RefusesForNow,
    AsksForAPause,
    Hangs,
    LosesTheAnswer,
    RefusesForGood,
    RefusesForSize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    Site(usize, Failing),
    Host(usize, Failing),
    Network(Cut),
    Workers(WorkerFault),
    Channel(usize, usize, Mood),
    /// Killed after so many more effects, started again at the end.
    Killed(usize),
    /// The wall clock is set by so many seconds.
    Clock(i64),
    Sleep,
    Paused(usize),
    Acknowledged(usize),
    Maintenance(usize),
    Recheck(usize),
    RecheckAll,
    /// Another configuration holds for a while.
    Reload,
    /// A site is not in the configuration for a while.
    Removed(usize),
    /// The history's file is replaced by an empty one.
    Replaced,
    /// Another paradigm takes over, with so many workers.
    Switched(usize),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) at: u64,
    pub(super) lasts: u64,
    pub(super) kind: FaultKind,
}

impl Fault {
    pub(super) const fn end(&self) -> u64 {
        self.at + self.lasts
    }
}

#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) seed: u64,
    pub(super) sites: Vec<SiteScript>,
    pub(super) owners: Vec<OwnerScript>,
    pub(super) canaries: bool,
    pub(super) workers: usize,
    pub(super) digest: u64,
    pub(super) remind: Option<u64>,
    /// When the last fault has ended.
    pub(super) calm: u64,
    pub(super) faults: Vec<Fault>,
}

/// Whether a cut concerns some hosts alone, this one among them: from here that is an outage of
/// theirs.
pub(super) fn cuts_off(cut: Cut, place: Place, host: usize) -> bool {
    match cut {
        Cut::Family => host % 3 == 2,
        Cut::NameServer => place == Place::Internet && host % 4 == 1,
        _ => false,
    }
}

impl Script {
    /// The world of this seed. Seeds from [`NEWER_SEEDS`] and [`NEWEST_SEEDS`] on know the kinds of
    /// faults that were added later, so that a seed that failed before stays the same world.
    pub(super) fn of_seed(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let owners = owners(&mut rng);
        let sites = sites(&mut rng, owners.len());
        let calm = rng.u64(6..36) * HOUR;
        let mut script = Self {
            seed,
            canaries: rng.u8(0..8) > 0,
            workers: rng.usize(2..8),
            digest: *choose(&mut rng, &[0, 30 * SECOND, 30 * SECOND, 120 * SECOND]),
            remind: (rng.u8(0..3) == 0).then_some(2 * HOUR),
            sites,
            owners,
            calm,
            faults: Vec::new(),
        };
        script.add_faults(&mut rng);
        script
    }

    fn add_faults(&mut self, rng: &mut Rng) {
        // Few kinds of faults in one world: what goes wrong is found sooner, and understood.
        let dose = |rng: &mut Rng, chance: u8, most: usize| {
            if rng.u8(0..100) < chance {
                rng.usize(1..=most)
            } else {
                0
            }
        };
        for _ in 0..rng.usize(0..=self.sites.len()) {
            let site = rng.usize(0..self.sites.len());
            let kind = FaultKind::Site(site, failing(rng));
            let lasts = outage_length(rng);
            self.add(rng, lasts, kind);
        }
        for _ in 0..dose(rng, 15, 1) {
            // One that comes and goes.
            let site = rng.usize(0..self.sites.len());
            let mut at = rng.u64(MINUTE..self.calm);
            for _ in 0..rng.usize(3..12) {
                let lasts = rng.u64(5..400) * SECOND;
                if at + lasts < self.calm {
                    let kind = FaultKind::Site(site, failing(rng));
                    self.faults.push(Fault { at, lasts, kind });
                }
                at += lasts + rng.u64(5..400) * SECOND;
            }
        }
        for _ in 0..dose(rng, 20, 2) {
            // One that goes on after everything else.
            let site = rng.usize(0..self.sites.len());
            self.faults.push(Fault {
                at: rng.u64(MINUTE..self.calm),
                lasts: 100 * HOUR,
                kind: FaultKind::Site(site, failing(rng)),
            });
        }
        for _ in 0..dose(rng, 30, 3) {
            let host = self.sites[rng.usize(0..self.sites.len())].host;
            let kind = FaultKind::Host(host, failing(rng));
            let lasts = outage_length(rng);
            self.add(rng, lasts, kind);
        }
        for _ in 0..dose(rng, 40, 3) {
            let cut = *choose(
                rng,
                &[
                    Cut::All,
                    Cut::All,
                    Cut::Internet,
                    Cut::Canaries,
                    Cut::Canaries,
                    Cut::Portal511,
                    Cut::PortalRedirect,
                ],
            );
            let lasts = *choose(rng, &[20 * SECOND, 4 * MINUTE, 30 * MINUTE, 3 * HOUR]);
            self.add(rng, lasts, FaultKind::Network(cut));
        }
        for _ in 0..dose(rng, 20, 2) {
            let fault = match rng.u8(0..3) {
                0 => WorkerFault::Frozen,
                1 => WorkerFault::Slow(rng.u64(10..300) * SECOND),
                _ => WorkerFault::Lost,
            };
            let lasts = rng.u64(1..60) * MINUTE;
            self.add(rng, lasts, FaultKind::Workers(fault));
        }
        for _ in 0..dose(rng, 40, 6) {
            let owner = rng.usize(0..self.owners.len());
            let channel = rng.usize(0..self.owners[owner].channels);
            let mood = *choose(
                rng,
                &[
                    Mood::RefusesForNow,
                    Mood::AsksForAPause,
                    Mood::Hangs,
                    Mood::LosesTheAnswer,
                    Mood::RefusesForGood,
                    Mood::RefusesForSize,
                ],
            );
            let lasts = rng.u64(1..600) * MINUTE;
            self.add(rng, lasts, FaultKind::Channel(owner, channel, mood));
        }
        for _ in 0..dose(rng, 30, 4) {
            let lasts = *choose(rng, &[2 * SECOND, MINUTE, 20 * MINUTE, 3 * HOUR]);
            let kind = FaultKind::Killed(rng.usize(0..12));
            self.add(rng, lasts, kind);
        }
        for _ in 0..dose(rng, 15, 2) {
            let by = *choose(rng, &[-7200, -600, -2, 2, 600, 7200]);
            self.add(rng, 0, FaultKind::Clock(by));
        }
        for _ in 0..dose(rng, 15, 2) {
            let lasts = *choose(rng, &[10 * SECOND, 10 * MINUTE, 2 * HOUR]);
            self.add(rng, lasts, FaultKind::Sleep);
        }
        self.add_wishes(rng, dose);
        if self.seed >= NEWER_SEEDS {
            for _ in 0..dose(rng, 20, 2) {
                let lasts = *choose(rng, &[20 * SECOND, 4 * MINUTE, 30 * MINUTE, 3 * HOUR]);
                self.add(rng, lasts, FaultKind::Network(Cut::Family));
            }
            for _ in 0..dose(rng, 20, 4) {
                let workers = rng.usize(1..8);
                self.add(rng, 0, FaultKind::Switched(workers));
            }
        }
        if self.seed >= NEWEST_SEEDS {
            for _ in 0..dose(rng, 20, 2) {
                let lasts = *choose(rng, &[20 * SECOND, 4 * MINUTE, 30 * MINUTE, 3 * HOUR]);
                self.add(rng, lasts, FaultKind::Network(Cut::NameServer));
            }
            for _ in 0..dose(rng, 15, 2) {
                let lasts = rng.u64(1..120) * MINUTE;
                self.add(rng, lasts, FaultKind::Workers(WorkerFault::Blind));
            }
        }
        self.faults.sort_by_key(|fault| fault.at);
    }

    fn add_wishes(&mut self, rng: &mut Rng, dose: impl Fn(&mut Rng, u8, usize) -> usize) {
        for _ in 0..dose(rng, 15, 2) {
            let site = rng.usize(0..self.sites.len());
            let lasts = rng.u64(1..120) * MINUTE;
            self.add(rng, lasts, FaultKind::Paused(site));
        }
        for _ in 0..dose(rng, 15, 3) {
            let site = rng.usize(0..self.sites.len());
            self.add(rng, 0, FaultKind::Acknowledged(site));
        }
        for _ in 0..dose(rng, 15, 2) {
            let site = rng.usize(0..self.sites.len());
            self.add(rng, HOUR, FaultKind::Maintenance(site));
        }
        for _ in 0..dose(rng, 15, 4) {
            let site = rng.usize(0..self.sites.len());
            self.add(rng, 0, FaultKind::Recheck(site));
            self.add(rng, 0, FaultKind::RecheckAll);
        }
        for _ in 0..dose(rng, 15, 3) {
            let lasts = rng.u64(1..90) * MINUTE;
            self.add(rng, lasts, FaultKind::Reload);
        }
        for _ in 0..dose(rng, 10, 2) {
            let lasts = rng.u64(1..90) * MINUTE;
            let site = rng.usize(0..self.sites.len());
            self.add(rng, lasts, FaultKind::Removed(site));
        }
        for _ in 0..dose(rng, 8, 1) {
            self.add(rng, 0, FaultKind::Replaced);
        }
    }

    fn add(&mut self, rng: &mut Rng, lasts: u64, kind: FaultKind) {
        let latest = self.calm.saturating_sub(lasts);
        if latest > MINUTE {
            let at = rng.u64(MINUTE..latest);
            self.faults.push(Fault { at, lasts, kind });
        }
    }

    /// The same world without some of its faults.
    pub(super) fn without(&self, left_out: &[usize]) -> Self {
        let kept = self.faults.iter().enumerate();
        Self {
            faults: kept
                .filter(|(number, _)| !left_out.contains(number))
                .map(|(_, fault)| *fault)
                .collect(),
            ..self.clone()
        }
    }

    pub(super) fn has(&self, kind: impl Fn(&FaultKind) -> bool) -> bool {
        self.faults.iter().any(|fault| kind(&fault.kind))
    }
}

fn owners(rng: &mut Rng) -> Vec<OwnerScript> {
    let count = rng.usize(1..=3);
    (0..count)
        .map(|number| OwnerScript {
            channels: rng.usize(1..=2),
            tells_down: true,
            quiet: (rng.u8(0..10) == 0).then_some((22 * 60, 6 * 60)),
            escalate: (rng.u8(0..4) == 0 && count > 1)
                .then(|| ((number + 1) % count, rng.u64(5..60) * MINUTE)),
        })
        .collect()
}

fn sites(rng: &mut Rng, owners: usize) -> Vec<SiteScript> {
    let count = rng.usize(3..=12);
    let hosts = rng.usize(2..=count);
    let places = [
        Place::Internet,
        Place::Internet,
        Place::Internet,
        Place::Lan,
        Place::ThisMachine,
    ];
    let only_internet = rng.bool();
    let of_host: Vec<Place> = (0..hosts)
        .map(|_| {
            if only_internet {
                Place::Internet
            } else {
                *choose(rng, &places)
            }
        })
        .collect();
    let depends = rng.u8(0..3) == 0;
    (0..count)
        .map(|number| {
            let host = rng.usize(0..hosts);
            SiteScript {
                host,
                place: of_host[host],
                parent: (depends && number > 0 && rng.bool()).then(|| rng.usize(0..number)),
                owners: (0..owners)
                    .filter(|owner| *owner == 0 || rng.bool())
                    .collect(),
                interval: *choose(rng, &[5 * MINUTE, 5 * MINUTE, 5 * MINUTE, MINUTE]),
                confirm: *choose(rng, &[1, 2, 2, 2, 3]),
                recover: *choose(rng, &[1, 1, 1, 2]),
                confirm_delay: *choose(rng, &[5 * SECOND, 30 * SECOND]),
            }
        })
        .collect()
}

fn outage_length(rng: &mut Rng) -> u64 {
    match rng.u8(0..6) {
        0 => rng.u64(1..60) * SECOND,
        1 => rng.u64(1..10) * MINUTE,
        2..=4 => rng.u64(10..60) * MINUTE,
        _ => rng.u64(1..8) * HOUR,
    }
}

fn failing(rng: &mut Rng) -> Failing {
    *choose(rng, &[Failing::Refused, Failing::Timeout, Failing::Status])
}

pub(super) fn choose<'a, T>(rng: &mut Rng, of: &'a [T]) -> &'a T {
    &of[rng.usize(0..of.len())]
}
