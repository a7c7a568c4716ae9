//! The GraphQL edge, asked as clients ask it. `authentication`, `errors` and `limits` hold what goes wrong, `contract`
//! the schema against GitHub's; the others are named after what is asked for.

mod abuse;
mod authentication;
mod contract;
mod errors;
mod gh;
mod git;
mod introspection;
mod labels;
mod limits;
mod lookups;
mod mutations;
mod repositories;
mod setting;
mod statements;
mod visibility;
