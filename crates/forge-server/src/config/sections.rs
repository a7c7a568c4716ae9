//! The sections of the configuration, one struct each.
//!
//! An option stands here only if something reads it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::network::{AddressRange, Fingerprint, PublicUrl};
use super::section::section;
use super::values::{ByteSize, List, Period, choice};

section! {
    /// Where the server keeps its data, where it listens, and what it calls itself.
    [server] Server, ServerLayer {
        /// Directory of everything the server stores.
        default data: PathBuf = PathBuf::from("forge-data") => "data", "FORGE_DATA", r#""forge-data""#;
        /// The public URL. Everything that the server prints or signs comes from it, never from a request.
        /// A host that ends in `.localhost` starts local mode.
        default url: PublicUrl = local_url() => "url", "FORGE_URL", r#""https://forge.localhost""#;
        /// Address and port to listen on. Local mode takes port 443 of the loopback addresses, or 8443 where
        /// it may not; everywhere else this must be set.
        optional listen: SocketAddr => "listen", "FORGE_LISTEN", r#""0.0.0.0:443""#;
        /// `postgres://…`, or nothing for the SQLite database in the data directory.
        optional database: String => "database", "FORGE_DATABASE_URL", r#""postgres://forge@db.example/forge""#;
        /// Connections to the database.
        default database_connections: u32 = 16
            => "database-connections", "FORGE_DATABASE_CONNECTIONS", "16";
        /// What tokens of this server start with: two to eight lower-case letters. Existing tokens stop when it changes.
        default token_prefix: String = "fge".to_owned()
            => "token-prefix", "FORGE_TOKEN_PREFIX", r#""fge""#;
        /// Address and port of `/healthz`, `/readyz` and `/metrics`. Port 0 is a free one, named in `run.json`.
        default ops_listen: SocketAddr = SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
            => "ops-listen", "FORGE_OPS_LISTEN", r#""127.0.0.1:0""#;
        /// Addresses of reverse proxies whose `X-Forwarded-For` names the client.
        default trusted_proxies: List<AddressRange> = List::default()
            => "trusted-proxies", "FORGE_TRUSTED_PROXIES", r#"["10.0.0.0/8"]"#;
        /// The keys that seal and hash what is stored; `keys.toml` in the data directory if not set.
        optional key_file: PathBuf => "key-file", "FORGE_KEY_FILE", r#""/etc/forge/keys.toml""#;
    }
}

section! {
    /// How connections are encrypted.
    [tls] Tls, TlsLayer {
        /// `local`: a certificate authority of our own (only for `*.localhost`, the default there); `files`: a
        /// certificate from files, read again when they change; `off`: plain HTTP behind a proxy that encrypts.
        optional mode: TlsMode => "tls", "FORGE_TLS", r#""files""#;
        /// The certificate chain in PEM form.
        optional certificate: PathBuf => "tls-certificate", "FORGE_TLS_CERTIFICATE", r#""/etc/forge/tls/fullchain.pem""#;
        /// Its private key in PEM form.
        optional key: PathBuf => "tls-key", "FORGE_TLS_KEY", r#""/etc/forge/tls/key.pem""#;
    }
}

section! {
    /// A listener of its own on which clients show certificates (RFC 8705), so that browsers are asked for none: agents
    /// obtain tokens there that are good with the same certificate alone, also for git.
    [mtls] Mtls, MtlsLayer {
        /// Where it listens. Without it no client shows a certificate.
        optional listen: SocketAddr => "mtls-listen", "FORGE_MTLS_LISTEN", r#""0.0.0.0:8444""#;
        /// Files with certificates of the authorities that name clients, in PEM form, read again when they change. Without
        /// any, keys of agents alone count. Whoever issues SPIFFE ids is believed for every trust domain that a binding names.
        default authorities: List<PathBuf> = List::default()
            => "mtls-authorities", "FORGE_MTLS_AUTHORITIES", r#"["/etc/forge/tls/clients.pem"]"#;
        /// The URL at which clients reach it; by default the public URL with the port of the listener.
        optional url: PublicUrl => "mtls-url", "FORGE_MTLS_URL", r#""https://mtls.forge.example""#;
    }
}

section! {
    /// Who may create agent accounts.
    [registration] Registration, RegistrationLayer {
        /// `key`: whoever holds the registration key; `invite`: whoever has an open invite; `open`: anybody, within
        /// the quota; `closed`: only administrators create agents.
        default agents: AgentRegistration = AgentRegistration::Key
            => "registration-agents", "FORGE_REGISTRATION_AGENTS", r#""key""#;
        /// With `open`: registrations that one address may make in an hour.
        default open_per_address_and_hour: u32 = 5
            => "registration-open-per-address-and-hour", "FORGE_REGISTRATION_OPEN_PER_ADDRESS_AND_HOUR", "5";
        /// With `open`: registrations in an hour in all.
        default open_per_hour: u32 = 100
            => "registration-open-per-hour", "FORGE_REGISTRATION_OPEN_PER_HOUR", "100";
        /// With `open`: how long an agent lives that no human has bound.
        default unbound_expiry: Period = Period::days(7)
            => "registration-unbound-expiry", "FORGE_REGISTRATION_UNBOUND_EXPIRY", r#""7d""#;
    }
}

section! {
    /// What a new agent receives, how its human gets it back, and what proofs of its keys take.
    [agents] Agents, AgentsLayer {
        /// `token`: a standing token; `bootstrap`: a secret good only at the token endpoint, where it is
        /// exchanged for short sessions.
        default credential: AgentCredential = AgentCredential::Token
            => "agents-credential", "FORGE_AGENTS_CREDENTIAL", r#""token""#;
        /// What it takes of an agent's human to replace its credentials. `token`: any token with the scope `repo`, or a
        /// browser in which the password was entered within five minutes; `session`: such a browser alone.
        default recovery: AgentRecovery = AgentRecovery::Token
            => "agents-recovery", "FORGE_AGENTS_RECOVERY", r#""token""#;
        /// Whether proofs of possession must repeat a nonce of the server's, so that none can be made ahead: `demanded`,
        /// or `off` for clients that cannot.
        default proof_nonces: ProofNonces = ProofNonces::Demanded
            => "agents-proof-nonces", "FORGE_AGENTS_PROOF_NONCES", r#""demanded""#;
        /// Networks that are not public, from which keys of issuers of workloads' tokens may be fetched all the same:
        /// `["10.96.0.1"]` for a cluster's own API, say.
        default issuer_networks: List<AddressRange> = List::default()
            => "agents-issuer-networks", "FORGE_AGENTS_ISSUER_NETWORKS", "[]";
        /// Who must not approve what an agent asks for: `requester`, nobody but the agent itself, which never can; `strict`,
        /// nor whoever delegated the task.
        default separation: Separation = Separation::Requester
            => "agents-separation", "FORGE_AGENTS_SEPARATION", r#""requester""#;
    }
}

section! {
    /// Git itself.
    [git] Git, GitLayer {
        /// The program `git`, used for large packs, for pushes that are not ordinary, and to look after packs.
        default program: PathBuf = PathBuf::from("git") => "git-program", "FORGE_GIT_PROGRAM", r#""git""#;
        /// The name of a new repository's default branch.
        default default_branch: String = "main".to_owned()
            => "git-default-branch", "FORGE_GIT_DEFAULT_BRANCH", r#""main""#;
        /// How long the files of a deleted repository are kept, so that `forge repo restore-deleted` brings it back.
        default keep_deleted: Period = Period::days(30) => "git-keep-deleted", "FORGE_GIT_KEEP_DELETED", r#""30d""#;
        /// Tell clients that ask (`git -c transfer.bundleURI=true clone`) where a bundle of a large repository lies.
        default bundles: bool = true => "git-bundles", "FORGE_GIT_BUNDLES", "true";
        /// The largest pack that a push may send.
        default max_push: ByteSize = ByteSize::megabytes(2048) => "git-max-push", "FORGE_GIT_MAX_PUSH", r#""2GB""#;
        /// The largest file that a push may bring; larger ones belong into Git LFS.
        default max_file: ByteSize = ByteSize::megabytes(100) => "git-max-file", "FORGE_GIT_MAX_FILE", r#""100MB""#;
        /// Who answers fetches: `inprocess` is this program, with `git` for large packs alone; `subprocess` is
        /// `git upload-pack`, slower and kept as the way back.
        default transport: GitTransport = GitTransport::InProcess
            => "git-transport", "FORGE_GIT_TRANSPORT", r#""inprocess""#;
    }
}

section! {
    /// An OpenID Connect provider through which people may sign in.
    [oidc] Oidc, OidcLayer {
        /// The provider's issuer URL. Nothing else in this section matters without it.
        optional issuer: String => "oidc-issuer", "FORGE_OIDC_ISSUER", r#""https://id.example""#;
        /// The client id that the provider gave this server.
        optional client_id: String => "oidc-client-id", "FORGE_OIDC_CLIENT_ID", r#""forge""#;
        /// A file with the client secret.
        optional client_secret_file: PathBuf
            => "oidc-client-secret-file", "FORGE_OIDC_CLIENT_SECRET_FILE", r#""/etc/forge/oidc-secret""#;
        /// What the sign-in page calls the provider.
        default name: String = "single sign-on".to_owned() => "oidc-name", "FORGE_OIDC_NAME", r#""single sign-on""#;
    }
}

section! {
    /// A proxy in front of the server that has already authenticated people and names them in headers.
    /// The headers count only from the addresses or certificates given here; from anyone else they are ignored.
    [identity_proxy] IdentityProxy, IdentityProxyLayer {
        /// Addresses from which the headers are believed.
        default addresses: List<AddressRange> = List::default()
            => "identity-proxy-addresses", "FORGE_IDENTITY_PROXY_ADDRESSES", r#"["10.0.0.7"]"#;
        /// SHA-256 fingerprints of client certificates with which the headers are believed. Needs `listen`.
        default certificates: List<Fingerprint> = List::default()
            => "identity-proxy-certificates", "FORGE_IDENTITY_PROXY_CERTIFICATES",
            r#"["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"]"#;
        /// A listener of its own on which one of those certificates is demanded.
        optional listen: SocketAddr => "identity-proxy-listen", "FORGE_IDENTITY_PROXY_LISTEN", r#""10.0.0.1:8444""#;
        /// What accounts made this way are said to come from.
        default provider: String = "proxy".to_owned()
            => "identity-proxy-provider", "FORGE_IDENTITY_PROXY_PROVIDER", r#""proxy""#;
        /// Header with the person's lasting id at the provider.
        default subject_header: String = "x-forwarded-user".to_owned()
            => "identity-proxy-subject-header", "FORGE_IDENTITY_PROXY_SUBJECT_HEADER", r#""x-forwarded-user""#;
        /// Header with the wished login; the subject where it is missing.
        default login_header: String = "x-forwarded-preferred-username".to_owned()
            => "identity-proxy-login-header", "FORGE_IDENTITY_PROXY_LOGIN_HEADER",
            r#""x-forwarded-preferred-username""#;
        /// Header with the e-mail address.
        default email_header: String = "x-forwarded-email".to_owned()
            => "identity-proxy-email-header", "FORGE_IDENTITY_PROXY_EMAIL_HEADER", r#""x-forwarded-email""#;
        /// Header with the groups, separated by commas.
        default groups_header: String = "x-forwarded-groups".to_owned()
            => "identity-proxy-groups-header", "FORGE_IDENTITY_PROXY_GROUPS_HEADER", r#""x-forwarded-groups""#;
        /// Whose `Authorization` is where the proxy names a person. `client`: it is a token of this server, which then
        /// decides instead of the proxy's word; `proxy`: it is the proxy's own, is dropped, and tokens cannot be used.
        default authorization: AuthorizationOf = AuthorizationOf::Client
            => "identity-proxy-authorization", "FORGE_IDENTITY_PROXY_AUTHORIZATION", r#""client""#;
        /// The group whose members are administrators of this server. Without it nobody becomes one this way.
        optional admin_group: String
            => "identity-proxy-admin-group", "FORGE_IDENTITY_PROXY_ADMIN_GROUP", r#""forge-admins""#;
    }
}

section! {
    /// How the audit log is sealed, and where its signed checkpoints go. docs/audit.md says what for.
    [audit] Audit, AuditLayer {
        /// `on`: this node links events into the chain, within a second; `off`: another node of the same database does.
        default sealing: Sealing = Sealing::On => "audit-sealing", "FORGE_AUDIT_SEALING", r#""on""#;
        /// After how many events there is a checkpoint.
        default checkpoint_events: u32 = 1_000
            => "audit-checkpoint-events", "FORGE_AUDIT_CHECKPOINT_EVENTS", "1000";
        /// After how long there is one, if anything happened.
        default checkpoint_interval: Period = Period::seconds(300)
            => "audit-checkpoint-interval", "FORGE_AUDIT_CHECKPOINT_INTERVAL", r#""5m""#;
        /// A file that checkpoints are appended to. Best where whoever runs this server cannot change it.
        optional checkpoint_file: PathBuf
            => "audit-checkpoint-file", "FORGE_AUDIT_CHECKPOINT_FILE", r#""/mnt/worm/forge-checkpoints.jsonl""#;
        /// An address that checkpoints are sent to, `POST` with JSON.
        optional checkpoint_webhook: String
            => "audit-checkpoint-webhook", "FORGE_AUDIT_CHECKPOINT_WEBHOOK", r#""https://witness.example/forge""#;
    }
}

section! {
    /// What is forbidden beyond what rights allow. docs/policies.md says how.
    [policies] Policies, PoliciesLayer {
        /// Folder of `*.cedar` files. One with the name of a file that comes with the forge replaces it, the others
        /// add to them. Read again on SIGHUP.
        optional folder: PathBuf => "policy-folder", "FORGE_POLICY_FOLDER", r#""/etc/forge/policies""#;
        /// Address of a decision point outside, which is asked about each change that everything else allows and can only
        /// refuse. What it does not answer within 50 milliseconds is refused.
        optional external_url: String
            => "policy-external-url", "FORGE_POLICY_EXTERNAL_URL", r#""https://pdp.example/access/v1/evaluation""#;
        /// What it speaks: `authzen`, the OpenID AuthZEN Authorization API 1.0, or `opa`, Open Policy Agent's data API.
        default external_protocol: DecisionProtocol = DecisionProtocol::AuthZen
            => "policy-external-protocol", "FORGE_POLICY_EXTERNAL_PROTOCOL", r#""authzen""#;
        /// A file with the bearer token that it wants, if it wants one.
        optional external_token_file: PathBuf
            => "policy-external-token-file", "FORGE_POLICY_EXTERNAL_TOKEN_FILE", r#""/etc/forge/pdp-token""#;
    }
}

section! {
    /// What one client may take.
    [limits] Limits, LimitsLayer {
        /// API requests that one account may make in an hour.
        default requests_per_hour: u32 = 50_000
            => "limit-requests-per-hour", "FORGE_LIMIT_REQUESTS_PER_HOUR", "50000";
        /// API requests that one address may make in an hour without saying who it is.
        default anonymous_requests_per_hour: u32 = 5_000
            => "limit-anonymous-requests-per-hour", "FORGE_LIMIT_ANONYMOUS_REQUESTS_PER_HOUR", "5000";
        /// Open connections.
        default connections: u32 = 4096 => "limit-connections", "FORGE_LIMIT_CONNECTIONS", "4096";
        /// Open connections from one address; loopback and trusted proxies are not counted.
        default connections_per_address: u32 = 512
            => "limit-connections-per-address", "FORGE_LIMIT_CONNECTIONS_PER_ADDRESS", "512";
        /// Time for the TLS handshake.
        default handshake_timeout: Period = Period::seconds(10)
            => "limit-handshake-timeout", "FORGE_LIMIT_HANDSHAKE_TIMEOUT", r#""10s""#;
        /// Time to send a request's head, and how long a connection may wait between two requests.
        default header_timeout: Period = Period::seconds(60)
            => "limit-header-timeout", "FORGE_LIMIT_HEADER_TIMEOUT", r#""60s""#;
        /// How long a connection may pass no byte in either direction.
        default idle_timeout: Period = Period::seconds(600)
            => "limit-idle-timeout", "FORGE_LIMIT_IDLE_TIMEOUT", r#""10m""#;
        /// How long requests may go on after the server was told to stop.
        default shutdown_grace: Period = Period::seconds(10)
            => "limit-shutdown-grace", "FORGE_LIMIT_SHUTDOWN_GRACE", r#""10s""#;
    }
}

section! {
    /// What the server says about its work, on standard error.
    [log] Log, LogLayer {
        /// `text` for people, `json` for machines.
        default format: LogFormat = LogFormat::Text => "log-format", "FORGE_LOG_FORMAT", r#""text""#;
        /// `error`, `warn`, `info`, `debug` or `trace`; also per part, as in `info,forge_git=debug`.
        default level: String = "info".to_owned() => "log-level", "FORGE_LOG_LEVEL", r#""info""#;
    }
}

choice! {
    /// How connections are encrypted.
    TlsMode {
        /// A certificate authority of our own.
        Local = "local",
        /// A certificate from files.
        Files = "files",
        /// Plain HTTP.
        Off = "off",
        /// Certificates by ACME, which this build cannot do: known so that the refusal can say so.
        Acme = "acme",
    }
}

choice! {
    /// Who may create agent accounts.
    AgentRegistration {
        /// Whoever holds the registration key.
        Key = "key",
        /// Whoever has an open invite.
        Invite = "invite",
        /// Anybody, within the quota.
        Open = "open",
        /// Only administrators.
        Closed = "closed",
    }
}

choice! {
    /// How a decision point outside is asked.
    DecisionProtocol {
        /// The OpenID AuthZEN Authorization API 1.0.
        AuthZen = "authzen",
        /// The data API of Open Policy Agent.
        Opa = "opa",
    }
}

choice! {
    /// Whether a node seals the audit log.
    Sealing {
        /// It does.
        On = "on",
        /// Another one does.
        Off = "off",
    }
}

choice! {
    /// What a new agent receives.
    AgentCredential {
        /// A standing token.
        Token = "token",
        /// A secret good only at the token endpoint.
        Bootstrap = "bootstrap",
    }
}

choice! {
    /// Who answers fetches.
    GitTransport {
        /// This program, with `git` for large packs alone.
        InProcess = "inprocess",
        /// `git upload-pack`.
        Subprocess = "subprocess",
    }
}

choice! {
    /// What replacing an agent's credentials takes.
    AgentRecovery {
        /// A token, or a browser whose person has just confirmed to be present.
        Token = "token",
        /// Such a browser alone.
        Session = "session",
    }
}

choice! {
    /// Who must not approve what an agent asks for.
    Separation {
        /// Nobody but the agent.
        Requester = "requester",
        /// Nor whoever delegated.
        Strict = "strict",
    }
}

choice! {
    /// Whether proofs of possession must repeat a nonce.
    ProofNonces {
        /// They must.
        Demanded = "demanded",
        /// They need not.
        Off = "off",
    }
}

choice! {
    /// Whose header `Authorization` is on requests in which a proxy names a person.
    AuthorizationOf {
        /// The client's: a token of this server.
        Client = "client",
        /// The proxy's own.
        Proxy = "proxy",
    }
}

choice! {
    /// How log lines look.
    LogFormat {
        /// For people.
        Text = "text",
        /// For machines.
        Json = "json",
    }
}

#[expect(clippy::expect_used, reason = "a literal that a test parses")]
fn local_url() -> PublicUrl {
    "https://forge.localhost".parse().expect("the default URL is well formed")
}
