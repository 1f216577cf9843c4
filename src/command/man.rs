//! `squirrel man`: prints a manual page, or writes all of them.

use std::io;
use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};

use crate::domain::FileError;

use super::args::Cli;
use super::exit::{Exit, OutputError, fail, print};
use super::man_args::{ManArgs, ManPage};
use super::man_sites_toml;

pub(super) fn run(args: &ManArgs) -> Exit {
    match &args.folder {
        Some(folder) => match all(folder) {
            Ok(()) => Exit::Fine,
            Err(error) => fail(error),
        },
        None if args.page == ManPage::SitesToml => print(man_sites_toml::page().as_bytes()),
        None => match page() {
            Ok(page) => print(&page),
            Err(error) => fail(OutputError(error)),
        },
    }
}

fn all(folder: &Path) -> Result<(), FileError> {
    std::fs::create_dir_all(folder).map_err(|error| FileError::make_folder(folder, error))?;
    clap_mangen::generate_to(Cli::command(), folder)
        .and_then(|()| std::fs::write(folder.join("squirrel.1"), page()?))
        .and_then(|()| std::fs::write(folder.join("sites.toml.5"), man_sites_toml::page()))
        .map_err(|error| FileError::write(folder, error))
}

/// The page of the program itself: its options, and sections that the command line has not.
fn page() -> io::Result<Vec<u8>> {
    let man = Man::new(Cli::command()).manual("User Commands");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    man.render_subcommands_section(&mut page)?;
    for section in SECTIONS {
        section.roff().to_writer(&mut page)?;
    }
    man.render_extra_section(&mut page)?;
    man.render_version_section(&mut page)?;
    Ok(page)
}

/// A section that is a list of terms.
struct Section {
    name: &'static str,
    entries: &'static [(&'static str, &'static str)],
}

const SECTIONS: [Section; 4] = [
    Section {
        name: "EXIT STATUS",
        entries: &[
            ("0", "All is well: every site is up, or slow at most."),
            ("1", "Some site is down."),
            (
                "2",
                "A mistake in the command line or in the configuration.",
            ),
            ("3", "Nothing is down, but some site could not be checked."),
            ("128+N", "Ended by the signal N before the end."),
        ],
    },
    Section {
        name: "FILES",
        entries: &[
            (
                "./sites.toml",
                "The sites, their owners, and how they are watched. Else $SQUIRREL_CONFIG, else \
                 uptime-squirrel/sites.toml in the user's configuration directory.",
            ),
            (
                "~/.local/state/uptime-squirrel/history.db",
                "Results, outages and messages: an SQLite file.",
            ),
            (
                "~/.local/state/uptime-squirrel/squirrel.log",
                "What happened, as --log-level says.",
            ),
        ],
    },
    Section {
        name: "ENVIRONMENT",
        entries: &[
            (
                "SQUIRREL_CONFIG",
                "The list of sites where --config is not given.",
            ),
            (
                "SQUIRREL_BROKER",
                "Where the Celery queue is where --broker is not given: a command line is read \
                 by others.",
            ),
            (
                "SQUIRREL_QUEUE_KEY",
                "By what squirrel worker opens the secrets of checks: the key of [queue].",
            ),
            ("NO_COLOR", "No colours on the screen."),
            (
                "XDG_CONFIG_HOME, XDG_STATE_HOME",
                "In the place of ~/.config and ~/.local/state.",
            ),
        ],
    },
    Section {
        name: "SIGNALS",
        entries: &[
            ("SIGHUP", "watch: reads the list of sites again."),
            (
                "SIGTERM, SIGINT",
                "Ends it in order; what was learned is kept.",
            ),
        ],
    },
];

impl Section {
    fn roff(&self) -> Roff {
        let mut roff = Roff::new();
        roff.control("SH", [self.name]);
        for (word, meaning) in self.entries {
            roff.control("TP", []);
            roff.text([match self.name {
                "FILES" => italic(*word),
                _ => bold(*word),
            }]);
            roff.text([roman(*meaning)]);
        }
        roff
    }
}
