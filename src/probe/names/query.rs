//! One question, asked of one name server after another until one has an answer.
//!
//! As the C library's resolver: in the order of the file, the next one after SERVFAIL,
//! NOTIMP, REFUSED, a reply that cannot be read, and silence; in rounds, each with more patience.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::error::{NOTIMP, NameError, REFUSED, SERVFAIL};
use super::resolv_conf::ResolvConf;
use super::transport::{Question, Reply};

const NXDOMAIN: u16 = 3;

/// With which server the next question begins where they take turns (`rotate`).
static TURN: AtomicUsize = AtomicUsize::new(0);

/// The addresses that the servers have. `deadline` is the check's: a server that is silent gets
/// at most half of what is left while there is another to ask.
pub(super) async fn ask(
    question: &Question,
    conf: &ResolvConf,
    deadline: Instant,
) -> Result<Vec<IpAddr>, NameError> {
    ask_for(question, conf, deadline, |reply| reply.addresses).await
}

/// The same for what `found` finds in a reply; where it finds nothing, the name has none of it.
pub(super) async fn ask_for<T>(
    question: &Question,
    conf: &ResolvConf,
    deadline: Instant,
    found: impl Fn(Reply) -> Vec<T>,
) -> Result<Vec<T>, NameError> {
    let count = conf.servers.len();
    let first = if conf.rotate {
        TURN.fetch_add(1, Ordering::Relaxed)
    } else {
        0
    };
    let mut failure = NameError::Unreachable;
    for round in 0..conf.attempts {
        for turn in 0..count {
            let server = conf.servers[(first + turn) % count];
            let mut patience = patience(conf, round);
            let left = deadline.saturating_duration_since(Instant::now());
            if round == 0 && turn + 1 < count {
                patience = patience.min(left / 2);
            }
            let for_tcp = patience.min(left) / 2;
            let reply = tokio::time::timeout(patience, question.ask(server, conf, for_tcp));
            let said = match reply.await {
                Ok(reply) => reply.and_then(|reply| judge(reply, &found)),
                Err(_elapsed) => Err(NameError::Silent),
            };
            match said {
                Ok(addresses) => return Ok(addresses),
                // These are answers, not failures of a server.
                Err(
                    error @ (NameError::NoSuchName
                    | NameError::NoAddress
                    | NameError::Unwritable
                    | NameError::Own(_)),
                ) => return Err(error),
                Err(error) => failure = failure.or(error),
            }
        }
    }
    Err(failure)
}

/// How long a server is waited for: in the first round the whole `timeout`, in later ones twice
/// as long each time, shared among the servers, and at least a second.
fn patience(conf: &ResolvConf, round: u32) -> Duration {
    if round == 0 {
        return conf.timeout;
    }
    let servers = u32::try_from(conf.servers.len()).unwrap_or(1).max(1);
    (conf.timeout * (1 << round) / servers).max(Duration::from_secs(1))
}

fn judge<T>(reply: Reply, found: impl Fn(Reply) -> Vec<T>) -> Result<Vec<T>, NameError> {
    match reply.code {
        0 => {
            let lame = reply.lame;
            let found = found(reply);
            match found.is_empty() {
                false => Ok(found),
                // A server that knows nothing of the name and asks nobody.
                true if lame => Err(NameError::Code(REFUSED)),
                true => Err(NameError::NoAddress),
            }
        }
        NXDOMAIN => Err(NameError::NoSuchName),
        code @ (SERVFAIL | NOTIMP | REFUSED) => Err(NameError::Code(code)),
        code => Err(NameError::Code(code)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_doubles_and_is_shared_as_in_the_c_library() {
        let conf = ResolvConf::parse(
            b"nameserver ::1\nnameserver ::2\noptions timeout:4 attempts:3",
            None,
            None,
        );
        let seconds: Vec<_> = (0..3)
            .map(|round| patience(&conf, round).as_secs())
            .collect();
        assert_eq!(seconds, [4, 4, 8]);
        let quick = ResolvConf::parse(
            b"nameserver ::1\nnameserver ::2\nnameserver ::3\noptions timeout:0",
            None,
            None,
        );
        assert_eq!(patience(&quick, 0), Duration::from_secs(1));
        assert_eq!(patience(&quick, 1), Duration::from_secs(1));
    }
}
