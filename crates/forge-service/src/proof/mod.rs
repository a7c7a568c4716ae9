//! Proofs of possession (RFC 9449) of requests.

use forge_auth::jose::ALGORITHMS;
use forge_types::ProofProblem;

/// Returns the challenge of answers that demand a proof (RFC 9449 §7.1).
#[must_use]
pub fn challenge(problem: Option<ProofProblem>) -> String {
    let algorithms = ALGORITHMS.join(" ");
    match problem {
        Some(problem) => format!("DPoP error=\"{}\", algs=\"{algorithms}\"", problem.as_str()),
        None => format!("DPoP algs=\"{algorithms}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_worded_as_the_standard_has_them() {
        assert_eq!(challenge(None), "DPoP algs=\"ES256 EdDSA\"");
        let demanded = challenge(Some(ProofProblem::NonceNeeded));
        assert_eq!(demanded, "DPoP error=\"use_dpop_nonce\", algs=\"ES256 EdDSA\"");
    }
}
