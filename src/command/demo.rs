//! `squirrel demo`: the monitor on a fleet of sites that the program serves itself.

use std::path::Path;

use crate::app::{self, Picture};
use crate::fleet::FleetProcess;

use super::args::DemoArgs;
use super::exit::{Exit, mistake};
use super::{monitor, source};

pub(super) fn run(args: &DemoArgs) -> Exit {
    let fleet = match FleetProcess::start() {
        Ok(fleet) => fleet,
        Err(error) => return mistake(format!("squirrel: the fleet cannot be started: {error}")),
    };
    let config = match source::read(&fleet.config_path()) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let name = "the demonstration's own fleet".to_owned();
    let (engine, screen) = (&args.engine, args.screen);
    let Some(file) = &args.picture.svg else {
        return monitor::watch(config, name, engine, screen, Some(fleet));
    };
    match monitor::prepare(config, name, engine, screen, Some(fleet)) {
        Ok(launch) => draw(args, launch, file),
        Err(exit) => exit,
    }
}

fn draw(args: &DemoArgs, launch: app::Launch, file: &Path) -> Exit {
    let picture = Picture {
        size: args.picture.size,
        after: args.picture.after,
        then: args.picture.then,
        keys: args.picture.key.clone(),
    };
    let drawn = app::picture(launch, &picture)
        .map_err(|error| error.to_string())
        .and_then(|svg| std::fs::write(file, svg).map_err(|error| error.to_string()));
    match drawn {
        Ok(()) => Exit::Fine,
        Err(error) => mistake(format!("squirrel: no picture: {error}")),
    }
}
