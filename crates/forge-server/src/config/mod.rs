//! Configuration: one TOML file, the environment, the command line.
//!
//! A command-line option wins over its environment variable, that over the file, that over the default.
//! Sections are declared in `sections`; the macro in `section` makes the three forms of an option from one
//! line; `check` refuses combinations that make no sense; `sample` writes `docs/forge.example.toml`.

mod check;
mod environment;
mod network;
mod sample;
pub(crate) mod section;
mod sections;
mod values;

use std::path::Path;

use serde::Deserialize;

pub use check::{Database, Transport, Upstream};
pub use environment::Environment;
pub use network::{AddressRange, Fingerprint, PublicUrl};
pub use sample::sample;
pub use section::{OptionInfo, SectionInfo};
pub use sections::{
    AgentCredential, AgentRecovery, AgentRegistration, Agents, AgentsLayer, Audit, AuditLayer,
    AuthorizationOf, DecisionProtocol, Git, GitLayer, GitTransport, IdentityProxy, IdentityProxyLayer,
    Limits, LimitsLayer, Log, LogFormat, LogLayer, Mtls, MtlsLayer, Oidc, OidcLayer, Policies, PoliciesLayer,
    ProofNonces, Registration, RegistrationLayer, Sealing, Separation, Server, ServerLayer, Tls, TlsLayer,
    TlsMode,
};
pub use values::{ByteSize, List, Period};

use section::Layer;

use crate::failure::{Failure, Result};

/// Declares the list of sections: the settings, the layer, and what walks over both.
macro_rules! sections {
    ($($(#[doc = $doc:literal])+ $field:ident: $settings:ty, $layer:ty;)+) => {
        /// All settings, merged and checked.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Config { $( $(#[doc = $doc])+ pub $field: $settings, )+ }

        /// Settings as one source gives them: each may be missing.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, clap::Args)]
        #[serde(deny_unknown_fields, default)]
        pub struct Layers { $( $(#[doc = $doc])+ #[command(flatten)] pub $field: $layer, )+ }

        /// What the sample shows, in order.
        pub(crate) const SECTIONS: &[SectionInfo] = &[$( <$layer as Layer>::INFO, )+];

        impl Layers {
            /// Reads the `FORGE_*` variables.
            fn from_environment(environment: &Environment) -> Result<Self, String> {
                Ok(Self { $( $field: <$layer as Layer>::from_environment(environment)?, )+ })
            }

            /// Takes what is set here, and what is not from `weaker`.
            fn or(self, weaker: Self) -> Self {
                Self { $( $field: self.$field.or(weaker.$field), )+ }
            }

            /// Fills in the defaults.
            fn resolve(self) -> Config {
                Config { $( $field: self.$field.resolve(), )+ }
            }
        }
    };
}

sections! {
    /// Data, addresses, names.
    server: Server, ServerLayer;
    /// Encryption of connections.
    tls: Tls, TlsLayer;
    /// Certificates of clients.
    mtls: Mtls, MtlsLayer;
    /// Who may create agents.
    registration: Registration, RegistrationLayer;
    /// What agents receive.
    agents: Agents, AgentsLayer;
    /// Git itself.
    git: Git, GitLayer;
    /// An upstream OpenID Connect provider.
    oidc: Oidc, OidcLayer;
    /// An authenticating proxy in front.
    identity_proxy: IdentityProxy, IdentityProxyLayer;
    /// Sealing the audit log.
    audit: Audit, AuditLayer;
    /// Policies of the forge.
    policies: Policies, PoliciesLayer;
    /// What one client may take.
    limits: Limits, LimitsLayer;
    /// Logging.
    log: Log, LogLayer;
}

impl Default for Config {
    fn default() -> Self {
        Layers::default().resolve()
    }
}

impl Config {
    /// Merges command line, environment and file, and checks the outcome.
    pub fn load(options: Layers, environment: &Environment, file: Option<&Path>) -> Result<Self> {
        let config = Self::gather(options, environment, file)?;
        config.check().map_err(Failure::usage)?;
        Ok(config)
    }

    /// Merges command line, environment and file. A command that talks to a running server does not care
    /// whether all of it makes sense.
    pub fn gather(options: Layers, environment: &Environment, file: Option<&Path>) -> Result<Self> {
        let environment_layer = Layers::from_environment(environment).map_err(Failure::usage)?;
        let named = file.map(Path::to_owned).or_else(|| environment.value("FORGE_CONFIG").map(Into::into));
        let file_layer = named.map_or_else(|| Ok(Layers::default()), |path| read_file(&path))?;
        Ok(options.or(environment_layer).or(file_layer).resolve())
    }

    /// Returns `FORGE_*` variables that mean nothing, which are most likely misspelt.
    pub fn unknown_variables(environment: &Environment) -> Vec<String> {
        let known = |name: &str| {
            name == "FORGE_CONFIG"
                || name == "FORGE_PREVIOUS"
                || name.starts_with("FORGE_PREVIOUS_")
                || SECTIONS.iter().flat_map(|section| section.options).any(|option| option.variable == name)
        };
        environment.names_starting_with("FORGE_").filter(|name| !known(name)).map(str::to_owned).collect()
    }
}

fn read_file(path: &Path) -> Result<Layers> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("cannot read `{}`: {error}", path.display())))?;
    parse_file(&text).map_err(|message| Failure::usage(format!("`{}`, {message}", path.display())))
}

/// Parses the file, naming the line of a mistake.
fn parse_file(text: &str) -> Result<Layers, String> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        format!("line {line}: {}", error.message().replace('\n', " "))
    })
}

#[cfg(test)]
mod tests;
