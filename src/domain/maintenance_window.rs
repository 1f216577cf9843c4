//! Planned maintenance: when its windows open, and for how long.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::DateTime;

/// A window in which a site's outages are expected and no message is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaintenanceWindow {
    /// When it opens, local time.
    pub opens: WindowStart,
    /// How long it stays open, in time that really passes.
    pub lasts: Duration,
    /// A time zone of the IANA database; the machine's own without.
    pub zone: Option<Box<str>>,
}

/// When a window opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowStart {
    /// Whenever a line of a crontab says.
    Recurring(Cron),
    /// One window, which begins at this local time.
    Once(DateTime),
}

/// Windows of several sites at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedWindow {
    /// The times of the window.
    pub window: MaintenanceWindow,
    /// Sites with one of these tags.
    pub tags: Vec<Box<str>>,
    /// Sites of these names.
    pub sites: Vec<Box<str>>,
}

/// The windows of planned maintenance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MaintenanceWindows {
    /// Those of one site, by its name.
    pub of_sites: BTreeMap<Box<str>, Vec<MaintenanceWindow>>,
    /// Those that several sites share, by name or tag.
    pub shared: Vec<SharedWindow>,
}

/// The five fields of a crontab line: minute, hour, day of the month, month, day of the
/// week; each a set of bits. (POSIX.1-2017, crontab: where both days are restricted, either
/// suffices.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cron {
    /// Bits of the minutes.
    pub minutes: u64,
    /// The hours, a bit each.
    pub hours: u64,
    /// The days of the month, a bit each.
    pub days: u64,
    /// Bits of the months.
    pub months: u64,
    /// Bits of the weekdays.
    pub weekdays: u64,
    /// The day of the month is not restricted.
    pub any_day: bool,
    /// The day of the week is not restricted.
    pub any_weekday: bool,
}

const fn has(bits: u64, number: u32) -> bool {
    number < 64 && bits >> number & 1 == 1
}

impl Cron {
    /// Whether a window opens at any minute of this day: of the month (1 to 31), month (1 to
    /// 12), and day of the week (0, Sunday, to 6).
    #[must_use]
    pub const fn opens_on(&self, day: u32, month: u32, weekday: u32) -> bool {
        let day = has(self.days, day);
        let weekday = has(self.weekdays, weekday);
        let date = if self.any_day || self.any_weekday {
            day && weekday
        } else {
            day || weekday
        };
        has(self.months, month) && date
    }
}
