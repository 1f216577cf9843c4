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

/// One minute of local time, as a crontab sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CronTime {
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 23.
    pub hour: u32,
    /// Of the month, 1 to 31.
    pub day: u32,
    /// 1 to 12.
    pub month: u32,
    /// 0 (Sunday) to 6.
    pub weekday: u32,
}

/// The five fields of a crontab line: minute, hour, day of the month, month, day of the
/// week; each a set of bits. (POSIX.1-2017, crontab: where both days are restricted, either
/// suffices.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cron {
    /// Bits of the minutes.
    pub minutes: u64,
    /// Bits of the hours.
    pub hours: u64,
    /// Bits of the days.
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

impl Cron {
    /// Whether a window opens in this minute.
    #[must_use]
    pub const fn matches(&self, time: CronTime) -> bool {
        const fn has(bits: u64, number: u32) -> bool {
            number < 64 && bits >> number & 1 == 1
        }
        let day = has(self.days, time.day);
        let weekday = has(self.weekdays, time.weekday);
        let date = if self.any_day || self.any_weekday {
            day && weekday
        } else {
            day || weekday
        };
        has(self.minutes, time.minute)
            && has(self.hours, time.hour)
            && has(self.months, time.month)
            && date
    }
}
