//! The certificate bundle of local mode: the system's roots and our authority in one PEM file.
//!
//! Programs that are pointed at a file trust only what is in it; with our certificate alone they would no
//! longer reach the rest of the world.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;

use crate::config::Environment;
use crate::data::{DataDirectory, write_private};
use crate::failure::{Failure, Result};

/// Where systems keep their bundle; asked only when the environment points at our own file.
const SYSTEM_BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Writes the bundle and returns where it is.
pub fn write(data: &DataDirectory, environment: &Environment, ours: &CertificateDer<'_>) -> Result<PathBuf> {
    let path = data.tls_directory().join("ca-bundle.pem");
    let roots = system_roots(data, environment);
    if roots.is_empty() {
        tracing::warn!(
            "no root certificates of the system found: programs that use `forge env` reach this server only"
        );
    }
    let text = pem(std::iter::once(ours).chain(roots.iter()));
    write_private(&path, text.as_bytes()).map_err(|error| Failure::io(path.display(), error))?;
    Ok(path)
}

/// Returns the roots that this machine trusts without us.
pub fn system_roots(data: &DataDirectory, environment: &Environment) -> Vec<CertificateDer<'static>> {
    // After `eval "$(forge env)"` the variables point at the file that is about to be written.
    let is_ours = |path: &str| {
        Path::new(path).starts_with(data.path()) || environment.value("FORGE_PREVIOUS").is_some()
    };
    let found = match environment.value("SSL_CERT_FILE") {
        Some(path) if is_ours(path) => {
            rustls_native_certs::load_certs_from_paths(previous(environment).as_deref(), None)
        }
        _ => rustls_native_certs::load_native_certs(),
    };
    for error in &found.errors {
        tracing::debug!(%error, "a root certificate of the system cannot be read");
    }
    found.certs
}

fn previous(environment: &Environment) -> Option<PathBuf> {
    let saved = environment.value("FORGE_PREVIOUS_SSL_CERT_FILE");
    let candidates = saved.into_iter().chain(SYSTEM_BUNDLES.iter().copied());
    candidates.map(PathBuf::from).find(|path| path.is_file())
}

fn pem<'a>(certificates: impl Iterator<Item = &'a CertificateDer<'a>>) -> String {
    let mut seen: BTreeSet<&[u8]> = BTreeSet::new();
    let mut text = String::new();
    for certificate in certificates {
        if !seen.insert(certificate) {
            continue;
        }
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        let encoded = data_encoding::BASE64.encode(certificate);
        for line in encoded.as_bytes().chunks(64) {
            text.push_str(&String::from_utf8_lossy(line));
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::pem::PemObject;

    use super::*;
    use crate::local::authority::Authority;

    fn read(path: &Path) -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_file_iter(path).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn the_bundle_holds_ours_and_the_systems_roots_once_each() {
        let directory = tempfile::tempdir().unwrap();
        let data = DataDirectory::create(directory.path()).unwrap();
        let authority = Authority::load_or_create(&data, "forge.localhost", crate::clock::now()).unwrap();
        let path = write(&data, &Environment::default(), authority.certificate()).unwrap();
        let first = read(&path);
        assert_eq!(&first[0], authority.certificate());

        // Started again from a shell that already uses the bundle: nothing is lost, nothing is twice.
        let variables = [("SSL_CERT_FILE", path.to_str().unwrap())].into_iter().collect();
        let again = read(&write(&data, &variables, authority.certificate()).unwrap());
        assert_eq!(again.len(), again.iter().map(AsRef::<[u8]>::as_ref).collect::<BTreeSet<_>>().len());
        assert_eq!(first.len() > 1, again.len() > 1);
    }

    #[test]
    fn a_bundle_that_the_user_had_before_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let data = DataDirectory::create(directory.path().join("data")).unwrap();
        let theirs = Authority::load_or_create(
            &DataDirectory::at(directory.path().join("other")),
            "corporate.localhost",
            crate::clock::now(),
        )
        .unwrap();
        let saved = directory.path().join("corporate.pem");
        std::fs::write(&saved, pem(std::iter::once(theirs.certificate()))).unwrap();
        let variables: Environment = [
            ("FORGE_PREVIOUS", "SSL_CERT_FILE"),
            ("FORGE_PREVIOUS_SSL_CERT_FILE", saved.to_str().unwrap()),
            ("SSL_CERT_FILE", "/gone/ca-bundle.pem"),
        ]
        .into_iter()
        .collect();
        assert_eq!(system_roots(&data, &variables), [theirs.certificate().clone()]);
    }
}
