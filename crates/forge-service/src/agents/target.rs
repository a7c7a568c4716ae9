//! Agents as targets: by login, or the caller itself.

use forge_auth::policy::{AgentFacts, Resource};
use forge_store::{Conn, Tx};
use forge_types::agent::Agent;
use forge_types::id::AccountId;
use forge_types::{Action, Result};

use crate::app::AgentRecovery;
use crate::context::RequestContext;
use crate::standing::Standing;
use crate::target::{Facts, Ids, Target};

/// The agent with this login.
#[derive(Clone, Copy, Debug)]
pub struct AgentTarget<'a>(pub &'a str);

impl Target for AgentTarget<'_> {
    type Found = Agent;

    async fn load(self, _: &RequestContext, conn: &mut Conn) -> Result<Option<Agent>> {
        Ok(forge_store::agents::find_by_login(conn, self.0).await?)
    }
}

impl Facts for Agent {
    fn resource(&self, ctx: &RequestContext) -> Resource {
        Resource::Agent(AgentFacts {
            id: self.account.id,
            owner_id: self.owner.as_ref().map(|owner| owner.id),
            suspended_by: self.suspended_by,
            recovery_takes_presence: ctx.settings().agent_recovery == AgentRecovery::Session,
        })
    }

    fn ids(&self) -> Ids {
        Ids { subject_id: Some(self.account.id), ..Ids::default() }
    }
}

/// Loads an agent and decides, holds it alone with the caller, and decides again: whose agent it is may have changed
/// meanwhile, and does not from here to the end of the transaction.
pub(super) async fn held(
    ctx: &RequestContext,
    tx: &mut Tx,
    login: &str,
    action: Action,
) -> Result<(Agent, Standing)> {
    let agent = ctx.authorize(tx, AgentTarget(login), action).await?;
    let standing = Standing::of_caller(ctx, tx, &[agent.account.id]).await?;
    Ok((ctx.authorize(tx, AgentTarget(login), action).await?, standing))
}

/// The caller, asked to do what only an agent does. That a human is none is for the decision to say.
#[derive(Clone, Copy, Debug)]
pub struct OwnAgent;

/// The caller, once it is known to have an account.
#[derive(Clone, Copy, Debug)]
pub struct OwnAgentFound {
    /// Its id.
    pub id: AccountId,
}

impl Target for OwnAgent {
    type Found = OwnAgentFound;

    async fn load(self, ctx: &RequestContext, _: &mut Conn) -> Result<Option<OwnAgentFound>> {
        Ok(Some(OwnAgentFound { id: ctx.account()?.id }))
    }
}

impl Facts for OwnAgentFound {
    fn resource(&self, ctx: &RequestContext) -> Resource {
        let owner_id = ctx.caller().subject.principal().and_then(|principal| principal.owner_id);
        Resource::Agent(AgentFacts {
            id: self.id,
            owner_id,
            suspended_by: None,
            recovery_takes_presence: true,
        })
    }

    fn ids(&self) -> Ids {
        Ids::default()
    }
}
