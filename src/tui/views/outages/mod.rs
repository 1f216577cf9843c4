//! The Outages screen: what went down and who was told, and below it the outbox.
//!
//! ```text
//!  OUTAGE  SINCE        LASTS  SITE          WHY         TOLD            KNOWN
//!  ✗ open  14:02:11     4m12s  pay.example   timeout     ● ops 14:02:13  ana: looking
//!  ● over  11-21 09:14    12s  shop.example  status 503  ✗ ops sms       -
//! ─ OUTBOX  1 pending  2 sent  1 failed ─────────────────────────────────────────
//!  STATE      WHEN      OWNER  BY     TRIES  NEXT  SUBJECT, OR WHAT THE OTHER SIDE SAID
//!  ✗ FAILED   09:14:40  ops    sms        9  -     HTTP 401: Authenticate
//! ```

mod outage_list;
mod outbox;
mod screen;

pub(super) use screen::VIEW;
