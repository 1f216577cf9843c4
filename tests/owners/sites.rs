//! Homes in which owners are told.

use rusqlite::Connection;
use serde_json::Value;

use crate::support::{Fleet, Running, Server, Squirrel};

pub(crate) const WELL: &str = r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']";
pub(crate) const BROKEN: &str = r"'*' = ['HTTP/1.1 503 Sorry\r\nContent-Length: 0\r\n\r\n']";

/// A site that is checked every second, confirmed at once, and belongs to "ops", if there is
/// anything to say of that owner.
pub(crate) fn home(fleet: &Fleet, server: &Server, owner: &str, settings: &str) -> Squirrel {
    home_of(fleet, &[("shop", server)], owner, settings)
}

pub(crate) fn home_of(
    fleet: &Fleet,
    sites: &[(&str, &Server)],
    owner: &str,
    settings: &str,
) -> Squirrel {
    let squirrel = Squirrel::new();
    squirrel.write("ca.pem", fleet.certificates().ca_pem());
    squirrel.write("password", "secret\n");
    let mut text = format!(
        "[monitor]\ninterval = \"1s\"\nconfirm = 1\nrecover = 1\nconfirm_delay = \"1s\"\n\
         ca_file = \"ca.pem\"\n\n[notify]\ndigest = \"0s\"\n\n{settings}\n"
    );
    let mut owners = "";
    if !owner.is_empty() {
        text.push_str(&format!("\n[owners.ops]\n{owner}\n"));
        owners = "owners = [\"ops\"]\n";
    }
    for (name, server) in sites {
        text.push_str(&format!(
            "\n[[sites]]\nname = '{name}'\nurl = \"http://{}/\"\n{owners}",
            server.authority
        ));
    }
    squirrel.write("sites.toml", text);
    squirrel
}

/// The monitor without a screen, with its history in the home.
pub(crate) fn watch(squirrel: &Squirrel) -> Running {
    squirrel.start(["watch", "--history", "history.db"])
}

/// The history that a monitor wrote.
pub(crate) fn history(squirrel: &Squirrel) -> Connection {
    Connection::open(squirrel.dir().join("history.db")).unwrap()
}

pub(crate) fn count(squirrel: &Squirrel, sql: &str) -> i64 {
    history(squirrel)
        .query_row(sql, [], |row| row.get(0))
        .unwrap()
}

/// Whether a line tells of that event.
pub(crate) fn is(event: &str) -> impl Fn(&Value) -> bool + '_ {
    move |line| line["event"] == event
}

/// Whether a line tells of that event on that channel.
pub(crate) fn on<'a>(event: &'a str, channel: &'a str) -> impl Fn(&Value) -> bool + 'a {
    move |line| line["event"] == event && line["channel"] == channel
}
