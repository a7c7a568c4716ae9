//! Fills the audit log of a data directory for `cargo xtask bench audit`: so many events as pushes and refusals leave them,
//! linked into the chain, with a checkpoint at the end.
//!
//! `fill_audit COUNT`; the data directory and the database are what `FORGE_DATA` and `FORGE_DATABASE_URL` say.

use forge_server::ForgeBuilder;
use forge_server::config::{Config, Environment, Layers};
use forge_service::audit::checkpoint::When;
use forge_service::audit::content::{Fields, VERSION, commitment};
use forge_service::audit::seal::Sealer;
use forge_store::audit::{AuditActor, AuditCredential, NewAuditEvent};
use forge_types::id::{AccountId, CredentialId, RepositoryId};

/// How many events are written in one transaction.
const BATCH: usize = 2000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count: usize = std::env::args().nth(1).ok_or("say how many")?.parse()?;
    let config = Config::gather(Layers::default(), &Environment::of_process(), None)?;
    let forge = ForgeBuilder::new(config).build().await?;
    let app = forge.app();
    for first in (0..count).step_by(BATCH) {
        let mut tx = app.db().begin().await?;
        for number in first..count.min(first + BATCH) {
            insert(&mut tx, number).await?;
        }
        tx.commit().await?;
    }
    let sealer = Sealer::new(app);
    let sealed = sealer.seal().await?;
    sealer.checkpoint(When::Now).await?;
    sealer.release().await?;
    forge.close().await;
    eprintln!("{count} events written, {sealed} sealed");
    Ok(())
}

async fn insert(tx: &mut forge_store::Tx, number: usize) -> Result<(), Box<dyn std::error::Error>> {
    let at = i64::try_from(number)?;
    let (agent, repository) =
        (format!("agent-{}", number % 500), format!("owner/repository-{}", number % 200));
    let (resource, request) = (format!("repo:{repository}"), format!("req_{number:020}"));
    let effect = format!(
        "{{\"refs\":[{{\"forced\":false,\"new\":\"{number:040x}\",\"old\":\"{number:040x}\",\
         \"ref\":\"refs/heads/agent/task-{number}\"}}]}}"
    );
    let details =
        format!("{{\"count\":1,\"door\":\"git\",\"push_id\":{number},\"refs_sha256\":\"{number:064x}\"}}");
    let fingerprint = format!("{number:012x}");
    let salt = [u8::try_from(number % 251)?; 32];
    let mut event = NewAuditEvent {
        version: VERSION,
        created_at: forge_types::Timestamp::from_seconds(1_767_225_600 + at),
        event: "refs.updated",
        is_allowed: true,
        reason: None,
        actor: Some(AuditActor { id: AccountId(at % 500), login: &agent, kind: "agent" }),
        acting: None,
        delegator: Some(AuditActor { id: AccountId(1000), login: "owner", kind: "human" }),
        task: Some("issue 17"),
        grant_id: Some("tg_0123456789abcdefghij"),
        runtime: None,
        credential: Some(AuditCredential {
            id: Some(CredentialId(at)),
            kind: "task",
            fingerprint: Some(&fingerprint),
        }),
        repository_id: Some(RepositoryId(at % 200)),
        organization_id: None,
        subject_id: None,
        resource: Some(&resource),
        side_effect: Some(&effect),
        request_id: &request,
        surface: "git",
        ip: Some("192.0.2.17"),
        user_agent: Some("git/2.47.3"),
        personal: None,
        personal_salt: Some(salt),
        personal_commitment: Some(commitment(&salt, Some("192.0.2.17"), Some("git/2.47.3"), None)),
        details: &details,
        content_hash: [0; 32],
    };
    event.content_hash = Fields::from(&event).hash();
    forge_store::audit::insert(tx, &event).await?;
    Ok(())
}
