//! A host name through the hosts file and the search list to its addresses.

use std::fmt;
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hickory_proto::rr::{Name, RecordType};

use crate::domain::{AddressFamily, ConnectionOptions};

use super::error::NameError;
use super::query;
use super::resolv_conf::ResolvConf;
use super::system_files::SystemFiles;
use super::transport::Question;

/// How long the slower family is waited for once the other has addresses: the Resolution Delay
/// of RFC 8305 section 3.
const RESOLUTION_DELAY: Duration = Duration::from_millis(50);

type Family = Pin<Box<dyn Future<Output = Result<Vec<IpAddr>, NameError>> + Send>>;

/// The addresses of a host.
pub(in super::super) struct Addresses {
    /// Those that are known, at least one.
    pub(in super::super) known: Vec<IpAddr>,
    /// The question of the other family while it is not answered.
    pub(in super::super) pending: Option<PendingAddresses>,
}

impl Addresses {
    /// Addresses that are complete.
    pub(in super::super) const fn complete(known: Vec<IpAddr>) -> Self {
        Self {
            known,
            pending: None,
        }
    }

    /// The one of a host that is given by its address.
    pub(in super::super) fn of_literal(
        address: IpAddr,
        options: &ConnectionOptions,
    ) -> Result<Self, NameError> {
        if options.family().holds(address) {
            Ok(Self::complete(vec![address]))
        } else {
            Err(NameError::OtherFamily)
        }
    }
}

/// A question that is not answered yet; polled to its end it gives more addresses, or none.
pub(in super::super) struct PendingAddresses(Family);

impl PendingAddresses {
    pub(in super::super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Vec<IpAddr>> {
        self.0.as_mut().poll(context).map(Result::unwrap_or_default)
    }
}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Addresses")
            .field("known", &self.known)
            .field("pending", &self.pending.is_some())
            .finish()
    }
}

/// Resolves `host`, a name in ASCII. A name that stands in the hosts file has the addresses that
/// stand there and no others. `deadline` is the check's.
pub(in super::super) async fn resolve(
    host: &str,
    files: &SystemFiles,
    options: &ConnectionOptions,
    deadline: Instant,
) -> Result<Addresses, NameError> {
    let family = options.family();
    if options.resolver.is_none()
        && let Some(mut addresses) = files.hosts().find(host)
    {
        addresses.retain(|address| family.holds(*address));
        if addresses.is_empty() {
            return Err(NameError::OtherFamily);
        }
        return Ok(Addresses::complete(addresses));
    }
    let mut conf = files.resolv_conf();
    if let Some(server) = options.resolver {
        let own = Arc::make_mut(&mut conf);
        own.servers = vec![server];
        own.search.clear();
    }
    let mut failure: Option<NameError> = None;
    for name in candidates(host, &conf) {
        match of_family(name, &conf, family, deadline).await {
            Ok(addresses) => return Ok(addresses),
            Err(error @ NameError::Own(_)) => return Err(error),
            Err(error) => failure = Some(worse(failure, error)),
        }
    }
    Err(failure.unwrap_or(NameError::Unwritable))
}

/// What is told of several names: that one of them exists, or that a server failed, before
/// that one does not exist.
fn worse(before: Option<NameError>, now: NameError) -> NameError {
    match (before, now) {
        (Some(before), NameError::NoSuchName) => before,
        (Some(before @ NameError::NoAddress), _) => before,
        (_, now) => now,
    }
}

/// The names to ask for, in order (resolv.conf(5), `ndots` and `search`). One that cannot be
/// written as a DNS name is left out.
fn candidates(host: &str, conf: &ResolvConf) -> Vec<Name> {
    let dots = host.bytes().filter(|byte| *byte == b'.').count();
    let absolute = host.strip_suffix('.');
    let as_it_is = name(absolute.unwrap_or(host));
    if absolute.is_some() {
        return as_it_is.into_iter().collect();
    }
    let listed = conf
        .search
        .iter()
        .filter_map(|domain| name(&format!("{host}.{domain}")));
    if dots >= conf.ndots {
        as_it_is.into_iter().chain(listed).collect()
    } else {
        listed.chain(name(host)).collect()
    }
}

/// A name of labels as they are: hyphens at an end and underscores exist in the wild.
pub(super) fn name(text: &str) -> Option<Name> {
    let labels: Vec<_> = text.split('.').map(str::as_bytes).collect();
    let empty = labels.iter().any(|label| label.is_empty());
    if empty || text.len() > 253 {
        return None;
    }
    Name::from_labels(labels).ok()
}

/// Asks for the addresses of the family that is wanted.
async fn of_family(
    name: Name,
    conf: &Arc<ResolvConf>,
    family: AddressFamily,
    deadline: Instant,
) -> Result<Addresses, NameError> {
    let kind = match family {
        AddressFamily::Any => return both_families(name, conf, deadline).await,
        AddressFamily::Ipv4 => RecordType::A,
        AddressFamily::Ipv6 => RecordType::AAAA,
    };
    match query::ask(&Question { name, kind }, conf, deadline).await {
        Ok(known) => Ok(Addresses::complete(known)),
        Err(NameError::NoAddress) => Err(NameError::OtherFamily),
        Err(error) => Err(error),
    }
}

/// Asks for A and AAAA at once and waits for both; when one has addresses, for the other not
/// much longer.
async fn both_families(
    name: Name,
    conf: &Arc<ResolvConf>,
    deadline: Instant,
) -> Result<Addresses, NameError> {
    let family = |kind| -> Family {
        let (name, conf) = (name.clone(), Arc::clone(conf));
        Box::pin(async move { query::ask(&Question { name, kind }, &conf, deadline).await })
    };
    if conf.no_aaaa {
        return family(RecordType::A).await.map(Addresses::complete);
    }
    if conf.single_request {
        let four = family(RecordType::A).await;
        let six = family(RecordType::AAAA).await;
        return both(four, six).map(Addresses::complete);
    }
    let mut waits = [
        Wait::Asked(family(RecordType::A)),
        Wait::Asked(family(RecordType::AAAA)),
    ];
    // The first that decides: an address, or that there is no such name. Of a name that exists,
    // some servers say about AAAA alone that it does not.
    let [four, six] = &mut waits;
    let decided = poll_fn(|context| {
        four.poll(context);
        six.poll(context);
        let gone = matches!(four, Wait::Done(Err(NameError::NoSuchName)));
        match (&four, &six) {
            (Wait::Done(_), Wait::Done(_)) => Poll::Ready(false),
            (Wait::Done(Ok(_)), _) | (_, Wait::Done(Ok(_))) => Poll::Ready(true),
            _ if gone => Poll::Ready(true),
            _ => Poll::Pending,
        }
    });
    if decided.await {
        let rest = poll_fn(|context| {
            four.poll(context);
            six.poll(context);
            match (&four, &six) {
                (Wait::Done(_), Wait::Done(_)) => Poll::Ready(()),
                _ => Poll::Pending,
            }
        });
        let _late = tokio::time::timeout(RESOLUTION_DELAY, rest).await;
    }
    let [four, six] = waits;
    match (four, six) {
        (Wait::Done(four), Wait::Done(six)) => both(four, six).map(Addresses::complete),
        (Wait::Done(Err(NameError::NoSuchName)), _) => Err(NameError::NoSuchName),
        (Wait::Done(Ok(known)), Wait::Asked(rest)) | (Wait::Asked(rest), Wait::Done(Ok(known))) => {
            Ok(Addresses {
                known,
                pending: Some(PendingAddresses(rest)),
            })
        }
        // Only addresses end the waiting before both are here.
        (Wait::Asked(rest), _) | (_, Wait::Asked(rest)) => rest.await.map(Addresses::complete),
    }
}

enum Wait {
    Asked(Family),
    Done(Result<Vec<IpAddr>, NameError>),
}

impl Wait {
    fn poll(&mut self, context: &mut Context<'_>) {
        if let Self::Asked(family) = self
            && let Poll::Ready(answer) = family.as_mut().poll(context)
        {
            *self = Self::Done(answer);
        }
    }
}

/// The answers of both families as one; IPv6 first, as RFC 8305 section 4 prefers it.
fn both(
    four: Result<Vec<IpAddr>, NameError>,
    six: Result<Vec<IpAddr>, NameError>,
) -> Result<Vec<IpAddr>, NameError> {
    match (four, six) {
        (Ok(four), Ok(mut six)) => {
            six.extend(four);
            Ok(six)
        }
        (Ok(known), Err(_)) | (Err(_), Ok(known)) => Ok(known),
        // A family without a record says less than why the other could not be asked for.
        (Err(NameError::NoAddress), Err(error)) | (Err(error), Err(NameError::NoAddress)) => {
            Err(error)
        }
        (Err(four), Err(six)) => Err(four.or(six)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(host: &str, text: &str) -> Vec<String> {
        let conf = ResolvConf::parse(text.as_bytes(), None, None);
        candidates(host, &conf).iter().map(Name::to_ascii).collect()
    }

    #[test]
    fn the_search_list_comes_before_or_after_the_name_by_its_dots() {
        let text = "search a.example b.example\noptions ndots:2";
        assert_eq!(
            asked("www", text),
            ["www.a.example.", "www.b.example.", "www."]
        );
        assert_eq!(
            asked("x.y.z", text),
            ["x.y.z.", "x.y.z.a.example.", "x.y.z.b.example."]
        );
        assert_eq!(asked("www.", text), ["www."]);
        assert_eq!(asked("x.y", "search a"), ["x.y.", "x.y.a."]);
    }

    #[test]
    fn odd_names_are_asked_for_and_impossible_ones_are_not() {
        assert_eq!(
            asked("a-.under_score.example", ""),
            ["a-.under_score.example."]
        );
        assert_eq!(asked("a..b", "search c"), Vec::<String>::new());
        assert_eq!(asked(&"x".repeat(64), ""), Vec::<String>::new());
    }
}
