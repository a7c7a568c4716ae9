//! What every request passes before it reaches a room, and every answer on its way out.
//!
//! From the outside in: `answer` counts, adds headers and turns a panic into an error; `drain` reads what nobody else
//! has read; `client` finds out who is at the other end; `identity` takes the word of a trusted proxy or of the
//! embedding host; `hosts` sends requests for `api.HOST` to its own routes.

pub(crate) mod answer;
pub(crate) mod client;
pub(crate) mod drain;
pub(crate) mod hosts;
pub(crate) mod identity;

pub(crate) use answer::Answers;
pub(crate) use client::Clients;
pub(crate) use hosts::Hosts;
