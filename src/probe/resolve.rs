//! Names to addresses, inside the runtime of the check: no hidden resolver threads.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::Name as DnsName;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::OnceCell;

use super::phase_timings;

/// The configuration of the system's resolver, read once.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    config: ResolverConfig,
    options: ResolverOpts,
}

impl Settings {
    /// Reads the system's configuration; without one, asks a name server on this machine,
    /// which is what the C library does.
    pub(super) fn system() -> Self {
        let (config, mut options) = hickory_resolver::system_conf::read_system_conf()
            .unwrap_or_else(|error| {
                tracing::warn!(%error, "no resolver configuration: asking 127.0.0.1");
                let local =
                    hickory_resolver::config::NameServerConfig::udp_and_tcp(IpAddr::from([
                        127, 0, 0, 1,
                    ]));
                let config = ResolverConfig::from_parts(None, Vec::new(), vec![local]);
                (config, ResolverOpts::default())
            });
        // A monitor that remembers a name, or its absence, sees a change of it too late.
        options.cache_size = 0;
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        options.num_concurrent_reqs = 1;
        // The default of 32 would refuse the 33rd query at once.
        options.max_active_requests = 65_536;
        Self { config, options }
    }
}

/// The resolver of one runtime. Made for the first host name: lists of literal
/// addresses need none.
#[derive(Clone, Debug)]
pub(super) struct Resolver {
    settings: Arc<Settings>,
    resolver: Arc<OnceCell<TokioResolver>>,
}

impl Resolver {
    pub(super) fn new(settings: Arc<Settings>) -> Self {
        Self {
            settings,
            resolver: Arc::new(OnceCell::new()),
        }
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, NetError> {
        let resolver = self
            .resolver
            .get_or_try_init(|| async {
                let Settings { config, options } = Settings::clone(&self.settings);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
                    .with_options(options)
                    .build()
            })
            .await?;
        // Names with an underscore exist; only the ASCII reading takes them.
        let name = DnsName::from_ascii(host).map_err(NetError::from)?;
        let found = resolver.lookup_ip(name).await?;
        Ok(found.iter().collect())
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let this = self.clone();
        Box::pin(async move {
            phase_timings::dns_started();
            let addresses = this
                .addresses(name.as_str())
                .await
                .map_err(|error| Box::new(error) as Box<dyn Error + Send + Sync>)?;
            phase_timings::dns_ended(&addresses);
            let sockets = addresses
                .into_iter()
                .map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(sockets) as Addrs)
        })
    }
}
