//! Pushes that change refs, and pushes that are refused as a whole.

use forge_testing::{TestForge, for_each_database};
use forge_types::RefName;
use forge_types::credential::CredentialKind;
use forge_types::repository::Visibility;
use tokio::io::AsyncWriteExt;

use crate::bench::{Bench, ZERO, commit, git, pack, push_body};

for_each_database! {
    async fn first_pushed_branch_becomes_the_default_one(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.work("work").await;
        git(&work, ["push", "--quiet", "origin", "main:trunk", "main:zebra"]).await.good();
        let repository = bench.forge.repository_now(bench.id()).await;
        assert_eq!(repository.default_branch, "trunk");
        assert_eq!(repository.pushed_at, Some(bench.forge.now()));
        assert!(repository.size_bytes > 0);
        git(&work, ["push", "--quiet", "origin", "main:aardvark"]).await.good();
        assert_eq!(bench.forge.repository_now(bench.id()).await.default_branch, "trunk");
    }

    async fn default_branch_that_is_pushed_stays_the_default_one(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.work("work").await;
        git(&work, ["push", "--quiet", "origin", "main:aardvark", "main"]).await.good();
        assert_eq!(bench.forge.repository_now(bench.id()).await.default_branch, "main");
    }

    async fn every_ref_change_leaves_reflog_push_and_audit_event(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        let first = git(&work, ["rev-parse", "main"]).await.good();
        git(&work, ["commit", "--quiet", "--amend", "-m", "other"]).await.good();
        git(&work, ["push", "--quiet", "--force", "-o", "ci.skip", "origin", "main"]).await.good();
        let mut conn = bench.forge.app().db().read().await.unwrap();
        let main = RefName::branch("main").unwrap();
        let log = forge_store::pushes::list_reflog(&mut conn, bench.id(), &main, 10).await.unwrap();
        assert_eq!(log.len(), 2);
        assert_eq!(log[0].old_id.unwrap().to_string(), first);
        assert!(log[0].is_forced && !log[1].is_forced && log[1].old_id.is_none());
        assert_eq!(log[0].actor_id, bench.alice.id);
        let filter = forge_store::audit::AuditFilter::default();
        let events = forge_store::audit::list(&mut conn, &filter, 10).await.unwrap();
        let events: Vec<_> = events.iter().filter(|event| event.event == "refs.updated").collect();
        assert_eq!(events.len(), 2);
        assert!(events.iter().all(|event| event.actor_login.as_deref() == Some("alice")));
        assert!(events.iter().any(|event| event.side_effect.as_deref().is_some_and(|effect| effect.contains(&first))), "{events:?}");
    }

    async fn reader_is_told_why_it_may_not_push(forge: TestForge) {
        let bench = Bench::with(forge, Visibility::Public).await;
        let work = bench.pushed("work").await;
        let bob = bench.forge.human("bob").await;
        let token = bench.forge.token(&bob, CredentialKind::Personal, None).await;
        let url = format!("{}/alice/project", bench.listening.url_as("bob", token.expose()));
        let refused = git(&work, ["push", &url, "main:evil"]).await.refused();
        assert!(refused.contains("remote: this takes `write` permission"), "{refused}");
        assert!(refused.contains("403"), "{refused}");
        let mut conn = bench.forge.app().db().read().await.unwrap();
        let filter = forge_store::audit::AuditFilter::default();
        let events = forge_store::audit::list(&mut conn, &filter, 10).await.unwrap();
        assert!(events.iter().any(|event| event.event == "code.push" && event.decision == "deny"), "{events:?}");
    }

    async fn refusal_of_every_ref_is_read_by_a_client_that_sends_a_large_pack(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        commit(&work, "noise", &noise(3_000_000)).await;
        let refused = git(&work, ["push", "origin", "main:refs/pull/1/head"]).await.refused();
        assert!(refused.contains("[remote rejected]"), "{refused}");
        assert!(refused.contains("remote: forge: refs/pull/1/head is refused: deny updating a hidden ref"), "{refused}");
        assert!(!refused.contains("RPC failed"), "{refused}");
        assert_eq!(bench.packs(), 1, "the refused pack is not kept");
    }

    async fn one_of_many_concurrent_pushes_to_a_branch_wins(forge: TestForge) {
        let bench = Bench::new(forge).await;
        bench.pushed("work").await;
        let mut works = Vec::new();
        for number in 0..6 {
            let name = format!("clone-{number}");
            git(bench.folder.path(), ["clone", "--quiet", &bench.url(), &name]).await.good();
            commit(&bench.path(&name), "file", &format!("{number}\n")).await;
            works.push(bench.path(&name));
        }
        let pushes = works.iter().map(|work| git(work, ["push", "origin", "main"]));
        let done = futures(pushes).await;
        let winners: Vec<usize> = (0..done.len()).filter(|at| done[*at].is_good).collect();
        assert_eq!(winners.len(), 1, "{done:?}");
        let tip = git(&works[winners[0]], ["rev-parse", "main"]).await.good();
        assert_eq!(bench.stored("refs/heads/main").await.unwrap().to_string(), tip);
        assert_eq!(bench.packs(), 2, "the packs of the losers are gone");
    }

    async fn concurrent_pushes_to_different_branches_all_win(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        let mut works = Vec::new();
        for number in 0..6 {
            let name = format!("clone-{number}");
            git(bench.folder.path(), ["clone", "--quiet", &bench.url(), &name]).await.good();
            commit(&bench.path(&name), "file", &format!("{number}\n")).await;
            works.push((bench.path(&name), format!("main:branch-{number}")));
        }
        let done = futures(works.iter().map(|(work, spec)| git(work, ["push", "origin", spec]))).await;
        assert!(done.iter().all(|done| done.is_good), "{done:?}");
        let listed = git(&work, ["ls-remote", "--heads", "origin"]).await.good();
        assert_eq!(listed.lines().count(), 7);
    }

    async fn push_goes_on_when_the_client_hangs_up_after_sending_it(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.work("work").await;
        let tip = git(&work, ["rev-parse", "main"]).await.good();
        let body = push_body(ZERO, &tip, "refs/heads/main", &pack(&work, "main\n").await);
        // Another transaction is in the way, so that the push waits with its pack published.
        let mut tx = bench.forge.app().db().begin().await.unwrap();
        forge_store::refs::lock(&mut tx, bench.id(), false).await.unwrap();
        let mut stream = bench.open_post("git-receive-pack", body.len(), &[]).await;
        stream.write_all(&body).await.unwrap();
        let packs = bench.directory().join("objects/pack");
        wait_until(|| std::fs::read_dir(&packs).into_iter().flatten().count() >= 2).await;
        drop(stream);
        drop(tx);
        for _ in 0..1000 {
            if bench.stored("refs/heads/main").await.is_some() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("the push was given up");
    }

    async fn client_that_hangs_up_in_the_middle_leaves_nothing(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.work("work").await;
        let tip = git(&work, ["rev-parse", "main"]).await.good();
        let body = push_body(ZERO, &tip, "refs/heads/main", &pack(&work, "main\n").await);
        let mut stream = bench.open_post("git-receive-pack", body.len(), &[]).await;
        stream.write_all(&body[..body.len() - 30]).await.unwrap();
        let temporary = bench.forge.folder().join("repositories/tmp");
        let quarantines = || std::fs::read_dir(&temporary).into_iter().flatten().count();
        wait_until(|| quarantines() == 1).await;
        drop(stream);
        wait_until(|| quarantines() == 0).await;
        assert_eq!(bench.packs(), 0);
        assert_eq!(bench.stored("refs/heads/main").await, None);
    }

    async fn archived_repository_is_read_only(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        let mut repository = bench.forge.repository_now(bench.id()).await;
        repository.archived_at = Some(bench.forge.now());
        let mut tx = bench.forge.app().db().begin().await.unwrap();
        forge_store::repositories::update(&mut tx, &repository).await.unwrap();
        tx.commit().await.unwrap();
        let refused = git(&work, ["push", "origin", "main:other"]).await.refused();
        assert!(refused.contains("archived so is read-only"), "{refused}");
        git(&work, ["fetch", "--quiet"]).await.good();
    }

    async fn renamed_repository_is_found_under_its_former_name(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        let repository = bench.forge.repository_now(bench.id()).await;
        let mut tx = bench.forge.app().db().begin().await.unwrap();
        forge_store::repositories::rename(&mut tx, &repository, "renamed", bench.forge.now()).await.unwrap();
        tx.commit().await.unwrap();
        let cloned = git(bench.folder.path(), ["clone", &bench.url(), "clone"]).await;
        assert!(cloned.is_good && cloned.err.contains("redirecting to"), "{cloned:?}");
        let tip = commit(&work, "file", "1\n").await;
        git(&work, ["push", "--quiet", "origin", "main"]).await.good();
        assert_eq!(bench.stored("refs/heads/main").await.unwrap().to_string(), tip);
        let stranger = bench.forge.human_client("mallory").await;
        let answer = stranger.get("/alice/project/info/refs?service=git-upload-pack").await;
        assert_eq!(answer.status, 404, "a former name tells nothing either");
    }

    async fn first_commit_is_cloned_as_any_other(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let info = forge_service::RequestInfo {
            id: bench.forge.app().new_request_id(),
            surface: forge_service::Surface::Rest,
            ip: None,
            user_agent: None,
            certificate: None,
        };
        let ctx = forge_service::authenticate::with_token(bench.forge.app(), &bench.token, info).await.unwrap();
        let target = forge_service::target::RepositoryTarget::Id(bench.id());
        let created = forge_service::repositories::find(&ctx, target).await.unwrap();
        let files = |names: &[&str]| -> Vec<forge_service::git::NewFile> {
            names.iter().map(|name| forge_service::git::NewFile { name: (*name).into(), content: b"text\n".into() }).collect()
        };
        let wanted = files(&["README.md", ".gitignore", "LICENSE"]);
        forge_service::git::first_commit(&ctx, &created, forge_service::git::first_files(wanted), "Initial commit").await.unwrap();
        git(bench.folder.path(), ["clone", "--quiet", &bench.url(), "clone"]).await.good();
        let clone = bench.path("clone");
        assert_eq!(git(&clone, ["ls-files"]).await.good(), ".gitignore\nLICENSE\nREADME.md");
        let nobody = format!("{}+alice@users.noreply.forge.example", bench.alice.id);
        assert_eq!(git(&clone, ["log", "--format=%an <%ae> %s"]).await.good(), format!("alice <{nobody}> Initial commit"));
        git(&clone, ["fsck", "--strict"]).await.good();
        let again = forge_service::git::first_commit(&ctx, &created, forge_service::git::first_files(files(&["OTHER"])), "again").await;
        assert!(again.is_err(), "the branch exists");
        assert_eq!(bench.packs(), 1);
    }
}

async fn wait_until(is_so: impl Fn() -> bool) {
    for _ in 0..1000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it did not come about");
}

/// Runs all at once and waits for all.
async fn futures<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = all.map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = running.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in running.iter_mut().zip(&mut done).filter(|(_, done)| done.is_none()) {
            if let std::task::Poll::Ready(output) = future.as_mut().poll(context) {
                *done = Some(output);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

/// Text that does not compress well.
pub(crate) fn noise(len: usize) -> String {
    let mut state = 1u64;
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(33 + (state >> 33) as u8 % 90)
        })
        .collect()
}
