//! Pushes that go on after the right to push has ended, and what else a push may try.

use std::path::Path;
use std::process::Stdio;

use chunked_body::streamed;
use forge_auth::token::Secret;
use forge_testing::fixtures::{git, succeed};
use forge_testing::{Answer, Client, TestForge, for_each_database};
use forge_types::credential::CredentialKind;
use forge_types::repository::Visibility;
use http::Method;

pub(crate) mod chunked_body {
    //! A request body that arrives in two parts, with something happening in between.

    use std::io::Error;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use forge_testing::RequestBody;
    use futures_util::Stream;
    use tokio::sync::oneshot::{Receiver, Sender, channel};

    struct TwoParts {
        first: Option<Vec<u8>>,
        asked: Option<Sender<()>>,
        second: Receiver<Vec<u8>>,
        is_over: bool,
    }

    impl Stream for TwoParts {
        type Item = Result<Vec<u8>, Error>;

        fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            if let Some(first) = self.first.take() {
                return Poll::Ready(Some(Ok(first)));
            }
            if let Some(asked) = self.asked.take() {
                let _ = asked.send(());
            }
            if self.is_over {
                return Poll::Ready(None);
            }
            match Pin::new(&mut self.second).poll(context) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(second) => {
                    self.is_over = true;
                    Poll::Ready(second.ok().map(Ok))
                }
            }
        }
    }

    /// Returns the body, what tells that the server waits for the second part, and what sends it.
    pub(crate) fn streamed(first: Vec<u8>) -> (RequestBody, Receiver<()>, Sender<Vec<u8>>) {
        let ((asked, waits), (send, second)) = (channel(), channel());
        let parts = TwoParts { first: Some(first), asked: Some(asked), second, is_over: false };
        (RequestBody::from_stream(parts), waits, send)
    }
}

const ZERO: &str = "0000000000000000000000000000000000000000";
const PUSH: &str = "application/x-git-receive-pack-request";
const PATH: &str = "/alice/project.git/git-receive-pack";

/// Returns the id of a new commit and a pack with all it needs.
fn commit_and_pack(folder: &Path) -> (String, Vec<u8>) {
    succeed(git(folder).args(["init", "--quiet", "--initial-branch=main"]));
    succeed(git(folder).args(["commit", "--quiet", "--allow-empty", "--message", "first"]));
    let id = succeed(git(folder).args(["rev-parse", "HEAD"])).trim().to_owned();
    let pack = git(folder).args(["pack-objects", "--all", "--stdout", "-q"]).stdin(Stdio::null()).output();
    (id, pack.unwrap().stdout)
}

fn commands(id: &str, reference: &str, capabilities: &str) -> Vec<u8> {
    let line = format!("{ZERO} {id} {reference}\0report-status {capabilities}\n");
    format!("{:04x}{line}0000", line.len() + 4).into_bytes()
}

async fn push(client: &Client, body: Vec<u8>) -> Answer {
    client.send_body(Method::POST, PATH, PUSH, body).await
}

/// Returns what `main` is, as REST shows it.
async fn main_of(client: &Client) -> Answer {
    client.get("/alice/project.git/info/refs?service=git-upload-pack").await
}

async fn project(forge: &TestForge) -> (Client, Secret) {
    let alice = forge.human("alice").await;
    forge.repository(&alice, "project", Visibility::Private).await;
    let token = forge.token(&alice, CredentialKind::Personal, None).await;
    (forge.client_of(&alice, None).await, token)
}

for_each_database! {
    async fn a_token_revoked_while_its_pack_arrives_moves_no_ref(forge: TestForge) {
        let (alice, token) = project(&forge).await;
        let folder = tempfile::tempdir().unwrap();
        let (id, pack) = commit_and_pack(folder.path());
        let (body, waits, send) = streamed(commands(&id, "refs/heads/stolen", ""));
        let pusher = forge.client().with_token(&token);
        let under_way = pusher.send_body(Method::POST, PATH, PUSH, body);
        let meanwhile = async {
            waits.await.unwrap();
            alice.clone().submit("/login/oauth/revoke", &[("token", token.expose())]).await.expect(200);
            send.send(pack.clone()).unwrap();
        };
        let (answer, ()) = tokio::join!(under_way, meanwhile);
        assert!(!answer.text().contains("ok refs/heads/stolen"), "{}", answer.text());
        assert!(!main_of(&alice).await.expect(200).text().contains("refs/heads/stolen"));
        let honest = push(&alice, [commands(&id, "refs/heads/main", ""), pack].concat()).await.expect(200);
        assert!(honest.text().contains("ok refs/heads/main"), "{}", honest.text());
        assert!(main_of(&alice).await.expect(200).text().contains("refs/heads/main"));
    }

    async fn head_and_symbolic_refs_cannot_be_pushed(forge: TestForge) {
        let (alice, _) = project(&forge).await;
        let folder = tempfile::tempdir().unwrap();
        let (id, pack) = commit_and_pack(folder.path());
        for name in ["HEAD", "refs/heads/HEAD", "refs/remotes/origin/HEAD"] {
            let answer = push(&alice, [commands(&id, name, ""), pack.clone()].concat()).await;
            assert!(!answer.text().contains(&format!("ok {name}")), "{name}: {}", answer.text());
        }
        let honest = push(&alice, [commands(&id, "refs/heads/main", ""), pack].concat()).await.expect(200);
        assert!(honest.text().contains("ok refs/heads/main"), "{}", honest.text());
    }

    async fn push_options_are_bounded_and_give_no_rights(forge: TestForge) {
        let (alice, _) = project(&forge).await;
        let folder = tempfile::tempdir().unwrap();
        let (id, pack) = commit_and_pack(folder.path());
        let with_option = |reference: &str, option: &str| {
            let option = format!("{:04x}{option}0000", option.len() + 4).into_bytes();
            [commands(&id, reference, "push-options"), option, pack.clone()].concat()
        };
        let long = push(&alice, with_option("refs/heads/long", &"x".repeat(65_000))).await;
        assert!(!long.text().contains("ok refs/heads/long"), "{}", long.text());
        let mallory = forge.human_client("mallory").await;
        push(&mallory, with_option("refs/heads/evil", "forge.approve=all")).await.expect(404);
        let honest = push(&alice, with_option("refs/heads/main", "ci.skip")).await.expect(200);
        assert!(honest.text().contains("ok refs/heads/main"), "{}", honest.text());
    }
}
