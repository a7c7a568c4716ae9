//! What a new credential rests on, held until the transaction ends.
//!
//! A request is authenticated before its transaction begins. Until that commits, the token or session it came with may be
//! revoked, and its account suspended or recovered. So whatever makes something that lasts asks again, inside the
//! transaction, and holds the accounts behind it.
//!
//! INVARIANT: who ends credentials, sessions or bindings of an account holds that account alone, from before the first
//! change to the commit. So what is made here is seen by whoever comes later, and sees whoever came before.

use forge_store::Tx;
use forge_store::accounts::{Held, Hold};
use forge_types::account::{AccountKind, AccountStatus};
use forge_types::id::{AccountId, CredentialId, GrantId};
use forge_types::{Error, Result};

use crate::context::RequestContext;

/// The proof that what a new credential rests on stands. It is worth something in its own transaction alone.
#[must_use]
#[derive(Debug)]
pub struct Standing {
    accounts: Vec<AccountId>,
}

impl Standing {
    /// Asks again whether the caller may act at all, and holds the caller's accounts and `others`.
    ///
    /// # Errors
    /// `Unauthenticated` if the token or session the request came with has ended, or somebody behind it may not act.
    pub(crate) async fn of_caller(ctx: &RequestContext, tx: &mut Tx, others: &[AccountId]) -> Result<Self> {
        let (stands, accounts) = look(ctx, tx, others, Hold::Alone).await?;
        if stands { Ok(Self { accounts }) } else { Err(Error::bad_credentials()) }
    }

    /// Holds one account; `None` if it may not act.
    ///
    /// # Errors
    /// `Unavailable` if the database is.
    pub(crate) async fn of_account(tx: &mut Tx, id: AccountId) -> Result<Option<Self>> {
        let held = forge_store::accounts::hold(tx, &[id], Hold::Alone).await?;
        Ok(all_active(&held, &[id]).then(|| Self { accounts: vec![id] }))
    }

    /// Holds one account and a credential of it; `None` if the account may not act or the credential has ended.
    ///
    /// # Errors
    /// `Unavailable` if the database is.
    pub(crate) async fn of_credential(
        ctx: &RequestContext,
        tx: &mut Tx,
        account: AccountId,
        credential: CredentialId,
    ) -> Result<Option<Self>> {
        let Some(standing) = Self::of_account(tx, account).await? else { return Ok(None) };
        let stands = forge_store::credentials::hold(tx, credential, ctx.now()).await?;
        Ok(stands.then_some(standing))
    }

    /// Returns the same for an account that was made in this transaction, which nobody else can see yet.
    pub(crate) fn with_new(mut self, account: AccountId) -> Self {
        self.accounts.push(account);
        self
    }

    /// Returns whether the account is held.
    pub(crate) fn holds(&self, account: AccountId) -> bool {
        self.accounts.contains(&account)
    }
}

/// Asks again whether what the caller came with stands, and keeps it so until the transaction ends.
pub(crate) async fn still_stands(ctx: &RequestContext, tx: &mut Tx) -> Result<bool> {
    Ok(look(ctx, tx, &[], Hold::Shared).await?.0)
}

/// Holds an account alone, to end what it has.
pub(crate) async fn hold_to_end(tx: &mut Tx, account: AccountId) -> Result<()> {
    forge_store::accounts::hold(tx, &[account], Hold::Alone).await?;
    Ok(())
}

async fn look(
    ctx: &RequestContext,
    tx: &mut Tx,
    others: &[AccountId],
    how: Hold,
) -> Result<(bool, Vec<AccountId>)> {
    let caller = ctx.caller();
    let own = [&caller.account, &caller.acting].map(|account| account.as_ref().map(|account| account.id));
    let mut own: Vec<AccountId> = own.into_iter().flatten().collect();
    own.extend(caller.authority.iter().flat_map(|authority| &authority.delegators));
    let mut accounts = own.clone();
    accounts.extend(others);
    accounts.sort_unstable();
    accounts.dedup();
    if accounts.is_empty() {
        return Ok((true, accounts));
    }
    let held = forge_store::accounts::hold(tx, &accounts, how).await?;
    let stands = all_active(&held, &own)
        && match &caller.credential {
            None => true,
            Some(credential) if ctx.is_approved() => {
                forge_store::credentials::hold_unrevoked(tx, credential.id).await?
            }
            Some(credential) => forge_store::credentials::hold(tx, credential.id, ctx.now()).await?,
        }
        && grants_stand(ctx, tx).await?
        && bounds_stand(ctx, tx).await?
        && match &caller.session {
            None => true,
            Some(session) => forge_store::web_sessions::hold(tx, session.id, ctx.now()).await?,
        };
    Ok((stands, accounts))
}

/// Asks the same of the grants that the caller's token is for.
async fn grants_stand(ctx: &RequestContext, tx: &mut Tx) -> Result<bool> {
    let ids: Vec<GrantId> = ctx.grants().iter().map(|grant| grant.id.clone()).collect();
    if ids.is_empty() {
        return Ok(true);
    }
    Ok(forge_store::grants::hold_shared(tx, &ids, ctx.now()).await?)
}

/// Asks whether what bounds an agent is what it was when the request was authenticated: its ceiling, and without a grant also
/// whose rights it uses and what its own token may do. Its account is held, so that this stays so.
async fn bounds_stand(ctx: &RequestContext, tx: &mut Tx) -> Result<bool> {
    let caller = ctx.caller();
    let agent = caller.account.as_ref().filter(|account| account.kind == AccountKind::Agent);
    let Some(agent) = agent.filter(|_| caller.credential.is_some()) else { return Ok(true) };
    let Some(principal) = caller.subject.principal() else { return Ok(true) };
    let Some(now) = forge_store::agents::find_bounds(tx, agent.id).await? else { return Ok(false) };
    if now.ceiling.as_ref() != principal.ceiling.as_deref() {
        return Ok(false);
    }
    let lender = caller.authority.as_ref().map(|authority| authority.delegator.id);
    let is_same = now.delegator_id == lender && Some(now.standing_access) == principal.standing_access;
    Ok(ctx.is_bound_by_grant() || is_same)
}

fn all_active(held: &[Held], wanted: &[AccountId]) -> bool {
    let is_active =
        |id: &AccountId| held.iter().any(|held| held.id == *id && held.status == AccountStatus::Active);
    wanted.iter().all(is_active)
}
