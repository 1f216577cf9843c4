//! The driver: feeds the engine what happens, and carries out what it asks for, with threads,
//! files and sockets. Shared by the screen and by `watch`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::alert;
use crate::config::Config;
use crate::domain::{
    Acknowledgement, CertificateFile, CheckResult, CheckSpec, Clock, MaskedUrl, Moment, SiteId,
    SystemClock, Timestamp,
};
use crate::engine::{Effect, Engine, Input, Storage};
use crate::history::HistoryEvent;
use crate::notify::{DeliveryEvent, DeliveryResult, Sent};
use crate::paradigm::{Dispatcher, Offer, ParadigmContext, ParadigmEntry, StartError};
use crate::probe::ProberFactory;
use crate::trace::{Demand, Recorder};

use super::canaries::{Canaries, canary_specs, queue_options};
use super::engine_config::engine_config;
use super::error::DriverError;
use super::outcome_writer::OutcomeWriter;
use super::paradigm_settings::ParadigmSettings;
use super::report::{DriverOptions, Happening, Inbox, Report, failure_report};
use super::restore;
use super::worker_limits::step;

/// The engine, and what carries out its effects.
#[derive(Debug)]
pub struct Driver {
    pub(super) clock: SystemClock,
    pub(super) engine: Engine,
    pub(super) dispatcher: Dispatcher,
    pub(super) recorder: Arc<Recorder>,
    pub(super) demand: Demand,
    pub(super) settings: ParadigmSettings,
    pub(super) writer: OutcomeWriter,
    canaries: Canaries,
    canary_specs: Vec<Arc<CheckSpec>>,
    /// The trusted certificates, as they are in use.
    ca_file: Option<CertificateFile>,
    /// By owner and channel: whether the last attempt was taken.
    pub(super) channels: BTreeMap<(Box<str>, Box<str>), bool>,
    named_broker: Option<MaskedUrl>,
    /// The configuration whose owners are told of every site, in place of the file's.
    others: Option<Config>,
    pub(super) happenings: Vec<Happening>,
}

impl Driver {
    /// Opens the history, starts the paradigm and all threads, and goes on where an earlier
    /// run ended; the sites of the configuration are due at once.
    ///
    /// # Errors
    /// If another monitor has the history, the trusted certificates cannot be read, the
    /// paradigm cannot start, or a thread cannot.
    pub fn start(options: DriverOptions<'_>) -> Result<(Self, Inbox), DriverError> {
        let DriverOptions {
            config,
            others,
            entry,
            workers,
            history,
            zone,
        } = options;
        let clock = SystemClock::new();
        let now = clock.now();
        let shared: Arc<dyn Clock> = Arc::new(clock);
        let (reporter, reports) = unbounded_channel();
        let (sender, results) = unbounded_channel();
        let times = (&shared, zone.clone());
        let (writer, failing) =
            OutcomeWriter::open(history, &config, others, times, reporter.clone())
                .map_err(DriverError::History)?;
        let factory = ProberFactory::http(config.monitor.ca_file.as_ref());
        let factory = Arc::new(factory.map_err(DriverError::ProberFactory)?);
        let recorder = Recorder::new();
        recorder.switch(true);
        let context = ParadigmContext {
            retry_broker: true,
            workers: workers.of(entry).0,
            factory: Arc::clone(&factory),
            clock,
            recorder: Arc::clone(&recorder),
            results: sender,
            queue: queue_options(&config),
        };
        let dispatcher = Dispatcher::start(entry, context).map_err(DriverError::Start)?;
        let tell = move |round| {
            let _unheard = reporter.send(Report::Canaries(round));
        };
        let canaries = Canaries::start(factory, clock, tell).map_err(DriverError::Io)?;
        let mut driver = Self {
            clock,
            engine: Engine::new(zone, &*crate::trace::here().host, now),
            dispatcher,
            recorder,
            demand: Demand::default(),
            settings: ParadigmSettings::new(&config, workers),
            canaries,
            canary_specs: Vec::new(),
            ca_file: config.monitor.ca_file.clone(),
            channels: BTreeMap::new(),
            named_broker: config.named_broker.clone(),
            writer,
            others: others.cloned(),
            happenings: Vec::new(),
        };
        let restored = restore::read(driver.writer.history(), failing, now);
        driver.configure(&config);
        driver.give(Input::Restored(Box::new(restored)));
        Ok((driver, Inbox { results, reports }))
    }

    fn configure(&mut self, config: &Config) {
        self.canary_specs = canary_specs(config);
        let told = engine_config(config, self.others.as_ref(), !self.canary_specs.is_empty());
        self.channels.retain(|(owner, channel), _| {
            let known = told.alerts.channels.get(owner);
            known.is_some_and(|channels| channels.contains(channel))
        });
        self.give(Input::Configured(Box::new(told)));
        self.count_demand();
    }

    fn count_demand(&mut self) {
        let watched = self
            .engine
            .monitor()
            .sites()
            .filter(|state| !state.site().paused);
        self.demand = Demand::of(watched.map(|state| state.site().interval));
    }

    /// Gives the engine an input, and carries out what it asks for.
    pub(super) fn give(&mut self, input: Input) {
        self.give_with(input, None);
    }

    /// The same, where `answer` is what a channel said.
    fn give_with(&mut self, input: Input, answer: Option<&str>) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let now = self.clock.now();
            for effect in self.engine.handle(input, now) {
                match effect {
                    Effect::Dispatch {
                        job,
                        spec,
                        out_of_turn,
                    } => {
                        if out_of_turn && self.dispatcher.waits(job.site) {
                            // The check that waits already is as good.
                            continue;
                        }
                        match self.dispatcher.offer(job, &spec) {
                            Offer::Submitted => {}
                            Offer::Renewed { missed } => inputs.push_back(Input::Missed(missed)),
                            Offer::Busy => inputs.push_back(Input::Busy(job)),
                        }
                    }
                    Effect::Withdraw(site) => {
                        if self.dispatcher.withdraw(site) {
                            inputs.push_back(Input::Withdrawn(site));
                        }
                    }
                    Effect::Persist(record) => {
                        self.writer.write(record, &self.engine, answer, now);
                    }
                    Effect::Deliver(delivery) => self.writer.deliver(delivery),
                    Effect::AskCanaries => self.canaries.ask(self.canary_specs.clone()),
                    Effect::Announce(notice) => self.happenings.push(Happening::Notice(notice)),
                }
            }
            self.close_accounts();
        }
    }

    fn close_accounts(&mut self) {
        let receipts = self.dispatcher.receipts(self.clock.moment());
        self.happenings
            .extend(receipts.into_iter().map(Happening::Switched));
        let losses = self.dispatcher.losses();
        self.happenings
            .extend(losses.into_iter().map(Happening::Lost));
    }

    /// Takes results, in the order in which they came; of twins the first counts.
    pub fn results(&mut self, results: impl IntoIterator<Item = CheckResult>) {
        let counted: Vec<CheckResult> = results
            .into_iter()
            .filter(|result| self.dispatcher.answered(result))
            .collect();
        if !counted.is_empty() {
            self.give(Input::Results(counted));
        }
    }

    /// Takes a report of another thread.
    pub fn report(&mut self, report: Report) {
        match report {
            Report::SendAgain(message) => {
                let messages = restore::again(message, self.clock.now());
                for message in messages {
                    self.give(Input::SendAgain(Box::new(message)));
                }
            }
            Report::Canaries(round) => self.give(Input::Canaries(round)),
            Report::History(HistoryEvent::StateWanted) => {
                self.give(Input::Storage(Storage::Replaced));
                self.writer.history().state_told();
            }
            Report::History(event) => self.happenings.push(Happening::History(event)),
            Report::Delivery(DeliveryResult { message, result }) => {
                let (report, answer) = match &result {
                    Ok(Sent(answer)) => (alert::DeliveryReport::Delivered, answer.clone()),
                    Err(failure) => (failure_report(failure), failure.answer.clone()),
                };
                let lasting = matches!(report, alert::DeliveryReport::Refused);
                let input = Input::Reported {
                    owner: message.owner.clone(),
                    channel: message.channel.clone(),
                    id: message.id.clone(),
                    report,
                };
                self.give_with(input, Some(&answer));
                let name = (message.owner.clone(), message.channel.clone());
                self.channels.insert(name, result.is_ok());
                let event = if result.is_ok() {
                    DeliveryEvent::Delivered { message, answer }
                } else {
                    let given_up = lasting;
                    DeliveryEvent::Failed {
                        message,
                        answer,
                        given_up,
                    }
                };
                self.happenings.push(Happening::Delivery(event));
            }
        }
    }

    /// Lets time pass. To be called at least every second.
    pub fn tick(&mut self) {
        self.give(Input::Tick);
    }

    /// What has happened since this was asked last.
    pub fn take_happenings(&mut self) -> Vec<Happening> {
        std::mem::take(&mut self.happenings)
    }

    /// Takes over a changed configuration. Sites that stay keep their history; the paradigm
    /// and the number of workers change only if the file's word on them did, and a queue that
    /// is in use is left for another. Gives what to say about that number, if anything.
    ///
    /// # Errors
    /// If its `ca_file` or its queue cannot be used: nothing has changed then.
    pub fn reload(&mut self, mut config: Config) -> Result<Option<String>, DriverError> {
        // Its contents may be others, though its path is the same.
        let factory = if config.monitor.ca_file == self.ca_file {
            None
        } else {
            let factory = ProberFactory::http(config.monitor.ca_file.as_ref());
            Some(Arc::new(factory.map_err(DriverError::ProberFactory)?))
        };
        let (entry, settings) = self.settings.read_again(&config, self.dispatcher.entry());
        config.named_broker.clone_from(&self.named_broker);
        let queue = self.dispatcher.set_queue_options(queue_options(&config));
        let other = queue != *self.dispatcher.queue_options() && self.dispatcher.queue().is_some();
        let (number, notice) = settings.workers.of(entry);
        if factory.is_some() || other || entry.label.name != self.dispatcher.entry().label.name {
            let now = self.clock.moment();
            if let Err(error) = self.dispatcher.switch(entry, number, factory, now) {
                self.dispatcher.set_queue_options(queue);
                return Err(DriverError::Start(error));
            }
        } else if number != self.dispatcher.census().workers && entry.resizable {
            self.dispatcher.resize(number);
        }
        self.settings = settings;
        self.ca_file.clone_from(&config.monitor.ca_file);
        self.writer.configure(&config);
        self.configure(&config);
        Ok(notice)
    }

    /// Runs the checks by another paradigm from now on; gives what to say about the number
    /// of its workers, if anything.
    ///
    /// # Errors
    /// If it cannot start: the one in use goes on.
    pub fn switch(&mut self, entry: &'static ParadigmEntry) -> Result<Option<String>, StartError> {
        let (number, notice) = self.settings.workers.of(entry);
        let now = self.clock.moment();
        self.dispatcher.switch(entry, number, None, now)?;
        self.close_accounts();
        Ok(notice)
    }

    /// So many steps more workers, or fewer. Gives the number, and what to say if it is
    /// fewer than asked for; `None` if this paradigm's number is fixed.
    pub fn change_workers(&mut self, steps: i32) -> Option<(usize, Option<String>)> {
        let entry = self.dispatcher.entry();
        if !entry.resizable {
            return None;
        }
        let wanted = step(self.dispatcher.census().workers, steps);
        self.settings.workers.choose(entry, wanted);
        let (number, notice) = self.settings.workers.of(entry);
        self.settings.workers.choose(entry, number);
        self.dispatcher.resize(number);
        Some((number, notice))
    }

    /// Checks a site now.
    pub fn recheck(&mut self, site: SiteId) {
        self.give(Input::Recheck(site));
    }

    /// Checks every site now.
    pub fn recheck_all(&mut self) {
        self.give(Input::RecheckAll);
    }

    /// Pauses or resumes a site.
    pub fn set_paused(&mut self, site: SiteId, paused: bool) {
        self.give(Input::Pause { site, paused });
        self.count_demand();
    }

    /// Takes that a user knows of an outage, or takes it back; `false` if none is open.
    pub fn acknowledge(&mut self, site: SiteId, by: Option<Acknowledgement>) -> bool {
        let state = self.engine.monitor().site(site);
        let open = state.is_some_and(|state| state.outage().is_some());
        self.give(Input::Acknowledge { site, by });
        open
    }

    /// Begins an hour of maintenance at a site, in which nobody is told of it, or ends the
    /// one that was begun so. Gives its end.
    pub fn maintain(&mut self, site: SiteId) -> Option<Timestamp> {
        self.give(Input::Maintenance(site));
        self.maintenance(site)
    }

    /// Sends a message again that was given up, or at once if it waits for its next try.
    /// One that waits by rule is not sent before.
    pub fn send_again(&mut self, id: Box<str>) {
        self.writer.find_again(id);
    }

    /// Lets what is being sent arrive and writes down what is left, each for as long as
    /// `patience` lasts.
    pub fn close(&mut self, reports: &mut UnboundedReceiver<Report>, patience: Duration) {
        self.writer.close_channels(patience);
        while let Ok(report) = reports.try_recv() {
            self.report(report);
        }
        if !self.writer.close(patience) {
            tracing::warn!("the history was not closed in time");
        }
    }

    /// When something is due next.
    pub fn next_wake(&mut self) -> Option<Moment> {
        let due = self.engine.next_wake().into_iter();
        due.chain(self.dispatcher.next_deadline()).min()
    }
}
