//! What the program itself costs, as far as `/proc` tells.

use std::fs;

use crate::domain::Moment;

/// Reads processor time and memory now and then.
#[derive(Debug, Default)]
pub struct Meter {
    before: Option<(Moment, f64)>,
    /// Processor time since the reading before, as a share of one core.
    pub cpu: Option<f32>,
    /// Resident memory in bytes.
    pub rss: Option<u64>,
}

impl Meter {
    /// Reads again. Where there is no `/proc`, everything stays `None`.
    pub fn read(&mut self, now: Moment) {
        self.rss = resident();
        let used = processor_seconds();
        if let (Some((then, before)), Some(used)) = (self.before, used) {
            let passed = now.since(then).as_secs_f64();
            if passed > 0.0 {
                self.cpu = Some(((used - before) / passed) as f32);
            }
        }
        self.before = used.map(|used| (now, used));
    }
}

fn resident() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

fn processor_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name in parentheses may hold blanks: what counts begins behind it, with field 3.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn this_process_has_memory_and_has_used_the_processor() {
        let mut meter = Meter::default();
        meter.read(Moment::ZERO);
        assert_eq!(meter.cpu, None);
        meter.read(Moment::ZERO + Duration::from_secs(1));
        if std::path::Path::new("/proc/self/stat").exists() {
            assert!(meter.rss.is_some_and(|bytes| bytes > 100_000));
            assert!(meter.cpu.is_some_and(|share| share >= 0.0));
        }
    }
}
