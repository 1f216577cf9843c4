//! `squirrel demo`: the monitor on sites that the program serves itself.

use std::io::{self, Write as _};
use std::path::Path;

use crate::app::{self, Launch, SvgOptions, output_file};
use crate::config::SecretUse;
use crate::demo::DemoProcess;
use crate::domain::{FileError, plain_io_error};
use crate::history::HistoryStorage;
use crate::runtime::own_program;

use super::args::DemoArgs;
use super::exit::{Exit, fail};
use super::{monitor, site_source};

pub(super) fn run(args: &DemoArgs) -> Exit {
    let metrics = match args.metrics.endpoint() {
        Ok(metrics) => metrics,
        Err(exit) => return exit,
    };
    let demo = match own_program().and_then(DemoProcess::start) {
        Ok(demo) => demo,
        Err(error) => return fail(no_demo_sites(&error)),
    };
    let config = match site_source::read(&demo.config_path(), SecretUse::Checks) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let tell = args.notify.as_deref();
    let tell = tell.map(|path| site_source::read(path, SecretUse::Needed));
    let tell = match tell.transpose() {
        Ok(tell) => tell,
        Err(exit) => return exit,
    };
    // Without --history the demo's results are kept in memory only.
    let place = args.history.place(|| HistoryStorage::Memory);
    let name = "the demo sites".to_owned();
    let (engine, screen) = (&args.engine, args.screen);
    let launch = match monitor::prepare(config, name, engine, screen, (place, Some(demo))) {
        Ok(launch) => Launch {
            tell,
            metrics,
            ..launch
        },
        Err(exit) => return exit,
    };
    match &args.picture.svg {
        Some(file) => draw(args, launch, file),
        None => monitor::show(launch),
    }
}

/// The error of demo sites that cannot be started.
pub(super) fn no_demo_sites(error: &io::Error) -> String {
    format!(
        "the demo sites cannot be started: {}",
        plain_io_error(error)
    )
}

fn draw(args: &DemoArgs, mut launch: Launch, file: &Path) -> Exit {
    // A file has every character, whatever the terminal has.
    launch.options.ascii = args.screen.ascii;
    let picture = SvgOptions {
        size: args.picture.size,
        after: args.picture.after,
        then: args.picture.then,
        keys: args.picture.key.clone(),
    };
    let svg = match app::picture(launch, &picture) {
        Ok(svg) => svg,
        Err(error) => return fail(error),
    };
    match output_file::named(file).and_then(|mut file| file.write_all(svg.as_bytes())) {
        Ok(()) => Exit::Fine,
        Err(error) => fail(FileError::write(file, error)),
    }
}
