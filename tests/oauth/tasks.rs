//! An agent asks a person for a task, by the device flow and by a pushed authorization request (RFC 9396, RFC 9126).

use std::time::Duration;

use forge_auth::token::Secret;
use forge_testing::agents::TestAgent;
use forge_testing::{Answer, Client, TestForge, for_each_database};
use forge_types::credential::CredentialKind;
use forge_types::repository::Visibility;
use serde_json::{Value, json};

use crate::support::{
    CHALLENGE, GITHUB_CLI, REDIRECT, VERIFIER, call, consent, csrf, decide, encode, location, parameter,
    register, signed_in, text,
};

const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const PROJECT: &str = "/api/v3/repos/alice/project";

struct Scene {
    forge: TestForge,
    alice: Client,
    agent: TestAgent,
}

impl Scene {
    async fn new(forge: TestForge) -> Self {
        let alice = signed_in(&forge, "alice").await;
        let human = forge.find_account("alice").await;
        forge.repository(&human, "project", Visibility::Private).await;
        let agent = forge.registered_agent("bot").await;
        Self { forge, alice, agent }
    }

    fn details(change: &Value) -> String {
        let mut details = json!({
            "type": "urn:forge:task-grant:1", "task": "tidy <b>up</b>", "resources": ["repo:alice/project"],
            "actions": ["read_code"], "constraints": { "branch_prefix": "agent/tidy/" },
        });
        for (name, value) in change.as_object().unwrap() {
            details[name] = value.clone();
        }
        // In lines, as people write it in a shell.
        format!("{:#}", json!([details]))
    }

    async fn ask(&self, token: &Secret, details: &str) -> Answer {
        let fields = [
            ("client_id", GITHUB_CLI),
            ("authorization_details", details),
            ("subject_token", token.expose()),
        ];
        call(&self.forge.client(), "/login/device/code", &fields).await
    }

    async fn poll(&self, code: &Value, token: Option<&Secret>) -> Value {
        let mut fields = vec![
            ("client_id", GITHUB_CLI),
            ("grant_type", DEVICE),
            ("device_code", code["device_code"].as_str().unwrap()),
        ];
        fields.extend(token.map(|token| ("subject_token", token.expose())));
        call(&self.forge.client(), "/login/oauth/access_token", &fields).await.json()
    }

    /// Pushes a request and returns what is answered.
    async fn push(&self, client_id: &str, more: &[(&str, &str)]) -> Answer {
        let mut fields = vec![
            ("client_id", client_id),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT),
            ("state", "s"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        fields.extend_from_slice(more);
        call(&self.forge.client(), "/login/oauth/par", &fields).await
    }

    async fn exchange(&self, client_id: &str, code: &str, token: Option<&Secret>) -> Answer {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("client_id", client_id),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        fields.extend(token.map(|token| ("subject_token", token.expose())));
        call(&self.forge.client(), "/login/oauth/access_token", &fields).await
    }

    /// What an answer gives is a token of the agent for the task, and nothing of alice's.
    async fn check_token(&self, answer: &Value) {
        let token = Secret::new(text(answer, "access_token"));
        assert_eq!(answer["authorization_details"][0]["task"], "tidy <b>up</b>", "{answer}");
        assert_eq!(answer["authorization_details"][0]["delegator"], "user:alice", "{answer}");
        let client = self.forge.client().with_token(&token);
        assert_eq!(client.get("/api/v3/user").await.expect(200).json()["login"], json!(self.agent.login));
        let _ = client.get(PROJECT).await.expect(200);
        let label = json!({ "name": "x", "color": "ff0000" });
        let _ = client.post(&format!("{PROJECT}/labels"), &label).await.expect(403);
    }
}

fn authorize(client_id: &str, request_uri: &str) -> String {
    format!("/login/oauth/authorize?{}", encode(&[("client_id", client_id), ("request_uri", request_uri)]))
}

for_each_database! {
    async fn a_person_grants_a_task_by_typing_the_code_that_the_agent_shows(forge: TestForge) {
        let mut scene = Scene::new(forge).await;
        let code = scene.ask(&scene.agent.token, &Scene::details(&json!({}))).await.expect(200).json();
        let user_code = code["user_code"].as_str().unwrap().to_owned();
        let page = scene.alice.visit("/login/device").await.expect(200);
        let (csrf, typed) = (csrf(&page), user_code.clone());
        let page = scene.alice.submit("/login/device", &[("csrf", &csrf), ("user_code", &typed)]).await.expect(200).text();
        for shown in ["work on a task?", &scene.agent.login, "tidy &lt;b&gt;up", "alice/project", "read_code", "refs/heads/agent/tidy/"] {
            assert!(page.contains(shown), "{shown} in {page}");
        }
        let token = scene.agent.token.clone();
        assert_eq!(scene.poll(&code, Some(&token)).await["error"], "authorization_pending");
        decide(&mut scene.alice, &user_code, "approve").await.expect(200);
        scene.forge.advance(Duration::from_secs(5));
        let answer = scene.poll(&code, Some(&token)).await;
        scene.check_token(&answer).await;
        assert_eq!(scene.poll(&code, Some(&token)).await["error"], "invalid_grant", "once");
    }

    async fn what_is_declined_makes_no_grant(forge: TestForge) {
        let mut scene = Scene::new(forge).await;
        let token = scene.agent.token.clone();
        let code = scene.ask(&token, &Scene::details(&json!({}))).await.expect(200).json();
        decide(&mut scene.alice, code["user_code"].as_str().unwrap(), "decline").await.expect(200);
        assert_eq!(scene.poll(&code, Some(&token)).await["error"], "access_denied");
        let bot = scene.forge.client().with_token(&token);
        assert_eq!(bot.get("/api/ext/v1/task-grants").await.expect(200).json(), json!([]));
    }

    async fn only_the_agent_that_asked_takes_what_was_granted(forge: TestForge) {
        let mut scene = Scene::new(forge).await;
        let other = scene.forge.registered_agent("other").await;
        let token = scene.agent.token.clone();
        let code = scene.ask(&token, &Scene::details(&json!({}))).await.expect(200).json();
        decide(&mut scene.alice, code["user_code"].as_str().unwrap(), "approve").await.expect(200);
        assert_eq!(scene.poll(&code, None).await["error"], "invalid_request");
        assert_eq!(scene.poll(&code, Some(&other.token)).await["error"], "invalid_grant");
        let unknown = Secret::new("fgep_nothing".to_owned());
        assert_eq!(scene.poll(&code, Some(&unknown)).await["error"], "invalid_request");
        let answer = scene.poll(&code, Some(&token)).await;
        scene.check_token(&answer).await;
    }

    async fn what_cannot_be_granted_cannot_be_asked_for(forge: TestForge) {
        let mut scene = Scene::new(forge).await;
        let token = scene.agent.token.clone();
        for change in [
            json!({ "actions": ["fly"] }),
            json!({ "actions": [] }),
            json!({ "power": "all" }),
            json!({ "type": "payment" }),
            json!({ "agent": "agent:alice" }),
            json!({ "resources": ["everything"] }),
            json!({ "constraints": { "network_allowlist": ["x"] } }),
            json!({ "locations": ["https://elsewhere.example"] }),
        ] {
            let refused = scene.ask(&token, &Scene::details(&change)).await.json();
            assert_eq!(refused["error"], "invalid_authorization_details", "{change}: {refused}");
        }
        // Nobody asks for somebody else, and people are no agents.
        let human = scene.forge.find_account("alice").await;
        let of_alice = scene.forge.token(&human, CredentialKind::Personal, None).await;
        for who in [of_alice, Secret::new("x".to_owned())] {
            let refused = scene.ask(&who, &Scene::details(&json!({}))).await.json();
            assert_eq!(refused["error"], "invalid_request", "{refused}");
        }
        // What the person cannot see is refused when it is approved, and another person may still decide.
        let code = scene.ask(&token, &Scene::details(&json!({ "resources": ["repo:alice/absent"] }))).await.expect(200).json();
        let said = decide(&mut scene.alice, code["user_code"].as_str().unwrap(), "approve").await.expect(422).text();
        assert!(said.contains("alice/absent"), "{said}");
        assert_eq!(scene.poll(&code, Some(&token)).await["error"], "authorization_pending");
    }

    async fn a_suspended_agent_or_a_revoked_grant_gets_no_token(forge: TestForge) {
        let mut scene = Scene::new(forge).await;
        let token = scene.agent.token.clone();
        let code = scene.ask(&token, &Scene::details(&json!({}))).await.expect(200).json();
        decide(&mut scene.alice, code["user_code"].as_str().unwrap(), "approve").await.expect(200);
        let bot = scene.forge.client().with_token(&token);
        let grants = bot.get("/api/ext/v1/task-grants").await.expect(200).json();
        assert_eq!(grants[0]["state"], "active", "by asking it has consented: {grants}");
        let path = format!("/api/ext/v1/task-grants/{}", grants[0]["id"].as_str().unwrap());
        let human = scene.forge.find_account("alice").await;
        let alice = scene.forge.client_of(&human, None).await;
        let _ = alice.delete(&path).await.expect(204);
        let refused = scene.poll(&code, Some(&token)).await;
        assert_eq!(refused["error"], "invalid_authorization_details", "{refused}");
    }

    async fn a_pushed_request_leads_to_a_task(forge: TestForge) {
        let mut scene = Scene::new(forge).await;
        let token = scene.agent.token.clone();
        let (client, _) = register(&scene.forge, "Fleet", false, REDIRECT).await;
        let id = client.client_id.as_str();
        let details = Scene::details(&json!({}));
        let more = [("authorization_details", details.as_str()), ("subject_token", token.expose())];
        let pushed = scene.push(id, &more).await.expect(201).json();
        assert_eq!(pushed["expires_in"], 600);
        let path = authorize(id, pushed["request_uri"].as_str().unwrap());
        let page = scene.alice.visit(&path).await.expect(200).text();
        assert!(page.contains("work on a task?") && !page.contains(token.expose()), "{page}");
        let back = location(&consent(&mut scene.alice, &path, "approve").await);
        let code = parameter(&back, "code").unwrap();
        scene.alice.visit(&path).await.expect(400);
        let other = scene.forge.registered_agent("other").await;
        assert_eq!(scene.exchange(id, &code, Some(&other.token)).await.expect(400).json()["error"], "invalid_grant");
        // The code is used up by whoever tried; the grant is the agent's all the same.
        assert_eq!(scene.exchange(id, &code, Some(&token)).await.expect(400).json()["error"], "invalid_grant");
        let pushed = scene.push(id, &more).await.expect(201).json();
        let path = authorize(id, pushed["request_uri"].as_str().unwrap());
        let back = location(&consent(&mut scene.alice, &path, "approve").await);
        let answer = scene.exchange(id, &parameter(&back, "code").unwrap(), Some(&token)).await.expect(200).json();
        scene.check_token(&answer).await;
    }

    async fn a_pushed_request_without_a_task_is_an_ordinary_one(forge: TestForge) {
        let mut scene = Scene::new(forge).await;
        let (client, _) = register(&scene.forge, "App", false, REDIRECT).await;
        let (other, _) = register(&scene.forge, "Other", false, "https://other.example/").await;
        let id = client.client_id.as_str();
        let pushed = scene.push(id, &[("scope", "repo")]).await.expect(201).json();
        let uri = pushed["request_uri"].as_str().unwrap();
        scene.alice.visit(&authorize(&other.client_id, uri)).await.expect(400);
        scene.alice.visit(&authorize(id, &uri.replace("uri:", "uri:x"))).await.expect(400);
        let back = location(&consent(&mut scene.alice, &authorize(id, uri), "approve").await);
        let token = scene.exchange(id, &parameter(&back, "code").unwrap(), None).await.expect(200).json();
        assert_eq!(token["scope"], "repo");
        // It lasts ten minutes.
        let pushed = scene.push(id, &[("scope", "repo")]).await.expect(201).json();
        scene.forge.advance(Duration::from_secs(600));
        scene.alice.visit(&authorize(id, pushed["request_uri"].as_str().unwrap())).await.expect(400);
    }

    async fn a_pushed_request_is_checked_when_it_is_pushed(forge: TestForge) {
        let scene = Scene::new(forge).await;
        let (client, _) = register(&scene.forge, "App", false, REDIRECT).await;
        let (secret, _) = register(&scene.forge, "Secret", true, REDIRECT).await;
        let id = client.client_id.as_str();
        for (more, error) in [
            (("request_uri", "urn:x"), "invalid_request"),
            (("authorization_details", "[]"), "invalid_authorization_details"),
        ] {
            assert_eq!(scene.push(id, &[more]).await.expect(400).json()["error"], error, "{more:?}");
        }
        assert_eq!(scene.push("nobody", &[]).await.expect(401).json()["error"], "invalid_client");
        assert_eq!(scene.push(&secret.client_id, &[]).await.expect(401).json()["error"], "invalid_client");
        let elsewhere = [
            ("client_id", id), ("response_type", "code"), ("redirect_uri", "https://evil.example/"), ("state", "s"),
            ("code_challenge", CHALLENGE), ("code_challenge_method", "S256"),
        ];
        let refused = call(&scene.forge.client(), "/login/oauth/par", &elsewhere).await.expect(400);
        assert_eq!(refused.json()["error"], "invalid_request");
    }

    async fn a_task_is_not_asked_for_through_the_browser(forge: TestForge) {
        let mut scene = Scene::new(forge).await;
        let (client, _) = register(&scene.forge, "App", false, REDIRECT).await;
        let path = crate::support::authorize_path(&client.client_id, REDIRECT);
        let path = format!("{path}&{}", encode(&[("authorization_details", &Scene::details(&json!({})))]));
        let back = location(&scene.alice.visit(&path).await);
        assert_eq!(parameter(&back, "error").as_deref(), Some("invalid_request"), "{back}");
    }
}
