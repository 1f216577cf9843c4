//! The session on a terminal: what keys and events lead to; decide, then act.

use std::io;
use std::time::Duration;

use rustix::io::Errno;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::demo::DemoProcess;
use crate::domain::{Clock, Moment, SystemClock, plain_io_error};
use crate::tui::{InputStream, Multiplexer, Terminal, TerminalInput, Tone, Ui, ask_to_stop};

use super::config_watcher::{ConfigEvent, ConfigWatcher};
use super::driver::Driver;
use super::error::SessionError;
use super::event::{Action, Ending, ScreenInput};
use super::event_loop::{self, Frontend, Sources};
use super::launch::{Launch, Opened};
use super::session_state::SessionState;
use super::signals::EndSignals;
use super::site_trial::SiteTrials;
use super::tmux::TmuxBuffer;
use super::trace_export::TraceExporter;

/// The signal by which a job is asked to stop; its number is the system's own.
const SIGTSTP: i32 = rustix::process::Signal::TSTP.as_raw();

/// The signal by which it is continued.
const SIGCONT: i32 = rustix::process::Signal::CONT.as_raw();

/// How long a program that was continued in the background goes on without the terminal.
const BACKGROUND_TIME: Duration = Duration::from_millis(100);

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
    let ending = runtime.block_on(async {
        let (mut session, mut sources) = Session::start(launch)?;
        match session.run(&mut sources).await {
            // A terminal that is closed in the middle of a frame is gone like any other.
            Err(error) if is_gone(&error) => Ok(Ending::Quit),
            ended => Ok(ended?),
        }
    });
    // Whatever is still under way has nobody to answer to.
    runtime.shutdown_background();
    ending
}

struct Session {
    state: SessionState,
    ui: Ui,
    terminal: Terminal,
    /// `None` while the terminal is not ours.
    input: Option<InputStream>,
    exporter: TraceExporter,
    trials: SiteTrials,
    ending: EndSignals,
    stop: Signal,
    continued: Signal,
    demo: Option<DemoProcess>,
    clock: SystemClock,
    /// Whether the terminal is reached over ssh.
    remote: bool,
    multiplexer: Option<Multiplexer>,
    tmux: TmuxBuffer,
    /// When a terminal that is behind is tried again.
    retry: Option<Moment>,
    /// Until when the program may stay in the background, where it has no terminal.
    background: Option<Moment>,
}

/// Whether an error says that nobody is at the other end of the terminal any more.
fn is_gone(error: &io::Error) -> bool {
    [Errno::IO, Errno::NXIO, Errno::PIPE]
        .iter()
        .any(|gone| error.raw_os_error() == Some(gone.raw_os_error()))
}

impl Frontend for Session {
    type Input = ScreenInput;
    type Error = io::Error;

    fn driver(&mut self) -> &mut Driver {
        &mut self.state.driver
    }

    async fn input(&mut self) -> io::Result<ScreenInput> {
        let keys = async {
            match &mut self.input {
                Some(input) => input.next().await.transpose(),
                None => std::future::pending().await,
            }
        };
        let demo = async {
            match &mut self.demo {
                Some(demo) => demo.ended().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            input = keys => Ok(ScreenInput::Terminal(input?)),
            number = self.ending.next() => Ok(ScreenInput::Signal(number)),
            _ = self.stop.recv() => Ok(ScreenInput::Stop),
            _ = self.continued.recv() => Ok(ScreenInput::Continued),
            () = self.state.recalled() => Ok(ScreenInput::Recalled),
            exported = self.exporter.next() => Ok(ScreenInput::Exported(exported)),
            tried = self.trials.next() => Ok(ScreenInput::Tried(tried)),
            copied = self.tmux.next() => Ok(ScreenInput::Copied(copied)),
            how = demo => Ok(ScreenInput::DemoEnded(how)),
        }
    }

    fn next_wake(&mut self) -> Moment {
        let frame = self
            .retry
            .unwrap_or_else(|| self.state.with_model(|model| self.ui.next_frame(model)));
        let wake = self.state.next_wake().min(frame);
        self.background.map_or(wake, |end| wake.min(end))
    }

    fn take(&mut self, input: ScreenInput, sources: &Sources) -> io::Result<Option<Ending>> {
        let action = match input {
            ScreenInput::Terminal(None) => Some(Action::End(Ending::Quit)),
            ScreenInput::Terminal(Some(input)) => {
                let ui = &mut self.ui;
                let intent = self.state.with_model(|model| ui.input(&input, model));
                intent.and_then(|intent| self.state.fulfil(intent))
            }
            ScreenInput::Signal(number) => Some(Action::End(Ending::Signal(number))),
            ScreenInput::Stop => Some(Action::Suspend),
            ScreenInput::Continued => Some(Action::Resume),
            ScreenInput::Recalled => None,
            ScreenInput::Copied((text, copied)) => {
                self.state.copied(&text, Some(copied));
                None
            }
            ScreenInput::Tried(tried) => {
                self.state.tried(tried);
                None
            }
            ScreenInput::DemoEnded(how) => {
                self.state.demo_ended(&how);
                None
            }
            ScreenInput::Exported(exported) => {
                self.state.exported(exported);
                None
            }
        };
        match action {
            Some(action) => self.act(action, &sources.config_watcher),
            None => Ok(None),
        }
    }

    fn signal(&mut self, number: u8, _: &Sources) -> Option<Ending> {
        Some(Ending::Signal(number))
    }

    fn configure(&mut self, event: ConfigEvent) {
        self.state.kept(event);
    }

    fn turn(&mut self, sources: &Sources) -> io::Result<Option<Ending>> {
        self.state.turn();
        if let Some(action) = self.state.tell() {
            self.act(action, &sources.config_watcher)?;
        }
        for panic in Terminal::take_panics() {
            tracing::error!("{panic}");
        }
        self.leave_background()?;
        self.draw()?;
        Ok(None)
    }
}

impl Session {
    fn start(launch: Launch) -> Result<(Self, Sources), SessionError> {
        let config_watcher = ConfigWatcher::start(&launch.config)?;
        let Opened {
            state,
            inbox,
            clock,
            options,
            demo,
            questions,
            control,
        } = launch.open()?;
        let sources = Sources::new(inbox, questions, control, config_watcher)?;
        let stop = signal(SignalKind::from_raw(SIGTSTP))?;
        let continued = signal(SignalKind::from_raw(SIGCONT))?;
        let ending = EndSignals::listen()?;
        // Last, so that whatever goes wrong before is said on an ordinary terminal.
        let terminal = Terminal::enter(&options)?;
        let (remote, multiplexer) = (options.remote, options.multiplexer);
        let ui = Ui::new(options, terminal.size());
        let session = Self {
            state,
            ui,
            terminal,
            input: None,
            exporter: TraceExporter::new(),
            trials: SiteTrials::new(clock),
            ending,
            stop,
            continued,
            demo,
            clock,
            remote,
            multiplexer,
            tmux: TmuxBuffer::new(),
            retry: None,
            background: None,
        };
        Ok((session, sources))
    }

    async fn run(&mut self, sources: &mut Sources) -> io::Result<Ending> {
        self.input = Some(InputStream::new(self.remote)?);
        self.draw()?;
        event_loop::run(self, sources).await
    }

    fn act(
        &mut self,
        action: Action,
        config_watcher: &ConfigWatcher,
    ) -> io::Result<Option<Ending>> {
        match action {
            Action::End(ending) => return Ok(Some(ending)),
            Action::Redraw => self.terminal.redraw(),
            Action::AskToStop => ask_to_stop()?,
            Action::Suspend => {
                // Two readers of one terminal steal each other's keys.
                self.input = None;
                if !self.terminal.suspend()? {
                    let why = "not suspended: no shell is there to continue it";
                    self.state.answer(Tone::Warn, why);
                    self.input = Some(InputStream::new(self.remote)?);
                }
            }
            Action::Resume => self.resume()?,
            Action::Copy(text) => {
                self.terminal.copy(&text, self.multiplexer)?;
                match self.multiplexer {
                    Some(Multiplexer::Tmux) => self.tmux.copy(text),
                    _ => self.state.copied(&text, None),
                }
            }
            Action::Call { title, body } => self.terminal.call(&title, &body)?,
            Action::Edit(edit) => config_watcher.edit(edit),
            Action::Try(trial) => self.trials.begin(trial),
            Action::Export => self.state.export(&self.exporter),
            Action::Break(name) => {
                self.command_demo(|demo| demo.break_site(&name), "broken", &name);
            }
            Action::Mend(name) => self.command_demo(|demo| demo.mend(&name), "mended", &name),
        }
        Ok(None)
    }

    /// Takes the terminal again. In the background that has to wait: a signal that ends the
    /// program may have come with the one that continued it, and ends it first.
    fn resume(&mut self) -> io::Result<()> {
        self.background = None;
        if !self.terminal.resume()? {
            self.input = None;
            self.background = Some(self.clock.moment() + BACKGROUND_TIME);
            return Ok(());
        }
        let (columns, rows) = self.terminal.size();
        let resized = TerminalInput::size(columns, rows);
        let ui = &mut self.ui;
        self.state.with_model(|model| ui.input(&resized, model));
        self.input = Some(InputStream::new(self.remote)?);
        Ok(())
    }

    /// Stops a program that has been in the background for its time.
    fn leave_background(&mut self) -> io::Result<()> {
        if self.background.is_none_or(|end| self.clock.moment() < end) {
            return Ok(());
        }
        self.resume()?;
        if self.background.take().is_some() {
            self.terminal.wait_for_front()?;
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
        if self.terminal.is_given_back() {
            return Ok(());
        }
        if self.ui.watches_lanes() {
            self.state.sample_trace();
        }
        self.state.recall(self.ui.history_query());
        self.state.reckon(self.ui.tried_rules());
        let (state, ui, terminal) = (&self.state, &mut self.ui, &mut self.terminal);
        let behind = state.with_model(|model| {
            ui.tick(model);
            if !ui.wants_frame(model) {
                return Ok(false);
            }
            let drawn = terminal.draw(ui, model)?;
            if drawn {
                ui.drawn(model);
                ui.aim(terminal.targets());
                terminal.set_title(&state.title())?;
            }
            io::Result::Ok(!drawn)
        })?;
        let behind = !terminal.send_waiting()? || behind;
        self.retry = behind.then(|| self.clock.moment() + RETRY);
        Ok(())
    }
}
