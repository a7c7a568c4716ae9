//! Requests for objects and refs: what is understood, written anew, is understood as the same.

use std::sync::LazyLock;

use forge_git::fetch::{Fetch, Request, RequestLimits};
use forge_git::wire::{Protocol, Ref, RefSnapshot};
use forge_types::{ObjectFormat, ObjectId, RefName};

use crate::support::{choice, expect_refusal, format, in_pieces, now, packets};

const LIMITS: RequestLimits = RequestLimits { bytes: 3000, wants: 8 };

static REFS: LazyLock<RefSnapshot> = LazyLock::new(|| {
    let id = ObjectId::empty_tree(ObjectFormat::Sha1);
    let names = ["refs/heads/main", "refs/heads/topic/a", "refs/tags/v1", "refs/notes/commits"];
    let refs = names.map(|name| Ref {
        name: RefName::new(name).expect("it is a name"),
        id,
        peeled: name.contains("tags").then_some(id),
    });
    RefSnapshot::new(ObjectFormat::Sha1, RefName::branch("main").expect("it is a name"), refs.into())
});

pub(crate) fn run(bytes: &[u8]) {
    let (choice, bytes) = choice(bytes);
    let format = format(choice);
    let protocol = [Protocol::V0, Protocol::V1, Protocol::V2, Protocol::V2][usize::from(choice >> 1 & 3)];
    let request = now(Request::read(&mut &bytes[..], protocol, format, &LIMITS));
    let again = now(Request::read(&mut in_pieces(bytes, choice.into()), protocol, format, &LIMITS));
    let request = match (request, again) {
        (Ok(request), Ok(again)) => {
            assert_eq!(format!("{request:?}"), format!("{again:?}"));
            request
        }
        (Err(error), Err(again)) => {
            assert_eq!(error.to_string(), again.to_string());
            return expect_refusal(&error);
        }
        (read, again) => panic!("{read:?} is not {again:?}"),
    };
    match request {
        Request::Empty | Request::ObjectInfo(_) | Request::BundleUri => {}
        Request::LsRefs(request) => {
            let answer = request.answer(&REFS);
            packets(&answer, usize::MAX).expect("an answer is packets");
        }
        Request::Fetch(fetch) => check(&fetch, format),
    }
}

/// What is given to git is what was understood, and nothing else.
fn check(fetch: &Fetch, format: ObjectFormat) {
    assert!(!fetch.wants().is_empty() || fetch.protocol() == Protocol::V2);
    assert!(fetch.wants().len() <= LIMITS.wants);
    let limits = RequestLimits { bytes: 2 * LIMITS.bytes, ..LIMITS };
    let again = now(Request::read(&mut fetch.lines(), fetch.protocol(), format, &limits));
    let Ok(Request::Fetch(again)) = again else { panic!("{again:?} is not {fetch:?}") };
    assert_eq!(format!("{fetch:?}"), format!("{again:?}"));
}
