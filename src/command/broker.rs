//! `squirrel broker`: an installed Redis or Valkey server on a private socket.

use std::io::Write as _;
use std::path::Path;

use crate::config;
use crate::paradigm::{BrokerOptions, PreparedServer};

use super::args::BrokerArgs;
use super::exit::{Exit, fail};

pub(super) fn run(args: &BrokerArgs) -> Exit {
    let folder = args
        .folder
        .clone()
        .or_else(|| Some(config::state_dir()?.join("broker")));
    let Some(folder) = folder.and_then(|folder| std::path::absolute(folder).ok()) else {
        return fail("no folder for the broker's data: name one by --folder");
    };
    let options = BrokerOptions {
        folder,
        parent: args.parent,
    };
    let server = match PreparedServer::prepare(&options) {
        Ok(server) => server,
        Err(error) => return fail(error),
    };
    if options.parent.is_none() {
        announce(&options);
    }
    fail(server.serve())
}

/// Prints the command lines for other terminals; what follows is the server's own output.
fn announce(options: &BrokerOptions) {
    let url = options.url();
    let folder: &Path = &options.folder;
    let mut out = std::io::stdout();
    let _unheard = writeln!(
        out,
        "broker   {}\nworker   squirrel worker --broker {}\nmonitor  squirrel --paradigm celery \
         --broker {}\ndata in  {}\n",
        url.shown(),
        url.shown(),
        url.shown(),
        folder.display()
    )
    .and_then(|()| out.flush());
}
