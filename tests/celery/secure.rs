//! TLS to the broker, verified.

use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio::net::{TcpListener, UnixStream};
use tokio_rustls::TlsAcceptor;

use super::sender::Worker;
use crate::support::{CertKind, Fleet, Redis, Script, Squirrel};

/// A port on which a Redis server is behind TLS.
pub(crate) fn behind_tls(fleet: &Fleet, redis: &Redis, kind: CertKind) -> u16 {
    let acceptor = TlsAcceptor::from(Arc::clone(&fleet.certificates().server(kind)));
    let socket = redis.socket();
    fleet.block_on(async move {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, socket) = (acceptor.clone(), socket.clone());
                tokio::spawn(async move {
                    // A client that does not trust the certificate disconnects.
                    let Ok(mut secure) = acceptor.accept(stream).await else {
                        return;
                    };
                    let mut plain = UnixStream::connect(socket).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut secure, &mut plain).await;
                });
            }
        });
        port
    })
}

#[test]
fn a_broker_behind_tls_is_used_if_it_is_trusted_and_not_otherwise() {
    let redis = Redis::new();
    let mut fleet = Fleet::new();
    let script: Script =
        toml::from_str(r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']").unwrap();
    let server = fleet.serve(script);
    let site = format!("http://{}/", server.authority);
    for (kind, name, good) in [
        (CertKind::Good, "localhost", true),
        (CertKind::UnknownIssuer, "localhost", false),
        (CertKind::WrongHost, "localhost", false),
        (CertKind::Expired, "localhost", false),
    ] {
        let port = behind_tls(&fleet, &redis, kind);
        let url = format!("rediss://{name}:{port}/0");
        let squirrel = Squirrel::new();
        squirrel.write("ca.pem", fleet.certificates().ca_pem());
        let trust = format!("SSL_CERT_FILE={}", squirrel.dir().join("ca.pem").display());
        let squirrel = squirrel.through(["/usr/bin/env", &trust]);
        let worker = squirrel.start(["worker", "--broker", &url]);
        let finished = squirrel.run([
            "check",
            "--paradigm",
            "celery",
            "--broker",
            &url,
            "--format",
            "json",
            &site,
        ]);
        finished.assert_no_panic();
        drop(worker);
        if good {
            assert_eq!(finished.code(), 0, "{}", finished.stderr);
            assert_eq!(finished.objects()[0]["verdict"], "up");
        } else {
            assert_eq!(finished.code(), 3, "{}", finished.stderr);
            let said = &finished.stderr;
            assert!(
                said.starts_with("squirrel: no broker at rediss://"),
                "{said}"
            );
            let end = "its certificate is not to be trusted\n";
            assert!(said.ends_with(end) && said.lines().count() == 1, "{said}");
        }
    }
}

/// Redis's own TLS, which wants certificates of its clients.
#[test]
fn a_broker_that_wants_certificates_of_its_clients_gets_them() {
    let mut fleet = Fleet::new();
    let script: Script =
        toml::from_str(r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']").unwrap();
    let server = fleet.serve(script);
    let site = format!("http://{}/", server.authority);
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name).display().to_string();
        std::fs::write(&path, text).unwrap();
        path
    };
    let ca = write("ca.pem", &fleet.certificates().ca_pem());
    let (certificate, key) = fleet.certificates().pair_pem();
    let (certificate, key) = (write("pair.pem", &certificate), write("key.pem", &key));
    let free = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = free.local_addr().unwrap().port().to_string();
    drop(free);
    let _redis = Redis::with(&[
        "--tls-port",
        &port,
        "--bind",
        "127.0.0.1",
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &ca,
        "--tls-auth-clients",
        "yes",
    ]);
    let pair = format!("ssl_certfile={certificate}&ssl_keyfile={key}");
    for (query, complaint) in [
        (format!("ssl_ca_certs={ca}&{pair}"), None),
        (format!("ssl_cert_reqs=none&{pair}"), None),
        (
            format!("ssl_ca_certs={ca}"),
            Some("it wants a certificate of its clients (ssl_certfile)"),
        ),
        (pair.clone(), Some("its certificate is not to be trusted")),
        (
            format!("ssl_ca_certs={ca}&ssl_certfile={certificate}"),
            Some("\"ssl_certfile\" and \"ssl_keyfile\" in the broker's URL belong together"),
        ),
        (
            format!("ssl_ca_certs=/nowhere/ca.pem&{pair}"),
            Some("/nowhere/ca.pem: cannot be read: there is no such file"),
        ),
    ] {
        let url = format!("rediss://127.0.0.1:{port}/0?{query}");
        let worker = complaint.is_none().then(|| Worker::at(&url, "ours", &[]));
        let words = [
            "check",
            "--paradigm",
            "celery",
            "--format",
            "json",
            "--broker",
        ];
        let finished = Squirrel::new().run(words.into_iter().chain([&*url, &site]));
        finished.assert_no_panic();
        match complaint {
            None => assert_eq!(finished.code(), 0, "{query}: {}", finished.stderr),
            Some(complaint) => {
                assert!([2, 3].contains(&finished.code()), "{query}");
                let said = &finished.stderr;
                assert!(said.trim_end().ends_with(complaint), "{query}: {said}");
            }
        }
        drop(worker);
    }
}
