//! Every route of ours: who calls it honestly, with what, and what comes back.

use serde_json::{Value, json};

use crate::world::World;

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// Whoever has the registration key.
    Key,
    /// A site administrator.
    Admin,
    /// The human whose agent it is.
    Human,
    /// The human's agent.
    OwnAgent,
    /// An agent that nobody owns.
    FreeAgent,
    /// The human, acting as the agent.
    Switched,
}

/// A route.
pub(crate) struct Route {
    /// `METHOD /path`.
    pub(crate) name: &'static str,
    pub(crate) who: Who,
    /// The honest body; none where there is none.
    pub(crate) body: Option<fn(&World<'_>) -> Value>,
    /// The members without which a body is refused.
    pub(crate) required: &'static [&'static str],
    /// What the honest request is answered.
    pub(crate) status: u16,
    /// Members of the answer, or of the first item of the list that it is.
    pub(crate) fields: &'static [&'static str],
    /// What a caller without a credential is answered.
    pub(crate) anonymous: u16,
    /// The same path about something that does not exist.
    pub(crate) absent: Option<&'static str>,
}

impl Route {
    pub(crate) fn method(&self) -> &'static str {
        self.name.split(' ').next().unwrap()
    }

    pub(crate) fn path(&self) -> &'static str {
        self.name.split(' ').nth(1).unwrap()
    }

    const fn new(name: &'static str, who: Who, status: u16, fields: &'static [&'static str]) -> Self {
        Self { name, who, body: None, required: &[], status, fields, anonymous: 401, absent: None }
    }

    const fn with(mut self, body: fn(&World<'_>) -> Value, required: &'static [&'static str]) -> Self {
        self.body = Some(body);
        self.required = required;
        self
    }

    /// It is about something that the anonymous cannot tell from what does not exist.
    const fn of(mut self, absent: &'static str) -> Self {
        self.anonymous = 404;
        self.absent = Some(absent);
        self
    }

    /// It is about something of the caller's own, so that the anonymous are asked who they are.
    const fn of_own(mut self, absent: &'static str) -> Self {
        self.absent = Some(absent);
        self
    }
}

const AGENT: &[&str] = &[
    "login",
    "id",
    "user_kind",
    "status",
    "owner",
    "standing_access",
    "bound_only",
    "signed_only",
    "mode",
    "delegator",
    "ceiling",
    "created_by",
    "last_used_at",
];
const AGENT_KEY: &[&str] =
    &["id", "purpose", "algorithm", "jwk", "thumbprint", "state", "created_at", "retires_at", "last_used_at"];
const WORKLOAD: &[&str] = &[
    "id",
    "issuer",
    "audience",
    "subject",
    "claims",
    "max_ttl",
    "jwks",
    "jwks_uri",
    "created_at",
    "last_used_at",
];
const INVITE: &[&str] = &["id", "state", "repo_grants", "team_grants", "expires_at"];
const GRANT: &[&str] = &[
    "id",
    "state",
    "type",
    "agent",
    "delegator",
    "task",
    "resources",
    "actions",
    "constraints",
    "expires_at",
    "used",
];
const APPROVAL: &[&str] =
    &["id", "status", "requester", "refs", "digest", "reason", "created_at", "expires_at"];
const SWITCH: &[&str] = &["id", "scope", "reason", "set_by", "set_at"];
const TOKEN: &[&str] = &["id", "name", "kind", "scopes", "tail", "created_at", "expires_at", "last_used_at"];
const CREDENTIAL: &[&str] = &["id", "name", "kind", "created_at", "expires_at"];
const GROUP: &[&str] = &[
    "id",
    "name",
    "description",
    "is_built_in",
    "ceiling",
    "standing_access",
    "members_url",
    "url",
    "created_at",
];
const DELEGATION: &[&str] = &[
    "name",
    "delegator",
    "access_group",
    "resources",
    "actions",
    "constraints",
    "max_lifetime",
    "created_by",
];
const RULE: &[&str] = &["rule", "outcome", "reason"];
const POLICY: &[&str] = &["rule", "outcome", "reason", "name", "policy", "created_by", "created_at"];
const SESSION: &[&str] = &["agent_login", "token", "user"];
const ENDED: &[&str] = &["agent_login", "revoked_switch_sessions"];
const CREATED: &[&str] = &["login", "token", "repo_full_name", "key", "agent"];

const PUSH: &[&str] = &["id", "actor", "door", "pushed_at", "signed_by"];
const CERTIFICATE: &[&str] = &["push_id", "signed_by", "nonce", "nonce_issued_at", "certificate"];

/// Returns what is asked for when a grant is made.
fn grant_details(world: &World<'_>) -> Value {
    world.grant_details()
}

/// Returns a question about what somebody may do.
fn evaluation(world: &World<'_>) -> Value {
    world.evaluation()
}

/// Returns a key that the agent does not have yet.
fn new_key(world: &World<'_>) -> Value {
    world.new_key()
}

/// Every route.
pub(crate) fn routes() -> Vec<Route> {
    use Who::{Admin, FreeAgent, Human, Key, Switched};
    let absent_agent = "/agents/nobody";
    vec![
        Route::new("GET /openapi.json", Human, 200, &["openapi", "paths", "components"]),
        Route::new("POST /agents", Key, 201, CREATED).with(
            |_| json!({ "prefix_login": "new", "default_repo_name": "work", "description": "x", "credential": "bootstrap" }),
            &["prefix_login", "default_repo_name"],
        ),
        Route::new("POST /admin/agents", Admin, 201, CREATED).with(
            |_| json!({ "login": "made", "description": "x", "standing_access": "read", "credential": "token" }),
            &["login"],
        ),
        Route::new("GET /user/agents", Human, 200, &["agent", "bound_at", "token_status", "access_summary"]),
        Route::new("GET /agents/{login}", Human, 200, AGENT).of(absent_agent),
        Route::new("PATCH /agents/{login}", Human, 200, AGENT)
            .with(|_| json!({ "name": "Robo", "description": null, "standing_access": "read" }), &[])
            .of(absent_agent),
        Route::new("GET /agents/{login}/keys", Human, 200, AGENT_KEY).of("/agents/nobody/keys"),
        Route::new("POST /agents/{login}/keys", Human, 201, AGENT_KEY)
            .with(new_key, &["jwk"])
            .of("/agents/nobody/keys"),
        Route::new("DELETE /agents/{login}/keys/{id}", Human, 204, &[]).of("/agents/{login}/keys/key_none"),
        Route::new("GET /agents/{login}/workload-bindings", Human, 200, WORKLOAD)
            .of("/agents/nobody/workload-bindings"),
        Route::new("POST /agents/{login}/workload-bindings", Human, 201, WORKLOAD)
            .with(
                |_| json!({
                    "issuer": "https://runs.example", "subject": "repo:acme/app:ref:refs/heads/main",
                    "audience": "forge", "claims": { "event_name": "push" }, "max_ttl": 600,
                }),
                &["issuer", "subject"],
            )
            .of("/agents/nobody/workload-bindings"),
        Route::new("DELETE /agents/{login}/workload-bindings/{id}", Human, 204, &[])
            .of("/agents/{login}/workload-bindings/wb_none"),
        Route::new("PUT /agents/{login}/suspension", Human, 204, &[])
            .with(|_| json!({ "reason": "it errs" }), &[])
            .of("/agents/nobody/suspension"),
        Route::new("DELETE /agents/{login}/suspension", Human, 204, &[]).of("/agents/nobody/suspension"),
        Route::new("POST /agent-invites", Human, 201, &["id", "invite_token", "repo_grants", "team_grants", "expires_at"])
            .with(
                |_| json!({ "repo_grants": [{ "repo_full_name": "alice/work", "permission": "write" }], "team_grants": [] }),
                &[],
            ),
        Route::new("GET /agent-invites", Human, 200, INVITE),
        Route::new("GET /agent-invites/{id}", Human, 200, INVITE).of_own("/agent-invites/inv_none"),
        Route::new("DELETE /agent-invites/{id}", Human, 204, &[]).of_own("/agent-invites/inv_none"),
        Route::new("POST /task-grants", Human, 201, GRANT)
            .with(grant_details, &["agent", "resources", "actions", "task"]),
        Route::new("GET /task-grants", Human, 200, GRANT),
        Route::new("GET /task-grants/{id}", Human, 200, GRANT).of("/task-grants/tg_none"),
        Route::new("PATCH /task-grants/{id}", Human, 200, GRANT)
            .with(|_| json!({ "actions": ["read_code"] }), &[])
            .of("/task-grants/tg_none"),
        Route::new("POST /task-grants/{id}/consent", Who::OwnAgent, 200, GRANT).of("/task-grants/tg_none/consent"),
        Route::new("DELETE /task-grants/{id}", Human, 204, &[]).of("/task-grants/tg_none"),
        Route::new("GET /approvals", Human, 200, APPROVAL),
        Route::new("GET /approvals/{id}", Human, 200, APPROVAL).of("/approvals/apr_none"),
        Route::new("POST /approvals/{id}/approve", Human, 403, &["message", "code"])
            .with(|_| json!({ "comment": "fine" }), &[])
            .of("/approvals/apr_none/approve"),
        Route::new("POST /approvals/{id}/deny", Human, 403, &["message", "code"])
            .with(|_| json!({ "comment": "no" }), &[])
            .of("/approvals/apr_none/deny"),
        Route::new("DELETE /approvals/{id}", Human, 204, &[]).of("/approvals/apr_none"),
        Route::new("POST /revocations", Human, 200, &["credentials", "grants"])
            .with(|_| json!({ "task": "tidy up", "reason": "done" }), &["reason"]),
        Route::new("POST /kill-switches", Human, 201, SWITCH)
            .with(|_| json!({ "scope": "owner:alice", "reason": "done" }), &["scope", "reason"]),
        Route::new("GET /kill-switches", Human, 200, SWITCH),
        Route::new("DELETE /kill-switches/{id}", Human, 204, &[]).of("/kill-switches/ks_none"),
        Route::new("GET /orgs/{org}/policies", Human, 200, POLICY).of_own("/orgs/nobody/policies"),
        Route::new("POST /orgs/{org}/policies", Human, 201, POLICY)
            .with(
                |_| json!({ "name": "another", "policy": "@outcome(\"read_only\") forbid (principal, action, resource);" }),
                &["name", "policy"],
            )
            .of_own("/orgs/nobody/policies"),
        Route::new("DELETE /orgs/{org}/policies", Human, 204, &[]).of_own("/orgs/nobody/policies"),
        Route::new("DELETE /orgs/{org}/policies/{name}", Human, 204, &[]).of_own("/orgs/{org}/policies/none"),
        Route::new("POST /orgs/{org}/policies/dry-run", Human, 200, &["considered", "changed"])
            .with(|_| json!({ "add": [], "remove": ["no-release"], "decisions": 10 }), &[])
            .of_own("/orgs/nobody/policies/dry-run"),
        Route::new("GET /orgs/{org}/access-groups", Human, 200, GROUP).of_own("/orgs/nobody/access-groups"),
        Route::new("POST /orgs/{org}/access-groups", Human, 201, GROUP)
            .with(|_| json!({ "name": "bots", "ceiling": { "actions": ["push_branch"] } }), &["name"])
            .of_own("/orgs/nobody/access-groups"),
        Route::new("GET /orgs/{org}/access-groups/{name}", Human, 200, GROUP)
            .of_own("/orgs/{org}/access-groups/none"),
        Route::new("PATCH /orgs/{org}/access-groups/{name}", Human, 200, GROUP)
            .with(|_| json!({ "standing_access": "read", "description": "programs" }), &[])
            .of_own("/orgs/{org}/access-groups/none"),
        Route::new("PUT /orgs/{org}/access-groups/{name}/members/{login}", Human, 204, &[])
            .of_own("/orgs/{org}/access-groups/none/members/{login}"),
        Route::new("GET /orgs/{org}/access-groups/{name}/members", Human, 200, &["login", "user_kind", "added_at"])
            .of_own("/orgs/{org}/access-groups/none/members"),
        Route::new("DELETE /orgs/{org}/access-groups/{name}/members/{login}", Human, 204, &[])
            .of_own("/orgs/{org}/access-groups/{name}/members/nobody"),
        Route::new("DELETE /orgs/{org}/access-groups/{name}", Human, 204, &[])
            .of_own("/orgs/{org}/access-groups/none"),
        Route::new("POST /orgs/{org}/delegation-policies", Human, 201, DELEGATION)
            .with(
                |_| json!({ "name": "fixes", "access_group": "fleet", "resources": ["repo:acme/work"], "actions": ["read_code"] }),
                &["name", "access_group", "resources", "actions"],
            )
            .of_own("/orgs/nobody/delegation-policies"),
        Route::new("GET /orgs/{org}/delegation-policies", Human, 200, DELEGATION)
            .of_own("/orgs/nobody/delegation-policies"),
        Route::new("DELETE /orgs/{org}/delegation-policies/{name}", Human, 204, &[])
            .of_own("/orgs/{org}/delegation-policies/none"),
        Route::new("GET /admin/policies", Admin, 200, RULE),
        Route::new("POST /admin/policies/reload", Admin, 200, RULE),
        Route::new("POST /access/evaluate", Human, 200, &["decision", "context"])
            .with(evaluation, &["subject", "action", "resource"]),
        Route::new("POST /access/evaluations", Human, 200, &["evaluations"])
            .with(|world| json!({ "evaluations": [world.evaluation()], "options": {} }), &["evaluations"]),
        Route::new("POST /agent-bindings/confirm", FreeAgent, 201, &["human_login", "agent_login", "bound_at", "repo_grants"])
            .with(|world| json!({ "invite_token": world.invite["invite_token"] }), &["invite_token"]),
        Route::new("PATCH /agent-bindings/{login}", Human, 200, &["agent"])
            .with(|_| json!({ "name": "Robo" }), &["name"])
            .of("/agent-bindings/nobody"),
        Route::new("DELETE /agent-bindings/{login}", Human, 200, ENDED).of("/agent-bindings/nobody"),
        Route::new("POST /agent-bindings/{login}/undo", Human, 200, &["agent_login", "revoked_switch_sessions", "taken_back"])
            .of("/agent-bindings/nobody/undo"),
        Route::new("POST /agent-bindings/{login}/reset-token", Human, 200, &["agent_login", "token", "revoked_credentials"])
            .with(|_| json!({ "credential": "bootstrap" }), &[])
            .of("/agent-bindings/nobody/reset-token"),
        Route::new("POST /agent-bindings/{login}/switch-session", Human, 200, SESSION)
            .of("/agent-bindings/nobody/switch-session"),
        Route::new("GET /agent-bindings/{login}/switch-session", Human, 200, CREDENTIAL)
            .of("/agent-bindings/nobody/switch-session"),
        Route::new("DELETE /agent-bindings/{login}/switch-session", Human, 200, ENDED)
            .of("/agent-bindings/nobody/switch-session"),
        Route::new("DELETE /agent-bindings/{login}/switch-session/{id}", Human, 200, ENDED)
            .of("/agent-bindings/{login}/switch-session/999999"),
        Route::new("POST /agent-bindings/{login}/refresh-session", Switched, 200, SESSION)
            .of("/agent-bindings/nobody/refresh-session"),
        Route::new("GET /user/tokens", Human, 200, TOKEN),
        Route::new("POST /user/tokens", Human, 201, &["id", "token", "name", "scopes", "expires_at"]).with(
            |_| json!({ "name": "build", "scopes": ["gist"], "expires_at": "2026-02-01T00:00:00Z" }),
            &["name"],
        ),
        Route::new("DELETE /user/tokens", Human, 204, &[]).with(|world| json!({ "id": world.token["id"] }), &["id"]),
        Route::new("DELETE /user/tokens/{id}", Human, 204, &[]).of_own("/user/tokens/999999"),
        Route::new("POST /user/orgs", Human, 201, &["login", "id", "url", "description", "public_repos"])
            .with(|_| json!({ "login": "octo", "name": "Octo", "email": "o@example.com", "description": "x" }), &["login"]),
        Route::new("POST /oauth/device/approve", Human, 200, &["state", "client", "scopes"])
            .with(|world| json!({ "user_code": world.user_code }), &["user_code"]),
        Route::new("POST /oauth/device/reject", Human, 200, &["state", "client", "scopes"])
            .with(|world| json!({ "user_code": world.user_code }), &["user_code"]),
        Route::new("GET /admin/oauth-clients", Admin, 200, &["client_id", "name", "redirect_uris", "is_builtin"]),
        Route::new("POST /admin/oauth-clients", Admin, 201, &["client_id", "client_secret", "name", "redirect_uris"]).with(
            |_| json!({
                "name": "Other", "homepage": "https://other.example/", "is_confidential": true,
                "redirect_uris": ["https://other.example/back"], "allows_device": false,
            }),
            &["name"],
        ),
        Route::new("DELETE /admin/oauth-clients/{client_id}", Admin, 204, &[]).of_own("/admin/oauth-clients/none"),
        Route::new("GET /repos/{owner}/{repo}/pushes", Human, 200, PUSH).of("/repos/alice/none/pushes"),
        Route::new("GET /repos/{owner}/{repo}/pushes/{id}/certificate", Human, 200, CERTIFICATE)
            .of("/repos/{owner}/{repo}/pushes/999999/certificate"),
        Route::new("GET /audit-events", Admin, 200, &["id", "action", "decision", "actor", "surface", "content_hash"]),
        Route::new("GET /audit-events/stream", Admin, 200, &["id", "action", "position", "hash"]),
        Route::new("GET /audit-checkpoints", Admin, 200, &["id", "chain", "position", "hash", "key_id", "signature"]),
    ]
}
