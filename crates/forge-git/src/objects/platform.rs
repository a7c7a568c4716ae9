//! What gix's comparing and merging of files needs beside objects: no directory, no filters, no attributes.

use gix::diff::blob as diff;
use gix::filter::plumbing as filter;
use gix::merge::blob as merge;
use gix::worktree::stack::{State, state};

/// Files of more bytes are not merged or compared by lines.
const LARGE: u64 = 32 << 20;

fn attributes() -> gix::worktree::Stack {
    // With nothing to look attributes up in, nothing is read from the file system.
    let attributes = state::Attributes::new(
        Default::default(),
        None,
        state::attributes::Source::IdMapping,
        Default::default(),
    );
    let state = State::AttributesStack(attributes);
    gix::worktree::Stack::new("", state, gix::glob::pattern::Case::Sensitive, Vec::new(), Vec::new())
}

fn filter(hash: gix::hash::Kind) -> filter::Pipeline {
    filter::Pipeline::new(gix::command::Context::default(), hash, filter::pipeline::Options::default())
}

pub(crate) fn for_diff(hash: gix::hash::Kind) -> diff::Platform {
    let options = diff::pipeline::Options { large_file_threshold_bytes: LARGE, ..Default::default() };
    let pipeline = diff::Pipeline::new(Default::default(), filter(hash), Vec::new(), options);
    let options = diff::platform::Options {
        algorithm: Some(diff::Algorithm::Myers),
        skip_internal_diff_if_external_is_configured: false,
    };
    diff::Platform::new(options, pipeline, diff::pipeline::Mode::ToGit, attributes())
}

pub(crate) fn for_merge(hash: gix::hash::Kind) -> merge::Platform {
    let options = merge::pipeline::Options { large_file_threshold_bytes: LARGE };
    let pipeline = merge::Pipeline::new(Default::default(), filter(hash), options);
    merge::Platform::new(pipeline, merge::pipeline::Mode::ToGit, attributes(), Vec::new(), Default::default())
}
