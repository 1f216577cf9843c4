//! `squirrel demo`: the monitor on a fleet of sites that the program serves itself.

use crate::fleet::FleetProcess;

use super::cli::DemoArgs;
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
    monitor::watch(config, name, &args.engine, args.screen, Some(fleet))
}
