//! The checks in flight: sent, and without a result. Pure: time and events are passed in, actions
//! are returned.
//!
//! The guarantee: a check is run at least once and counted exactly once. The first result removes
//! the check, so that a second one is not counted; and a result counts only if the job's ticket
//! can be claimed, so that one that was withdrawn or handed over is not counted here.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use uuid::Uuid;

use crate::domain::{Job, JobId, Moment, RanOn};
use crate::trace::{OpenRecord, ReceivedCheck};

/// How often a lost message is sent again.
const MAX_RESENDS: u8 = 2;

/// How long after the timeout of its check a message is audited first; doubles with each audit.
const AUDIT_AFTER: Duration = Duration::from_secs(5);

/// How much sooner a worker may take a message for expired: clocks differ.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(2);

/// The pause after the first message of a check that was discarded too early, and the longest: where
/// there are workers that discard nothing, and where there are none.
const MIN_DISCARD_PAUSE: Duration = Duration::from_millis(250);
const MAX_DISCARD_PAUSE_AMONG_OTHERS: Duration = Duration::from_secs(1);
const MAX_DISCARD_PAUSE: Duration = Duration::from_secs(60);

/// The age at which the broker is asked who holds a message: most have a result by then.
const MIN_SENT_AGE: Duration = Duration::from_millis(100);

/// The bits of a task id that hold its number.
const NUMBER_MASK: u128 = (1 << 48) - 1;

/// The stage of a check, with the guards of its trace while that is recorded.
#[derive(Debug, Default)]
pub(super) enum Stage {
    /// In the queue, as far as is known.
    #[default]
    Sent,
    /// A worker holds it and has not published its start.
    Received { _seen: ReceivedCheck },
    /// A worker runs it.
    Started { by: RanOn, _seen: OpenRecord },
}

/// One check in flight.
#[derive(Debug)]
pub(super) struct SentCheck {
    pub(super) job: Job,
    /// The text of the message, by which it is found and withdrawn.
    pub(super) text: String,
    pub(super) tag: String,
    /// When it was first sent.
    pub(super) sent: Moment,
    /// When the message expires.
    expires: Moment,
    /// The check that its result counts for, and since when a worker holds it; `None` if no worker
    /// is known to hold it.
    pub(super) taken: Option<(JobId, Moment)>,
    pub(super) stage: Stage,
    pub(super) resends: u8,
    /// How many of its messages were discarded before they expired.
    pub(super) discards: u8,
    /// When the last of them was, until it is sent again.
    discarded: Option<Moment>,
    audit_at: Moment,
    audit_step: Duration,
}

/// The place of a message, found by an audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MessagePlace {
    /// Neither in the queue nor held.
    Lost,
    /// The message is in the queue.
    Queued,
    /// A worker holds the message.
    Held,
}

/// The action after an audit.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum AuditAction {
    /// None: the message is in its place.
    Wait,
    /// Send the message again.
    Resend,
    /// Give up: the message was lost too often.
    GiveUp,
}

/// All checks in flight by the number in their id, in the order of sending.
#[derive(Debug)]
pub(super) struct InFlight {
    /// The part of the ids that is unique to this producer.
    session: u128,
    next: u64,
    checks: BTreeMap<u64, SentCheck>,
    taken: usize,
}

impl InFlight {
    pub(super) fn new() -> Self {
        Self {
            // The bits of version and variant stay, which precede the number.
            session: Uuid::new_v4().as_u128() & !NUMBER_MASK,
            next: 1,
            checks: BTreeMap::new(),
            taken: 0,
        }
    }

    /// The pattern of the channels on which the results for this producer are published.
    pub(super) fn pattern(&self) -> String {
        let id = self.id(0);
        let own = id.rsplit_once('-').map_or("", |(own, _)| own);
        format!("{}{own}-*", super::result_backend::PREFIX)
    }

    /// The id of task `number`.
    pub(super) fn id(&self, number: u64) -> String {
        Uuid::from_u128(self.session | (u128::from(number) & NUMBER_MASK)).to_string()
    }

    /// The number of a task of this producer; `None` for any other id.
    pub(super) fn number(&self, id: &str) -> Option<u64> {
        let id = Uuid::try_parse(id).ok()?.as_u128();
        (id & !NUMBER_MASK == self.session).then(|| u64::try_from(id & NUMBER_MASK).ok())?
    }

    /// The next number, for a check that is to be sent.
    pub(super) fn issue(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Adds a check whose message is sent now and expires after `lifetime`.
    pub(super) fn sent(
        &mut self,
        number: u64,
        job: Job,
        (tag, text): (String, String),
        now: Moment,
        lifetime: Duration,
    ) {
        let check = SentCheck {
            audit_at: now + job.spec.timeout + AUDIT_AFTER,
            audit_step: AUDIT_AFTER,
            job,
            text,
            tag,
            sent: now,
            expires: now + lifetime,
            taken: None,
            stage: Stage::Sent,
            resends: 0,
            discards: 0,
            discarded: None,
        };
        self.checks.insert(number, check);
    }

    pub(super) fn len(&self) -> usize {
        self.checks.len()
    }

    /// The number of checks that workers hold.
    pub(super) const fn taken(&self) -> usize {
        self.taken
    }

    pub(super) fn get(&self, number: u64) -> Option<&SentCheck> {
        self.checks.get(&number)
    }

    /// The numbers of all checks, in the order of sending.
    pub(super) fn numbers(&self) -> Vec<u64> {
        self.checks.keys().copied().collect()
    }

    /// Removes a check that has a result, or is not wanted any more.
    pub(super) fn take(&mut self, number: u64) -> Option<SentCheck> {
        let check = self.checks.remove(&number)?;
        self.taken -= usize::from(check.taken.is_some());
        Some(check)
    }

    /// Marks a check as held by a worker. `false` if it was withdrawn or is not in flight.
    pub(super) fn mark_taken(&mut self, number: u64, now: Moment) -> bool {
        let Some(check) = self.checks.get_mut(&number) else {
            return false;
        };
        if check.taken.is_none() {
            let Some(id) = check.job.claim() else {
                return false;
            };
            check.taken = Some((id, now));
            self.taken += 1;
        }
        true
    }

    /// Marks a check that is sent anew as held since the earlier moment in `taken`.
    pub(super) fn restore_taken(&mut self, number: u64, taken: (JobId, Moment)) {
        if let Some(check) = self.checks.get_mut(&number) {
            self.taken += usize::from(check.taken.is_none());
            check.taken = Some(taken);
        }
    }

    /// The check, to change its stage.
    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut SentCheck> {
        self.checks.get_mut(&number)
    }

    /// The number of checks that workers hold and have not started.
    pub(super) fn received(&self) -> usize {
        let received = |check: &&SentCheck| matches!(check.stage, Stage::Received { .. });
        self.checks.values().filter(received).count()
    }

    /// The numbers of the checks that were started by a thread for which `whose` is `true`.
    pub(super) fn started_by(&self, whose: impl Fn(&RanOn) -> bool) -> Vec<u64> {
        let begun =
            |check: &SentCheck| matches!(&check.stage, Stage::Started { by, .. } if whose(by));
        let begun = self.checks.iter().filter(|(_, check)| begun(check));
        begun.map(|(number, _)| *number).collect()
    }

    /// The numbers of at most `most` checks that no worker is known to hold, and that were sent at
    /// least 100 ms ago.
    pub(super) fn unconfirmed(&self, now: Moment, most: usize) -> Vec<u64> {
        self.checks
            .iter()
            .filter(|(_, check)| check.taken.is_none() && now.since(check.sent) >= MIN_SENT_AGE)
            .map(|(number, _)| *number)
            .take(most)
            .collect()
    }

    /// The messages that no worker is known to hold.
    pub(super) fn untaken(&self) -> Vec<String> {
        let untaken = self.checks.values().filter(|check| check.taken.is_none());
        untaken.map(|check| check.text.clone()).collect()
    }

    /// When the oldest check was sent that no worker is known to hold.
    pub(super) fn unserved_since(&self) -> Option<Moment> {
        let waiting = |check: &&SentCheck| check.taken.is_none();
        self.checks.values().find(waiting).map(|check| check.sent)
    }

    /// A worker says that the message of a check has expired. If it says so too early, the message
    /// is to be sent again after a pause, which doubles each time: such a worker answers at once,
    /// and without a pause hundreds of messages a second would go to and fro. Another worker has
    /// its chance each time. `false` if it is not too early, or the check is not in flight.
    pub(super) fn discard(&mut self, number: u64, now: Moment) -> bool {
        let Some(check) = self.checks.get_mut(&number) else {
            return false;
        };
        if now + CLOCK_TOLERANCE >= check.expires {
            return false;
        }
        check.discards = check.discards.saturating_add(1);
        check.discarded = Some(now);
        true
    }

    /// The numbers of the discarded checks whose pause is over, each once. The pause is short if there
    /// are `others`, workers that discard nothing.
    pub(super) fn take_discarded(&mut self, now: Moment, others: bool) -> Vec<u64> {
        let longest = if others {
            MAX_DISCARD_PAUSE_AMONG_OTHERS
        } else {
            MAX_DISCARD_PAUSE
        };
        let mut numbers = Vec::new();
        for (number, check) in &mut self.checks {
            let doubled = check.discards.saturating_sub(1).min(16);
            let pause = MIN_DISCARD_PAUSE.saturating_mul(1 << doubled).min(longest);
            if check.discarded.is_some_and(|at| now >= at + pause) {
                check.discarded = None;
                check.audit_at = now + check.job.spec.timeout + AUDIT_AFTER;
                numbers.push(*number);
            }
        }
        numbers
    }

    /// Removes the checks that were withdrawn before a worker held them.
    pub(super) fn withdrawn(&mut self) -> Vec<SentCheck> {
        self.extract(|check| check.taken.is_none() && !check.job.ticket.is_waiting())
    }

    /// Removes the checks that expired before a worker held them.
    pub(super) fn expired(&mut self, now: Moment) -> Vec<SentCheck> {
        self.extract(|check| check.taken.is_none() && now >= check.expires)
    }

    /// Removes the checks that a worker has held for `grace` beyond their timeout.
    pub(super) fn overdue(&mut self, now: Moment, grace: Duration) -> Vec<SentCheck> {
        self.extract(|check| {
            let timeout = check.job.spec.timeout;
            check
                .taken
                .is_some_and(|(_, since)| now >= since + timeout + grace)
        })
    }

    fn extract(&mut self, which: impl Fn(&SentCheck) -> bool) -> Vec<SentCheck> {
        let numbers: Vec<u64> = self
            .checks
            .iter()
            .filter(|(_, check)| which(check))
            .map(|(number, _)| *number)
            .collect();
        numbers
            .into_iter()
            .filter_map(|number| self.take(number))
            .collect()
    }

    /// Schedules an audit of all messages for `now`: the broker may have lost them.
    pub(super) fn audit_all(&mut self, now: Moment) {
        for check in self.checks.values_mut() {
            check.audit_at = now;
            check.audit_step = AUDIT_AFTER;
        }
    }

    /// The numbers of at most `most` checks whose audit is due: not of those that were discarded, which
    /// are nowhere until they are sent again.
    pub(super) fn to_audit(&self, now: Moment, most: usize) -> Vec<u64> {
        self.checks
            .iter()
            .filter(|(_, check)| now >= check.audit_at && check.discarded.is_none())
            .map(|(number, _)| *number)
            .take(most)
            .collect()
    }

    /// Takes the finding of an audit; returns the action.
    pub(super) fn audited(&mut self, number: u64, place: MessagePlace, now: Moment) -> AuditAction {
        let Some(check) = self.checks.get_mut(&number) else {
            return AuditAction::Wait;
        };
        check.audit_at = now + check.audit_step;
        check.audit_step *= 2;
        match place {
            MessagePlace::Queued | MessagePlace::Held => AuditAction::Wait,
            MessagePlace::Lost if check.resends >= MAX_RESENDS => AuditAction::GiveUp,
            MessagePlace::Lost => {
                check.resends += 1;
                AuditAction::Resend
            }
        }
    }

    /// Replaces the message of a check that is sent again.
    pub(super) fn resent(&mut self, number: u64, tag: String, text: String) {
        if let Some(check) = self.checks.get_mut(&number) {
            check.tag = tag;
            check.text = text;
        }
    }
}

/// Jobs that wait to be sent, because the limit of checks in flight is reached.
#[derive(Debug, Default)]
pub(super) struct WaitingJobs(VecDeque<Job>);

impl WaitingJobs {
    pub(super) fn push(&mut self, job: Job) {
        self.0.push_back(job);
    }

    /// Puts a job at the front: it has waited longest.
    pub(super) fn push_front(&mut self, job: Job) {
        self.0.push_front(job);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The next job that was not withdrawn.
    pub(super) fn next(&mut self) -> Option<Job> {
        loop {
            let job = self.0.pop_front()?;
            if job.ticket.is_waiting() {
                return Some(job);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SiteId;
    use std::sync::Arc;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(seconds: u64) -> Moment {
        Moment::from_nanos(seconds * 1_000_000_000)
    }

    fn job(site: usize) -> Job {
        let id = JobId {
            site: SiteId::from_index(site),
            due: at(0),
        };
        Job::new(id, Arc::new(super::super::task::tests::spec()))
    }

    fn send(in_flight: &mut InFlight, job: &Job, now: Moment) -> u64 {
        let number = in_flight.issue();
        let message = (format!("tag {number}"), format!("text {number}"));
        in_flight.sent(number, job.clone(), message, now, 5 * MINUTE);
        number
    }

    #[test]
    fn ids_are_uuids_of_one_family_and_lead_back_to_their_number() {
        let (one, other) = (InFlight::new(), InFlight::new());
        let id = one.id(77);
        assert_eq!(one.number(&id), Some(77));
        assert_eq!(other.number(&id), None);
        assert_eq!(one.number("rubbish"), None);
        assert_eq!(Uuid::parse_str(&id).unwrap().get_version_num(), 4);
        let channel = super::super::result_backend::key(&id);
        let pattern = one.pattern();
        assert_eq!(pattern.strip_suffix('*'), channel.get(..pattern.len() - 1));
    }

    #[test]
    fn the_first_answer_takes_it_out_and_a_twin_finds_nothing() {
        let mut in_flight = InFlight::new();
        let number = send(&mut in_flight, &job(0), at(0));
        assert!(in_flight.mark_taken(number, at(1)));
        assert_eq!((in_flight.len(), in_flight.taken()), (1, 1));
        assert!(in_flight.take(number).is_some());
        assert!(in_flight.take(number).is_none());
        assert_eq!((in_flight.len(), in_flight.taken()), (0, 0));
    }

    #[test]
    fn what_was_withdrawn_is_taken_back_and_never_held() {
        let mut in_flight = InFlight::new();
        let (gone, kept) = (job(0), job(1));
        let numbers = [&gone, &kept].map(|job| send(&mut in_flight, job, at(0)));
        assert!(gone.ticket.withdraw());
        assert!(!in_flight.mark_taken(numbers[0], at(1)));
        let withdrawn = in_flight.withdrawn();
        assert_eq!(withdrawn.len(), 1);
        assert_eq!(withdrawn[0].job.site, gone.site);
        assert!(in_flight.mark_taken(numbers[1], at(1)));
        // A worker has it: no more withdrawing.
        assert!(!kept.ticket.withdraw());
        assert!(in_flight.withdrawn().is_empty());
    }

    #[test]
    fn a_job_that_is_due_again_keeps_its_place_and_counts_for_the_new_time() {
        let mut in_flight = InFlight::new();
        let job = job(0);
        let number = send(&mut in_flight, &job, at(0));
        assert_eq!(job.ticket.renew(at(60)), Some(at(0)));
        assert!(in_flight.mark_taken(number, at(61)));
        let (id, _) = in_flight.get(number).unwrap().taken.unwrap();
        assert_eq!(id.due, at(60));
    }

    #[test]
    fn a_message_that_no_worker_took_expires_and_a_held_one_does_not() {
        let mut in_flight = InFlight::new();
        let numbers = [0, 1].map(|site| send(&mut in_flight, &job(site), at(0)));
        in_flight.mark_taken(numbers[0], at(1));
        assert!(in_flight.expired(at(299)).is_empty());
        let expired = in_flight.expired(at(300));
        assert_eq!(expired.len(), 1);
        assert!(expired[0].job.ticket.is_waiting());
        assert_eq!(in_flight.numbers(), [numbers[0]]);
        assert!(in_flight.overdue(at(40), MINUTE).is_empty());
        assert_eq!(in_flight.overdue(at(71), MINUTE).len(), 1);
        assert_eq!((in_flight.len(), in_flight.taken()), (0, 0));
    }

    #[test]
    fn what_was_lost_is_sent_again_twice_with_growing_grace() {
        let mut in_flight = InFlight::new();
        let number = send(&mut in_flight, &job(0), at(0));
        assert!(in_flight.to_audit(at(14), 9).is_empty());
        assert_eq!(in_flight.to_audit(at(15), 9), [number]);
        let mut audit = |place, now| in_flight.audited(number, place, at(now));
        assert_eq!(audit(MessagePlace::Queued, 15), AuditAction::Wait);
        assert_eq!(audit(MessagePlace::Lost, 20), AuditAction::Resend);
        assert_eq!(audit(MessagePlace::Held, 30), AuditAction::Wait);
        assert_eq!(audit(MessagePlace::Lost, 50), AuditAction::Resend);
        assert_eq!(audit(MessagePlace::Lost, 90), AuditAction::GiveUp);
        assert!(in_flight.to_audit(at(169), 9).is_empty());
        in_flight.audit_all(at(100));
        assert_eq!(in_flight.to_audit(at(100), 9), [number]);
    }

    /// The pauses in milliseconds after which a check is sent again that is discarded each time, until
    /// it has expired.
    fn pauses(others: bool) -> Vec<u128> {
        let mut in_flight = InFlight::new();
        let number = send(&mut in_flight, &job(0), at(0));
        assert!(!in_flight.discard(number + 1, at(0)));
        let (mut pauses, mut now) = (Vec::new(), at(0));
        while in_flight.discard(number, now) {
            let before = now;
            in_flight.audit_all(now);
            while in_flight.take_discarded(now, others).is_empty() {
                assert!(in_flight.to_audit(now, 9).is_empty());
                now = now + Duration::from_millis(50);
            }
            pauses.push(now.since(before).as_millis());
        }
        // It has expired by now, which the worker says rightly.
        assert!(now + CLOCK_TOLERANCE >= at(300));
        pauses
    }

    #[test]
    fn what_is_discarded_too_early_waits_longer_and_longer() {
        let alone = pauses(false);
        assert_eq!(alone[..4], [250, 500, 1_000, 2_000]);
        assert!(alone.last() == Some(&60_000) && alone.len() < 16);
        let among_others = pauses(true);
        assert_eq!(among_others[..4], [250, 500, 1_000, 1_000]);
        assert!(among_others.last() == Some(&1_000) && among_others.len() > 290);
    }

    #[test]
    fn a_discarded_check_is_sent_soon_when_another_worker_comes() {
        let mut in_flight = InFlight::new();
        let number = send(&mut in_flight, &job(0), at(0));
        for second in 0..10 {
            assert!(in_flight.discard(number, at(second)));
        }
        assert!(in_flight.take_discarded(at(11), false).is_empty());
        assert_eq!(in_flight.take_discarded(at(11), true), [number]);
        assert!(in_flight.take_discarded(at(11), true).is_empty());
    }

    #[test]
    fn withdrawn_jobs_are_not_sent() {
        let mut waiting = WaitingJobs::default();
        let jobs = [job(0), job(1), job(2)];
        for job in &jobs[..2] {
            waiting.push(job.clone());
        }
        waiting.push_front(jobs[2].clone());
        assert!(jobs[0].ticket.withdraw());
        assert_eq!(waiting.next().unwrap().site, jobs[2].site);
        assert_eq!(waiting.next().unwrap().site, jobs[1].site);
        assert!(waiting.next().is_none());
    }
}
