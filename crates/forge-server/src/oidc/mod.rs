//! Signing in through an OpenID Connect provider: authorization code with PKCE, state and nonce.
//!
//! `discovery` learns where the provider is and with what keys it signs, `id_token` judges what it signed, `exchange`
//! asks it, and `routes` are the two pages the browser passes through. INVARIANT: a person is whoever a valid ID token
//! says, by issuer and subject alone.

mod discovery;
mod exchange;
mod id_token;
mod routes;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use url::Url;

use crate::config::Oidc;
use crate::failure::{Failure, Result};
use crate::outbound::{client, is_safe};
use crate::secret;

pub(crate) use routes::{BEGIN, routes};

/// An OpenID Connect provider.
pub(crate) struct Provider {
    issuer: String,
    client_id: String,
    client_secret: Option<String>,
    label: String,
    http: reqwest::Client,
    known: tokio::sync::Mutex<Option<discovery::Known>>,
}

impl Provider {
    /// Returns the provider that the configuration names, if it names one.
    ///
    /// # Errors
    /// If its issuer is not reached over TLS or the secret cannot be read.
    pub(crate) fn configured(oidc: &Oidc) -> Result<Option<Arc<Self>>> {
        let (Some(issuer), Some(client_id)) = (&oidc.issuer, &oidc.client_id) else { return Ok(None) };
        let file = oidc.client_secret_file.as_deref();
        let client_secret = file.map(|file| secret::read("OIDC client secret", file)).transpose()?;
        Self::new(issuer, client_id, client_secret, &oidc.name).map(Some)
    }

    fn new(issuer: &str, client_id: &str, client_secret: Option<String>, label: &str) -> Result<Arc<Self>> {
        let url: Url = issuer.parse().map_err(|_| Failure::usage("`oidc.issuer` is not a URL"))?;
        if !is_safe(&url) {
            return Err(Failure::usage("`oidc.issuer` must be an https URL"));
        }
        let http = client().map_err(|error| Failure::io("TLS to the OIDC provider", error))?;
        Ok(Arc::new(Self {
            issuer: issuer.to_owned(),
            client_id: client_id.to_owned(),
            client_secret,
            label: label.to_owned(),
            http,
            known: tokio::sync::Mutex::default(),
        }))
    }

    /// Returns what the sign-in page calls it.
    pub(crate) fn label(&self) -> &str {
        &self.label
    }
}
