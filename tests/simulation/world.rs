//! A simulated world: the engine as it ships, fed and carried out without a clock, a thread,
//! a file or a socket. Events happen one after another, in nanoseconds.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use fastrand::Rng;
use jiff::tz::TimeZone;
use uptime_squirrel::domain::{Now, SiteId, Timestamp};
use uptime_squirrel::engine::{Effect, Engine, Input, Notice, Round};

use super::events::{Event, Scheduled};
use super::promises::Promises;
use super::script::{SECOND, Script};
use super::setting::{HERE, ResultMaker, configuration, moment, site_name};
use super::store::Store;
use super::truth::Truth;
use super::workers::{Offer, Workers};

/// 2026-06-01T00:00:00Z.
const EPOCH: i64 = 1_780_272_000_000_000;

pub(super) struct World {
    pub(super) script: Script,
    pub(super) truth: Truth,
    pub(super) store: Store,
    pub(super) promises: Promises,
    /// `None` while the process does not run.
    pub(super) engine: Option<Engine>,
    pub(super) workers: Workers,
    pub(super) maker: ResultMaker,
    pub(super) rng: Rng,
    pub(super) time: u64,
    queue: BinaryHeap<Reverse<Scheduled>>,
    scheduled: u64,
    wake: Option<u64>,
    /// When the clock of this process showed zero; grows while the machine sleeps.
    mono_origin: u64,
    /// How far the wall clock is set from the truth, in seconds.
    wall_offset: i64,
    /// Effects that are carried out yet before the process is killed.
    dies_after: Option<usize>,
    last_input: u64,
    inputs_at_once: u32,
    pub(super) paused: Vec<bool>,
    pub(super) notices: Vec<(u64, Notice)>,
}

impl World {
    pub(super) fn new(script: Script) -> Self {
        let truth = Truth::of(&script);
        let mut world = Self {
            truth,
            store: Store::default(),
            promises: Promises::default(),
            engine: None,
            workers: Workers::default(),
            maker: ResultMaker::new(),
            rng: Rng::with_seed(script.seed ^ 0x5eed),
            time: 0,
            queue: BinaryHeap::new(),
            scheduled: 0,
            wake: None,
            mono_origin: 0,
            wall_offset: 0,
            dies_after: None,
            last_input: 0,
            inputs_at_once: 0,
            paused: vec![false; script.sites.len()],
            notices: Vec::new(),
            script,
        };
        world.schedule(0, Event::Boot);
        for (number, fault) in world.script.faults.clone().iter().enumerate() {
            world.schedule(fault.at, Event::Fault(number));
            if fault.lasts > 0 {
                world.schedule(fault.end(), Event::FaultEnds(number));
            }
        }
        world
    }

    pub(super) fn schedule(&mut self, at: u64, event: Event) {
        self.scheduled += 1;
        let number = self.scheduled;
        self.queue.push(Reverse(Scheduled { at, number, event }));
    }

    /// What both clocks of the process show.
    pub(super) fn now(&self) -> Now {
        let wall = i64::try_from(self.time / 1_000).unwrap_or(i64::MAX);
        Now {
            mono: moment(self.time.saturating_sub(self.mono_origin)),
            // No clock is set by whole intervals to the microsecond: two outages would begin at the
            // very same time.
            wall: Timestamp::from_micros(EPOCH + wall + self.wall_offset * 1_000_003),
        }
    }

    /// When the wall clock showed `at`, while nobody set it.
    pub(super) fn time_of(&self, at: Timestamp) -> u64 {
        u64::try_from(at.as_micros() - EPOCH).unwrap_or(0) * 1_000
    }

    pub(super) fn site_id(&self, number: usize) -> Option<SiteId> {
        let engine = self.engine.as_ref()?;
        let state = engine.monitor().find(&site_name(number))?;
        Some(state.id())
    }

    /// Lets everything happen until `end`, or until a promise is broken; `due` is called for
    /// each promise that is due.
    pub(super) fn run(&mut self, end: u64, due: &mut dyn FnMut(&mut Self, usize)) {
        while self.promises.broken.is_none() {
            let event_at = self.queue.peek().map(|Reverse(next)| next.at);
            let wake = self.wake.filter(|_| self.engine.is_some());
            let next = event_at.into_iter().chain(wake).min();
            let Some(next) = next.filter(|next| *next <= end) else {
                self.time = self.time.max(end);
                return;
            };
            let before = self.time;
            if next > before + 2 * SECOND && wake.is_some() && self.rng.u8(0..16) == 0 {
                self.time = self.rng.u64(before + SECOND..next);
                self.tick_in_vain();
            }
            self.time = self.time.max(next);
            if self.time > before {
                self.inputs_at_once = 0;
            }
            if event_at == Some(next) {
                if let Some(Reverse(happening)) = self.queue.pop() {
                    self.happen(happening.event, due);
                }
            } else {
                self.give(Input::Tick);
            }
        }
    }

    fn happen(&mut self, event: Event, due: &mut dyn FnMut(&mut Self, usize)) {
        match event {
            Event::Boot => self.boot(),
            Event::Checked(result) => {
                self.workers.end(result.job, false);
                self.give(Input::Results(vec![*result]));
                self.begin_checks();
            }
            Event::WorkerDied(job) => {
                self.workers.end(job, true);
                self.begin_checks();
            }
            Event::Canaries(round) => self.give(Input::Canaries(round)),
            Event::Sent(delivery, taken, report, later) => {
                if taken {
                    self.arrives(&delivery);
                }
                let at = self.time + later;
                self.schedule(at, Event::Heard(delivery, report));
            }
            Event::Heard(delivery, report) => {
                let runs = self.engine.is_some();
                self.give(Input::Reported {
                    owner: delivery.owner.clone(),
                    channel: delivery.channel.clone(),
                    id: delivery.id.clone(),
                    report,
                });
                if runs && self.engine.is_none() {
                    // It was killed before that was kept.
                    self.promises.uncertain.insert(delivery.id);
                }
            }
            Event::Fault(number) => self.begin_fault(number),
            Event::FaultEnds(number) => self.end_fault(number),
            Event::Promise(number) => due(self, number),
        }
    }

    /// Gives the engine an input, and carries out what it asks for.
    pub(super) fn give(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let now = self.now();
            let slept = self.time - self.last_input > SECOND;
            let Some(engine) = &mut self.engine else {
                return;
            };
            if slept {
                // Nothing was to be done until now: ticks would have found nothing.
                engine.skip_ticks(now);
            }
            self.last_input = self.time;
            self.inputs_at_once += 1;
            if self.inputs_at_once > 20_000 {
                self.promises
                    .fail(self.time, || "the engine spins".to_owned());
                return;
            }
            for effect in engine.handle(input, now) {
                if let Some(left) = &mut self.dies_after {
                    if *left == 0 {
                        self.die();
                        return;
                    }
                    *left -= 1;
                }
                if !self.carry_out(effect, &mut inputs, now) {
                    self.die();
                    return;
                }
            }
        }
        let origin = self.mono_origin;
        self.wake = self
            .engine
            .as_mut()
            .and_then(Engine::next_wake)
            .map(|wake| wake.as_nanos().saturating_add(origin));
    }

    /// Before anything is due, a tick has nothing to do.
    fn tick_in_vain(&mut self) {
        let now = self.now();
        let Some(engine) = &mut self.engine else {
            return;
        };
        engine.skip_ticks(now);
        self.last_input = self.time;
        let effects = engine.handle(Input::Tick, now);
        if let Some(effect) = effects.first() {
            self.promises.fail(self.time, || {
                format!("a tick before anything was due did {effect:?}")
            });
        }
    }

    /// `false`: the process is killed within it.
    fn carry_out(&mut self, effect: Effect, inputs: &mut VecDeque<Input>, now: Now) -> bool {
        match effect {
            Effect::Dispatch {
                job, out_of_turn, ..
            } => {
                match self.workers.offer(job, out_of_turn) {
                    Offer::Taken => {}
                    Offer::Missed(missed) => inputs.push_back(Input::Missed(missed)),
                    Offer::Busy => inputs.push_back(Input::Busy(job)),
                }
                self.begin_checks();
            }
            Effect::Withdraw(site) => {
                if self.workers.withdraw(site) {
                    inputs.push_back(Input::Withdrawn(site));
                }
            }
            Effect::Persist(record) => {
                if let Some(engine) = &self.engine {
                    self.store.apply(&record, engine.monitor(), now);
                    self.promises.kept(&record, engine.monitor(), self.time);
                }
            }
            Effect::Deliver(delivery) => {
                self.promises.begins(&delivery, self.time);
                self.store.deliver(&delivery, now);
                if self.dies_after == Some(0) && self.rng.bool() {
                    return false;
                }
                self.send(delivery);
            }
            Effect::AskCanaries => self.ask_canaries(now),
            Effect::Announce(Notice::Checked(_)) => {}
            Effect::Announce(notice) => self.notices.push((self.time, notice)),
        }
        true
    }

    fn ask_canaries(&mut self, now: Now) {
        let answered = self.truth.canaries_answer(self.time);
        let round = Round {
            asked: now.mono,
            answered,
            why: "3 canaries do not answer either".into(),
        };
        let most = if answered { SECOND } else { 6 * SECOND };
        let takes = self.rng.u64(SECOND / 20..most);
        self.schedule(self.time + takes, Event::Canaries(round));
    }

    fn boot(&mut self) {
        if self.engine.is_some() {
            return;
        }
        self.dies_after = None;
        self.mono_origin = self.time.saturating_sub(SECOND / 100);
        let now = self.now();
        self.workers = Workers::new(self.script.workers);
        self.promises.began();
        self.last_input = self.time;
        self.engine = Some(Engine::new(TimeZone::UTC, HERE, now));
        self.store.begin();
        let restored = Input::Restored(Box::new(self.store.restored(now)));
        self.configure();
        self.give(restored);
    }

    pub(super) fn configure(&mut self) {
        let configuration = configuration(&self.script, self.time, &self.paused);
        self.give(Input::Configured(Box::new(configuration)));
    }

    fn die(&mut self) {
        (self.engine, self.dies_after, self.wake) = (None, None, None);
        let queue = std::mem::take(&mut self.queue);
        for Reverse(next) in queue {
            match &next.event {
                Event::Sent(delivery, true, ..) => {
                    // What was handed over may arrive all the same.
                    self.promises.uncertain.insert(delivery.id.clone());
                    if self.rng.bool() {
                        self.queue.push(Reverse(next));
                    }
                }
                Event::Heard(delivery, _) => {
                    self.promises.uncertain.insert(delivery.id.clone());
                }
                event if event.is_of_process() => {}
                _ => self.queue.push(Reverse(next)),
            }
        }
    }

    /// The process is killed after so many more effects, or at once if none is due.
    pub(super) fn kill_after(&mut self, effects: usize) {
        self.dies_after = self.engine.as_ref().map(|_| effects);
    }

    pub(super) fn kill(&mut self) {
        if self.engine.is_some() {
            self.die();
        }
    }

    /// The wall clock is set.
    pub(super) fn set_clock(&mut self, by: i64) {
        self.give(Input::Tick);
        self.wall_offset += by;
        self.give(Input::Tick);
    }

    /// The machine sleeps: the wall clock alone goes on.
    pub(super) fn sleep(&mut self, lasts: u64) {
        self.give(Input::Tick);
        let queue = std::mem::take(&mut self.queue);
        for Reverse(mut next) in queue {
            if next.event.is_of_process() {
                next.at += lasts;
            } else if next.at < self.time + lasts && !matches!(next.event, Event::Promise(_)) {
                next.at = self.time + lasts;
            }
            self.queue.push(Reverse(next));
        }
        self.mono_origin += lasts;
        self.time += lasts;
        self.last_input = self.time;
        self.give(Input::Tick);
    }
}
