//! What the lab claims, held on what was recorded: which thread ran when, and who waited for
//! the lock. No claim rests on how fast this machine is.

#[cfg(test)]
mod lab {
    use std::collections::BTreeSet;
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    use uptime_squirrel::domain::{Moment, SystemClock, plural};
    use uptime_squirrel::lab::{
        Contender, Experiment, ExperimentEvent, ExperimentHandle, JobList, Race, RaceEvent,
        RacePlan, RaceState, RunError, RunSetup, TimedRun, Workload, explain, predict,
        race_summary, run,
    };
    use uptime_squirrel::paradigm::{ALL, Label, Law, ParadigmEntry, Shape, StartError, position};
    use uptime_squirrel::trace::{Activity, SliceKind, spans};

    const JOBS: usize = 4;
    /// Many of the lock's intervals, and bearable one after another.
    const LENGTH: Duration = Duration::from_millis(60);

    fn entry(paradigm: &str) -> &'static ParadigmEntry {
        &ALL[position(paradigm).unwrap()]
    }

    fn job_list(workload: Workload) -> JobList {
        match workload {
            Workload::Crunch => JobList::crunch(JOBS, LENGTH),
            _ => JobList::sleep(JOBS, LENGTH),
        }
    }

    fn timed_run(paradigm: &str, workload: Workload, gil: bool) -> TimedRun {
        let setup = RunSetup {
            entry: entry(paradigm),
            workers: JOBS,
            gil,
            traced: true,
        };
        let clock = SystemClock::new();
        let timed_run = run(&job_list(workload), setup, clock, &AtomicBool::new(false)).unwrap();
        assert_eq!(
            (timed_run.late.len(), timed_run.unknown),
            (JOBS, 0),
            "{:?}",
            timed_run.why
        );
        assert_eq!(timed_run.records.len(), JOBS);
        assert!(
            timed_run
                .records
                .iter()
                .all(|record| record.log.dropped == 0)
        );
        timed_run
    }

    /// A stretch of one thread.
    type Stretch = (Moment, Moment, u32);

    fn stretches(timed_run: &TimedRun, doing: SliceKind) -> Vec<Stretch> {
        let slices = timed_run
            .records
            .iter()
            .flat_map(|record| &record.log.slices);
        let mut stretches: Vec<_> = slices
            .filter(|slice| slice.doing == doing)
            .map(|slice| (slice.start, slice.end, slice.tid))
            .collect();
        stretches.sort_unstable();
        stretches
    }

    /// The most of these that were under way at one moment.
    fn most_at_once(stretches: impl IntoIterator<Item = (Moment, Moment)>) -> usize {
        let mut edges = Vec::new();
        for (from, to) in stretches.into_iter().filter(|(from, to)| to > from) {
            edges.push((from, 1));
            edges.push((to, -1));
        }
        // An end comes before a beginning at the same moment.
        edges.sort_unstable();
        let now = edges.iter().scan(0_isize, |now, (_, by)| {
            *now += by;
            Some(*now)
        });
        now.max().unwrap_or(0).unsigned_abs()
    }

    fn running_at_once(timed_run: &TimedRun) -> usize {
        most_at_once(
            stretches(timed_run, SliceKind::Running)
                .iter()
                .map(|s| (s.0, s.1)),
        )
    }

    fn waiting_at_once(timed_run: &TimedRun) -> usize {
        let mut waits = Vec::new();
        for record in &timed_run.records {
            spans(record, |span| {
                if matches!(span.activity, Activity::Waiting(_)) {
                    waits.push((span.from, span.to));
                }
            });
        }
        most_at_once(waits)
    }

    fn threads(timed_run: &TimedRun) -> BTreeSet<u32> {
        let running = stretches(timed_run, SliceKind::Running);
        running.iter().map(|stretch| stretch.2).collect()
    }

    const THREADED: [&str; 2] = ["threads", "futures"];

    #[test]
    fn sleeping_overlaps_in_threads_and_tasks_lock_or_no_lock_and_never_in_serial() {
        for gil in [false, true] {
            for paradigm in ["threads", "futures", "green", "async"] {
                let timed_run = timed_run(paradigm, Workload::Sleep, gil);
                assert_eq!(waiting_at_once(&timed_run), JOBS, "{paradigm}, lock {gil}");
            }
            let serial = timed_run("serial", Workload::Sleep, gil);
            assert_eq!(waiting_at_once(&serial), 1);
            assert!(serial.sweep >= LENGTH * JOBS as u32);
        }
    }

    #[test]
    fn under_the_lock_threads_crunch_in_turns_and_the_rest_waits_for_it() {
        for paradigm in THREADED {
            let timed_run = timed_run(paradigm, Workload::Crunch, true);
            assert_eq!(threads(&timed_run).len(), JOBS, "{paradigm}");
            assert_eq!(running_at_once(&timed_run), 1, "{paradigm}");
            assert!(timed_run.handovers > 0, "{paradigm}");
            // While one runs, three wait for the lock.
            let locked = stretches(&timed_run, SliceKind::Locked);
            let at_once = most_at_once(locked.iter().map(|stretch| (stretch.0, stretch.1)));
            assert!(at_once >= 2, "{paradigm}: {at_once}");
            let busy =
                |doing| -> Duration { timed_run.records.iter().map(|r| r.busy(doing)).sum() };
            assert!(
                busy(SliceKind::Locked) > busy(SliceKind::Running),
                "{paradigm}"
            );
        }
    }

    #[test]
    fn under_the_lock_each_thread_comes_to_its_turns() {
        let timed_run = timed_run("threads", Workload::Crunch, true);
        let running = stretches(&timed_run, SliceKind::Running);
        for tid in threads(&timed_run) {
            let turns = running.iter().filter(|stretch| stretch.2 == tid).count();
            assert!(turns > 1, "thread {tid} was never interrupted: {running:?}");
        }
    }

    #[test]
    fn without_the_lock_threads_crunch_at_the_same_time() {
        for paradigm in THREADED {
            let timed_run = timed_run(paradigm, Workload::Crunch, false);
            assert_eq!(running_at_once(&timed_run), JOBS, "{paradigm}");
            assert!(
                stretches(&timed_run, SliceKind::Locked).is_empty(),
                "{paradigm}"
            );
            assert_eq!(timed_run.handovers, 0);
        }
    }

    #[test]
    fn green_sleeps_together_and_crunches_one_after_another_on_its_one_thread() {
        for gil in [false, true] {
            let sleep = timed_run("green", Workload::Sleep, gil);
            assert_eq!((waiting_at_once(&sleep), threads(&sleep).len()), (JOBS, 1));
            let crunch = timed_run("green", Workload::Crunch, gil);
            assert_eq!((running_at_once(&crunch), threads(&crunch).len()), (1, 1));
            // One task ran to its end before the next one could begin.
            assert_eq!(stretches(&crunch, SliceKind::Running).len(), JOBS);
        }
    }

    #[test]
    fn the_work_is_the_same_whoever_does_it() {
        let run = |paradigm, gil| -> Duration {
            let timed_run = timed_run(paradigm, Workload::Crunch, gil);
            timed_run.cpu.unwrap()
        };
        let serial = run("serial", false);
        for (paradigm, gil) in [("threads", true), ("threads", false), ("green", false)] {
            let ratio = run(paradigm, gil).as_secs_f64() / serial.as_secs_f64();
            assert!((0.5..2.0).contains(&ratio), "{paradigm} {gil}: {ratio}");
        }
    }

    #[test]
    fn explanations_say_what_was_measured() {
        for (paradigm, workload, gil, words) in [
            ("threads", Workload::Crunch, true, "hand-overs"),
            ("threads", Workload::Crunch, false, "No lock"),
            ("green", Workload::Crunch, false, "ONE thread"),
            ("green", Workload::Sleep, true, "all wait at once"),
            ("threads", Workload::Sleep, true, "releases the lock"),
            ("serial", Workload::Sleep, false, "add up"),
        ] {
            let timed_run = timed_run(paradigm, workload, gil);
            let experiment = Experiment {
                workload,
                entry: entry(paradigm),
                jobs: JOBS,
                length: LENGTH,
                cores: 2,
            };
            let text = explain(experiment.parameters(gil), &timed_run);
            assert!(text.contains(words), "{paradigm}: {text}");
            assert!(text.chars().count() <= 156, "{text}");
            if words == "hand-overs" {
                assert!(
                    text.contains(&plural(timed_run.handovers, "hand-over")),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn a_run_that_is_stopped_ends_at_once_and_its_crunches_too() {
        let stop = AtomicBool::new(true);
        let clock = SystemClock::new();
        let setup = RunSetup {
            entry: entry("threads"),
            workers: JOBS,
            gil: true,
            traced: false,
        };
        // Hours, if nobody stopped it.
        let job_list = JobList::crunch(JOBS, Duration::from_secs(7_200));
        let timed_run = run(&job_list, setup, clock, &stop);
        assert!(matches!(timed_run, Err(RunError::Stopped)));
    }

    #[test]
    fn an_experiment_shows_both_runs_and_its_predictions_differ_where_the_lock_matters() {
        let experiment = Experiment {
            workload: Workload::Crunch,
            entry: entry("threads"),
            jobs: 2,
            length: Duration::from_millis(150),
            cores: 2,
        };
        let mut experiment_handle = ExperimentHandle::start(experiment, vec![true, false]).unwrap();
        let (mut done, mut snapshots) = (Vec::new(), 0);
        loop {
            match experiment_handle.events.blocking_recv().unwrap() {
                ExperimentEvent::UnderWay { snapshot, .. } => {
                    assert!(snapshot.records.len() <= 2);
                    snapshots += 1;
                }
                ExperimentEvent::Done { gil, timed_run } => done.push((gil, timed_run.unwrap())),
                ExperimentEvent::Over => break,
            }
        }
        assert!(snapshots > 0);
        let gils: Vec<bool> = done.iter().map(|(gil, _)| *gil).collect();
        assert_eq!(gils, [true, false]);
        assert_eq!(running_at_once(&done[0].1), 1);
        assert_eq!(running_at_once(&done[1].1), 2);
        let locked = predict(experiment.parameters(true)).time;
        assert_eq!(locked, experiment.length * 2);
        assert!(predict(experiment.parameters(false)).time <= locked);
    }

    static NOWHERE: ParadigmEntry = ParadigmEntry {
        label: Label {
            key: '9',
            name: "nowhere",
            summary: "needs what is not there",
            law: Law::Slowest,
        },
        default_workers: 1,
        files_for_ten_workers: 10,
        processes_per_worker: 0,
        threads_per_worker: 0,
        resizable: true,
        shape: |workers| Shape {
            in_flight: workers,
            threads: workers,
            processes: 1,
        },
        start: |_| {
            Err(StartError::System {
                what: "no broker answers",
                source: std::io::Error::other("start one"),
            })
        },
    };

    fn raced(entries: &[&'static ParadigmEntry], rounds: usize) -> (RaceState, Vec<usize>) {
        let contender = |entry: &&'static ParadigmEntry| Contender {
            entry,
            workers: JOBS,
            listed: true,
        };
        let plan = RacePlan {
            job_list: JobList::sleep(JOBS, Duration::from_millis(20)),
            contenders: entries.iter().map(contender).collect(),
            rounds,
            gil: false,
            traced: false,
        };
        let mut race_state = RaceState::of(&plan);
        let mut race = Race::start(plan).unwrap();
        let mut order = Vec::new();
        while race_state.over.is_none() {
            let event = race.events.blocking_recv().unwrap();
            if let RaceEvent::RunDone { place, .. } = &event {
                order.push(*place);
            }
            race_state.apply(event);
        }
        (race_state, order)
    }

    #[test]
    fn a_race_turns_the_order_round_and_says_who_won_and_why() {
        let (race_state, order) = raced(&[entry("serial"), entry("threads"), entry("green")], 2);
        assert_eq!(order, [0, 1, 2, 2, 1, 0]);
        assert_eq!(race_state.over, Some(false));
        assert!(race_state.share() >= 1.0);
        let serial = race_state.rows[0].medians().unwrap();
        assert_eq!(race_state.speedup(&serial), Some(1.0));
        let green = race_state.rows[2].medians().unwrap();
        assert!(race_state.speedup(&green).unwrap() > 1.3);
        assert!(
            serial.late_p95 >= Duration::from_millis(60),
            "the last one waited for three"
        );
        let said = race_summary(&race_state).unwrap();
        assert!(said.contains("won") && said.contains("overlap"), "{said}");
        assert!(race_state.floor().unwrap().1 >= Duration::from_millis(20));
    }

    #[test]
    fn one_that_cannot_run_is_a_row_that_says_why_and_the_others_go_on() {
        let (race_state, order) = raced(&[entry("serial"), &NOWHERE, entry("async")], 2);
        assert_eq!(order, [0, 2, 2, 0]);
        let row = &race_state.rows[1];
        assert_eq!(row.error.as_deref(), Some("no broker answers: start one"));
        assert!(row.medians().is_none());
        assert!(race_state.rows[2].medians().is_some());
        assert!(race_summary(&race_state).unwrap().starts_with("async won"));
    }

    #[test]
    fn a_race_that_is_stopped_says_so() {
        let plan = RacePlan {
            job_list: JobList::crunch(JOBS, Duration::from_secs(7_200)),
            contenders: vec![Contender {
                entry: entry("threads"),
                workers: JOBS,
                listed: true,
            }],
            rounds: 1,
            gil: false,
            traced: false,
        };
        let mut race_state = RaceState::of(&plan);
        let mut race = Race::start(plan).unwrap();
        while race_state.over.is_none() {
            race_state.apply(race.events.blocking_recv().unwrap());
            race.stop();
        }
        assert_eq!(race_state.over, Some(true));
        assert_eq!(race_summary(&race_state), None);
    }
}
