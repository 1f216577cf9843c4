//! The live switch under random sequences of switches, resizes, renewals and withdrawals,
//! while checks are in flight: every check is answered exactly once, or missed, or withdrawn,
//! and every receipt adds up.

#[cfg(test)]
mod switch {
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use proptest::prelude::*;
    use tokio::sync::mpsc::UnboundedReceiver;
    use tokio::sync::mpsc::unbounded_channel;
    use uptime_squirrel::domain::{
        CheckResult, CheckSpec, Clock, JobId, MaskedUrl, Moment, SiteId, SystemClock,
    };
    use uptime_squirrel::paradigm::{
        ALL, Dispatcher, Offer, ParadigmContext, QueueOptions, Receipt,
    };
    use uptime_squirrel::probe::{FakeProbe, ProberFactory};
    use uptime_squirrel::trace::Recorder;

    /// How long anything may take that must happen in the end.
    const PATIENCE: Duration = Duration::from_secs(30);

    const SITES: usize = 40;

    /// Whether a paradigm runs in this process, where the script is.
    const SCRIPTED: fn(&str) -> bool = |name| !["processes", "celery"].contains(&name);

    #[derive(Clone, Debug)]
    enum Step {
        /// Checks of so many sites are due, from this one on. Whoever's has not started yet has
        /// missed it.
        Due(usize, usize),
        /// A site is paused.
        Withdraw(usize),
        /// A key.
        Switch(usize, usize),
        /// A reload: the same paradigm with other probers.
        Reload(usize),
        Resize(usize),
        /// So many answers come first.
        Await(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..SITES, 1..=SITES).prop_map(|(first, count)| Step::Due(first, count)),
            1 => (0..SITES).prop_map(Step::Withdraw),
            4 => (0..ALL.len(), 1..24_usize).prop_map(|(to, workers)| Step::Switch(to, workers)),
            1 => (1..24_usize).prop_map(Step::Reload),
            2 => (1..24_usize).prop_map(Step::Resize),
            2 => (1..SITES).prop_map(Step::Await),
        ]
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Fate {
        Open,
        Answered,
        Missed,
        Withdrawn,
    }

    struct Run {
        clock: SystemClock,
        dispatcher: Dispatcher,
        results: UnboundedReceiver<CheckResult>,
        spec: Arc<CheckSpec>,
        fates: BTreeMap<(SiteId, Moment), Fate>,
        dues: u64,
        switches: usize,
        receipts: Vec<Receipt>,
    }

    /// A check takes as long as its site says, so that some are long in flight.
    fn factory(millis: u64) -> Arc<ProberFactory> {
        Arc::new(ProberFactory::fake(FakeProbe::up_after(
            Duration::from_millis(millis),
        )))
    }

    impl Run {
        fn new(first: usize, workers: usize) -> Self {
            let clock = SystemClock::new();
            let (sender, results) = unbounded_channel();
            let context = ParadigmContext {
                retry_broker: false,
                workers,
                factory: factory(3),
                clock,
                recorder: Recorder::new(),
                results: sender,
                queue: QueueOptions::default(),
            };
            let spec = CheckSpec {
                timeout: PATIENCE,
                slow: PATIENCE,
                ..CheckSpec::new(MaskedUrl::new("http://127.0.0.1/"))
            };
            Self {
                dispatcher: Dispatcher::start(&ALL[first], context).unwrap(),
                clock,
                results,
                spec: Arc::new(spec),
                fates: BTreeMap::new(),
                dues: 0,
                switches: 0,
                receipts: Vec::new(),
            }
        }

        fn settle(&mut self, id: JobId, fate: Fate) {
            let before = self.fates.insert((id.site, id.due), fate);
            assert_eq!(before, Some(Fate::Open), "{id:?} is {fate:?} after all");
        }

        fn due(&mut self, site: SiteId) {
            self.dues += 1;
            let id = JobId {
                site,
                due: Moment::from_nanos(self.dues),
            };
            match self.dispatcher.offer(id, &self.spec) {
                Offer::Busy => return,
                Offer::Submitted => {}
                Offer::Renewed { missed } => self.settle(missed, Fate::Missed),
            }
            self.fates.insert((id.site, id.due), Fate::Open);
        }

        fn take(&mut self, result: &CheckResult) {
            assert!(self.dispatcher.answered(result), "a twin: {result:?}");
            self.settle(result.job, Fate::Answered);
        }

        /// Waits for an answer; `false` if none is outstanding.
        fn wait(&mut self) -> bool {
            let deadline = Instant::now() + PATIENCE;
            while self.dispatcher.unanswered() > 0 {
                if let Ok(result) = self.results.try_recv() {
                    self.take(&result);
                    return true;
                }
                assert!(
                    Instant::now() < deadline,
                    "{} without an answer under {}: {:?}",
                    self.dispatcher.unanswered(),
                    self.dispatcher.entry().label.name,
                    self.dispatcher.census()
                );
                std::thread::sleep(Duration::from_micros(200));
            }
            false
        }

        fn step(&mut self, step: &Step) {
            let site = SiteId::from_index;
            match *step {
                Step::Due(first, count) => {
                    for index in first..first + count {
                        self.due(site(index % SITES));
                    }
                }
                Step::Withdraw(index) => {
                    let job = self.dispatcher.job_of(site(index));
                    if self.dispatcher.withdraw(site(index)) {
                        self.settle(job.unwrap(), Fate::Withdrawn);
                    }
                }
                Step::Switch(to, workers) => self.switch(to, workers, None),
                Step::Reload(workers) => {
                    let name = self.dispatcher.entry().label.name;
                    let same = ALL.iter().position(|entry| entry.label.name == name);
                    self.switch(same.unwrap(), workers, Some(factory(1)));
                }
                Step::Resize(workers) => self.dispatcher.resize(workers),
                Step::Await(count) => {
                    for _ in 0..count {
                        self.wait();
                    }
                }
            }
            self.close_accounts();
        }

        fn switch(&mut self, to: usize, workers: usize, factory: Option<Arc<ProberFactory>>) {
            let before = self.dispatcher.entry().label.name;
            let unanswered = self.dispatcher.unanswered();
            let now = self.clock.moment();
            match self.dispatcher.switch(&ALL[to], workers, factory, now) {
                Ok(()) => {
                    self.switches += 1;
                    assert_eq!(self.dispatcher.entry().label.name, ALL[to].label.name);
                }
                // What is scripted in this process cannot be had in others: the one that cannot
                // start leaves the old one as it was.
                Err(error) => {
                    assert!(!SCRIPTED(ALL[to].label.name), "{error}");
                    assert!(error.to_string().contains("other processes"), "{error}");
                    assert_eq!(self.dispatcher.entry().label.name, before);
                }
            }
            assert_eq!(self.dispatcher.unanswered(), unanswered);
        }

        fn close_accounts(&mut self) {
            for receipt in self.dispatcher.receipts(self.clock.moment()) {
                assert_eq!(receipt.in_flight, receipt.finished + receipt.handed_over);
                assert_eq!(
                    (receipt.lost(), receipt.counted_twice()),
                    (0, 0),
                    "{receipt}"
                );
                assert_eq!(receipt.twins, 0, "{receipt}");
                self.receipts.push(receipt);
            }
        }

        fn finish(mut self) -> Vec<Receipt> {
            while self.wait() {}
            self.close_accounts();
            assert_eq!(self.receipts.len(), self.switches);
            assert_eq!(self.dispatcher.next_deadline(), None);
            assert_eq!(self.dispatcher.twins(), 0);
            for (id, fate) in self.fates {
                assert_ne!(fate, Fate::Open, "{id:?} has no answer");
            }
            self.receipts
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn nothing_is_lost_and_nothing_counted_twice(
            first in (0..ALL.len()).prop_filter("scripted", |first| SCRIPTED(ALL[*first].label.name)),
            workers in 1..24_usize,
            steps in prop::collection::vec(step(), 1..24),
        ) {
            let mut run = Run::new(first, workers);
            for step in &steps {
                run.step(step);
            }
            run.finish();
        }
    }

    /// Hundreds of checks in flight at each of many switches.
    #[test]
    fn a_switch_through_all_paradigms_at_full_load_adds_up() {
        let mut run = Run::new(0, 1);
        for round in 0..4 {
            for to in 0..ALL.len() {
                for index in 0..SITES * 10 {
                    run.due(SiteId::from_index(index));
                }
                run.step(&Step::Switch(to, 1 + round * 40));
                run.step(&Step::Await(100));
            }
        }
        let receipts = run.finish();
        assert!(receipts.iter().all(|receipt| receipt.in_flight > 0));
        assert!(receipts.iter().any(|receipt| receipt.finished > 0));
        assert!(receipts.iter().any(|receipt| receipt.handed_over > 100));
    }
}
