//! `squirrel demo-sites`: sites on loopback, for the demo and for measurements.
//! Ends when its standard input does, so that it never outlives the process that started it.

use crate::demo::{LoadServer, remove_files, serve, serve_load};

use super::args::DemoSitesArgs;
use super::exit::{Exit, say};

pub(super) fn run(args: &DemoSitesArgs) -> Exit {
    let served = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .and_then(|runtime| {
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
            // A read of standard input that is under way cannot be called off.
            runtime.shutdown_background();
            served
        });
    if let Some(directory) = &args.directory
        && let Err(error) = remove_files(directory)
    {
        say(format!("{}: {error}", directory.display()));
    }
    match served {
        Ok(()) => Exit::Fine,
        Err(error) => {
            say(format!("the demo sites cannot be served: {error}"));
            Exit::Mistake
        }
    }
}
