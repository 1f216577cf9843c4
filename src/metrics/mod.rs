//! The endpoint for Prometheus: the state of every site, under the names of blackbox_exporter,
//! in the text format 0.0.4.
//!
//! ```text
//! scraper -> endpoint (its own thread) -> question -> the loop, a page of sites at a time
//!            exposition: rows to text  <- page     <-
//! ```
//!
//! The loop owns the state. It gives out pages of pointers, never text, so that a scrape of very
//! many sites delays no check; what takes time is done on the endpoint's thread.
//!
//! Architecture invariant: nothing here checks a site or stores anything.

mod address;
mod endpoint;
mod exposition;
mod page;
mod scrape;

pub use address::{AddressError, listen_address};
pub use endpoint::{BindError, Endpoint};
pub use exposition::Exposition;
pub use page::{ChannelMetrics, MetricsPage, MetricsQuestion, MonitorMetrics, PAGE, SiteMetrics};
