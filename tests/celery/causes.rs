//! Why a broker cannot be used: each cause in words of our own, true, and the same at every try.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::symlink;

use crate::support::{CertKind, Fleet, Redis, Squirrel, until};

use super::refusals::Heard;
use super::secure::behind_tls;

/// What a worker says first of this broker.
fn first_sentence(broker: &str) -> String {
    let worker = Heard::start(broker);
    worker.until_said("\n");
    let said = worker.said();
    drop(worker.running);
    said.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn what_is_at_the_path_of_a_socket_is_named() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name).display().to_string();
    fs::write(at("file"), "").unwrap();
    fs::create_dir(at("folder")).unwrap();
    // A socket that nobody listens on any more.
    drop(std::os::unix::net::UnixListener::bind(at("left")).unwrap());
    for (name, why) in [
        ("none", "there is no such file"),
        ("folder", "it is a folder, not a socket"),
        ("file", "it is a file, not a socket"),
        ("file/r.sock", "a part of its path is a file, not a folder"),
        ("left", "connection refused"),
    ] {
        let url = format!("redis+socket://{}", at(name));
        let sentence = format!("squirrel: no broker at {url}: {why}; trying again");
        assert_eq!(first_sentence(&url), sentence);
    }
}

/// A web server that takes whatever is said for a bad request; it lasts as long as the test.
fn web_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // The client may be gone before it is answered.
            let _ = stream.read(&mut [0; 256]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        }
    });
    address
}

#[test]
fn what_answers_in_place_of_a_broker_is_named_without_words_of_a_library() {
    let fleet = Fleet::new();
    let web = web_server();
    let redis = Redis::new();
    let secure = behind_tls(&fleet, &redis, CertKind::Good);
    let sentinel = Redis::sentinel(&["port 0"]);
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let known = Redis::sentinel(&[&format!("port {port}")]);
    for (url, why) in [
        (
            format!("redis://{web}"),
            "a web server answers there, not Redis".to_owned(),
        ),
        (
            format!("redis://127.0.0.1:{secure}"),
            "it speaks nothing but TLS on this port (rediss://)".to_owned(),
        ),
        (
            "redis://nonexistent.invalid".to_owned(),
            "the name ".to_owned(),
        ),
        (
            format!("sentinel://127.0.0.1:{port}?master_name=zz"),
            "the Sentinels know no server of the name \"zz\"".to_owned(),
        ),
    ] {
        let said = first_sentence(&url);
        let shown = url.split('?').next().unwrap_or_default();
        let sentence = format!("squirrel: no broker at {shown}: {why}");
        assert!(said.starts_with(&sentence), "{said}");
        assert!(!said.contains("lookup"), "{said}");
    }
    drop((sentinel, known));
}

#[test]
fn a_broker_that_wants_a_password_says_the_same_at_every_try() {
    let redis = Redis::new();
    let mut admin = redis.connection();
    for words in [
        ["CONFIG", "SET", "requirepass", "x"].as_slice(),
        &["AUTH", "x"],
        &["CONFIG", "RESETSTAT"],
    ] {
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]).query::<()>(&mut admin).unwrap();
    }
    let url = redis.url().expose().to_owned();
    let worker = Heard::start(&url);
    until("it has tried for some time", || {
        connections(&mut admin) >= 25
    });
    let sentence = format!("squirrel: no broker at {url}: it wants a password; trying again\n");
    assert_eq!(worker.said(), sentence);
    drop(worker.running);
}

#[test]
fn tls_to_a_server_without_it_says_the_same_at_every_try() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port().to_string();
    drop(free);
    let redis = Redis::with(&["--port", &port, "--bind", "127.0.0.1"]);
    let mut admin = redis.connection();
    let url = format!("rediss://127.0.0.1:{port}");
    let worker = Heard::start(&url);
    until("it has tried for some time", || {
        connections(&mut admin) >= 40
    });
    let why = "it does not speak TLS on this port (redis://)";
    let sentence = format!("squirrel: no broker at {url}: {why}; trying again\n");
    assert_eq!(worker.said(), sentence);
    drop(worker.running);
}

/// How many clients the server has had.
fn connections(admin: &mut redis::Connection) -> u32 {
    let stats: String = redis::cmd("INFO").arg("stats").query(admin).unwrap();
    let number = stats
        .lines()
        .find_map(|line| line.strip_prefix("total_connections_received:"));
    number.unwrap().trim().parse().unwrap()
}

#[test]
fn a_file_of_certificates_that_holds_none_is_a_mistake_at_the_start() {
    let fleet = Fleet::new();
    let home = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = home.path().join(name).display().to_string();
        fs::write(&path, text).unwrap();
        path
    };
    let garbage = write("garbage", "\u{1}\u{2} nothing of the kind");
    let hollow = write(
        "hollow",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    let ca = write("ca.pem", &fleet.certificates().ca_pem());
    let (certificate, key) = fleet.certificates().pair_pem();
    let (certificate, key) = (write("pair.pem", &certificate), write("key.pem", &key));
    let folder = home.path().display().to_string();
    for (query, file, why) in [
        (
            format!("ssl_ca_certs={garbage}"),
            &garbage,
            "it holds no certificate in PEM form",
        ),
        (
            format!("ssl_ca_certs={key}"),
            &key,
            "it holds no certificate in PEM form",
        ),
        (
            format!("ssl_ca_certs={hollow}"),
            &hollow,
            "a certificate in it cannot be used",
        ),
        (format!("ssl_ca_certs={folder}"), &folder, "it is a folder"),
        (
            "ssl_ca_certs=/nonexistent".to_owned(),
            &"/nonexistent".to_owned(),
            "there is no such file",
        ),
        (
            format!("ssl_certfile={garbage}&ssl_keyfile={garbage}"),
            &garbage,
            "it holds no certificate in PEM form",
        ),
        (
            format!("ssl_certfile={certificate}&ssl_keyfile={garbage}"),
            &garbage,
            "it holds no private key in PEM form",
        ),
        (
            format!("ssl_certfile={ca}&ssl_keyfile={key}"),
            &key,
            "it is not the key of the certificate",
        ),
    ] {
        let url = format!("rediss://127.0.0.1:1/0?{query}");
        let finished = Squirrel::new().run(["worker", "--broker", &url]);
        finished.assert_no_panic();
        let said = (finished.code(), &*finished.stderr);
        let sentence = format!("squirrel: {file}: cannot be read: {why}\n");
        assert_eq!(said, (2, &*sentence), "{query}");
    }
}

#[test]
fn a_broker_of_ones_own_says_what_its_folder_is_before_it_announces_itself() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name).display().to_string();
    fs::write(at("file"), "").unwrap();
    symlink(home.path(), at("link")).unwrap();
    for (name, why) in [
        ("file", "it is a file, not a folder"),
        ("link", "it is a link"),
        ("file/below", "a part of its path is a file, not a folder"),
    ] {
        let finished = Squirrel::new().run(["broker", "--folder", &at(name)]);
        let sentence = format!(
            "squirrel: no place for the broker's data at {}: {why}\n",
            at(name)
        );
        let said = (&*finished.stdout, &*finished.stderr);
        assert_eq!(said, (b"".as_slice(), &*sentence));
    }
}
