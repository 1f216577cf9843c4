//! Connecting to one of several addresses: Happy Eyeballs (RFC 8305).

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::super::names::{Addresses, PendingAddresses};
use super::super::own_fault::{self, Open};
use super::super::phase_timings::PhaseTimings;
use super::super::thread_wait;
use super::Socket;
use crate::domain::ConnectCause;

/// How long an attempt is alone before the next address is tried beside it: the Connection
/// Attempt Delay of RFC 8305 section 5.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// The most addresses of a name that are tried.
const MOST_ADDRESSES: usize = 16;

/// The most attempts at once.
const MOST_AT_ONCE: usize = 6;

type Failed = (SocketAddr, io::Error);

/// Connects to the first address that takes the connection; notes every attempt in `timings`.
pub(super) async fn connect(
    addresses: Addresses,
    port: u16,
    timings: &PhaseTimings,
) -> Result<(Open<Socket>, SocketAddr), Failed> {
    match (&addresses.known[..], &addresses.pending) {
        ([only], None) => {
            let address = SocketAddr::new(*only, port);
            timings.attempt_started(*only);
            let stream = own_fault::when_files_are_free(|| Socket::connect(address)).await;
            stream.map(|stream| (stream, address)).map_err(|error| {
                timings.attempt_failed(address.ip(), cause(&error, address));
                (address, error)
            })
        }
        // In a place of its own: the usual connection needs far less.
        _ => {
            let (stream, address) =
                thread_wait::elsewhere(Box::pin(race(addresses, port, timings))).await?;
            Ok((stream.map(Socket::Watched), address))
        }
    }
}

async fn race(
    addresses: Addresses,
    port: u16,
    timings: &PhaseTimings,
) -> Result<(Open<TcpStream>, SocketAddr), Failed> {
    let mut race = Race {
        timings,
        port,
        waiting: VecDeque::new(),
        tried: 0,
        attempts: Vec::new(),
        pending: addresses.pending,
        failure: None,
    };
    race.add(addresses.known);
    let mut timer = pin!(tokio::time::sleep(ATTEMPT_DELAY));
    poll_fn(|context| race.poll(timer.as_mut(), context)).await
}

struct Race<'a> {
    timings: &'a PhaseTimings,
    port: u16,
    waiting: VecDeque<SocketAddr>,
    tried: usize,
    attempts: Vec<Attempt>,
    pending: Option<PendingAddresses>,
    /// The failure that says most of those so far.
    failure: Option<Failed>,
}

struct Attempt {
    address: SocketAddr,
    connecting: Pin<Box<dyn Future<Output = io::Result<Open<TcpStream>>> + Send>>,
}

impl Race<'_> {
    /// Adds addresses, those of the two families in turns, the first of IPv6.
    fn add(&mut self, addresses: Vec<IpAddr>) {
        let mut all: Vec<_> = self.waiting.drain(..).map(|address| address.ip()).collect();
        all.extend(addresses);
        let (six, four): (Vec<IpAddr>, Vec<IpAddr>) = all.into_iter().partition(IpAddr::is_ipv6);
        let (mut six, mut four) = (six.into_iter(), four.into_iter());
        loop {
            let pair = [six.next(), four.next()];
            if pair == [None, None] {
                break;
            }
            let pair = pair.into_iter().flatten();
            self.waiting
                .extend(pair.map(|address| SocketAddr::new(address, self.port)));
        }
        self.waiting
            .truncate(MOST_ADDRESSES.saturating_sub(self.tried));
    }

    fn poll(
        &mut self,
        mut timer: Pin<&mut Sleep>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(Open<TcpStream>, SocketAddr), Failed>> {
        if let Some(pending) = &mut self.pending
            && let Poll::Ready(more) = pending.poll(context)
        {
            self.pending = None;
            self.add(more);
        }
        loop {
            let before = self.attempts.len();
            let mut index = 0;
            while index < self.attempts.len() {
                let attempt = &mut self.attempts[index];
                let Poll::Ready(done) = attempt.connecting.as_mut().poll(context) else {
                    index += 1;
                    continue;
                };
                let address = self.attempts.swap_remove(index).address;
                match done {
                    Ok(stream) => return Poll::Ready(Ok((stream, address))),
                    Err(error) => {
                        let cause = cause(&error, address);
                        self.timings.attempt_failed(address.ip(), cause);
                        self.note((address, error));
                    }
                }
            }
            let failed = self.attempts.len() < before;
            let next = self.attempts.is_empty()
                || failed
                || (!self.waiting.is_empty()
                    && self.attempts.len() < MOST_AT_ONCE
                    && timer.as_mut().poll(context).is_ready());
            match (next, self.waiting.pop_front()) {
                (true, Some(address)) => {
                    self.start(address);
                    timer.as_mut().reset(Instant::now() + ATTEMPT_DELAY);
                }
                (false, Some(address)) => {
                    self.waiting.push_front(address);
                    return Poll::Pending;
                }
                (_, None) => break,
            }
        }
        match self.failure.take() {
            Some(failure) if self.attempts.is_empty() && self.pending.is_none() => {
                Poll::Ready(Err(failure))
            }
            failure => {
                self.failure = failure;
                Poll::Pending
            }
        }
    }

    fn start(&mut self, address: SocketAddr) {
        self.tried += 1;
        self.timings.attempt_started(address.ip());
        self.attempts.push(Attempt {
            address,
            connecting: Box::pin(own_fault::when_files_are_free(move || {
                TcpStream::connect(address)
            })),
        });
    }

    fn note(&mut self, failed: Failed) {
        let says = |(address, error): &Failed| cause(error, *address).weight();
        if self
            .failure
            .as_ref()
            .is_none_or(|kept| says(kept) < says(&failed))
        {
            self.failure = Some(failed);
        }
    }
}

/// Why there is no connection to `address`.
fn cause(error: &io::Error, address: SocketAddr) -> ConnectCause {
    use io::ErrorKind as Kind;
    if own_fault::of(error, address).is_some() {
        return ConnectCause::OwnFault;
    }
    match error.kind() {
        Kind::NetworkUnreachable | Kind::AddrNotAvailable | Kind::Unsupported => {
            ConnectCause::NoRoute
        }
        Kind::HostUnreachable => ConnectCause::Unreachable,
        Kind::PermissionDenied => ConnectCause::Forbidden,
        Kind::TimedOut => ConnectCause::NoAnswer,
        Kind::ConnectionRefused => ConnectCause::Refused,
        // EAFNOSUPPORT, which has no kind of its own.
        _ if error.raw_os_error() == Some(97) => ConnectCause::NoRoute,
        _ => ConnectCause::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn race_of<'a>(addresses: &[&str], timings: &'a PhaseTimings) -> Race<'a> {
        let mut race = Race {
            timings,
            port: 80,
            waiting: VecDeque::new(),
            tried: 0,
            attempts: Vec::new(),
            pending: None,
            failure: None,
        };
        race.add(addresses.iter().map(|text| text.parse().unwrap()).collect());
        race
    }

    #[test]
    fn the_families_take_turns_beginning_with_ipv6_and_there_is_an_end_to_addresses() {
        let timings = PhaseTimings::new(None);
        let race = race_of(
            &["192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.3"],
            &timings,
        );
        let order: Vec<_> = race.waiting.iter().map(|a| a.ip().to_string()).collect();
        assert_eq!(
            order,
            ["2001:db8::1", "192.0.2.1", "192.0.2.2", "192.0.2.3"]
        );
        let many: Vec<_> = (0..99).map(|last| format!("192.0.2.{last}")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        assert_eq!(race_of(&many, &timings).waiting.len(), MOST_ADDRESSES);
    }

    #[test]
    fn a_refusal_says_more_than_a_family_without_a_route_whatever_came_first() {
        let six = SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 80));
        let four = SocketAddr::from(([192, 0, 2, 1], 80));
        let error = io::Error::from_raw_os_error;
        let timings = PhaseTimings::new(None);
        for order in [[(six, 101), (four, 111)], [(four, 111), (six, 101)]] {
            let mut race = race_of(&[], &timings);
            for (address, number) in order {
                race.note((address, error(number)));
            }
            assert_eq!(race.failure.unwrap().1.raw_os_error(), Some(111));
        }
    }
}
