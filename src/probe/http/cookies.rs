//! Cookies that a server sets on the way to its answer (RFC 6265), kept within one check.
//!
//! Some gates answer with a cookie and a redirect to the same place, and again without end to
//! whoever does not bring the cookie back.

use url::Url;

/// The most that are kept, and the most bytes of one with its name.
const MOST_COOKIES: usize = 32;
const MOST_BYTES: usize = 4 * 1024;

/// The most bytes that are sent with one request.
const MOST_SENT: usize = 8 * 1024;

/// The cookies of one check.
#[derive(Debug, Default)]
pub(super) struct Cookies(Vec<Cookie>);

#[derive(Debug, PartialEq, Eq)]
struct Cookie {
    name: Box<str>,
    value: Box<str>,
    /// The host that set the cookie, in lower case.
    host: Box<str>,
    /// Whether it goes to the hosts below as well.
    below: bool,
    path: Box<str>,
    /// Whether it goes over TLS alone.
    secure: bool,
}

impl Cookies {
    /// Keeps what `url` sets by the value of a `Set-Cookie` field; what cannot be read, or is
    /// for a foreign host, is not kept.
    pub(super) fn set(&mut self, url: &Url, field: &[u8]) {
        let Some(cookie) = std::str::from_utf8(field)
            .ok()
            .and_then(|field| Cookie::read(url, field))
        else {
            return;
        };
        let Parsed { cookie, ends } = cookie;
        self.0.retain(|kept| {
            (&kept.name, &kept.host, &kept.path) != (&cookie.name, &cookie.host, &cookie.path)
        });
        if !ends && self.0.len() < MOST_COOKIES {
            self.0.push(cookie);
        }
    }

    /// The value of the `Cookie` field of a request to `url`; `None` if no cookie belongs there.
    pub(super) fn sent_to(&self, url: &Url) -> Option<String> {
        let mut sent = String::new();
        for cookie in self.0.iter().filter(|cookie| cookie.belongs_to(url)) {
            if sent.len() + cookie.name.len() + cookie.value.len() > MOST_SENT {
                break;
            }
            if !sent.is_empty() {
                sent.push_str("; ");
            }
            sent.push_str(&cookie.name);
            sent.push('=');
            sent.push_str(&cookie.value);
        }
        (!sent.is_empty()).then_some(sent)
    }
}

struct Parsed {
    cookie: Cookie,
    /// Whether it is to be forgotten.
    ends: bool,
}

impl Cookie {
    fn read(url: &Url, field: &str) -> Option<Parsed> {
        let mut parts = field.split(';').map(str::trim);
        let (name, value) = parts.next()?.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        let plain = |text: &str| text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if name.is_empty() || !plain(name) || !plain(value) || field.len() > MOST_BYTES {
            return None;
        }
        let host = url.host_str()?.to_ascii_lowercase();
        let mut cookie = Self {
            name: name.into(),
            value: value.into(),
            host: host.clone().into(),
            below: false,
            path: folder(url.path()).into(),
            secure: false,
        };
        let mut ends = false;
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            match key.trim().to_ascii_lowercase().as_str() {
                "domain" => {
                    let domain = value.trim().trim_start_matches('.').to_ascii_lowercase();
                    if domain.is_empty() {
                        continue;
                    }
                    // Of a name with one label everybody would get it.
                    if !is_at_or_below(&host, &domain) || (domain != host && !domain.contains('.'))
                    {
                        return None;
                    }
                    cookie.below = url.domain().is_some();
                    cookie.host = domain.into();
                }
                "path" if value.trim().starts_with('/') => cookie.path = value.trim().into(),
                "secure" => cookie.secure = true,
                "max-age" => ends |= value.trim().parse::<i64>().is_ok_and(|age| age <= 0),
                _ => {}
            }
        }
        Some(Parsed { cookie, ends })
    }

    fn belongs_to(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
        let at_host = *host == *self.host || (self.below && is_at_or_below(&host, &self.host));
        let rest = url.path().strip_prefix(&*self.path);
        let in_path = rest.is_some_and(|rest| {
            rest.is_empty() || rest.starts_with('/') || self.path.ends_with('/')
        });
        at_host && in_path && (!self.secure || url.scheme() == "https")
    }
}

fn is_at_or_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The path of the folder that a path is in, without the slash at its end (section 5.1.4).
fn folder(path: &str) -> &str {
    match path.rfind('/') {
        None | Some(0) => "/",
        Some(end) => &path[..end],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_cookie_comes_back_to_whom_it_belongs_and_to_nobody_else() {
        let mut cookies = Cookies::default();
        let set = |cookies: &mut Cookies, field: &str| {
            cookies.set(&url("https://www.a.example/x/y"), field.as_bytes());
        };
        set(&mut cookies, "gate=1; Path=/; HttpOnly");
        set(&mut cookies, "all=2; Domain=.a.example; Path=/");
        set(&mut cookies, "tls=3; Secure; Path=/");
        set(&mut cookies, "here=4");
        set(&mut cookies, "foreign=5; Domain=b.example");
        set(&mut cookies, "greedy=6; Domain=example");
        set(&mut cookies, "nameless");
        let to = |cookies: &Cookies, text: &str| cookies.sent_to(&url(text)).unwrap_or_default();
        assert_eq!(
            to(&cookies, "https://www.a.example/x/z"),
            "gate=1; all=2; tls=3; here=4"
        );
        assert_eq!(to(&cookies, "http://www.a.example/xy"), "gate=1; all=2");
        assert_eq!(to(&cookies, "http://a.example/"), "all=2");
        assert_eq!(to(&cookies, "http://b.example/"), "");
        set(&mut cookies, "gate=7; Path=/");
        set(&mut cookies, "all=; Domain=a.example; Path=/; Max-Age=0");
        assert_eq!(to(&cookies, "http://www.a.example/"), "gate=7");
    }

    #[test]
    fn there_is_an_end_to_cookies_and_to_their_size() {
        let mut cookies = Cookies::default();
        for number in 0..500 {
            let field = format!("c{number}={}", "x".repeat(1_000));
            cookies.set(&url("http://a.example/"), field.as_bytes());
        }
        cookies.set(&url("http://b.example/"), "x".repeat(99_999).as_bytes());
        assert_eq!(cookies.0.len(), MOST_COOKIES);
        let sent = cookies.sent_to(&url("http://a.example/")).unwrap();
        assert!(sent.len() <= MOST_SENT + 100, "{}", sent.len());
    }
}
