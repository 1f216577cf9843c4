//! The two answer lines at the top of the Scheduling screen: figures, in the same order in
//! every paradigm, and the cause of lateness in words. Both are computed from measurements.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::domain::{Moment, SiteId, brief, clean};
use crate::monitor::State as SiteIs;
use crate::paradigm::{Census, Label, Law, QueueFigures};
use crate::trace::{Capacity, LateReason, Lateness, Sweep};
use crate::tui::format::{count, cut, holds, is_late, lateness, plural};
use crate::tui::view_model::{Tone, ViewModel};

/// The measurements that the lines are computed from.
pub(crate) struct AnswerLines<'a> {
    pub(crate) model: &'a ViewModel<'a>,
    pub(crate) label: Label,
    pub(crate) census: Census,
    pub(crate) sweep: Option<Sweep>,
    pub(crate) late: Option<Lateness>,
    /// Whether the sweep was run by the paradigm in use, and not by the one before a switch.
    is_own_sweep: bool,
    pub(crate) now: Moment,
    pub(crate) sites: usize,
}

/// The number of processes, hosts and threads that run checks. A parent process that only
/// hands out checks is named separately.
fn crew(census: &Census, model: &ViewModel<'_>) -> String {
    let roster = model.trace.store.roster();
    let mut processes = plural(census.processes, "process");
    let hosts: BTreeSet<_> = roster.iter().map(|who| &who.host).collect();
    if hosts.len() > 1 {
        processes.push_str(&format!(" on {}", plural(hosts.len(), "host")));
    } else if !roster.is_empty() && roster.iter().all(|who| who.pid != model.trace.pid) {
        processes.push_str(" + parent");
    }
    format!("{processes}, {}", plural(census.threads, "thread"))
}

impl<'a> AnswerLines<'a> {
    /// Gathers the measurements; lateness is that of checks started between `from` and `now`.
    pub(crate) fn of(model: &'a ViewModel<'a>, census: Census, from: Moment, now: Moment) -> Self {
        let store = model.trace.store;
        let sweep = store.sweep();
        Self {
            model,
            label: model.paradigms[model.active.min(model.paradigms.len() - 1)],
            census,
            sweep,
            is_own_sweep: sweep.is_none_or(|sweep| store.is_of_now(sweep.due)),
            late: Lateness::worst(store, from, now).filter(|late| is_late(late.late)),
            now,
            sites: model.monitor.ids().len(),
        }
    }

    fn name(&self, site: SiteId) -> String {
        self.model.monitor.site(site).map_or_else(
            || site.to_string(),
            |state| cut(&clean(&state.site().name, 60), 24),
        )
    }

    /// Threads, running, queue, sweep, lateness and the first site down, in `room` cells; the
    /// last ones are left out first.
    pub(crate) fn facts(&self, room: usize) -> String {
        let census = &self.census;
        let late = self.late.map_or(Duration::ZERO, |late| late.late);
        let late = if self.model.trace.on {
            lateness(late)
        } else {
            "-".to_owned()
        };
        let facts = |sweep: String, worst: &str| {
            vec![
                crew(census, self.model),
                format!("running {} of {}", count(census.running), count(self.sites)),
                format!("queue {}", count(census.queued)),
                sweep,
                format!("{worst} {late}"),
            ]
        };
        let long = facts(self.sweep_so_far(), "worst late shown");
        let mut failing = long.clone();
        failing.extend(self.failing());
        let mut short = facts(self.sweep_in_short(), "worst");
        for facts in [failing, long] {
            let line = facts.join(" | ");
            if line.chars().count() <= room {
                return line;
            }
        }
        while short.len() > 1 && short.join(" | ").chars().count() > room {
            short.pop();
        }
        short.join(" | ")
    }

    fn sweep_so_far(&self) -> String {
        match self.sweep {
            Some(sweep) if sweep.open > 0 => format!(
                "sweep {} of {} in {}",
                count(sweep.checks),
                count(sweep.checks + sweep.open),
                brief(self.now.since(sweep.due))
            ),
            Some(sweep) if !self.is_own_sweep => format!(
                "before the switch a sweep of {} in {}",
                count(sweep.checks),
                brief(sweep.ended.since(sweep.due))
            ),
            Some(sweep) => format!(
                "sweep of {} in {}",
                count(sweep.checks),
                brief(sweep.ended.since(sweep.due))
            ),
            None => self.sweep_in_short(),
        }
    }

    fn sweep_in_short(&self) -> String {
        match self.sweep {
            Some(sweep) if sweep.open > 0 => {
                format!("sweep {}…", brief(self.now.since(sweep.due)))
            }
            Some(sweep) if self.is_own_sweep => format!(
                "sweep {}: {}",
                count(sweep.checks),
                brief(sweep.ended.since(sweep.due))
            ),
            _ => "sweep -".to_owned(),
        }
    }

    /// The first site that is down, and its reason; `None` if no site is down.
    fn failing(&self) -> Option<String> {
        const SITES_SEARCHED: usize = 10_000;
        if self.model.monitor.totals().of(SiteIs::Down) == 0 {
            return None;
        }
        let mut sites = self.model.monitor.sites().take(SITES_SEARCHED);
        let site = sites.find(|site| site.state() == SiteIs::Down)?;
        let reason = site.outage()?.reason;
        Some(format!("{} DOWN {reason}", self.name(site.id())))
    }

    /// The cause of lateness in clauses, the most important first, and their tone.
    pub(crate) fn cause(&self) -> (Vec<String>, Tone) {
        if !self.model.trace.on {
            let text = "Recording is off: T switches it on.".to_owned();
            return (vec![text], Tone::Warn);
        }
        let mut clauses = Vec::new();
        let mut tone = Tone::Info;
        match &self.late {
            Some(late) => {
                tone = Tone::Warn;
                clauses.push(self.blame(late));
            }
            None => clauses.push("Nothing is late.".to_owned()),
        }
        let short = self.model.trace.capacity;
        let short = short.and_then(|capacity| self.short(&capacity));
        match (&self.late, short) {
            // With nothing late on this page, the shortage of capacity is the cause to name.
            (None, Some(short)) => clauses = vec![short],
            (_, short) => clauses.extend(short),
        }
        if self.census.running + self.census.queued == 0 {
            clauses.push(self.idle());
        }
        (clauses, tone)
    }

    /// The latest check, and what it waited for.
    fn blame(&self, late: &Lateness) -> String {
        let who = self.name(late.site);
        let by = lateness(late.late);
        let victim = if late.waits {
            format!("{who} waits {by}")
        } else {
            format!("{who} started {by} late")
        };
        match late.why {
            LateReason::Full => {}
            LateReason::Itself(took) => {
                return format!(
                    "{victim}: its own check before, of {}, had not ended.",
                    brief(took)
                );
            }
            LateReason::Program if self.model.trace.queue.is_some() => {
                return format!("{victim}: the time it took to reach a worker.");
            }
            LateReason::Program if self.census.processes > 1 => {
                return format!(
                    "{victim} though workers were free: this program was busy, or a worker was lost."
                );
            }
            LateReason::Program => {
                return format!("{victim} though workers were free: this program was busy.");
            }
        }
        let mut text = match late.culprit {
            Some((site, held, took)) if held * 10 < took * 9 => format!(
                "{victim}: behind the last {} of {}",
                brief(held),
                self.name(site)
            ),
            Some((site, _, took)) => {
                format!("{victim}: behind {} {}", self.name(site), brief(took))
            }
            None => format!("{victim}: behind other checks"),
        };
        if late.ahead > 1 {
            text.push_str(&format!(" and {}", plural(late.ahead - 1, "more check")));
        }
        let store = self.model.trace.store;
        let number = match self.model.trace.queue {
            // The trace lacks workers that were there before their first event.
            Some(queue) if store.is_of_now(late.began) => queue.places().unwrap_or_default(),
            _ => store.workers_at(late.began),
        };
        match number {
            0 => {}
            1 => text.push_str(" on the one worker"),
            number => text.push_str(&format!(" on {}", plural(number, "worker"))),
        }
        text.push('.');
        text
    }

    fn idle(&self) -> String {
        const SITES_SEARCHED: usize = 10_000;
        let ids = self.model.monitor.ids().iter().take(SITES_SEARCHED);
        let next = ids.filter_map(|id| (self.model.next_due)(*id)).min();
        let threads = match self.census.threads {
            0 => "No thread is kept".to_owned(),
            1 => "The thread is parked".to_owned(),
            number => format!("All {} are parked", plural(number, "thread")),
        };
        match next.map(|next| next.since(self.model.now.mono)) {
            Some(rest) if rest > Duration::ZERO => {
                format!("{threads}, next check in {}.", brief(rest))
            }
            _ => format!("{threads}."),
        }
    }

    fn short(&self, capacity: &Capacity) -> Option<String> {
        (capacity.late() > 0).then(|| format!("{}.", holds(self.label.name, capacity)))
    }

    /// The formula of a sweep's duration in this paradigm, with figures once one was measured.
    pub(crate) fn law(&self) -> String {
        let sweep = self
            .sweep
            .filter(|sweep| sweep.open == 0 && self.is_own_sweep);
        // Behind a queue thousands of messages may be in flight: the workers are the limit.
        let places = self.model.trace.queue.and_then(QueueFigures::places);
        let workers = places.unwrap_or(self.census.workers).max(1);
        let kind = match places {
            Some(_) => Law::SumByWorkers,
            None => self.label.law,
        };
        let Some(sweep) = sweep else {
            let law = kind.words().replace('N', &count(workers));
            return format!("a sweep is {law}");
        };
        let (site, slowest) = sweep.slowest;
        let alone = format!("{} {}", self.name(site), brief(slowest));
        match kind {
            Law::Sum => format!("sweep = SUM of all waits = {}", brief(sweep.sum)),
            Law::SumByWorkers if slowest > sweep.sum / workers as u32 => {
                format!("sweep = at least its slowest check: {alone}")
            }
            Law::SumByWorkers => format!(
                "sweep = about SUM {} ÷ {} = {}",
                brief(sweep.sum),
                count(workers),
                brief(sweep.sum / workers as u32)
            ),
            Law::Slowest if slowest > sweep.second * 2 => format!(
                "sweep = the SLOWEST wait: {alone}, others up to {}",
                brief(sweep.second)
            ),
            Law::Slowest => format!("sweep = the SLOWEST wait: {alone}"),
        }
    }
}
