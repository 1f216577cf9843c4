//! `tls://HOST:PORT`: a TLS handshake and the certificate of the server, after an exchange in the
//! clear where the protocol begins with one (`starttls`).

use crate::domain::CheckKind;

use super::super::classify::Failure;
use super::super::path;
use super::{Answered, Asked, KindEntry, borrowed, starttls};

/// Its entry.
pub(super) const KIND: KindEntry = KindEntry {
    kind: CheckKind::Tls,
    check: |asked| -> Answered<'_> { Box::pin(check(asked)) },
};

async fn check(asked: Asked<'_>) -> Result<String, Failure> {
    let mut stream = asked.connect(true).await?;
    let host = asked.host()?;
    let options = &asked.spec.options().connection;
    if let Some(protocol) = asked.spec.options().starttls {
        starttls::begin(protocol, &mut stream.socket, asked, &host.to_string()).await?;
    }
    // No protocol is offered: servers of mail refuse those of the web.
    let tls = asked.shared.tls.without_protocols();
    let shaking = path::shake_hands(stream, (borrowed(&host), options), &tls, asked.timings);
    let _stream = shaking.await.map_err(|error| asked.failed(error, true))?;
    Ok("the TLS handshake is done".to_owned())
}
