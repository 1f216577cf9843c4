//! `squirrel demo`: the monitor on a fleet of sites that the program serves itself.

use std::path::Path;

use crate::app::{self, Picture};
use crate::config::Config;
use crate::fleet::FleetProcess;
use crate::history::Place;

use super::args::DemoArgs;
use super::exit::{Exit, mistake};
use super::{monitor, source};

pub(super) fn run(args: &DemoArgs) -> Exit {
    let fleet = match FleetProcess::start() {
        Ok(fleet) => fleet,
        Err(error) => return mistake(format!("squirrel: the fleet cannot be started: {error}")),
    };
    let mut config = match source::read(&fleet.config_path()) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    if let Some(path) = &args.notify {
        match source::read(path) {
            Ok(owners) => tell_owners(&mut config, owners),
            Err(exit) => return exit,
        }
    }
    // What a demonstration did is nobody's past.
    let place = args.history.place(|| Place::Memory);
    let name = "the demonstration's own fleet".to_owned();
    let (engine, screen) = (&args.engine, args.screen);
    let Some(file) = &args.picture.svg else {
        return monitor::watch(config, name, engine, screen, (place, Some(fleet)));
    };
    match monitor::prepare(config, name, engine, screen, (place, Some(fleet))) {
        Ok(launch) => draw(args, launch, file),
        Err(exit) => exit,
    }
}

/// The sites of the demonstration belong to the owners of another configuration.
fn tell_owners(config: &mut Config, owners: Config) {
    let names: Vec<Box<str>> = owners
        .owners
        .iter()
        .map(|owner| owner.name.clone())
        .collect();
    for site in &mut config.sites {
        site.owners.clone_from(&names);
    }
    config.owners = owners.owners;
    config.notify = owners.notify;
}

fn draw(args: &DemoArgs, launch: app::Launch, file: &Path) -> Exit {
    let picture = Picture {
        size: args.picture.size,
        after: args.picture.after,
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
