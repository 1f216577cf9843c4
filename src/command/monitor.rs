//! `squirrel`: the live monitor.

use jiff::tz::TimeZone;

use crate::app::{self, Ending, Launch, choose};
use crate::config::{Config, SecretUse};
use crate::demo::DemoProcess;
use crate::history::HistoryStorage;
use crate::paradigm::{ensure_files, raise_file_limit};
use crate::tui::Options;

use super::args::{EngineArgs, MonitorArgs, ScreenArgs};
use super::exit::{Exit, fail, say};
use super::site_source;

pub(super) fn run(args: &MonitorArgs) -> Exit {
    let config = match site_source::load(args.source.config.as_deref(), SecretUse::Needed) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let metrics = match args.metrics.endpoint() {
        Ok(metrics) => metrics,
        Err(exit) => return exit,
    };
    let name = config
        .path
        .as_deref()
        .map_or_else(String::new, site_source::short);
    let place = args.history.of_monitor();
    match prepare(config, name, &args.engine, args.screen, (place, None)) {
        Ok(launch) => show(Launch {
            metrics,
            control: args.control.server(&args.history),
            ..launch
        }),
        Err(exit) => exit,
    }
}

/// Runs the monitor on the terminal.
pub(super) fn show(launch: Launch) -> Exit {
    match app::run(launch) {
        Ok(Ending::Quit) => Exit::Fine,
        Ok(Ending::Signal(number)) => Exit::Signal(number),
        Err(error) => fail(error),
    }
}

/// The settings of a live monitor.
pub(super) fn prepare(
    config: Config,
    source: String,
    engine: &EngineArgs,
    screen: ScreenArgs,
    (history, demo): (HistoryStorage, Option<DemoProcess>),
) -> Result<Launch, Exit> {
    let config = site_source::with_broker(config, engine.broker.as_deref())?;
    ensure_files().map_err(fail)?;
    let (entry, workers) = choose(
        &config,
        engine.paradigm.as_deref(),
        engine.workers,
        raise_file_limit(),
    );
    let (_, notice) = workers.of(entry);
    if let Some(notice) = &notice {
        say(notice);
    }
    let mut options = Options::new(screen.ascii, TimeZone::system(), |name| {
        std::env::var_os(name)
    });
    options.mouse &= !screen.no_mouse;
    Ok(Launch {
        config,
        entry,
        workers,
        notice,
        options,
        source,
        demo,
        history,
        tell: None,
        metrics: None,
        control: None,
    })
}
