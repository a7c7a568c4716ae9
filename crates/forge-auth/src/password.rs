//! Human passwords: argon2id, at most a few at a time, so that guessing cannot exhaust the machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

/// The shortest password a person may choose.
pub const MIN_LENGTH: usize = 12;
/// The longest password that is read at all.
pub const MAX_LENGTH: usize = 1024;

/// Why a password was not checked or set.
#[derive(Debug, PartialEq, Eq)]
pub enum PasswordError {
    /// Too many passwords are being checked; the caller may try again shortly.
    Busy,
    /// The stored hash or the machine is at fault.
    Internal,
}

/// Hashes and checks passwords with bounded parallelism.
#[derive(Clone)]
pub struct PasswordHashing {
    permits: Arc<Semaphore>,
    wait: Duration,
    params: Params,
    decoy: Arc<str>,
    work: Arc<AtomicU64>,
}

impl PasswordHashing {
    /// Creates a hasher that works on at most `parallel` passwords at once and lets others wait for at most `wait`.
    ///
    /// # Errors
    /// `Internal` if `memory_kib` or `rounds` is out of argon2's range.
    pub fn new(parallel: usize, wait: Duration, memory_kib: u32, rounds: u32) -> Result<Self, PasswordError> {
        let params = Params::new(memory_kib, rounds, 1, None).map_err(|_| PasswordError::Internal)?;
        let decoy = hash_now(&params, "no such password", [7; 16])?;
        let permits = Arc::new(Semaphore::new(parallel.max(1)));
        Ok(Self { permits, wait, params, decoy: decoy.into(), work: Arc::default() })
    }

    /// Returns the hash to store for `password`.
    ///
    /// # Errors
    /// `Busy` if no turn came in time.
    pub async fn hash(&self, password: String, salt: [u8; 16]) -> Result<String, PasswordError> {
        let params = self.params.clone();
        self.in_turn(move || hash_now(&params, &password, salt)).await?
    }

    /// Returns whether `password` has the hash `stored`. Without a stored hash it takes as long and returns false,
    /// so that the time does not tell whether an account exists.
    ///
    /// # Errors
    /// `Busy` if no turn came in time.
    pub async fn verify(&self, password: String, stored: Option<String>) -> Result<bool, PasswordError> {
        let exists = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.decoy.to_string());
        let matches = self.in_turn(move || verify_now(&password, &stored)).await??;
        Ok(matches && exists)
    }

    /// Returns how many passwords were hashed or checked. What an answer costs must not tell whether an account exists.
    #[must_use]
    pub fn work(&self) -> u64 {
        self.work.load(Ordering::Relaxed)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let turn = tokio::time::timeout(self.wait, Arc::clone(&self.permits).acquire_owned()).await;
        let permit = turn.map_err(|_| PasswordError::Busy)?.map_err(|_| PasswordError::Internal)?;
        self.work.fetch_add(1, Ordering::Relaxed);
        let work = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        });
        work.await.map_err(|_| PasswordError::Internal)
    }
}

fn hash_now(params: &Params, password: &str, salt: [u8; 16]) -> Result<String, PasswordError> {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let hash =
        argon2.hash_password_with_salt(password.as_bytes(), &salt).map_err(|_| PasswordError::Internal)?;
    Ok(hash.to_string())
}

fn verify_now(password: &str, stored: &str) -> Result<bool, PasswordError> {
    let hash = PasswordHash::new(stored).map_err(|_| PasswordError::Internal)?;
    Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_right_password_is_accepted_and_others_are_not() {
        let hashing = PasswordHashing::new(1, Duration::from_secs(5), 64, 1).expect("parameters in range");
        let stored = hashing.hash("correct horse battery".to_owned(), [1; 16]).await.expect("a hash");
        assert!(stored.starts_with("$argon2id$"));
        assert_eq!(hashing.verify("correct horse battery".to_owned(), Some(stored.clone())).await, Ok(true));
        assert_eq!(hashing.verify("wrong".to_owned(), Some(stored)).await, Ok(false));
        assert_eq!(hashing.verify("no such password".to_owned(), None).await, Ok(false));
    }

    #[tokio::test]
    async fn a79_a_password_that_does_not_exist_costs_as_much_as_a_wrong_one() {
        let hashing = PasswordHashing::new(1, Duration::from_secs(5), 64, 1).expect("parameters in range");
        let stored = hashing.hash("correct horse battery".to_owned(), [1; 16]).await.expect("a hash");
        for stored in [Some(stored), None] {
            let before = hashing.work();
            assert_eq!(hashing.verify("wrong".to_owned(), stored).await, Ok(false));
            assert_eq!(hashing.work() - before, 1);
        }
        assert!(hashing.decoy.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{}", hashing.decoy);
    }

    /// Guesses that come faster than they are checked wait, and past a while are sent away: the machine stays usable.
    #[tokio::test]
    async fn a80_guesses_cannot_take_the_whole_processor() {
        let hashing = PasswordHashing::new(1, Duration::from_millis(10), 64, 1).expect("parameters in range");
        let turn = Arc::clone(&hashing.permits).acquire_owned().await.expect("an open semaphore");
        let busy = hashing.verify("guess".to_owned(), None).await;
        assert_eq!((busy, hashing.work()), (Err(PasswordError::Busy), 0));
        drop(turn);
        assert_eq!(hashing.verify("guess".to_owned(), None).await, Ok(false));
    }
}
