//! `squirrel worker`: runs checks that come over a broker, or from the process that started it.

use crate::domain::plain_io_error;
use crate::paradigm::{self, WorkerOptions};

use super::args::{WorkerArgs, WorkerFormat};
use super::exit::{Exit, fail};
use super::site_source;

pub(super) fn run(args: &WorkerArgs) -> Exit {
    if args.lines {
        return line_by_line(args.hostname.as_deref());
    }
    match &args.broker {
        // A child gets its settings from its parent.
        Some(broker) if !args.child => for_broker(args, broker),
        _ => for_parent(),
    }
}

fn for_broker(args: &WorkerArgs, broker: &str) -> Exit {
    let broker = match site_source::broker(broker) {
        Ok(broker) => broker,
        Err(exit) => return exit,
    };
    if let Err(error) = paradigm::ensure_files() {
        return fail(error);
    }
    paradigm::raise_file_limit();
    let options = WorkerOptions {
        broker,
        queue: args.queue.clone(),
        concurrency: args.concurrency,
        hostname: args.hostname.clone(),
        visibility_timeout: args.visibility_timeout,
        result_expires: args.result_expires,
        heartbeat: args.heartbeat_interval,
        lines: match args.format {
            WorkerFormat::Json => paradigm::LineFormat::Json,
            WorkerFormat::Text => paradigm::LineFormat::Text,
        },
        workloads: args.workloads,
        parent: args.parent,
    };
    match paradigm::work_for_broker(options) {
        Ok(()) => Exit::Fine,
        Err(error) => fail(error),
    }
}

fn line_by_line(node: Option<&str>) -> Exit {
    match paradigm::work_line_by_line(node) {
        Ok(()) => Exit::Fine,
        Err(error) => fail(error),
    }
}

fn for_parent() -> Exit {
    match paradigm::work_for_parent() {
        Ok(()) => Exit::Fine,
        Err(error) => {
            let why = plain_io_error(&error);
            fail(format!(
                "no broker: name one by --broker or SQUIRREL_BROKER; a worker without one is \
                 started by squirrel itself, for the paradigm \"processes\" ({why})"
            ))
        }
    }
}
