//! Tokens bound to client certificates (RFC 8705), on a whole forge that curl and git reach.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use forge_service::{admin, registration_key};
use forge_types::Scopes;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::assembly::{Forge, ForgeBuilder};
use crate::config::{Config, Environment, List};
use crate::data::{DataDirectory, DataLock};

const SPIFFE_ID: &str = "spiffe://example.org/ci/one";
const TOKEN: &str = "/login/oauth/access_token";

/// Somebody who issues certificates.
struct Authority(Issuer<'static, KeyPair>);

impl Authority {
    /// Makes one, and writes its certificate into a file.
    fn create(name: &str, file: &Path) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        std::fs::write(file, params.self_signed(&key).unwrap().pem()).unwrap();
        Self(Issuer::new(params, key))
    }
}

/// A client's certificate and key, in files.
#[derive(Clone)]
struct Holder {
    certificate: PathBuf,
    key: PathBuf,
}

/// What a certificate is to say.
fn saying(name: &str, uri: Option<&str>) -> CertificateParams {
    let mut params = CertificateParams::new(vec![format!("{name}.example")]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.subject_alt_names.extend(uri.map(|uri| SanType::URI(uri.try_into().unwrap())));
    params
}

struct World {
    directory: tempfile::TempDir,
    info: RunInfo,
    anchors: Arc<Anchors>,
    mutual: u16,
    stop: CancellationToken,
    _forge: Forge,
    agent: String,
    standing: String,
    /// A token of the administrator's.
    admin: String,
    first: Authority,
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl World {
    async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let first = Authority::create("first", &directory.path().join("first.pem"));
        let _second = Authority::create("second", &directory.path().join("second.pem"));
        let data = DataDirectory::create(directory.path().join("data")).unwrap();
        let lock = DataLock::take(&data, std::time::Duration::ZERO).unwrap();
        let mut config = Config::default();
        config.server.data = data.path().to_owned();
        config.server.listen = Some("127.0.0.1:0".parse().unwrap());
        config.mtls.listen = Some("127.0.0.1:0".parse().unwrap());
        config.mtls.authorities =
            List(vec![directory.path().join("first.pem"), directory.path().join("second.pem")]);
        let doors = Doors::open(&config, &data, &Environment::default()).await.unwrap();
        let (info, anchors) = (doors.run_info(), doors.anchors().unwrap());
        let mutual_port = info.listen.last().unwrap().port();
        let builder = ForgeBuilder::new(config.clone()).with_browser_url(doors.browser_url());
        let forge = builder.with_mutual_url(doors.mutual_url()).build_in(data, lock).await.unwrap();
        let (stop, metrics) = (CancellationToken::new(), forge.metrics().clone());
        let ops = Ops::new(metrics.clone(), || async { Ok(()) });
        let (router, ended) = (forge.router(), stop.clone());
        tokio::spawn(async move {
            doors.run(router, ops, metrics, (&config.limits, &config.server), ended).await;
        });
        let console = admin::console(forge.app());
        let user = admin::NewUser {
            login: "root1".into(),
            email: "root1@forge.example".into(),
            is_site_admin: true,
            password: None,
        };
        admin::create_user(&console, &user).await.unwrap();
        let (token, _) = admin::create_token(
            &console,
            "root1",
            "test",
            Some(Scopes::parse("repo,admin:org,site_admin").unwrap()),
            None,
        )
        .await
        .unwrap();
        let key = registration_key::show(&console).await.unwrap();
        let mut world = Self {
            directory,
            info,
            anchors,
            mutual: mutual_port,
            stop,
            _forge: forge,
            agent: String::new(),
            standing: String::new(),
            admin: token.expose().to_owned(),
            first,
        };
        let body = json!({ "prefix_login": "bot", "default_repo_name": "home" });
        let made = world.call(world.main(), None, key.expose(), "/api/ext/v1/agents", Some(&body)).await;
        assert_eq!(made.0, 201, "{}", made.1);
        world.agent = made.1["login"].as_str().unwrap().to_owned();
        world.standing = made.1["token"].as_str().unwrap().to_owned();
        world
    }

    fn main(&self) -> u16 {
        self.info.listen[0].port()
    }

    fn write(&self, name: &str, certificate: &str, key: &KeyPair) -> Holder {
        let path = |kind: &str| self.directory.path().join(format!("{name}-{kind}.pem"));
        let holder = Holder { certificate: path("certificate"), key: path("key") };
        std::fs::write(&holder.certificate, certificate).unwrap();
        std::fs::write(&holder.key, key.serialize_pem()).unwrap();
        holder
    }

    fn issued(&self, name: &str, params: &CertificateParams, by: &Authority) -> Holder {
        let key = KeyPair::generate().unwrap();
        self.write(name, &params.signed_by(&key, &by.0).unwrap().pem(), &key)
    }

    /// Runs curl; returns the status, 0 where there was no answer, and the body.
    async fn curl(&self, port: u16, holder: Option<&Holder>, path: &str, more: &[&str]) -> (u16, Value) {
        let mut command = tokio::process::Command::new("curl");
        command.args([
            "--silent",
            "--max-time",
            "20",
            "--write-out",
            "\n%{http_code}",
            "--noproxy",
            "*",
            "--cacert",
        ]);
        command.arg(self.info.ca_bundle.as_ref().unwrap());
        command.args(["--resolve", &format!("forge.localhost:{port}:127.0.0.1")]);
        if let Some(holder) = holder {
            command.arg("--cert").arg(&holder.certificate).arg("--key").arg(&holder.key);
        }
        command.args(more).arg(format!("https://forge.localhost:{port}{path}")).stdin(Stdio::null());
        let output = command.output().await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (body, status) = text.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), serde_json::from_str(body).unwrap_or_default())
    }

    /// Calls with a token.
    async fn call(
        &self,
        port: u16,
        holder: Option<&Holder>,
        token: &str,
        path: &str,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let authorization = format!("Authorization: Bearer {token}");
        let text = body.map(Value::to_string);
        let mut more = vec!["--header", authorization.as_str()];
        if let Some(text) = &text {
            more.extend(["--header", "Content-Type: application/json", "--data", text]);
        }
        self.curl(port, holder, path, &more).await
    }

    async fn opens(&self, port: u16, holder: Option<&Holder>, token: &str) -> u16 {
        self.call(port, holder, token, "/api/v3/user", None).await.0
    }

    /// Asks for a session with nothing but a certificate.
    async fn ask(&self, port: u16, holder: Option<&Holder>, more: &[&str]) -> (u16, Value) {
        let (grant, client) = ("grant_type=client_credentials", format!("client_id={}", self.agent));
        let mut fields = vec!["--header", "Accept: application/json", "--data", grant, "--data", &client];
        fields.extend(more);
        self.curl(port, holder, TOKEN, &fields).await
    }

    async fn session(&self, holder: &Holder) -> String {
        let (status, answer) = self.ask(self.mutual, Some(holder), &[]).await;
        assert_eq!(status, 200, "{answer}");
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// Lets the agent's workloads in, as the administrator.
    async fn bind(&self, binding: &Value) -> (u16, Value) {
        let path = format!("/api/ext/v1/agents/{}/workload-bindings", self.agent);
        self.call(self.main(), None, &self.admin, &path, Some(binding)).await
    }

    async fn with_svid(&self) -> Holder {
        let binding = json!({ "issuer": "spiffe://example.org", "subject": "spiffe://example.org/ci/*" });
        let bound = self.bind(&binding).await;
        assert_eq!(bound.0, 201, "{}", bound.1);
        self.issued("svid", &saying("one", Some(SPIFFE_ID)), &self.first)
    }
}

#[tokio::test]
async fn a61_a_session_is_good_with_the_certificate_it_was_had_with_and_with_no_other() {
    let world = World::start().await;
    let holder = world.with_svid().await;
    let session = world.session(&holder).await;
    assert_eq!(world.opens(world.mutual, Some(&holder), &session).await, 200);
    // Neither without it, nor where none is asked for, nor in a header.
    assert_eq!(world.opens(world.mutual, None, &session).await, 401);
    assert_eq!(world.opens(world.main(), Some(&holder), &session).await, 401);
    let pem = std::fs::read_to_string(&holder.certificate).unwrap().replace('\n', " ");
    let authorization = format!("Authorization: Bearer {session}");
    for name in ["X-Client-Cert", "X-Forwarded-Client-Cert", "Client-Cert", "X-SSL-Client-Cert"] {
        let header = format!("{name}: {pem}");
        let more = ["--header", authorization.as_str(), "--header", header.as_str()];
        for port in [world.mutual, world.main()] {
            assert_eq!(world.curl(port, None, "/api/v3/user", &more).await.0, 401, "{name}");
        }
        let asked = world.ask(world.mutual, None, &["--header", header.as_str()]).await;
        assert_eq!((asked.0, &asked.1["error"]), (401, &json!("invalid_client")), "{name}");
    }
    // Another certificate of the same authority with the same names and another key is another certificate.
    let twin = world.issued("twin", &saying("one", Some(SPIFFE_ID)), &world.first);
    assert_eq!(world.opens(world.mutual, Some(&twin), &session).await, 401);
    let said = ["--header", authorization.as_str(), "--dump-header", "-", "--output", "/dev/null"];
    let answer = world.curl(world.mutual, Some(&twin), "/api/v3/user", &said).await;
    assert_eq!(answer.0, 401);
    // By the other doors too.
    let query = json!({ "query": "{ viewer { login } }" });
    let graphql =
        async |holder| world.call(world.mutual, holder, &session, "/api/graphql", Some(&query)).await;
    assert_eq!(graphql(Some(&holder)).await.1["data"]["viewer"]["login"], world.agent.as_str());
    assert_eq!((graphql(Some(&twin)).await.0, graphql(None).await.0), (401, 401));
    // What is made with it is bound to the same.
    let made = world
        .call(world.mutual, Some(&holder), &session, "/api/ext/v1/user/tokens", Some(&json!({ "name": "x" })))
        .await;
    let made = made.1["token"].as_str().unwrap().to_owned();
    assert_eq!(world.opens(world.mutual, Some(&holder), &made).await, 200);
    assert_eq!(world.opens(world.main(), None, &made).await, 401);
    // A token that is not bound is good with and without a certificate.
    for holder in [Some(&holder), None] {
        assert_eq!(world.opens(world.mutual, holder, &world.standing).await, 200);
    }
}

#[tokio::test]
async fn a61_who_is_not_vouched_for_opens_no_session() {
    let world = World::start().await;
    let _honest = world.with_svid().await;
    let stranger = Authority::create("first", &world.directory.path().join("stranger.pem"));
    let foreign = world.issued("foreign", &saying("one", Some(SPIFFE_ID)), &stranger);
    let mut past = saying("one", Some(SPIFFE_ID));
    past.not_before = crate::clock::now() - time::Duration::days(2);
    past.not_after = crate::clock::now() - time::Duration::days(1);
    let expired = world.issued("expired", &past, &world.first);
    for holder in [&foreign, &expired] {
        // There is not even a handshake.
        assert_eq!(world.ask(world.mutual, Some(holder), &[]).await.0, 0);
        assert_eq!(world.opens(world.mutual, Some(holder), &world.standing).await, 0);
    }
    let key = KeyPair::generate().unwrap();
    let own = saying("one", Some(SPIFFE_ID)).self_signed(&key).unwrap().pem();
    let own = world.write("own", &own, &key);
    let other = world.issued("other", &saying("two", Some("spiffe://example.org/cd/one")), &world.first);
    let domain = world.issued("domain", &saying("two", Some("spiffe://evil.org/ci/one")), &world.first);
    let mut both = saying("two", Some(SPIFFE_ID));
    both.subject_alt_names.push(SanType::URI("spiffe://example.org/ci/two".try_into().unwrap()));
    let both = world.issued("both", &both, &world.first);
    for holder in [&own, &other, &domain, &both] {
        let (status, answer) = world.ask(world.mutual, Some(holder), &[]).await;
        assert_eq!((status, &answer["error"]), (401, &json!("invalid_client")));
    }
    // The certificate counts on its own listener alone.
    let honest = Holder {
        certificate: world.directory.path().join("svid-certificate.pem"),
        key: world.directory.path().join("svid-key.pem"),
    };
    assert_eq!(world.ask(world.main(), Some(&honest), &[]).await.0, 401);
    assert_eq!(world.ask(world.mutual, Some(&honest), &[]).await.0, 200);
}

#[tokio::test]
async fn authorities_are_exchanged_while_the_server_runs_and_two_are_believed_at_once() {
    let world = World::start().await;
    let former = world.with_svid().await;
    let file = world.directory.path().join("second.pem");
    let next = Authority::create("next", &world.directory.path().join("next.pem"));
    let latter = world.issued("latter", &saying("one", Some(SPIFFE_ID)), &next);
    assert_eq!(world.ask(world.mutual, Some(&latter), &[]).await.0, 0);
    std::fs::copy(world.directory.path().join("next.pem"), &file).unwrap();
    world.anchors.reload();
    let (one, two) = (world.session(&former).await, world.session(&latter).await);
    assert_eq!(world.opens(world.mutual, Some(&former), &one).await, 200);
    std::fs::write(world.directory.path().join("first.pem"), "half a file").unwrap();
    world.anchors.reload();
    assert_eq!(world.opens(world.mutual, Some(&former), &one).await, 200);
    std::fs::copy(world.directory.path().join("next.pem"), world.directory.path().join("first.pem")).unwrap();
    world.anchors.reload();
    assert_eq!(world.opens(world.mutual, Some(&former), &one).await, 0);
    assert_eq!(world.opens(world.mutual, Some(&latter), &two).await, 200);
}

#[tokio::test]
async fn a_key_of_the_agents_in_whatever_certificate_opens_a_session_and_a_name_an_authority_gave_does() {
    let world = World::start().await;
    let key = KeyPair::generate().unwrap();
    let point = key.public_key_raw();
    let encode = |bytes: &[u8]| data_encoding::BASE64URL_NOPAD.encode(bytes);
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..]) });
    let first = saying("whatever", None).self_signed(&key).unwrap().pem();
    let first = world.write("first-of-key", &first, &key);
    assert_eq!(world.ask(world.mutual, Some(&first), &[]).await.0, 401);
    // The handshake is the proof that whoever adds the key holds it.
    let path = format!("/api/ext/v1/agents/{}/keys", world.agent);
    let body = json!({ "jwk": jwk, "purpose": "mtls" });
    assert_eq!(world.call(world.main(), None, &world.standing, &path, Some(&body)).await.0, 401);
    let added = world.call(world.mutual, Some(&first), &world.standing, &path, Some(&body)).await;
    assert_eq!((added.0, &added.1["purpose"]), (201, &json!("mtls")), "{}", added.1);
    let session = world.session(&first).await;
    let renewed = saying("renewed", None).self_signed(&key).unwrap().pem();
    let renewed = world.write("renewed", &renewed, &key);
    assert_eq!(world.opens(world.mutual, Some(&renewed), &session).await, 401);
    let _ = world.session(&renewed).await;
    // The same subject with another key.
    let other = KeyPair::generate().unwrap();
    let forged = saying("whatever", None).self_signed(&other).unwrap().pem();
    let forged = world.write("forged", &forged, &other);
    assert_eq!(world.ask(world.mutual, Some(&forged), &[]).await.0, 401);
    let withdrawn = format!("{path}/{}", added.1["id"].as_str().unwrap());
    let authorization = format!("Authorization: Bearer {}", world.standing);
    let more = ["--request", "DELETE", "--header", authorization.as_str()];
    assert_eq!(world.curl(world.main(), None, &withdrawn, &more).await.0, 204);
    assert_eq!(world.opens(world.mutual, Some(&first), &session).await, 401);
    assert_eq!(world.ask(world.mutual, Some(&first), &[]).await.0, 401);
    // A name in the DNS.
    let named = world.issued("named", &saying("build", None), &world.first);
    assert_eq!(world.ask(world.mutual, Some(&named), &[]).await.0, 401);
    assert_eq!(world.bind(&json!({ "issuer": "x509", "subject": "dns:build.example" })).await.0, 201);
    let _ = world.session(&named).await;
}

#[tokio::test]
async fn what_is_said_of_bound_tokens_and_what_counts_as_bound() {
    let world = World::start().await;
    let described = world.curl(world.main(), None, "/.well-known/oauth-authorization-server", &[]).await.1;
    let alias = format!("https://forge.localhost:{}{TOKEN}", world.mutual);
    assert_eq!(described["mtls_endpoint_aliases"]["token_endpoint"], alias.as_str());
    assert_eq!(described["tls_client_certificate_bound_access_tokens"], true);
    let holder = world.with_svid().await;
    let agent = format!("/api/ext/v1/agents/{}", world.agent);
    let authorization = format!("Authorization: Bearer {}", world.admin);
    let more = [
        "--request",
        "PATCH",
        "--header",
        authorization.as_str(),
        "--header",
        "Content-Type: application/json",
        "--data",
        r#"{"bound_only":true}"#,
    ];
    assert_eq!(world.curl(world.main(), None, &agent, &more).await.0, 200);
    assert_eq!(world.opens(world.main(), None, &world.standing).await, 403);
    let session = world.session(&holder).await;
    assert_eq!(world.opens(world.mutual, Some(&holder), &session).await, 200);
    let token = format!("token={session}");
    let authorization = format!("Authorization: Bearer {}", world.admin);
    let more = ["--header", authorization.as_str(), "--data", token.as_str()];
    let told = world.curl(world.main(), None, "/login/oauth/introspect", &more).await.1;
    assert_eq!(told["active"], true, "{told}");
    assert_eq!(told["cnf"]["x5t#S256"].as_str().map(str::len), Some(43));
    assert_eq!(told["runtime"], format!("spiffe://example.org {SPIFFE_ID}"));
}

#[tokio::test]
async fn git_clones_and_pushes_with_a_bound_token_and_its_certificate_alone() {
    let world = World::start().await;
    let holder = world.with_svid().await;
    let session = world.session(&holder).await;
    let twin = world.issued("twin", &saying("one", Some(SPIFFE_ID)), &world.first);
    let port = world.mutual;
    let bundle = world.info.ca_bundle.clone().unwrap();
    let git = async |folder: &Path, holder: Option<&Holder>, args: &[&str]| {
        let mut command = tokio::process::Command::new("git");
        command.current_dir(folder).env("GIT_TERMINAL_PROMPT", "0").env("GIT_CONFIG_GLOBAL", "/dev/null");
        command.env_remove("HTTPS_PROXY").env_remove("https_proxy").env("NO_PROXY", "*");
        command.args(["-c", "user.name=bot", "-c", "user.email=bot@forge.example"]);
        command.env("GIT_SSL_CAINFO", &bundle);
        command.args(["-c", &format!("http.curloptResolve=forge.localhost:{port}:127.0.0.1")]);
        if let Some(holder) = holder {
            command.args(["-c", &format!("http.sslCert={}", holder.certificate.display())]);
            command.args(["-c", &format!("http.sslKey={}", holder.key.display())]);
        }
        let output = command.args(args).stdin(Stdio::null()).output().await.unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let remote = format!("https://x:{session}@forge.localhost:{port}/{}/home.git", world.agent);
    let folder = tempfile::tempdir().unwrap();
    let cloned = git(folder.path(), Some(&holder), &["clone", "--quiet", &remote, "copy"]).await;
    assert!(cloned.0, "{}", cloned.1);
    let copy = folder.path().join("copy");
    let committed = git(&copy, None, &["commit", "--quiet", "--allow-empty", "--message", "first"]).await;
    assert!(committed.0, "{}", committed.1);
    for holder in [None, Some(&twin)] {
        let pushed = git(&copy, holder, &["push", "--quiet", "origin", "HEAD:main"]).await;
        assert!(!pushed.0, "pushed without the certificate");
        let cloned = git(folder.path(), holder, &["clone", "--quiet", &remote, "other"]).await;
        assert!(!cloned.0, "cloned without the certificate");
    }
    let pushed = git(&copy, Some(&holder), &["push", "--quiet", "origin", "HEAD:main"]).await;
    assert!(pushed.0, "{}", pushed.1);
}

#[tokio::test]
async fn a_policy_that_asks_for_bound_tokens_is_met_by_a_certificate() {
    let world = World::start().await;
    let holder = world.with_svid().await;
    let make = async |path: &str, body: Value| {
        let made = world.call(world.main(), None, &world.admin, path, Some(&body)).await;
        assert_eq!(made.0, 201, "{path} {}", made.1);
    };
    make("/api/ext/v1/user/orgs", json!({ "login": "acme" })).await;
    make("/api/v3/orgs/acme/repos", json!({ "name": "work", "private": true })).await;
    let path = format!("/api/v3/repos/acme/work/collaborators/{}", world.agent);
    let authorization = format!("Authorization: Bearer {}", world.admin);
    let put = ["--request", "PUT", "--header", authorization.as_str(), "--data", r#"{"permission":"push"}"#];
    let added = world.curl(world.main(), None, &path, &put).await;
    assert!([201, 204].contains(&added.0), "{added:?}");
    let session = world.session(&holder).await;
    let label = async |port, holder: Option<&Holder>, token: &str, name: &str| {
        let body = json!({ "name": name, "color": "ff0000" });
        world.call(port, holder, token, "/api/v3/repos/acme/work/labels", Some(&body)).await.0
    };
    assert_eq!(label(world.main(), None, &world.standing, "1").await, 201);
    let policy = "forbid (principal is Agent, action, resource) unless { context.credential.is_bound };";
    make("/api/ext/v1/orgs/acme/policies", json!({ "name": "bound", "policy": policy })).await;
    assert_eq!(label(world.main(), None, &world.standing, "2").await, 403);
    assert_eq!(label(world.mutual, Some(&holder), &session, "3").await, 201);
}
