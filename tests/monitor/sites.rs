//! Homes with a sites.toml for the monitor, and the monitor on them.

use crate::support::{Fleet, Frame, Script, Server, Squirrel, Terminal};

/// The size of the terminal in most tests.
pub(crate) const SIZE: (u16, u16) = (120, 36);

/// Answers that make a site up, and down.
pub(crate) const WELL: &str = r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']";
pub(crate) const BROKEN: &str = r"'*' = ['HTTP/1.1 503 Sorry\r\nContent-Length: 0\r\n\r\n']";

pub(crate) fn script(toml: &str) -> Script {
    toml::from_str(toml).unwrap()
}

/// Sites that are checked once and then not for an hour, unless a key asks for it.
pub(crate) const ONCE: &str = r#"interval = "1h"
confirm_delay = "1h""#;

/// Sites that are checked every second.
pub(crate) const EVERY_SECOND: &str = r#"interval = "1s"
confirm_delay = "1s""#;

/// A sites.toml: the settings of `[monitor]`, and sites by name and URL.
pub(crate) fn listing<'a>(
    monitor: &str,
    sites: impl IntoIterator<Item = (&'a str, String)>,
) -> String {
    let mut text = format!("[monitor]\n{monitor}\n");
    for (name, url) in sites {
        text.push_str(&format!(
            "\n[[sites]]\nname = \"{name}\"\nurl = \"{url}\"\n"
        ));
    }
    text
}

/// A home with that sites.toml.
pub(crate) fn home<'a>(
    monitor: &str,
    sites: impl IntoIterator<Item = (&'a str, String)>,
) -> Squirrel {
    let squirrel = Squirrel::new();
    squirrel.write("sites.toml", listing(monitor, sites));
    squirrel
}

/// `name` at a path of `server`.
pub(crate) fn at<'a>(server: &Server, name: &'a str) -> (&'a str, String) {
    (name, format!("http://{}/{name}", server.authority))
}

/// A server that is well and one that is broken, and a monitor on sites of them: "alpha" and
/// "gamma" up, "beta" down.
pub(crate) struct Three {
    /// Its servers end with it.
    _fleet: Fleet,
    pub(crate) well: Server,
    pub(crate) broken: Server,
    pub(crate) squirrel: Squirrel,
}

impl Three {
    /// With these settings of `[monitor]`.
    pub(crate) fn new(monitor: &str) -> Self {
        let mut fleet = Fleet::new();
        let (well, broken) = (fleet.serve(script(WELL)), fleet.serve(script(BROKEN)));
        let sites = [at(&well, "alpha"), at(&broken, "beta"), at(&well, "gamma")];
        let squirrel = home(monitor, sites);
        Self {
            _fleet: fleet,
            well,
            broken,
            squirrel,
        }
    }

    /// The monitor, when each site has been checked.
    pub(crate) fn watch(&self, size: (u16, u16)) -> Terminal {
        let mut terminal = Terminal::start(&self.squirrel, size, []);
        terminal.wait("three sites checked", all_checked);
        terminal
    }
}

/// Whether no site is new any more.
pub(crate) fn all_checked(frame: &Frame) -> bool {
    frame.rows().count() > 0 && frame.rows().all(|row| !row.contains("NEW"))
}

/// One failure is enough to be down, so that a single check decides.
pub(crate) const AT_ONCE: &str = r#"interval = "1h"
confirm = 1
recover = 1
confirm_delay = "1h""#;
