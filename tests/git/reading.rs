//! Who may read what, and how the answers look.

use forge_testing::{TestForge, for_each_database};
use forge_types::credential::CredentialKind;
use forge_types::repository::Visibility;

use crate::bench::{Bench, git};

const V2: [&str; 2] = ["-c", "protocol.version=2"];
const VERSIONS: [&str; 3] = ["protocol.version=0", "protocol.version=1", "protocol.version=2"];

for_each_database! {
    async fn what_was_pushed_is_cloned_in_every_protocol_version(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        git(&work, ["tag", "-a", "-m", "first", "v1"]).await.good();
        git(&work, ["push", "--quiet", "origin", "v1"]).await.good();
        for version in VERSIONS {
            let name = version.replace(['.', '='], "-");
            git(bench.folder.path(), ["-c", version, "clone", "--quiet", &bench.url(), &name]).await.good();
            let clone = bench.path(&name);
            assert_eq!(std::fs::read_to_string(clone.join("README.md")).unwrap(), "# work\n");
            assert_eq!(git(&clone, ["describe"]).await.good(), "v1");
            git(&clone, ["fsck", "--strict"]).await.good();
            let listed = git(&clone, ["-c", version, "ls-remote", "--symref", "origin"]).await.good();
            assert!(listed.starts_with("ref: refs/heads/main\tHEAD\n"), "{listed}");
            assert!(listed.contains("refs/tags/v1^{}"), "{listed}");
        }
    }

    async fn later_commits_are_fetched_in_every_protocol_version(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        for (number, version) in VERSIONS.iter().enumerate() {
            let name = format!("clone-{number}");
            git(bench.folder.path(), ["-c", version, "clone", "--quiet", &bench.url(), &name]).await.good();
            let tip = crate::bench::commit(&work, "file", &format!("{number}\n")).await;
            git(&work, ["push", "--quiet", "origin", "main"]).await.good();
            let clone = bench.path(&name);
            git(&clone, ["-c", version, "fetch", "--quiet"]).await.good();
            assert_eq!(git(&clone, ["rev-parse", "origin/main"]).await.good(), tip);
        }
    }

    async fn clone_of_an_empty_repository_knows_its_default_branch(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let cloned = git(bench.folder.path(), ["-c", "init.defaultBranch=other", "clone", &bench.url(), "empty"]).await;
        assert!(cloned.err.contains("empty repository"), "{cloned:?}");
        assert_eq!(git(&bench.path("empty"), ["symbolic-ref", "HEAD"]).await.good(), "refs/heads/main");
        for version in VERSIONS {
            assert_eq!(git(bench.folder.path(), ["-c", version, "ls-remote", &bench.url()]).await.good(), "");
        }
        assert!(!bench.directory().exists(), "reading an empty repository makes no directory");
    }

    async fn anyone_reads_a_public_repository_and_nobody_unknown_pushes_to_it(forge: TestForge) {
        let bench = Bench::with(forge, Visibility::Public).await;
        let work = bench.pushed("work").await;
        git(bench.folder.path(), ["clone", "--quiet", &bench.bare_url(), "clone"]).await.good();
        let refused = git(&work, ["push", &bench.bare_url(), "main:refs/heads/evil"]).await.refused();
        assert!(refused.contains("could not read Username"), "{refused}");
        assert_eq!(bench.stored("refs/heads/evil").await, None);
    }

    async fn private_and_absent_repositories_look_alike(forge: TestForge) {
        let bench = Bench::new(forge).await;
        bench.pushed("work").await;
        let stranger = bench.forge.human_client("mallory").await;
        let strip = |mut answer: forge_testing::Answer| {
            for name in ["x-github-request-id", "date"] {
                answer.headers.remove(name);
            }
            (answer.status, answer.headers, answer.body)
        };
        for service in ["git-upload-pack", "git-receive-pack"] {
            let paths = ["project.git", "absent.git", "project", "absent"]
                .map(|name| format!("/alice/{name}/info/refs?service={service}"));
            let anonymous = bench.forge.client();
            let first = strip(anonymous.get(&paths[0]).await);
            assert_eq!(first.0, 401);
            assert_eq!(first.1["www-authenticate"], "Basic realm=\"forge\", charset=\"UTF-8\"");
            let known = strip(stranger.get(&paths[0]).await);
            assert_eq!(known.0, 404);
            for path in &paths {
                assert_eq!(strip(anonymous.get(path).await), first, "{path}");
                assert_eq!(strip(stranger.get(path).await), known, "{path}");
            }
        }
        let dumb = |name: &str| format!("/alice/{name}/info/refs");
        assert_eq!(strip(stranger.get(&dumb("project")).await), strip(stranger.get(&dumb("absent")).await));
    }

    async fn wrong_token_is_refused_even_where_none_is_needed(forge: TestForge) {
        let bench = Bench::with(forge, Visibility::Public).await;
        bench.pushed("work").await;
        let header = "http.extraHeader=Authorization: Bearer fgep_wrong";
        let refused = git(bench.folder.path(), ["-c", header, "ls-remote", &bench.bare_url()]).await.refused();
        assert!(refused.contains("Authentication") || refused.contains("could not read Username"), "{refused}");
    }

    async fn token_is_taken_as_password_as_user_name_and_as_bearer(forge: TestForge) {
        let bench = Bench::new(forge).await;
        bench.pushed("work").await;
        let token = bench.token.expose();
        for (user, password) in [("anyone", token), (token, "x-oauth-basic"), (token, "")] {
            let url = format!("{}/alice/project", bench.listening.url_as(user, password));
            git(bench.folder.path(), ["ls-remote", &url]).await.good();
        }
        let header = format!("http.extraHeader=Authorization: Bearer {token}");
        git(bench.folder.path(), ["-c", &header, "ls-remote", &bench.bare_url()]).await.good();
    }

    async fn credentials_that_are_no_access_tokens_open_nothing(forge: TestForge) {
        let bench = Bench::new(forge).await;
        bench.pushed("work").await;
        for kind in [CredentialKind::Bootstrap, CredentialKind::Refresh] {
            let token = bench.forge.token(&bench.alice, kind, None).await;
            let url = format!("{}/alice/project", bench.listening.url_as("x", token.expose()));
            git(bench.folder.path(), ["ls-remote", &url]).await.refused();
        }
    }

    async fn scope_that_does_not_cover_private_repositories_hides_them(forge: TestForge) {
        let bench = Bench::new(forge).await;
        bench.pushed("work").await;
        let token = bench.forge.token(&bench.alice, CredentialKind::Personal, Some("public_repo")).await;
        let url = format!("{}/alice/project", bench.listening.url_as("x", token.expose()));
        let refused = git(bench.folder.path(), ["ls-remote", &url]).await.refused();
        assert!(refused.contains("Repository not found."), "{refused}");
    }

    async fn answers_must_not_be_kept_and_dumb_clients_are_told_why(forge: TestForge) {
        let bench = Bench::with(forge, Visibility::Public).await;
        bench.pushed("work").await;
        let answer = bench.forge.client().get("/alice/project/info/refs?service=git-upload-pack").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["content-type"], "application/x-git-upload-pack-advertisement");
        assert_eq!(answer.headers["cache-control"], "no-cache, max-age=0, must-revalidate");
        assert_eq!(answer.headers["pragma"], "no-cache");
        let dumb = bench.forge.client().get("/alice/project/info/refs").await;
        assert_eq!(dumb.status, 403);
        let unknown = bench.forge.client().get("/alice/project/info/refs?service=git-evil").await;
        assert_eq!(unknown.status, 403);
    }

    async fn reading_costs_few_statements(forge: TestForge) {
        let bench = Bench::new(forge).await;
        bench.pushed("work").await;
        let client = bench.forge.client_of(&bench.alice, None).await;
        let client = client.with_header("git-protocol".parse().unwrap(), "version=2");
        let before = bench.forge.statements();
        let answer = client.get("/alice/project/info/refs?service=git-upload-pack").await;
        assert_eq!(answer.status, 200);
        assert_eq!(bench.forge.statements() - before, 2, "who asks, and the repository");
        let before = bench.forge.statements();
        client.get("/alice/project/info/refs?service=git-receive-pack").await.expect(200);
        let what = "who asks, the repository, whether policies are new, and all refs, however many";
        assert_eq!(bench.forge.statements() - before, 4, "{what}");
        let before = bench.forge.statements();
        let listed = [&V2[..], &["ls-remote"]].concat();
        git(bench.folder.path(), listed.into_iter().chain([bench.url().as_str()])).await.good();
        assert_eq!(bench.forge.statements() - before, 5, "one anonymous, and two for each request after it");
    }
}
