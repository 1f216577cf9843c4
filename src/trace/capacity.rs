//! Capacity: the checks a second that the list of sites needs, and those that the paradigm in
//! use can make, from measured times.

use std::time::Duration;

use super::store::MeanTimes;

/// The load that a list of sites asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Demand {
    /// Sites that are checked; paused ones do not count.
    pub sites: usize,
    /// Checks a second over all sites.
    pub per_second: f64,
    /// The interval between two checks of a site; `None` if the sites have different ones.
    pub interval: Option<Duration>,
}

impl Demand {
    /// The demand of sites with these intervals, one for each site.
    #[must_use]
    pub fn of(intervals: impl IntoIterator<Item = Duration>) -> Self {
        let mut demand = Self::default();
        let mut same = true;
        for interval in intervals {
            same &= demand.sites == 0 || demand.interval == Some(interval);
            demand.sites += 1;
            demand.per_second += 1.0 / interval.as_secs_f64().max(1e-3);
            demand.interval = Some(interval);
        }
        demand.interval = demand.interval.filter(|_| same);
        demand
    }
}

/// How many sites of a list can be checked on time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capacity {
    /// The demand that was compared.
    pub demand: Demand,
    /// Checks a second that the workers can make.
    pub per_second: f64,
    /// Sites that can be checked at their intervals, at most `demand.sites`.
    pub holds: usize,
}

/// The workers, threads and cores that run the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerResources {
    /// Checks that may be in flight at once.
    pub workers: usize,
    /// Threads that run checks, in all processes.
    pub threads: usize,
    /// Cores of the machine that those threads may use.
    pub cores: usize,
}

impl Capacity {
    /// The capacity by Little's law: workers that are each held for the whole time of a check
    /// make `workers ÷ hold` checks a second; cores that are busy only while a check runs make
    /// `cores ÷ run`. The smaller one is the bound.
    #[must_use]
    pub fn measure(demand: Demand, means: MeanTimes, crew: WorkerResources) -> Self {
        let rate = |number: usize, time: Duration| number as f64 / time.as_secs_f64().max(1e-9);
        let cores = crew.threads.clamp(1, crew.cores.max(1));
        let per_second = rate(crew.workers, means.hold).min(rate(cores, means.run));
        let share = if demand.per_second > 0.0 {
            per_second / demand.per_second
        } else {
            1.0
        };
        let holds = if share >= 1.0 {
            demand.sites
        } else {
            (demand.sites as f64 * share) as usize
        };
        Self {
            demand,
            per_second,
            holds,
        }
    }

    /// Sites that cannot be checked at their intervals.
    #[must_use]
    pub const fn late(&self) -> usize {
        self.demand.sites.saturating_sub(self.holds)
    }

    /// The demand as a share of the capacity; above 1 checks are late.
    #[must_use]
    pub fn load(&self) -> f64 {
        self.demand.per_second / self.per_second.max(1e-9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEANS: MeanTimes = MeanTimes {
        hold: Duration::from_millis(1_300),
        run: Duration::from_micros(100),
    };

    fn crew(workers: usize, threads: usize) -> WorkerResources {
        WorkerResources {
            workers,
            threads,
            cores: 2,
        }
    }

    #[test]
    fn one_worker_holds_as_many_sites_as_fit_into_the_interval_one_after_another() {
        let demand = Demand::of(vec![Duration::from_secs(60); 240]);
        assert_eq!(demand.interval, Some(Duration::from_secs(60)));
        let capacity = Capacity::measure(demand, MEANS, crew(1, 1));
        assert_eq!(capacity.holds, 46);
        assert_eq!(capacity.late(), 194);
        assert!(capacity.load() > 5.0);
    }

    #[test]
    fn tasks_are_bounded_by_the_cores() {
        let demand = Demand::of(vec![Duration::from_secs(1); 240]);
        let capacity = Capacity::measure(demand, MEANS, crew(1_000_000, 1));
        assert_eq!(capacity.holds, 240);
        assert!((capacity.per_second - 10_000.0).abs() < 1.0);
        let two = Capacity::measure(demand, MEANS, crew(1_000_000, 16));
        assert!(
            (two.per_second - 20_000.0).abs() < 1.0,
            "no more than the cores"
        );
    }

    #[test]
    fn no_sites_need_nothing() {
        let demand = Demand::of([]);
        assert_eq!(demand.interval, None);
        assert_eq!(Capacity::measure(demand, MEANS, crew(1, 1)).late(), 0);
        let mixed = Demand::of([Duration::from_secs(1), Duration::from_secs(2)]);
        assert_eq!(mixed.interval, None);
    }
}
