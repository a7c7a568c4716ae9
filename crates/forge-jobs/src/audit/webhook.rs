//! An address that checkpoints are sent to: `POST` with `{"checkpoints": […]}`; every answer of 2xx says that it has them.

use std::sync::Arc;
use std::time::Duration;

use forge_service::audit::checkpoint::Published;
use serde_json::json;
use url::Url;

const PATIENCE: Duration = Duration::from_secs(10);

/// The address.
pub(super) struct Webhook {
    url: Url,
    client: Result<reqwest::Client, String>,
}

impl Webhook {
    pub(super) fn new(url: &Url) -> Self {
        Self { url: url.clone(), client: client().map_err(|error| error.to_string()) }
    }

    /// What the database calls it: without user, password and query, which may be secret.
    pub(super) fn name(&self) -> String {
        let mut url = self.url.clone();
        // An address that takes none has none.
        let _ = (url.set_username(""), url.set_password(None));
        url.set_query(None);
        format!("webhook:{url}")
    }

    /// Sends the checkpoints and waits for the answer.
    pub(super) async fn send(&self, checkpoints: &[Published]) -> Result<(), String> {
        let client = self.client.as_ref().map_err(Clone::clone)?;
        let request = client.post(self.url.clone()).json(&json!({ "checkpoints": checkpoints }));
        let answer = request.send().await.map_err(|error| error.without_url().to_string())?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(format!("it answers {status}")),
        }
    }
}

fn client() -> Result<reqwest::Client, Box<dyn std::error::Error + Send + Sync>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let crypto = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(crypto)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .user_agent(concat!("forge/", env!("CARGO_PKG_VERSION")))
        .build()?;
    Ok(client)
}
