//! What a session knows beside the checks: messages, banner, its own cost. Decides what is
//! done about each event, without doing it.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::domain::{Clock, Moment, SiteId, SystemClock, TimeFormat, Timestamp, plural};
use crate::monitor::State;
use crate::paradigm::{ALL, Label, labels};
use crate::tui::{
    HistoryQuery, Intent, ProcessStats, SiteFormView, StatusMessage, Tone, TriedRules, ViewModel,
    holds,
};

use super::config_watcher::ConfigEvent;
use super::driver::Driver;
use super::event::{Action, Ending, KeyChange};
use super::health::Health;
use super::history_cache::HistoryCache;
use super::lab_runner::LabRunner;
use super::process_stats::ProcessMeter;
use super::replay_runner::ReplayRunner;
use super::site_editor::SiteEditor;
use super::status_line::{MessageCause, StatusLine};
use super::switch_keys::{SwitchDecision, SwitchKeys};
use super::trace_collector::TraceCollector;

/// How often the program's own cost is read.
const METER_PERIOD: Duration = Duration::from_secs(1);

/// The state of a session, except for its screen.
#[derive(Debug)]
pub(super) struct SessionState {
    pub(super) driver: Driver,
    pub(super) clock: SystemClock,
    pub(super) zone: TimeZone,
    labels: [Label; ALL.len()],
    pub(super) trace: TraceCollector,
    lab: LabRunner,
    pub(super) history: HistoryCache,
    replay: ReplayRunner,
    meter: ProcessMeter,
    metered: Option<Moment>,
    pub(super) status_line: StatusLine,
    switch_keys: SwitchKeys,
    pub(super) editor: SiteEditor,
    banner: Option<String>,
    /// While the history cannot be kept, or a channel fails.
    pub(super) health: Health,
    pub(super) source: String,
    /// When the configuration in use was read.
    configured_at: Timestamp,
    demo: bool,
    /// How the demo's own sites have ended.
    pub(super) demo_end: Option<String>,
    pub(super) last_change: Option<KeyChange>,
}

impl SessionState {
    pub(super) fn new(
        driver: Driver,
        clock: SystemClock,
        zone: TimeZone,
        source: String,
        demo: bool,
        replay: ReplayRunner,
        (switch_keys, editor): (SwitchKeys, SiteEditor),
    ) -> Self {
        let configured_at = clock.timestamp();
        Self {
            driver,
            clock,
            zone,
            labels: labels(),
            trace: TraceCollector::new(),
            lab: LabRunner::default(),
            history: HistoryCache::default(),
            replay,
            meter: ProcessMeter::default(),
            metered: None,
            status_line: StatusLine::default(),
            switch_keys,
            editor,
            banner: None,
            health: Health::default(),
            source,
            configured_at,
            demo,
            demo_end: None,
            last_change: None,
        }
    }

    /// Passes the view model of a frame to `draw`.
    pub(super) fn with_model<T>(&self, draw: impl FnOnce(&ViewModel<'_>) -> T) -> T {
        let entry = self.driver.entry();
        let active = self.labels.iter().position(|label| *label == entry.label);
        let queue = self.driver.queue();
        let complaint = queue.as_ref().and_then(|queue| queue.complaint());
        let (unwatched, blind) = (self.unwatched(), self.blindness());
        let on_call = self.driver.on_call();
        draw(&ViewModel {
            monitor: self.driver.monitor(),
            now: self.clock.now(),
            paradigms: &self.labels,
            active: active.unwrap_or_default(),
            census: self.driver.census(),
            resizable: entry.resizable,
            trace: self.trace.on_record(&self.driver, queue.as_ref()),
            history: self.history.past(),
            replay: self.replay.seen(),
            process: ProcessStats {
                cpu: self.meter.cpu,
                rss: self.meter.rss,
            },
            lab: self.lab.seen(),
            next_due: &|site| self.driver.due_of(site),
            silence: &|site| self.driver.silence(site),
            on_call: &on_call,
            form: SiteFormView {
                check: &|site, fields| self.editor.check(site, fields, self.driver.monitor()),
                tried: self.editor.tried.as_ref(),
                refusal: self.editor.refusal,
            },
            message: self.status_line.shown(self.clock.moment()),
            messages: self.status_line.recent(),
            banner: (self.demo_end.as_deref())
                .or(unwatched.as_deref())
                .or(blind.as_deref())
                .or(self.banner.as_deref())
                .or(complaint.as_deref())
                .or_else(|| self.health.banner()),
            config_path: &self.source,
            demo: self.demo,
        })
    }

    /// Says what happened by itself.
    pub(super) fn say(&mut self, tone: Tone, text: impl Into<String>) {
        let message = self.message(tone, text.into());
        self.status_line.say(message, MessageCause::News);
    }

    /// Says what came of a key.
    pub(super) fn answer(&mut self, tone: Tone, text: impl Into<String>) {
        let message = self.message(tone, text.into());
        self.status_line.say(message, MessageCause::Key);
    }

    /// A message of this moment, written to the log.
    pub(super) fn message(&self, tone: Tone, text: String) -> StatusMessage {
        match tone {
            Tone::Info | Tone::Good => tracing::info!("{text}"),
            Tone::Warn | Tone::Bad => tracing::warn!("{text}"),
        }
        StatusMessage {
            text,
            short: None,
            tone,
            at: self.clock.moment(),
            sticky: false,
        }
    }

    /// Takes in what the lab and the workers did, and reads the program's own cost now and then.
    pub(super) fn turn(&mut self) {
        self.lab.absorb();
        self.trace.absorb(&self.driver, self.clock.moment());
        let now = self.clock.moment();
        if self
            .metered
            .is_none_or(|then| now.since(then) >= METER_PERIOD)
        {
            self.metered = Some(now);
            let with_workers = self.driver.entry().processes_per_worker > 0;
            self.meter.read(now, with_workers);
        }
    }

    /// Records what the workers do at this moment; called while a view shows it.
    pub(super) fn sample_trace(&mut self) {
        self.trace.sample(&self.driver, self.clock.moment());
    }

    /// Asks the history for what a view shows of it.
    pub(super) fn recall(&mut self, wanted: Option<HistoryQuery>) {
        if let Some(wanted) = wanted {
            self.history
                .refresh(&self.driver, wanted, self.clock.moment());
        }
    }

    /// Waits for an answer of the history. Cancellation safe.
    pub(super) async fn recalled(&mut self) {
        self.history.answered().await;
    }

    /// Replays the past, because somebody tries other rules on it.
    pub(super) fn reckon(&mut self, tried: Option<TriedRules>) {
        match tried {
            Some(tried) => self
                .replay
                .refresh(&self.driver, tried, self.clock.timestamp()),
            None => self.replay.leave(),
        }
    }

    /// When there is something to do next, if nothing happens before.
    pub(super) fn next_wake(&mut self) -> Moment {
        let meter = self
            .metered
            .map_or(Moment::ZERO, |then| then + METER_PERIOD);
        let lab = self.lab.next_wake(self.clock.moment());
        let replay = self.replay.next_wake(self.clock.moment());
        let due = lab.into_iter().chain(replay).min();
        due.map_or(meter, |due| due.min(meter))
    }

    /// Whether a race or an experiment is on.
    pub(super) const fn is_busy(&self) -> bool {
        self.lab.is_busy()
    }

    /// The window's title.
    pub(super) fn title(&self) -> String {
        match self.driver.monitor().totals().of(State::Down) {
            0 => "squirrel: none down".to_owned(),
            down => format!("squirrel: {down} DOWN"),
        }
    }

    /// What a wish of the reader leads to.
    pub(super) fn fulfil(&mut self, intent: Intent) -> Option<Action> {
        match intent {
            Intent::Quit | Intent::Closed => return Some(Action::End(Ending::Quit)),
            Intent::Redraw => return Some(Action::Redraw),
            Intent::Suspend => return Some(Action::AskToStop),
            // The screen itself says what it sent: nothing tells whether it arrived.
            Intent::Copy(text) => return Some(Action::Copy(text)),
            Intent::Break(site) => return self.name(site).map(Action::Break),
            Intent::Mend(site) => return self.name(site).map(Action::Mend),
            Intent::Pause(sites, paused) => return self.pause(sites, paused),
            Intent::Maintain(sites) => self.maintain(&sites),
            Intent::Edit(edit) => return self.edit(edit),
            Intent::TrySite {
                number,
                site,
                fields,
            } => return self.try_site(number, site, &fields),
            Intent::TakeBack => return self.take_back(),
            Intent::Paradigm(place) => self.switch(place),
            Intent::Workers(steps) => self.change_workers(steps),
            Intent::Record(on) => {
                self.driver.recorder().switch(on);
                let word = if on { "is on" } else { "is off" };
                self.answer(Tone::Info, format!("recording {word}"));
            }
            Intent::Export => return Some(Action::Export),
            Intent::Lab(wish) => {
                if let Err(why) = self.lab.fulfil(wish, &self.driver) {
                    self.answer(Tone::Bad, why.to_string());
                }
            }
            Intent::Acknowledge(sites, note) => self.acknowledge(&sites, note.as_deref()),
            Intent::SendAgain(message) => {
                self.history.send_again(&mut self.driver, message);
                self.answer(Tone::Info, "the message is sent again now");
            }
            Intent::Recheck(sites) => self.recheck(&sites),
            Intent::RecheckAll => {
                self.driver.recheck_all();
                let sites = self.driver.monitor().ids().len();
                self.answer(
                    Tone::Info,
                    format!("checking all {} now", plural(sites, "site")),
                );
            }
        }
        None
    }

    pub(super) fn name(&self, site: SiteId) -> Option<Box<str>> {
        Some(self.driver.monitor().site(site)?.site().name.clone())
    }

    fn switch(&mut self, place: usize) {
        let Some(entry) = ALL.get(place) else { return };
        let old = self.driver.entry().label.name;
        let new = entry.label.name;
        if new == old {
            self.answer(Tone::Info, format!("the checks run by {new} already"));
            return;
        }
        let capacity = self
            .trace
            .capacity_of(&self.driver, entry, self.driver.workers_of(entry));
        let late = capacity.filter(|capacity| capacity.late() > 0);
        let now = self.clock.moment();
        match self.switch_keys.decide(place, late.is_none(), now) {
            SwitchDecision::Switch => {}
            SwitchDecision::Ask => {
                let late = late.map_or_else(String::new, |late| holds(new, &late));
                let text = format!("{late}; press {} again to switch", entry.label.key);
                return self.answer(Tone::Warn, text);
            }
            SwitchDecision::Refuse => {
                let text = "digits do not switch here: switch = \"off\" in [monitor]";
                return self.answer(Tone::Info, text);
            }
        }
        let switched = self.driver.switch(entry);
        if switched.is_ok() {
            self.trace.switched(self.clock.moment());
        }
        match switched {
            Ok(None) => {}
            Ok(Some(notice)) => self.answer(Tone::Warn, notice),
            Err(error) => self.answer(
                Tone::Bad,
                format!("{new} cannot start: {error}; {old} goes on"),
            ),
        }
    }

    fn change_workers(&mut self, steps: i32) {
        let name = self.driver.entry().label.name;
        let before = self.driver.census().workers;
        let (tone, text) = match self.driver.change_workers(steps) {
            None => (Tone::Info, format!("{name} has one worker by its nature")),
            Some((_, Some(notice))) => (Tone::Warn, notice),
            // Workers elsewhere are as many as they are.
            Some((most, None)) if self.driver.queue().is_some() => (
                Tone::Info,
                format!("{name}: at most {} in flight", plural(most, "check")),
            ),
            Some((1, None)) if before == 1 && steps < 0 => {
                (Tone::Info, format!("{name}: 1 worker is the least"))
            }
            Some((workers, None)) => (Tone::Info, format!("{name}: {}", plural(workers, "worker"))),
        };
        self.answer(tone, text);
    }

    /// Takes in that sites.toml changed, or what came of an edit of it.
    pub(super) fn kept(&mut self, kept: ConfigEvent) {
        match kept {
            ConfigEvent::Changed(config) => {
                let sites = config.sites.len();
                let defaults = config.monitor.clone();
                let warnings = config.warnings.clone();
                self.editor.configure(&config);
                match self.driver.reload(*config) {
                    Ok(notice) => {
                        self.switch_keys.configure(defaults.switch);
                        self.replay.configure(defaults);
                        self.banner = None;
                        self.configured_at = self.clock.timestamp();
                        self.say(
                            Tone::Good,
                            format!("{} read again: {}", self.source, plural(sites, "site")),
                        );
                        for warning in warnings.into_iter().chain(notice.map(Into::into)) {
                            self.say(Tone::Warn, warning);
                        }
                    }
                    Err(error) => self.refuse(&error.to_string()),
                }
            }
            ConfigEvent::Broken(mistakes) => {
                let first = mistakes.to_string();
                let first = first.lines().next().unwrap_or_default().to_owned();
                let more = match mistakes.count() {
                    0 | 1 => String::new(),
                    count => format!(" (and {} more)", count - 1),
                };
                self.refuse(&format!("{first}{more}"));
            }
            ConfigEvent::Edited(edit, written) => self.edited(&edit, written),
        }
    }

    /// The new configuration cannot be used: the one in use stays, and the screen says so
    /// for as long as that is so.
    fn refuse(&mut self, why: &str) {
        let now = self.clock.timestamp();
        let since = TimeFormat::DateTime.unless_today(self.configured_at, now, &self.zone);
        tracing::warn!("not reloaded: {why}");
        self.banner = Some(format!("{why}; running on the configuration of {since}"));
    }
}
