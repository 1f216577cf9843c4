//! `celery`: checks on a Celery queue in Redis, carried out by workers on any number of
//! machines: this program's own, stock Python workers, or both.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::watch;

use crate::domain::Job;
use crate::paradigm::deferred_join;
use crate::paradigm::limits::refusal;
use crate::paradigm::runtime_driver::RuntimeDriver;
use crate::paradigm::{
    Census, Label, Law, Paradigm, ParadigmContext, ParadigmEntry, QueueFigures, Shape, StartError,
};

use super::broker::Broker;
use super::listen::listen;
use super::local::Local;
use super::producer::{Board, Producer, Setup, TAKE_BACK_WITHIN, Word, ready};

/// The entry of the table.
pub(in crate::paradigm) const ENTRY: ParadigmEntry = ParadigmEntry {
    label: Label {
        key: '7',
        name: "celery",
        summary: "tasks on a Celery queue, workers on any machine",
        law: Law::Slowest,
    },
    default_workers: 1_000,
    files_per_worker: 1,
    processes_per_worker: 0,
    threads_per_worker: 0,
    resizable: true,
    // With a broker and two workers of its own; of others nothing is known before.
    shape: |workers| Shape {
        in_flight: workers,
        threads: 2,
        processes: 2,
    },
    start,
};

/// How long broker and workers of one's own may take to be gone. They are killed, so that
/// this is the system's own time to tidy up.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long a broker of one's own may take to be ready.
const READY_WITHIN: Duration = Duration::from_secs(20);

struct Celery {
    words: UnboundedSender<Word>,
    board: Arc<Board>,
    most: usize,
    /// `None` only while this is being dropped.
    staff: Option<Staff>,
}

/// What has to be waited for at the end.
struct Staff {
    local: Option<Kept>,
    /// Tells when the sender has taken back what it could.
    ended: mpsc::Receiver<()>,
    _driver: RuntimeDriver,
}

impl fmt::Debug for Celery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Celery")
            .field("census", &self.census())
            .finish_non_exhaustive()
    }
}

/// Broker and workers of one's own.
struct Kept {
    stop: watch::Sender<bool>,
    kept: mpsc::Receiver<()>,
}

fn start(context: &ParadigmContext) -> Result<Box<dyn Paradigm>, StartError> {
    let recipe = context.kit.recipe().ok_or_else(|| {
        StartError("scripted probers cannot be sent to other processes".to_owned())
    })?;
    let options = &context.queue;
    let (broker, local) = match &options.broker {
        Some(url) => {
            let broker = Broker::at(url).map_err(StartError)?;
            match broker.probe() {
                Err(error) if error.for_good || !context.retry_broker => {
                    return Err(StartError(error.why));
                }
                // The sender says so, and goes on trying.
                Ok(()) | Err(_) => {}
            }
            (broker, None)
        }
        None => {
            let local = Local::plan(options, context.workers)?;
            (Broker::at(&local.url()).map_err(StartError)?, Some(local))
        }
    };
    let driver = RuntimeDriver::one_thread("celery", || {})
        .map_err(|error| StartError(format!("no thread can be started: {}", refusal(&error))))?;
    let (words, said) = unbounded_channel();
    let board = Arc::new(Board::default());
    let setup = Setup {
        clock: context.clock,
        results: context.results.clone(),
        broker: broker.clone(),
        recorder: Arc::clone(&context.recorder),
        recipe: recipe.clone(),
        options: options.clone(),
        most: context.workers,
        local: local.is_some(),
        board: Arc::clone(&board),
    };
    let kept = local.map(|local| {
        let (stop, stopped) = watch::channel(false);
        let (keeping, kept) = mpsc::channel();
        driver.spawn(local.keep(stopped, keeping));
        Kept { stop, kept }
    });
    let starting = kept.is_some();
    let (ending, ended) = mpsc::channel::<()>();
    driver.spawn(async move {
        if starting && let Err(error) = ready(&broker, READY_WITHIN).await {
            // It goes on trying, and says so.
            tracing::warn!("{error}");
        }
        match Producer::new(setup) {
            Ok(producer) => {
                let (news, heard) = unbounded_channel();
                let ear = listen(broker, producer.patterns(), news);
                tokio::select! {
                    () = ear => {}
                    () = producer.run(said, heard) => {}
                }
            }
            Err(error) => tracing::error!("{}", broker.unreachable(&error)),
        }
        drop(ending);
    });
    Ok(Box::new(Celery {
        words,
        board,
        most: context.workers,
        staff: Some(Staff {
            local: kept,
            ended,
            _driver: driver,
        }),
    }))
}

impl Celery {
    fn say(&self, word: Word) {
        self.board.unheard.fetch_add(1, Ordering::Relaxed);
        // Fails only when the thread has ended, which only this dropped could do.
        let _unheard = self.words.send(word);
    }
}

impl Paradigm for Celery {
    fn submit(&mut self, job: Job) {
        self.say(Word::Job(job));
    }

    fn resize(&mut self, workers: usize) {
        self.most = workers;
        self.say(Word::Most(workers));
    }

    fn census(&self) -> Census {
        let figures = self.board.figures();
        let (processes, threads) = figures
            .hosts
            .iter()
            .fold((0, 0), |(processes, threads), host| {
                (processes + host.processes, threads + host.threads)
            });
        let unheard = self.board.unheard.load(Ordering::Relaxed);
        Census {
            workers: self.most,
            running: self.board.running.load(Ordering::Relaxed),
            queued: self.board.queued.load(Ordering::Relaxed) + unheard,
            threads,
            processes,
        }
    }

    fn queue(&self) -> Option<QueueFigures> {
        Some(self.board.figures().clone())
    }
}

impl Staff {
    /// Waits until all of them are gone.
    fn see_off(self) {
        let Some(kept) = &self.local else {
            // Nothing is ever sent: this ends when the sender has.
            let _ended = self.ended.recv_timeout(2 * TAKE_BACK_WITHIN);
            return;
        };
        // Nothing is ever sent: this ends when they are gone.
        if kept.kept.recv_timeout(FAREWELL) == Err(mpsc::RecvTimeoutError::Timeout) {
            tracing::warn!("a broker or worker is slow to end");
        }
    }
}

impl Drop for Celery {
    fn drop(&mut self) {
        // What nobody has taken would be carried out for nobody: the sender takes it back.
        let (nobody, _) = unbounded_channel();
        self.words = nobody;
        if let Some(staff) = self.staff.take() {
            if let Some(kept) = &staff.local {
                kept.stop.send_replace(true);
            }
            // The loop that switches paradigms has better things to do than to wait.
            deferred_join::join_later(move || staff.see_off());
        }
    }
}
