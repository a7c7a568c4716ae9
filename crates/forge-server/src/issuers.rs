//! Keys of those who vouch for workloads: asked for where they are published, remembered for an hour.
//!
//! INVARIANT: whatever tokens come, a place is asked at most once a minute, by one request at a time, and at most so many
//! places are remembered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use forge_auth::jose::KeySet;
use forge_service::oauth::{KeyPlace, KeySource, SoughtKeys};
use serde::Deserialize;
use serde_json::Value;

use crate::config::AddressRange;
use crate::failure::{Failure, Result};
use crate::outbound::{Guarded, Networks};

/// How long keys are believed.
const FRESH: Duration = Duration::from_secs(3600);
/// How soon a key that is not known is asked for again, and what did not answer is.
const PAUSE: Duration = Duration::from_secs(60);
/// How many places are remembered.
const MOST: usize = 256;

/// Asks for keys and remembers them.
#[derive(Debug)]
pub struct Issuers {
    http: Guarded,
    known: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Known>>>>,
}

/// What is known of one place.
#[derive(Debug, Default)]
struct Known {
    keys: Option<(Arc<KeySet>, Instant)>,
    asked: Option<Instant>,
    fault: String,
}

#[derive(Deserialize)]
struct Description {
    issuer: String,
    jwks_uri: String,
}

impl Issuers {
    /// Asks on the public internet and in these networks.
    ///
    /// # Errors
    /// If TLS cannot be had.
    pub fn in_networks(networks: &[AddressRange]) -> Result<Arc<Self>> {
        let http = Guarded::within(Networks::public_and(networks));
        let http = http.map_err(|error| Failure::io("TLS to issuers of workloads' tokens", error))?;
        Ok(Arc::new(Self { http, known: Mutex::default() }))
    }

    fn place(&self, name: String) -> Arc<tokio::sync::Mutex<Known>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains_key(&name) && known.len() >= MOST {
            // One that nobody waits for; which, does not matter: it is asked again when it is needed.
            let idle = known.iter().find(|(_, place)| Arc::strong_count(place) == 1);
            if let Some(idle) = idle.map(|(name, _)| name.clone()) {
                known.remove(&idle);
            }
        }
        known.entry(name).or_default().clone()
    }

    async fn find(&self, place: KeyPlace<'_>, wanted: Option<&str>) -> Result<Arc<KeySet>, String> {
        let name = match place {
            KeyPlace::Address(address) => format!("at {address}"),
            KeyPlace::Issuer(issuer) => format!("of {issuer}"),
        };
        let known = self.place(name);
        let mut known = known.lock().await;
        let is_recent = |at: Instant, period| at.elapsed() < period;
        let fresh = known.keys.as_ref().filter(|(_, learnt)| is_recent(*learnt, FRESH));
        let fresh = fresh.map(|(keys, _)| keys.clone());
        let was_asked = known.asked.is_some_and(|asked| is_recent(asked, PAUSE));
        match fresh {
            Some(keys) if was_asked || wanted.is_none_or(|id| keys.has(id)) => return Ok(keys),
            None if was_asked => return Err(known.fault.clone()),
            Some(_) | None => {}
        }
        known.asked = Some(Instant::now());
        match self.ask(place).await {
            Ok(keys) => {
                let keys = Arc::new(keys);
                known.keys = Some((keys.clone(), Instant::now()));
                Ok(keys)
            }
            Err(fault) => {
                tracing::warn!(?place, fault, "the keys of an issuer cannot be had");
                known.fault.clone_from(&fault);
                fresh.ok_or(fault)
            }
        }
    }

    async fn ask(&self, place: KeyPlace<'_>) -> Result<KeySet, String> {
        let set: Value = match place {
            KeyPlace::Address(address) => self.http.fetch(address).await?,
            KeyPlace::Issuer(issuer) => {
                let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
                let found: Description = self.http.fetch(&address).await?;
                if found.issuer != issuer {
                    return Err("the issuer says it is another".to_owned());
                }
                self.http.fetch(&found.jwks_uri).await?
            }
        };
        KeySet::published(&set).map_err(|malformed| malformed.to_string())
    }
}

impl KeySource for Issuers {
    fn keys<'a>(&'a self, place: KeyPlace<'a>, wanted: Option<&'a str>) -> SoughtKeys<'a> {
        Box::pin(self.find(place, wanted))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::extract::State;
    use axum::routing::get;
    use axum::{Json, Router};
    use forge_auth::jose::SigningKey;
    use serde_json::json;

    use super::*;

    struct Publisher {
        address: String,
        says: String,
        asked: AtomicUsize,
        keys: Value,
    }

    async fn publisher(says: Option<&str>) -> Arc<Publisher> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let mut key = SigningKey::generate_p256().unwrap().public().to_json();
        key["kid"] = "1".into();
        let says = says.unwrap_or(&address).to_owned();
        let keys = json!({ "keys": [key, { "kty": "oct", "k": "AA" }] });
        let publisher = Arc::new(Publisher { address, says, asked: AtomicUsize::new(0), keys });
        let describe = |State(publisher): State<Arc<Publisher>>| async move {
            let address = format!("{}/keys", publisher.address);
            Json(json!({ "issuer": publisher.says, "jwks_uri": address }))
        };
        let publish = |State(publisher): State<Arc<Publisher>>| async move {
            publisher.asked.fetch_add(1, Ordering::SeqCst);
            Json(publisher.keys.clone())
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(describe))
            .route("/keys", get(publish))
            .with_state(publisher.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        publisher
    }

    fn local() -> Arc<Issuers> {
        Issuers::in_networks(&["127.0.0.0/8".parse().unwrap()]).unwrap()
    }

    #[tokio::test]
    async fn keys_are_found_by_address_and_by_issuer_and_asked_for_once() {
        let publisher = publisher(None).await;
        let issuers = local();
        let address = format!("{}/keys", publisher.address);
        for place in [KeyPlace::Address(&address), KeyPlace::Issuer(&publisher.address)] {
            let before = publisher.asked.load(Ordering::SeqCst);
            for wanted in [Some("1"), None, Some("unknown"), Some("other")] {
                assert!(issuers.keys(place, wanted).await.unwrap().has("1"), "{place:?}");
            }
            assert_eq!(publisher.asked.load(Ordering::SeqCst), before + 1, "{place:?}");
        }
    }

    #[tokio::test]
    async fn a60_an_issuer_that_says_it_is_another_or_is_not_to_be_asked_has_no_keys() {
        let other = publisher(Some("https://other.example")).await;
        let issuers = local();
        assert!(issuers.keys(KeyPlace::Issuer(&other.address), None).await.is_err());
        // What went wrong is not tried again at once.
        assert!(issuers.keys(KeyPlace::Issuer(&other.address), None).await.is_err());
        assert_eq!(other.asked.load(Ordering::SeqCst), 0);
        let address = format!("{}/keys", other.address);
        let strangers = Issuers::in_networks(&[]).unwrap();
        assert!(strangers.keys(KeyPlace::Address(&address), None).await.is_err());
        assert_eq!(other.asked.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn no_more_than_so_many_places_are_remembered() {
        let issuers = Issuers::in_networks(&[]).unwrap();
        for number in 0..=MOST {
            let address = format!("http://127.0.0.1:1/{number}");
            assert!(issuers.keys(KeyPlace::Address(&address), None).await.is_err());
        }
        assert_eq!(issuers.known.lock().unwrap().len(), MOST);
    }
}
