//! The monitor without a terminal, for a while, and then a picture of its screen: how the
//! README's pictures are made.

use std::time::Duration;

use crate::domain::Clock;
use crate::tui::{Input, Ui};

use super::event::Action;
use super::launch::{Launch, Opened, SessionError};
use super::world::World;

/// How often it is looked whether what was started is complete.
const STEP: Duration = Duration::from_millis(90);

/// What to draw and when.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Columns and rows.
    pub size: (u16, u16),
    /// How long the monitor runs before.
    pub after: Duration,
    /// The keys that are pressed at the end, by their names in the help.
    pub keys: Vec<String>,
}

/// Runs the monitor and draws it as SVG.
///
/// # Errors
/// As for a session; a key that does not exist is an I/O error of kind `InvalidInput`.
pub fn picture(launch: Launch, picture: &Picture) -> Result<String, SessionError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let svg = runtime.block_on(draw(launch, picture));
    runtime.shutdown_background();
    svg
}

async fn draw(launch: Launch, picture: &Picture) -> Result<String, SessionError> {
    // The fleet lives until the picture is drawn.
    let Opened {
        mut world,
        mut results,
        clock,
        options,
        fleet: _fleet,
    } = launch.open()?;
    let mut ui = Ui::new(options, picture.size);
    let end = clock.moment() + picture.after;
    let mut batch = Vec::new();
    let mut pressed = false;
    // When the keys are pressed, what they have started is awaited.
    while clock.moment() < end || !pressed || world.is_busy() {
        if clock.moment() >= end && !std::mem::replace(&mut pressed, true) {
            press(&mut ui, &mut world, &picture.keys)?;
        }
        let wake = world.next_wake().min(end.max(clock.moment() + STEP));
        tokio::select! {
            _ = results.recv_many(&mut batch, 1_024) => {}
            () = tokio::time::sleep_until(clock.instant(wake).into()) => {}
        }
        world.core.results(batch.drain(..));
        world.tick();
        // Nobody is called while a picture is taken.
        let _call: Option<Action> = world.tell();
        world.scene(|scene| ui.tick(scene));
    }
    world.look();
    Ok(world.scene(|scene| {
        ui.tick(scene);
        ui.svg(scene, picture.size)
    }))
}

fn press(ui: &mut Ui, world: &mut World, keys: &[String]) -> Result<(), SessionError> {
    for name in keys {
        let input = Input::key(name).ok_or_else(|| {
            std::io::Error::new(
                std::io::ErrorKind::InvalidInput,
                format!("there is no key \"{name}\""),
            )
        })?;
        let intent = world.scene(|scene| ui.input(&input, scene));
        if let Some(intent) = intent {
            world.fulfil(intent);
        }
    }
    Ok(())
}
