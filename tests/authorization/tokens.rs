//! Tokens: what opens the forge, what does not, and what a token tells.

use std::time::Duration;

use forge_auth::token::Secret;
use forge_testing::{Answer, Client, TestForge, for_each_database};
use forge_types::credential::CredentialKind;
use http::header::AUTHORIZATION;
use serde_json::{Value, json};

const TOKENS: &str = "/api/ext/v1/user/tokens";

/// Creates a token through the API and returns its value.
async fn create(client: &Client, name: &str, expires_at: Option<String>) -> Secret {
    let answer = client.post(TOKENS, &json!({ "name": name, "expires_at": expires_at })).await.expect(201);
    Secret::new(answer.json()["token"].as_str().expect("the value is shown once").to_owned())
}

fn names(answer: &Answer) -> Vec<String> {
    let json = answer.json();
    let tokens = json.as_array().expect("a list");
    tokens.iter().map(|token| token["name"].as_str().expect("a name").to_owned()).collect()
}

for_each_database! {
    async fn an_agent_sees_and_ends_its_own_tokens_alone(forge: TestForge) {
        let (alice, builder) = (forge.human_client("alice").await, forge.agent("builder").await);
        let agent = forge.client_of(&builder, None).await;
        create(&alice, "of alice", None).await;
        let own = agent.get(TOKENS).await.expect(200);
        assert_eq!(names(&own), ["test"]);
        let of_alice = alice.get(TOKENS).await.expect(200).json()[0]["id"].clone();
        agent.delete(&format!("{TOKENS}/{of_alice}")).await.expect(404);
        assert_eq!(names(&alice.get(TOKENS).await.expect(200)).len(), 2, "it still stands");
        let own = own.json()[0]["id"].clone();
        agent.delete(&format!("{TOKENS}/{own}")).await.expect(204);
        agent.get(TOKENS).await.expect(401);
    }

    async fn a_token_stops_at_the_instant_it_expires(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let end = forge.now().plus(Duration::from_secs(3600));
        let short = forge.client().with_token(&create(&alice, "short", Some(end.to_string())).await);
        forge.advance(Duration::from_secs(3599));
        short.get(TOKENS).await.expect(200);
        forge.advance(Duration::from_secs(1));
        short.get(TOKENS).await.expect(401);
        forge.advance(Duration::from_secs(1));
        short.get(TOKENS).await.expect(401);
    }

    async fn what_is_not_an_access_token_opens_nothing(forge: TestForge) {
        let builder = forge.agent("builder").await;
        for kind in [CredentialKind::Refresh, CredentialKind::Bootstrap] {
            let secret = forge.token(&builder, kind, None).await;
            let answer = forge.client().with_token(&secret).get(TOKENS).await.expect(401);
            assert_eq!(answer.json()["message"], "Bad credentials", "{kind:?}");
        }
        let device = crate::devices::begin(&forge.client()).await;
        for value in ["device_code", "user_code"] {
            let secret = Secret::new(device[value].as_str().unwrap().to_owned());
            forge.client().with_token(&secret).get(TOKENS).await.expect(401);
        }
        let standing = forge.token(&builder, CredentialKind::Personal, None).await;
        forge.client().with_token(&standing).get(TOKENS).await.expect(200);
    }

    async fn a_bootstrap_secret_is_good_at_the_token_endpoint_alone(forge: TestForge) {
        let builder = forge.agent("builder").await;
        let secret = forge.token(&builder, CredentialKind::Bootstrap, None).await;
        forge.client().with_token(&secret).get(TOKENS).await.expect(401);
        let form = [("grant_type", "client_credentials"), ("client_id", "builder"), ("client_secret", secret.expose())];
        let answer = forge.client().submit("/login/oauth/access_token", &form).await.expect(200);
        let session = Secret::new(answer.json()["access_token"].as_str().unwrap().to_owned());
        forge.client().with_token(&session).get(TOKENS).await.expect(200);
    }

    async fn a_wrong_checksum_costs_no_statement(forge: TestForge) {
        let alice = forge.human("alice").await;
        let token = forge.token(&alice, CredentialKind::Personal, None).await;
        let mut altered = token.expose().to_owned();
        let last = altered.pop().unwrap();
        altered.push(if last == 'A' { 'B' } else { 'A' });
        let before = forge.statements();
        forge.client().with_token(&Secret::new(altered)).get(TOKENS).await.expect(401);
        assert_eq!(forge.statements(), before);
        forge.client().with_token(&token).get(TOKENS).await.expect(200);
        assert!(forge.statements() > before, "the honest request is counted");
    }

    async fn a_token_in_the_url_is_not_read(forge: TestForge) {
        let alice = forge.human("alice").await;
        let token = forge.token(&alice, CredentialKind::Personal, None).await;
        for name in ["access_token", "token"] {
            forge.client().get(&format!("{TOKENS}?{name}={}", token.expose())).await.expect(401);
        }
        forge.client().with_token(&token).get(TOKENS).await.expect(200);
    }

    async fn two_authorizations_in_one_request_are_refused(forge: TestForge) {
        let alice = forge.human("alice").await;
        let token = forge.token(&alice, CredentialKind::Personal, None).await;
        let client = forge.client().with_token(&token);
        client.get(TOKENS).await.expect(200);
        for second in [format!("Bearer {}", token.expose()), "Basic YTpi".to_owned()] {
            let mut request = client.request(http::Method::GET, TOKENS);
            request.headers_mut().append(AUTHORIZATION, second.parse().unwrap());
            client.send(request).await.expect(400);
        }
    }

    async fn the_token_says_who_acts_whatever_name_stands_beside_it(forge: TestForge) {
        let (alice, bob) = (forge.human("alice").await, forge.human("bob").await);
        create(&forge.client_of(&alice, None).await, "of alice", None).await;
        let token = forge.token(&bob, CredentialKind::Personal, None).await;
        for pair in [
            format!("alice:{}", token.expose()),
            format!("bob:{}", token.expose()),
            format!("{}:x-oauth-basic", token.expose()),
        ] {
            let header = format!("Basic {}", data_encoding::BASE64.encode(pair.as_bytes()));
            let answer = forge.client().with_header(AUTHORIZATION, &header).get(TOKENS).await.expect(200);
            assert_eq!(names(&answer), ["test"], "{pair}");
        }
    }

    async fn the_list_of_tokens_never_shows_a_value(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let value = create(&alice, "second", None).await;
        let listed = alice.get(TOKENS).await.expect(200);
        assert_eq!(names(&listed).len(), 2);
        assert!(!listed.text().contains(value.expose()), "{}", listed.text());
        let token = &listed.json()[0];
        assert_eq!((&token["token"], &token["tail"]), (&Value::Null, &value.tail().into()));
    }

    async fn making_a_token_ends_no_other(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let first = forge.client().with_token(&create(&alice, "first", None).await);
        for number in 0..40 {
            create(&alice, &format!("token {number}"), None).await;
        }
        first.get(TOKENS).await.expect(200);
        let listed = alice.get(&format!("{TOKENS}?per_page=100")).await.expect(200);
        assert_eq!(names(&listed).len(), 42);
    }

    async fn tokens_of_one_account_share_one_budget(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let used = |answer: &Answer| answer.header("x-ratelimit-used").unwrap().parse::<u32>().unwrap();
        let second = forge.client().with_token(&create(&alice, "second", None).await);
        let first_use = used(&alice.get(TOKENS).await.expect(200));
        let second_use = used(&second.get(TOKENS).await.expect(200));
        assert_eq!(second_use, first_use + 1);
        let bob = forge.human_client("bob").await;
        assert_eq!(used(&bob.get(TOKENS).await.expect(200)), 1, "another account has its own");
    }
}
