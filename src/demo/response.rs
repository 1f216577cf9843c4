//! The response to a request: decided from the table, the site's condition and the time alone.

use std::time::Duration;

use super::http::{Request, Response};
use super::sites::{Behaviour, CertificateKind, DemoSite};

/// The condition of a site after the commands that it got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Condition {
    /// It goes by the table.
    #[default]
    Natural,
    /// It was broken by a command.
    Broken,
    /// It was mended by a command, and stays well.
    Mended,
}

/// One site at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Situation {
    pub(super) entry: &'static DemoSite,
    pub(super) condition: Condition,
    /// The time since the demo began.
    pub(super) elapsed: Duration,
}

/// What is done with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    /// Answer after a while.
    Respond { after: Duration, response: Response },
    /// Hold the connection and say nothing.
    Hang,
    /// Close it without an answer.
    Close,
    /// Send the head of an answer byte by byte, without an end.
    Drip,
}

impl Situation {
    /// What is particular about the site just now.
    fn behaviour(self) -> Behaviour {
        let particular = self.entry.when.at(self.elapsed).0;
        match self.condition {
            Condition::Natural if particular => self.entry.behaviour,
            Condition::Natural | Condition::Mended => Behaviour::Well,
            Condition::Broken if self.entry.behaviour.is_below_http() => Behaviour::Refuse,
            Condition::Broken => Behaviour::Status(503),
        }
    }

    /// Whether the port refuses connections, and how long until the schedule changes that.
    pub(super) fn refuses(self) -> (bool, Option<Duration>) {
        let change = match (self.condition, self.entry.behaviour) {
            (Condition::Natural, Behaviour::Refuse) => self.entry.when.at(self.elapsed).1,
            _ => None,
        };
        (self.behaviour() == Behaviour::Refuse, change)
    }

    /// The certificate shown now. Breaking a site leaves its certificate as it is.
    pub(super) fn certificate(self) -> CertificateKind {
        match self.entry.behaviour {
            Behaviour::Certificate(kind)
                if self.condition != Condition::Mended && self.entry.when.at(self.elapsed).0 =>
            {
                kind
            }
            _ => CertificateKind::Good,
        }
    }

    /// What `request`, the `nth` that the site ever had, gets.
    pub(super) fn act(self, request: &Request, nth: u64) -> Reaction {
        let chance = scramble(
            nth ^ self
                .entry
                .name
                .bytes()
                .fold(0_u64, |h, b| h.wrapping_mul(31) ^ u64::from(b)),
        );
        let pace = self.entry.pace;
        let mut after = Duration::from_millis(pace.least + chance % (pace.jitter + 1));
        let mut response = Response {
            status: 200,
            location: None,
            body: format!(
                "This is {}. {}\n",
                self.entry.name,
                self.entry.contains.unwrap_or("All is well.")
            ),
        };
        match self.behaviour() {
            Behaviour::Well | Behaviour::Certificate(_) => {}
            Behaviour::Status(status) => response = failure(status),
            Behaviour::Sometimes(status, one_in) if chance.is_multiple_of(one_in) => {
                response = failure(status);
            }
            Behaviour::Sometimes(..) => {}
            Behaviour::Redirect(steps) => {
                let at = steps.iter().position(|step| *step == request.path);
                response.location = at.and_then(|at| steps.get(at + 1)).copied();
            }
            Behaviour::RedirectLoop => {
                response.location = Some(if request.path == "/again" {
                    "/"
                } else {
                    "/again"
                });
            }
            Behaviour::HeadRefused if request.head => response = failure(405),
            Behaviour::HeadRefused => {}
            Behaviour::TextMissing => response.body = format!("This is {}.\n", self.entry.name),
            Behaviour::Slow(more) => after += Duration::from_millis(more),
            Behaviour::Slows {
                per_minute,
                restart,
            } => {
                let up = self.elapsed.as_secs() % restart;
                after += Duration::from_millis(up * per_minute / 60);
            }
            Behaviour::Hang => return Reaction::Hang,
            // A connection that was accepted just before the port was closed.
            Behaviour::Refuse | Behaviour::CloseEarly => return Reaction::Close,
            Behaviour::Drip => return Reaction::Drip,
        }
        if response.location.is_some() {
            response.status = 302;
            response.body.clear();
        }
        Reaction::Respond { after, response }
    }
}

fn failure(status: u16) -> Response {
    Response {
        status,
        location: None,
        body: format!("{status}\n"),
    }
}

/// Spreads consecutive numbers evenly: the finaliser of SplitMix64 (Steele, Lea and Flood,
/// 2014). Jitter needs no more, and the same demo runs the same way twice.
const fn scramble(n: u64) -> u64 {
    let z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::super::sites::SITES;
    use super::*;

    fn entry(name: &str) -> &'static DemoSite {
        SITES.iter().find(|entry| entry.name == name).unwrap()
    }

    fn act_at(name: &str, condition: Condition, seconds: u64, request: &str, nth: u64) -> Reaction {
        let situation = Situation {
            entry: entry(name),
            condition,
            elapsed: Duration::from_secs(seconds),
        };
        situation.act(&Request::parse(request.as_bytes()).unwrap(), nth)
    }

    fn status(act: &Reaction) -> u16 {
        match act {
            Reaction::Respond { response, .. } => response.status,
            other => panic!("no answer but {other:?}"),
        }
    }

    const HEAD: &str = "HEAD / HTTP/1.1\r\n\r\n";

    #[test]
    fn every_site_is_well_once_mended_and_fails_once_broken() {
        for entry in SITES {
            let mut situation = Situation {
                entry,
                condition: Condition::Mended,
                elapsed: Duration::from_secs(45),
            };
            let request = format!("GET {} HTTP/1.1\r\n\r\n", entry.path);
            let request = Request::parse(request.as_bytes()).unwrap();
            let Reaction::Respond { after, response } = situation.act(&request, 3) else {
                panic!("{} does not answer", entry.name)
            };
            assert_eq!(response.status, 200, "{}", entry.name);
            assert!(after < Duration::from_millis(500), "{}", entry.name);
            assert!(response.body.contains(entry.contains.unwrap_or_default()));
            assert_eq!(situation.refuses(), (false, None));
            assert_eq!(situation.certificate(), CertificateKind::Good);

            situation.condition = Condition::Broken;
            match situation.refuses() {
                (true, None) => assert!(entry.behaviour.is_below_http(), "{}", entry.name),
                (false, None) => assert_eq!(status(&situation.act(&request, 3)), 503),
                (_, Some(_)) => panic!("a broken site waits for nothing: {}", entry.name),
            }
        }
    }

    #[test]
    fn redirects_take_as_many_hops_as_the_table_says() {
        let location = |name, path: &str, seconds| {
            let request = format!("HEAD {path} HTTP/1.1\r\n\r\n");
            match act_at(name, Condition::Natural, seconds, &request, 0) {
                Reaction::Respond { response, .. } => response.location,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(location("www", "/", 0), Some("/home"));
        assert_eq!(location("www", "/home", 0), None);
        assert_eq!(location("login", "/", 0), Some("/session"));
        assert_eq!(location("login", "/session", 0), Some("/welcome"));
        assert_eq!(location("login", "/welcome", 0), None);
        assert_eq!(location("forum", "/", 165), Some("/again"));
        assert_eq!(location("forum", "/again", 165), Some("/"));
        assert_eq!(location("forum", "/", 10), None);
    }

    #[test]
    fn faults_come_and_go_by_the_clock() {
        let natural = |name, seconds| act_at(name, Condition::Natural, seconds, HEAD, 1);
        assert_eq!(status(&natural("wiki", 39)), 200);
        assert_eq!(status(&natural("wiki", 41)), 503);
        assert_eq!(status(&natural("wiki", 61)), 200);
        assert_eq!(natural("upload", 215), Reaction::Close);
        assert_eq!(natural("video", 265), Reaction::Drip);
        assert_eq!(natural("pay", 0), Reaction::Hang);
        let chat = |seconds| Situation {
            entry: entry("chat"),
            condition: Condition::Natural,
            elapsed: Duration::from_secs(seconds),
        };
        assert_eq!(chat(0).refuses(), (false, Some(Duration::from_secs(25))));
        assert_eq!(chat(30).refuses(), (true, Some(Duration::from_secs(10))));
        let search = |seconds| act_at("search", Condition::Natural, seconds, HEAD, 1);
        assert_ne!(search(0), search(65));
    }

    #[test]
    fn head_alone_is_refused_where_the_table_says_so() {
        let get = "GET /receive HTTP/1.1\r\n\r\n";
        assert_eq!(
            status(&act_at("hooks", Condition::Natural, 0, HEAD, 0)),
            405
        );
        assert_eq!(status(&act_at("hooks", Condition::Natural, 0, get, 0)), 200);
    }

    #[test]
    fn one_in_eight_means_about_one_in_eight() {
        let failed = (0..8_000)
            .filter(|nth| status(&act_at("news", Condition::Natural, 0, HEAD, *nth)) == 503)
            .count();
        assert!((800..1_200).contains(&failed), "{failed} of 8000");
    }

    #[test]
    fn a_leak_slows_a_site_until_it_starts_afresh_and_jitter_stays_in_its_bounds() {
        let after = |name, seconds, nth| match act_at(name, Condition::Natural, seconds, HEAD, nth)
        {
            Reaction::Respond { after, .. } => after.as_millis(),
            other => panic!("{other:?}"),
        };
        assert_eq!(after("queue", 120, 5) - after("queue", 0, 5), 440);
        assert_eq!(after("queue", 300, 5), after("queue", 0, 5));
        let spread: Vec<_> = (0..200).map(|nth| after("maps", 0, nth)).collect();
        assert!(spread.iter().all(|ms| (40..=430).contains(ms)));
        assert!(spread.iter().max().unwrap() - spread.iter().min().unwrap() > 300);
    }
}
