//! What a server says that refuses a command, by the word with which it does.

use redis::RedisError;

/// What a server says that has as many clients as it takes; it has no word for it.
pub(super) const TOO_MANY_CLIENTS: &str = "max number of clients reached";

/// A refusal by the server, named by the first word of its error.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BrokerRefusal {
    pub(super) word: &'static str,
    /// The same in plain words.
    pub(super) meaning: &'static str,
    /// Whether waiting cannot mend it.
    pub(super) permanent: bool,
    /// Whether it is about the user and password.
    pub(super) of_user: bool,
}

const fn passing(word: &'static str, meaning: &'static str) -> BrokerRefusal {
    BrokerRefusal {
        word,
        meaning,
        permanent: false,
        of_user: false,
    }
}

const fn permanent(word: &'static str, meaning: &'static str) -> BrokerRefusal {
    BrokerRefusal {
        permanent: true,
        ..passing(word, meaning)
    }
}

const fn of_user(word: &'static str, meaning: &'static str) -> BrokerRefusal {
    BrokerRefusal {
        of_user: true,
        ..permanent(word, meaning)
    }
}

const CLUSTER: &str = "it is a Redis Cluster, on which Celery's queue does not work";

/// The refusals that are known. Source: the errors that Redis and Valkey define in `server.c` and
/// `cluster.c`.
const REFUSALS: [BrokerRefusal; 17] = [
    passing(
        "OOM",
        "its memory is full, and maxmemory lets it take no more",
    ),
    passing(
        "READONLY",
        "it is a replica, and only its primary takes writes",
    ),
    passing(
        "MISCONF",
        "it cannot save its data, and takes no writes until it can",
    ),
    passing("NOREPLICAS", "too few replicas follow it"),
    passing(
        "UNBLOCKED",
        "it became a replica, and only its primary takes writes",
    ),
    passing("MASTERDOWN", "it is a replica that has lost its primary"),
    passing("LOADING", "it is still reading its data"),
    passing("BUSY", "it is busy with a script that does not end"),
    permanent("NOPERM", "its user may not do that"),
    permanent("MOVED", CLUSTER),
    permanent("ASK", CLUSTER),
    permanent("CROSSSLOT", CLUSTER),
    permanent("CLUSTERDOWN", CLUSTER),
    permanent("TRYAGAIN", CLUSTER),
    of_user("WRONGPASS", "it does not take the user and password"),
    of_user("NOAUTH", "it wants a password"),
    passing("max clients", "it has as many clients as it takes"),
];

/// What servers say instead of `NOPERM` where a script runs a command that its user may not.
const FORBIDDEN_IN_SCRIPT: [&str; 2] = [
    "ACL failure in script",
    "The user executing the script can't",
];

/// The refusal that an error stands for; `None` for any other error.
pub(super) fn refusal(error: &RedisError) -> Option<&'static BrokerRefusal> {
    let known = |word: &str| REFUSALS.iter().find(|refusal| refusal.word == word);
    if let Some(found) = error.code().and_then(known) {
        return Some(found);
    }
    let text = error.to_string();
    if text.contains(TOO_MANY_CLIENTS) {
        return known("max clients");
    }
    // What is sent before it has asked for the password may be too long for it.
    if text.contains("unauthenticated") {
        return known("NOAUTH");
    }
    // Redis before 7 wraps the error of a command of a script into one of the script, and before 7.2
    // that of a command that the user may not run. In a pipeline the client wraps it.
    if FORBIDDEN_IN_SCRIPT.iter().any(|said| text.contains(said)) {
        return known("NOPERM");
    }
    let mut words = text.split(|c: char| !c.is_ascii_uppercase());
    words.find_map(known)
}
