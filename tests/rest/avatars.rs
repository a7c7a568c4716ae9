//! The pictures that `avatar_url` leads to, wherever it stands.

use forge_testing::{Client, TestForge, for_each_database};
use http::header::IF_NONE_MATCH;
use serde_json::{Value, json};

/// Returns the path of an address, which must be ours.
fn path(url: &Value) -> String {
    url.as_str().expect("an address").strip_prefix("https://forge.example").expect("no other host").to_owned()
}

async fn picture(client: &Client, path: &str) -> String {
    let answer = client.get(path).await.expect(200);
    assert_eq!(answer.header("content-type"), Some("image/svg+xml"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert!(answer.header("content-security-policy").expect("a policy").contains("default-src 'none'"));
    assert!(answer.header("set-cookie").is_none() && answer.text().starts_with("<svg "));
    answer.text()
}

for_each_database! {
    async fn every_avatar_url_leads_to_the_same_picture(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        alice.post("/api/ext/v1/user/orgs", &json!({ "login": "octo" })).await.expect(201);
        alice.post("/api/v3/user/repos", &json!({ "name": "tool" })).await.expect(201);
        let nobody = forge.client();
        let before = forge.statements();
        let of = async |url: &Value| picture(&nobody, &path(url)).await;
        let own = alice.get("/api/v3/user").await.expect(200).json();
        let drawn = of(&own["avatar_url"]).await;
        assert_eq!(of(&alice.get("/api/v3/repos/alice/tool").await.expect(200).json()["owner"]["avatar_url"]).await, drawn);
        let query = "{ viewer { avatarUrl } organization(login: \"octo\") { avatarUrl(size: 460) } }";
        let graphql = alice.graphql(query, json!({})).await.expect(200).json();
        assert_eq!(of(&graphql["data"]["viewer"]["avatarUrl"]).await, drawn);
        let octo = alice.get("/api/v3/orgs/octo").await.expect(200).json();
        let of_octo = of(&octo["avatar_url"]).await;
        assert_eq!(of(&graphql["data"]["organization"]["avatarUrl"]).await, of_octo);
        assert_ne!(of_octo, drawn);
        let spent = forge.statements();
        picture(&nobody, &path(&own["avatar_url"])).await;
        assert_eq!(forge.statements(), spent, "a picture costs no statement");
        assert!(spent > before);
    }

    async fn a_picture_is_kept_by_whoever_loads_it_and_has_the_size_that_is_asked_for(forge: TestForge) {
        let client = forge.client();
        let answer = client.get("/avatars/1?s=48&v=4").await.expect(200);
        assert!(answer.text().contains("width=\"48\""));
        assert!(answer.header("cache-control").expect("a lifetime").starts_with("public, max-age="));
        let tag = answer.header("etag").expect("a tag").to_owned();
        let again = client.clone().with_header(IF_NONE_MATCH, &tag).get("/avatars/1?s=48").await;
        assert_eq!((again.status.as_u16(), again.text().as_str()), (304, ""));
        client.clone().with_header(IF_NONE_MATCH, &tag).get("/avatars/1?s=49").await.expect(200);
        assert!(client.get("/avatars/1?s=99999").await.expect(200).text().contains("width=\"460\""));
        for absent in ["/avatars/0", "/avatars/-1", "/avatars/alice", "/avatars/1.png", "/avatars/1%3Cx%3E"] {
            client.get(absent).await.expect(404);
        }
    }
}
