//! `squirrel demo-sites`: sites on loopback, for the demo and for measurements.
//! Ends when its standard input does, so that it never outlives the process that started it.

use crate::demo::{LoadServer, remove_files, serve, serve_load};
use crate::domain::{FileError, plain_io_error};

use super::args::DemoSitesArgs;
use super::exit::{Exit, fail, say};
use super::runtime;

pub(super) fn run(args: &DemoSitesArgs) -> Exit {
    let runtime = match runtime::current_thread() {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    let served = runtime.block_on(async {
        let (input, output) = (tokio::io::stdin(), tokio::io::stdout());
        match args.uniform {
            None => serve(input, output).await,
            Some(listeners) => {
                let server = LoadServer {
                    listeners,
                    delay: args.delay,
                    hang: args.hang,
                };
                serve_load(server, input, output).await
            }
        }
    });
    // A pending read of standard input cannot be cancelled.
    runtime.shutdown_background();
    if let Some(directory) = &args.directory
        && let Err(error) = remove_files(directory)
    {
        say(FileError::write(directory, error));
    }
    match served {
        Ok(()) => Exit::Fine,
        Err(error) => {
            let why = plain_io_error(&error);
            fail(format!("the demo sites cannot be served: {why}"))
        }
    }
}
