//! The check kind http: requests over HTTP/1.1 (RFC 9112) and HTTP/2 (RFC 9113).
//!
//! [`check`] asks until an answer decides: by HEAD, by GET, at the targets of redirects.
//! [`exchange`] carries one request out over the path of all check kinds; [`http1`] and
//! [`http2`] speak the protocols, and [`body`] judges what is in an answer.

mod assertion_cache;
mod body;
mod body_buffer;
mod body_reader;
mod bounded;
mod check;
mod cookies;
mod decode;
mod exchange;
mod exchange_error;
mod fields;
mod head;
mod head_courtesy;
mod head_memory;
mod http1;
mod http2;
mod json;
mod json_tree;
mod json_value;
mod redirect;
mod request;
mod text_reader;
mod transfer;

pub(super) use assertion_cache::AssertionCache;
pub(super) use body_buffer::BufferPool;
pub(super) use check::{answer, check};
pub(super) use exchange_error::ExchangeError;
pub(super) use head_memory::HeadMemory;
