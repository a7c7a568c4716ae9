//! Nonces that signed pushes repeat: `<seconds>-<salt>-<keyed hash>`, so that no node remembers which it gave out.
//!
//! Over HTTP the nonce is given out by one request and comes back with another. Its hash binds it to a repository and to the
//! account it was given to; it is fresh for [`NONCE_SLOP`]. That it comes back once is for whoever keeps the certificates:
//! the salt makes no two nonces equal. See gitprotocol-capabilities(5), `push-cert`.

use std::time::Duration;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use forge_types::Timestamp;
use forge_types::id::{AccountId, RepositoryId};
use subtle::ConstantTimeEq as _;

use crate::keys::{KeyError, Keys};

/// How long after it was given out a nonce may come back: a person has to unlock a key, and a pack to be counted.
pub const NONCE_SLOP: Duration = Duration::from_secs(600);

/// How far the clock of another node may be ahead.
const SKEW: Duration = Duration::from_secs(60);

const PURPOSE: &str = "push certificate nonce";

/// Why a nonce is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadNonce {
    /// It was not given out by this forge to this account for this repository.
    Foreign,
    /// It was given out too long ago.
    Stale,
}

/// Returns a nonce for one push of an account to a repository.
///
/// # Errors
/// `Malformed` if the keys were never checked.
pub fn issue(
    keys: &Keys,
    (repository, account): (RepositoryId, AccountId),
    now: Timestamp,
    mut draw: impl FnMut(&mut [u8]),
) -> Result<String, KeyError> {
    let mut salt = [0_u8; 8];
    draw(&mut salt);
    let open = format!("{}-{}", now.as_seconds(), HEXLOWER.encode(&salt));
    let hash = keys.hash_for(PURPOSE, &bound(&open, repository, account))?;
    Ok(format!("{open}-{}", written(&hash)))
}

/// Returns when a nonce was given out, if it may come back now, with a present key or a former one.
///
/// # Errors
/// `Malformed` if the keys were never checked.
pub fn check(
    keys: &Keys,
    (repository, account): (RepositoryId, AccountId),
    now: Timestamp,
    nonce: &str,
) -> Result<Result<Timestamp, BadNonce>, KeyError> {
    let parts = nonce.splitn(3, '-').collect::<Vec<_>>();
    let &[seconds, salt, hash] = parts.as_slice() else { return Ok(Err(BadNonce::Foreign)) };
    let candidates =
        keys.candidate_hashes(PURPOSE, &bound(&format!("{seconds}-{salt}"), repository, account))?;
    let is_ours = candidates
        .iter()
        .fold(false, |found, ours| found | bool::from(written(ours).as_bytes().ct_eq(hash.as_bytes())));
    let issued = seconds.parse::<i64>().ok().and_then(|seconds| seconds.checked_mul(1_000_000));
    let (true, Some(issued)) = (is_ours, issued.map(Timestamp::from_micros)) else {
        return Ok(Err(BadNonce::Foreign));
    };
    let is_fresh = now <= issued.plus(NONCE_SLOP) && issued <= now.plus(SKEW);
    Ok(if is_fresh { Ok(issued) } else { Err(BadNonce::Stale) })
}

fn bound(open: &str, repository: RepositoryId, account: AccountId) -> Vec<u8> {
    format!("{open} {} {}", repository.0, account.0).into_bytes()
}

fn written(hash: &[u8; 32]) -> String {
    BASE64URL_NOPAD.encode(&hash[..18])
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: (RepositoryId, AccountId) = (RepositoryId(7), AccountId(3));

    fn keys(seed: u8) -> Keys {
        Keys::generate(move |buffer| buffer.fill(seed))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn issued(salt: u8) -> String {
        issue(&keys(1), OURS, at(3_000), |buffer| buffer.fill(salt)).unwrap()
    }

    #[test]
    fn a29_a_nonce_is_good_for_its_repository_account_forge_and_time_alone() {
        let nonce = issued(1);
        let check = |keys: &Keys, place, seconds| check(keys, place, at(seconds), &nonce).unwrap();
        for seconds in [2_940, 3_000, 3_600] {
            assert_eq!(check(&keys(1), OURS, seconds), Ok(at(3_000)), "{seconds}");
        }
        for seconds in [2_939, 3_601] {
            assert_eq!(check(&keys(1), OURS, seconds), Err(BadNonce::Stale), "{seconds}");
        }
        assert_eq!(check(&keys(1), (RepositoryId(8), AccountId(3)), 3_000), Err(BadNonce::Foreign));
        assert_eq!(check(&keys(1), (RepositoryId(7), AccountId(4)), 3_000), Err(BadNonce::Foreign));
        assert_eq!(check(&keys(2), OURS, 3_000), Err(BadNonce::Foreign));
    }

    #[test]
    fn a29_an_altered_nonce_is_nobodys() {
        let nonce = issued(1);
        let later = nonce.replacen("3000", "3599", 1);
        let resalted = nonce.replacen("0101", "0102", 1);
        let (cut, longer) = (&nonce[..nonce.len() - 1], format!("{nonce}A"));
        for altered in [later.as_str(), &resalted, cut, &longer, "", "3000", "3000-01", "--", "x-y-z"] {
            let checked = check(&keys(1), OURS, at(3_000), altered).unwrap();
            assert_eq!(checked, Err(BadNonce::Foreign), "{altered}");
        }
        assert_ne!(nonce, issued(2));
    }

    #[test]
    fn a_nonce_is_of_the_letters_that_git_takes() {
        let nonce = issued(255);
        assert!(
            nonce.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-./+=_".contains(&byte)),
            "{nonce}"
        );
        assert!(nonce.len() < 256);
    }
}
