//! Runs the monitor without a terminal for a while, and draws its screen as SVG: the pictures of
//! the documents.

use std::convert::Infallible;
use std::time::Duration;

use crate::domain::{Clock, Moment, SystemClock};
use crate::tui::{TerminalInput, Ui};

use super::config_watcher::{ConfigEvent, ConfigWatcher};
use super::driver::Driver;
use super::error::SessionError;
use super::event::{Action, Ending};
use super::event_loop::{Frontend, Sources, go_round};
use super::launch::{Launch, Opened};
use super::session_state::SessionState;

/// How often a run that waits for a race or an experiment is continued.
const STEP: Duration = Duration::from_millis(90);

/// The picture and what happens before it is drawn.
#[derive(Clone, Debug)]
pub struct SvgOptions {
    /// Columns and rows.
    pub size: (u16, u16),
    /// How long the monitor runs before the keys.
    pub after: Duration,
    /// The keys that are pressed after that, by their names in the help.
    pub keys: Vec<String>,
    /// How long the monitor runs after the keys.
    pub then: Duration,
}

/// Runs the monitor and draws it as SVG.
///
/// # Errors
/// If the session cannot begin, or [`SessionError::NoSuchKey`].
pub fn picture(launch: Launch, picture: &SvgOptions) -> Result<String, SessionError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let svg = runtime.block_on(draw(launch, picture));
    runtime.shutdown_background();
    svg
}

async fn draw(launch: Launch, picture: &SvgOptions) -> Result<String, SessionError> {
    let config_watcher = ConfigWatcher::start(&launch.config)?;
    let Opened {
        state,
        inbox,
        clock,
        options,
        demo: _demo,
        questions,
        control,
    } = launch.open()?;
    let mut sources = Sources::new(inbox, questions, control, config_watcher)?;
    let mut studio = Studio {
        state,
        ui: Ui::new(options, picture.size),
        clock,
        until: clock.moment() + picture.after,
    };
    let Ok(_ended) = go_round(&mut studio, &mut sources).await;
    for name in &picture.keys {
        let input =
            TerminalInput::key(name).ok_or_else(|| SessionError::NoSuchKey(name.clone()))?;
        studio.press(&input);
    }
    studio.until = clock.moment() + picture.then;
    let Ok(_ended) = go_round(&mut studio, &mut sources).await;
    let svg = studio.draw(picture.size);
    studio
        .state
        .driver
        .close(sources.reports(), super::CLOSE_TIMEOUT);
    Ok(svg)
}

/// A monitor whose screen is drawn once.
struct Studio {
    state: SessionState,
    ui: Ui,
    clock: SystemClock,
    until: Moment,
}

impl Studio {
    fn press(&mut self, key: &TerminalInput) {
        self.state.sample_trace();
        let ui = &mut self.ui;
        let intent = self.state.with_model(|model| ui.input(key, model));
        if let Some(intent) = intent {
            self.state.fulfil(intent);
        }
    }

    fn draw(&mut self, size: (u16, u16)) -> String {
        self.state.sample_trace();
        let ui = &mut self.ui;
        self.state.with_model(|model| {
            ui.tick(model);
            while ui.is_busy() {
                ui.tick(model);
            }
            ui.svg(model, size)
        })
    }
}

impl Frontend for Studio {
    type Input = Infallible;
    type Error = Infallible;

    fn driver(&mut self) -> &mut Driver {
        &mut self.state.driver
    }

    async fn input(&mut self) -> Result<Infallible, Infallible> {
        std::future::pending().await
    }

    fn next_wake(&mut self) -> Moment {
        let step = self.clock.moment() + STEP;
        self.state.next_wake().min(self.until.max(step))
    }

    fn take(&mut self, input: Infallible, _: &Sources) -> Result<Option<Ending>, Infallible> {
        match input {}
    }

    fn signal(&mut self, number: u8, _: &Sources) -> Option<Ending> {
        Some(Ending::Signal(number))
    }

    fn configure(&mut self, event: ConfigEvent) {
        self.state.kept(event);
    }

    fn turn(&mut self, _: &Sources) -> Result<Option<Ending>, Infallible> {
        self.state.turn();
        // No bell and no notification while a picture is taken.
        let _call: Option<Action> = self.state.tell();
        self.state.recall(self.ui.history_query());
        self.state.reckon(self.ui.tried_rules());
        let ui = &mut self.ui;
        self.state.with_model(|model| ui.tick(model));
        // A race or an experiment that a key has started is waited for.
        let over = self.clock.moment() >= self.until && !self.state.is_busy();
        Ok(over.then_some(Ending::Quit))
    }
}
