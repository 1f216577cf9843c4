//! A request as it is written.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::header::{HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use url::{Position, Url};

use crate::domain::{Authorization, CheckSpec, ConnectionOptions, Method, RequestHeader};

/// One request of a check.
#[derive(Clone, Copy, Debug)]
pub(super) struct HttpRequest<'a> {
    pub(super) method: Method,
    pub(super) url: &'a Url,
    pub(super) spec: &'a CheckSpec,
    /// The value of the `Cookie` field.
    pub(super) cookie: Option<&'a str>,
    /// Whether it goes to the origin of the site, which alone gets the fields of its owner.
    pub(super) at_home: bool,
    /// How its server is reached.
    pub(super) connection: &'a ConnectionOptions,
    /// What is sent behind the head.
    pub(super) body: Option<&'a str>,
}

impl HttpRequest<'_> {
    /// The bytes of the request over HTTP/1.1 (RFC 9112 section 3).
    pub(super) fn over_http1(&self) -> Vec<u8> {
        let mut head = String::with_capacity(256);
        head.push_str(self.method.word());
        head.push(' ');
        // To an origin server the target is the path and query alone (section 3.2.1).
        head.push_str(&self.url[Position::BeforePath..Position::AfterQuery]);
        head.push_str(" HTTP/1.1\r\nHost: ");
        head.push_str(self.authority());
        head.push_str("\r\n");
        self.fields(|name, value| {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        });
        head.push_str("\r\n");
        head.push_str(self.body.unwrap_or_default());
        head.into_bytes()
    }

    /// The request over HTTP/2, where names are in lower case (RFC 9113 section 8.2.1); `None`
    /// if the URL cannot be asked for.
    pub(super) fn over_http2(&self) -> Option<hyper::Request<()>> {
        let mut request = hyper::Request::new(());
        *request.method_mut() = match self.method {
            Method::Head => hyper::Method::HEAD,
            Method::Get => hyper::Method::GET,
            Method::Post => hyper::Method::POST,
            Method::Put => hyper::Method::PUT,
            Method::Patch => hyper::Method::PATCH,
            Method::Delete => hyper::Method::DELETE,
            Method::Options => hyper::Method::OPTIONS,
        };
        *request.version_mut() = hyper::Version::HTTP_2;
        let target = &self.url[Position::BeforePath..Position::AfterQuery];
        *request.uri_mut() = hyper::Uri::builder()
            .scheme(self.url.scheme())
            .authority(self.authority())
            .path_and_query(target)
            .build()
            .ok()?;
        let fields = request.headers_mut();
        self.fields(|name, value| {
            if let (Ok(name), Ok(value)) = (
                HeaderName::from_bytes(name.as_bytes()),
                HeaderValue::from_str(value),
            ) {
                fields.append(name, value);
            }
        });
        Some(request)
    }

    /// The host, and the port where it is not the scheme's own.
    fn authority(&self) -> &str {
        &self.url[Position::BeforeHost..Position::AfterPort]
    }

    /// All fields but the host.
    fn fields(&self, mut add: impl FnMut(&str, &str)) {
        let options = self.spec.options();
        let own = if self.at_home { &*options.headers } else { &[] };
        let find = |name: &str| {
            let mut own = own.iter();
            let found = own.find(|header| header.name.eq_ignore_ascii_case(name));
            found.map(|header| header.value.expose())
        };
        if find("Accept").is_none() {
            add("Accept", "*/*");
        }
        let agent = &*self.spec.user_agent;
        if find("User-Agent").is_none()
            && agent
                .bytes()
                .all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
        {
            add("User-Agent", agent);
        }
        let of_owner = options.authorization.as_ref().filter(|_| self.at_home);
        let of_owner = of_owner.map(authorization);
        if let Some(credentials) = of_owner.or_else(|| credentials(self.url))
            && find("Authorization").is_none()
        {
            add("Authorization", &credentials);
        }
        let cookies = [find("Cookie"), self.cookie];
        if cookies.iter().any(Option::is_some) {
            let cookies: Vec<&str> = cookies.into_iter().flatten().collect();
            add("Cookie", &cookies.join("; "));
        }
        for RequestHeader { name, value } in own {
            if !name.eq_ignore_ascii_case("Cookie") {
                add(name, value.expose());
            }
        }
        match self.body {
            Some(body) => add("Content-Length", &body.len().to_string()),
            // Where a body is usual, none is said to be none (RFC 9110 section 8.6).
            None if matches!(self.method, Method::Post | Method::Put | Method::Patch) => {
                add("Content-Length", "0");
            }
            None => {}
        }
        if self.spec.reads_the_body() && find("Accept-Encoding").is_none() {
            // A body that is searched is wanted as it is, which keeps bombs out as well.
            add("Accept-Encoding", "identity");
        }
    }
}

/// The credentials as RFC 6750 or RFC 7617 sends them.
fn authorization(authorization: &Authorization) -> String {
    match authorization {
        Authorization::Bearer(token) => format!("Bearer {}", token.expose()),
        Authorization::Basic { user, password } => {
            let pair = format!("{}:{}", user.expose(), password.expose());
            format!("Basic {}", BASE64_STANDARD.encode(pair))
        }
    }
}

/// The user and password of a URL as RFC 7617 sends them.
fn credentials(url: &Url) -> Option<String> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut pair: Vec<u8> = percent_decode_str(url.username()).collect();
    pair.push(b':');
    pair.extend(percent_decode_str(url.password().unwrap_or_default()));
    Some(format!("Basic {}", BASE64_STANDARD.encode(pair)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::MaskedUrl;

    #[test]
    fn a_request_is_written_as_the_standard_says() {
        let spec = CheckSpec {
            user_agent: "agent".into(),
            ..CheckSpec::new(MaskedUrl::new("http://a%40:b@Example.org:80/p%20q?r=s#t"))
        };
        let url = spec.url.parsed().unwrap();
        let request = HttpRequest {
            method: Method::Head,
            url,
            spec: &spec,
            cookie: Some("c=d"),
            at_home: true,
            connection: ConnectionOptions::NONE,
            body: None,
        };
        assert_eq!(
            String::from_utf8(request.over_http1()).unwrap(),
            "HEAD /p%20q?r=s HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\nUser-Agent: agent\r\n\
             Authorization: Basic YUA6Yg==\r\nCookie: c=d\r\n\r\n"
        );
        let http2 = request.over_http2().unwrap();
        assert_eq!(http2.uri().to_string(), "http://example.org/p%20q?r=s");
        assert_eq!(http2.headers()["authorization"], "Basic YUA6Yg==");
    }
}
