//! The migrations: one text for both databases, embedded in the program. A released migration never changes.

use std::borrow::Cow;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr};

use crate::dialect::Dialect;

const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "accounts", include_str!("../../../migrations/0001_accounts.sql")),
    (2, "credentials", include_str!("../../../migrations/0002_credentials.sql")),
    (3, "organizations", include_str!("../../../migrations/0003_organizations.sql")),
    (4, "repositories", include_str!("../../../migrations/0004_repositories.sql")),
    (5, "git", include_str!("../../../migrations/0005_git.sql")),
    (6, "agents", include_str!("../../../migrations/0006_agents.sql")),
    (7, "audit", include_str!("../../../migrations/0007_audit.sql")),
    (8, "profile", include_str!("../../../migrations/0008_profile.sql")),
    (9, "visible_packs", include_str!("../../../migrations/0009_visible_packs.sql")),
    (10, "undoing_bindings", include_str!("../../../migrations/0010_undoing_bindings.sql")),
    (11, "task_grants", include_str!("../../../migrations/0011_task_grants.sql")),
    (12, "kill_switches", include_str!("../../../migrations/0012_kill_switches.sql")),
    (13, "audit_chain", include_str!("../../../migrations/0013_audit_chain.sql")),
    (14, "proofs", include_str!("../../../migrations/0014_proofs.sql")),
    (15, "made_objects", include_str!("../../../migrations/0015_made_objects.sql")),
    (16, "approvals", include_str!("../../../migrations/0016_approvals.sql")),
    (17, "policies", include_str!("../../../migrations/0017_policies.sql")),
    (18, "push_certificates", include_str!("../../../migrations/0018_push_certificates.sql")),
    (19, "access_groups", include_str!("../../../migrations/0019_access_groups.sql")),
    (20, "asked_tasks", include_str!("../../../migrations/0020_asked_tasks.sql")),
    (21, "second_factors", include_str!("../../../migrations/0021_second_factors.sql")),
    (22, "workloads", include_str!("../../../migrations/0022_workloads.sql")),
    (23, "certificates", include_str!("../../../migrations/0023_certificates.sql")),
    (24, "forks", include_str!("../../../migrations/0024_forks.sql")),
    (25, "deleted_repositories", include_str!("../../../migrations/0025_deleted_repositories.sql")),
    (26, "delegation_policies", include_str!("../../../migrations/0026_delegation_policies.sql")),
    (27, "fork_counts", include_str!("../../../migrations/0027_fork_counts.sql")),
    (28, "own_client", include_str!("../../../migrations/0028_own_client.sql")),
];

/// Returns the migrations as `dialect` reads them.
pub(crate) fn migrator(dialect: Dialect) -> Migrator {
    let migrations = MIGRATIONS
        .iter()
        .map(|(version, name, text)| {
            let sql = AssertSqlSafe(dialect.expand(text)).into_sql_str();
            Migration::new(*version, Cow::Borrowed(*name), MigrationType::Simple, sql, false)
        })
        .collect();
    let mut migrator = Migrator::DEFAULT;
    migrator.migrations = Cow::Owned(migrations);
    migrator
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_embedded() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("the migrations folder")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a UTF-8 name"))
            .collect();
        files.sort();
        let embedded: Vec<String> =
            MIGRATIONS.iter().map(|(version, name, _)| format!("{version:04}_{name}.sql")).collect();
        assert_eq!(embedded, files);
    }
}
