//! Runs the monitor without a terminal for a while, and draws its screen as SVG: the pictures of
//! the documents.

use std::time::Duration;

use crate::domain::Clock;
use crate::tui::{TerminalInput, Ui};

use super::error::SessionError;
use super::event::Action;
use super::launch::{Launch, Opened};

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
    let mut opened = launch.open()?;
    let mut ui = Ui::new(opened.options.clone(), picture.size);
    run(&mut opened, &mut ui, picture.after).await;
    for name in &picture.keys {
        let input =
            TerminalInput::key(name).ok_or_else(|| SessionError::NoSuchKey(name.clone()))?;
        let state = &mut opened.state;
        state.sample_trace();
        let intent = state.scene(|scene| ui.input(&input, scene));
        if let Some(intent) = intent {
            state.fulfil(intent);
        }
    }
    run(&mut opened, &mut ui, picture.then).await;
    let state = &mut opened.state;
    state.sample_trace();
    let svg = state.scene(|scene| {
        ui.tick(scene);
        while ui.is_busy() {
            ui.tick(scene);
        }
        ui.svg(scene, picture.size)
    });
    state
        .driver
        .close(&mut opened.reports, super::CLOSE_TIMEOUT);
    Ok(svg)
}

/// Runs the monitor for so long, without drawing.
async fn run(opened: &mut Opened, ui: &mut Ui, time: Duration) {
    let Opened {
        state,
        results,
        clock,
        ..
    } = opened;
    let end = clock.moment() + time;
    let mut batch = Vec::new();
    // A race or an experiment that a key has started is waited for.
    while clock.moment() < end || state.is_busy() {
        let wake = state.next_wake().min(end.max(clock.moment() + STEP));
        tokio::select! {
            _ = results.recv_many(&mut batch, 1_024) => {}
            () = tokio::time::sleep_until(clock.instant(wake).into()) => {}
        }
        state.driver.results(batch.drain(..));
        state.tick();
        // No bell and no notification while a picture is taken.
        let _call: Option<Action> = state.tell();
        state.recall(ui.history_query());
        state.reckon(ui.tried_rules());
        state.scene(|scene| ui.tick(scene));
    }
}
