//! The certificate authority of local mode.
//!
//! INVARIANT: its certificate permits `HOST` and names below it, no other name and no address, so that whoever
//! trusts it trusts it for this server alone, even if the key is stolen. The key stays in its file (0600);
//! leaf keys never touch the disk.

use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::data::{DataDirectory, write_private};
use crate::failure::{Failure, Result};

/// How long a leaf is valid.
pub const LEAF_LIFETIME: Duration = Duration::days(90);
/// A leaf with less than this left is renewed.
pub const LEAF_RENEWAL: Duration = Duration::days(30);
const AUTHORITY_LIFETIME: Duration = Duration::days(3650);
/// Clocks of containers and virtual machines differ; certificates start a little in the past.
const BACKDATE: Duration = Duration::hours(1);

/// A certificate authority for one host.
pub struct Authority {
    about: About,
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate for the host with its key.
pub struct Leaf {
    /// The certificate, and the authority's after it.
    pub chain: Vec<CertificateDer<'static>>,
    /// The private key.
    pub key: PrivateKeyDer<'static>,
    /// When the certificate ends.
    pub not_after: OffsetDateTime,
}

/// What the certificate says, kept beside it so that nothing has to parse it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct About {
    host: String,
    name: String,
    not_after: i64,
}

impl Authority {
    /// Loads the authority of `host`, or makes one: when there is none, when it is for another host, when it
    /// ends before a new leaf would, or when its files do not belong together.
    pub fn load_or_create(data: &DataDirectory, host: &str, now: OffsetDateTime) -> Result<Self> {
        let directory = data.tls_directory();
        if let Some(authority) = Self::load(&directory, host).filter(|found| found.is_usable(now)) {
            return Ok(authority);
        }
        Self::create(&directory, host, now).map_err(|error| {
            Failure::io(
                format_args!("cannot make a certificate authority in `{}`", directory.display()),
                error,
            )
        })
    }

    /// Returns the authority's certificate.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Returns the names that a leaf carries.
    pub fn names(&self) -> [String; 2] {
        [self.about.host.clone(), format!("api.{}", self.about.host)]
    }

    /// Issues a certificate for the host and its API name.
    pub fn issue(&self, now: OffsetDateTime) -> Result<Leaf> {
        self.issue_for(&self.names(), now).map_err(|error| Failure::io("cannot issue a certificate", error))
    }

    fn issue_for(&self, names: &[String], now: OffsetDateTime) -> Result<Leaf, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, &self.about.host);
        params.not_before = now - BACKDATE;
        params.not_after = (now + LEAF_LIFETIME - BACKDATE).min(self.not_after());
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Leaf {
            chain: vec![certificate.der().clone(), self.certificate.clone()],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            not_after: params.not_after,
        })
    }

    fn not_after(&self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(self.about.not_after).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    fn load(directory: &Path, host: &str) -> Option<Self> {
        let about: About =
            serde_json::from_slice(&std::fs::read(directory.join("authority.json")).ok()?).ok()?;
        if about.host != host {
            return None;
        }
        let key = KeyPair::from_pem(&std::fs::read_to_string(directory.join("ca-key.pem")).ok()?).ok()?;
        let certificate = CertificateDer::from_pem_file(directory.join("ca.pem")).ok()?;
        let issuer = Issuer::new(parameters(&about), key);
        Some(Self { about, certificate, issuer })
    }

    fn create(directory: &Path, host: &str, now: OffsetDateTime) -> std::io::Result<Self> {
        crate::data::create_directory(directory)?;
        let key = KeyPair::generate().map_err(std::io::Error::other)?;
        let id = data_encoding::HEXLOWER.encode(&key.public_key_raw()[1..5]);
        let not_after = (now + AUTHORITY_LIFETIME).unix_timestamp();
        let about = About {
            host: host.to_owned(),
            name: format!("forge local authority {id} for {host}"),
            not_after,
        };
        let mut params = parameters(&about);
        params.not_before = now - BACKDATE;
        params.not_after = now + AUTHORITY_LIFETIME;
        let certificate = params.self_signed(&key).map_err(std::io::Error::other)?;
        // The description goes last: without it, what a crash left behind does not count.
        write_private(&directory.join("ca-key.pem"), key.serialize_pem().as_bytes())?;
        write_private(&directory.join("ca.pem"), certificate.pem().as_bytes())?;
        write_private(&directory.join("authority.json"), &serde_json::to_vec_pretty(&about)?)?;
        Ok(Self { issuer: Issuer::new(params, key), certificate: certificate.der().clone(), about })
    }

    /// Whether a leaf issued now would be believed, for both names and until its end.
    fn is_usable(&self, now: OffsetDateTime) -> bool {
        let names = self.names();
        self.not_after() >= now + LEAF_LIFETIME
            && self
                .issue(now)
                .is_ok_and(|leaf| names.iter().all(|name| is_believed(&self.certificate, &leaf, name, now)))
    }
}

fn parameters(about: &About) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, &about.name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName(about.host.clone())],
        // A constraint binds only its own kind of name; addresses must be excluded on their own.
        excluded_subtrees: vec![
            GeneralSubtree::IpAddress(CidrSubnet::V4([0; 4], [0; 4])),
            GeneralSubtree::IpAddress(CidrSubnet::V6([0; 16], [0; 16])),
        ],
    });
    params
}

fn is_believed(root: &CertificateDer<'_>, leaf: &Leaf, name: &str, now: OffsetDateTime) -> bool {
    verify(root, leaf, name, now).is_ok()
}

/// Checks a leaf as a client would that trusts `root`.
fn verify(root: &CertificateDer<'_>, leaf: &Leaf, name: &str, now: OffsetDateTime) -> Result<(), String> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone().into_owned()).map_err(|error| error.to_string())?;
    let provider = rustls::crypto::ring::default_provider();
    let verifier = rustls::client::WebPkiServerVerifier::builder_with_provider(roots.into(), provider.into())
        .build()
        .map_err(|error| error.to_string())?;
    let name = ServerName::try_from(name.to_owned()).map_err(|error| error.to_string())?;
    let since_epoch = u64::try_from(now.unix_timestamp()).unwrap_or_default();
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(since_epoch));
    let [certificate, rest @ ..] = leaf.chain.as_slice() else { return Err("the chain is empty".into()) };
    rustls::client::danger::ServerCertVerifier::verify_server_cert(
        &*verifier,
        certificate,
        rest,
        &name,
        &[],
        at,
    )
    .map(drop)
    .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const HOST: &str = "forge.localhost";

    fn data() -> (tempfile::TempDir, DataDirectory) {
        let directory = tempfile::tempdir().unwrap();
        let data = DataDirectory::create(directory.path()).unwrap();
        (directory, data)
    }

    fn authority(data: &DataDirectory) -> Authority {
        Authority::load_or_create(data, HOST, crate::clock::now()).unwrap()
    }

    fn attempt(authority: &Authority, name: &str) -> Result<(), String> {
        let now = crate::clock::now();
        let leaf = authority.issue_for(&[name.to_owned()], now).unwrap();
        verify(authority.certificate(), &leaf, name, now)
    }

    #[test]
    fn the_authority_vouches_for_the_host_and_names_below_it_only() {
        let (_directory, data) = data();
        let authority = authority(&data);
        attempt(&authority, HOST).unwrap();
        attempt(&authority, "api.forge.localhost").unwrap();
        for other in ["github.com", "localhost", "other.localhost", "xforge.localhost", "127.0.0.1", "::1"] {
            let refusal = attempt(&authority, other).unwrap_err();
            assert!(refusal.contains("NameConstraintViolation"), "{other}: {refusal}");
        }
    }

    #[test]
    fn a_leaf_carries_both_names_and_ends_within_90_days() {
        let (_directory, data) = data();
        let authority = authority(&data);
        let now = crate::clock::now();
        let leaf = authority.issue(now).unwrap();
        assert!(leaf.not_after - now < Duration::days(90));
        for name in authority.names() {
            verify(authority.certificate(), &leaf, &name, now).unwrap();
            verify(authority.certificate(), &leaf, &name, leaf.not_after - Duration::hours(1)).unwrap();
            assert!(
                verify(authority.certificate(), &leaf, &name, leaf.not_after + Duration::hours(1)).is_err()
            );
        }
    }

    #[test]
    fn the_authority_stays_the_same_and_its_key_is_private() {
        let (_directory, data) = data();
        let first = authority(&data);
        let second = authority(&data);
        assert_eq!(first.certificate(), second.certificate());
        let key = data.tls_directory().join("ca-key.pem");
        assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn another_host_or_an_early_end_or_a_broken_file_makes_a_new_authority() {
        let (_directory, data) = data();
        let first = authority(&data).certificate().clone();
        let other = Authority::load_or_create(&data, "other.localhost", crate::clock::now()).unwrap();
        assert_ne!(&first, other.certificate());

        let second = authority(&data).certificate().clone();
        let late = crate::clock::now() + AUTHORITY_LIFETIME - Duration::days(30);
        let renewed = Authority::load_or_create(&data, HOST, late).unwrap();
        assert_ne!(&second, renewed.certificate());

        let third = authority(&data).certificate().clone();
        std::fs::write(data.tls_directory().join("ca-key.pem"), KeyPair::generate().unwrap().serialize_pem())
            .unwrap();
        let fourth = authority(&data).certificate().clone();
        assert_ne!(third, fourth);
        std::fs::write(data.tls_directory().join("authority.json"), "{").unwrap();
        assert_ne!(&fourth, authority(&data).certificate());
    }

    #[test]
    fn openssl_reads_the_constraints_as_critical() {
        let (_directory, data) = data();
        drop(authority(&data));
        let output = std::process::Command::new("openssl")
            .args(["x509", "-noout", "-text", "-in"])
            .arg(data.authority_certificate())
            .output();
        let Ok(output) = output else { return };
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("X509v3 Name Constraints: critical"), "{text}");
        assert!(text.contains("DNS:forge.localhost"), "{text}");
        assert!(text.contains("IP:0.0.0.0/0.0.0.0"), "{text}");
        assert!(text.contains("CA:TRUE, pathlen:0"), "{text}");
    }
}
