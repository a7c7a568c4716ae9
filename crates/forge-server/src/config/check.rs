//! Which combinations of options make sense, and what they amount to.

use std::path::PathBuf;

use forge_auth::token::TokenPrefix;

use super::{Config, Fingerprint, IdentityProxy, TlsMode};

/// How connections are encrypted, with all that it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// A certificate authority of our own, for this machine.
    Local,
    /// A certificate from files.
    Files {
        /// The certificate chain.
        certificate: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
    /// Plain HTTP.
    Off,
}

/// The upstream provider through which people may sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// Its issuer URL.
    pub issuer: String,
    /// Our client id there.
    pub client_id: String,
    /// The file with our secret; a public client has none.
    pub client_secret_file: Option<PathBuf>,
    /// What the sign-in page calls it.
    pub name: String,
}

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// A file.
    Sqlite(PathBuf),
    /// A server, by its URL, which may hold a password.
    Postgres(String),
}

impl Config {
    /// Returns how connections are encrypted.
    pub fn transport(&self) -> Result<Transport, String> {
        let url = &self.server.url;
        let mode = match self.tls.mode {
            Some(mode) => mode,
            None if url.is_local() && url.is_https() => TlsMode::Local,
            None if url.is_local() => TlsMode::Off,
            None => return Err("set `tls.mode` to `files` or `off`: only `*.localhost` has a default".into()),
        };
        match mode {
            TlsMode::Local if url.is_local() && url.is_https() => Ok(Transport::Local),
            TlsMode::Local => {
                Err(format!("`tls.mode = \"local\"` is only for https://*.localhost, not for {url}"))
            }
            TlsMode::Off => Ok(Transport::Off),
            TlsMode::Acme => Err("`tls.mode = \"acme\"` is not built into this program: use `files`".into()),
            TlsMode::Files => match (&self.tls.certificate, &self.tls.key) {
                (Some(certificate), Some(key)) if url.is_https() => {
                    Ok(Transport::Files { certificate: certificate.clone(), key: key.clone() })
                }
                (Some(_), Some(_)) => Err(format!("`tls.mode = \"files\"` needs an https:// URL, not {url}")),
                _ => Err("`tls.mode = \"files\"` needs `tls.certificate` and `tls.key`".into()),
            },
        }
    }

    /// Returns the address that checkpoints of the audit log are sent to, if one is configured.
    pub fn checkpoint_webhook(&self) -> Result<Option<url::Url>, String> {
        let Some(text) = &self.audit.checkpoint_webhook else { return Ok(None) };
        match url::Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "https" | "http") && url.has_host() => Ok(Some(url)),
            _ => Err("`audit.checkpoint_webhook` must be a URL of http or https".to_owned()),
        }
    }

    /// Returns the upstream provider, if one is configured.
    pub fn upstream(&self) -> Result<Option<Upstream>, String> {
        let oidc = &self.oidc;
        match (&oidc.issuer, &oidc.client_id) {
            (None, None) => Ok(None),
            (Some(issuer), Some(client_id)) => Ok(Some(Upstream {
                issuer: issuer.clone(),
                client_id: client_id.clone(),
                client_secret_file: oidc.client_secret_file.clone(),
                name: oidc.name.clone(),
            })),
            (Some(_), None) => Err("`oidc.issuer` needs `oidc.client_id`".into()),
            (None, Some(_)) => Err("`oidc.client_id` needs `oidc.issuer`".into()),
        }
    }

    /// Returns whose identity headers are believed, if anyone's.
    pub fn trusted_identity_proxy(&self) -> Option<&IdentityProxy> {
        let proxy = &self.identity_proxy;
        let is_named = !proxy.addresses.0.is_empty() || !proxy.certificates.0.is_empty();
        is_named.then_some(proxy)
    }

    /// Returns where the database is.
    pub fn database(&self) -> Result<Database, String> {
        match self.server.database.as_deref() {
            None => Ok(Database::Sqlite(self.server.data.join("forge.db"))),
            Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Ok(Database::Postgres(url.to_owned()))
            }
            // The URL may hold a password and is not repeated.
            Some(_) => Err("`server.database` must start with postgres://; leave it out for SQLite".into()),
        }
    }

    /// Returns what tokens start with.
    pub fn token_prefix(&self) -> Result<TokenPrefix, String> {
        TokenPrefix::new(&self.server.token_prefix)
            .ok_or_else(|| format!("`{}` is not two to eight lower-case letters", self.server.token_prefix))
    }

    /// Returns where the keys are.
    pub fn key_file(&self) -> PathBuf {
        self.server.key_file.clone().unwrap_or_else(|| self.server.data.join("keys.toml"))
    }

    /// Refuses combinations that cannot work, before anything is touched.
    pub(super) fn check(&self) -> Result<(), String> {
        let transport = self.transport()?;
        if self.server.listen.is_none() && !(transport == Transport::Local) {
            return Err(format!("say with --listen where to listen for {}", self.server.url));
        }
        self.upstream()?;
        self.database()?;
        self.checkpoint_webhook()?;
        self.token_prefix()?;
        self.check_mutual(&transport)?;
        self.check_identity_proxy(&transport)
    }

    fn check_mutual(&self, transport: &Transport) -> Result<(), String> {
        match self.mtls.listen {
            Some(_) if *transport == Transport::Off => {
                Err("`mtls.listen` asks for client certificates and needs TLS".into())
            }
            None if !self.mtls.authorities.0.is_empty() => {
                Err("`mtls.authorities` needs `mtls.listen`".into())
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check_identity_proxy(&self, transport: &Transport) -> Result<(), String> {
        let proxy = &self.identity_proxy;
        let certificates: &[Fingerprint] = &proxy.certificates.0;
        match (proxy.listen, certificates.is_empty()) {
            (None, false) => return Err("`identity_proxy.certificates` needs `identity_proxy.listen`".into()),
            (Some(_), true) => {
                return Err("`identity_proxy.listen` needs `identity_proxy.certificates`".into());
            }
            (Some(_), false) if *transport == Transport::Off => {
                return Err("`identity_proxy.listen` asks for client certificates and needs TLS".into());
            }
            (Some(_), false) | (None, true) => {}
        }
        let headers = [&proxy.subject_header, &proxy.login_header, &proxy.email_header, &proxy.groups_header];
        for header in headers {
            http::HeaderName::try_from(header.as_str())
                .map_err(|_| format!("`{header}` is not a header name"))?;
        }
        Ok(())
    }
}
