//! The Outages screen: outages and the owners who were told of them; below, the outbox.
//!
//! ```text
//!  OUTAGE  SINCE        LASTS  SITE          WHY         OWNERS TOLD     ACKNOWLEDGED
//!  ✗ open  14:02:11     4m12s  pay.example   timeout     ● ops 14:02:13  ana: on it
//!  ● over  11-21 09:14    12s  shop.example  status 503  ✗ ops sms       -
//! ─ OUTBOX  0 waiting  1 pending  2 sent  1 GAVE UP ─────────────────────────────
//!  STATE      WHEN      OWNER  CHANNEL  TRIES  NEXT  SUBJECT, AFTER THE LAST ERROR
//!  ✗ GAVE UP  09:14:40  ops    sms          9  -     HTTP 401: Authenticate: DOWN shop.example
//! ```

mod outage_list;
mod outbox;
mod screen;

pub(super) use screen::VIEW;
