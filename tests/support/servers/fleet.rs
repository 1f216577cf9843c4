//! The servers of many scenarios, on one runtime.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::super::{Certificates, Scenario, Script};
use super::Count;
use super::listen::{Port, take};
use super::play::{Stage, connection};

/// One server that runs.
pub(crate) struct Server {
    /// Where it is.
    pub(crate) address: SocketAddr,
    /// Host and port as they stand in a URL.
    pub(crate) authority: String,
    /// What it saw.
    pub(crate) count: Arc<Count>,
    script: watch::Sender<Arc<Script>>,
}

impl Server {
    /// Answers as `script` says from now on; connections under way are served as before.
    pub(crate) fn play(&self, script: Script) {
        self.script.send_replace(Arc::new(script));
    }
}

/// Servers that run until this is dropped.
pub(crate) struct Fleet {
    runtime: Option<Runtime>,
    certificates: Certificates,
    gate: watch::Sender<bool>,
    /// Ports that nobody serves.
    held: Vec<Port>,
}

impl Fleet {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("fleet")
            .enable_all()
            .build()
            .unwrap();
        Self {
            runtime: Some(runtime),
            certificates: Certificates::new(),
            gate: watch::Sender::new(false),
            held: Vec::new(),
        }
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().unwrap()
    }

    /// Runs `future` among the servers.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime().block_on(future)
    }

    /// The authority behind the certificates.
    pub(crate) fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// Lets every answer go on that waits at a gate.
    pub(crate) fn open_gate(&self) {
        self.gate.send_replace(true);
    }

    /// Starts one server.
    pub(crate) fn serve(&mut self, script: Script) -> Server {
        let mut servers = self.serve_all(BTreeMap::from([("main".to_owned(), script)]));
        servers.remove("main").unwrap()
    }

    /// Starts the servers of `scenario`, by name.
    pub(crate) fn play(&mut self, scenario: &Scenario) -> BTreeMap<String, Server> {
        let mut scripts = scenario.servers.clone();
        if let Some(main) = &scenario.server {
            scripts.insert("main".to_owned(), main.clone());
        }
        self.serve_all(scripts)
    }

    fn serve_all(&mut self, scripts: BTreeMap<String, Script>) -> BTreeMap<String, Server> {
        // Every port is taken before any server starts, for they name each other.
        let taken: Vec<_> = scripts
            .into_iter()
            .map(|(name, script)| {
                let host = script
                    .host
                    .clone()
                    .unwrap_or_else(|| "127.0.0.1".to_owned());
                let (port, address) = self.block_on(take(&host, script.listen));
                let authority = format!("{host}:{}", address.port());
                (name, script, port, address, authority)
            })
            .collect();
        let names: Vec<_> = taken
            .iter()
            .map(|(name, .., authority)| (name.clone(), authority.clone()))
            .collect();
        let mut servers = BTreeMap::new();
        for (name, script, port, address, authority) in taken {
            let count = Arc::new(Count::new());
            let tls = script.tls.map(|kind| {
                let mut config = self.certificates.server(kind);
                if script.http2 {
                    Arc::make_mut(&mut config).alpn_protocols = vec![b"h2".to_vec()];
                }
                TlsAcceptor::from(config)
            });
            let script = watch::Sender::new(Arc::new(script));
            let stage = Stage {
                tls,
                script: script.subscribe(),
                count: Arc::clone(&count),
                names: names.clone(),
                gate: self.gate.subscribe(),
            };
            match port {
                Port::Open(listener) => {
                    self.runtime().spawn(accept(listener, Arc::new(stage)));
                }
                other => self.held.push(other),
            }
            servers.insert(
                name,
                Server {
                    address,
                    authority,
                    count,
                    script,
                },
            );
        }
        servers
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Servers that hang on purpose are not waited for.
            runtime.shutdown_background();
        }
    }
}

async fn accept(listener: tokio::net::TcpListener, stage: Arc<Stage>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors for a moment: the next one is tried when another has ended.
            tokio::task::yield_now().await;
            continue;
        };
        let stage = Arc::clone(&stage);
        tokio::spawn(async move { connection(&stage, stream).await });
    }
}
