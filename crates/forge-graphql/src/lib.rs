//! The GraphQL edge: GitHub's type and field names, executed against `forge-service`.
//!
//! Rules of this room: a resolver calls one function of `forge-service` and shapes its result; no SQL, no rights.
//! What lies below the members of a list is loaded for the whole list at once, see `cohort`. Names, arguments and
//! nullability are GitHub's; what is ours alone stands in `schema/extensions.toml`.
//!
//! A request walks through `http` (what came over the wire), `limits` (whether it may cost that much), `schema` (what
//! is asked) and `answer` (how data and errors go back).

mod answer;
mod cohort;
mod http;
mod limits;
mod schema;

pub use http::{GraphQl, routes};
pub use schema::sdl;
