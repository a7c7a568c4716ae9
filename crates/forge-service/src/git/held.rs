//! A push that waits for a human: what the client is told, and staying on the line until somebody decided.

use std::time::Duration;

use forge_git::receive::Reply;
use forge_types::approval::{Approval, ApprovalNote, ApprovalState, HELD};
use serde_json::json;
use tokio::time::Instant;

use crate::approvals;
use crate::context::RequestContext;

/// The push option with which a client says how many seconds it stays on the line.
const WAIT: &str = "forge.wait";

/// How long a client can stay on the line: ten minutes, for which it is sent signs of life.
const LONGEST: u64 = 600;

/// Reads the options that are for the forge; others are the client's own affair. Returns how long the client waits.
///
/// # Errors
/// The reason why they cannot be followed: something unknown, or no number of seconds.
pub(super) fn patience(options: &[String]) -> Result<Duration, String> {
    let mut patience = Duration::ZERO;
    for option in options.iter().filter(|option| option.starts_with("forge.")) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        if name != WAIT {
            return Err("unknown push option: the forge knows `forge.wait=SECONDS`".to_owned());
        }
        let seconds = value.parse::<u64>().ok().filter(|seconds| (1..=LONGEST).contains(seconds));
        let seconds = seconds.ok_or_else(|| format!("`{WAIT}` takes seconds, from 1 to {LONGEST}"))?;
        patience = Duration::from_secs(seconds);
    }
    Ok(patience)
}

/// Returns the lines that tell a person and a program that a push waits.
pub(super) fn message(note: &ApprovalNote) -> String {
    let machine = json!({
        "id": note.id,
        "status": ApprovalState::Pending.as_str(),
        "poll": note.status_url,
        "approve": note.approve_url,
    });
    format!(
        "forge: {}\nforge: this waits for a human until {}, who decides at {}\nforge-approval: {machine}\n",
        note.reason, note.expires_at, note.approve_url
    )
}

/// Stays on the line until somebody decided, the patience or the client is gone. Returns what became of it; `None` if it
/// still waits, or it cannot be told.
pub(super) async fn wait(
    ctx: &RequestContext,
    note: &ApprovalNote,
    patience: Duration,
    reply: &Reply,
) -> Option<Approval> {
    let deadline = Instant::now() + patience;
    reply.keep_alive();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        let found = tokio::select! {
            found = approvals::wait(ctx, &note.id, left) => found,
            () = reply.hung_up() => return None,
        };
        match found {
            Ok(found) if found.approval.state(ctx.now()).is_final() => return Some(found.approval),
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "what became of a push that waits could not be found out");
                return None;
            }
        }
    }
}

/// Returns what the client is told of a ref whose change waited.
pub(super) fn result(approval: &Approval, state: ApprovalState) -> Result<(), String> {
    let by = approval.decided_by.as_ref().map_or("nobody", |human| human.login.as_str());
    let why =
        |text: &Option<String>| text.as_ref().map(|text| format!(": {}", one_line(text))).unwrap_or_default();
    match state {
        ApprovalState::Consumed => Ok(()),
        ApprovalState::Denied => Err(format!("denied by {by}{}", why(&approval.comment))),
        ApprovalState::Pending | ApprovalState::Approved => Err(format!("{HELD}{}", approval.id)),
        ApprovalState::Expired | ApprovalState::Cancelled | ApprovalState::Failed => {
            Err(format!("{} {}{}", approval.id, state.as_str(), why(&approval.outcome)))
        }
    }
}

/// Returns whether this is the reason of a ref that waits, of which the client was told apart.
pub(super) fn is_held(reason: &str) -> bool {
    reason.starts_with(HELD)
}

/// A comment is text of a person, which must not look like another line of the forge's.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(options: &[&str]) -> Result<Duration, String> {
        patience(&options.iter().map(|option| (*option).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn seconds_are_read_and_options_of_others_are_left_alone() {
        assert_eq!(read(&[]), Ok(Duration::ZERO));
        assert_eq!(read(&["ci.skip", "forge.wait=60"]), Ok(Duration::from_secs(60)));
        assert_eq!(read(&["forge.wait=600"]), Ok(Duration::from_secs(600)));
    }

    #[test]
    fn what_the_forge_does_not_know_is_refused() {
        for option in
            ["forge.approve=apr_1", "forge.wait", "forge.wait=0", "forge.wait=601", "forge.wait=-1", "forge."]
        {
            assert!(read(&[option]).is_err(), "{option}");
        }
    }

    #[test]
    fn comment_stays_on_its_line() {
        assert_eq!(one_line("no\nremote: forge: ok\u{1b}[0m"), "no remote: forge: ok [0m");
    }
}
