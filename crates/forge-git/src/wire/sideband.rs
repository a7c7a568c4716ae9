//! Side-band: the first byte of each packet says whether it is data, progress for people, or the error that ends it all.

use super::pkt;

/// Data.
pub const DATA: u8 = 1;

/// Progress, which clients print behind `remote: `.
pub const PROGRESS: u8 = 2;

/// A fatal error.
pub const FATAL: u8 = 3;

/// What one packet holds beside its length and its channel.
const ROOM: usize = pkt::MAX_DATA - 1;

/// The packet that says nothing but keeps idle connections open.
pub const KEEP_ALIVE: &[u8] = b"0005\x01";

/// Appends bytes on a channel, in as many packets as they need.
pub fn write(out: &mut Vec<u8>, channel: u8, bytes: &[u8]) {
    for chunk in bytes.chunks(ROOM) {
        out.extend_from_slice(format!("{:04x}", chunk.len() + 5).as_bytes());
        out.push(channel);
        out.extend_from_slice(chunk);
    }
}

/// Appends a line for people. Control characters are dropped: it ends up on a terminal.
pub fn write_message(out: &mut Vec<u8>, text: &str) {
    for line in text.lines() {
        write(out, PROGRESS, format!("{}\n", printable(line)).as_bytes());
    }
}

/// Returns as much of the text as has at most that many bytes.
pub fn shortened(text: &str, max_bytes: usize) -> &str {
    let mut end = text.len().min(max_bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Returns the text without what would steer a terminal.
pub fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_data_is_cut_into_packets_that_git_accepts() {
        let mut out = Vec::new();
        write(&mut out, DATA, &vec![9; ROOM + 1]);
        assert_eq!(&out[..5], b"fff0\x01");
        assert_eq!(&out[pkt::MAX_LEN..], b"0006\x01\x09");
    }

    #[test]
    fn message_lines_cannot_steer_the_terminal() {
        let mut out = Vec::new();
        write_message(&mut out, "one\u{1b}[31m\ntwo");
        assert_eq!(out, b"000d\x02one[31m\n0009\x02two\n");
    }
}
