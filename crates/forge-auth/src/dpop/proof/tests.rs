//! Proofs that are honest, and each way in which they are not.

use super::*;

const ADDRESS: &str = "https://forge.example/api/v3/user";

struct World {
    key: SigningKey,
    target: Target,
}

/// A proof as it would be made for the request of [`World::check`], before somebody changes it.
struct Draft {
    header: Value,
    claims: Value,
}

impl World {
    fn new() -> Self {
        let origin = "https://forge.example".parse().expect("an origin");
        let key = SigningKey::generate_p256().expect("a key");
        Self { key, target: Target::new([&origin], "/api/v3/user") }
    }

    fn draft(&self) -> Draft {
        Draft {
            header: json!({ "typ": TYPE, "jwk": self.key.public().to_json() }),
            claims: json!({
                "jti": "1", "htm": "GET", "htu": ADDRESS, "iat": 1_000, "ath": access_token_hash("T"), "nonce": "N",
            }),
        }
    }

    fn check_at(&self, draft: &Draft, seconds: i64) -> Result<(), ProofFault> {
        let text = self.key.sign(&draft.header, &draft.claims).expect("signed");
        let demand = Demand {
            method: "GET",
            target: &self.target,
            token: Some("T"),
            now: Timestamp::from_micros(seconds * 1_000_000),
            nonce: Some(&|nonce| nonce == "N"),
        };
        Proof::read(&text)?.check(&demand)
    }

    fn check(&self, draft: &Draft) -> Result<(), ProofFault> {
        self.check_at(draft, 1_000)
    }

    /// Checks the honest proof with one claim changed, or left out.
    fn with_claim(&self, name: &str, value: Option<Value>) -> Result<(), ProofFault> {
        let mut draft = self.draft();
        match value {
            Some(value) => draft.claims[name] = value,
            None => drop(draft.claims.as_object_mut().expect("an object").remove(name)),
        }
        self.check(&draft)
    }
}

#[test]
fn the_honest_proof_is_accepted() {
    let world = World::new();
    assert_eq!(world.check(&world.draft()), Ok(()));
    let made = make(&world.key, ("GET", ADDRESS), "2", Timestamp::from_micros(0), None, None);
    let proof = Proof::read(&made.expect("signed")).expect("readable");
    assert_eq!(proof.thumbprint(), world.key.public().thumbprint());
}

#[test]
fn the_proof_of_the_standard_is_read() {
    // RFC 9449 §4.1, figure 2.
    let text = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXp\
                Da0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydi\
                I6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wb\
                GUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7N\
                VY-FNyJK70nfbV37xRZT3Lg";
    let proof = Proof::read(text).expect("the RFC's proof");
    let origin = "https://server.example.com".parse().expect("an origin");
    let target = Target::new([&origin], "/token");
    let now = Timestamp::from_micros(1_562_262_616_000_000);
    let demand = Demand { method: "POST", target: &target, token: None, now, nonce: None };
    assert_eq!(proof.check(&demand), Ok(()));
    assert_eq!(proof.thumbprint().as_str(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
}

#[test]
fn a51_the_same_identifier_of_the_same_key_is_the_same_proof() {
    let world = World::new();
    let other = SigningKey::generate_ed25519().expect("a key");
    let key = |key: &SigningKey, id: &str| {
        let text = make(key, ("GET", ADDRESS), id, Timestamp::from_micros(0), None, None);
        Proof::read(&text.expect("signed")).expect("readable").replay_key()
    };
    // Signatures of P-256 are drawn anew each time, so that the two texts differ.
    assert_eq!(key(&world.key, "1"), key(&world.key, "1"));
    assert_ne!(key(&world.key, "1"), key(&world.key, "2"));
    assert_ne!(key(&world.key, "1"), key(&other, "1"));
}

#[test]
fn a52_a_proof_for_one_token_is_not_good_for_another() {
    let world = World::new();
    assert!(world.with_claim("ath", Some(access_token_hash("U").into())).is_err());
    assert!(world.with_claim("ath", Some("T".into())).is_err());
    assert!(world.with_claim("ath", None).is_err());
}

#[test]
fn a53_a_proof_for_another_method_or_address_is_refused() {
    let world = World::new();
    for method in ["POST", "get", "GET ", ""] {
        assert!(world.with_claim("htm", Some(method.into())).is_err(), "{method:?}");
    }
    for address in
        ["https://forge.example/api/v3/users", "https://evil.example/api/v3/user", "/api/v3/user", ""]
    {
        assert!(world.with_claim("htu", Some(address.into())).is_err(), "{address:?}");
    }
    assert_eq!(world.with_claim("htu", Some(format!("{ADDRESS}?a=1").into())), Ok(()));
    assert!(world.with_claim("htm", None).is_err());
    assert!(world.with_claim("htu", None).is_err());
}

#[test]
fn a54_a_proof_is_good_for_a_minute_either_way() {
    let world = World::new();
    for (seconds, is_good) in
        [(940, true), (1_060, true), (939, false), (1_061, false), (0, false), (1 << 40, false)]
    {
        assert_eq!(world.check_at(&world.draft(), seconds).is_ok(), is_good, "{seconds}");
    }
    for iat in [json!("1000"), json!(1000.5), json!(i64::MIN), json!(u64::MAX), json!(null)] {
        assert!(world.with_claim("iat", Some(iat.clone())).is_err(), "{iat}");
    }
    assert!(world.with_claim("iat", None).is_err());
}

#[test]
fn a55_a_nonce_is_demanded_where_it_is_given() {
    let world = World::new();
    for nonce in [None, Some(json!("")), Some(json!("M")), Some(json!(1)), Some(json!(["N"]))] {
        assert_eq!(world.with_claim("nonce", nonce.clone()), Err(ProofFault::NonceNeeded), "{nonce:?}");
    }
}

#[test]
fn a57_a_signed_object_of_another_type_is_no_proof() {
    let world = World::new();
    for kind in [
        json!("JWT"),
        json!("at+jwt"),
        json!("DPOP+JWT"),
        json!("application/dpop+jwt"),
        json!(null),
        json!(["dpop+jwt"]),
    ] {
        let mut draft = world.draft();
        draft.header["typ"] = kind.clone();
        assert!(world.check(&draft).is_err(), "{kind}");
    }
    let mut draft = world.draft();
    draft.header.as_object_mut().expect("an object").remove("typ");
    assert!(world.check(&draft).is_err());
}

#[test]
fn a58_keys_from_elsewhere_private_keys_and_demands_are_refused() {
    let world = World::new();
    let mut private = world.draft();
    private.header["jwk"]["d"] = "AA".into();
    assert!(world.check(&private).is_err());
    let mut critical = world.draft();
    critical.header["crit"] = json!(["exp"]);
    assert!(world.check(&critical).is_err());
    let mut another = world.draft();
    another.header["jwk"] = SigningKey::generate_p256().expect("a key").public().to_json();
    assert!(world.check(&another).is_err());
    let mut absent = world.draft();
    absent.header.as_object_mut().expect("an object").remove("jwk");
    absent.header["jku"] = "https://evil.example/keys".into();
    assert!(world.check(&absent).is_err());
    // Names of keys are not followed, wherever they lead.
    let mut named = world.draft();
    named.header["kid"] = "../../../etc/passwd' OR 1=1".into();
    named.header["x5u"] = "https://evil.example/keys".into();
    assert_eq!(world.check(&named), Ok(()));
}

#[test]
fn a58_oversized_and_doubled_proofs_are_refused() {
    let world = World::new();
    let text = world.key.sign(&world.draft().header, &world.draft().claims).expect("signed");
    assert!(Proof::read_only([text.as_str()].into_iter()).is_ok());
    assert!(Proof::read_only([text.as_str(), text.as_str()].into_iter()).is_err());
    assert!(Proof::read_only(std::iter::empty()).is_err());
    assert!(Proof::read(&format!("{text}, {text}")).is_err());
    assert!(Proof::read(&"x".repeat(1 << 20)).is_err());
    assert!(world.with_claim("padding", Some("x".repeat(4096).into())).is_err());
    for id in ["".to_owned(), "x".repeat(129)] {
        assert!(world.with_claim("jti", Some(id.into())).is_err());
    }
    assert_eq!(world.with_claim("jti", Some("x".repeat(128).into())), Ok(()));
    assert!(world.with_claim("jti", Some(json!(1))).is_err());
    assert!(world.with_claim("jti", None).is_err());
}
