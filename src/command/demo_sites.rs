//! `squirrel fleet`: sites on loopback, for the demonstration and for measurements. Lives as
//! long as its standard input, so that it never outlives whoever started it.

use crate::fleet::{Uniform, remove_files, serve, serve_uniform};

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
                        let uniform = Uniform {
                            listeners,
                            delay: args.delay,
                            hang: args.hang,
                        };
                        serve_uniform(uniform, input, output).await
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
            say(format!("the fleet cannot be served: {error}"));
            Exit::Mistake
        }
    }
}
