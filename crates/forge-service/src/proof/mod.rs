//! Proofs of possession (RFC 9449) of requests: checked against the request, the token and the clock, and accepted
//! once on all nodes together.
//!
//! INVARIANT: a proof is accepted by [`accept`] alone, which remembers it, before anything is done for whoever sent it.

pub mod certificate;

use forge_auth::dpop::{Demand, Proof, ProofFault, Target, current_nonce, is_recent_nonce};
use forge_auth::jose::{ALGORITHMS, Jwk, Thumbprint};
use forge_auth::token::Secret;
use forge_types::{Error, ProofProblem, Result};
use url::Url;

use crate::app::{App, ProofNonces, Settings, key_fault};
use crate::context::RequestContext;

pub use forge_auth::dpop::Audience;

/// What a request shows that bears on a proof: the `DPoP` headers, and what they must be for.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The values of the `DPoP` headers.
    pub proofs: Vec<String>,
    /// The method.
    pub method: String,
    /// The name of the forge that the request came in by.
    pub host: Host,
    /// The path, as it was asked for.
    pub path: String,
}

impl Shown {
    /// Returns what a command at the console shows, which is no request.
    #[must_use]
    pub const fn nothing() -> Self {
        Self { proofs: Vec::new(), method: String::new(), host: Host::Main, path: String::new() }
    }
}

/// A name of the forge, chosen by which routes answer, not by what a request says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// `HOST`.
    Main,
    /// `api.HOST`.
    Api,
}

/// Returns the challenge of answers that demand a proof (RFC 9449 §7.1).
#[must_use]
pub fn challenge(problem: Option<ProofProblem>) -> String {
    let algorithms = ALGORITHMS.join(" ");
    match problem {
        Some(problem @ ProofProblem::WrongCertificate) => format!("Bearer error=\"{}\"", problem.as_str()),
        Some(problem) => format!("DPoP error=\"{}\", algs=\"{algorithms}\"", problem.as_str()),
        None => format!("DPoP algs=\"{algorithms}\""),
    }
}

/// Returns the nonce that proofs must repeat from now on; none where they need not.
///
/// # Errors
/// `Internal` if the keys cannot be used.
pub fn nonce(app: &App, audience: Audience) -> Result<Option<String>> {
    match app.settings.proof_nonces {
        ProofNonces::Off => Ok(None),
        ProofNonces::Demanded => current_nonce(&app.keys, audience, app.now()).map(Some).map_err(key_fault),
    }
}

/// Checks the proof that comes with `token`. Asks no database.
pub(crate) fn with_token(app: &App, shown: &Shown, token: &Secret) -> Result<Proof> {
    let proof = read_only(shown)?;
    check(app, &proof, shown, Audience::Resources, Some(token))?;
    Ok(proof)
}

/// Accepts a proof that was checked, once.
pub(crate) async fn accept(app: &App, proof: &Proof) -> Result<()> {
    let until = app.now().plus(Proof::REMEMBERED);
    if forge_store::proofs::remember(&app.db, &proof.replay_key(), until).await? {
        return Ok(());
    }
    Err(Error::unproved(ProofProblem::InvalidProof, "this proof has come before"))
}

/// Checks and accepts the proof of a request at the token endpoint, if it brings one; returns whose key it is.
pub(crate) async fn at_token_endpoint(
    ctx: &RequestContext,
    shown: Option<&Shown>,
) -> Result<Option<Thumbprint>> {
    let Some(shown) = shown else { return Ok(None) };
    let proof = read_only(shown)?;
    check(ctx.app(), &proof, shown, Audience::TokenEndpoint, None)?;
    accept(ctx.app(), &proof).await?;
    Ok(Some(proof.thumbprint()))
}

/// Checks and accepts the proof that whoever brings a new key holds it: in the header, or given beside the key where the
/// header proves another one.
pub(crate) async fn of_new_key(
    ctx: &RequestContext,
    key: &Jwk,
    shown: &Shown,
    given: Option<&str>,
) -> Result<()> {
    let proof = match given {
        Some(text) => Proof::read(text).map_err(error)?,
        None => read_only(shown)?,
    };
    if proof.key() != key {
        return Err(Error::unproved(
            ProofProblem::InvalidProof,
            "the proof is not by the key that was brought",
        ));
    }
    check(ctx.app(), &proof, shown, Audience::Resources, None)?;
    accept(ctx.app(), &proof).await
}

fn read_only(shown: &Shown) -> Result<Proof> {
    Proof::read_only(shown.proofs.iter().map(String::as_str)).map_err(error)
}

fn check(app: &App, proof: &Proof, shown: &Shown, audience: Audience, token: Option<&Secret>) -> Result<()> {
    let now = app.now();
    let is_recent = |nonce: &str| is_recent_nonce(&app.keys, audience, now, nonce).unwrap_or(false);
    let demand = Demand {
        method: &shown.method,
        target: &target(&app.settings, shown),
        token: token.map(Secret::expose),
        now,
        nonce: match app.settings.proof_nonces {
            ProofNonces::Demanded => Some(&is_recent),
            ProofNonces::Off => None,
        },
    };
    proof.check(&demand).map_err(error)
}

fn target(settings: &Settings, shown: &Shown) -> Target {
    let origins = [Some(&settings.origin), Some(&settings.people_origin), settings.mutual_origin.as_ref()];
    let origins = origins.into_iter().flatten();
    match shown.host {
        Host::Main => Target::new(origins, &shown.path),
        Host::Api => Target::new(&origins.map(of_api).collect::<Vec<_>>(), &shown.path),
    }
}

fn of_api(origin: &Url) -> Url {
    let mut url = origin.clone();
    // A name that was taken once is taken with something before it; an address has no such name, and no such routes.
    let _ = url.set_host(origin.host_str().map(|host| format!("api.{host}")).as_deref());
    url
}

fn error(fault: ProofFault) -> Error {
    match fault {
        ProofFault::Invalid(why) => Error::unproved(ProofProblem::InvalidProof, why),
        ProofFault::NonceNeeded => {
            let message =
                "the proof must repeat the nonce that stands in the header `DPoP-Nonce` of this answer";
            Error::unproved(ProofProblem::NonceNeeded, message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a53_each_name_of_the_forge_is_a_place_of_its_own() {
        let settings = Settings::for_origin("https://forge.example".parse().expect("an origin"));
        let shown = |host| Shown { proofs: vec![], method: "GET".to_owned(), host, path: "/user".to_owned() };
        let main = target(&settings, &shown(Host::Main));
        let api = target(&settings, &shown(Host::Api));
        assert!(main.is("https://forge.example/user") && !main.is("https://api.forge.example/user"));
        assert!(api.is("https://api.forge.example/user") && !api.is("https://forge.example/user"));
    }

    #[test]
    fn challenges_are_worded_as_the_standard_has_them() {
        assert_eq!(challenge(None), "DPoP algs=\"ES256 EdDSA\"");
        let demanded = challenge(Some(ProofProblem::NonceNeeded));
        assert_eq!(demanded, "DPoP error=\"use_dpop_nonce\", algs=\"ES256 EdDSA\"");
    }
}
