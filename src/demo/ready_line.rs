//! The line of JSON that a server prints when it is ready.

use std::io;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

/// The ready line of the demo sites.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DemoReady {
    /// A complete `sites.toml`; its `ca_file` is `demo-ca.pem`, beside it.
    pub sites_toml: String,
    /// The certificate authority that vouches for the TLS sites, as PEM.
    pub ca_pem: String,
}

/// The ready line of the server for measurements.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LoadServerReady {
    /// The addresses that it listens on.
    pub addresses: Vec<SocketAddr>,
}

/// The name under which `sites_toml` expects the authority's certificate.
pub(super) const CA_FILE: &str = "demo-ca.pem";

/// The name of the file with [`DemoReady::sites_toml`].
pub(super) const CONFIG_FILE: &str = "sites.toml";

/// Writes `ready` as one line of JSON.
pub(super) async fn say(
    ready: &impl Serialize,
    out: &mut (impl AsyncWrite + Unpin),
) -> io::Result<()> {
    let mut line = serde_json::to_vec(ready)?;
    line.push(b'\n');
    out.write_all(&line).await?;
    out.flush().await
}
