//! The lab's workloads: a check that only waits, and one that only computes.
//!
//! They run where real checks run, through the same paradigms and under the same eyes. What
//! `crunch` computes is real: a chain of multiplications modulo the prime 2⁶¹-1, each of
//! which needs the one before, so that neither the compiler nor a second unit of the same
//! core can shorten it. The right product is known from elsewhere, by squaring: a check that
//! computes something else has not done the work.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::domain::{CheckObserver, CheckSpec, Reason};

use super::classify::Failure;

/// The work of one check of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum WorkKind {
    /// Waits for this long, as for a slow site, without processor time.
    Sleep(Duration),
    /// Computes this many rounds, one multiplication each, without waiting.
    Crunch(u64),
}

/// A workload of the lab: every job does the same work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WorkloadSpec {
    /// The work of one job.
    pub work: WorkKind,
}

impl WorkloadSpec {
    /// A workload that waits for `length`.
    #[must_use]
    pub const fn sleep(length: Duration) -> Self {
        Self {
            work: WorkKind::Sleep(length),
        }
    }

    /// One that computes for about `length` on a core of this machine: the number of rounds
    /// is fixed here and now, whatever a thread's share of the processor will be.
    #[must_use]
    pub fn crunch(length: Duration) -> Self {
        let rounds = (length.as_secs_f64() * rounds_per_second()).round();
        Self {
            work: WorkKind::Crunch(rounds as u64),
        }
    }
}

impl WorkloadSpec {
    /// Whether strangers may ask for it: a crunch lets nothing else onto its thread, so that
    /// it must be over long before a worker is taken for dead.
    #[must_use]
    pub const fn is_acceptable(&self) -> bool {
        /// No core does as many in five seconds, and a slow one does them in half a minute.
        const MOST_ROUNDS: u64 = 8_000_000_000;
        const LONGEST: Duration = Duration::from_secs(60);
        match self.work {
            WorkKind::Sleep(length) => length.as_nanos() <= LONGEST.as_nanos(),
            WorkKind::Crunch(rounds) => rounds <= MOST_ROUNDS,
        }
    }
}

/// Ends the computing checks of this process. All clones share one flag.
#[derive(Clone, Debug, Default)]
pub struct Halt(Arc<AtomicBool>);

impl Halt {
    /// Ends all computing.
    pub fn halt(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether [`Halt::halt`] has been called.
    #[must_use]
    pub fn is_halted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Carries out a workload in place of a check.
#[derive(Debug)]
pub(super) struct WorkloadRunner {
    workload: WorkloadSpec,
    halt: Halt,
}

impl WorkloadRunner {
    pub(super) const fn new(workload: WorkloadSpec, halt: Halt) -> Self {
        Self { workload, halt }
    }

    pub(super) async fn play(
        &self,
        spec: &CheckSpec,
        observer: Option<&dyn CheckObserver>,
    ) -> Result<(), Failure> {
        match self.workload.work {
            WorkKind::Sleep(length) => {
                tokio::time::timeout(spec.timeout, tokio::time::sleep(length))
                    .await
                    .map_err(|_| Failure::new(Reason::Timeout, "it slept for too long"))
            }
            WorkKind::Crunch(rounds) => {
                let began = Instant::now();
                let yield_point = || {
                    if let Some(observer) = observer {
                        observer.yield_point();
                    }
                    !self.halt.is_halted() && began.elapsed() < spec.timeout
                };
                match crunch(rounds, yield_point) {
                    None if !self.halt.is_halted() => {
                        Err(Failure::new(Reason::Timeout, "it computed for too long"))
                    }
                    None => Err(Failure::new(Reason::Internal, "it was stopped")),
                    Some(computed) => agrees(computed, power(FACTOR, rounds)),
                }
            }
        }
    }
}

fn agrees(computed: u64, expected: u64) -> Result<(), Failure> {
    if computed == expected {
        return Ok(());
    }
    Err(Failure::new(
        Reason::Internal,
        format!("it computed {computed}, and {expected} is right"),
    ))
}

/// 2⁶¹-1, a prime: what lies above 61 bits is added to what lies below.
const MODULUS: u64 = (1 << 61) - 1;

/// What every round multiplies by.
const FACTOR: u64 = 0x0123_4567_89ab_cdef;

/// Rounds between two yield points: a few microseconds.
const BREATH: u64 = 1_024;

/// The product modulo [`MODULUS`]; both factors are below it.
const fn multiply(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    let folded = (product as u64 & MODULUS) + (product >> 61) as u64;
    // Below 2⁶²: taking the modulus away once is enough.
    if folded >= MODULUS {
        folded - MODULUS
    } else {
        folded
    }
}

/// `FACTOR` to the power of `rounds`, a multiplication a round. `None` if `yield_point`, which is
/// called every few microseconds, says that it is over.
fn crunch(rounds: u64, mut yield_point: impl FnMut() -> bool) -> Option<u64> {
    let mut value = 1;
    let mut left = rounds;
    while left > 0 {
        let now = left.min(BREATH);
        for _ in 0..now {
            value = multiply(value, black_box(FACTOR));
        }
        left -= now;
        if !yield_point() {
            return None;
        }
    }
    Some(value)
}

/// The same by squaring, in a handful of multiplications.
const fn power(base: u64, exponent: u64) -> u64 {
    let (mut result, mut square, mut left) = (1, base, exponent);
    while left > 0 {
        if left & 1 == 1 {
            result = multiply(result, square);
        }
        square = multiply(square, square);
        left >>= 1;
    }
    result
}

/// How many rounds a core of this machine does in a second. Measured once.
fn rounds_per_second() -> f64 {
    static SPEED: OnceLock<f64> = OnceLock::new();
    *SPEED.get_or_init(measure)
}

/// The best of several attempts: other load on the machine can only slow it down.
fn measure() -> f64 {
    const ATTEMPTS: usize = 24;
    const ATTEMPT: Duration = Duration::from_millis(2);
    let time = |rounds: u64| {
        let began = Instant::now();
        let value = crunch(rounds, || true);
        black_box(value);
        began.elapsed()
    };
    let mut rounds = BREATH;
    while time(rounds) < ATTEMPT {
        rounds *= 2;
    }
    let best = (0..ATTEMPTS).map(|_| time(rounds)).min();
    rounds as f64 / best.unwrap_or(ATTEMPT).as_secs_f64().max(1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        CheckResult, JobId, MaskedUrl, Moment, Phase, RanOn, SiteId, Timestamp, Verdict,
    };
    use crate::probe::{ProberFactory, Start};
    use std::sync::atomic::AtomicU64;

    #[derive(Debug, Default)]
    struct Breaths(AtomicU64);

    impl CheckObserver for Breaths {
        fn phase(&self, _phase: Phase, _at: Instant) {}

        fn yield_point(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn spec(timeout: Duration) -> CheckSpec {
        CheckSpec {
            timeout,
            slow: Duration::MAX,
            ..CheckSpec::new(MaskedUrl::new("http://toy.invalid/"))
        }
    }

    fn check(
        factory: &ProberFactory,
        timeout: Duration,
        observer: Option<Arc<dyn CheckObserver>>,
    ) -> CheckResult {
        let start = Start {
            job: JobId {
                site: SiteId::from_index(0),
                due: Moment::ZERO,
            },
            moment: Moment::ZERO,
            at: Timestamp::from_micros(0),
        };
        let who = || RanOn {
            host: "h".into(),
            pid: 1,
            tid: 1,
            thread: "t".into(),
        };
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
            .block_on(factory.prober().check(start, &spec(timeout), observer, who))
    }

    const LONG: Duration = Duration::from_secs(3_600);

    #[test]
    fn what_is_computed_round_by_round_is_what_squaring_gives() {
        for rounds in [0, 1, 2, 1_023, 1_024, 1_025, 50_000] {
            assert_eq!(
                crunch(rounds, || true),
                Some(power(FACTOR, rounds)),
                "{rounds}"
            );
        }
        assert_eq!(multiply(MODULUS - 1, MODULUS - 1), 1);
        assert_eq!(power(3, MODULUS - 1), 1, "as Fermat says of a prime");
    }

    #[test]
    fn a_crunch_looks_up_every_thousand_rounds_and_is_up_when_its_result_is_right() {
        let workload = WorkloadSpec {
            work: WorkKind::Crunch(100 * BREATH),
        };
        let breaths = Arc::new(Breaths::default());
        let observer = Arc::clone(&breaths) as Arc<dyn CheckObserver>;
        let result = check(
            &ProberFactory::workload(workload, Halt::default()),
            LONG,
            Some(observer),
        );
        assert_eq!((result.verdict, result.error), (Verdict::Up, None));
        assert_eq!(breaths.0.load(Ordering::Relaxed), 100);
    }

    #[test]
    fn a_wrong_result_is_a_fault_of_ours() {
        let failure = agrees(6, 7).unwrap_err();
        assert_eq!(failure.reason.verdict(), Verdict::Unknown);
        assert_eq!(failure.error, "it computed 6, and 7 is right");
    }

    #[test]
    fn a_crunch_that_nobody_wants_any_more_ends() {
        let workload = WorkloadSpec {
            work: WorkKind::Crunch(u64::MAX),
        };
        let halt = Halt::default();
        let factory = ProberFactory::workload(workload, halt.clone());
        halt.halt();
        assert_eq!(check(&factory, LONG, None).verdict, Verdict::Unknown);
    }

    #[test]
    fn a_sleep_waits_and_is_cut_off_by_its_timeout() {
        let length = Duration::from_millis(5);
        let factory = ProberFactory::workload(WorkloadSpec::sleep(length), Halt::default());
        let slept = check(&factory, LONG, None);
        assert_eq!(slept.verdict, Verdict::Up);
        assert!(slept.latency >= length);
        let factory = ProberFactory::workload(WorkloadSpec::sleep(LONG), Halt::default());
        let cut = check(&factory, length, None);
        assert_eq!(cut.reason, Some(Reason::Timeout));
    }

    #[test]
    fn another_process_is_told_to_do_the_very_same_work() {
        let workload = WorkloadSpec::crunch(Duration::from_millis(1));
        assert!(matches!(workload.work, WorkKind::Crunch(1..)));
        let factory = ProberFactory::workload(workload, Halt::default());
        let sent = postcard::to_allocvec(factory.config().unwrap()).unwrap();
        let there = ProberFactory::from_config(postcard::from_bytes(&sent).unwrap()).unwrap();
        assert!(
            matches!(there, ProberFactory::Workload { workload: same, .. } if same == workload)
        );
    }
}
