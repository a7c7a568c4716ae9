//! What an event is about, in words that outlive the object: `repo:OWNER/NAME`, `org:LOGIN`, `agent:LOGIN`, `user:LOGIN`,
//! `site`.

use forge_store::Conn;
use forge_types::account::AccountKind;
use forge_types::{Event, Result};
use serde_json::{Value, json};

use super::Ids;
use crate::context::Caller;

/// What an event says of its object.
#[derive(Debug, Default)]
pub(super) struct About {
    pub(super) ids: Ids,
    pub(super) resource: Option<String>,
    /// The object that the thing was done to; often the resource itself.
    pub(super) object: Option<String>,
}

impl About {
    /// Takes over what an event says, and finds what it does not.
    pub(super) async fn of_event(conn: &mut Conn, event: &Event) -> Result<Self> {
        let ids = Ids {
            repository_id: event.repository_id,
            organization_id: event.organization_id,
            subject_id: event.subject_id,
        };
        let Some(resource) = &event.resource else { return Self::of_ids(conn, ids).await };
        Ok(Self { ids, resource: Some(resource.clone()), object: Some(resource.clone()) })
    }

    /// Finds what the objects are called now.
    pub(super) async fn of_ids(conn: &mut Conn, mut ids: Ids) -> Result<Self> {
        if ids.repository_id.is_none() && ids.organization_id.is_none() && ids.subject_id.is_none() {
            return Ok(Self::default());
        }
        let (repository, organization, subject) = (ids.repository_id, ids.organization_id, ids.subject_id);
        let named = forge_store::audit::find_names(conn, repository, organization, subject).await?;
        ids.organization_id = ids.organization_id.or(named.owner_id);
        let repository = repository.map(|id| match named.repository {
            Some(name) => format!("repo:{name}"),
            None => format!("repo:#{id}"),
        });
        let organization = named.organization.map(|login| format!("org:{login}"));
        let kind = named.subject_kind.as_deref().and_then(AccountKind::parse);
        let subject = named.subject.zip(kind).map(|(login, kind)| account(kind, &login));
        let resource = repository.or(organization).or_else(|| subject.clone());
        Ok(Self { ids, object: subject.or_else(|| resource.clone()), resource })
    }

    /// Returns what it is about; an event that names nothing is about whoever did it, or about the forge as a whole.
    pub(super) fn resource(&self, caller: &Caller) -> String {
        let actor = || caller.account.as_ref().map(|actor| account(actor.kind, &actor.login));
        self.resource.clone().or_else(actor).unwrap_or_else(|| "site".to_owned())
    }

    /// Returns what came of something that was done to the object and said no more.
    pub(super) fn side_effect(&self, resource: &str) -> Value {
        json!({ "object": self.object.as_deref().unwrap_or(resource) })
    }
}

fn account(kind: AccountKind, login: &str) -> String {
    let kind = match kind {
        AccountKind::Human => "user",
        AccountKind::Agent => "agent",
        AccountKind::Organization => "org",
    };
    format!("{kind}:{login}")
}
