//! HTTP/1.1 on a connection (RFC 9112).

use hyper::client::conn::http1;
use hyper::rt::{Read, Write};
use hyper::{Request, Uri};

use super::bounded::{Bound, Bounded, MOST_HEAD};
use super::{Answer, AskError, Driver};

/// Speaks HTTP/1.1 until the head of the answer is here.
pub(super) async fn talk<T>(
    io: Bounded<T>,
    bound: &Bound,
    mut request: Request<String>,
) -> Result<Answer, AskError>
where
    T: Read + Write + Unpin + Send + 'static,
{
    // To an origin server the target is the path and query alone (section 3.2.1).
    if let Some(target) = request.uri().path_and_query() {
        *request.uri_mut() = Uri::from(target.clone());
    }
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MOST_HEAD)
        .handshake(io)
        .await
        .map_err(AskError::Exchange)?;
    let driver: Driver = Box::pin(async move {
        // What it carried says how it ended.
        let _told = connection.await;
    });
    Answer::wait(driver, bound, sender.send_request(request)).await
}
