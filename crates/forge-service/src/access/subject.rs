//! Who is asked about, and who may ask.

use forge_auth::policy::{CredentialFacts, Denial, Effect, GrantFacts, Means, Principal, Subject};
use forge_store::Conn;
use forge_types::account::{Account, AccountKind, AccountRef, AccountStatus};
use forge_types::agent::Agent;
use forge_types::credential::CredentialKind;
use forge_types::id::{AccountId, CredentialId, GrantId};
use forge_types::name::key;
use forge_types::{Action, Error, FieldCode, Result};

use crate::authenticate::authority_of;
use crate::context::{Authority, Caller, RequestContext};
use crate::grants::facts_of;
use crate::organizations::OrganizationTarget;
use crate::target::Site;

/// Who is asked about.
#[derive(Clone, Debug)]
pub struct SubjectQuestion {
    /// `agent` or `user`.
    pub kind: String,
    /// The login.
    pub login: String,
    /// The grant an agent would act under; with its standing token if not set.
    pub grant: Option<GrantId>,
}

/// As what the decision is asked.
pub(super) enum AskedAs {
    /// As this very request.
    Caller,
    /// As somebody with a token that nothing limits but the grant that was named.
    Other(Box<Caller>),
    /// It could do nothing at all.
    CannotAct(Denial),
}

impl SubjectQuestion {
    /// Finds the subject, if the caller may ask about it and what belongs to `owner`.
    ///
    /// # Errors
    /// `NotFound` if there is no such subject or the caller may not ask.
    pub(super) async fn find(
        &self,
        ctx: &RequestContext,
        conn: &mut Conn,
        owner: Option<AccountId>,
    ) -> Result<AskedAs> {
        let kind = self.kind()?;
        let is_caller = key(&ctx.account()?.login) == key(&self.login);
        if is_caller && ctx.account()?.kind != kind {
            return Err(Error::not_found());
        }
        if is_caller && self.grant.is_none() {
            return Ok(AskedAs::Caller);
        }
        match kind {
            AccountKind::Agent => self.agent(ctx, conn, owner).await,
            AccountKind::Human | AccountKind::Organization => self.human(ctx, conn, owner).await,
        }
    }

    fn kind(&self) -> Result<AccountKind> {
        match self.kind.as_str() {
            "agent" => Ok(AccountKind::Agent),
            "user" if self.grant.is_none() => Ok(AccountKind::Human),
            "user" => {
                let message = "grants are for agents";
                Err(Error::invalid("Evaluation", "subject", FieldCode::Invalid, message))
            }
            _ => {
                let message = "the type of a subject is agent or user";
                Err(Error::invalid("Evaluation", "subject", FieldCode::Invalid, message))
            }
        }
    }

    async fn agent(
        &self,
        ctx: &RequestContext,
        conn: &mut Conn,
        owner: Option<AccountId>,
    ) -> Result<AskedAs> {
        let agent =
            forge_store::agents::find_by_login(conn, &self.login).await?.ok_or_else(Error::not_found)?;
        if !ctx.may(&agent, Action::AgentEvaluate) {
            check_owner(ctx, conn, owner).await?;
        }
        if agent.account.status != AccountStatus::Active {
            return Ok(cannot_act());
        }
        let chain = match &self.grant {
            None => Vec::new(),
            Some(id) => forge_store::grants::find_chain(conn, id).await?,
        };
        if self.grant.is_some() && chain.first().is_none_or(|link| link.agent_id != agent.account.id) {
            let message = "the agent has no such grant";
            return Err(Error::invalid("Evaluation", "subject", FieldCode::Invalid, message));
        }
        if !chain.iter().all(|link| link.stands(ctx.now())) {
            return Ok(cannot_act());
        }
        let authority = authority_of(&chain, agent.delegator.as_ref());
        let grants: Vec<GrantFacts> = facts_of(chain);
        let stops = forge_store::kill_switches::list_live(conn).await?;
        let mut principal = principal(&agent.account, grants);
        let holder = authority.as_ref().and_then(|authority| authority.delegators.last());
        (principal.holder_id, principal.stops) = (holder.copied(), stops);
        with_agent(&mut principal, &agent);
        Ok(other(&agent.account, principal, authority))
    }

    async fn human(
        &self,
        ctx: &RequestContext,
        conn: &mut Conn,
        owner: Option<AccountId>,
    ) -> Result<AskedAs> {
        let account = forge_store::accounts::find_by_login(conn, &self.login).await?;
        let account = account.filter(|account| account.kind == AccountKind::Human);
        if !ctx.may(&Site, Action::SiteAuditRead) {
            check_owner(ctx, conn, owner).await?;
        }
        let account = account.ok_or_else(Error::not_found)?;
        if account.status != AccountStatus::Active {
            return Ok(cannot_act());
        }
        Ok(other(&account, principal(&account, Vec::new()), None))
    }
}

/// Whoever may read the policies of an organization may ask what becomes of them.
async fn check_owner(ctx: &RequestContext, conn: &mut Conn, owner: Option<AccountId>) -> Result<()> {
    let owner = owner.ok_or_else(Error::not_found)?;
    let asked = ctx.authorize(conn, OrganizationTarget::Id(owner), Action::OrganizationReadPolicies).await;
    asked.map(drop).map_err(|error| if error.is_retryable() { error } else { Error::not_found() })
}

fn cannot_act() -> AskedAs {
    AskedAs::CannotAct(Denial {
        effect: Effect::Unauthenticated,
        rule: "subject.inactive".into(),
        message: "the account, the grant or whoever granted it may not act".to_owned(),
        grant: None,
    })
}

fn other(account: &Account, principal: Principal, authority: Option<Authority>) -> AskedAs {
    let (subject, account) = (Subject::Principal(principal), Some(AccountRef::from(account)));
    AskedAs::Other(Box::new(Caller { subject, account, authority, ..Caller::anonymous() }))
}

/// No credential has this id.
const NONE: CredentialId = CredentialId(0);

fn principal(account: &Account, grants: Vec<GrantFacts>) -> Principal {
    let kind = if grants.is_empty() { CredentialKind::Personal } else { CredentialKind::Task };
    let facts = CredentialFacts {
        id: NONE,
        kind,
        scopes: None,
        acting_id: None,
        grants,
        audience: None,
        lacks_key: false,
        signed_only: false,
        is_of_runtime: false,
        is_approved: false,
    };
    Principal::new(account.id, account.kind, account.is_site_admin, Means::Credential(facts))
}

fn with_agent(principal: &mut Principal, agent: &Agent) {
    principal.owner_id = agent.owner.as_ref().map(|owner| owner.id);
    principal.standing_access = Some(agent.standing_access);
    principal.ceiling = agent.ceiling.clone().map(Box::new);
    if let Means::Credential(credential) = &mut principal.means {
        credential.signed_only = agent.signed_only;
    }
}
