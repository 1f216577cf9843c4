//! Who gave a command: user, terminal, and the host of the ssh connection.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::clean;

/// The most characters of each part.
const LONGEST: usize = 64;

/// Who gave a command to the monitor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The name of the user, else the number.
    pub user: Box<str>,
    /// The terminal, such as `pts/3`; `None` without one.
    #[serde(default)]
    pub terminal: Option<Box<str>>,
    /// The host that the user's ssh connection comes from; `None` without one.
    #[serde(default)]
    pub from: Option<Box<str>>,
}

impl Actor {
    /// The user of this process, as its environment and its standard input tell.
    #[must_use]
    pub fn of_process() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let terminal = rustix::termios::ttyname(std::io::stdin(), Vec::new()).ok();
        let terminal = terminal.and_then(|path| path.into_string().ok());
        let connection = variable("SSH_CONNECTION");
        let from = connection
            .as_deref()
            .and_then(|text| text.split(' ').next());
        Self {
            user: ["USER", "LOGNAME"]
                .into_iter()
                .find_map(variable)
                .unwrap_or_default()
                .into(),
            terminal: terminal.map(|path| path.trim_start_matches("/dev/").into()),
            from: from.map(Into::into),
        }
        .cleaned()
    }

    /// The same with every text cleaned and bounded: it may come from anybody who may connect.
    #[must_use]
    pub fn cleaned(self) -> Self {
        let short = |text: Box<str>| clean(&text, LONGEST).into_boxed_str();
        Self {
            user: short(self.user),
            terminal: self.terminal.map(short),
            from: self.from.map(short),
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = if self.user.is_empty() {
            "somebody"
        } else {
            &self.user
        };
        f.write_str(user)?;
        match (&self.terminal, &self.from) {
            (Some(terminal), Some(from)) => write!(f, " ({terminal} from {from})"),
            (Some(place), None) => write!(f, " ({place})"),
            (None, Some(from)) => write!(f, " (from {from})"),
            (None, None) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_named_with_what_is_known() {
        let actor = |terminal: Option<&str>, from: Option<&str>| Actor {
            user: "ana".into(),
            terminal: terminal.map(Into::into),
            from: from.map(Into::into),
        };
        let named = |actor: Actor| actor.cleaned().to_string();
        assert_eq!(named(actor(None, None)), "ana");
        assert_eq!(named(actor(Some("pts/3"), None)), "ana (pts/3)");
        let whole = actor(Some("pts/3"), Some("192.0.2.7"));
        assert_eq!(named(whole), "ana (pts/3 from 192.0.2.7)");
        assert_eq!(named(actor(Some("a\u{1b}[2J"), None)), "ana (a [2J)");
        assert_eq!(Actor::default().to_string(), "somebody");
    }
}
