//! Keeps the certificate of a running server fresh.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use time::OffsetDateTime;

use super::authority::{Authority, LEAF_RENEWAL};
use crate::failure::Result;
use crate::net::{CertificateSlot, load_files};

/// A sleeping machine does not count its sleep: look more often than needed.
const PAUSE: Duration = Duration::from_secs(3_600);
/// How soon a changed file is used.
const LOOK: Duration = Duration::from_secs(30);

/// Issues another leaf whenever the one in use nears its end. Runs until dropped.
pub async fn keep_issued(authority: Authority, slot: Arc<CertificateSlot>, mut not_after: OffsetDateTime) {
    loop {
        tokio::time::sleep(PAUSE).await;
        match renew(&authority, &slot, not_after, crate::clock::now()) {
            Ok(renewed) => not_after = renewed,
            Err(error) => tracing::error!(%error, "cannot renew the certificate"),
        }
    }
}

/// Issues another leaf if the one in use nears its end. Returns when the one in use ends then.
fn renew(
    authority: &Authority,
    slot: &CertificateSlot,
    not_after: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<OffsetDateTime> {
    if not_after - now >= LEAF_RENEWAL {
        return Ok(not_after);
    }
    let leaf = authority.issue(now)?;
    slot.replace(leaf.chain, &leaf.key)?;
    tracing::info!(not_after = %leaf.not_after, "renewed the certificate");
    Ok(leaf.not_after)
}

/// A certificate and its key in files.
#[derive(Debug, Clone)]
pub struct CertificateFiles {
    /// The chain.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl CertificateFiles {
    fn changed(&self) -> [Option<SystemTime>; 2] {
        [&self.certificate, &self.key].map(|path| path.metadata().and_then(|found| found.modified()).ok())
    }

    /// Takes the files into use whenever they change. Runs until dropped.
    pub async fn keep_loaded(self, slot: Arc<CertificateSlot>) {
        let mut last = self.changed();
        loop {
            tokio::time::sleep(LOOK).await;
            let now = self.changed();
            if now != last {
                last = now;
                self.reload(&slot);
            }
        }
    }

    /// Takes the files into use; what is in use stays if they do not fit together, as between two writes.
    fn reload(&self, slot: &CertificateSlot) {
        let loaded = load_files(&self.certificate, &self.key);
        match loaded.and_then(|(chain, key)| slot.replace(chain, &key)) {
            Ok(()) => {
                tracing::info!(certificate = %self.certificate.display(), "loaded the changed certificate");
            }
            Err(error) => {
                tracing::error!(%error, "the changed certificate cannot be used; the old one stays");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::DataDirectory;

    #[test]
    fn a_leaf_is_replaced_without_a_restart_a_month_before_its_end() {
        let directory = tempfile::tempdir().unwrap();
        let data = DataDirectory::create(directory.path()).unwrap();
        let now = crate::clock::now();
        let authority = Authority::load_or_create(&data, "forge.localhost", now).unwrap();
        let old = authority.issue(now).unwrap();
        let slot = CertificateSlot::new(old.chain.clone(), &old.key).unwrap();

        let early = old.not_after - LEAF_RENEWAL;
        assert_eq!(renew(&authority, &slot, old.not_after, early).unwrap(), old.not_after);
        assert_eq!(slot.current(), old.chain);

        let due = early + time::Duration::SECOND;
        assert!(renew(&authority, &slot, old.not_after, due).unwrap() > due + time::Duration::days(80));
        assert_ne!(slot.current()[0], old.chain[0]);
    }

    #[test]
    fn half_written_files_leave_the_old_certificate_in_use() {
        let directory = tempfile::tempdir().unwrap();
        let data = DataDirectory::create(directory.path()).unwrap();
        let authority = Authority::load_or_create(&data, "forge.localhost", crate::clock::now()).unwrap();
        let leaf = authority.issue(crate::clock::now()).unwrap();
        let slot = CertificateSlot::new(leaf.chain.clone(), &leaf.key).unwrap();
        let files = CertificateFiles {
            certificate: data.authority_certificate(),
            key: directory.path().join("key.pem"),
        };
        std::fs::write(&files.key, rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
        files.reload(&slot);
        assert_eq!(slot.current(), leaf.chain);
        std::fs::copy(data.tls_directory().join("ca-key.pem"), &files.key).unwrap();
        files.reload(&slot);
        assert_eq!(&slot.current()[0], authority.certificate());
    }
}
