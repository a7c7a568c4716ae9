//! The repositories that the story pushes are as large as it says.

use forge_testing::fixtures::{History, generate, git, succeed};

/// Twenty thousand commits and more than 200 MB.
pub(crate) const LONG: History = History { commits: 20_000, bytes_per_commit: 10_800 };

#[test]
fn the_long_repository_has_20_000_commits_and_200_megabytes() {
    let folder = tempfile::tempdir().unwrap();
    generate(folder.path(), LONG);
    assert_eq!(succeed(git(folder.path()).args(["rev-list", "--count", "main"])).trim(), "20000");
    let sizes = succeed(git(folder.path()).args(["count-objects", "-v"]));
    let packed = sizes.lines().find_map(|line| line.strip_prefix("size-pack: ")).unwrap();
    assert!(packed.parse::<u64>().unwrap() > 200 * 1000, "{sizes}");
}
