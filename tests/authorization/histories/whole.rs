//! I11, I12, I16 and I17: what holds of a whole history.

use forge_service::admin;
use forge_service::audit::seal::Sealer;
use forge_service::operations::verify_audit;

use super::History;
use crate::grants::EXT;

impl History {
    /// I11, I12, I16 and I17: what holds of the whole history.
    pub(super) async fn check_whole(&self) {
        let sealer = Sealer::new(self.forge.app());
        sealer.seal().await.unwrap();
        sealer.release().await.unwrap();
        let report = verify_audit(&admin::console(self.forge.app()), Vec::new(), None).await.unwrap();
        assert_eq!(report.findings, Vec::<String>::new());
        let moved = self.recorded().await;
        assert_eq!(moved, self.made, "each ref that was made has its row in the audit log");
        if self.forge.app().db().is_sqlite() {
            self.check_secrets().await;
        }
    }

    /// Returns how many refs the audit log says were changed.
    async fn recorded(&self) -> usize {
        let mut path = format!("{EXT}/audit-events?action=refs.updated&per_page=100");
        let mut count = 0;
        loop {
            let answer = self.root.get(&path).await.expect(200);
            let next = answer.header("link").and_then(|links| {
                let next = links.split(',').find(|link| link.contains("rel=\"next\""))?;
                Some(next.split_once("/api/")?.1.split_once('>')?.0.to_owned())
            });
            let events = answer.json();
            for event in events.as_array().unwrap() {
                let is_ours = event["decision"] == "allow";
                count += usize::from(is_ours) * event["side_effect"]["refs"].as_array().map_or(0, Vec::len);
            }
            match next {
                Some(next) => path = format!("/api/{next}"),
                None => return count,
            }
        }
    }

    /// No value of a token is anywhere in the database.
    async fn check_secrets(&self) {
        let copy = self.forge.folder().join("copy.db");
        self.forge.app().db().copy_sqlite_to(&copy).await.unwrap();
        let bytes = std::fs::read(&copy).unwrap();
        let invites = self.invites.iter().map(|invite| &invite.secret);
        for token in self.tokens.iter().chain(invites) {
            let value = token.expose().as_bytes();
            let is_there = bytes.windows(value.len()).any(|window| window == value);
            assert!(!is_there, "{} is in the database", token.fingerprint());
        }
    }
}
