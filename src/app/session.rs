//! The loop of the live monitor: one event at a time; decide, then act.

use std::io;
use std::time::Duration;

use rustix::io::Errno;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::demo::DemoProcess;
use crate::domain::{CheckResult, Clock, Moment, SystemClock, plain_io_error};
use crate::tui::{InputStream, Terminal, TerminalInput, Tone, Ui, ask_to_stop};

use super::config_watcher::ConfigWatcher;
use super::error::SessionError;
use super::event::{Action, Ending, Event};
use super::launch::{Launch, Opened};
use super::metrics_source::MetricsQuestions;
use super::report::Report;
use super::session_state::SessionState;
use super::trace_export::TraceExporter;

/// Results that are folded in at a time, so that a key never waits for a flood of them.
const BATCH: usize = 1_024;

/// The signal by which a job is asked to stop; its number is the system's own.
const SIGTSTP: i32 = rustix::process::Signal::TSTP.as_raw();

/// How soon a terminal that has not taken the last frame is tried again.
const RETRY: Duration = Duration::from_millis(20);

/// Watches the sites on the terminal until somebody has seen enough.
///
/// # Errors
/// If the terminal cannot be used, the configuration's certificates cannot be read, or the
/// first paradigm cannot start.
pub fn run(launch: Launch) -> Result<Ending, SessionError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let ending = runtime.block_on(async { Session::start(launch)?.run().await });
    // Whatever is still under way has nobody to answer to.
    runtime.shutdown_background();
    ending
}

struct Session {
    state: SessionState,
    ui: Ui,
    terminal: Terminal,
    ears: Ears,
    demo: Option<DemoProcess>,
    clock: SystemClock,
    /// When a terminal that is behind is tried again.
    retry: Option<Moment>,
}

/// Where events come from.
struct Ears {
    input: Option<InputStream>,
    results: UnboundedReceiver<CheckResult>,
    reports: UnboundedReceiver<Report>,
    questions: MetricsQuestions,
    config_watcher: ConfigWatcher,
    exporter: TraceExporter,
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    stop: Signal,
}

/// Whether an error says that nobody is at the other end of the terminal any more.
fn is_gone(error: &io::Error) -> bool {
    [Errno::IO, Errno::NXIO, Errno::PIPE]
        .iter()
        .any(|gone| error.raw_os_error() == Some(gone.raw_os_error()))
}

impl Session {
    fn start(launch: Launch) -> Result<Self, SessionError> {
        let config_watcher = ConfigWatcher::start(&launch.config)?;
        let Opened {
            state,
            results,
            clock,
            options,
            demo,
            reports,
            questions,
        } = launch.open()?;
        let ears = Ears {
            input: None,
            results,
            reports,
            questions,
            config_watcher,
            exporter: TraceExporter::new(),
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            stop: signal(SignalKind::from_raw(SIGTSTP))?,
        };
        // Last, so that whatever goes wrong before is said on an ordinary terminal.
        let terminal = Terminal::enter()?;
        let ui = Ui::new(options, terminal.size());
        Ok(Self {
            state,
            ui,
            terminal,
            ears,
            demo,
            clock,
            retry: None,
        })
    }

    async fn run(mut self) -> Result<Ending, SessionError> {
        let ended = self.watch().await;
        self.state
            .driver
            .close(&mut self.ears.reports, super::CLOSE_TIMEOUT);
        match ended {
            // A terminal that is closed in the middle of a frame is gone like any other.
            Err(error) if is_gone(&error) => Ok(Ending::Quit),
            ended => Ok(ended?),
        }
    }

    async fn watch(&mut self) -> io::Result<Ending> {
        self.ears.input = Some(InputStream::new());
        self.draw()?;
        loop {
            let event = self.next_event().await?;
            for action in self.decide(event) {
                if let Action::End(ending) = action {
                    return Ok(ending);
                }
                self.act(action)?;
            }
            for panic in Terminal::take_panics() {
                tracing::error!("{panic}");
            }
            self.draw()?;
        }
    }

    /// Waits for the next thing that happens. Keys come first, whatever else there is.
    async fn next_event(&mut self) -> io::Result<Event> {
        let now = self.clock.moment();
        let frame = self.retry.unwrap_or_else(|| self.ui.next_frame(now));
        let wake = self.state.next_wake().min(frame);
        let wake = tokio::time::Instant::from_std(self.clock.instant(wake));
        let ears = &mut self.ears;
        let input = async {
            match &mut ears.input {
                Some(input) => input.next().await.transpose(),
                None => std::future::pending().await,
            }
        };
        let mut batch = Vec::new();
        let event = tokio::select! {
            biased;
            input = input => Event::TerminalInput(input?),
            _ = ears.interrupt.recv() => Event::Signal(2),
            _ = ears.terminate.recv() => Event::Signal(15),
            _ = ears.hangup.recv() => Event::Signal(1),
            _ = ears.stop.recv() => Event::Stop,
            question = ears.questions.next() => Event::Asked(question),
            _ = ears.results.recv_many(&mut batch, BATCH) => Event::Results(batch),
            kept = ears.config_watcher.next() => Event::Config(kept),
            Some(report) = ears.reports.recv() => Event::Report(report),
            exported = ears.exporter.next() => Event::Exported(exported),
            () = tokio::time::sleep_until(wake) => Event::Tick,
        };
        Ok(event)
    }

    /// What is to be done about an event. Does nothing to the outside itself.
    fn decide(&mut self, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::TerminalInput(None) => actions.push(Action::End(Ending::Quit)),
            Event::TerminalInput(Some(input)) => {
                let ui = &mut self.ui;
                let intent = self.state.scene(|scene| ui.input(&input, scene));
                actions.extend(intent.and_then(|intent| self.state.fulfil(intent)));
            }
            Event::Results(results) => self.state.driver.results(results),
            Event::Asked(question) => self.state.driver.answer(question),
            Event::Config(kept) => self.state.kept(kept),
            Event::Report(report) => self.state.report(report),
            Event::Exported(exported) => self.state.exported(exported),
            Event::Signal(number) => actions.push(Action::End(Ending::Signal(number))),
            Event::Stop => actions.push(Action::Suspend),
            Event::Tick => {}
        }
        self.state.tick();
        actions.extend(self.state.tell());
        actions
    }

    fn act(&mut self, action: Action) -> io::Result<()> {
        match action {
            Action::End(_) => {}
            Action::Redraw => self.terminal.redraw(),
            Action::AskToStop => ask_to_stop()?,
            Action::Suspend => {
                // Two readers of one terminal steal each other's keys.
                self.ears.input = None;
                if !self.terminal.suspend()? {
                    let why = "not suspended: no shell is there to continue it";
                    self.state.answer(Tone::Warn, why);
                }
                let (columns, rows) = self.terminal.size();
                let resized = TerminalInput::size(columns, rows);
                let ui = &mut self.ui;
                self.state.scene(|scene| ui.input(&resized, scene));
                self.ears.input = Some(InputStream::new());
            }
            Action::Copy(text) => self.terminal.copy(&text)?,
            Action::Call { title, body } => {
                self.terminal.bell()?;
                self.terminal.notify(&title, &body)?;
            }
            Action::Pause(site, paused) => self.ears.config_watcher.pause(site, paused),
            Action::Export => self.state.export(&self.ears.exporter),
            Action::Break(name) => {
                self.command_demo(|demo| demo.break_site(&name), "broken", &name);
            }
            Action::Mend(name) => self.command_demo(|demo| demo.mend(&name), "mended", &name),
        }
        Ok(())
    }

    fn command_demo(
        &mut self,
        command: impl FnOnce(&DemoProcess) -> io::Result<()>,
        word: &str,
        name: &str,
    ) {
        let Some(demo) = &self.demo else { return };
        match command(demo) {
            Ok(()) => self.state.answer(Tone::Info, format!("{name} {word}")),
            Err(error) => self.state.answer(
                Tone::Bad,
                format!("{name} not {word}: {}", plain_io_error(&error)),
            ),
        }
    }

    fn draw(&mut self) -> io::Result<()> {
        if self.ui.watches_lanes() {
            self.state.sample_trace();
        }
        self.state.recall(self.ui.history_query());
        self.state.reckon(self.ui.tried_rules());
        let (state, ui, terminal) = (&self.state, &mut self.ui, &mut self.terminal);
        let behind = state.scene(|scene| {
            ui.tick(scene);
            if !ui.wants_frame(scene) {
                return Ok(false);
            }
            let drawn = terminal.draw(ui, scene)?;
            if drawn {
                ui.drawn(scene);
                terminal.set_title(&state.title())?;
            }
            io::Result::Ok(!drawn)
        })?;
        self.retry = behind.then(|| self.clock.moment() + RETRY);
        Ok(())
    }
}
