//! Git over the wire: what a clone, a fetch and a push do here, whatever edge they come by.
//!
//! Reading hands the caller's snapshot of refs to `forge_git`, which checks every want against it. Pushing ([`receive_pack`])
//! runs in a task of its own that outlives a client that hangs up, and moves refs through [`crate::refs`] alone.

mod answers;
mod certificate;
mod engine;
mod fault;
mod first_commit;
mod held;
mod keep;
mod maintenance;
mod push;
mod read;
mod settle;
mod shares;
mod states;

pub use engine::{Engine, Limits};
pub use first_commit::{FirstTree, NewFile, first_commit, first_files};
pub use forge_git::fetch::Transport;
pub use push::{PushAnswer, receive_pack};
pub use settle::recover;

pub use read::{Advertisement, FetchAnswer, Kept, Pack, advertise, bundle, upload_pack};

pub use maintenance::{Combined, Pause, REBUILD, ROLL_UP};

pub(crate) use fault::fault;
pub(crate) use keep::keep;
pub(crate) use maintenance::{
    Change, ask_for_maintenance, ask_for_roll_up, ask_to_sort, look_after, sort_anew,
};
pub(crate) use settle::{Fate, pack_row, settle};
pub(crate) use shares::Share;
pub(crate) use states::State;
