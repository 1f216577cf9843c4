//! The truth of a simulated world: when each site is down, what a check of it finds, and
//! from when to when an outage can be seen from where the monitor stands.

use super::script::{
    Cut, Failing, Fault, FaultKind, HOUR, MINUTE, Place, SECOND, Script, WorkerFault, cuts_off,
};

/// From, to.
pub(super) type Span = (u64, u64);

/// What answers a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Good,
    Failed(Failing),
    /// The way there is cut.
    Cut,
    Portal511,
    PortalRedirect,
}

pub(super) struct Truth {
    /// When each site is down, as it would be found, by beginning.
    down: Vec<Vec<(Span, Failing)>>,
    cuts: Vec<(Span, Cut)>,
    places: Vec<Place>,
    hosts: Vec<usize>,
}

impl Truth {
    pub(super) fn of(script: &Script) -> Self {
        let mut down = vec![Vec::new(); script.sites.len()];
        let mut cuts = Vec::new();
        for fault in &script.faults {
            let span = (fault.at, fault.end());
            match fault.kind {
                FaultKind::Site(site, failing) => down[site].push((span, failing)),
                FaultKind::Host(host, failing) => {
                    let sites = script.sites.iter().zip(&mut down);
                    for (_, down) in sites.filter(|(site, _)| site.host == host) {
                        down.push((span, failing));
                    }
                }
                FaultKind::Network(cut) => cuts.push((span, cut)),
                _ => {}
            }
        }
        // Whatever a site depends on takes it along.
        for site in 0..script.sites.len() {
            if let Some(parent) = script.sites[site].parent {
                let above: Vec<_> = down[parent].clone();
                down[site].extend(above);
            }
        }
        Self {
            down,
            cuts,
            places: script.sites.iter().map(|site| site.place).collect(),
            hosts: script.sites.iter().map(|site| site.host).collect(),
        }
    }

    /// The failure of a site at `at`; `None` while it is up.
    pub(super) fn failing(&self, site: usize, at: u64) -> Option<Failing> {
        let mut down = self.down[site].iter();
        down.find(|((from, to), _)| (*from..*to).contains(&at))
            .map(|(_, failing)| *failing)
    }

    pub(super) fn is_cut(&self, cut: impl Fn(Cut) -> bool, at: u64) -> bool {
        let mut cuts = self.cuts.iter();
        cuts.any(|((from, to), kind)| cut(*kind) && (*from..*to).contains(&at))
    }

    /// What a check finds that begins at `at`.
    pub(super) fn find(&self, site: usize, at: u64) -> Found {
        let place = self.places[site];
        if place != Place::ThisMachine && !self.cuts.is_empty() {
            if self.is_cut(|cut| cut == Cut::All, at) {
                return Found::Cut;
            }
            if self.is_cut(|cut| cuts_off(cut, place, self.hosts[site]), at) {
                return Found::Cut;
            }
            if place == Place::Internet {
                let cut = |wanted: Cut| self.is_cut(|cut| cut == wanted, at);
                if cut(Cut::Internet) {
                    return Found::Cut;
                }
                if cut(Cut::Portal511) {
                    return Found::Portal511;
                }
                if cut(Cut::PortalRedirect) {
                    return Found::PortalRedirect;
                }
            }
        }
        self.failing(site, at).map_or(Found::Good, Found::Failed)
    }

    /// Whether canaries answer.
    pub(super) fn canaries_answer(&self, at: u64) -> bool {
        !self.is_cut(|cut| !matches!(cut, Cut::Family | Cut::NameServer), at)
    }

    /// When a site is down, spans that touch as one.
    pub(super) fn outages(&self, site: usize) -> Vec<Span> {
        union(self.down[site].iter().map(|(span, _)| *span).collect())
    }

    /// Whether a site is down at any time of a span.
    pub(super) fn is_down_within(&self, site: usize, span: Span) -> bool {
        let mut down = self.down[site].iter();
        down.any(|((from, to), _)| *from < span.1 && span.0 < *to)
    }

    /// The spans in which an outage of a site is in plain view: it lasts, and nothing that
    /// happens keeps the monitor from seeing it or from telling of it.
    pub(super) fn in_plain_view(&self, script: &Script, site: usize) -> Vec<Span> {
        let mut hidden = self.unseen(script, site);
        hidden.extend(Self::silenced(script, site));
        hidden.extend(self.explained(script, site));
        let hidden = union(hidden);
        self.outages(site)
            .into_iter()
            .flat_map(|span| subtract(span, &hidden))
            .collect()
    }

    /// When something keeps the monitor from seeing a site.
    pub(super) fn unseen(&self, script: &Script, site: usize) -> Vec<Span> {
        let settled = script.sites[site].interval + 2 * MINUTE;
        let spans = script.faults.iter().filter_map(|fault| {
            let (from, to) = (fault.at, fault.end());
            Some(match fault.kind {
                FaultKind::Network(Cut::Canaries) if self.has_witness(script, site, (from, to)) => {
                    return None;
                }
                FaultKind::Network(cut @ (Cut::Family | Cut::NameServer))
                    if !cuts_off(cut, self.places[site], self.hosts[site]) =>
                {
                    return None;
                }
                FaultKind::Network(_) => (from.saturating_sub(MINUTE), to + settled),
                FaultKind::Workers(WorkerFault::Slow(by)) => (from, to + settled + by * 12),
                FaultKind::Workers(_) => (from, to + settled),
                FaultKind::Killed(_) | FaultKind::Sleep => {
                    (from.saturating_sub(10 * SECOND), to + settled)
                }
                FaultKind::Clock(_) | FaultKind::Reload => (from, to + settled),
                FaultKind::Paused(other) | FaultKind::Removed(other) if other == site => {
                    (from, to + settled)
                }
                _ => return None,
            })
        });
        spans.collect()
    }

    /// When maintenance silences a site. A key that is pressed while the machine sleeps counts
    /// when it wakes. Across a restart the wall clock alone measures the hour: set back in
    /// between, it begins anew.
    fn silenced(script: &Script, site: usize) -> Vec<Span> {
        let is_restarted = script.has(|kind| matches!(kind, FaultKind::Killed(_)));
        let is_set_back = script.has(|kind| matches!(kind, FaultKind::Clock(..0)));
        let again = if is_restarted && is_set_back { HOUR } else { 0 };
        let kept = script.faults.iter();
        let keys = kept.filter(|fault| fault.kind == FaultKind::Maintenance(site));
        let span = |key: &Fault| {
            let sleeps = script.faults.iter();
            let sleeps = sleeps.filter(|fault| fault.kind == FaultKind::Sleep);
            let sleeps = sleeps.filter(|sleep| (sleep.at..sleep.end()).contains(&key.at));
            let counts = sleeps.map(Fault::end).max().unwrap_or(key.at);
            (key.at, counts + key.lasts + again + 3 * MINUTE)
        };
        keys.map(span).collect()
    }

    /// When a site that this one depends on fails: that explains its own failures, and it is
    /// checked after the other one is up.
    fn explained(&self, script: &Script, site: usize) -> Vec<Span> {
        let own = &script.sites[site];
        let mut explained = Vec::new();
        let mut parent = own.parent;
        while let Some(above) = parent {
            let rest = script.sites[above].interval * 2 + 5 * MINUTE + own.interval;
            // From here a host that is cut off by itself is down as well.
            let cuts = self.cuts.iter();
            let cut_off =
                cuts.filter(|(_, cut)| cuts_off(*cut, self.places[above], self.hosts[above]));
            let down = self.outages(above).into_iter();
            let down = down.chain(cut_off.map(|(span, _)| *span));
            explained.extend(down.map(|(from, to)| (from.saturating_sub(MINUTE), to + rest)));
            parent = script.sites[above].parent;
        }
        explained
    }

    /// Whether another site proves, while the canaries are silent, that something can be seen.
    fn has_witness(&self, script: &Script, site: usize, (from, to): Span) -> bool {
        let wide = (from.saturating_sub(HOUR), to + 10 * MINUTE);
        script.sites.iter().enumerate().any(|(other, known)| {
            known.host != script.sites[site].host
                && known.place != Place::ThisMachine
                && !self.is_down_within(other, wide)
                && !script.has(|kind| {
                    [FaultKind::Paused(other), FaultKind::Removed(other)].contains(kind)
                })
        }) && !self
            .cuts
            .iter()
            .any(|(span, cut)| *cut != Cut::Canaries && span.0 < wide.1 && wide.0 < span.1)
    }
}

/// Spans that touch become one.
pub(super) fn union(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut union: Vec<Span> = Vec::with_capacity(spans.len());
    for (from, to) in spans {
        match union.last_mut() {
            Some((_, end)) if *end >= from => *end = to.max(*end),
            _ => union.push((from, to)),
        }
    }
    union
}

/// A span without others, which are in order and do not touch.
pub(super) fn subtract((mut from, to): Span, others: &[Span]) -> Vec<Span> {
    let mut left = Vec::new();
    for (begin, end) in others {
        if *end <= from || *begin >= to {
            continue;
        }
        if *begin > from {
            left.push((from, *begin));
        }
        from = from.max(*end);
    }
    if from < to {
        left.push((from, to));
    }
    left
}
