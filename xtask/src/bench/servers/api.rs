//! Calls of the API of our own program, by somebody with a token.

use super::{Kind, Server};
use crate::Result;
use crate::bench::http::Connection;

/// Somebody who calls.
pub(in super::super) struct Api {
    token: String,
}

impl Api {
    /// Returns whoever has this token.
    pub(in super::super) fn bearer(token: &str) -> Self {
        Self { token: token.to_owned() }
    }

    /// Makes an administrator of the forge.
    pub(in super::super) fn administrator(server: &Server) -> Result<Self> {
        let Kind::Forge(forge) = &server.kind else { return Err("this is no forge".to_owned()) };
        let words = ["user", "create", "root1", "--email", "root1@bench.example", "--admin"];
        forge.admin(&words)?;
        let token = forge.admin(&["token", "create", "root1", "--scopes", "site_admin"])?;
        Ok(Self::bearer(token.trim()))
    }

    /// Returns the owner of the repositories.
    pub(in super::super) fn owner(server: &Server) -> Result<Self> {
        let Kind::Forge(forge) = &server.kind else { return Err("this is no forge".to_owned()) };
        let token = forge.admin(&["token", "create", super::forge::OWNER, "--scopes", "repo"])?;
        Ok(Self::bearer(token.trim()))
    }

    /// Returns the token.
    pub(in super::super) fn token(&self) -> &str {
        &self.token
    }

    /// Sends a body and returns the answer's.
    pub(in super::super) fn post(
        &self,
        server: &Server,
        to: &mut Connection,
        path: &str,
        body: &str,
    ) -> Result<String> {
        self.call(server, to, &format!("POST {path}"), body)
    }

    /// Asks, and returns the answer's body.
    pub(in super::super) fn get(&self, server: &Server, to: &mut Connection, path: &str) -> Result<String> {
        self.call(server, to, &format!("GET {path}"), "")
    }

    fn call(&self, server: &Server, to: &mut Connection, what: &str, body: &str) -> Result<String> {
        let head = format!(
            "{what} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nAccept: application/json\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            server.address,
            self.token,
            body.len()
        );
        let mut said = Vec::new();
        let answer =
            to.exchange(&[head.as_bytes(), body.as_bytes()], &mut |piece| said.extend_from_slice(piece));
        let answer = answer.map_err(|error| server.failed(&error))?;
        let text = String::from_utf8_lossy(&said).into_owned();
        if matches!(answer.status, 200..=204) {
            return Ok(text);
        }
        Err(server.failed(&format!("{what}: status {}: {text}", answer.status)))
    }
}
