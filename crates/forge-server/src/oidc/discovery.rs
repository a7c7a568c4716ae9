//! Learning where the provider is and with what keys it signs (OpenID Connect Discovery 1.0).

use std::time::{Duration, Instant};

use forge_auth::jose::KeySet;
use serde::Deserialize;

use super::{Provider, is_safe};
use crate::outbound::fetch;

/// How long what was learnt is believed.
const FRESH: Duration = Duration::from_secs(3600);
/// How soon a key that is not known is asked for again.
const PAUSE: Duration = Duration::from_secs(60);

/// What is known of the provider.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) keys: KeySet,
    learnt: Instant,
}

#[derive(Deserialize)]
struct Description {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
}

impl Provider {
    /// Returns what is known of the provider, asking it when that is too old, or when a key that signed is not known.
    pub(super) async fn known(&self, wanted_key: Option<&str>) -> Result<Known, String> {
        let mut known = self.known.lock().await;
        if let Some(known) = known.as_ref() {
            let age = known.learnt.elapsed();
            let has_key = wanted_key.is_none_or(|id| known.keys.has(id));
            if age < FRESH && (has_key || age < PAUSE) {
                return Ok(known.clone());
            }
        }
        let learnt = self.learn().await?;
        *known = Some(learnt.clone());
        Ok(learnt)
    }

    async fn learn(&self) -> Result<Known, String> {
        let issuer = self.issuer.trim_end_matches('/');
        let found: Description =
            fetch(&self.http, &format!("{issuer}/.well-known/openid-configuration")).await?;
        if found.issuer != self.issuer {
            return Err("the provider says it is another issuer".to_owned());
        }
        let addresses = [&found.authorization_endpoint, &found.token_endpoint, &found.jwks_uri];
        if !addresses.iter().all(|address| address.parse().is_ok_and(|url| is_safe(&url))) {
            return Err("the provider names an address that is not https".to_owned());
        }
        let set: serde_json::Value = fetch(&self.http, &found.jwks_uri).await?;
        let keys = KeySet::published(&set).map_err(|malformed| malformed.to_string())?;
        Ok(Known {
            authorization_endpoint: found.authorization_endpoint,
            token_endpoint: found.token_endpoint,
            keys,
            learnt: Instant::now(),
        })
    }
}
