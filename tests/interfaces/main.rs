//! Our own interfaces, each of them: what the honest request is answered, and what every other one.
//!
//! [`table`] has a row for every route; [`walk`] asks each row all the questions; [`described`] shows that the routes
//! served, the routes described and the rows are the same; [`world`] is what the requests are about. Every answer is
//! checked against `schema/forge-ext.openapi.json` by the client itself.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod described;
mod table;
mod walk;
mod world;

/// The prefix of every route.
const EXT: &str = "/api/ext/v1";
