//! Things that happen, and the log of them.

use std::path::{Path, PathBuf};

use forge_auth::signing::PublicKey;
use forge_service::audit::checkpoint::{Published, public_keys};
use forge_service::audit::content::{Fields, VERSION};
use forge_service::audit::verify::Report;
use forge_service::operations::{self, AuditFormat, ExportPlace};
use forge_service::{admin, audit_log};
use forge_store::Tx;
use forge_store::audit::NewAuditEvent;
use forge_store::scratch::tamper;
use forge_testing::{Client, TestForge};
use forge_types::repository::Visibility;
use serde_json::json;

/// Has alice make some labels, so that the log has at least so many events, and seals them.
pub(crate) async fn busy(forge: &TestForge, events: usize) -> Client {
    let alice = forge.human("alice").await;
    forge.repository(&alice, "work", Visibility::Private).await;
    let client = forge.client_of(&alice, None).await;
    labels(&client, "label", events).await;
    forge.run_jobs().await;
    client
}

/// Makes labels, each of which is an event.
pub(crate) async fn labels(client: &Client, name: &str, count: usize) {
    for number in 0..count {
        let label = json!({ "name": format!("{name} {number}"), "color": "ff0000" });
        client.post("/api/v3/repos/alice/work/labels", &label).await.expect(201);
    }
}

/// Writes an event as the context does.
pub(crate) async fn write(forge: &TestForge, tx: &mut Tx, name: &str) {
    write_with(forge, tx, name, |_| ()).await;
}

/// The same with other fields.
pub(crate) async fn write_with<'a>(
    forge: &TestForge,
    tx: &mut Tx,
    name: &'a str,
    change: impl FnOnce(&mut NewAuditEvent<'a>),
) {
    let mut event = NewAuditEvent {
        version: VERSION,
        created_at: forge.now(),
        event: name,
        is_allowed: true,
        reason: None,
        actor: None,
        acting: None,
        delegator: None,
        task: None,
        grant_id: None,
        runtime: None,
        credential: None,
        repository_id: None,
        organization_id: None,
        subject_id: None,
        resource: Some("site"),
        side_effect: None,
        request_id: "req_test",
        surface: "console",
        ip: None,
        user_agent: None,
        personal: None,
        personal_salt: None,
        personal_commitment: None,
        details: "{}",
        content_hash: [0; 32],
    };
    change(&mut event);
    event.content_hash = Fields::from(&event).hash();
    forge_store::audit::insert(tx, &event).await.unwrap();
}

/// Checks what is stored.
pub(crate) async fn verify(forge: &TestForge) -> Report {
    operations::verify_audit(&admin::console(forge.app()), Vec::new(), None).await.unwrap()
}

/// Returns the whole log as lines.
pub(crate) async fn export(forge: &TestForge, format: AuditFormat) -> String {
    let ctx = admin::console(forge.app());
    let (mut lines, mut next) = (String::new(), Some(ExportPlace::Chain(0)));
    while let Some(place) = next {
        let exported = operations::export_audit(&ctx, place, format).await.unwrap();
        lines += &exported.lines;
        next = exported.next;
    }
    lines
}

/// Returns the checkpoints as an outsider keeps them.
pub(crate) async fn checkpoints(forge: &TestForge) -> String {
    let page = audit_log::list_checkpoints(&admin::console(forge.app()), 0, 100).await.unwrap();
    let line = |checkpoint| serde_json::to_string(&Published::from(checkpoint)).unwrap() + "\n";
    page.items.iter().map(line).collect()
}

/// An export, its checkpoints and the public keys, as files.
pub(crate) struct Files {
    _folder: tempfile::TempDir,
    pub(crate) export: PathBuf,
    pub(crate) checkpoints: PathBuf,
    pub(crate) key: PathBuf,
}

impl Files {
    pub(crate) async fn of(forge: &TestForge) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let files = Self {
            export: path("export.jsonl"),
            checkpoints: path("checkpoints.jsonl"),
            key: path("keys.pem"),
            _folder: folder,
        };
        std::fs::write(&files.export, export(forge, AuditFormat::Native).await).unwrap();
        std::fs::write(&files.checkpoints, checkpoints(forge).await).unwrap();
        let keys: String = public_keys(forge.app()).unwrap().iter().map(PublicKey::pem).collect();
        std::fs::write(&files.key, keys).unwrap();
        files
    }

    /// Changes the lines of a file.
    pub(crate) fn change(file: &Path, change: impl FnOnce(&mut Vec<String>)) {
        let mut lines: Vec<String> =
            std::fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect();
        change(&mut lines);
        std::fs::write(file, lines.into_iter().map(|line| line + "\n").collect::<String>()).unwrap();
    }
}

/// Takes the guards off that the database has for the log, as whoever owns it can, and runs statements.
pub(crate) async fn force(forge: &TestForge, statements: &str) {
    let db = forge.app().db();
    let guards = if db.is_sqlite() {
        "DROP TRIGGER IF EXISTS audit_events_unchanged; DROP TRIGGER IF EXISTS audit_events_erased; \
         DROP TRIGGER IF EXISTS audit_events_kept; DROP TRIGGER IF EXISTS audit_seals_unchanged; \
         DROP TRIGGER IF EXISTS audit_seals_kept; DROP TRIGGER IF EXISTS audit_checkpoints_unchanged; \
         DROP TRIGGER IF EXISTS audit_checkpoints_kept;"
    } else {
        "ALTER TABLE audit_events DISABLE TRIGGER USER; ALTER TABLE audit_seals DISABLE TRIGGER USER; \
         ALTER TABLE audit_checkpoints DISABLE TRIGGER USER;"
    };
    tamper(db, &format!("{guards} {statements}")).await.unwrap();
}
