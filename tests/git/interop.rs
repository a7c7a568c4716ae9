//! Every version of git that is at hand, over every version of the protocol, straight and through a proxy that buffers: what
//! is cloned equals what was pushed, object for object.

use std::path::{Path, PathBuf};

use forge_testing::{BufferingProxy, TestForge, fixtures, for_each_database, tools};
use tokio::process::Command;

use crate::bench::{Bench, commit, git};

/// How many refs the history has beside its branches.
const REFS: usize = 3000;

/// A git, a protocol, and the way to the forge.
struct Client {
    program: PathBuf,
    version: u8,
    url: String,
    folder: PathBuf,
}

impl Client {
    fn command(&self, folder: &Path, words: &[&str]) -> Command {
        let mut git = fixtures::this_git(&self.program, folder);
        // What is larger than this, the least that git takes, goes in chunks.
        git.args(["-c", "http.postBuffer=65536", "-c", &format!("protocol.version={}", self.version)]);
        git.args(words);
        Command::from(git)
    }

    async fn output(&self, folder: &Path, words: &[&str]) -> (bool, String) {
        let output = self.command(folder, words).output().await.unwrap();
        let said = [&output.stdout[..], &output.stderr[..]].concat();
        (output.status.success(), String::from_utf8_lossy(&said).trim().to_owned())
    }

    async fn run(&self, folder: &Path, words: &[&str]) -> String {
        let (is_good, said) = self.output(folder, words).await;
        assert!(is_good, "{} version {} {words:?}: {said}", self.program.display(), self.version);
        said
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Clones, and returns the clone.
    async fn clone(&self, name: &str, options: &[&str]) -> PathBuf {
        let words = [&["clone", "--quiet"], options, &[&self.url, name]].concat();
        self.run(&self.folder, &words).await;
        self.path(name)
    }
}

/// Refs and all that they reach.
async fn all(repository: &Path) -> (String, Vec<String>) {
    let refs =
        git(repository, ["for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags"])
            .await
            .good();
    let listed =
        git(repository, ["rev-list", "--branches", "--tags", "--objects", "--no-object-names"]).await.good();
    let mut objects: Vec<String> = listed.lines().map(str::to_owned).collect();
    objects.sort();
    (refs, objects)
}

/// Makes a history with what repositories have: branches and merges, tags of tags, modes, odd names, a submodule, many refs.
async fn source(bench: &Bench, submodule: &str) -> PathBuf {
    let work = bench.work("source").await;
    for number in 0..4 {
        commit(&work, "counter", &format!("{number}\n")).await;
        git(&work, ["switch", "--quiet", "--create", &format!("side{number}")]).await.good();
        commit(&work, &format!("side{number}.txt"), "side\n").await;
        git(&work, ["switch", "--quiet", "main"]).await.good();
        git(&work, ["merge", "--quiet", "--no-ff", "--no-edit", &format!("side{number}")]).await.good();
    }
    std::fs::create_dir_all(work.join("deep/er/est")).unwrap();
    std::fs::write(work.join("deep/er/est/\u{e4}\u{f6}\u{fc} name"), "x\n".repeat(5000)).unwrap();
    std::fs::write(work.join("empty"), "").unwrap();
    std::os::unix::fs::symlink("counter", work.join("link")).unwrap();
    let tip = git(&work, ["rev-parse", "main"]).await.good();
    let module = "[submodule \"lib\"]\n\tpath = lib\n\turl = ";
    std::fs::write(work.join(".gitmodules"), format!("{module}{submodule}\n")).unwrap();
    // Where a submodule lies in no working copy, `git add` takes it for removed.
    std::fs::create_dir(work.join("lib")).unwrap();
    git(&work, ["update-index", "--add", "--cacheinfo", &format!("160000,{tip},lib")]).await.good();
    commit(&work, "run.sh", "#!/bin/sh\n").await;
    git(&work, ["update-index", "--chmod=+x", "run.sh"]).await.good();
    git(&work, ["commit", "--quiet", "--message", "make it run"]).await.good();
    git(&work, ["tag", "-a", "v1", "-m", "one"]).await.good();
    git(&work, ["tag", "-a", "v1-again", "-m", "a tag of a tag", "v1"]).await.good();
    let packed: String = (0..REFS).map(|number| format!("{tip} refs/tags/t/{number:05}\n")).collect();
    std::fs::write(work.join(".git/packed-refs"), packed).unwrap();
    work
}

/// What people do with a repository, each step compared with the source.
async fn use_it(client: &Client, source: &Path) {
    let expected = all(source).await;
    let label = format!("{}-{}", client.version, client.folder.display());
    let mirror = client.clone("mirror.git", &["--mirror"]).await;
    client.run(&mirror, &["fsck", "--strict", "--no-progress"]).await;
    assert_eq!(all(&mirror).await, expected, "{label}");

    let clone = client.clone("clone", &[]).await;
    client.run(&clone, &["fsck", "--strict", "--no-progress"]).await;
    let made = git(source, ["rev-parse", "main^{tree}"]).await.good();
    assert_eq!(git(&clone, ["rev-parse", "HEAD^{tree}"]).await.good(), made);
    assert_eq!(git(&clone, ["status", "--porcelain"]).await.good(), "");

    let shallow = client.clone("shallow", &["--depth", "2", "--no-single-branch"]).await;
    client.run(&shallow, &["fsck", "--strict", "--no-progress"]).await;
    assert!(shallow.join(".git/shallow").exists());
    client.run(&shallow, &["fetch", "--quiet", "--deepen", "1"]).await;
    client.run(&shallow, &["fetch", "--quiet", "--unshallow"]).await;
    client.run(&shallow, &["fsck", "--strict", "--no-progress"]).await;
    let count = ["rev-list", "--count", "origin/main"];
    assert_eq!(git(&shallow, count).await.good(), git(&clone, count).await.good());

    // Filters came with version 2 over HTTP for some, and with all versions for others.
    let partial = client.clone("partial", &["--filter=blob:none"]).await;
    assert_eq!(git(&partial, ["status", "--porcelain"]).await.good(), "");

    let name = format!("by-{}", client.folder.file_name().unwrap().to_str().unwrap());
    client.run(&clone, &["switch", "--quiet", "--create", &name]).await;
    // More than the buffer, so that it goes in chunks; it does not compress.
    let noise: Vec<u8> =
        (0..200_000u64).map(|at| (at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33) as u8).collect();
    std::fs::write(clone.join("noise"), noise).unwrap();
    let tip = commit(&clone, "file", &name).await;
    client
        .run(
            &clone,
            &["push", "--quiet", "--atomic", "origin", &name, &format!("HEAD~1:refs/heads/{name}-old")],
        )
        .await;
    let listed = client.run(&clone, &["ls-remote", "origin", &format!("refs/heads/{name}")]).await;
    assert!(listed.starts_with(&tip), "{listed}");

    let stale = format!("{name}:refs/heads/{name}-old");
    git(&clone, ["commit", "--quiet", "--amend", "--message", "another"]).await.good();
    let (is_good, said) = client.output(&clone, &["push", "--atomic", "origin", &name, &stale]).await;
    assert!(!is_good, "{said}");
    let kept = client.run(&clone, &["ls-remote", "origin", &format!("refs/heads/{name}")]).await;
    assert!(kept.starts_with(&tip), "of an atomic push nothing is done when one ref is refused: {kept}");
    client.run(&clone, &["push", "--quiet", "--force", "origin", &name, &format!(":{name}-old")]).await;
    client.run(&clone, &["push", "--quiet", "origin", &format!(":{name}")]).await;
    assert_eq!(client.run(&clone, &["ls-remote", "origin", &format!("{name}*")]).await, "");
}

for_each_database! {
    async fn every_git_gets_what_was_pushed_straight_and_through_a_buffering_proxy(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let source = source(&bench, "../library.git").await;
        git(&source, ["push", "--quiet", "--mirror", "origin"]).await.good();
        let straight = bench.listening.url().replace("http://", "");
        let proxy = BufferingProxy::start(&straight).await;
        let programs = tools::gits();
        for (number, program) in programs.iter().enumerate() {
            for version in [0, 1, 2] {
                for (way, address) in [("straight", straight.clone()), ("proxy", proxy.address().to_string())] {
                    let folder = bench.path(&format!("git{number}-v{version}-{way}"));
                    std::fs::create_dir(&folder).unwrap();
                    let url = bench.url().replace(&straight, &address);
                    use_it(&Client { program: program.clone(), version, url, folder }, &source).await;
                }
            }
        }
    }

    async fn every_git_follows_submodules_and_starts_from_nothing(forge: TestForge) {
        let bench = Bench::new(forge).await;
        bench.forge.repository(&bench.alice, "library", forge_types::repository::Visibility::Private).await;
        let library = bench.url().replace("project.git", "library.git");
        for (number, program) in tools::gits().into_iter().enumerate() {
            let folder = bench.path(&format!("git{number}"));
            std::fs::create_dir(&folder).unwrap();
            let client = Client { program, version: 2, url: library.clone(), folder };
            if number == 0 {
                // An empty repository is cloned, and its clone is the first to push.
                let first = client.clone("first", &["--origin", "origin"]).await;
                client.run(&first, &["checkout", "--quiet", "-B", "main"]).await;
                commit(&first, "lib.txt", "library\n").await;
                client.run(&first, &["push", "--quiet", "origin", "main"]).await;
            }
            let inner = client.clone("inner", &[]).await;
            let outer = bench.work(&format!("outer{number}")).await;
            let tip = git(&inner, ["rev-parse", "HEAD"]).await.good();
            // The whole address would have the token in it, which the forge does not take.
            let text = "[submodule \"lib\"]\n\tpath = lib\n\turl = ../library.git\n";
            std::fs::write(outer.join(".gitmodules"), text).unwrap();
            std::fs::create_dir(outer.join("lib")).unwrap();
            git(&outer, ["update-index", "--add", "--cacheinfo", &format!("160000,{tip},lib")]).await.good();
            commit(&outer, "uses", "lib\n").await;
            git(&outer, ["push", "--quiet", "--force", "origin", "main"]).await.good();
            let client = Client { url: bench.url(), ..client };
            let clone = client.clone("with-modules", &["--recurse-submodules"]).await;
            assert_eq!(std::fs::read_to_string(clone.join("lib/lib.txt")).unwrap(), "library\n");
            client.run(&clone, &["fsck", "--strict", "--no-progress"]).await;
        }
    }
}
