//! `squirrel config check`: prints every mistake of the configuration, or the number of its sites.

use super::args::SourceArgs;
use super::exit::{Exit, print};
use super::site_source;
use crate::config::SecretUse;

pub(super) fn run(args: &SourceArgs) -> Exit {
    let config = match site_source::load(args.config.as_deref(), SecretUse::Needed) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let file = config
        .path
        .as_deref()
        .map_or_else(String::new, site_source::short);
    let count = |number: usize, one: &str| {
        let plural = if number == 1 { "" } else { "s" };
        format!("{number} {one}{plural}")
    };
    let paused = config.sites.iter().filter(|site| site.paused).count();
    let paused = if paused == 0 {
        String::new()
    } else {
        format!(" ({paused} paused)")
    };
    let line = format!(
        "{file}: in order: {}{paused}, {}\n",
        count(config.sites.len(), "site"),
        count(config.owners.len(), "owner"),
    );
    print(line.as_bytes())
}
